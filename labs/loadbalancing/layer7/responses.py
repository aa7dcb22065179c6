"""What a target answered, and what the client is told of it."""

from typing import NamedTuple

import httptools

from labs.loadbalancing.layer7 import grammar
from labs.loadbalancing.layer7.contract import Headers
from labs.loadbalancing.layer7.framing import Body, Chunked, Length, Malformed, UntilClose
from labs.loadbalancing.layer7.headers import (
    Fields,
    connection_tokens,
    lines,
    not_passed_on,
)
from labs.loadbalancing.layer7.parsing import Head


class Response(NamedTuple):
    """A response's head, found good. values, tokens: as a request head's."""

    status: int
    reason: str
    headers: Headers
    values: dict[str, str]
    tokens: frozenset[str]
    body: Body
    keep_alive: bool


def read_response(data: bytes, request: Head) -> tuple[Response | None, bytes]:
    """Find the response to a request in what has come, and return it with what is behind it.

    None: more is needed, and all of the bytes come back. Raises Malformed.

    Interim responses (100, 102, 103) are dropped: Expect was answered by the proxy, as an ALB
    does, and what an ALB does with 103 is not documented.
    """
    while (end := data.find(grammar.END_OF_HEAD)) >= 0:
        end += len(grammar.END_OF_HEAD)
        if end > grammar.RESPONSE_HEAD_BYTES:
            raise Malformed("the response's headers are longer than 32 KiB")
        response = parse_response(data[:end], request.method)
        data = data[end:]
        if response.status >= 200:
            return response, data
        if response.status == 101:
            if not _is_upgrade(response, request):
                raise Malformed("101 Switching Protocols to a request that did not ask for it")
            return response, data
    if len(data) > grammar.RESPONSE_HEAD_BYTES:
        raise Malformed("the response's headers are longer than 32 KiB")
    if grammar.FORBIDDEN.search(data) or not grammar.may_begin_response(data):
        raise Malformed("not a response of HTTP/1.1")
    return None, data


def _is_upgrade(response: Response, request: Head) -> bool:
    return request.upgrade and response.values.get("upgrade", "").lower() == "websocket"


def parse_response(raw: bytes, method: str) -> Response:
    """Read a whole head that answers a request of this method. Raises Malformed."""
    match = grammar.RESPONSE.fullmatch(raw)
    if match is None:
        raise Malformed("not a response of HTTP/1.1")
    fields, http10, status = Fields(), match[1] == b"0", int(match[2])
    try:
        httptools.HttpResponseParser(fields).feed_data(raw)
    except httptools.HttpParserUpgrade:
        pass
    except httptools.HttpParserError as error:
        raise Malformed(f"malformed response: {error}") from None
    values = fields.values
    body = _body(method, status, values, http10)
    tokens = connection_tokens(values)
    keep_alive = "keep-alive" in tokens if http10 else "close" not in tokens
    keep_alive = keep_alive and not isinstance(body, UntilClose)
    reason = (match[3] or b"").decode("latin-1")
    return Response(status, reason, tuple(fields.headers), values, tokens, body, keep_alive)


def _body(method: str, status: int, values: dict[str, str], http10: bool) -> Body:
    """Where the response's body ends (RFC 9112, section 6.3). Raises Malformed."""
    codings, length = values.get("transfer-encoding"), values.get("content-length")
    if length is not None and not grammar.LENGTH.fullmatch(length):
        raise Malformed("Content-Length is not one number")
    if codings is not None and (length is not None or http10 or codings.lower() != "chunked"):
        raise Malformed("Transfer-Encoding: chunked, once, alone and in HTTP/1.1")
    if method == "HEAD" or status < 200 or status in (204, 304):
        return Length(0)
    if codings is not None:
        return Chunked()
    return UntilClose() if length is None else Length(int(length))


def client_head(response: Response, added: Headers, framing: str, connection: str) -> bytes:
    """The head that the client gets. framing, connection: header lines, or ""."""
    dropped = not_passed_on(response.tokens)
    kept = [field for field in response.headers if field[0].lower() not in dropped]
    if response.status == 101:
        connection = "Connection: Upgrade\r\nUpgrade: websocket\r\n"
    return (
        f"HTTP/1.1 {response.status} {response.reason}\r\n"
        f"{lines([*kept, *added])}{framing}{connection}\r\n"
    ).encode("latin-1")
