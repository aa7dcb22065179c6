"""Lambda's internal queue of events: retries, back-off, maximum age, and what is left over.

Source: Lambda guide, "How Lambda handles errors and retries with asynchronous invocation": a
function error is retried twice, after one minute and then two; a throttle returns the event to
the queue, tried again with a back-off from 1 second up to 5 minutes, for up to 6 hours.

These are AWS's own waits, so TIME_SCALE divides them. One simplification: the back-off is the
queue's, not each event's, so that a backlog drains as soon as the function has room.
"""

import heapq
import itertools
import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from labs.cloud.mock import trace
from labs.cloud.mock.functions import waits
from labs.cloud.mock.functions.contract import Invocation, Outcome, Refused, Throttled
from labs.cloud.settings import TIME_SCALE

RETRY_SECONDS = (60.0, 120.0)
BACK_OFF_SECONDS, MOST_BACK_OFF_SECONDS = 1.0, 300.0

log = logging.getLogger("labs.mock.functions")


@dataclass
class Event:
    """An event on its way to a function.

    retries, max_age: of the function's event-invoke configuration (times in AWS's seconds).
    """

    invocation: Invocation
    retries: int
    max_age: float
    accepted: float = field(default_factory=time.monotonic)
    failures: int = 0
    throttles: int = 0
    throttled: trace.Hop | None = None  # one hop for all its throttles since the last run
    wait: waits.Wait | None = None  # its stay in the queue, or its last

    def enqueued(self, delay: float = 0.0) -> None:
        """It is in the queue, or will be in `delay` seconds."""
        name = trace.short_name(self.arn).partition(":")[0]
        self.wait = waits.begin(name, self.invocation.request_id, delay, self.wait)

    @property
    def arn(self) -> str:
        return self.invocation.arn

    def age(self) -> float:
        """Seconds since it was accepted, on AWS's scale."""
        return (time.monotonic() - self.accepted) * TIME_SCALE


#: Runs an event's function. Raises Throttled, or another Refused when the function has gone.
Run = Callable[[Event], Outcome]
#: Told of an event that will not be tried again: (event, condition, last outcome or None).
GiveUp = Callable[[Event, str, Outcome | None], None]


class AsynchronousQueue:
    """One dispatcher thread for all functions; `workers` events run at once at most."""

    def __init__(self, run: Run, give_up: GiveUp, workers: int) -> None:
        self._run, self._give_up = run, give_up
        self._executor = ThreadPoolExecutor(workers, thread_name_prefix="lambda-event")
        self._free = threading.Semaphore(workers)
        self._changed = threading.Condition()
        self._waiting: dict[str, deque[Event]] = {}
        self._later: list[tuple[float, int, Event]] = []  # heap: due, tie-breaker, event
        self._next_try: dict[str, float] = {}
        self._back_off: dict[str, float] = {}
        self._order = itertools.count()
        self._open = True
        self._generation = 0
        self._thread = threading.Thread(target=self._dispatch, name="lambda-queue", daemon=True)
        self._thread.start()

    def put(self, event: Event, delay: float = 0.0) -> None:
        """Accept an event, in `delay` seconds from now; returns at once."""
        trace.expect(event.invocation.cause)
        event.accepted += delay
        event.enqueued(delay)
        with self._changed:
            if delay:
                heapq.heappush(self._later, (event.accepted, next(self._order), event))
            else:
                self._waiting.setdefault(event.arn, deque()).append(event)
            self._changed.notify()

    def backlog(self, arn: str) -> int:
        """Events of a function that wait for a first or further try."""
        with self._changed:
            later = sum(event.arn == arn for _, _, event in self._later)
            return len(self._waiting.get(arn, ())) + later

    def reset(self) -> None:
        """Forget all events; those that run now are not tried again."""
        with self._changed:
            self._generation += 1
            self._waiting.clear()
            self._later.clear()
            self._next_try.clear()
            self._back_off.clear()
        waits.forget()

    def close(self) -> None:
        """Stop dispatching. Events that run now end by themselves."""
        with self._changed:
            self._open = False
            self._changed.notify()
        self._thread.join(timeout=1)  # it may wait for a worker that is about to be killed
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _dispatch(self) -> None:
        while True:
            self._free.acquire()
            with self._changed:
                while self._open and (event := self._next()) is None:
                    self._changed.wait(self._pause())
                if not self._open:
                    return
                generation = self._generation
            self._executor.submit(self._work, event, generation)

    def _next(self) -> Event | None:
        """The first event whose function may be tried now. Called with the lock held."""
        now = time.monotonic()
        while self._later and self._later[0][0] <= now:
            event = heapq.heappop(self._later)[2]
            self._waiting.setdefault(event.arn, deque()).append(event)
        for arn, events in list(self._waiting.items()):
            if self._next_try.get(arn, 0.0) <= now:
                event = events.popleft()
                del self._waiting[arn]
                if events:  # to the end of the line: functions take turns
                    self._waiting[arn] = events
                return event
        return None

    def _pause(self) -> float | None:
        """Seconds until something may be due; None: until something is put."""
        due = [self._next_try[arn] for arn in self._waiting if arn in self._next_try]
        if self._later:
            due.append(self._later[0][0])
        return max(0.0, min(due) - time.monotonic()) if due else None

    def _work(self, event: Event, generation: int) -> None:
        comes_back = False
        try:
            comes_back = self._try(event, generation)
        except Exception:
            log.exception("an event for %s was lost", event.arn)
        finally:
            if not comes_back:
                trace.arrived(event.invocation.cause)
            self._free.release()
            with self._changed:
                self._changed.notify()

    def _try(self, event: Event, generation: int) -> bool:
        """Whether the event goes back into the queue."""
        if generation != self._generation:
            return False
        waits.take(event.wait)
        if event.age() > event.max_age:
            self._given_up(event, "EventAgeExceeded", None)
            return False
        try:
            outcome = self._run(event)
        except Throttled as throttled:
            return self._throttled(event, generation, throttled.reason)
        except Refused as refused:
            _note(event, "give up", "failed", type(refused).__name__, str(refused))
            log.warning("dropped an event: %s: %s", event.arn, refused)
            return False
        with self._changed:
            self._back_off.pop(event.arn, None)
            self._next_try.pop(event.arn, None)
            if outcome.error is None or generation != self._generation:
                return False
            event.failures += 1
            event.throttled = None
            if event.failures <= event.retries:
                wait = RETRY_SECONDS[event.failures - 1]
                tries = f"try {event.failures} of {event.retries + 1} failed, the next"
                in_time = f"in {wait:g} s of AWS's, {wait / TIME_SCALE:g} s here"
                _note(event, "retry", "waiting", "", f"{tries} {in_time}")
                event.enqueued()
                due = time.monotonic() + wait / TIME_SCALE
                heapq.heappush(self._later, (due, next(self._order), event))
                return True
        self._given_up(event, "RetriesExhausted", outcome)
        return False

    def _given_up(self, event: Event, condition: str, outcome: Outcome | None) -> None:
        _note(event, "give up", "failed", condition, f"after {event.failures} failed tries")
        self._give_up(event, condition, outcome)

    def _throttled(self, event: Event, generation: int, reason: str) -> bool:
        with self._changed:
            if generation != self._generation:
                return False
            event.throttles += 1
            waits.refuse(event.wait)
            if event.throttled is None:
                event.throttled = _note(event, "throttle", "throttled", "", "")
            event.throttled.lasts_until_now()
            event.throttled.error = "TooManyRequestsException"
            event.throttled.detail = f"{event.throttles} times: {reason}"
            now = time.monotonic()
            if self._next_try.get(event.arn, 0.0) <= now:  # many refused at once count once
                wait = self._back_off.get(event.arn, BACK_OFF_SECONDS / TIME_SCALE)
                self._next_try[event.arn] = now + wait
                self._back_off[event.arn] = min(wait * 2, MOST_BACK_OFF_SECONDS / TIME_SCALE)
            self._waiting.setdefault(event.arn, deque()).appendleft(event)
            return True


def _note(event: Event, operation: str, status: str, error: str, detail: str) -> trace.Hop:
    return trace.note(
        "lambda",
        operation,
        trace.short_name(event.arn),
        status=status,
        within=event.invocation.cause,
        error=error,
        message=event.invocation.request_id,
        detail=detail,
    )
