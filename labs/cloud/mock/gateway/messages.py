"""What travels through the gateway: the request as it came in, the reply as it goes out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlsplit

#: An `environ` key under which a front may hand over the request's headers as they came:
#: a list of (name, value), in order, with the client's spelling and its duplicates, both of
#: which plain WSGI loses. Without it the headers are rebuilt from the `HTTP_*` keys.
RAW_HEADERS = "labs.raw_headers"

PAYLOAD_LIMIT = 10 * 1024 * 1024
"""Bytes: "Payload size", API Gateway guide, "Quotas for configuring and running a REST API"
and "HTTP API quotas". Cannot be raised."""

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Request:
    """One HTTP request, not yet interpreted.

    path and query are as sent, percent-encoding included; path starts with "/".
    headers keep order, spelling and duplicates as far as the front hands them on.
    """

    method: str
    path: str
    query: str
    headers: Headers
    body: bytes
    source_ip: str
    protocol: str = "HTTP/1.1"

    def header(self, name: str) -> str | None:
        """The last value of this header, or None. Names are case-insensitive (RFC 9110, 5.1)."""
        values = [value for key, value in self.headers if key.lower() == name.lower()]
        return values[-1] if values else None


@dataclass(frozen=True)
class Reply:
    """An HTTP answer: status, headers in order (duplicates allowed), body."""

    status: int
    headers: Headers = ()
    body: bytes = b""

    def with_headers(self, *more: tuple[str, str]) -> Reply:
        return Reply(self.status, self.headers + more, self.body)

    @property
    def status_line(self) -> str:
        try:
            return f"{self.status} {HTTPStatus(self.status).phrase}"
        except ValueError:
            return f"{self.status} Unknown"


@dataclass
class GatewayError(Exception):
    """The gateway answers by itself.

    status, message: what the client sees.
    error_type:      `x-amzn-ErrorType` of REST APIs; HTTP APIs send none.
    reason:          what really happened, for the log: AWS hides it from the client.
    """

    status: int
    message: str
    error_type: str = ""
    reason: str = field(default="")

    def __str__(self) -> str:
        return f"{self.status} {self.message}: {self.reason}"


def raw_path(environ: Mapping[str, Any]) -> str:
    """The path as sent.

    WSGI decodes `PATH_INFO`; most servers keep the request target beside it. Where none does,
    the decoded path is encoded again, which loses the difference between "%2F" and "/".
    """
    target = environ.get("REQUEST_URI") or environ.get("RAW_URI")
    if target:
        path = target.partition("?")[0].partition("#")[0]
        if not path.startswith("/"):
            path = urlsplit(path).path  # absolute-form (RFC 9112, 3.2.2)
        return path or "/"
    decoded = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
    return quote(decoded.encode("latin-1"), safe="/~!$&'()*+,;=:@") or "/"


def request_headers(environ: Mapping[str, Any]) -> Headers:
    """The request's headers: `RAW_HEADERS` if the front gives them, else rebuilt (PEP 3333)."""
    if RAW_HEADERS in environ:
        return tuple(environ[RAW_HEADERS])
    names = [key for key in environ if key.startswith("HTTP_")]
    headers = [(key[5:].replace("_", "-").title(), environ[key]) for key in names]
    for key, name in (("CONTENT_TYPE", "Content-Type"), ("CONTENT_LENGTH", "Content-Length")):
        if environ.get(key):
            headers.append((name, environ[key]))
    return tuple(headers)


def read_body(environ: Mapping[str, Any]) -> bytes:
    """The request's body; more than `PAYLOAD_LIMIT` bytes raise ValueError, after being read
    to the end, so that the connection can be used again."""
    stream = environ["wsgi.input"]
    chunked = "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower()
    expected = None if chunked else _length(environ.get("CONTENT_LENGTH"))
    if expected is not None and expected <= PAYLOAD_LIMIT:
        return stream.read(expected) if expected else b""
    body, seen = bytearray(), 0
    while expected is None or seen < expected:
        chunk = stream.read(65536 if expected is None else min(65536, expected - seen))
        if not chunk:
            break
        seen += len(chunk)
        if seen <= PAYLOAD_LIMIT:
            body += chunk
    if seen > PAYLOAD_LIMIT:
        raise ValueError(f"body of {seen} bytes; the limit is {PAYLOAD_LIMIT}")
    return bytes(body)


def _length(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() else 0
