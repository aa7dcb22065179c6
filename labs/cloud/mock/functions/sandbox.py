"""One sandbox as the mock sees it: send an event, get a result and what was printed meanwhile."""

import contextlib
import json
import shutil
import socket
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from labs.cloud.mock.functions.contract import Invocation
from labs.cloud.mock.functions.runtime import frames
from labs.cloud.mock.functions.starters import Starter

#: AWS gives a function ten seconds to load. Source: Lambda guide, "Lambda execution environment".
INIT_SECONDS = 10.0
#: Of the prints of one invocation, this much is kept: a loop that prints must not fill the disk.
LOG_BYTES = 1 << 20


@dataclass(frozen=True)
class Answer:
    """error: AWS's error object or None. result: JSON bytes. milliseconds: inside the handler."""

    error: dict | None
    result: bytes
    milliseconds: float


class SandboxEnded(Exception):
    """The process ended during an invocation. `code`: exit code; negative for a signal."""

    def __init__(self, code: int | None) -> None:
        super().__init__(code)
        self.code = code


class Sandbox:
    """Used by one thread at a time; any thread may `kill` it.

    After TimeoutError or SandboxEnded it answers no more and is to be closed. The constructor
    raises OSError when no process can be started.
    """

    def __init__(self, starter: Starter, root: Path, stream: str) -> None:
        self.root = root  # where the function's code lies
        self.stream = stream  # the log stream that it writes to
        self._starter = starter
        self._connection = starter.start()
        self.folder = Path(tempfile.mkdtemp(prefix="labs-sandbox-"))
        self._log_path = self.folder / "log"
        self._log_path.touch()
        self._log = self._log_path.open("rb")
        self.pid: int | None = None  # unknown until it has called
        self._waited_for = False
        self._peak_memory = 0

    def load(self, environment: dict[str, str]) -> dict:
        """Import the handler: {"init_ms": float, "error": AWS's error object or None}.

        Raises TimeoutError after ten seconds, SandboxEnded when the import ends the process.
        """
        settings = {"environment": environment, "root": str(self.root), "log": str(self._log_path)}
        end = time.monotonic() + INIT_SECONDS
        try:
            self.pid = int(frames.receive(self._connection, end))
            frames.send(self._connection, json.dumps(settings).encode())
            return json.loads(frames.receive(self._connection, end))
        except (EOFError, ConnectionError):
            raise SandboxEnded(self._exit_code()) from None

    def invoke(self, invocation: Invocation, trace: str, seconds: float) -> Answer:
        """Run the handler. Raises TimeoutError after `seconds`, SandboxEnded on exit."""
        end = time.monotonic() + seconds
        request = {
            "id": invocation.request_id,
            "arn": invocation.arn,
            "deadline": time.time() + seconds,
            "trace": trace,
        }
        try:
            self._connection.settimeout(seconds)
            frames.send(self._connection, json.dumps(request).encode(), invocation.event)
            head = json.loads(frames.receive(self._connection, end))
            result = frames.receive(self._connection, end)
        except (EOFError, ConnectionError):
            raise SandboxEnded(self._exit_code()) from None
        return Answer(head["error"], result, head["ms"])

    def _exit_code(self) -> int | None:
        if self.pid is None:
            return None
        self._waited_for = True
        return self._starter.wait(self.pid)

    def take_log(self) -> str:
        """What was printed since the last call, at most one megabyte of it."""
        text = self._log.read(LOG_BYTES).decode("utf-8", "replace")
        self._log.seek(0, 2)
        return text

    def measure(self) -> int:
        """Peak resident memory in bytes, of all times that this was called."""
        if self.pid is not None:
            with contextlib.suppress(psutil.Error):
                now = psutil.Process(self.pid).memory_info().rss
                self._peak_memory = max(self._peak_memory, now)
        return self._peak_memory

    def kill(self) -> None:
        """End the process with all its children; whoever waits for its answer is told."""
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)  # it may not even have told its pid
        if self.pid is not None:
            self._starter.kill(self.pid)

    def close(self) -> None:
        """End the process and remove its files."""
        self.kill()
        self._connection.close()
        if not self._waited_for:
            self._exit_code()
        self._log.close()
        shutil.rmtree(self.folder, ignore_errors=True)
