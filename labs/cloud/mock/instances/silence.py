"""A port that never answers: where a connect goes that no security group lets in."""

import select
import socket

_LOOPBACK = "127.0.0.1"
#: More connections than any system keeps for a backlog of one.
_MOST = 64


class SilentPort:
    """A listener that accepts nobody and whose queue is full, so that a SYN gets no answer.

    That is how Linux does it, with `net.ipv4.tcp_abort_on_overflow` off, as it is by default.
    Windows answers with a reset, and other systems may: there `labs_names` waits in the caller.
    Source: listen(2), tcp(7).
    """

    def __init__(self) -> None:
        self._listener = socket.socket()
        self._listener.bind((_LOOPBACK, 0))
        self._listener.listen(1)
        self.port: int = self._listener.getsockname()[1]
        self._waiting: list[socket.socket] = []
        while len(self._waiting) < _MOST and self._answers():
            continue

    def _answers(self) -> bool:
        """Whether one more connection was taken into the queue."""
        client = socket.socket()
        client.setblocking(False)
        self._waiting.append(client)
        if client.connect_ex((_LOOPBACK, self.port)) == 0:
            return True
        # A handshake over loopback is done when connect returns; what is not, waits for room.
        _, connected, _ = select.select([], [client], [], 0.05)
        return bool(connected) and client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0

    def close(self) -> None:
        """From now on the port refuses. Twice does no harm."""
        for sock in (self._listener, *self._waiting):
            sock.close()
