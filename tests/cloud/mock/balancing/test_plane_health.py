"""The plane by itself: health, draining, and what befalls connections."""

import contextlib
import http.client
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.cloud.mock.balancing.plane_world import Client, check, until


@pytest.fixture
def one(world):
    """An instance in a group, an ALB before it."""
    world.instance("i-1")
    world.group("tg", "i-1")
    world.balancer("alb", "tg")
    return world


def test_a_fresh_target_is_initial_then_healthy(one):
    one.push()
    assert one.state("tg", "i-1:80")[:2] == ["initial", "Elb.RegistrationInProgress"]
    one.wait_for("tg", "i-1:80", "healthy")
    agent, path = one.servers["i-1"].seen[0]
    assert (agent, path) == ("ELB-HealthChecker/2.0", "/health")


def test_a_code_that_the_matcher_does_not_name(one):
    one.servers["i-1"].check_status = 301
    one.push()
    one.wait_for("tg", "i-1:80", "unhealthy")
    assert one.state("tg", "i-1:80")[1:] == [
        "Target.ResponseCodeMismatch",
        "Health checks failed with these codes: [301]",
    ]
    one.snapshot["groups"]["tg"]["check"]["codes"] = "200-299,301"
    one.push()
    one.wait_for("tg", "i-1:80", "healthy")


def test_a_target_that_is_too_slow_for_its_check(one):
    one.snapshot["groups"]["tg"]["check"] = check(path="/slow/3")
    one.push()
    one.wait_for("tg", "i-1:80", "unhealthy")
    assert one.state("tg", "i-1:80")[1] == "Target.Timeout"


def test_a_target_whose_answer_begins_with_a_line_that_does_not_end(one):
    def babble(listener):
        with contextlib.suppress(OSError):  # closed, or the plane has hung up
            while True:
                connection, _ = listener.accept()
                with connection:
                    connection.sendall(b"A" * 300_000)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=babble, args=(listener,), daemon=True).start()
        one.snapshot["instances"]["i-1"]["ports"]["80"] = listener.getsockname()[1]
        one.push()
        one.wait_for("tg", "i-1:80", "unhealthy")
        assert one.state("tg", "i-1:80")[1] == "Target.FailedHealthChecks"


def test_another_port_for_checks(one):
    one.snapshot["groups"]["tg"]["check"] = check(port=8080)
    one.push()
    one.wait_for("tg", "i-1:80", "unhealthy")
    instance = one.snapshot["instances"]["i-1"]
    instance["ports"]["8080"] = instance["ports"]["80"]
    one.push()
    one.wait_for("tg", "i-1:80", "healthy")


def test_a_group_that_nobody_uses(one):
    one.ready()
    one.snapshot["groups"]["tg"]["users"] = []
    one.snapshot["balancers"].clear()
    one.push()
    assert one.state("tg", "i-1:80")[:2] == ["unused", "Target.NotInUse"]
    checks = len(one.servers["i-1"].seen)
    time.sleep(0.5)
    assert len(one.servers["i-1"].seen) <= checks + 1, "nobody checks it any more"


def test_a_zone_that_is_not_enabled(one):
    one.snapshot["instances"]["i-1"]["zone"] = "us-east-1f"
    one.push()
    assert one.state("tg", "i-1:80")[:2] == ["unused", "Target.NotInUse"]
    assert "Availability Zone" in one.state("tg", "i-1:80")[2]
    assert one.get("alb").status == 503


def test_a_stopped_instance_and_its_return(one):
    one.ready()
    one.snapshot["instances"]["i-1"]["state"] = "stopped"
    one.push()
    assert one.state("tg", "i-1:80") == [
        "unused",
        "Target.InvalidState",
        "Target is in the stopped state",
    ]
    one.snapshot["instances"]["i-1"]["state"] = "running"
    one.push()
    assert one.state("tg", "i-1:80")[0] == "initial"
    one.wait_for("tg", "i-1:80", "healthy")


def test_checks_that_are_off(one):
    one.snapshot["groups"]["tg"]["check"]["enabled"] = False
    one.push()
    assert one.state("tg", "i-1:80")[:2] == ["unavailable", "Target.HealthCheckDisabled"]
    assert one.get("alb").status == 200
    assert all("HealthChecker" not in agent for agent, _ in one.servers["i-1"].seen)


def test_an_unhealthy_target_gets_nothing_while_another_is_well(one):
    one.instance("i-2").check_status = 500
    one.snapshot["groups"]["tg"]["targets"].append({"id": "i-2", "port": 80})
    one.ready()
    assert {one.get("alb").said["me"] for _ in range(10)} == {"i-1"}
    one.servers["i-1"].check_status = 500
    one.wait_for("tg", "i-1:80", "unhealthy")
    assert {one.get("alb").said["me"] for _ in range(10)} == {"i-1", "i-2"}, "fails open"


def test_two_ports_of_one_instance_are_two_targets(one):
    other = one.instance("other")
    instances = one.snapshot["instances"]
    instances["i-1"]["ports"]["81"] = instances.pop("other")["ports"]["80"]
    one.snapshot["groups"]["tg"]["targets"].append({"id": "i-1", "port": 81})
    one.ready()
    assert {one.get("alb").said["me"] for _ in range(10)} == {"i-1", "other"}
    other.check_status = 500
    one.wait_for("tg", "i-1:81", "unhealthy")
    assert one.state("tg", "i-1:80")[0] == "healthy"


# Draining


def test_what_is_in_flight_finishes_while_its_target_drains(one):
    one.instance("i-2")
    one.ready()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(one.get, "alb", "/slow/0.5")
        until(lambda: one.servers["i-1"].slow)
        one.snapshot["groups"]["tg"]["targets"] = [{"id": "i-2", "port": 80}]
        one.push()
        assert one.state("tg", "i-1:80")[:2] == ["draining", "Target.DeregistrationInProgress"]
        assert one.get("alb").said["me"] == "i-2", "nothing new for the one that drains"
        assert waiting.result().status == 200
    one.wait_for("tg", "i-1:80", None)


def test_an_alb_ends_what_is_left_after_the_delay(one):
    one.ready()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(one.get, "alb", "/slow/4")
        until(lambda: one.servers["i-1"].slow)
        one.snapshot["groups"]["tg"]["targets"] = []
        began = time.monotonic()
        one.push()  # 25 s of AWS's: 1 s
        assert waiting.result().status == 502
        assert 0.5 < time.monotonic() - began < 3.5
    assert one.get("alb").status == 503


def test_registered_again_before_it_had_drained(one):
    one.ready()
    targets = one.snapshot["groups"]["tg"]["targets"]
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(one.get, "alb", "/slow/1.5")
        until(lambda: one.servers["i-1"].slow)
        one.snapshot["groups"]["tg"]["targets"] = []
        one.push()
        one.snapshot["groups"]["tg"]["targets"] = targets
        one.push()
        assert one.state("tg", "i-1:80")[0] == "initial"
        assert waiting.result().status == 200, "the delay of before has no effect"


@pytest.mark.parametrize("terminates", ["true", "false"])
def test_an_nlb_keeps_connections_unless_it_is_to_end_them(world, terminates):
    world.instance("i-1")
    attributes = {"deregistration_delay.connection_termination.enabled": terminates}
    world.group("tg", "i-1", attributes=attributes)
    world.network_balancer("nlb", "tg")
    world.ready()
    with world.client("nlb") as client:
        assert client.get().status == 200
        world.snapshot["groups"]["tg"]["targets"] = []
        world.push()
        assert client.get().status == 200, "not yet"
        world.wait_for("tg", "i-1:80", None)
        if terminates == "true":
            with pytest.raises(OSError):
                client.get()
        else:
            assert client.get().status == 200
    with pytest.raises(OSError):
        Client(world.port("nlb")).get()


def test_an_nlb_resets_connections_to_a_target_that_turns_unhealthy(world):
    world.instance("i-1")
    world.group("tg", "i-1")
    world.network_balancer("nlb", "tg")
    world.ready()
    with socket.create_connection(("127.0.0.1", world.port("nlb")), timeout=10) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = http.client.HTTPResponse(sock)
        answer.begin()
        assert answer.read()  # all of it, so that nothing but the reset can come
        world.servers["i-1"].check_status = 500
        with pytest.raises(ConnectionResetError):
            sock.recv(65536)
    assert world.state("tg", "i-1:80")[0] == "unhealthy"


def test_classic_without_draining_ends_connections_at_once(world):
    world.instance("i-1")
    world.classic("clb", "i-1", listener={"protocol": "TCP", "target_protocol": "TCP"})
    world.snapshot["groups"]["clb"]["attributes"]["deregistration_delay.timeout_seconds"] = "0"
    world.ready()
    with world.client("clb") as client:
        assert client.get().status == 200
        world.snapshot["groups"]["clb"]["targets"] = []
        world.push()
        world.wait_for("clb", "i-1", None)
        with pytest.raises(OSError):
            client.get()
