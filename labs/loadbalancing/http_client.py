"""Asks for one page again and again: what a load generator needs of HTTP, and cheaply.

An asyncio Protocol on httptools: `http.client` would cost more than the servers it measures.
"""

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import httptools


class BadAnswer(Exception):
    """What came is no HTTP response, or not all of one; the message says which."""


@dataclass(frozen=True)
class Answer:
    """A response, its body left out. Names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Page:
    """Where to connect to, and what to send there."""

    host: str
    port: int
    tls: ssl.SSLContext | None
    request: bytes
    keep_alive: bool


def page(
    url: str, headers: Mapping[str, str], *, keep_alive: bool, tls: ssl.SSLContext | None
) -> Page:
    """What to send for a URL. `tls` None: trust what Python trusts.

    Raises ValueError for a URL without http:// or https:// and a host, for a host that no resolver
    takes (UnicodeError), and for headers that hold the end of a line.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"the URL is {url!r}; expected http://HOST/PATH or https://HOST/PATH")
    parts.hostname.encode("idna")  # as each look-up does, where it would be nobody's to catch
    secure = parts.scheme == "https"
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    fields = {"Host": parts.netloc.rpartition("@")[2], "User-Agent": "labs-traffic"} | dict(headers)
    if not keep_alive:
        fields["Connection"] = "close"
    lines = [f"GET {target} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
    if any("\r" in line or "\n" in line for line in lines):
        raise ValueError("a header holds the end of a line, and would be read as two")
    return Page(
        parts.hostname,
        parts.port or (443 if secure else 80),
        (tls or ssl.create_default_context()) if secure else None,
        "\r\n".join([*lines, "", ""]).encode("latin-1"),
        keep_alive,
    )


async def connect(page: Page) -> "Connection":
    """A connection to ask on. Raises OSError."""
    loop = asyncio.get_running_loop()
    _, connection = await loop.create_connection(Connection, page.host, page.port, ssl=page.tls)
    return connection


class Connection(asyncio.Protocol):
    """One TCP connection, on which one question is asked at a time.

    usable: whether another may be asked.
    """

    def __init__(self) -> None:
        self.usable = True
        self._awaited: asyncio.Future[Answer] | None = None

    async def ask(self, request: bytes) -> Answer:
        """The answer to a request. Raises OSError, or BadAnswer."""
        self._status, self._headers = 0, {}
        self._parser = httptools.HttpResponseParser(self)
        self._awaited = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        try:
            return await self._awaited
        finally:
            self._awaited = None

    def close(self) -> None:
        self.usable = False
        self.transport.abort()

    # What the transport says.

    def connection_made(self, transport: asyncio.Transport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        if self._awaited is None:  # nobody asked
            return self.close()
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._fail(BadAnswer("the server changes the protocol, which was not asked for"))
        except httptools.HttpParserError as error:
            self._fail(BadAnswer(f"this is no HTTP response: {error}"))

    def connection_lost(self, error: Exception | None) -> None:
        self.usable = False
        if self._awaited is None:
            return
        framed = {"content-length", "transfer-encoding"} & self._headers.keys()
        if error is None and self._status and not framed:
            self._finish()  # an answer that lasts as long as its connection (RFC 9112, section 6.3)
        else:
            self._fail(error or BadAnswer("the connection ended before the answer did"))

    # What the parser says.

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        self._status = self._parser.get_status_code()

    def on_message_complete(self) -> None:
        if self._status < 200:  # "100 Continue" and the like: the answer is still to come
            self._status, self._headers = 0, {}
            return
        self.usable = self._parser.should_keep_alive()
        self._finish()

    def _finish(self) -> None:
        if not self._awaited.done():
            self._awaited.set_result(Answer(self._status, self._headers))

    def _fail(self, error: Exception) -> None:
        self.usable = False
        if not self._awaited.done():
            self._awaited.set_exception(error)
