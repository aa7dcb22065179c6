"""Requests at random, spoilt at random, and how an independent parser (h11) reads them."""

import re
from random import Random
from typing import NamedTuple

import h11

from tests.loadbalancing.layer7.harness import RecordingTarget
from tests.loadbalancing.layer7.malformed import BODIES, HEADS, LOOK_ALIKES

#: What mutations put in: what parsers disagree about.
TOKENS = [
    *(b"\r\n", b"\n", b"\r", b"\0", b" ", b"\t", b":", b",", b";", b"\x0b", b"\xa0", b"\x7f"),
    *(b"\r\n\r\n", b"\r\n ", b"0\r\n\r\n", b"0", b"+", b"-", b"0x", b"_", b"#", b"@", b"//"),
    *(b"Content-Length: 5\r\n", b"Content-Length: 0\r\n", b"Transfer-Encoding: chunked\r\n"),
    *(b"Transfer-Encoding: identity\r\n", b"Host: b\r\n", b"Connection: close\r\n"),
    *(b"Connection: Upgrade\r\nUpgrade: websocket\r\n", b"Expect: 100-continue\r\n"),
    *(b"HTTP/1.1", b"HTTP/1.0", b"HTTP/2.0", b"http://x/", b"GET", b"TRACE", b"CONNECT"),
    b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n",
]
CORPUS = [
    *(data for data, _ in HEADS.values() if len(data) < 2000),
    *(data for data in BODIES.values() if len(data) < 2000),
    *(data for data, _ in LOOK_ALIKES.values()),
]


class Reading(NamedTuple):
    method: str
    target: str
    body: bytes


def valid(random: Random, number: int = 0) -> bytes:
    """A request that every parser reads alike."""
    version = "1.0" if random.random() < 0.1 else "1.1"
    method = random.choice(("GET", "GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD"))
    lines = [f"{method} /{number}?{'q' * random.randrange(9)} HTTP/{version}", "Host: a.example"]
    lines += [f"X-{name}: {'v' * random.randrange(30)}" for name in range(random.randrange(5))]
    if random.random() < 0.2:
        lines.append("Connection: keep-alive")
    body = random.randbytes(random.choice((0, 1, 7, 400)))
    kind = random.random()
    if kind < 0.3:
        lines.append(f"Content-Length: {len(body)}")
    elif kind < 0.6 and version == "1.1":
        lines.append("Transfer-Encoding: chunked")
        body = in_chunks(random, body)
    else:
        body = b""
    return "\r\n".join([*lines, "", ""]).encode() + body


def in_chunks(random: Random, body: bytes) -> bytes:
    out = b""
    while body:
        size = random.randint(1, len(body))
        piece, body = body[:size], body[size:]
        extension = random.choice((b"", b"", b";x=y", b';x="y z"'))
        out += b"%x%b\r\n%b\r\n" % (size, extension, piece)
    return out + b"0\r\n" + random.choice((b"", b"X-Trailer: 1\r\n")) + b"\r\n"


def spoil(random: Random, data: bytes) -> bytes:
    """Change something, a few times."""
    for _ in range(random.choice((1, 1, 2, 4))):
        at = random.randrange(len(data) + 1)
        to = min(len(data), at + random.choice((0, 0, 1, 1, 2, 20)))
        new = random.choice(TOKENS)
        if random.random() < 0.3:
            new = bytes([random.randrange(256)])
        elif random.random() < 0.2:
            new = data[random.randrange(len(data) + 1) :][: random.randrange(60)]
        data = data[:at] + new + data[to:]
    return data


def segments(random: Random, data: bytes) -> list[bytes]:
    """The same bytes in pieces."""
    pieces = []
    while data:
        size = random.choice((1, 2, 10, 100, len(data)))
        pieces.append(data[:size])
        data = data[size:]
    return pieces


def conversation(random: Random) -> bytes:
    """Some requests, one of them perhaps spoilt."""
    requests = [valid(random, number) for number in range(random.choice((1, 1, 2, 4)))]
    chosen = random.randrange(len(requests))
    if random.random() < 0.3:
        requests[chosen] = random.choice(CORPUS)
    if random.random() < 0.8:
        requests[chosen] = spoil(random, requests[chosen])
    return b"".join(requests)


def read(data: bytes) -> list[Reading]:
    """The requests that h11 finds, up to where it gives up."""
    found: list[Reading] = []
    while data := re.sub(rb"\A(\r\n)+", b"", data):  # empty lines before a request do not count
        parser = h11.Connection(h11.SERVER, max_incomplete_event_size=1 << 20)
        parser.receive_data(data)
        try:
            data = _read_one(parser, found)
        except h11.RemoteProtocolError:
            break
    return found


def _read_one(parser: h11.Connection, found: list[Reading]) -> bytes:
    """Read one request, and return what comes behind it."""
    body = b""
    while True:
        event = parser.next_event()
        if isinstance(event, h11.Request):
            request = event
        elif isinstance(event, h11.Data):
            body += bytes(event.data)
        elif isinstance(event, h11.EndOfMessage):
            found.append(Reading(request.method.decode(), request.target.decode(), body))
            return parser.trailing_data[0] if _goes_on(request) else b""
        else:
            return b""


def _goes_on(request: h11.Request) -> bool:
    """Whether another request may follow on the connection."""
    values = [value for name, value in request.headers if name == b"connection"]
    tokens = {token.strip().lower() for token in b",".join(values).split(b",")}
    if request.method == b"CONNECT":
        return False
    return b"keep-alive" in tokens if request.http_version == b"1.0" else b"close" not in tokens


def check(data: bytes, target: RecordingTarget) -> None:
    """What the target got is well-formed, and what an independent parser finds in the bytes."""
    assert not target.broken, (target.broken, data, bytes(target.raw))
    got = [Reading(request.method, request.target, request.body) for request in target.requests]
    expected = [_origin_form(reading) for reading in read(data)]
    assert got == expected[: len(got)], (data, got, expected)


def _origin_form(reading: Reading) -> Reading:
    scheme, _, rest = reading.target.partition("://")
    if scheme.lower() not in ("http", "https") or not rest:
        return reading
    authority_ends = min((rest.find(mark) for mark in "/?" if mark in rest), default=len(rest))
    path = rest[authority_ends:]
    return reading._replace(target=path if path.startswith("/") else f"/{path}")
