"""What the client's side needs to know of a request under way, whatever becomes of it."""

from labs.loadbalancing.layer7.framing import Body


class Exchange:
    """A request and its response.

    answered:  the client has been sent the whole response.
    congested: no more of the request can be taken for now.
    """

    answered = False
    congested = False

    def body(self, data: bytes, framing: Body) -> None:
        """Take what has come of the request's body, perhaps nothing.

        Called once with the head, then whenever more comes; `framing` says whether that was all.
        May raise Refused.
        """

    def fail(self, status: int) -> None:
        """Give up, and tell the client by this status if it has not been told anything yet."""

    def client_left(self) -> None:
        """Nobody waits for the response any more."""

    def pause_response(self) -> None:
        """The client takes no bytes for now."""

    def resume_response(self) -> None:
        """It takes them again."""
