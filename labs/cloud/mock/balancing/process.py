"""The plane's process as the mock sees it: started on first need, told snapshots, restarted."""

import contextlib
import itertools
import json
import logging
import secrets
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from labs.cloud.mock.balancing.shapes import HealthTable, Snapshot
from labs.cloud.mock.functions.starters import kill_tree, new_process_group

#: For the process to call back, and for it to open the listeners of a snapshot.
START_SECONDS, APPLY_SECONDS = 20.0, 5.0
#: A plane that dies within SHORT_LIFE is restarted this much later each time, up to MOST_PAUSE.
PAUSE, MOST_PAUSE, SHORT_LIFE = 0.1, 5.0, 10.0

log = logging.getLogger("labs.mock.balancing")

#: Runs a function: (its ARN, target group's ARN, event) -> result. Raises Exception with a reason.
Invoke = Callable[[str, str, bytes], bytes]


class PlaneProcess:
    """One plane at a time. Safe to use from many threads.

    invoke:    see `Invoke`; called in threads of `workers`.
    changed: called in a thread when a plane has died, and when another listens in its place.
    health, ports: what the plane told last, see `plane`.
    """

    def __init__(self, invoke: Invoke, changed: Callable[[], None], workers: int) -> None:
        self._invoke, self._changed = invoke, changed
        self._workers = ThreadPoolExecutor(workers, "balancer-invokes")
        self._news = threading.Condition()
        self._sending = threading.Lock()
        self._numbers = itertools.count(1)
        self._process: subprocess.Popen | None = None
        self._socket: socket.socket | None = None
        self._snapshot: Snapshot | None = None
        self._applied = 0
        self._closed = False
        self._started = 0.0
        self._pause = 0.0
        self.health: HealthTable = {}
        self.ports: dict[str, dict[str, dict[str, int]]] = {"balancers": {}, "instances": {}}

    @property
    def pid(self) -> int | None:
        """Of the process; None before the first need."""
        return self._process.pid if self._process else None

    def push(self, snapshot: Snapshot) -> bool:
        """Give a snapshot to the plane, and wait until its listeners are open.

        False when that took too long, or the plane died: what it told before stays.
        """
        with self._sending:
            self._snapshot = snapshot
            if self._process is None:
                self._start()
            number = self._send_snapshot()
        with self._news:
            return self._news.wait_for(lambda: self._applied >= number, APPLY_SECONDS)

    def close(self) -> None:
        """End it."""
        self._closed = True
        self._workers.shutdown(wait=False, cancel_futures=True)
        with self._sending:
            self._end()

    # Inside; with `_sending` held

    def _start(self) -> None:
        """Raises OSError."""
        self._started = time.monotonic()
        token = secrets.token_hex(16)
        with socket.create_server(("127.0.0.1", 0)) as door:
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "labs.cloud.mock.balancing.plane",
                    str(door.getsockname()[1]),
                    token,
                ],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                **new_process_group(),
            )
            try:
                self._socket, lines = accept(door, token, self._process)
            except OSError:
                self._end()
                raise
        threading.Thread(
            target=self._listen, args=(lines, self._process), name="plane", daemon=True
        ).start()

    def _end(self) -> None:
        if self._socket:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)  # close() alone waits for the reader
            self._socket.close()
        if self._process:
            kill_tree(self._process.pid)
            self._process.wait()
        self._socket = self._process = None

    def _send_snapshot(self) -> int:
        number = next(self._numbers)
        self._send({"snapshot": self._snapshot, "number": number})
        return number

    def _send(self, message: dict[str, Any]) -> None:
        if self._socket is not None:
            with contextlib.suppress(OSError):  # it has died; `_listen` finds that out
                self._socket.sendall(json.dumps(message).encode() + b"\n")

    # In threads

    def _listen(self, lines: Any, process: subprocess.Popen) -> None:
        with contextlib.suppress(OSError, ValueError):
            for line in lines:
                self._hear(json.loads(line))
        if not self._closed:
            log.warning("the plane has ended with code %s; another begins", process.wait())
            self.ports, self.health = {"balancers": {}, "instances": {}}, {}
            self._changed()
            self._replace()

    def _hear(self, message: dict[str, Any]) -> None:
        if "call" in message:
            self._workers.submit(self._answer, message)
            return
        with self._news:
            self.health = message["health"]
            if "applied" in message:
                self.ports = message["ports"]
                self._applied = message["applied"]
            self._news.notify_all()

    def _answer(self, message: dict[str, Any]) -> None:
        try:
            result = self._invoke(message["function"], message["group"], message["event"].encode())
            answer = {"result": result.decode()}
        except Exception as wrong:
            answer = {"failed": f"{type(wrong).__name__}: {wrong}"}
        with self._sending:
            self._send({"answer": message["call"], **answer})

    def _replace(self) -> None:
        """Another plane, that knows what the last one was told."""
        number = None
        while number is None:
            died_young = time.monotonic() - self._started < SHORT_LIFE
            self._pause = min(self._pause + PAUSE, MOST_PAUSE) if died_young else PAUSE
            time.sleep(self._pause)
            with self._sending:
                if self._closed:
                    return
                self._end()
                try:
                    self._start()
                    number = self._send_snapshot()
                except OSError as wrong:
                    log.warning("no plane could be started: %s", wrong)
        with self._news:
            self._news.wait_for(lambda: self._applied >= number, APPLY_SECONDS)
        self._changed()


def accept(door: socket.socket, token: str, process: subprocess.Popen) -> tuple[socket.socket, Any]:
    """The connection of the process that knows the token, and its lines.

    Raises OSError when it does not come.
    """
    deadline = time.monotonic() + START_SECONDS
    door.settimeout(0.2)
    while process.poll() is None and time.monotonic() < deadline:
        try:
            connection, _ = door.accept()
        except TimeoutError:
            continue
        connection.settimeout(START_SECONDS)
        lines = connection.makefile("rb")
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            if secrets.compare_digest(json.loads(lines.readline())["token"], token):
                connection.settimeout(None)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                return connection, lines
        connection.close()
    raise OSError("the plane ended, or did not call back, while it was starting: see the log")
