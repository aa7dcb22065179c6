"""Token buckets, as API Gateway throttles a stage's methods and routes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass

#: Account-level quotas: what a stage that sets only one of the two gets for the other.
#: Source: API Gateway guide, "Account-level throttling per Region". Not enforced by themselves.
ACCOUNT_RATE, ACCOUNT_BURST = 10_000.0, 5_000


@dataclass(frozen=True)
class Limit:
    """rate: requests a second, refilled evenly. burst: the bucket's size, in requests."""

    rate: float
    burst: int


@dataclass
class _Bucket:
    limit: Limit
    tokens: float
    filled: float


class Throttle:
    """One bucket for each key; a changed limit starts a full bucket.

    Source: API Gateway guide, "Throttle requests to your REST APIs for better throughput":
    token bucket, a token for a request, the burst is the maximum bucket size. AWS says of HTTP APIs
    that limits are targets, met on a best-effort basis; the mock meets them exactly.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._buckets: dict[Hashable, _Bucket] = {}
        self._lock = threading.Lock()

    def admit(self, key: Hashable, limit: Limit) -> bool:
        """Take a token for this key; False when there is none."""
        with self._lock:
            now = self._clock()
            bucket = self._buckets.get(key)
            if bucket is None or bucket.limit != limit:
                bucket = self._buckets[key] = _Bucket(limit, float(limit.burst), now)
            refilled = bucket.tokens + (now - bucket.filled) * limit.rate
            bucket.tokens, bucket.filled = min(float(limit.burst), refilled), now
            if bucket.tokens < 1:
                return False
            bucket.tokens -= 1
            return True

    def reset(self) -> None:
        with self._lock:
            self._buckets.clear()
