"""Does things in parallel, each after those that it needs, as CloudFormation does."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from labs.cloud.mock.stacks.graph import Graph

#: Resources that are worked on at a time. AWS's number is not published.
WORKERS = 4


def walk(
    names: Iterable[str],
    needs: Graph,
    do: Callable[[str], None],
    stopped: Callable[[], bool] = lambda: False,
) -> None:
    """Do all names, each when what it needs among them is done.

    An exception, and `stopped`, keep what has not begun from beginning; the first exception is
    raised when all that has begun has ended.
    """
    left = list(names)
    waiting = {name: set(needs.get(name, ())) & set(left) - {name} for name in left}
    running: dict[Future[None], str] = {}
    wrong: BaseException | None = None
    with ThreadPoolExecutor(WORKERS, thread_name_prefix="stack") as pool:
        while left or running:
            if wrong is None and not stopped():
                for name in [one for one in left if not waiting[one]]:
                    left.remove(name)
                    context = contextvars.copy_context()
                    running[pool.submit(context.run, do, name)] = name
            if not running:
                break
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                name = running.pop(future)
                for others in waiting.values():
                    others.discard(name)
                wrong = wrong or future.exception()
    if wrong is not None:
        raise wrong


class Cancelled(threading.Event):
    """Set when what has not begun is not to begin. reason: of the stack's roll back."""

    reason = ""


class NeverCancelled(Cancelled):
    """Of a roll back: one failure there is no reason to leave the rest as it is."""

    def set(self) -> None:
        """Nothing."""
