"""An exchange with a target: the request out, the response back, both while they still come."""

from typing import TYPE_CHECKING

from labs.loadbalancing.layer7.contract import Forward, Request
from labs.loadbalancing.layer7.exchange import Exchange
from labs.loadbalancing.layer7.forwarded import target_head
from labs.loadbalancing.layer7.framing import Body, Chunked, Malformed, chunk, last_chunk
from labs.loadbalancing.layer7.headers import trailers_to_pass
from labs.loadbalancing.layer7.parsing import Head
from labs.loadbalancing.layer7.relaying import Relay
from labs.loadbalancing.layer7.tunnel import connect

if TYPE_CHECKING:
    from labs.loadbalancing.layer7.client import ClientConnection
    from labs.loadbalancing.layer7.targets import TargetConnection


class Forwarding(Exchange):
    """One request on its way through a target."""

    def __init__(
        self, client: "ClientConnection", head: Head, request: Request, forward: Forward
    ) -> None:
        self._client = client
        self._forward = forward
        self._relay = Relay(head, client.keep_alive, forward.added)
        self._begun = False  # the client has been sent something
        self._sent = False  # the target has been sent all of the request
        self._unsent = target_head(head, request, forward, client.proxy.settings)
        self._target: TargetConnection | None = client.proxy.pool.take(forward.target, self)

    # The request.

    @property
    def congested(self) -> bool:
        return self._target is not None and self._target.congested

    def body(self, data: bytes, framing: Body) -> None:
        """Send on what has come; the head goes with the first of it."""
        self._sent = framing.done
        if self._target is None:
            return  # the target has answered already, and wants no more
        if isinstance(framing, Chunked):
            data = chunk(data)
            if framing.done:
                data += last_chunk(trailers_to_pass(framing.trailers))
        if self._unsent:
            data, self._unsent = self._unsent + data, b""
        if data:
            self._target.write(data)

    def congestion_changed(self) -> None:
        self._client.pause_or_resume_reading()

    # The response.

    def received(self, data: bytes) -> None:
        """Take bytes from the target and pass on what they are."""
        relay = self._relay
        try:
            out = relay.feed(data)
        except Malformed:
            return self.fail(502)
        except Exception as error:  # of the router's, in `Forward.added`
            self._client.proxy.report("a router's headers failed", error)
            return self.fail(502)
        if out:
            self._pass_on(out)
        if relay.upgraded:
            self.answered = True
            connect(self._client, self._target)
        elif relay.done:
            self._finish(relay.response.keep_alive and relay.clean and self._sent)

    def target_lost(self, error: Exception | None) -> None:
        """The target has closed its connection, or lost it."""
        try:
            if error is not None:
                raise Malformed("the target's connection broke")
            self._pass_on(self._relay.end())
        except Malformed:
            return self.fail(502)
        self._finish(reusable=False)

    def _pass_on(self, data: bytes) -> None:
        client = self._client
        self._begun, client.active = True, client.now()
        client.keep_alive = self._relay.keep_alive
        client.transport.write(data)

    def pause_response(self) -> None:
        if self._target is not None:
            self._target.pause_reading()

    def resume_response(self) -> None:
        if self._target is not None:
            self._target.resume_reading()

    # The end.

    def _finish(self, reusable: bool) -> None:
        self.answered = True
        self._part(reusable)
        self._client.go_on()

    def fail(self, status: int) -> None:
        """With an error if the client has heard nothing yet, else in the middle."""
        self._part(reusable=False)
        if not self._begun:
            self.answered = True
            self._client.give_up(status)
        elif self.answered:
            self._client.hang_up()
        else:
            self.answered = True
            self._client.transport.abort()

    def client_left(self) -> None:
        self._part(reusable=False)

    def _part(self, reusable: bool) -> None:
        """Let the target's connection go, once."""
        target, self._target = self._target, None
        if target is not None:
            target.release(reusable)
            response = self._relay.response
            self._forward.finished(None if response is None else response.status)
