"""The response of a target as its client is to get it: bytes in, bytes out, and no connections."""

from collections.abc import Callable

from labs.loadbalancing.layer7.answers import are_safe
from labs.loadbalancing.layer7.contract import Headers
from labs.loadbalancing.layer7.framing import Length, Malformed, UntilClose, chunk, last_chunk
from labs.loadbalancing.layer7.headers import connection_line, trailers_to_pass
from labs.loadbalancing.layer7.parsing import Head
from labs.loadbalancing.layer7.responses import Response, client_head, read_response


class UnsafeHeaders(Exception):
    """A router wants to add what would not stay a header."""


class Relay:
    """One response on its way.

    response:   its head, when that has come.
    done:       all of it has come.
    upgraded:   it turns the connection into a tunnel.
    clean:      nothing has come behind it. Bytes there are an answer to nobody.
    keep_alive: whether the client's connection outlives it.
    """

    def __init__(
        self, request: Head, keep_alive: bool, added: Callable[[int, Headers], Headers]
    ) -> None:
        self.response: Response | None = None
        self.done = self.upgraded = False
        self.clean = True
        self.keep_alive = keep_alive
        self._request = request
        self._added = added
        self._unread = b""
        self._chunks = False  # whether the client gets the body in chunks

    def feed(self, data: bytes) -> bytes:
        """Take bytes of the target's, return those for the client.

        Raises Malformed, UnsafeHeaders, and what the router's `added` raises.
        """
        out = b""
        if self.response is None:
            self.response, data = read_response(self._unread + data, self._request)
            if self.response is None:
                self._unread = data
                return b""
            out = self._head()
            if self.response.status == 101:
                self.upgraded = True
                return out + data
        framing = self.response.body
        body, rest = framing.feed(data)
        self.done, self.clean = framing.done, not rest
        if not self._chunks:
            return out + body
        out += chunk(body)
        return out + last_chunk(trailers_to_pass(framing.trailers)) if self.done else out

    def end(self) -> bytes:
        """The target has closed its connection: for some responses that is their end.

        Raises Malformed for the others.
        """
        if self.response is None or not isinstance(self.response.body, UntilClose):
            raise Malformed("the target's connection ended before its response did")
        self.done = True
        return last_chunk() if self._chunks else b""

    def _head(self) -> bytes:
        response, framing = self.response, ""
        length = response.values.get("content-length")
        if length is not None and response.status not in (101, 204):
            framing = f"Content-Length: {int(length)}\r\n"
        elif not isinstance(response.body, Length):
            if self._request.http10:  # which knows no chunks: the end is that of the connection
                self.keep_alive = False
            else:
                self._chunks = True
                framing = "Transfer-Encoding: chunked\r\n"
        added = self._added(response.status, response.headers)
        if added and not are_safe(added):
            raise UnsafeHeaders(f"expected names and values of headers, found {added}")
        connection = connection_line(self.keep_alive, self._request.http10)
        return client_head(response, added, framing, connection)
