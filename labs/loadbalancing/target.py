"""What both proxies balance over."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import NamedTuple

#: Connects a protocol to a target: as `loop.create_connection`, and with its errors.
Dial = Callable[
    [Callable[[], asyncio.Protocol], "Target"],
    Awaitable[tuple[asyncio.Transport, asyncio.Protocol]],
]


class Target(NamedTuple):
    """A server behind a balancer. `name` is its own: "i-0abc:80", whatever address leads there."""

    name: str
    host: str
    port: int


async def dial(
    protocol: Callable[[], asyncio.Protocol], target: Target
) -> tuple[asyncio.Transport, asyncio.Protocol]:
    """Connect to a target by its address."""
    loop = asyncio.get_running_loop()
    return await loop.create_connection(protocol, target.host, target.port)
