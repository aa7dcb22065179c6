"""Where a body ends: the question that request smuggling is about.

Whoever reads a message to another end than its sender meant takes the rest for a message of its
own. So each body here ends at an exact byte, and `feed` gives back what comes after it.
Source: RFC 9112, section 6.3.
"""

from collections.abc import Sequence

import httptools

#: Bytes of chunk extensions, chunk sizes and trailers without a byte of body among them.
OVERHEAD_BYTES = 16 * 1024


class Malformed(Exception):
    """A message that its grammar has no word for."""


class Length:
    """A body of a known number of bytes; of none, for a message without a body."""

    trailers: Sequence[tuple[str, str]] = ()

    def __init__(self, size: int) -> None:
        self._left = size
        self.done = size == 0

    def feed(self, data: bytes) -> tuple[bytes, bytes]:
        """Take bytes in; return those of the body, and those that come after it."""
        body = data[: self._left]
        self._left -= len(body)
        self.done = self._left == 0
        return body, data[len(body) :]


class UntilClose:
    """A response's body that ends with its connection."""

    trailers: Sequence[tuple[str, str]] = ()
    done = False

    def feed(self, data: bytes) -> tuple[bytes, bytes]:
        return data, b""


class Chunked:
    """A body in chunks (RFC 9112, section 7.1), read by llhttp, which is strict about them."""

    def __init__(self) -> None:
        self.done = False
        self.trailers: list[tuple[str, str]] = []
        self._body: list[bytes] = []
        self._tail = b""
        self._overhead = 0
        self._parser = httptools.HttpRequestParser(self)
        self._parser.feed_data(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n")
        self.trailers.clear()  # what has come so far is our own head's

    def feed(self, data: bytes) -> tuple[bytes, bytes]:
        """As `Length.feed`. Raises Malformed.

        llhttp does not tell where a message ended and would read on. A chunked message can only
        end behind an empty line, so it is fed from one empty line to the next.
        """
        start = 0
        while start < len(data) and not self.done:
            end = self._next_empty_line(data, start)
            self._parse(data[start:end])
            start = end
        body = b"".join(self._body)
        self._body.clear()
        return body, data[start:]

    def _next_empty_line(self, data: bytes, start: int) -> int:
        seen = self._tail + data[start : start + 3]
        found = seen.find(b"\r\n\r\n")  # one that began in the bytes before
        if found >= 0:
            return start + found + 4 - len(self._tail)
        found = data.find(b"\r\n\r\n", start)
        return len(data) if found < 0 else found + 4

    def _parse(self, piece: bytes) -> None:
        before = len(self._body)
        try:
            self._parser.feed_data(piece)
        except httptools.HttpParserError as error:
            raise Malformed(f"chunked body: {error}") from None
        self._overhead = 0 if len(self._body) > before else self._overhead + len(piece)
        if self._overhead > OVERHEAD_BYTES:
            raise Malformed("chunked body: extensions or trailers are too long")
        self._tail = (self._tail + piece)[-3:]

    # What llhttp calls.

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_header(self, name: bytes, value: bytes) -> None:
        self.trailers.append((name.decode("latin-1"), value.decode("latin-1").rstrip(" \t")))

    def on_message_complete(self) -> None:
        self.done = True


Body = Length | UntilClose | Chunked


def chunk(body: bytes) -> bytes:
    """One chunk; of nothing, nothing, since an empty chunk would end the body."""
    return b"%x\r\n%b\r\n" % (len(body), body) if body else b""


def last_chunk(trailers: Sequence[tuple[str, str]] = ()) -> bytes:
    lines = "".join(f"{name}: {value}\r\n" for name, value in trailers)
    return f"0\r\n{lines}\r\n".encode("latin-1")
