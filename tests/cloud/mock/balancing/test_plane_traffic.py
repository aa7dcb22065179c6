"""The plane by itself: where requests and connections go, and as whom."""

import asyncio
import socket
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from unittest.mock import Mock

import pytest

from labs.cloud.mock.balancing import fronts
from labs.cloud.mock.balancing.plane import Plane
from tests.cloud.mock.balancing.plane_world import (
    EVERYBODY,
    PlaneWorld,
    check,
    forward,
    read_proxy_header,
    until,
)


@pytest.fixture
def two(world):
    """Two instances in a group, an ALB before it."""
    for name in ("i-1", "i-2"):
        world.instance(name)
    world.group("tg", "i-1", "i-2")
    world.balancer("alb", "tg")
    return world


def names(got):
    return Counter(one.said["me"] for one in got)


# Application Load Balancers


def test_an_alb_takes_turns_over_its_targets_on_one_connection(two):
    two.ready()
    with two.client("alb") as client:
        assert names([client.get() for _ in range(20)]) == {"i-1": 10, "i-2": 10}


def test_targets_see_the_balancers_private_address_and_the_learners_in_a_header(two):
    two.ready()
    said = two.get("alb").said
    assert said["peer"][0] == "172.31.0.200", "the address in the target's zone"
    assert said["headers"]["x-forwarded-for"] == "203.0.113.5"
    assert said["headers"]["x-forwarded-port"] == "80"


def test_an_instance_that_calls_is_known_by_its_loopback_address(two):
    two.snapshot["callers"]["i-9"] = {
        "address": "172.31.0.99",
        "groups": ["sg-9"],
        "loopback": "127.31.0.99",
    }
    two.ready()
    with socket.socket() as sock:
        sock.bind(("127.31.0.99", 0))
        sock.connect(("127.0.0.1", two.port("alb")))
        sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        answer = b"".join(iter(lambda: sock.recv(65536), b""))
    assert b'"x-forwarded-for": "172.31.0.99"' in answer


def test_rules_decide_and_are_followed_when_they_change(two):
    two.ready()
    listener = two.snapshot["balancers"]["alb"]["listeners"]["alb/80"]
    listener["rules"] = [
        {
            "RuleArn": "one",
            "Priority": "1",
            "Conditions": [{"Field": "path-pattern", "Values": ["/made/*"]}],
            "Actions": [
                {
                    "Type": "fixed-response",
                    "FixedResponseConfig": {"StatusCode": "418", "MessageBody": "teapot"},
                }
            ],
        },
        *listener["rules"],
    ]
    port = two.port("alb")
    with two.client("alb") as client:
        assert client.get("/made/up").status == 200
        two.push()
        assert client.get("/made/up").status == 418, "on the same connection, at once"
        assert client.get("/other").status == 200
    assert two.port("alb") == port, "the listener was not opened anew"


def test_weights_of_a_forward_and_the_cookie_that_binds_to_a_group(world):
    for name in ("i-1", "i-2"):
        world.instance(name)
        world.group(f"tg-{name}", name)
    balancer = world.balancer("alb", "tg-i-1", "tg-i-2")
    stickiness = {"Enabled": True, "DurationSeconds": 60}
    balancer["listeners"]["alb/80"]["rules"] = forward(
        "tg-i-1", "tg-i-2", TargetGroupStickinessConfig=stickiness
    )
    world.ready()
    got = [world.get("alb") for _ in range(40)]
    assert set(names(got)) == {"i-1", "i-2"}
    cookie = f"AWSALBTG={got[0].cookies['AWSALBTG']}"
    assert names(world.get("alb", Cookie=cookie) for _ in range(10)) == {got[0].said["me"]: 10}


def test_without_targets_503_with_a_dead_one_502(world):
    world.instance("i-1").kill()
    world.group("empty")
    world.group("dead", "i-1")
    world.balancer("none", "empty")
    world.balancer("refused", "dead")
    world.push()
    assert world.get("none").status == 503
    world.wait_for("dead", "i-1:80", "unhealthy")
    assert world.state("dead", "i-1:80")[1] == "Target.FailedHealthChecks"
    assert world.get("refused").status == 502, "the only target gets it though it is unhealthy"


def test_a_target_whose_groups_do_not_let_the_balancer_in(world):
    world.instance("i-1", open=[[80, 80, ["sg-other"]]])
    world.group("tg", "i-1")
    world.balancer("alb", "tg")
    world.push()
    world.wait_for("tg", "i-1:80", "unhealthy")
    assert world.state("tg", "i-1:80")[1:] == ["Target.Timeout", "Request timed out"]
    world.snapshot["instances"]["i-1"]["open"] = [[80, 80, ["sg-balancer"]]]
    world.push()
    world.wait_for("tg", "i-1:80", "healthy")
    assert world.get("alb").status == 200


def test_a_connect_that_nobody_answers_is_504(monkeypatch):
    """In this process, since AWS's ten seconds are long."""
    world = PlaneWorld()
    world.instance("i-1", open=[])
    world.group("tg", "i-1")
    world.balancer("alb", "tg")
    assert fronts.CONNECT_SECONDS == 10
    monkeypatch.setattr(fronts, "CONNECT_SECONDS", 0.2)

    async def answered():
        plane = Plane(Mock())
        await plane.apply(world.snapshot)
        port = plane.report()["ports"]["balancers"]["alb"]["80"]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        line = await reader.readline()
        writer.close()
        return line

    assert b" 504 " in asyncio.run(answered())
    world.close()


def test_least_outstanding_requests_spares_a_slow_target(two):
    group = two.snapshot["groups"]["tg"]
    group["attributes"]["load_balancing.algorithm.type"] = "least_outstanding_requests"
    two.ready()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(two.get, "alb", "/slow/1")
        until(lambda: any(s.slow for s in two.servers.values()))
        others = names(two.get("alb") for _ in range(10))
        slow = waiting.result().said["me"]
    assert others == {({"i-1", "i-2"} - {slow}).pop(): 10}


def test_weighted_random_uses_every_target(two):
    two.snapshot["groups"]["tg"]["attributes"]["load_balancing.algorithm.type"] = "weighted_random"
    two.ready()
    with two.client("alb") as client:
        assert min(names([client.get() for _ in range(60)]).values()) > 5


def test_a_second_target_starts_slowly(world):
    for name in ("i-1", "i-2"):
        world.instance(name)
    group = world.group("tg", "i-1", attributes={"slow_start.duration_seconds": "100"})  # 4 s
    world.balancer("alb", "tg")
    world.ready()
    group["targets"].append({"id": "i-2", "port": 80})
    world.push()
    world.wait_for("tg", "i-2:80", "healthy")
    with world.client("alb") as client:

        def share():
            """Of i-2, in 300 ms."""
            end = time.monotonic() + 0.3
            got = []
            while time.monotonic() < end:
                got.append(client.get())
            return names(got)["i-2"] / len(got)

        early = share()
        assert early < 0.3
        until(lambda: share() > 0.4)
        assert share() > early


# Stickiness


def test_awsalb_binds_a_client_to_its_target_and_is_renewed(two):
    attributes = two.snapshot["groups"]["tg"]["attributes"]
    attributes.update({"stickiness.enabled": "true", "stickiness.type": "lb_cookie"})
    two.ready()
    first = two.get("alb")
    assert set(first.cookies) == {"AWSALB", "AWSALBCORS"}
    assert "Expires=" in first.headers["Set-Cookie"]
    cookie = f"AWSALB={first.cookies['AWSALB']}"
    again = [two.get("alb", Cookie=cookie) for _ in range(6)]
    assert names(again) == {first.said["me"]: 6}
    assert all("AWSALB" in one.cookies for one in again), "each response renews it"
    two.snapshot["groups"]["tg"]["targets"] = [
        t for t in two.snapshot["groups"]["tg"]["targets"] if t["id"] != first.said["me"]
    ]
    two.push()
    assert two.get("alb", Cookie=cookie).said["me"] != first.said["me"], "its target has gone"


def test_an_application_cookie_binds_too(two):
    two.snapshot["groups"]["tg"]["attributes"].update(
        {
            "stickiness.enabled": "true",
            "stickiness.type": "app_cookie",
            "stickiness.app_cookie.cookie_name": "SESSION",
        }
    )
    two.ready()
    assert not two.get("alb").cookies
    for server in two.servers.values():
        server.cookie = "SESSION=abc; Path=/; HttpOnly"
    first = two.get("alb")
    assert set(first.cookies) == {"SESSION", "AWSALBAPP"}
    both = f"SESSION=abc; AWSALBAPP={first.cookies['AWSALBAPP']}"
    assert names(two.get("alb", Cookie=both) for _ in range(6)) == {first.said["me"]: 6}
    only = f"AWSALBAPP={first.cookies['AWSALBAPP']}"
    assert len(names(two.get("alb", Cookie=only) for _ in range(6))) == 2


def test_a_classic_cookie_is_set_once(world):
    for name in ("i-1", "i-2"):
        world.instance(name)
    world.classic("clb", *world.servers, listener={"sticky": {"cookie": None, "seconds": 60.0}})
    world.ready()
    first = world.get("clb")
    cookie = f"AWSELB={first.cookies['AWSELB']}"
    again = [world.get("clb", Cookie=cookie) for _ in range(6)]
    assert names(again) == {first.said["me"]: 6}
    assert not any(one.cookies for one in again)


# Classic


def test_classic_tcp_takes_turns_by_connection_http_by_request(world):
    for name in ("i-1", "i-2"):
        world.instance(name)
    balancer = world.classic("clb", *world.servers)
    listener = balancer["listeners"]["clb/80"]
    balancer["listeners"]["clb/81"] = {
        **listener,
        "port": 81,
        "protocol": "TCP",
        "target_protocol": "TCP",
    }
    world.ready()
    with world.client("clb") as client:
        assert names([client.get() for _ in range(10)]) == {"i-1": 5, "i-2": 5}
        said = client.get().said
    assert "x-amzn-trace-id" not in said["headers"]
    assert said["headers"]["x-forwarded-for"] == "203.0.113.5"
    with world.client("clb", 81) as client:
        got = [client.get() for _ in range(5)]
    assert len(names(got)) == 1
    assert "x-forwarded-for" not in got[0].said["headers"]
    assert got[0].said["peer"][0] == "172.31.0.200"
    assert names(world.get("clb", port=81) for _ in range(10)) == {"i-1": 5, "i-2": 5}


def test_a_classic_balancer_does_not_fail_open(world):
    world.instance("i-1").check_status = 500
    world.classic("clb", "i-1")
    world.push()
    assert world.get("clb").status == 503, "not yet in service"
    world.wait_for("clb", "i-1", "unhealthy")
    assert world.get("clb").status == 503
    world.servers["i-1"].check_status = 200
    world.wait_for("clb", "i-1", "healthy")
    assert world.get("clb").status == 200


# Network Load Balancers


def test_an_nlb_keeps_the_clients_address_by_default(world):
    world.instance("i-1")
    world.group("tg", "i-1")
    world.network_balancer("nlb", "tg")
    world.ready()
    assert world.get("nlb").said["peer"][0] == "203.0.113.5"
    world.snapshot["groups"]["tg"]["attributes"]["preserve_client_ip.enabled"] = "false"
    world.push()
    assert world.get("nlb").said["peer"][0] == "172.31.0.200"


def test_targets_by_ip_see_an_nlbs_address(world):
    world.instance("i-1")
    address = world.snapshot["instances"]["i-1"]["address"]
    world.group("tg", kind="ip", targets=[{"id": address, "port": 80}])
    world.network_balancer("nlb", "tg")
    world.ready()
    assert world.state("tg", f"{address}:80")[0] == "healthy"
    assert world.get("nlb").said["peer"][0] == "172.31.0.200"


def test_the_learners_own_proxy_header_comes_after_the_mocks(world):
    world.instance("i-1").greetings = 2
    attributes = {"proxy_protocol_v2.enabled": "true", "preserve_client_ip.enabled": "false"}
    world.group("tg", "i-1", attributes=attributes)
    world.network_balancer("nlb", "tg")
    world.ready()
    assert world.state("tg", "i-1:80")[0] == "healthy", "checks bring a header, too"
    assert world.get("nlb").said["peer"][0] == "172.31.0.200"
    assert world.servers["i-1"].learners[-1][0] == "203.0.113.5"
    assert None in world.servers["i-1"].learners, "a check's is LOCAL"


def test_an_nlb_spreads_connections_and_not_requests(world):
    for name in ("i-1", "i-2"):
        world.instance(name)
    world.group("tg", "i-1", "i-2")
    world.network_balancer("nlb", "tg")
    world.ready()
    with world.client("nlb") as client:
        assert len(names([client.get() for _ in range(10)])) == 1
    assert len(names(world.get("nlb") for _ in range(40))) == 2


def test_source_ip_stickiness_of_an_nlb(world):
    for name in ("i-1", "i-2"):
        world.instance(name)
    world.group("tg", "i-1", "i-2", attributes={"stickiness.enabled": "true"})
    world.network_balancer("nlb", "tg")
    world.ready()
    assert len(names(world.get("nlb") for _ in range(20))) == 1


@pytest.mark.parametrize(
    ("rules", "groups", "healthy"),
    [
        ([[80, 80, ["203.0.113.5/32"]]], [], False),  # the client, but not the checks
        ([[80, 80, ["203.0.113.5/32", "172.31.0.0/16"]]], [], True),
        ([[80, 80, ["sg-balancer"]]], ["sg-balancer"], True),
        ([[80, 80, ["172.31.0.0/16"]]], [], True),
    ],
)
def test_whom_an_nlbs_targets_must_let_in(world, rules, groups, healthy):
    """Checks come from the balancer's address; traffic from the client's, or for its groups."""
    world.instance("i-1", open=rules)
    world.group("tg", "i-1", check=check(protocol="TCP"))
    world.network_balancer("nlb", "tg", groups=groups, open=None)
    world.push()
    world.wait_for("tg", "i-1:80", "healthy" if healthy else "unhealthy")
    if not healthy:
        assert world.state("tg", "i-1:80")[1] == "Target.FailedHealthChecks", "all that an NLB says"


def test_an_alb_behind_an_nlb_sees_the_client(world):
    world.instance("i-1")
    world.group("tg", "i-1")
    world.balancer("alb", "tg")
    world.group("albs", kind="alb", targets=[{"id": "alb", "port": 80}])
    world.network_balancer("nlb", "albs", private={"us-east-1a": "172.31.0.201"})
    world.ready()
    said = world.get("nlb").said
    assert said["headers"]["x-forwarded-for"] == "203.0.113.5"


# Instances


def test_who_reaches_an_instance_directly_is_told_to_it(world):
    world.instance("i-1")
    world.push()
    world.plane.ports["balancers"]["i-1"] = world.plane.ports["instances"]["i-1"]
    assert world.get("i-1").said["peer"][0] == "203.0.113.5"


def test_a_port_that_is_closed_has_no_forwarder_any_more(world):
    world.instance("i-1")
    world.push()
    port = world.plane.ports["instances"]["i-1"]["80"]
    world.snapshot["instances"]["i-1"]["ports"] = {}
    world.push()
    assert world.plane.ports["instances"] == {}
    with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
        pass


def test_bytes_pass_both_ways_through_a_forwarder(world):
    """A protocol in which the server speaks first."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        world.snapshot["instances"]["i-1"] = {
            "address": "172.31.0.11",
            "public": None,
            "state": "running",
            "zone": "us-east-1a",
            "groups": [],
            "open": EVERYBODY,
            "ports": {"25": listener.getsockname()[1]},
        }
        world.push()

        def serve():
            connection, _ = listener.accept()
            with connection:
                read_proxy_header(connection)
                connection.sendall(b"220 hello\r\n")
                connection.sendall(connection.recv(100).upper())

        threading.Thread(target=serve, daemon=True).start()
        where = ("127.0.0.1", world.plane.ports["instances"]["i-1"]["25"])
        with socket.create_connection(where, timeout=5) as sock:
            assert sock.recv(100) == b"220 hello\r\n"
            sock.sendall(b"ehlo")
            assert sock.recv(100) == b"EHLO"
