"""Messages on a stream socket: four bytes of length, then the bytes. Both ends use this file."""

import socket
import struct
import time

_LENGTH = struct.Struct("!I")


def send(connection: socket.socket, *parts: bytes) -> None:
    """Send each part as a frame, all in one write, so that no part waits for an acknowledgement."""
    connection.sendall(
        b"".join(chunk for part in parts for chunk in (_LENGTH.pack(len(part)), part))
    )


def receive(connection: socket.socket, deadline: float | None = None) -> bytes:
    """One frame.

    deadline: `time.monotonic()` at which to give up; None waits for ever.
    Raises TimeoutError at the deadline, EOFError when the other end has gone.
    """
    (length,) = _LENGTH.unpack(_exactly(connection, _LENGTH.size, deadline))
    return _exactly(connection, length, deadline)


def _exactly(connection: socket.socket, size: int, deadline: float | None) -> bytes:
    buffer = bytearray(size)
    view, have = memoryview(buffer), 0
    while have < size:
        if deadline is not None:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError
            connection.settimeout(left)
        try:
            count = connection.recv_into(view[have:])
        except ConnectionError as gone:
            raise EOFError from gone
        if not count:
            raise EOFError
        have += count
    return bytes(buffer)
