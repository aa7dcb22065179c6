"""The motor's end of its connections to instances: see `platform.host` for what is asked."""

from __future__ import annotations

import contextlib
import json
import secrets
import socket
import threading
import time
from typing import Any

_LOOPBACK = "127.0.0.1"
#: Seconds that a new connection has to say who it is.
HELLO_SECONDS = 10.0
#: Seconds that an instance has to come up; to answer a question; to run a deployment.
BOOT_SECONDS, ANSWER_SECONDS, COMMAND_SECONDS = 30.0, 2.0, 60.0


class Unreachable(Exception):
    """The instance does not answer: it has not come up yet, has ended, or takes too long."""


class Busy(Exception):
    """The instance still does what it was asked before."""


class Hosts:
    """Connections by instance id. Its thread and its listener end with `close`."""

    def __init__(self) -> None:
        self.token = secrets.token_hex(16)
        self._listener = socket.create_server((_LOOPBACK, 0), backlog=64)
        self.port: int = self._listener.getsockname()[1]
        self._changing = threading.Lock()
        self._connections: dict[str, _Connection] = {}
        self._thread = threading.Thread(target=self._accept, name="beanstalk-hosts", daemon=True)
        self._thread.start()

    def ask(self, instance_id: str, question: dict[str, Any], seconds: float) -> dict[str, Any]:
        """The instance's answer. Raises Unreachable."""
        with self._changing:
            connection = self._connections.get(instance_id)
        if connection is None:
            raise Unreachable(f"{instance_id} is not connected")
        try:
            return connection.ask(question, seconds)
        except Busy:
            raise Unreachable(f"{instance_id} is busy") from None
        except (OSError, ValueError):
            self._forget(instance_id, connection)
            raise Unreachable(f"{instance_id} did not answer") from None

    def is_connected(self, instance_id: str) -> bool:
        with self._changing:
            return instance_id in self._connections

    def reset(self) -> None:
        """Hang up on all."""
        with self._changing:
            connections = list(self._connections.values())
            self._connections.clear()
        for connection in connections:
            connection.close()

    def close(self) -> None:
        """End for good. A connect of ours makes `accept` return on every platform."""
        with contextlib.suppress(OSError):
            listener, self._listener = self._listener, None
            if listener:
                socket.create_connection((_LOOPBACK, self.port), 1).close()
                self._thread.join()
                listener.close()
        self.reset()

    def _accept(self) -> None:
        listener = self._listener
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                continue
            if self._listener is None:
                sock.close()
                return
            threading.Thread(target=self._welcome, args=(sock,), daemon=True).start()

    def _welcome(self, sock: socket.socket) -> None:
        connection = _Connection(sock)
        try:
            hello = connection.read(HELLO_SECONDS)
            if not secrets.compare_digest(hello["token"], self.token):
                raise ValueError
        except (OSError, ValueError, KeyError):
            connection.close()
            return
        with self._changing:
            old = self._connections.pop(hello["instance"], None)
            self._connections[hello["instance"]] = connection
        if old:
            old.close()

    def _forget(self, instance_id: str, connection: _Connection) -> None:
        connection.close()
        with self._changing:
            if self._connections.get(instance_id) is connection:
                del self._connections[instance_id]


class _Connection:
    """One question at a time, each with its answer."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock, self._lines = sock, sock.makefile("rb")
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._asking = threading.Lock()

    def ask(self, question: dict[str, Any], seconds: float) -> dict[str, Any]:
        deadline = time.monotonic() + seconds
        if not self._asking.acquire(timeout=seconds):
            raise Busy
        try:
            self._sock.sendall(json.dumps(question).encode() + b"\n")
            return self.read(max(0.01, deadline - time.monotonic()))
        finally:
            self._asking.release()

    def read(self, seconds: float) -> dict[str, Any]:
        """Raises OSError (a TimeoutError too), and ValueError at the end of the connection."""
        self._sock.settimeout(seconds)
        return json.loads(self._lines.readline())

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)
        self._sock.close()
