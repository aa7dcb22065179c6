"""A layer-4 load balancer: choose a target for a connection, then move bytes, both ways.

It balances connections. It cannot tell where one request ends and the next begins.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass, field
from ssl import SSLContext
from time import monotonic

from labs.loadbalancing.arrival import Arrival
from labs.loadbalancing.choosing import Choose, Connection
from labs.loadbalancing.closing import finish, reset
from labs.loadbalancing.target import Dial, Target, dial


class Side(asyncio.Protocol):
    """One of the two TCP connections. What arrives here leaves by the other side, its peer."""

    def __init__(self) -> None:
        self.transport, self.heard, self.ended = None, monotonic(), False
        self.lost = asyncio.get_running_loop().create_future()

    def data_received(self, data: bytes) -> None:
        self.heard = monotonic()
        self.peer.transport.write(data)

    def eof_received(self) -> bool:
        """FIN: no more will come. Pass it on, and stay open while the peer may still answer."""
        self.ended = True
        finish(self.peer.transport)
        return self.transport.can_write_eof() and not self.peer.ended

    def pause_writing(self) -> None:
        """This side takes no more for now: let the peer's sender wait, or memory would fill."""
        self.peer.transport.pause_reading()

    def resume_writing(self) -> None:
        self.peer.transport.resume_reading()

    def connection_lost(self, error: Exception | None) -> None:
        self.lost.set_result(None)
        reset(self.peer.transport) if error else self.peer.transport.close()


class TargetSide(Side):
    """The side towards the target. Once connected, it takes the client over from its arrival."""

    def __init__(self, arrival: Arrival, greeting: bytes) -> None:
        super().__init__()
        self.arrival, self.greeting, self.peer = arrival, greeting, Side()

    def connection_made(self, transport: asyncio.Transport) -> None:
        client = self.arrival.transport
        self.transport, self.peer.transport, self.peer.peer = transport, client, self
        client.set_protocol(self.peer)
        client.resume_reading()
        transport.write(self.greeting + self.arrival.take())
        if self.arrival.ended:
            self.peer.eof_received()


@dataclass(eq=False)
class Proxy:
    """Balances the connections that come to the addresses it serves.

    Idle time-outs are AWS's: "Update the TCP idle timeout for your Network Load Balancer listener"
    (350 s), "Configure the idle connection timeout for your Classic Load Balancer" (60 s).
    """

    choose: Choose
    _: KW_ONLY
    dial: Dial = dial
    idle_seconds: float = 350.0  # then both sides are reset
    connect_seconds: float = 10.0
    greeting: Callable[[Connection, Target], bytes] = lambda connection, target: b""  # sent first
    peek_server_name: bool = False  # wait for a ClientHello before choosing
    closed: Callable[[Target], None] = lambda target: None  # once for each target that was chosen
    connections: dict[Target, set[asyncio.Task]] = field(default_factory=lambda: defaultdict(set))

    async def serve(self, host: str, port: int, ssl: SSLContext | None = None) -> asyncio.Server:
        """Listen. With `ssl`, TLS ends here, as at an NLB's TLS or a Classic SSL listener."""
        listen = asyncio.get_running_loop().create_server
        return await listen(lambda: Arrival(self.carry), host, port, ssl=ssl, backlog=1024)

    def abort(self, target: Target) -> None:
        """Reset the connections of a target, on both sides."""
        for connection in self.connections[target]:
            connection.cancel()

    async def carry(self, arrival: Arrival) -> None:
        """One connection, from its arrival to its end. A client that cannot be served is reset."""
        client, server = map(arrival.transport.get_extra_info, ("peername", "sockname"))
        try:
            async with asyncio.timeout(self.idle_seconds):
                name = await arrival.server_name() if self.peek_server_name else None
            connection = Connection(client[:2], server[:2], name)
            if target := self.choose(connection):
                await self.relay(TargetSide(arrival, self.greeting(connection, target)), target)
        except OSError:  # refused, unreachable, or timed out
            pass
        finally:
            reset(arrival.transport)

    async def relay(self, side: TargetSide, target: Target) -> None:
        """Dial the target, and let bytes pass until both sides are closed or silent too long."""
        self.connections[target].add(this := asyncio.current_task())
        try:
            async with asyncio.timeout(self.connect_seconds):
                await self.dial(lambda: side, target)
            both = [side.lost, side.peer.lost]
            while (left := max(side.heard, side.peer.heard) + self.idle_seconds - monotonic()) > 0:
                if not (await asyncio.wait(both, timeout=left))[1]:
                    break
        finally:
            reset(side.transport)
            self.connections[target].discard(this)
            self.closed(target)
