"""Header fields: what both directions ask of them."""

from collections.abc import Iterable
from functools import lru_cache
from http import HTTPStatus

#: What frames a body. It is written anew for the next connection.
FRAMING = frozenset(("content-length", "transfer-encoding"))

#: Of one connection, never passed on as they came (RFC 9110, section 7.6.1).
HOP_BY_HOP = FRAMING | {"connection", "keep-alive", "proxy-connection", "te", "upgrade"}

#: Fields that mean nothing good behind a body (RFC 9110, section 6.5.1): a receiver that merges
#: trailers into the headers would take framing, routing or identity from them.
NOT_IN_TRAILERS = HOP_BY_HOP | {
    "authorization",
    "content-encoding",
    "content-range",
    "content-type",
    "cookie",
    "expect",
    "host",
    "set-cookie",
    "trailer",
}

NONE: frozenset[str] = frozenset()


class Fields:
    """The header fields that llhttp reports.

    headers: in order, as spelt. values: by lower-case name; several of a name joined by ", ", so
    that a second one shows.
    """

    def __init__(self) -> None:
        self.headers: list[tuple[str, str]] = []
        self.values: dict[str, str] = {}

    def on_header(self, name: bytes, value: bytes) -> None:
        field = name.decode("latin-1"), value.decode("latin-1").rstrip(" \t")
        self.headers.append(field)
        key = field[0].lower()
        before = self.values.get(key)
        self.values[key] = field[1] if before is None else f"{before}, {field[1]}"


def connection_tokens(values: dict[str, str]) -> frozenset[str]:
    """What Connection names, in lower case."""
    named = values.get("connection")
    return NONE if named is None else _tokens(named)


@lru_cache(maxsize=64)  # it is nearly always one of "keep-alive", "close" and "Upgrade"
def _tokens(named: str) -> frozenset[str]:
    return frozenset(token.strip().lower() for token in named.split(","))


@lru_cache(maxsize=64)
def not_passed_on(named: frozenset[str]) -> frozenset[str]:
    """What stays behind of a message whose Connection header names these."""
    return HOP_BY_HOP | named


def trailers_to_pass(trailers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    return [
        (name, value)
        for name, value in trailers
        if name.lower() not in NOT_IN_TRAILERS
        and not name.lower().startswith(("x-forwarded-", "x-amzn-"))
    ]


def connection_line(keep_alive: bool, http10: bool) -> str:
    """What a client has to be told about its connection, as a header line or nothing."""
    if not keep_alive:
        return "Connection: close\r\n"
    return "Connection: keep-alive\r\n" if http10 else ""


def lines(headers: Iterable[tuple[str, str]]) -> str:
    return "".join([f"{name}: {value}\r\n" for name, value in headers])


def reason(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
