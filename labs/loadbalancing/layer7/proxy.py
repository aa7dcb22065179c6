"""The proxy: a listener, the connections behind it, and a clock for all of them."""

import asyncio
import ssl as tls
from collections import Counter
from collections.abc import Callable

from labs.loadbalancing import target as targets
from labs.loadbalancing.layer7.client import ClientConnection
from labs.loadbalancing.layer7.contract import Router, Settings
from labs.loadbalancing.layer7.pool import Pool
from labs.loadbalancing.target import Dial, Target

Address = tuple[str, int]


class Proxy:
    """A running proxy.

    port: where it listens. external_port, scheme: as the world sees it. settings: may be replaced
    at any time. own_statuses: how many responses it made itself, by status; 460 counts clients
    that left before their answer.
    """

    def __init__(
        self,
        route: Router,
        *,
        settings: Settings,
        dial: Dial,
        scheme: str,
        seen_as: Callable[[Address], Address],
    ) -> None:
        self.route = route
        self.settings = settings
        self.dial = dial
        self.scheme = scheme
        self.seen_as = seen_as
        self.port = self.external_port = 0
        self.own_statuses: Counter[int] = Counter()
        self.clients: set[ClientConnection] = set()
        self.pool = Pool(self)
        self._server: asyncio.Server
        self._clock: asyncio.TimerHandle

    def in_flight(self, target: Target) -> int:
        """How many requests and tunnels a target has now."""
        return self.pool.in_flight(target)

    def forget(self, target: Target) -> None:
        """Close the idle connections to a target. What is in flight goes on."""
        self.pool.forget(target)

    def abort(self, target: Target) -> None:
        """End what is in flight to a target: 502, or a response cut short.

        An ALB does so when the deregistration delay is over.
        """
        self.pool.abort(target)

    def close(self) -> None:
        """Stop listening and close every connection."""
        self._clock.cancel()
        self._server.close()
        for client in list(self.clients):
            client.transport.abort()
        self.pool.close()

    def report(self, what: str, error: Exception) -> None:
        """Something that this proxy was given failed: not the traffic's fault, so it is logged."""
        loop = asyncio.get_running_loop()
        loop.call_exception_handler({"message": what, "exception": error})

    async def listen(
        self, host: str, port: int, ssl: tls.SSLContext | None, external_port: int | None
    ) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: ClientConnection(self), host, port, ssl=ssl, backlog=1024
        )
        self.port = self._server.sockets[0].getsockname()[1]
        self.external_port = external_port or self.port
        self._tick()

    def _tick(self) -> None:
        """One clock for all connections is cheaper than a timer for each request."""
        loop = asyncio.get_running_loop()
        idle = self.settings.idle_seconds
        self._clock = loop.call_later(min(1.0, idle / 8), self._tick)
        now = loop.time()
        for client in list(self.clients):
            client.check(now, idle)


async def serve(
    route: Router,
    host: str,
    port: int,
    *,
    settings: Settings = Settings(),  # noqa: B008 (frozen)
    dial: Dial = targets.dial,
    ssl: tls.SSLContext | None = None,
    external_port: int | None = None,
    seen_as: Callable[[Address], Address] = lambda peer: peer,
) -> Proxy:
    """Start a layer-7 proxy.

    route: decides on each request. port: 0 takes a free one. ssl: terminate TLS with it.
    external_port: the listener's port as clients know it. seen_as: the (address, port) that a
    client's connection counts as coming from.
    """
    proxy = Proxy(
        route,
        settings=settings,
        dial=dial,
        scheme="http" if ssl is None else "https",
        seen_as=seen_as,
    )
    await proxy.listen(host, port, ssl, external_port)
    return proxy
