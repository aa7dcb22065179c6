"""SNS and Lambda: a message for each object, an invocation for each message, up to a limit.

What does an event do that finds the limit reached? Lambda's guide says that it goes back to the
queue and is tried again, after 1 second at first and up to 5 minutes, but not whether each event
has a back-off of its own. Two answers, to be passed to `predict_lambda`:

- `in_line`: the queue backs off as a whole, and tries again once a function has ended. So does the
  course's mock; it wastes nothing. Throttles are of the first in line only.
- `by_itself`: each event waits out its own back-off, even if there is room long before.
"""

import heapq
from collections.abc import Callable, Generator, Iterator

import pandas as pd
import simpy

from labs.concurrency.simulation.model import (
    COLUMNS,
    Parameters,
    Prediction,
    Storage,
    doubling,
    to_copy,
)


class Account:
    """The environments that an account may have at once, numbered from 0."""

    def __init__(self, env: simpy.Environment, parameters: Parameters) -> None:
        self.env, self.parameters = env, parameters
        self.throttles = 0
        self.head = simpy.Resource(env, capacity=1)  # the front of the queue of events
        self.room = env.event()  # the next end of an invocation
        self._free = list(range(parameters.limit))

    def enter(self) -> int | None:
        """An environment's number; None when the limit is reached, which is a throttle."""
        if self._free:
            return heapq.heappop(self._free)
        self.throttles += 1
        return None

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


def predict_lambda(
    parameters: Parameters,
    *,
    n: int = 250,
    objects: pd.DataFrame | None = None,
    waiting: Waiting = in_line,
) -> Prediction:
    """Foretell a run of SNS and Lambda; `worker` in the frame is the number of an environment.

    objects: (key, bytes), as `workload.objects` gives them; without, the first n of its list.
    """
    objects = to_copy(n) if objects is None else objects
    env = simpy.Environment()
    storage, account = Storage(env, parameters), Account(env, parameters)
    rows: list[tuple] = []

    def publisher() -> Generator[simpy.Event, object, None]:
        for key, size in zip(objects["key"], objects["bytes"], strict=True):
            yield env.timeout(parameters.publish)
            env.process(_event(key, size, storage, account, waiting, rows))

    env.process(publisher())
    env.run()
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    return Prediction(float(frame["end"].max()) if rows else 0.0, frame, account.throttles)


def _event(
    key: str, size: int, storage: Storage, account: Account, waiting: Waiting, rows: list[tuple]
) -> Generator[simpy.Event, object, None]:
    """One message on its way: run, and run again after a failure, then a row for good."""
    env, given = storage.env, storage.parameters
    calls, first = 0, None
    for wait in (*given.function_retries, None):
        environment = yield from waiting(account)
        first = env.now if first is None else first
        yield env.timeout(given.start)
        attempts, error = yield from storage.copy(size)
        account.leave(environment)
        calls += attempts
        if error is None or wait is None:
            break
        yield env.timeout(wait)
    rows.append((key, environment, first, env.now, calls, error))
