"""What the model knows: its parameters, and how one object is copied with retries."""

import random
from collections.abc import Generator, Iterator
from dataclasses import dataclass

import pandas as pd
import simpy

from labs.concurrency import workload

#: What a frame of copies has, measured or predicted; times are seconds since the run began.
COLUMNS = ("object", "worker", "start", "end", "attempts", "error")


@dataclass(frozen=True)
class Parameters:
    """All numbers of the model. Seconds are real ones; in the mock divide AWS's by TIME_SCALE.

    bandwidth:       bytes a second, for each call by itself.
    front:           seconds of each call that only one call at a time can have: Python's GIL in
                     the client, a busy core in the mock. Whatever the number of workers, there are
                     never more than 1 / front calls a second.
    rate:            calls a second that S3 admits; a second's worth at once, as a full token bucket
                     allows. Those beyond get SlowDown. None: no limit.
    tries:           calls for an object before it is given up, the first included.
    back_off:        seconds: the k-th retry waits a random part of back_off x 2^(k-1),
    most_back_off:   but of no more than this. (AWS SDKs guide, "Retry behavior", standard mode.)
    limit:           Lambda functions that run at once (2016: 100, today: 1,000).
    publish:         seconds from one message to the next.
    start:           seconds of an invocation before it copies.
    queue_back_off:  seconds that a throttled event waits before its second try; doubles each time,
    most_queue_back_off: up to this.
    function_retries: seconds before a failed function is run again; one number for each retry.
                     (Lambda guide, "How Lambda handles errors and retries with asynchronous
                     invocation". The model leaves out that an event is dropped after 6 hours.)
    seed:            of the jitter.
    """

    bandwidth: float
    front: float = 0.0
    rate: float | None = None
    tries: int = 3
    back_off: float = 1.0
    most_back_off: float = 20.0
    limit: int = 100
    publish: float = 0.0
    start: float = 0.0
    queue_back_off: float = 1.0
    most_queue_back_off: float = 300.0
    function_retries: tuple[float, ...] = (60.0, 120.0)
    seed: int = 2016

    def __post_init__(self) -> None:
        least = {"bandwidth": "more than 0", "tries": "1 or more", "limit": "1 or more"}
        for name, expected in least.items():
            if not getattr(self, name) > 0:
                raise ValueError(f"{name}={getattr(self, name)!r}: expected {expected}.")
        if self.rate is not None and not self.rate > 0:
            raise ValueError(f"rate={self.rate!r}: expected calls a second, or None for no limit.")


@dataclass(frozen=True)
class Prediction:
    """seconds: from the first message or call to the last end. throttles: starts that Lambda
    refused. frame: one row for each object, as a measured run has."""

    seconds: float
    frame: pd.DataFrame
    throttles: int = 0


def to_copy(n: int) -> pd.DataFrame:
    """What a prediction copies if it is given no objects: n of a day's, or of the bulk's."""
    return workload.objects(n, bulk=n > workload.DAILY)


def doubling(first: float, most: float) -> Iterator[float]:
    """first, 2 x first, 4 x first, ... and `most` for ever."""
    while True:
        yield min(first, most)
        first = min(first * 2, most)


class Storage:
    """S3, and the way there, in one simulated run."""

    def __init__(self, env: simpy.Environment, parameters: Parameters) -> None:
        self.env, self.parameters = env, parameters
        self._front = simpy.Resource(env, capacity=1)
        self._dice = random.Random(parameters.seed)
        self._tokens, self._filled = self._burst, env.now

    def copy(self, size: int) -> Generator[simpy.Event, object, tuple[int, str | None]]:
        """Copy `size` bytes; how many calls that took, and "SlowDown" if none succeeded."""
        given = self.parameters
        waits = doubling(given.back_off, given.most_back_off)
        for attempt in range(1, given.tries + 1):
            with self._front.request() as turn:
                yield turn
                yield self.env.timeout(given.front)
            if self._admits():
                yield self.env.timeout(size / given.bandwidth)
                return attempt, None
            if attempt < given.tries:
                yield self.env.timeout(self._dice.uniform(0, next(waits)))
        return given.tries, "SlowDown"

    @property
    def _burst(self) -> float:
        return max(1.0, round(self.parameters.rate or 0))

    def _admits(self) -> bool:
        """Whether there is a token for this call: a bucket, refilled at `rate`."""
        if self.parameters.rate is None:
            return True
        refilled = self._tokens + (self.env.now - self._filled) * self.parameters.rate
        self._tokens, self._filled = min(self._burst, refilled), self.env.now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
