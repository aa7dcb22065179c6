"""The client's side: a connection on which requests come one after another.

Requests may be pipelined. Each is answered before the next is looked at, so answers are in order,
and nothing is read ahead of need, so what is kept is bounded.
"""

import asyncio
from typing import TYPE_CHECKING

from labs.loadbalancing.layer7 import answers
from labs.loadbalancing.layer7.connection import Connection
from labs.loadbalancing.layer7.contract import Answer, Request
from labs.loadbalancing.layer7.decisions import begin
from labs.loadbalancing.layer7.exchange import Exchange
from labs.loadbalancing.layer7.framing import Malformed
from labs.loadbalancing.layer7.headers import connection_line
from labs.loadbalancing.layer7.parsing import Head, Refused, parse_request

if TYPE_CHECKING:
    from labs.loadbalancing.layer7.proxy import Proxy


class ClientConnection(Connection):
    """One client. An exchange is over when its request has been taken in and answered.

    head, keep_alive: of the last request; whether the connection outlives it.
    """

    def __init__(self, proxy: "Proxy") -> None:
        super().__init__()
        self.proxy = proxy
        self.exchange: Exchange | None = None
        self.head: Head
        self.keep_alive = True
        self._http10 = False
        self._waiting_since = self.born

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        self.address = self.proxy.seen_as(transport.get_extra_info("peername")[:2])
        self.proxy.clients.add(self)

    def connection_lost(self, error: Exception | None) -> None:
        self.lingering = True
        self.proxy.clients.discard(self)
        exchange, self.exchange = self.exchange, None
        if exchange is not None:
            if not exchange.answered:
                self.proxy.own_statuses[answers.CLIENT_LEFT] += 1
            exchange.client_left()

    def pause_writing(self) -> None:
        self.writing_paused = True
        if self.exchange is not None:
            self.exchange.pause_response()

    def resume_writing(self) -> None:
        self.writing_paused = False
        if self.exchange is not None:
            self.exchange.resume_response()
        self.advance()

    # Requests in.

    def advance(self) -> None:
        try:
            while self.reader.unread and not self.lingering:
                if self.exchange is not None:
                    if self.head.body.done:
                        break  # the next request waits for its turn
                elif self.writing_paused or not self._begin():
                    break  # a client that reads no answers gets no further ones
                self._take_body()
        except Refused as refused:
            self.refuse(refused.status)
        except Malformed:
            self.exchange.fail(400)
        self.pause_or_resume_reading()

    def _begin(self) -> bool:
        """Start an exchange, if a whole head is there."""
        raw = self.reader.head()
        if raw is None:
            return False
        proxy, head = self.proxy, parse_request(raw)
        young = self.now() - self.born < proxy.settings.client_keep_alive_seconds
        self.head, self._http10 = head, head.http10
        self.keep_alive = head.keep_alive and young
        if head.expects_continue:
            self.transport.write(answers.CONTINUE)
        request = Request(
            head.method, head.url, head.headers, self.address, proxy.scheme, proxy.external_port
        )
        self.exchange = begin(self, head, request)
        return True

    def _take_body(self) -> None:
        framing = self.head.body
        data, self.reader.unread = framing.feed(self.reader.unread)
        self.exchange.body(data, framing)
        self._settle()

    def pause_or_resume_reading(self) -> None:
        """Read on, unless what has come cannot be used yet or could not be sent on."""
        unread = bool(self.reader.unread)
        if self.exchange is None:
            self.pause_reading(unread and self.writing_paused)
        else:
            self.pause_reading(unread or (self.exchange.congested and not self.head.body.done))

    # Answers out.

    def answer(self, answer: Answer, method: str) -> None:
        """Send a response of the proxy's own."""
        proxy = self.proxy
        proxy.own_statuses[answer.status] += 1
        connection = connection_line(self.keep_alive, self._http10)
        head = answers.head(answer, proxy.settings.server, connection)
        self.transport.write(head + answers.body(answer, method))

    def refuse(self, status: int) -> None:
        """Answer what cannot be understood, and read nothing of what comes behind it."""
        self.keep_alive = False
        self.answer(answers.error(status), "")
        self.hang_up()

    def give_up(self, status: int) -> None:
        """Answer in the place of whoever should have."""
        self.keep_alive = self.keep_alive and self.head.body.done
        self.answer(answers.error(status), self.head.method)
        self.go_on()

    def go_on(self) -> None:
        """The exchange has been answered: perhaps it is over, and the next can begin."""
        self._settle()
        if self.reader.unread or self._reading_paused:
            self.advance()

    def _settle(self) -> None:
        """Part with the exchange if it is over."""
        if self.exchange is None or not self.exchange.answered:
            return
        taken_in = self.head.body.done
        if not self.keep_alive and (self.reader.unread or not taken_in):
            self.hang_up()
        elif not self.keep_alive:
            self.exchange = None
            self.transport.close()
        elif taken_in:
            self.exchange, self._waiting_since = None, self.now()

    def hang_up(self) -> None:
        self.exchange = None
        super().hang_up()

    # Time.

    def check(self, now: float, idle_seconds: float) -> None:
        if self.exchange is None and self.reader.unread and not self.lingering:
            self.active = self._waiting_since  # a head has that long, however slowly it comes
        super().check(now, idle_seconds)

    def waited_too_long(self) -> None:
        """408 when the client's bytes fail to come, 504 when the target's do.

        Source: "Troubleshoot your Application Load Balancers", HTTP 408 and HTTP 504.
        """
        if self.exchange is not None:
            at_target = self.head.body.done or self.exchange.congested
            self.exchange.fail(504 if at_target else 408)
        elif self.reader.unread:
            self.refuse(408)
        else:
            super().waited_too_long()
