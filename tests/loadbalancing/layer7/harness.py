"""A proxy between a raw client and a target that reads strictly and remembers all it reads."""

import asyncio
import functools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import h11

from labs.loadbalancing import target as targets
from labs.loadbalancing.layer7 import Forward, Proxy, Router, Settings, serve
from labs.loadbalancing.target import Target

HOST = "127.0.0.1"
GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
HELLO = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


def asynchronous(test: Callable[..., Awaitable[None]]) -> Callable[..., None]:
    """Run a test on a loop of its own, and fail it rather than let it hang.

    What the loop reports fails it too, unless the test set a handler of its own.
    """

    @functools.wraps(test)
    def run(*args: object, **kwargs: object) -> None:
        async def watched() -> None:
            loop = asyncio.get_running_loop()
            loop.set_exception_handler(lambda loop, context: reports.append(context))
            await asyncio.wait_for(test(*args, **kwargs), 30)
            await asyncio.sleep(0)

        reports: list[dict[str, object]] = []
        asyncio.run(watched())
        assert not reports

    return run


async def until(condition: Callable[[], object], seconds: float = 10.0) -> None:
    """Wait until something is true."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.001)


@dataclass
class Received:
    """A request as a strict parser (h11) reads it. connection: its number, from 0."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    connection: int
    http_version: str
    body: bytes = b""
    trailers: list[tuple[str, str]] = field(default_factory=list)

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key == name]

    def __getitem__(self, name: str) -> str:
        [value] = self.all(name)
        return value


Reply = Callable[[Received], bytes | None]


@dataclass
class RecordingTarget:
    """Answers each request with bytes; None closes the connection instead."""

    reply: Reply = lambda request: HELLO
    name: str = "target"
    requests: list[Received] = field(default_factory=list)
    raw: bytearray = field(default_factory=bytearray)
    broken: list[str] = field(default_factory=list)
    connections: int = 0
    open: int = 0
    target: Target | None = None

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number, self.connections, self.open = self.connections, self.connections + 1, self.open + 1
        try:
            await self._read(number, reader, writer)
        except ConnectionError:
            pass
        except Exception as error:  # h11's, or a mistake of a test's: `broken` is looked at
            self.broken.append(repr(error))
        finally:
            self.open -= 1
            writer.close()

    async def _read(
        self, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        parser = h11.Connection(h11.SERVER)
        request: Received | None = None
        while True:
            event = parser.next_event()
            if event is h11.NEED_DATA:
                data = await reader.read(65536)
                self.raw += data
                parser.receive_data(data)
                if not data:
                    return
            elif isinstance(event, h11.Request):
                request = Received(
                    event.method.decode(),
                    event.target.decode(),
                    [(name.decode(), value.decode("latin-1")) for name, value in event.headers],
                    number,
                    event.http_version.decode(),
                )
            elif isinstance(event, h11.Data):
                request.body += bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                request.trailers = [
                    (name.decode(), value.decode("latin-1")) for name, value in event.headers
                ]
                self.requests.append(request)
                reply = self.reply(request)
                if reply is None:
                    return
                writer.write(reply)
                await writer.drain()
                parser.send(h11.Response(status_code=200, headers=[("Content-Length", "0")]))
                parser.send(h11.EndOfMessage())
                if parser.our_state is h11.MUST_CLOSE:
                    return
                parser.start_next_cycle()
            else:
                return


@asynccontextmanager
async def listening(
    handle: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
    name: str = "target",
) -> AsyncIterator[Target]:
    """A target that is a coroutine for each connection; those still running are ended."""
    running: set[asyncio.Task] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        running.add(asyncio.current_task())
        try:
            await handle(reader, writer)
        except (asyncio.CancelledError, asyncio.IncompleteReadError, ConnectionError):
            writer.transport.abort()
        finally:
            running.discard(asyncio.current_task())

    server = await asyncio.start_server(serve, HOST, 0)
    try:
        yield Target(name, HOST, server.sockets[0].getsockname()[1])
    finally:
        server.close()
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running)


@asynccontextmanager
async def proxied(route: Router | Target, **options: object) -> AsyncIterator[Proxy]:
    """A proxy that forwards to a target, or as a router says."""
    router = (lambda request: Forward(route)) if isinstance(route, Target) else route
    settings = options.pop("settings", Settings(idle_seconds=20.0))
    options.setdefault("dial", targets.dial)
    proxy = await serve(router, HOST, 0, settings=settings, **options)
    try:
        yield proxy
    finally:
        proxy.close()


@asynccontextmanager
async def recording(
    reply: Reply = lambda request: HELLO, **options: object
) -> AsyncIterator[tuple[Proxy, RecordingTarget]]:
    """A proxy in front of one recording target."""
    recorder = RecordingTarget(reply)
    async with listening(recorder.serve) as target, proxied(target, **options) as proxy:
        recorder.target = target
        yield proxy, recorder


class Client:
    """A client that sends bytes and reads responses."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def connect(cls, proxy: Proxy, **options: object) -> "Client":
        return cls(*await asyncio.open_connection(HOST, proxy.port, **options))

    async def ask(self, data: bytes, method: str = "GET") -> "Response":
        self.send(data)
        return await self.response(method)

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def response(self, method: str = "GET", seconds: float = 10.0) -> "Response":
        """Read one response; bytes behind it stay unread. Raises EOFError without one."""
        async with asyncio.timeout(seconds):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            first, *lines = head.split("\r\n")[:-2]
            headers = [tuple(line.split(": ", 1)) for line in lines]
            response = Response(int(first.split(" ")[1]), headers)
            length = response.get("Content-Length")
            if method == "HEAD" or response.status in (101, 204, 304) or response.status < 200:
                return response
            if response.get("Transfer-Encoding") == "chunked":
                await self._chunks(response)
            elif length is not None:
                response.body = await self.reader.readexactly(int(length))
            else:
                response.body = await self.reader.read()
        return response

    async def _chunks(self, response: "Response") -> None:
        while size := int(await self.reader.readline(), 16):
            response.body += await self.reader.readexactly(size)
            assert await self.reader.readexactly(2) == b"\r\n"
        while (line := await self.reader.readline()) != b"\r\n":
            name, _, value = line.decode().rstrip("\r\n").partition(": ")
            response.trailers.append((name, value))

    async def closed(self, seconds: float = 10.0) -> bytes:
        """What comes until the proxy closes; a reset counts as closing."""
        data = b""
        async with asyncio.timeout(seconds):
            try:
                while piece := await self.reader.read(65536):
                    data += piece
            except ConnectionError:
                pass
        return data

    def close(self) -> None:
        self.writer.close()


@dataclass
class Response:
    status: int
    headers: list[tuple[str, str]]
    body: bytes = b""
    trailers: list[tuple[str, str]] = field(default_factory=list)

    def get(self, name: str) -> str | None:
        """The value of a header that may be there once. Fails when it is there twice."""
        values = [value for key, value in self.headers if key == name]
        assert len(values) < 2, f"{name} twice: {self.headers}"
        return values[0] if values else None
