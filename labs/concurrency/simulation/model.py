"""What goes into the model, its parameters, and what comes out, a prediction."""

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

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
    latency:         seconds of each call besides; any number of calls have them side by side.
    rate:            calls a second that S3 admits; a second's worth at once, as a full token bucket
                     allows. Those beyond get SlowDown. None: no limit.
    tries:           calls for an object before it is given up, the first included.
    back_off:        seconds: the k-th retry waits a random part of back_off x 2^(k-1),
    most_back_off:   but of no more than this. (AWS SDKs guide, "Retry behavior", standard mode.)
    limit:           Lambda functions that run at once (2016: 100, today: 1,000).
    publish:         seconds from one message to the next.
    start:           seconds of an invocation besides its copy: to be handed over, to end.
    environment:     seconds from one new environment to the next, while more are needed. AWS makes
                     1,000 in 10 s for a function. (Lambda guide, "Lambda scaling behavior".) In the
                     mock they are processes, and as quick as this machine starts them.
    queue_back_off:  seconds that a throttled event waits before its second try; doubles each time,
    most_queue_back_off: up to this.
    function_retries: seconds before a failed function is run again; one number for each retry.
                     (Lambda guide, "How Lambda handles errors and retries with asynchronous
                     invocation". The model leaves out that an event is dropped after 6 hours.)
    seed:            of the jitter.
    """

    bandwidth: float
    front: float = 0.0
    latency: float = 0.0
    rate: float | None = None
    tries: int = 3
    back_off: float = 1.0
    most_back_off: float = 20.0
    limit: int = 100
    publish: float = 0.0
    start: float = 0.0
    environment: float = 0.0
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
