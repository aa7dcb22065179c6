"""How many invocations may run at once: the account's limit, and what functions reserve of it.

Source: Lambda guide, "Understanding Lambda function scaling" and "Configuring reserved
concurrency": reserved concurrency is both a guarantee and a ceiling; all other functions share
what nobody reserved; an invocation that finds no room is refused with 429.
"""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from labs.cloud.mock.functions.contract import Throttled

#: AWS keeps 100 executions of an account unreserved; an account of 8 or 25 can keep only this.
KEPT_UNRESERVED = 1
RESERVED_REASON = "ReservedFunctionConcurrentInvocationLimitExceeded"
ACCOUNT_REASON = "ConcurrentInvocationLimitExceeded"


class Concurrency:
    """Counts running invocations by function name. Threadsafe."""

    def __init__(self, account_limit: int) -> None:
        self.account_limit = account_limit
        self._running: Counter[str] = Counter()
        self._lock = threading.Lock()

    def unreserved(self, reserved: dict[str, int]) -> int:
        """What functions without a reservation share."""
        return self.account_limit - sum(reserved.values())

    @contextmanager
    def slot(self, function: str, reserved: dict[str, int]) -> Iterator[None]:
        """Room for one invocation while the block runs.

        reserved: reserved concurrency by function name, of all functions that have one.
        Raises Throttled with AWS's reason when there is none.
        """
        with self._lock:
            if function in reserved:
                if self._running[function] >= reserved[function]:
                    raise Throttled(RESERVED_REASON)
            else:
                shared = sum(n for name, n in self._running.items() if name not in reserved)
                if shared >= self.unreserved(reserved):
                    raise Throttled(ACCOUNT_REASON)
            self._running[function] += 1
        try:
            yield
        finally:
            with self._lock:
                self._running[function] -= 1
