"""S3 as the model sees it: how one object is copied, with retries."""

import random
from collections.abc import Generator

import simpy

from labs.concurrency.simulation.model import Parameters, doubling


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
            yield self.env.timeout(given.latency)
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
