"""Addresses that the mock hands out: public ones, and the loopback ones that stand for callers."""

import itertools
import threading
from collections import deque
from collections.abc import Callable, Iterable

from labs.cloud import names
from labs.cloud.mock.book import Caller

#: Lambda functions call from addresses of AWS's.
FUNCTION: Caller = {"address": "192.0.2.20", "groups": [], "loopback": "127.53.0.1"}
LEARNER: Caller = names.LEARNER

_PUBLIC = (
    *(f"203.0.113.{last}" for last in range(10, 251)),
    *(f"198.51.100.{last}" for last in range(1, 255)),
)


class PublicAddresses:
    """Public addresses, each in use once. Safe to use from many threads.

    203.0.113.10 to .250, then 198.51.100.1 to .254: for documentation (RFC 5737), so that what
    gets round the wrapper reaches nobody. The lowest ones are the learner's.
    An address that is free again comes last, so that a client with an old one meets nobody else.

    in_use: those that moto's records name; what moto took is free when they no longer do.
    """

    def __init__(self, in_use: Callable[[], Iterable[str]] = tuple) -> None:
        self._in_use = in_use
        self._lock = threading.Lock()
        self.reset()

    def take(self) -> str:
        """One that is free, until `give_back`. Raises RuntimeError when all are in use."""
        with self._lock:
            address = self._next()
            self._taken.add(address)
            return address

    def give_back(self, address: str) -> None:
        """It may be handed out again. Harmless for one that was not taken."""
        with self._lock:
            self._taken.discard(address)

    def lend(self) -> str:
        """One that is free, for a record of moto's, with which it is given back."""
        with self._lock:
            return self._next()

    def reset(self) -> None:
        """All are free."""
        with self._lock:
            self._queue = deque(_PUBLIC)
            self._taken: set[str] = set()

    def _next(self) -> str:
        busy = self._taken.union(self._in_use())
        for _ in range(len(self._queue)):
            address = self._queue[0]
            self._queue.rotate(-1)
            if address not in busy:
                return address
        raise RuntimeError(
            f"All {len(_PUBLIC)} public addresses of the mock are in use. "
            "Terminate instances, delete balancers or release Elastic IP addresses."
        )


def loopbacks() -> Iterable[tuple[str, str]]:
    """Pairs of loopback addresses, each once: for calls to private and to public addresses.

    All of 127.0.0.0/8 is this machine (RFC 1122, section 3.2.1.3); Linux and Windows let a socket
    be bound to any of it.
    """
    for high, low in itertools.product(range(256), range(1, 255)):
        yield f"127.31.{high}.{low}", f"127.54.{high}.{low}"
