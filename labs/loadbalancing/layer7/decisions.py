"""What becomes of a request: it is answered, given to a function or forwarded."""

import asyncio
from typing import TYPE_CHECKING

from labs.loadbalancing.layer7 import answers
from labs.loadbalancing.layer7.contract import Answer, Call, Forward, Request
from labs.loadbalancing.layer7.exchange import Exchange
from labs.loadbalancing.layer7.forwarding import Forwarding
from labs.loadbalancing.layer7.framing import Body
from labs.loadbalancing.layer7.parsing import Head, Refused

if TYPE_CHECKING:
    from labs.loadbalancing.layer7.client import ClientConnection

MOST_FORWARDED_FOR = 30


def begin(client: "ClientConnection", head: Head, request: Request) -> Exchange:
    """Ask the router and do as it says. Raises Refused."""
    addresses = head.values.get("x-forwarded-for", "")
    if addresses.count(",") >= MOST_FORWARDED_FOR:
        raise Refused(463, "X-Forwarded-For has more than 30 addresses")
    decision = None
    try:
        decision = client.proxy.route(request)
        match decision:
            case Answer():
                return Answering(client, decision, head.method)
            case Call():
                return Calling(client, decision, request)
        return Forwarding(client, head, request, decision)
    except Exception as error:
        if isinstance(decision, Forward):
            decision.finished(None)
        client.proxy.report("the router failed", error)
        raise Refused(500, "the router failed") from error


class Answering(Exchange):
    """An answer at once. What still comes of the request is read and dropped."""

    answered = True

    def __init__(self, client: "ClientConnection", answer: Answer, method: str) -> None:
        self._client = client
        if not answers.are_safe(answer.headers):
            raise ValueError(f"headers that would break the response: {answer.headers}")
        client.answer(answer, method)

    def fail(self, status: int) -> None:
        self._client.hang_up()


class Calling(Exchange):
    """The whole body is collected, then a function answers."""

    def __init__(self, client: "ClientConnection", call: Call, request: Request) -> None:
        self._client = client
        self._call = call
        self._request = request
        self._body = bytearray()
        self._task: asyncio.Task | None = None

    def body(self, data: bytes, framing: Body) -> None:
        self._body += data
        if len(self._body) > self._call.limit:
            raise Refused(413, "the body is larger than a function may be given")
        if framing.done:
            self._task = asyncio.ensure_future(self._answer())

    async def _answer(self) -> None:
        try:
            answer = await self._call.function(self._request, bytes(self._body))
            if not answers.are_safe(answer.headers):
                raise ValueError(f"headers that would break the response: {answer.headers}")
        except Exception as error:
            self._client.proxy.report("a function failed", error)
            answer = answers.error(502)
        self.answered = True
        self._client.answer(answer, self._request.method)
        self._client.go_on()

    def client_left(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def fail(self, status: int) -> None:
        self.client_left()
        self.answered = True
        self._client.give_up(status)
