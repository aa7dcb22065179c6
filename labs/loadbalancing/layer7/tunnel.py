"""After an upgrade, a connection is a tunnel: bytes are copied, whatever they say.

So the frames of a WebSocket arrive as they were sent, extensions and close reasons included. An
ALB's idle time-out holds on; its rules have no more to say ("How Elastic Load Balancing works").
"""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from labs.loadbalancing.layer7.client import ClientConnection
    from labs.loadbalancing.layer7.targets import TargetConnection


def connect(client: "ClientConnection", target: "TargetConnection") -> None:
    """Make one tunnel of the two connections, whose bytes nobody reads from here on."""

    def copied() -> None:
        client.active = client.now()

    def closed() -> None:
        if ends[0].lost and ends[1].lost:
            client.connection_lost(None)

    ends = End(client.transport, copied, closed), End(target.transport, copied, closed)
    ends[0].peer, ends[1].peer = ends[1], ends[0]
    for end, congested in zip(ends, (client.writing_paused, target.congested), strict=True):
        end.transport.set_protocol(end)
        end.pause_writing() if congested else end.resume_writing()
    target.transport.write(client.reader.take())


class End(asyncio.Protocol):
    """One end of a tunnel."""

    peer: "End"

    def __init__(
        self, transport: asyncio.Transport, copied: Callable[[], None], closed: Callable[[], None]
    ) -> None:
        self.transport = transport
        self.lost = False
        self._ended = False
        self._copied = copied
        self._closed = closed

    def data_received(self, data: bytes) -> None:
        self._copied()
        self.peer.transport.write(data)

    def pause_writing(self) -> None:
        self.peer.transport.pause_reading()

    def resume_writing(self) -> None:
        self.peer.transport.resume_reading()

    def eof_received(self) -> bool:
        """One side has said all; the other may still speak."""
        self._ended = True
        if self.peer._ended or not self.peer.transport.can_write_eof():
            self.peer.transport.close()
            return False
        self.peer.transport.write_eof()
        return True

    def connection_lost(self, error: Exception | None) -> None:
        self.lost = True
        self.peer.transport.close()
        self._closed()
