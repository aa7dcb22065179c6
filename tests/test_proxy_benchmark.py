"""The benchmark of the proxies: that it measures what it says, not how fast anything is."""

import asyncio
import contextlib
import sys
from pathlib import Path

import psutil
import pytest

from tests.benchmarks import contenders, load, proxies
from tests.benchmarks.load import Result, Shape
from tests.benchmarks.proxies import Measured


@contextlib.contextmanager
def served(what: str, folder: Path, backend: int = 0):
    with contenders.running(contenders.ours(what), folder, None, backend) as (_, port):
        yield port


@pytest.mark.parametrize("layer", ["layer4", "layer7"])
@pytest.mark.parametrize("keep_alive", [True, False])
def test_requests_pass_through_our_proxies(tmp_path, layer, keep_alive):
    with served("backend", tmp_path) as backend, served(layer, tmp_path, backend) as port:
        result = asyncio.run(load.run_clients(port, Shape(3, keep_alive), seconds=0.2))
    assert result.requests > 3
    assert result.errors == 0
    assert 0 < result.p50 <= result.p99


def test_answers_other_than_200_count_as_errors(tmp_path):
    with served("layer7", tmp_path, backend=contenders.free_port()) as port:
        result = asyncio.run(load.run_clients(port, Shape(2, True), seconds=0.2))
    assert result.errors == result.requests > 0


def test_load_that_nobody_answers_is_an_error_with_its_reason(tmp_path, monkeypatch):
    monkeypatch.setattr(load, "is_wrk", lambda: False)
    with pytest.raises(RuntimeError, match=r"No request to .* was answered"):
        load.send(contenders.free_port(), Shape(1, True), 1, tmp_path, None)


def test_a_server_that_ends_at_once_is_an_error_with_what_it_wrote(tmp_path):
    def command(*_) -> list[str]:
        return [sys.executable, "-c", "raise SystemExit('no such setting')"]

    with (
        pytest.raises(RuntimeError, match="no such setting"),
        contenders.running(command, tmp_path, None),
    ):
        pass


def test_a_server_ends_with_its_block_when_the_block_fails(tmp_path):
    with (
        pytest.raises(ZeroDivisionError),
        contenders.running(contenders.ours("backend"), tmp_path, None) as (process, _),
    ):
        1 / 0  # noqa: B018
    assert not psutil.pid_exists(process.pid)


def test_what_is_not_installed_is_said(monkeypatch):
    monkeypatch.setattr(contenders.shutil, "which", lambda name: None)
    for layer in (4, 7):
        found, lines = contenders.proxies(layer)
        assert list(found) == [f"layer{layer}"]
        assert (
            f"layer {layer}, not compared: haproxy is not installed (apt install haproxy)" in lines
        )


def test_the_ratio_is_of_neighbours_in_time():
    """The machine slows down threefold on the way; each pair still has the same ratio."""
    slower = (1, 2, 3)
    results = {
        "layer7": [Measured(1, 0, 1.0, 1.0, 1.0, cpu=30.0 * by) for by in slower],
        "haproxy_http": [Measured(1, 0, 1.0, 1.0, 1.0, cpu=10.0 * by) for by in slower],
    }
    assert [row.value for row in proxies.ratio(7, results)] == [3, 3, 3]
    assert proxies.ratio(7, {"layer7": results["layer7"]}) == []


def test_cpu_is_of_the_process_that_works(tmp_path):
    with (
        served("backend", tmp_path) as backend,
        contenders.running(contenders.ours("layer4"), tmp_path, None, backend) as (busy, port),
        contenders.running(contenders.ours("layer4"), tmp_path, None, backend) as (idle, _),
    ):
        before = proxies.cpu_seconds(busy), proxies.cpu_seconds(idle)
        asyncio.run(load.run_clients(port, Shape(8, True), seconds=0.5))
        worked, rested = (
            proxies.cpu_seconds(busy) - before[0],
            proxies.cpu_seconds(idle) - before[1],
        )
    assert worked > 5 * max(rested, 0.01)


def test_a_result_carries_over_into_a_measurement():
    result = Result(requests=10, errors=0, seconds=2.0, p50=1.0, p99=2.0)
    assert Measured(**vars(result), cpu=3.0).rate == 5
