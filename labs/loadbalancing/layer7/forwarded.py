"""The head that a target is sent.

Sources: "HTTP headers and Application Load Balancers" (X-Forwarded-For, -Proto, -Port), "Host
header preservation" in "Application Load Balancers", and "How Elastic Load Balancing works": host
names are sent in lower case, Expect is not passed on.
"""

import re
from functools import lru_cache
from itertools import product

from labs.loadbalancing.layer7.contract import Forward, Request, Settings
from labs.loadbalancing.layer7.framing import Chunked
from labs.loadbalancing.layer7.headers import HOP_BY_HOP, lines
from labs.loadbalancing.layer7.parsing import Head
from labs.loadbalancing.layer7.tracing import trace_id

#: Written by this proxy, whatever the client sent.
OWN = HOP_BY_HOP | {"expect", "host", "x-forwarded-port", "x-forwarded-proto"}
#: Written by it or not, as its settings say.
PERHAPS_OWN = frozenset(("x-forwarded-for", "x-amzn-trace-id"))

#: OWN, and what a server that turns "-" into "_" (CGI, WSGI) would take for one of either.
NEVER_PASSED_ON = (
    frozenset(
        "".join(letters)
        for name in OWN | PERHAPS_OWN
        for letters in product(*("-_" if letter == "-" else letter for letter in name))
    )
    - PERHAPS_OWN
)

VALID_NAME = re.compile(r"[-A-Za-z0-9]+")
SAFE_URL = re.compile(r"/[!\"$-~]*|\*")
SAFE_HOST = re.compile(r"[!-~]+")
DEFAULT_PORTS = (80, 443)
UPGRADE = "Connection: Upgrade\r\nUpgrade: websocket\r\n"


def target_head(head: Head, request: Request, forward: Forward, settings: Settings) -> bytes:
    """The request line and the headers for the target, framing included.

    Raises ValueError for a URL or a host of the router's that would be more than that.
    """
    if forward.url is not None and not SAFE_URL.fullmatch(forward.url):
        raise ValueError(f"expected a path to send to the target, found {forward.url!r}")
    if forward.host is not None and not SAFE_HOST.fullmatch(forward.host):
        raise ValueError(f"expected a host to send to the target, found {forward.host!r}")
    dropped = _dropped(head.tokens, settings.x_forwarded_for, settings.trace_ids)
    kept = [field for field in head.headers if field[0].lower() not in dropped]
    if settings.drop_invalid_headers:
        kept = [field for field in kept if VALID_NAME.fullmatch(field[0])]
    return (
        f"{head.method} {forward.url or head.target} HTTP/1.1\r\n"
        f"Host: {forward.host or _host(head, request, settings)}\r\n"
        f"{lines(kept)}{_framing(head)}{_forwarded_for(head, request, settings)}"
        f"X-Forwarded-Proto: {request.scheme}\r\nX-Forwarded-Port: {request.port}\r\n"
        f"{_trace_id(head) if settings.trace_ids else ''}"
        f"{UPGRADE if head.upgrade else ''}\r\n"
    ).encode("latin-1")


@lru_cache(maxsize=64)
def _dropped(named: frozenset[str], x_forwarded_for: str, trace_ids: bool) -> frozenset[str]:
    """The headers that are not passed on as the client sent them."""
    dropped = NEVER_PASSED_ON | named
    if x_forwarded_for != "preserve":
        dropped |= {"x-forwarded-for"}
    return dropped | {"x-amzn-trace-id"} if trace_ids else dropped


def _framing(head: Head) -> str:
    if isinstance(head.body, Chunked):
        return "Transfer-Encoding: chunked\r\n"
    length = head.values.get("content-length")
    return "" if length is None else f"Content-Length: {int(length)}\r\n"


def _host(head: Head, request: Request, settings: Settings) -> str:
    """The port is removed at a listener's default port and added at another one."""
    if settings.preserve_host_header and "host" in head.values:
        return head.values["host"]
    name = (head.host or settings.dns_name).lower()
    if request.port in DEFAULT_PORTS:
        return name
    return f"{name}{head.host_port or f':{request.port}'}"


def _forwarded_for(head: Head, request: Request, settings: Settings) -> str:
    """Append who connected to those that the header names already, if the setting says so.

    An IPv6 address goes in brackets when its port follows, which AWS does not show.
    """
    if settings.x_forwarded_for != "append":
        return ""
    address, port = request.client
    if settings.x_forwarded_for_client_port:
        address = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
    before = head.values.get("x-forwarded-for")
    return f"X-Forwarded-For: {before + ', ' if before else ''}{address}\r\n"


def _trace_id(head: Head) -> str:
    value = head.values.get("x-amzn-trace-id")
    return f"X-Amzn-Trace-Id: {trace_id(value, head.size)}\r\n"
