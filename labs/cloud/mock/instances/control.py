"""Where the processes of instances report to: one event loop, in one thread, for all of them.

`labs.cloud.names.labs_instance` is the other end: lines of JSON, a question and an answer each.
The first says which instance's process this is, by token. The connection is a lifeline both ways:
its end gives the ports of the process back, and when the mock ends it, or itself, the process ends
with its group: even a daemon that has left the group in which the script was started.
"""

import asyncio
import contextlib
import json
import secrets
import threading
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from labs.cloud.mock.instances import metadata
from labs.cloud.mock.instances.ports import Binding, Ports

_LOOPBACK = "127.0.0.1"


class Control:
    """Serves from `start` to `stop`. `changed`: called in its thread when ports open or close."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._admitted: dict[str, Ports] = {}
        self._connections: dict[asyncio.StreamWriter, Ports] = {}
        self._services: dict[int, asyncio.Server] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="instances", daemon=True)
        self.port = 0

    def start(self) -> None:
        """Listen. May be called once."""
        self._thread.start()
        self.port = self._wait_for(self._listen(self._serve))

    def stop(self) -> None:
        """End every connection, and with them the processes at their other ends."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()

    def admit(self, ports: Ports) -> str:
        """The token with which an instance's processes come in."""
        token = secrets.token_hex(16)
        self._admitted[token] = ports
        return token

    def dismiss(self, token: str) -> None:
        """Nobody comes in with this token again."""
        self._admitted.pop(token, None)

    def hang_up(self, ports: Ports) -> None:
        """End the processes of an instance that still live."""
        self._wait_for(self._hang_up(ports))

    async def _hang_up(self, ports: Ports) -> None:
        for connection, owner in self._connections.items():
            if owner is ports:
                connection.transport.abort()

    def open_metadata(self, service: metadata.Metadata) -> int:
        """Serve an instance's metadata; the port."""
        return self._wait_for(self._listen(partial(metadata.serve, service)))

    def close_metadata(self, port: int) -> None:
        """Stop serving it."""
        if server := self._services.pop(port, None):
            with contextlib.suppress(RuntimeError):  # `stop` was faster, and closed all of them
                self._loop.call_soon_threadsafe(server.close)

    async def _listen(self, serve: Callable[..., Coroutine[Any, Any, None]]) -> int:
        server = await asyncio.start_server(serve, _LOOPBACK, 0)
        port = server.sockets[0].getsockname()[1]
        self._services[port] = server
        return port

    def _wait_for(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.get_loop().run_forever()
            for server in self._services.values():
                server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # A cancelled task makes Python 3.11's streams log a traceback; `stop` cancels all.
        ends = (OSError, ValueError, KeyError, asyncio.CancelledError)
        with contextlib.closing(writer), contextlib.suppress(*ends):
            hello = json.loads(await reader.readline())
            ports = self._admitted[hello["token"]]
            self._connections[writer] = ports
            self._answer(writer, {})
            try:
                while line := await reader.readline():
                    question = json.loads(line)
                    self._answer(writer, reply(ports, writer, question))
                    if question["do"] in ("listen", "close"):
                        self._changed()
            finally:
                del self._connections[writer]
                if ports.drop(writer):
                    self._changed()

    @staticmethod
    def _answer(writer: asyncio.StreamWriter, answer: dict[str, Any]) -> None:
        writer.write(json.dumps(answer).encode() + b"\n")


def reply(ports: Ports, owner: Any, question: dict[str, Any]) -> dict[str, Any]:
    """What an instance's ports are after a report of one of its processes, or what it asked.

    bind    {"port", "scope", "spaces", "shared"} -> {"real": port to share, or 0}; {} if taken
    bound, listen, close    the same, with "real" -> {}
    where   {"port", "space", "local"} -> {"real": port}; {} if nothing listens
    tell    {"real"} -> {"port", "scope", "spaces"}; {} if it is none of the instance's
    """
    do = question["do"]
    if do == "where":
        real = ports.where(question["port"], question["space"], question["local"])
        return {} if real is None else {"real": real}
    if do == "tell":
        found = ports.at(question["real"])
        if found is None:
            return {}
        return {"port": found.port, "scope": found.scope, "spaces": sorted(found.spaces)}
    port, spaces = question["port"], frozenset(question["spaces"])
    if do == "bind":
        wanted = Binding(owner, port, question["scope"], spaces, question["shared"])
        real = ports.bind(wanted)
        return {} if real is None else {"real": real}
    if do == "bound":
        ports.bound(owner, port, spaces, question["real"])
    elif do == "listen":
        ports.listen(owner, port, spaces)
    elif do == "close":
        ports.close(owner, port, spaces)
    return {}
