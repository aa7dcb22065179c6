"""The plane's process: it lives as long as the mock, and another takes its place when it dies."""

import os
import socket

import psutil
import pytest

from tests.cloud.mock.balancing.plane_world import until
from tests.cloud.processes import left, python


@pytest.fixture
def one(own_world):
    own_world.instance("i-1")
    own_world.group("tg", "i-1")
    own_world.balancer("alb", "tg")
    own_world.ready()
    return own_world


def test_a_plane_that_is_killed_is_replaced_and_serves_the_same(one):
    first = psutil.Process(one.plane.pid)
    first.kill()
    until(lambda: one.plane.pid not in (None, first.pid) and one.state("tg", "i-1:80"))
    until(lambda: one.plane.ports["balancers"].get("alb") and serves(one))
    one.wait_for("tg", "i-1:80", "healthy")


def serves(world):
    try:
        return world.get("alb").status == 200
    except OSError:
        return False


def test_it_has_its_own_process_group(one):
    if not hasattr(os, "getpgid"):
        pytest.skip("Windows has none")
    assert os.getpgid(one.plane.pid) == one.plane.pid


def test_closing_ends_it_and_all_that_it_served(one):
    process, port = psutil.Process(one.plane.pid), one.port("alb")
    one.plane.close()
    assert left([process]) == []
    with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
        pass


def test_it_ends_with_whoever_started_it():
    code = """
        import time
        from labs.cloud.mock.balancing.process import PlaneProcess
        empty = {"callers": {}, "instances": {}, "balancers": {}, "groups": {}, "secret": "00"}
        plane = PlaneProcess(None, None, 1)
        assert plane.push(empty)
        print(plane.pid, flush=True)
        time.sleep(60)
    """
    with python(code) as parent:
        plane = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
        assert left([plane]) == []


def test_a_snapshot_that_has_nothing_closes_everything(one):
    port = one.port("alb")
    one.snapshot.update(instances={}, balancers={}, groups={})
    one.push()
    assert one.plane.ports == {"balancers": {}, "instances": {}}
    with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
        pass


def test_a_listener_that_cannot_be_served_leaves_the_others_alone(one):
    listeners = one.snapshot["balancers"]["alb"]["listeners"]
    listeners["bad"] = {**listeners["alb/80"], "protocol": "HTTPS", "port": 443}
    one.push()
    assert set(one.plane.ports["balancers"]["alb"]) == {"80"}
    assert one.get("alb").status == 200


def test_a_group_that_cannot_be_followed_leaves_the_others_alone(one):
    least = "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count"
    one.group("bad", "i-1", attributes={least: "many"})
    one.balancer("other", "bad")
    plane = one.plane.pid
    one.push()
    assert one.get("alb").status == 200
    assert one.plane.pid == plane


def test_protocols_that_are_not_served(one):
    listeners = one.snapshot["balancers"]["alb"]["listeners"]
    listeners["udp"] = {**listeners["alb/80"], "protocol": "UDP", "port": 53}
    one.push()
    assert set(one.plane.ports["balancers"]["alb"]) == {"80"}
