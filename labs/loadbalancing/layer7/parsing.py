"""From the bytes of a head to a request, or a refusal.

Stricter than an ALB, which lets some ambiguous requests through and closes both connections
afterwards ("Desync mitigation mode" in its guide); here they are refused. At least as strict as
nginx.
"""

from typing import NamedTuple

import httptools

from labs.loadbalancing.layer7 import grammar
from labs.loadbalancing.layer7.contract import Headers
from labs.loadbalancing.layer7.framing import Body, Chunked, Length
from labs.loadbalancing.layer7.headers import Fields, connection_tokens


class Refused(Exception):
    """A request that is answered with an error status and never forwarded."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class Head(NamedTuple):
    """A request's head, found good.

    target: what a target is sent as request target: a path, or "*". host, host_port: whom the
    request is for and ":8080", or "". values: by lower-case name; several joined by ", ", so
    that a header given twice shows. tokens: what Connection names. size: bytes.
    """

    method: str
    url: str
    target: str
    host: str
    host_port: str
    headers: Headers
    values: dict[str, str]
    tokens: frozenset[str]
    size: int
    body: Body
    keep_alive: bool
    upgrade: bool
    expects_continue: bool
    http10: bool


def parse_request(raw: bytes) -> Head:
    """Read a whole head, its empty line included. Raises Refused."""
    match = grammar.REQUEST.fullmatch(raw)
    if match is None:
        raise explain(raw)
    method, url, http10 = match[1].decode(), match[2].decode(), match[3] == b"0"
    fields = _fields(raw)
    values = fields.values
    target, host, host_port = _target_and_host(method, url, values.get("host"), http10)
    body = _body(values, http10)
    tokens = connection_tokens(values)
    upgrade = (
        "upgrade" in tokens
        and values.get("upgrade", "").lower() == "websocket"
        and method == "GET"
        and body.done
        and not http10
    )
    return Head(
        method,
        url,
        target,
        host,
        host_port,
        tuple(fields.headers),
        values,
        tokens,
        len(raw),
        body,
        keep_alive="keep-alive" in tokens if http10 else "close" not in tokens,
        upgrade=upgrade,
        expects_continue=not http10 and values.get("expect", "").lower() == "100-continue",
        http10=http10,
    )


def _fields(raw: bytes) -> Fields:
    fields = Fields()
    try:
        httptools.HttpRequestParser(fields).feed_data(raw)
    except httptools.HttpParserUpgrade:
        pass  # llhttp stops behind such a head, and the head is all that it was given
    except httptools.HttpParserInvalidMethodError:
        raise Refused(501, "a method that this proxy does not know") from None
    except httptools.HttpParserError as error:
        codings = fields.values.get("transfer-encoding", "")
        if codings and "chunked" not in codings.lower() and grammar.CODINGS.fullmatch(codings):
            raise Refused(501, f"Transfer-Encoding: {codings} is not supported") from None
        raise Refused(400, f"malformed head: {error}") from None
    return fields


def _target_and_host(method: str, url: str, host: str | None, http10: bool) -> tuple[str, str, str]:
    """The request target in origin form, and whom the request is for: name and ":port".

    An absolute URL's authority goes before Host (RFC 9112, section 3.2.2).
    """
    if method in ("TRACE", "CONNECT"):
        raise Refused(405, f"{method} is not allowed")
    if host is None and not http10:
        raise Refused(400, "Host is missing")
    authority = grammar.AUTHORITY.fullmatch(host or "")
    if host is not None and authority is None:
        raise Refused(400, "Host is not one name with at most a port")
    if not url.startswith("/") and (url != "*" or method != "OPTIONS"):
        absolute = grammar.ABSOLUTE.fullmatch(url)
        authority = grammar.AUTHORITY.fullmatch(absolute[1]) if absolute else None
        if authority is None:
            raise Refused(400, "the URL is neither a path nor http(s)://host[:port]/path")
        url = absolute[2] if absolute[2].startswith("/") else f"/{absolute[2]}"
    if authority is None:
        return url, "", ""
    return url, authority[1], authority[2].removesuffix(":")


def _body(values: dict[str, str], http10: bool) -> Body:
    """Where the request's body ends (RFC 9112, section 6.3). Raises Refused."""
    codings, length = values.get("transfer-encoding"), values.get("content-length")
    if codings is not None:
        if length is not None or http10 or codings.lower() != "chunked":
            raise Refused(400, "Transfer-Encoding: chunked, once, alone and in HTTP/1.1")
        return Chunked()
    if length is None:
        return Length(0)
    if not grammar.LENGTH.fullmatch(length):
        raise Refused(400, "Content-Length is not one number")
    return Length(int(length))


def explain(raw: bytes) -> Refused:
    """Why the grammar does not match."""
    if grammar.OTHER_VERSION.match(raw):
        return Refused(505, "only HTTP/1.0 and HTTP/1.1")
    return Refused(400, "not a request of HTTP/1.1")
