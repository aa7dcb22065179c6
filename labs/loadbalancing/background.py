"""A load generator beside the cells of a notebook: in a thread with an event loop of its own.

The kernel's loop is busy with the cell that runs.
"""

import asyncio
import threading
import weakref
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING

from labs.loadbalancing.requesting import Run, Session

if TYPE_CHECKING:
    from pandas import DataFrame

Traffic = Callable[[], Coroutine[None, None, None]]

NOTICED_SECONDS = 0.05  # after so long a thread sees that an event was set
LEAVING_SECONDS = 2.0  # at most, for its connections to close when Python ends


class Worker(threading.Thread):
    """Runs `traffic` until it ends, `within_seconds` are over, or one of the events is set."""

    def __init__(
        self, traffic: Traffic, within_seconds: float, events: Sequence[threading.Event]
    ) -> None:
        super().__init__(name="traffic", daemon=True)
        self._work = partial(bounded, traffic, within_seconds, events)
        self._failure: BaseException | None = None
        self.start()

    def run(self) -> None:
        try:
            asyncio.run(self._work())
        except BaseException as failure:  # for whoever waits, not for a thread's traceback
            self._failure = failure

    def wait(self, interrupted: threading.Event) -> None:
        """Wait for the end. An interrupted cell sets the event, and waits for that end, too."""
        try:
            while self.is_alive():
                self.join(0.2)  # Windows interrupts no longer waits
        except BaseException:
            interrupted.set()
            self.join()
            raise
        if self._failure:
            raise self._failure


async def bounded(
    traffic: Traffic, within_seconds: float, events: Sequence[threading.Event]
) -> None:
    """Run `traffic` until it ends, time is up, or one of the events is set."""

    async def any_event() -> None:
        while not any(event.is_set() for event in events):
            await asyncio.sleep(NOTICED_SECONDS)

    working, watching = asyncio.create_task(traffic()), asyncio.create_task(any_event())
    await asyncio.wait({working, watching}, timeout=within_seconds, return_when="FIRST_COMPLETED")
    watching.cancel()
    working.cancel()
    with suppress(asyncio.CancelledError):
        await working


class Load:
    """Traffic that is under way, as `traffic.start` gives it.

    It ends when its time is over, by `stop()`, when nothing refers to it any more, and with Python.
    `with traffic.start(...) as load:` stops it at the block's end.
    """

    def __init__(self, run: Run, starts: Sequence[float], within_seconds: float) -> None:
        self._run = run
        self._enough, self._abandoned = threading.Event(), threading.Event()
        # Nothing that the thread holds leads back to this object, so that it can be garbage.
        traffic = partial(arrive, run, starts, self._enough)
        self._worker = Worker(traffic, within_seconds, [self._abandoned])
        weakref.finalize(self, abandon, self._worker, self._abandoned)

    def stop(self) -> "DataFrame":
        """Send no more, wait for the answers to what was sent, and give all rows.

        So a request that the stop came across is no failed one.
        """
        self._enough.set()
        return self.wait()

    def wait(self) -> "DataFrame":
        """All rows, once it has ended by itself. An interrupted cell ends it."""
        self._worker.wait(self._abandoned)
        return self.frame()

    def frame(self) -> "DataFrame":
        """The rows so far, as `open_loop` has them: of requests that ended, well or not."""
        return self._run.frame()

    @property
    def elapsed(self) -> float:
        """Seconds since the start: now, on the scale of the frame's column `time`."""
        return perf_counter() - self._run.begin if self._run.begin else 0.0

    def __enter__(self) -> "Load":
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def __repr__(self) -> str:
        state = "under way" if self._worker.is_alive() else "ended"
        return f"<load, {state}: {len(self._run.rows):,} requests to {self._run.page.host}>"


def abandon(worker: Worker, abandoned: threading.Event) -> None:
    """End a worker whose load nobody has any more. Rows of what is under way are lost."""
    abandoned.set()
    if worker is not threading.current_thread():  # garbage is found in any thread
        worker.join(LEAVING_SECONDS)


async def arrive(run: Run, starts: Sequence[float], enough: threading.Event) -> None:
    """Send a request at each of `starts`, s since the start, until it is enough.

    Returns when all that were sent have an answer or have given up.
    """
    idle: list[Session] = []

    async def one(number: int, due: float) -> None:
        session = idle.pop() if idle else run.session()
        await run.request(number, session, due)
        idle.append(session)

    async def all_of_them() -> None:
        for number, start in enumerate(starts, 1):
            due = run.begin + start
            await asyncio.sleep(due - perf_counter())
            group.create_task(one(number, due))

    async with run, asyncio.TaskGroup() as group:
        arriving = group.create_task(all_of_them())
        while not arriving.done():
            await asyncio.wait([arriving], timeout=NOTICED_SECONDS)
            if enough.is_set():
                arriving.cancel()
