"""How long events waited in Lambda's queue, and how often they were throttled: for `aws.trace`.

Lambda's own metric of the kind is AsyncEventAge. Source: Lambda guide, "Types of metrics".
"""

import threading
import time
from collections import deque
from dataclasses import asdict, dataclass, field
from typing import Any

MOST_WAITS = 20_000


@dataclass(slots=True)
class Wait:
    """One stay of an event in the queue; an event that failed comes back for another.

    Times in seconds since 1970. accepted: when the event came for the first time; began: this
    stay; ended: when it left the queue, None while it is there. throttled: times of refusals.
    """

    function: str
    request_id: str
    accepted: float
    began: float
    ended: float | None = None
    throttled: list[float] = field(default_factory=list)


_lock = threading.Lock()
_waits: deque[Wait] = deque(maxlen=MOST_WAITS)


def begin(function: str, request_id: str, delay: float, before: Wait | None) -> Wait:
    """An event comes, in `delay` seconds, or comes back: `before` is its last stay."""
    now = time.time()
    accepted = before.accepted if before else now + delay
    wait = Wait(function, request_id, accepted, began=now if before else accepted)
    with _lock:
        _waits.append(wait)
    return wait


def take(wait: Wait) -> None:
    """The event leaves the queue to be run."""
    with _lock:
        wait.ended = time.time()


def refuse(wait: Wait) -> None:
    """It was throttled: it never left."""
    with _lock:
        wait.ended = None
        wait.throttled.append(time.time())


def forget() -> None:
    """Begin an empty record."""
    with _lock:
        _waits.clear()


def listing(function: str) -> list[dict[str, Any]]:
    """The newest stays of a function's events, oldest first: each a Wait's fields."""
    now = time.time()
    with _lock:
        return [asdict(w) for w in _waits if w.function == function and w.began <= now]
