"""What a request costs behind our proxies, behind HAProxy and behind nginx, in one run.

    python -m tests.benchmarks --only "proxy*"     two to three minutes

A row `proxy.WHO.HOW.CONNECTIONS.WHAT` has
    WHO          layer4 and layer7: ours. haproxy_tcp, haproxy_http; nginx_stream, nginx_http.
    HOW          keep_alive, or close: a new connection to the proxy for each request.
    CONNECTIONS  1, 32 or 256 at once, each of which asks again as soon as it is answered.
    WHAT         cpu: microseconds of processor time, user and system, of the proxy's processes
                 for a request. Trust this one: the others drift with whatever else runs.
                 rate: requests answered in a second. p50, p99: milliseconds; with wrk and close,
                 without the connecting.
    n            requests.
`proxy.LAYER.cpu_to_haproxy` is our cpu by HAProxy's at keep_alive.32, and n pairs: the two take
turns, and the ratio is the median of those of neighbours in time, so that slow drift cancels. What
changes faster does not: on a shared machine the same program was seen to cost a fifth more from
one second to the next, and the same code to have ratios from 2.8 to 3.6. So the quartiles are rows
too (.p25, .p75). A budget between them is neither met nor missed by this run: free the machine.
`proxy.LAYER.with.*` tells how it was measured, 1 for yes: load by wrk (else a slower client of
ours), nginx as the back end (else ours), and the proxies on one core with load and back end on
another. `proxy.LAYER.errors` counts requests that failed, those of warming up included.

Logs are off everywhere. Ours adds X-Forwarded-For, -Proto, -Port and X-Amzn-Trace-Id and asks a
rule, as an ALB does; HAProxy and nginx do nothing but proxy.
"""

import contextlib
import statistics
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.benchmarks import contenders, load
from tests.benchmarks.load import Result, Shape
from tests.benchmarks.rows import Row

SECONDS = 2  # of one measurement; wrk knows whole seconds only
PAIRS, PAIR_SECONDS = 15, 1
COMPARED = Shape(32, keep_alive=True)
SHAPES = [Shape(count, keep) for keep in (True, False) for count in (1, 32, 256)]
OPEN_FILES = 4096


@dataclass(frozen=True)
class Measured(Result):
    cpu: float  # microseconds a request

    @property
    def rate(self) -> float:
        return self.requests / self.seconds


def measure_layer4() -> Iterator[Row]:
    """proxy.layer4.*, proxy.haproxy_tcp.*, proxy.nginx_stream.*"""
    return measure(4)


def measure_layer7() -> Iterator[Row]:
    """proxy.layer7.*, proxy.haproxy_http.*, proxy.nginx_http.*"""
    return measure(7)


def measure(layer: int) -> Iterator[Row]:
    """The rows of a layer as they are measured. Says what cannot be compared, and why."""
    commands, missing = contenders.proxies(layer)
    for line in missing:
        print(line)
    allow_open_files()
    cores = contenders.cores()
    proxy_core, load_core = cores or (None, None)
    requests = errors = 0
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = contenders.running(contenders.backend(), folder, load_core)
        _, backend = stack.enter_context(server)
        running = {
            name: stack.enter_context(contenders.running(command, folder, proxy_core, backend))
            for name, command in commands.items()
        }

        def run(name: str, shape: Shape, seconds: int) -> Measured:
            nonlocal requests, errors
            process, port = running[name]
            before = cpu_seconds(process)
            result = load.send(port, shape, seconds, folder, load_core)
            spent = cpu_seconds(process) - before
            requests, errors = requests + result.requests, errors + result.errors
            cpu = spent * 1e6 / max(1, result.requests)
            return Measured(**vars(result), cpu=cpu)

        for name in running:
            run(name, COMPARED, PAIR_SECONDS)  # its first requests are not measured
        for shape in SHAPES:
            rounds, seconds = (PAIRS, PAIR_SECONDS) if shape == COMPARED else (1, SECONDS)
            results: dict[str, list[Measured]] = {name: [] for name in running}
            for number in range(rounds):
                # There and back, so that none is always measured behind the same other one.
                for name in list(running)[:: 1 if number % 2 else -1]:
                    results[name].append(run(name, shape, seconds))
            for name, several in results.items():
                yield from rows(f"proxy.{name}.{shape}", several)
            if shape == COMPARED:
                yield from ratio(layer, results)
        yield Row(f"proxy.layer{layer}.errors", errors, "requests", requests)
    how = {
        "wrk": load.is_wrk(),
        "nginx_behind": contenders.has_nginx(),
        "cores_apart": cores is not None,
    }
    yield from (
        Row(f"proxy.layer{layer}.with.{what}", int(yes), "yes", 1) for what, yes in how.items()
    )


def rows(name: str, results: list[Measured]) -> list[Row]:
    """The medians of several measurements."""
    units = {"cpu": "us", "rate": "/s", "p50": "ms", "p99": "ms"}
    requests = sum(result.requests for result in results)
    return [
        Row(f"{name}.{what}", statistics.median(getattr(r, what) for r in results), unit, requests)
        for what, unit in units.items()
    ]


def ratio(layer: int, results: dict[str, list[Measured]]) -> list[Row]:
    """Median and quartiles of the pairs; nothing where HAProxy is missing."""
    theirs = results.get({4: "haproxy_tcp", 7: "haproxy_http"}[layer])
    if theirs is None:
        return []
    pairs = zip(results[f"layer{layer}"], theirs, strict=True)
    ratios = [ours.cpu / its.cpu for ours, its in pairs]
    p25, median, p75 = statistics.quantiles(ratios, n=4, method="inclusive")
    name, n = f"proxy.layer{layer}.cpu_to_haproxy", len(ratios)
    return [
        Row(name, median, "x", n),
        Row(f"{name}.p25", p25, "x", n),
        Row(f"{name}.p75", p75, "x", n),
    ]


def cpu_seconds(process: psutil.Process) -> float:
    """User and system time of a process and of those that it has started."""
    times = [each.cpu_times() for each in (process, *process.children(recursive=True))]
    return sum(each.user + each.system for each in times)


def allow_open_files() -> None:
    """Let what is started have as many sockets as it needs; macOS gives 256."""
    try:
        import resource
    except ImportError:  # Windows, which has no such limit
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
