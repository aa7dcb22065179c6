"""An account's Lambda: environments up to a limit, and what an event does that finds no room.

Lambda's guide says that a throttled event goes back to the queue and is tried again, after 1 second
at first and up to 5 minutes, later if the queue is long; but not whether each event has a back-off
of its own. (Lambda guide, "How Lambda handles errors and retries with asynchronous invocation".)
Two answers, to be passed to `predict_lambda`:

- `in_line`: the queue backs off as a whole, and tries again once a function has ended. So does the
  course's mock; it wastes nothing. The model counts a throttle for the first in line only; the mock
  tries as many at once as its account may run, and so counts more.
- `by_itself`: each event waits out its own back-off, even if there is room long before.
"""

import heapq
from collections.abc import Callable, Generator, Iterator

import simpy

from labs.concurrency.simulation.model import Parameters, doubling


class Account:
    """The environments that an account may have at once, numbered from 0."""

    def __init__(self, env: simpy.Environment, parameters: Parameters) -> None:
        self.env, self.parameters = env, parameters
        self.throttles = 0
        self.head = simpy.Resource(env, capacity=1)  # the front of the queue of events
        self.room = env.event()  # the next end of an invocation
        self._free = list(range(parameters.limit))
        self._making = simpy.Resource(env, capacity=1)
        self._made: set[int] = set()

    def enter(self) -> int | None:
        """An environment's number; None when the limit is reached, which is a throttle."""
        if self._free:
            return heapq.heappop(self._free)
        self.throttles += 1
        return None

    def prepare(self, environment: int) -> Generator[simpy.Event, object, None]:
        """Make the environment if it is new: one after the other, as `Parameters` says."""
        if environment not in self._made:
            self._made.add(environment)
            with self._making.request() as turn:
                yield turn
                yield self.env.timeout(self.parameters.environment)
        yield self.env.timeout(self.parameters.start)

    def leave(self, environment: int) -> None:
        heapq.heappush(self._free, environment)
        self.room.succeed()
        self.room = self.env.event()

    def waits(self) -> Iterator[float]:
        return doubling(self.parameters.queue_back_off, self.parameters.most_queue_back_off)


Waiting = Callable[[Account], Generator[simpy.Event, object, int]]


def in_line(account: Account) -> Generator[simpy.Event, object, int]:
    """Only the first in the queue is tried: after a wait, or as soon as there is room."""
    with account.head.request() as turn:
        yield turn
        waits = account.waits()
        while (environment := account.enter()) is None:
            yield account.env.timeout(next(waits)) | account.room
    return environment


def by_itself(account: Account) -> Generator[simpy.Event, object, int]:
    """Each event is tried again when its own wait is over, whether or not there was room before."""
    waits = account.waits()
    while (environment := account.enter()) is None:
        yield account.env.timeout(next(waits))
    return environment
