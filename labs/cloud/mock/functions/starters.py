"""Two ways to start a sandbox process: fork it from the zygote, or spawn a fresh interpreter.

The zygote is some ten times faster; spawning works everywhere, and is needed for a function that
packs its own boto3, since the zygote has imported AWS's already.
"""

import contextlib
import itertools
import os
import secrets
import signal
import socket
import struct
import subprocess
import sys
import threading
from pathlib import Path
from typing import Protocol

import psutil

from labs.cloud.mock.functions.runtime import frames

RUNTIME = Path(__file__).parent / "runtime"
_COMMAND, _END = struct.Struct("!cI"), struct.Struct("!ii")


class Starter(Protocol):
    """What a sandbox needs from the process that starts it."""

    def warm_up(self) -> None:
        """Do ahead of time what makes the first start slow. Optional."""

    def start(self) -> socket.socket:
        """A stream socket to a new sandbox. Raises OSError when none can be started."""

    def kill(self, pid: int) -> None:
        """End a sandbox and all processes of its group. Harmless when it has gone."""

    def wait(self, pid: int) -> int | None:
        """The exit code (negative: a signal), waiting two seconds for it; None if unknown."""

    def close(self) -> None:
        """End everything that was started here."""


class Zygote:
    """Talks to `runtime/zygote.py`. POSIX only. A dead zygote is replaced at the next start."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ended = threading.Condition()
        self._exit_codes: dict[int, int] = {}
        self._process: subprocess.Popen | None = None
        self._control: socket.socket | None = None

    def warm_up(self) -> None:
        with self._lock:
            self._be_running()

    def start(self) -> socket.socket:
        ours, theirs = socket.socketpair()
        try:
            with self._lock:
                self._be_running()
                socket.send_fds(self._control, [_COMMAND.pack(b"F", 0)], [theirs.fileno()])
        finally:
            theirs.close()
        return ours

    def _be_running(self) -> None:
        if self._process is not None and self._process.poll() is None:
            return
        self._hang_up()
        self._control, theirs = socket.socketpair()
        self._process = subprocess.Popen(
            [sys.executable, str(RUNTIME / "zygote.py"), str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
        )
        theirs.close()
        if len(self._control.recv(_END.size, socket.MSG_WAITALL)) < _END.size:
            raise OSError("the zygote ended while it was starting: see the mock's log")
        threading.Thread(
            target=self._collect, args=(self._control,), name="zygote-exits", daemon=True
        ).start()

    def _collect(self, control: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while len(pair := control.recv(_END.size, socket.MSG_WAITALL)) == _END.size:
                pid, code = _END.unpack(pair)
                with self._ended:
                    self._exit_codes[pid] = code
                    self._ended.notify_all()

    def kill(self, pid: int) -> None:
        with self._lock, contextlib.suppress(OSError):
            self._control.sendall(_COMMAND.pack(b"K", pid))

    def wait(self, pid: int) -> int | None:
        with self._ended:
            self._ended.wait_for(lambda: pid in self._exit_codes, timeout=2)
            return self._exit_codes.pop(pid, None)

    def close(self) -> None:
        with self._lock:
            self._hang_up()  # the zygote ends its children, then itself
            if self._process:
                self._process.wait()

    def _hang_up(self) -> None:
        if self._control:
            with contextlib.suppress(OSError):
                self._control.shutdown(socket.SHUT_RDWR)  # close() alone waits for the reader
            self._control.close()


class Spawner:
    """A fresh interpreter for each sandbox; it calls back on a loopback port, with a token."""

    def __init__(self) -> None:
        self._processes: dict[int, subprocess.Popen] = {}
        self._lock = threading.Lock()

    def warm_up(self) -> None:
        """Nothing to do: each sandbox starts from nothing."""

    def start(self) -> socket.socket:
        token = secrets.token_hex(16)
        with socket.create_server(("127.0.0.1", 0)) as door:
            process = subprocess.Popen(
                [sys.executable, str(RUNTIME / "bootstrap.py"), str(door.getsockname()[1]), token],
                stdin=subprocess.PIPE,  # its other end tells the sandbox that the mock has gone
                **new_process_group(),
            )
            with self._lock:
                self._processes[process.pid] = process
            try:
                return self._accept(door, token)
            except OSError:
                self.kill(process.pid)
                self.wait(process.pid)
                raise

    @staticmethod
    def _accept(door: socket.socket, token: str) -> socket.socket:
        door.settimeout(10)
        for _ in itertools.repeat(None):
            connection, _ = door.accept()
            connection.settimeout(10)
            with contextlib.suppress(EOFError, OSError):
                if secrets.compare_digest(frames.receive(connection), token.encode()):
                    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    return connection
            connection.close()
        raise AssertionError("unreachable")

    def kill(self, pid: int) -> None:
        kill_tree(pid)

    def wait(self, pid: int) -> int | None:
        with self._lock:
            process = self._processes.pop(pid, None)
        if process is None:
            return None
        try:
            code = process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            return None
        process.stdin.close()
        return code

    def close(self) -> None:
        for pid in list(self._processes):
            self.kill(pid)
            self.wait(pid)


def new_process_group() -> dict:
    """Popen arguments that keep the kernel's Ctrl-C away from a child and its children."""
    if os.name == "nt":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"start_new_session": True}


def kill_tree(pid: int) -> None:
    """End a group leader with its group; on Windows, a process with its descendants."""
    if os.name == "nt":
        with contextlib.suppress(psutil.NoSuchProcess):
            process = psutil.Process(pid)
            for child in [*process.children(recursive=True), process]:
                with contextlib.suppress(psutil.NoSuchProcess):
                    child.kill()
    else:
        # macOS: PermissionError when all of the group have ended and nobody has waited for them.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)
