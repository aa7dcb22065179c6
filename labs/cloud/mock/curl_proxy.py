"""A CONNECT proxy for `!curl`: what the book lists goes to loopback, ordinary names go out.

curl cannot ask our address book, so the `.curlrc` of `book.py` sends here every name that it
does not list itself. Plain HTTP arrives as a tunnel too (`proxytunnel`). Source: RFC 9110, 9.3.6.
"""

import asyncio
import base64
import contextlib
import os
import ssl
import threading
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import unquote, urlsplit
from urllib.request import proxy_bypass_environment

from labs.cloud import names

#: Seconds for a client to say what it wants, and for a server to accept.
PATIENCE = 30
_CHUNK = 65536


class Refused(Exception):
    """The proxy does not connect; the message says why."""


class Target(NamedTuple):
    host: str
    port: int


def parse(request: bytes) -> Target:
    """The target of a CONNECT request head. Raises Refused for anything else."""
    with contextlib.suppress(ValueError):
        method, authority, version = request.partition(b"\r\n")[0].decode("ascii").split(" ")
        host, colon, port = authority.rpartition(":")
        target = Target(host.strip("[]"), int(port))
        asked_well = (method, colon, version[:7]) == ("CONNECT", ":", "HTTP/1.")
        if asked_well and target.host and 0 < target.port < 65536:
            return target
    raise Refused("expected 'CONNECT host:port HTTP/1.1'")


def resolved(target: Target) -> Target:
    """The same, with what its name stands for in one of the mock's hosted zones. Raises Refused."""
    try:
        return target._replace(host=names.resolve(target.host)[0])
    except OSError as error:
        raise Refused(str(error)) from error


def route(target: Target) -> Target | None:
    """Where the mock serves this target; None for an ordinary one. Raises Refused."""
    try:
        entry = names.find(target.host)
    except OSError as error:
        raise Refused(str(error)) from error
    if entry is not None:
        port = names.lead(target.host, entry, target.port)
        if port is None:
            raise Refused(f"nothing listens at {target.host} port {target.port}")
        return Target("127.0.0.1", port)
    address = names.literal(names.text(target.host))
    if address and names.is_foreign(address):
        raise Refused(f"{address} is a public address that the mock never handed out")
    return None


def upstream(target: Target, environ: Mapping[str, str]) -> str | None:
    """The URL of the company's proxy that leads to this target, if one is set."""
    scheme = "https" if target.port == 443 else "http"
    kinds = (f"{scheme}_proxy", "all_proxy")
    settings = {name.lower(): value for name, value in environ.items() if value}
    bypass = proxy_bypass_environment(target.host, {"no": settings.get("no_proxy", "")})
    found = None if bypass else next(filter(None, map(settings.get, kinds)), None)
    return found if found is None or "//" in found else f"http://{found}"


async def open_target(target: Target) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection that ends at the target. Raises Refused and OSError."""
    target = resolved(target)
    if local := route(target):
        return await asyncio.open_connection(*local)
    proxy = upstream(target, os.environ)
    if proxy is None:
        return await asyncio.open_connection(*target)
    return await open_through(proxy, target)


async def open_through(
    proxy: str, target: Target
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A tunnel to the target through another HTTP proxy. Raises Refused and OSError."""
    url = urlsplit(proxy)
    if url.scheme not in ("http", "https"):
        raise Refused(
            f"the machine's proxy speaks {url.scheme}; only http and https are known here"
        )
    secure = ssl.create_default_context() if url.scheme == "https" else None
    port = url.port or (443 if secure else 80)
    reader, writer = await asyncio.open_connection(url.hostname, port, ssl=secure)
    try:
        host = f"[{target.host}]" if ":" in target.host else target.host
        head = [f"CONNECT {host}:{target.port} HTTP/1.1", f"Host: {host}:{target.port}"]
        if url.username:
            user = f"{unquote(url.username)}:{unquote(url.password or '')}".encode()
            head.append(f"Proxy-Authorization: Basic {base64.b64encode(user).decode()}")
        writer.write("\r\n".join([*head, "", ""]).encode())
        answer = await reader.readuntil(b"\r\n\r\n")
        status = answer.partition(b"\r\n")[0].decode("latin-1")
        if " 200" not in status[:13]:
            raise Refused(f"the machine's proxy answers {status!r}")
    except BaseException:
        writer.close()
        raise
    return reader, writer


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One client: its CONNECT, then its bytes both ways until either side ends."""
    with contextlib.closing(writer), contextlib.suppress(OSError):
        try:
            async with asyncio.timeout(PATIENCE):
                target = parse(await reader.readuntil(b"\r\n\r\n"))
                far_reader, far_writer = await open_target(target)
        except (Refused, OSError, EOFError, ValueError, asyncio.LimitOverrunError) as error:
            reason = f"{error or type(error).__name__}\n".encode()
            head = f"HTTP/1.1 502 Refused by the mock\r\nContent-Length: {len(reason)}\r\n\r\n"
            writer.write(head.encode() + reason)
            await writer.drain()
            return
        with contextlib.closing(far_writer):
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Carry bytes to their end, and tell the other side of the end."""
    try:
        while data := await reader.read(_CHUNK):
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
    except OSError:
        writer.close()  # ends the pump of the other direction, too


class CurlProxy:
    """The proxy, on an ephemeral loopback port, in a thread of its own from start to stop."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="curl proxy", daemon=True)

    def start(self) -> int:
        """Listen; the port. May be called once."""
        self._thread.start()
        started = asyncio.run_coroutine_threadsafe(
            asyncio.start_server(serve, "127.0.0.1", 0), self._loop
        )
        self._server = started.result()
        return self._server.sockets[0].getsockname()[1]

    def stop(self) -> None:
        """Close every connection and end the thread. Twice does no harm."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.get_loop().run_forever()
            self._server.close()
