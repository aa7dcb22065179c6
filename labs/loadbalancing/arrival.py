"""A client before there is a target for it."""

import asyncio
from collections.abc import Callable, Coroutine

from labs.loadbalancing.client_hello import needs_more, server_name

LIMIT = 65_536  # bytes kept; then the client has to wait


class Arrival(asyncio.Protocol):
    """Keeps what a client sends while its target is chosen and dialled.

    carry: what to do with a client that has come. Cancelled if the client goes before it is done.
    """

    def __init__(self, carry: Callable[["Arrival"], Coroutine[None, None, None]]) -> None:
        self.carry = carry
        self.early = bytearray()
        self.ended = False
        self.news = asyncio.Event()

    def connection_made(self, transport: asyncio.Transport) -> None:
        self.transport = transport
        self.task = asyncio.create_task(self.carry(self))

    def data_received(self, data: bytes) -> None:
        self.early += data
        if len(self.early) >= LIMIT:
            self.transport.pause_reading()
        self.news.set()

    def eof_received(self) -> bool:
        self.ended = True
        self.news.set()
        return self.transport.can_write_eof()  # its answer can still reach it

    def connection_lost(self, error: Exception | None) -> None:
        self.task.cancel()

    def take(self) -> bytes:
        """What has come so far; it is kept no longer."""
        early, self.early = self.early, bytearray()
        return bytes(early)

    async def server_name(self) -> str | None:
        """The name in the ClientHello, once that has come; None from a client that sends none."""
        while needs_more(self.early) and not self.ended and len(self.early) < LIMIT:
            self.news.clear()
            await self.news.wait()
        return server_name(self.early)
