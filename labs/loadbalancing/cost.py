"""What a request costs our two proxies: processor time of processes that do nothing else.

    python -m labs.loadbalancing.cost LAYER HOST PORT

serves one target by a proxy of layer 4 or 7, prints the proxy's port, and then, for each line that
comes in, the seconds of processor time it has used. It ends with its input.
"""

import asyncio
import csv
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from labs.loadbalancing import layer4, layer7, traffic
from labs.loadbalancing.choosing import round_robin
from labs.loadbalancing.target import Target
from labs.loadbalancing.whoami import Server, Whoami

LOOPBACK = "127.0.0.1"
BENCHMARKS = Path(__file__).parents[2] / "data" / "benchmarks.csv"


class Costs(NamedTuple):
    """Microseconds of processor time, user and system, for a request. source: when and where."""

    layer4: float
    layer7: float
    source: str

    @property
    def ratio(self) -> float:
        return self.layer7 / self.layer4


def published(layer4: str, layer7: str, path: Path = BENCHMARKS) -> Costs:
    """Of two proxies, by their names in the benchmark, its newest run with both.

    Raises LookupError when there is none: `python -m tests.benchmarks --only "proxy*"` makes one.
    """
    names = [f"proxy.{proxy}.keep_alive.32.cpu" for proxy in (layer4, layer7)]
    runs: dict[tuple[str, str], dict[str, float]] = {}
    with path.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            if row["name"] in names:
                run = runs.setdefault((row["date"], row["machine"]), {})
                run[row["name"]] = float(row["value"])
    for (date, machine), values in sorted(runs.items(), reverse=True):
        if len(values) == len(names):
            return Costs(*(values[name] for name in names), f"{date[:10]}, {machine}")
    raise LookupError(f"{path.name} has no run with {' and '.join(names)}")


def measure(requests: int = 2000, clients: int = 8) -> Costs:
    """Of our two proxies, here and now.

    Both proxies stand before one server that runs in this process, and get their requests by turns,
    in four rounds, so that what else the machine does meets both. Connections are kept.
    """
    with server() as port, program("4", port) as four, program("7", port) as seven:
        spent = [0.0, 0.0]
        for round_ in range(-1, 4):  # the first is not counted: it opens connections to targets
            for index, proxy in enumerate((four, seven)):
                before = proxy.seconds()
                traffic.closed_loop(proxy.url, requests=requests // 4 // clients, clients=clients)
                spent[index] += (proxy.seconds() - before) * (round_ >= 0)
        sent = 4 * clients * (requests // 4 // clients)
    return Costs(*(seconds / sent * 1e6 for seconds in spent), "here, now")


class Program:
    """A proxy in a process of its own. url: where it listens."""

    def __init__(self, process: subprocess.Popen) -> None:
        self.process = process
        self.url = f"http://{LOOPBACK}:{self.line()}/"

    def line(self) -> str:
        """The next line that the process prints. Raises RuntimeError when it has ended."""
        line = self.process.stdout.readline().strip()
        if not line:
            raise RuntimeError(f"the proxy ended with exit code {self.process.wait()}")
        return line

    def seconds(self) -> float:
        """Processor time used so far."""
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return float(self.line())


@contextmanager
def program(layer: str, port: int) -> Iterator[Program]:
    """A running proxy before the server at this port of the machine; ends with the block."""
    command = [sys.executable, "-m", __name__, layer, LOOPBACK, str(port)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        try:
            yield Program(process)
        finally:
            process.kill()


@contextmanager
def server() -> Iterator[int]:
    """The port of a whoami server in a thread."""
    with Server((LOOPBACK, 0), Whoami) as whoami:
        thread = threading.Thread(target=whoami.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield whoami.server_port
        finally:
            whoami.shutdown()
            thread.join()


async def serve(layer: str, target: Target) -> None:
    """Serve the target; answer each line of input with the processor time used."""
    if layer == "4":
        listening = await layer4.Proxy(round_robin([target])).serve(LOOPBACK, 0)
        port = listening.sockets[0].getsockname()[1]
    else:
        port = (await layer7.serve(lambda request: layer7.Forward(target), LOOPBACK, 0)).port
    print(port, flush=True)
    while await asyncio.to_thread(sys.stdin.readline):
        print(time.process_time(), flush=True)


if __name__ == "__main__":
    _, layer, host, port = sys.argv
    asyncio.run(serve(layer, Target("server", host, int(port))))
