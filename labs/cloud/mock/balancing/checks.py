"""Health checks: one at a time to a target, at once when it comes and then at its interval.

Intervals and time-outs are AWS's, divided by TIME_SCALE; a time-out is never under
SHORTEST_TIMEOUT, or a laptop that is busy would fail targets that are well.

Source: Application Load Balancer guide, "Health checks for your target groups"; Network and
Classic Load Balancer guides likewise: Classic wants 200, an NLB tells of no reason but
Target.FailedHealthChecks.
"""

import asyncio
import re
import ssl
from collections.abc import Awaitable, Callable

from labs.cloud.mock.balancing.health import FAILED, TIMED_OUT, Status, matches, mismatch
from labs.cloud.mock.balancing.shapes import Check
from labs.cloud.settings import TIME_SCALE

SHORTEST_TIMEOUT = 1.0
MOST_ANSWER = 65_536
_STATUS_LINE = re.compile(rb"HTTP/1\.[01] ([1-5]\d\d)(?: [^\r\n]*)?\r?\n")

#: A stream to the target's port: None is the port of its traffic. TLS if there is a context.
Open = Callable[
    [int | None, ssl.SSLContext | None],
    Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]],
]


async def check(
    settings: Check, layer: str, host: str, open_stream: Open, tls: ssl.SSLContext
) -> Status | None:
    """One check; None when the target passed, else the state that it argues for. Never raises.

    layer: "application", "network" or "classic". host: for the Host header.
    """
    try:
        async with asyncio.timeout(timeout(settings)):
            failure = await _ask(settings, layer, host, open_stream, tls)
    except TimeoutError:
        failure = TIMED_OUT
    except (OSError, ValueError):  # ValueError: a first line without an end (`readline`)
        failure = FAILED
    return FAILED if failure and layer == "network" else failure


def interval(settings: Check) -> float:
    """Seconds of this laptop between two checks of a target."""
    return settings["interval"] / TIME_SCALE


def timeout(settings: Check) -> float:
    """Seconds of this laptop that a target has for its answer."""
    return max(settings["timeout"] / TIME_SCALE, SHORTEST_TIMEOUT)


async def _ask(
    settings: Check, layer: str, host: str, open_stream: Open, tls: ssl.SSLContext
) -> Status | None:
    secure = settings["protocol"] in ("HTTPS", "SSL")
    reader, writer = await open_stream(settings["port"], tls if secure else None)
    try:
        if settings["protocol"] not in ("HTTP", "HTTPS"):
            return None
        writer.write(request(settings["path"], host, layer))
        line = await reader.readline()
        if not (found := _STATUS_LINE.fullmatch(line)):
            return FAILED
        await reader.read(MOST_ANSWER)  # what is left unread would make a reset of the close
        status = int(found[1])
        return None if matches(settings["codes"], status) else mismatch(status)
    finally:
        writer.close()


def request(path: str, host: str, layer: str) -> bytes:
    """What a target is sent; its logs may be searched for the agent's name."""
    version = "1.0" if layer == "classic" else "2.0"
    return (
        f"GET {path or '/'} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n"
        f"User-Agent: ELB-HealthChecker/{version}\r\nAccept-Encoding: gzip, compressed\r\n\r\n"
    ).encode("latin-1", "replace")
