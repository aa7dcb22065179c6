"""The connections to targets, kept from one request to the next."""

from typing import TYPE_CHECKING

from labs.loadbalancing.layer7.targets import TargetConnection
from labs.loadbalancing.target import Target

if TYPE_CHECKING:
    from labs.loadbalancing.layer7.forwarding import Forwarding
    from labs.loadbalancing.layer7.proxy import Proxy

#: Idle connections to one target; more are closed.
MOST_IDLE = 512


class Pool:
    """The connections to targets. Idle ones wait, the last used first, until targets close them.

    An ALB does the same: its idle time-out is for clients' connections only ("How Elastic Load
    Balancing works", HTTP connections).
    """

    def __init__(self, proxy: "Proxy") -> None:
        self.proxy = proxy
        self._all: dict[Target, set[TargetConnection]] = {}
        self._idle: dict[Target, list[TargetConnection]] = {}

    def take(self, target: Target, exchange: "Forwarding") -> TargetConnection:
        """An idle connection, or a new one that is being dialled."""
        idle = self._idle.get(target)
        if idle:
            connection = idle.pop()
            connection.exchange = exchange
        else:
            connection = TargetConnection(self, target, exchange)
            self._all.setdefault(target, set()).add(connection)
        return connection

    def give(self, connection: TargetConnection) -> None:
        """Keep a connection whose exchange is over and that can take another one."""
        idle = self._idle.setdefault(connection.target, [])
        closing = connection.transport.is_closing()
        if connection.retired or closing or len(idle) >= MOST_IDLE:
            self.remove(connection)
            connection.abort()
        else:
            idle.append(connection)

    def remove(self, connection: TargetConnection) -> None:
        """Know a connection no longer."""
        target = connection.target
        idle, all_of_it = self._idle.get(target, []), self._all.get(target, set())
        if connection in idle:
            idle.remove(connection)
        all_of_it.discard(connection)
        if not all_of_it:
            self._all.pop(target, None)
            self._idle.pop(target, None)

    def in_flight(self, target: Target) -> int:
        return sum(connection.exchange is not None for connection in self._all.get(target, ()))

    def idle(self, target: Target) -> list[TargetConnection]:
        return list(self._idle.get(target, ()))

    def forget(self, target: Target) -> None:
        """Close what is idle at once, and what is in use when it is over."""
        for connection in list(self._all.get(target, ())):
            connection.retired = True
            if connection.exchange is None:
                self.remove(connection)
                connection.abort()

    def abort(self, target: Target) -> None:
        """Close all, what is in use too."""
        for connection in list(self._all.get(target, ())):
            if connection.exchange is not None:
                connection.exchange.fail(502)
            self.remove(connection)
            connection.abort()

    def close(self) -> None:
        for target in list(self._all):
            self.abort(target)
