"""The target's side: a connection on which one exchange comes after another."""

import asyncio
from typing import TYPE_CHECKING

from labs.loadbalancing.target import Target

if TYPE_CHECKING:
    from labs.loadbalancing.layer7.forwarding import Forwarding
    from labs.loadbalancing.layer7.pool import Pool


class TargetConnection(asyncio.Protocol):
    """A connection to a target, in use by one exchange or by none.

    congested: takes no bytes for now. Until it is connected it takes those that a client sent at
    once, and the client is not read from further.
    """

    def __init__(self, pool: "Pool", target: Target, exchange: "Forwarding") -> None:
        self.target = target
        self.exchange: Forwarding | None = exchange
        self.congested = True
        self.retired = False  # used no more when its exchange is over
        self.transport: asyncio.Transport | None = None
        self._pool = pool
        self._ready = False  # for the request
        self._unsent: list[bytes] = []
        self._dialling = asyncio.ensure_future(self._dial())

    async def _dial(self) -> None:
        """Connect, or let the exchange fail as an ALB does: 504 for no answer, 502 for a no."""
        proxy = self._pool.proxy
        try:
            async with asyncio.timeout(proxy.settings.connect_seconds):
                self.transport, _ = await proxy.dial(lambda: self, self.target)
        except TimeoutError:
            self._fail(504)
        except OSError:
            self._fail(502)
        except Exception as error:
            proxy.report("a dialler failed", error)
            self._fail(502)
        else:
            # Only now: what the dialler itself had to send went first.
            self._ready, self.congested = True, False
            self.transport.write(b"".join(self._unsent))
            self._unsent.clear()
            if self.exchange is not None:
                self.exchange.congestion_changed()

    def _fail(self, status: int) -> None:
        if self.exchange is not None:
            self.exchange.fail(status)

    def write(self, data: bytes) -> None:
        if self._ready:
            self.transport.write(data)
        else:
            self._unsent.append(data)

    def release(self, reusable: bool) -> None:
        """The exchange is over, and has no more to do with this connection."""
        self.exchange = None
        if reusable:
            self.resume_reading()
            self._pool.give(self)
        else:
            self._pool.remove(self)
            self.abort()

    def abort(self) -> None:
        self._dialling.cancel()
        if self.transport is not None:
            self.transport.abort()

    def pause_reading(self) -> None:
        if self._ready:  # before, nothing may come
            self.transport.pause_reading()

    def resume_reading(self) -> None:
        if self._ready:
            self.transport.resume_reading()

    # What asyncio calls.

    def connection_made(self, transport: asyncio.Transport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        if self._ready and self.exchange is not None:
            self.exchange.received(data)
        else:  # an answer that nobody asked for
            self._fail(502)
            self._pool.remove(self)
            self.abort()

    def eof_received(self) -> None:
        self.connection_lost(None)
        self.abort()

    def connection_lost(self, error: Exception | None) -> None:
        self._pool.remove(self)
        if self.exchange is not None:
            self.exchange.target_lost(error)

    def pause_writing(self) -> None:
        self.congested = True
        if self.exchange is not None:
            self.exchange.congestion_changed()

    def resume_writing(self) -> None:
        self.congested = False
        if self.exchange is not None:
            self.exchange.congestion_changed()
