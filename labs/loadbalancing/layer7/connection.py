"""A client's connection as bytes that come and go, and the ways in which it ends."""

import asyncio
from contextlib import suppress

from labs.loadbalancing.layer7.reading import Reader

#: How long a connection stays half open after its last answer, so that a client that is still
#: sending reads the answer and not a reset (RFC 9112, section 9.6).
LINGER_SECONDS = 2.0


class Connection(asyncio.Protocol):
    """active: when a byte last came or went. lingering: nothing is read any more."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport
        self.reader = Reader()
        self.now = asyncio.get_running_loop().time
        self.active = self.born = self.now()
        self.writing_paused = False
        self.lingering = False
        self._reading_paused = False
        self._unwritten = 0

    def connection_made(self, transport: asyncio.Transport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        if not self.lingering:
            self.active = self.now()
            self.reader.feed(data)
            self.advance()

    def advance(self) -> None:
        """Use the bytes that have come, as far as they can be used now."""

    def pause_reading(self, pause: bool) -> None:
        if pause is not self._reading_paused:
            self._reading_paused = pause
            if pause:
                self.transport.pause_reading()
            else:
                self.transport.resume_reading()

    def hang_up(self) -> None:
        """Close, once the client has had time to read the last answer."""
        self.lingering, self.active = True, self.now()
        self.reader.take()
        self.pause_reading(False)
        if self.transport.can_write_eof():
            with suppress(OSError):  # it has left already
                self.transport.write_eof()
        else:  # TLS has no half-closed connections
            self.transport.close()

    def check(self, now: float, idle_seconds: float) -> None:
        """Close what has been idle for too long. Called every now and then."""
        unwritten = self.transport.get_write_buffer_size()
        if unwritten != self._unwritten:  # the client reads, if slowly
            self._unwritten, self.active = unwritten, now
        idle = now - self.active
        if self.lingering and idle > LINGER_SECONDS:
            self.transport.abort()
        elif idle > idle_seconds:
            self.waited_too_long()

    def waited_too_long(self) -> None:
        """Closing waits until all is written. For a client that reads nothing it would for ever."""
        if self._unwritten or self.transport.is_closing():
            self.transport.abort()
        else:
            self.transport.close()
