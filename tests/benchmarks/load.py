"""Requests for the proxies: by wrk where it is installed, else by a client of our own.

    python -m tests.benchmarks.load PORT CONNECTIONS SECONDS keep_alive|close

is that client. It is slower than wrk and cannot keep HAProxy busy, so with it rates say more about
the client; processor time a request stays comparable within a run.
"""

import asyncio
import json
import shutil
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import httptools

from labs.cloud import environment
from tests.benchmarks.contenders import pinned
from tests.benchmarks.rows import ROOT

SCRIPT = """
done = function(summary, latency, requests)
    local errors = summary.errors
    io.write(string.format(
        '\\n{"requests": %d, "errors": %d, "seconds": %.6f, "p50": %.3f, "p99": %.3f}\\n',
        summary.requests,
        errors.connect + errors.read + errors.write + errors.status + errors.timeout,
        summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3
    ))
end
"""


@dataclass(frozen=True)
class Shape:
    """So many connections at once, each asking again as soon as it is answered."""

    connections: int
    keep_alive: bool  # else a new connection for each request

    def __str__(self) -> str:
        return f"{'keep_alive' if self.keep_alive else 'close'}.{self.connections}"


@dataclass(frozen=True)
class Result:
    """Requests answered, those that failed, and milliseconds of the median and 99th percentile."""

    requests: int
    errors: int
    seconds: float
    p50: float
    p99: float


def is_wrk() -> bool:
    return shutil.which("wrk") is not None


def send(port: int, shape: Shape, seconds: int, folder: Path, core: int | None) -> Result:
    """Load the server at a loopback port for a time.

    Raises RuntimeError when the load could not be sent, or nothing at all was answered.
    """
    if is_wrk():
        script = folder / "done.lua"
        script.write_text(SCRIPT, encoding="utf-8")
        command = ["wrk", "-t1", f"-c{shape.connections}", f"-d{seconds}s", "-s", str(script)]
        command += [] if shape.keep_alive else ["-H", "Connection: close"]
        command += [f"http://127.0.0.1:{port}/"]
    else:
        words = [port, shape.connections, seconds, "keep_alive" if shape.keep_alive else "close"]
        command = [sys.executable, "-m", "tests.benchmarks.load", *map(str, words)]
    with pinned(core):
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=environment.original(),
            capture_output=True,
            text=True,
            timeout=seconds + 30,
        )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed: {done.stderr or done.stdout}")
    return Result(**json.loads(done.stdout.splitlines()[-1]))


class Client(asyncio.Protocol):
    """One connection after the other, one request after the other."""

    def __init__(self, port: int, keep_alive: bool, latencies: list[float]) -> None:
        self.port, self.keep_alive, self.latencies = port, keep_alive, latencies
        self.errors = 0
        connection = "" if keep_alive else "Connection: close\r\n"
        self.request = f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{connection}\r\n".encode()

    def connection_made(self, transport: asyncio.Transport) -> None:
        self.transport, self.lost = transport, asyncio.get_running_loop().create_future()
        self.ask()

    def ask(self) -> None:
        self.parser, self.waits = httptools.HttpResponseParser(self), True
        self.started = time.perf_counter()
        self.transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def on_message_complete(self) -> None:
        self.waits = False
        self.latencies.append(time.perf_counter() - self.started)
        self.errors += self.parser.get_status_code() != 200
        if self.keep_alive:
            self.ask()
        else:
            self.transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        self.errors += self.waits
        self.lost.set_result(None)

    async def run(self) -> None:
        """Until cancelled: what is on its way then is no error."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                await loop.create_connection(lambda: self, "127.0.0.1", self.port)
                await self.lost
            except OSError:
                self.errors += 1
                await asyncio.sleep(0.01)


async def run_clients(port: int, shape: Shape, seconds: int) -> Result:
    latencies: list[float] = []
    clients = [Client(port, shape.keep_alive, latencies) for _ in range(shape.connections)]
    started = time.perf_counter()
    tasks = [asyncio.create_task(client.run()) for client in clients]
    await asyncio.sleep(seconds)
    spent = time.perf_counter() - started
    done, errors = sorted(latencies), sum(client.errors for client in clients)
    for task in tasks:
        task.cancel()
    if not done:
        sys.exit(f"No request to 127.0.0.1:{port} was answered in {seconds} s; {errors} failed.")
    p50, p99 = (done[int(len(done) * part)] * 1000 for part in (0.5, 0.99))
    return Result(len(done), errors, spent, p50, p99)


if __name__ == "__main__":
    port, connections, seconds = map(int, sys.argv[1:4])
    shape = Shape(connections, keep_alive=sys.argv[4] == "keep_alive")
    print(json.dumps(asdict(asyncio.run(run_clients(port, shape, seconds)))))
