"""Watching late effects, and flooding a word counter to see where its messages wait."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

LOOK_EVERY = 0.05  # seconds between two looks at something that comes late


@dataclass(frozen=True)
class Flood:
    """What one flood measured.

    posts_ms: how long each post waited for its answer; without the first of each client.
    backlog:  (seconds since the first post, messages counted once and not yet by the consumer).
    """

    posts_ms: list[float]
    backlog: list[tuple[float, int]]

    @property
    def most(self) -> int:
        """The longest backlog seen."""
        return max(waiting for _, waiting in self.backlog)

    @property
    def drained_s(self) -> float:
        """Seconds from the first post until the backlog was gone, or the last look."""
        return self.backlog[-1][0]


def wait_until(condition: Callable[[], Any], seconds: float = 30.0) -> bool:
    """Look again and again until `condition()` holds; False if it does not within `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(LOOK_EVERY)
    return True


def settled(read: Callable[[], Any], *, quiet: float = 1.0, seconds: float = 30.0) -> Any:
    """What `read()` says once it has said the same for `quiet` seconds, or after `seconds`.

    For effects that may come twice or not at all: there is no value to wait for.
    """
    deadline = time.monotonic() + seconds
    value, since = read(), time.monotonic()
    while time.monotonic() - since < quiet and time.monotonic() < deadline:
        time.sleep(LOOK_EVERY)
        now = read()
        if now != value:
            value, since = now, time.monotonic()
    return value


def flood(
    post: Callable[[str], Any],
    waiting: Callable[[], int],
    words: list[str],
    *,
    clients: int = 2,
    seconds: float = 60.0,
) -> Flood:
    """Post each word, `clients` at a time, and watch the backlog until it is gone.

    post:    posts a word and returns when it is answered.
    waiting: how many messages wait for the consumer now.

    The first post of each client is no part of `posts_ms`: it may meet a function that has to be
    loaded first. Gives up watching after `seconds`. Raises what `post` raises.
    """
    backlog: list[tuple[float, int]] = []
    start = time.monotonic()
    with ThreadPoolExecutor(clients) as posters:
        posts = [posters.submit(milliseconds, post, word) for word in words]
        while True:
            posted = all(each.done() for each in posts)  # asked first: a post adds to the backlog
            backlog.append((time.monotonic() - start, waiting()))
            if (posted and backlog[-1][1] == 0) or backlog[-1][0] > seconds:
                return Flood([each.result() for each in posts][clients:], backlog)
            time.sleep(LOOK_EVERY)


def milliseconds(call: Callable[[str], Any], argument: str) -> float:
    """How long a call took."""
    start = time.perf_counter()
    call(argument)
    return (time.perf_counter() - start) * 1000
