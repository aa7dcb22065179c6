"""An instance's metadata service, IMDSv2: what a script finds at http://169.254.169.254/.

A session token first (PUT /latest/api/token), then what it is asked for. Without a token: 401,
where the instance requires one, as instances of Amazon Linux 2023 do.
Source: Amazon EC2 User Guide, "Use the Instance Metadata Service to access instance metadata".
"""

import asyncio
import contextlib
import http.client
import io
import re
import secrets
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import NamedTuple, Protocol

TOKEN, TTL = "x-aws-ec2-metadata-token", "x-aws-ec2-metadata-token-ttl-seconds"
LONGEST_TTL = 21_600
#: Seconds that a connection may say nothing; bytes of a request's head.
PATIENCE = 60
_VERSION = re.compile(r"(latest|\d{4}-\d{2}-\d{2}|1\.0)(/|\Z)")


class Facts(Protocol):
    """An instance, as its metadata service sees it."""

    def metadata(self) -> Mapping[str, bytes]:
        """By path below "latest/": "meta-data/instance-id"."""

    def token_required(self) -> bool:
        """Is IMDSv1 off?"""

    def enabled(self) -> bool:
        """Is the service on?"""


class Answer(NamedTuple):
    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


class Metadata:
    """The service of one instance: answers, and the tokens that it gave."""

    def __init__(self, facts: Facts, clock: Callable[[], float] = time.monotonic) -> None:
        self._facts, self._clock = facts, clock
        self._tokens: dict[str, float] = {}

    def answer(self, method: str, path: str, headers: Mapping[str, str]) -> Answer:
        """headers: by name in lower case. What IMDS would answer; 404 for what it does not know."""
        if not self._facts.enabled():
            return Answer(403)
        if path.partition("?")[0] == "/latest/api/token":
            return self._token(method, headers)
        if method not in ("GET", "HEAD"):
            return Answer(405)
        token = headers.get(TOKEN)
        if (token is None and self._facts.token_required()) or (token and not self._knows(token)):
            return Answer(401)
        return self._found(path)

    def _token(self, method: str, headers: Mapping[str, str]) -> Answer:
        if method != "PUT":
            return Answer(405)
        if "x-forwarded-for" in headers:  # somebody's proxy asks: the token would leave
            return Answer(403)
        wanted = headers.get(TTL, "")
        if not wanted.isdecimal() or not 1 <= int(wanted) <= LONGEST_TTL:
            return Answer(400)
        now = self._clock()
        self._tokens = {token: end for token, end in self._tokens.items() if end > now}
        token = secrets.token_urlsafe(40)
        self._tokens[token] = now + int(wanted)
        return Answer(200, token.encode(), ((TTL, wanted),))

    def _knows(self, token: str) -> bool:
        return self._tokens.get(token, 0) > self._clock()

    def _found(self, path: str) -> Answer:
        """The fact at a path, or the names below it, those of folders with a slash."""
        asked = path.partition("?")[0].lstrip("/")
        version = _VERSION.match(asked)
        if not version:
            return Answer(200, b"latest") if not asked else Answer(404)
        wanted, facts = asked[version.end() :], self._facts.metadata()
        if wanted.rstrip("/") in facts:
            return Answer(200, facts[wanted.rstrip("/")])
        folder = f"{wanted.rstrip('/')}/" if wanted else ""
        below = [known[len(folder) :] for known in facts if known.startswith(folder)]
        names = {head + slash for head, slash, _ in (name.partition("/") for name in below)}
        return Answer(200, "\n".join(sorted(names)).encode()) if names else Answer(404)


async def serve(
    service: Metadata, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """One client's requests, until it goes, says nothing, or says what is no HTTP."""
    ends = (OSError, EOFError, TimeoutError, asyncio.CancelledError)
    with contextlib.closing(writer), contextlib.suppress(*ends):
        while True:
            try:
                async with asyncio.timeout(PATIENCE):
                    head = await reader.readuntil(b"\r\n\r\n")
                line, _, rest = head.partition(b"\r\n")
                method, path, _ = line.decode("latin-1").split(" ")
                fields = http.client.parse_headers(io.BytesIO(rest))
                await reader.readexactly(int(fields.get("Content-Length") or 0))
            except (ValueError, asyncio.LimitOverrunError, http.client.HTTPException):
                writer.write(_bytes(Answer(400), close=True))
                return
            headers = {name.lower(): value for name, value in fields.items()}
            last = headers.get("connection", "").lower() == "close"
            answer = service.answer(method, path, headers)
            writer.write(_bytes(answer, close=last, body=method != "HEAD"))
            await writer.drain()
            if last:
                return


def _bytes(answer: Answer, close: bool, body: bool = True) -> bytes:
    text = answer.body
    if answer.status >= 400:
        text = f"{answer.status} - {HTTPStatus(answer.status).phrase}\n".encode()
    head = [
        f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}",
        "Content-Type: text/plain",
        f"Content-Length: {len(text)}",
        "Server: EC2ws",
        f"Connection: {'close' if close else 'keep-alive'}",
        *(f"{name}: {value}" for name, value in answer.headers),
    ]
    return "\r\n".join([*head, "", ""]).encode() + (text if body else b"")
