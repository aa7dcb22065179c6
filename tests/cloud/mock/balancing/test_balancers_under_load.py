"""Nothing is lost while targets come, drain and stop; what a death costs is bounded by checks."""

import http.client
import os
import threading
import time
from collections import Counter

import psutil
import pytest

from labs.cloud.settings import TIME_SCALE
from tests.cloud.mock.balancing.network import FAST, get, said
from tests.cloud.mock.balancing.plane_world import until
from tests.cloud.processes import descendants, left, python

CLIENTS = 8


class Load:
    """CLIENTS that keep their connections and send one request after another.

    answers: (seconds since the epoch of `time.monotonic`, status or error, server).
    """

    def __init__(self, host: str) -> None:
        self.answers: list[tuple[float, object, str | None]] = []
        self._host = host
        self._stopped = threading.Event()
        self._threads = [threading.Thread(target=self._send) for _ in range(CLIENTS)]
        for thread in self._threads:
            thread.start()

    def _send(self) -> None:
        connection = http.client.HTTPConnection(self._host, timeout=20)
        while not self._stopped.is_set():
            try:
                connection.request("GET", "/")
                response = connection.getresponse()
                response.read()
                answer = (response.status, response.headers["X-Whoami"])
            except (OSError, http.client.HTTPException) as wrong:
                connection.close()
                answer = (type(wrong).__name__, None)
            self.answers.append((time.monotonic(), *answer))
        connection.close()

    def stop(self) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join()

    @property
    def statuses(self) -> Counter:
        return Counter(status for _, status, _ in list(self.answers))


def test_ten_thousand_requests_while_targets_come_drain_and_stop(network):
    first, second, third = network.instances(3)
    group = network.group("tg", first, second)
    name = network.alb(group)
    network.wait_for(group)
    load = Load(name)
    rounds = 0
    try:
        while len(load.answers) < 10_000 or rounds < 3:
            network.register(group, third)
            network.wait_for(group)
            network.deregister(group, first)
            until(lambda: len(network.health(group)) == 2, 15)  # it has drained
            network.ec2.stop_instances(InstanceIds=[first])
            network.ec2.start_instances(InstanceIds=[first])
            first, second, third = second, third, first
            rounds += 1
    finally:
        load.stop()
    assert load.statuses == {200: len(load.answers)}, f"in {rounds} rounds"
    assert len({server for _, _, server in load.answers}) == 3


def test_errors_after_a_death_are_bounded_by_the_health_check(network):
    two = network.instances(2)
    group = network.group("tg", *two)
    name = network.alb(group)
    network.wait_for(group)
    load = Load(name)
    try:
        until(lambda: len(load.answers) > 200)
        died = time.monotonic()
        victim = network.describe(two[0])["PublicIpAddress"]
        with pytest.raises((OSError, http.client.HTTPException)):
            get(victim, "/die")
        until(lambda: "unhealthy" in [one["State"] for one in network.health(group).values()])
        found_out = time.monotonic()
        after = len(load.answers)
        until(lambda: len(load.answers) > after + 200)
    finally:
        load.stop()
    assert set(load.statuses) <= {200, 502, "IncompleteRead"}, "the last died while it answered"
    wrong = [when for when, status, _ in load.answers if status != 200]
    assert wrong, "a target that has just died still gets its share"
    assert max(wrong) <= found_out + 0.5, "none once it is known to be unhealthy"
    allowed = FAST["HealthCheckIntervalSeconds"] * FAST["UnhealthyThresholdCount"] / TIME_SCALE
    assert found_out - died < 5 * allowed + 2, "on a busy laptop"


def test_least_outstanding_requests_and_a_slow_instance(network):
    two = network.instances(2)
    group = network.group("tg", *two)
    network.attributes(group, **{"load_balancing.algorithm.type": "least_outstanding_requests"})
    name = network.alb(group)
    network.wait_for(group)
    slow = threading.Thread(target=get, args=(name, "/slow/1"))
    slow.start()
    addresses = [network.describe(one)["PublicIpAddress"] for one in two]
    until(lambda: sum(said(address)["slow"] for address in addresses))
    assert len({said(name)["me"] for _ in range(6)}) == 1
    slow.join()


def planes(pid):
    """The processes of data planes among the descendants of one."""
    return [p for p in descendants(pid) if "balancing.plane" in " ".join(p.cmdline())]


def test_a_mock_that_is_killed_takes_plane_and_instances_along():
    code = """
        import time
        from labs import cloud
        from tests.cloud.mock.balancing.network import Network, get
        aws = cloud.connect(lesson="test")
        aws.client("sns").create_topic(Name="a-lesson-without-balancers")
        print("quiet", flush=True)
        input()
        network = Network(aws)
        name = network.alb(network.group("tg", *network.instances()))
        assert get(name).status == 200
        print("ready", flush=True)
        time.sleep(60)
    """
    with python(code) as kernel:
        assert kernel.stdout.readline() == "quiet\n"
        assert not planes(kernel.pid), "nobody needs one yet"
        print(file=kernel.stdin, flush=True)
        assert kernel.stdout.readline() == "ready\n"
        everybody = descendants(kernel.pid)
        assert planes(kernel.pid)
        mock = next(p for p in everybody if "labs.cloud.mock --parent" in " ".join(p.cmdline()))
        under = mock.children(recursive=True)
        assert len(under) >= 2
        mock.kill()
        psutil.wait_procs([mock], timeout=5)
        assert left(under) == []


def test_reading_does_not_wait_for_the_plane(network):
    """Its process stands still; questions are answered all the same."""
    [instance] = network.instances()
    group = network.group("tg", instance)
    network.alb(group)
    network.wait_for(group)
    [plane] = planes(os.getpid())
    plane.suspend()
    try:
        began = time.monotonic()
        for _ in range(5):
            network.health(group)
            network.elbv2.describe_load_balancers()
            network.describe(instance)
        network.aws.client("sns").create_topic(Name="unrelated")
        assert time.monotonic() - began < 4
    finally:
        plane.resume()
