"""Two ways to end a TCP connection: with what was written delivered, or not."""

import asyncio
import socket
import struct
import sys
from contextlib import suppress

CLOSE_AT_ONCE = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)  # struct linger


def finish(transport: asyncio.Transport) -> None:
    """Send FIN after what was written, and go on receiving. TLS in asyncio can only end both."""
    if not transport.can_write_eof():
        return transport.close()
    with suppress(OSError):  # the other end broke it off, which will be heard of
        transport.write_eof()


def reset(transport: asyncio.Transport | None) -> None:
    """Send RST, and drop what was not sent: the other end learns that bytes may be missing.

    Without effect on a connection that is closed, or was never made (None).
    """
    if transport is None:
        return
    with suppress(OSError):  # closed already
        linger = (socket.SOL_SOCKET, socket.SO_LINGER, CLOSE_AT_ONCE)
        transport.get_extra_info("socket").setsockopt(*linger)
    transport.abort()
