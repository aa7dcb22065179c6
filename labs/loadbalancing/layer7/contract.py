"""What the layer-7 proxy asks, and what it may be told: a router turns a request into a decision.

The proxy knows HTTP and nothing of rules; a router knows rules and nothing of sockets.
"""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from labs.loadbalancing.target import Target

Headers = tuple[tuple[str, str], ...]

URL = re.compile(r"(?:[a-zA-Z][a-zA-Z0-9+.-]*://([^/?#]*))?([^?#]*)(?:\?([^#]*))?", re.DOTALL)
HOST = re.compile(r"\[[^\]]*\]|[^:]*", re.DOTALL)


@lru_cache(maxsize=256)
def parts(url: str) -> tuple[str, str, str]:
    """(authority, path, query). Only an absolute URL has an authority: "//x" is a path.

    `urlsplit` is for references, where "//x" names a host, and raises for odd brackets.
    """
    return URL.match(url).groups(default="")


class Request(NamedTuple):
    """The head of a request, as it came. Text is Latin-1, so no byte is lost.

    One is made for each request: a tuple costs half of what a frozen dataclass does.

    url:     the request target: "/path?query", or with scheme and host when the client wrote so.
    headers: in order, as spelt.
    client:  (address, port) of who connected.
    scheme:  "http" or "https". port: the listener's, as the world sees it.
    """

    method: str
    url: str
    headers: Headers
    client: tuple[str, int]
    scheme: str = "http"
    port: int = 80

    @property
    def path(self) -> str:
        return parts(self.url)[1]

    @property
    def query(self) -> str:
        return parts(self.url)[2]

    @property
    def host(self) -> str:
        """Whom the request is for, without a port, in lower case.

        An absolute URL's goes before Host (RFC 9112, section 3.2.2).
        """
        return HOST.match(parts(self.url)[0] or self.header("host"))[0].lower()

    def header(self, name: str) -> str:
        """The values of a header, joined by ", " (RFC 9110, section 5.3); "" without one."""
        return ", ".join(value for key, value in self.headers if key.lower() == name)


@dataclass(frozen=True)
class Answer:
    """A response that needs no target. The proxy adds Date, Server and Content-Length."""

    status: int
    headers: Headers = ()
    body: bytes = b""


class Forward(NamedTuple):
    """Send the request to a target.

    added:    (status, the target's response headers) -> headers to add, such as Set-Cookie.
    finished: called exactly once, when the request has left the target's hands: with the status
              that the target gave, or None when it gave none.
    url, host: what to send instead of the client's; None leaves it.
    """

    target: Target
    added: Callable[[int, Headers], Headers] = lambda status, headers: ()
    finished: Callable[[int | None], None] = lambda status: None
    url: str | None = None
    host: str | None = None


@dataclass(frozen=True)
class Call:
    """Answer with the result of a function, which takes the whole body.

    limit: bytes of body; more is answered 413. `function` raises nothing: it answers 502 itself.
    """

    function: Callable[[Request, bytes], Awaitable[Answer]]
    limit: int = 1_000_000


Decision = Answer | Forward | Call
Router = Callable[[Request], Decision]


@dataclass(frozen=True)
class Settings:
    """A balancer's attributes, by the names that ELB's API gives them where it has some.

    Times are seconds and real, never scaled.
    """

    idle_seconds: float = 60.0
    client_keep_alive_seconds: float = 3600.0
    connect_seconds: float = 10.0
    x_forwarded_for: str = "append"  # or "preserve", "remove"
    x_forwarded_for_client_port: bool = False
    preserve_host_header: bool = False
    drop_invalid_headers: bool = False
    trace_ids: bool = True
    server: str = "awselb/2.0"
    dns_name: str = "localhost"  # the Host of HTTP/1.0 requests that bring none
