"""Which target a connection gets: the algorithms of layer-4 balancers, each a `Choose`.

Each looks at `targets` anew for every connection, so a list that changes is followed; with an empty
one it answers None. Nothing here knows sockets.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from hashlib import blake2b
from itertools import count
from typing import NamedTuple

from labs.loadbalancing.target import Target


class Connection(NamedTuple):
    """What is known when a target must be chosen: (address, port) of both ends, perhaps a name."""

    client: tuple[str, int]
    server: tuple[str, int]  # what the client connected to: the balancer
    server_name: str | None = None  # from the TLS ClientHello, where the proxy peeks at it


#: None: nowhere to go, the client is reset.
Choose = Callable[[Connection], Target | None]


def round_robin(targets: Sequence[Target]) -> Choose:
    """Each in its turn: the algorithm of a Classic balancer's TCP listeners.

    Source: Elastic Load Balancing user guide, "How Elastic Load Balancing works".
    """
    turn = count()
    return lambda connection: targets[next(turn) % len(targets)] if targets else None


def source_hash(targets: Sequence[Target]) -> Choose:
    """The same target for the same flow: the algorithm of a Network Load Balancer.

    An NLB hashes protocol, source address and port, destination address and port, and TCP sequence
    number. The last is left out: the kernel does not tell it to a program. AWS does not publish
    its hash function; this is one that spreads well and gives the same answer in every run.

    Source: Network Load Balancer guide, "What is a Network Load Balancer?", overview.
    """

    def choose(connection: Connection) -> Target | None:
        flow = repr(("tcp", connection.client, connection.server)).encode()
        number = int.from_bytes(blake2b(flow, digest_size=8).digest())
        return targets[number % len(targets)] if targets else None

    return choose


class LeastConnections:
    """The target with the fewest open connections; of equals, the one that stands first.

    No balancer of AWS's does this at layer 4; HAProxy calls it `leastconn`. It has to hear of
    connections that end: `Proxy(choose, closed=choose.closed)`.
    """

    def __init__(self, targets: Sequence[Target]) -> None:
        self.targets = targets
        self.open: Counter[Target] = Counter()

    def __call__(self, connection: Connection) -> Target | None:
        target = min(self.targets, key=lambda target: self.open[target], default=None)
        if target is not None:
            self.open[target] += 1
        return target

    def closed(self, target: Target) -> None:
        self.open[target] -= 1
