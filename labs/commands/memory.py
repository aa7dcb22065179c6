"""How much memory a process and everything it started use at their peak."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psutil

INTERVAL_SECONDS = 0.5


def family_bytes(pid: int) -> int:
    """Memory now of a process and all its descendants; 0 when it is gone.

    On Linux proportional set size: a page that n processes share counts 1/n in each, as forked
    sandboxes need. Elsewhere resident set size, which counts it n times.
    """
    with suppress(psutil.Error):
        parent = psutil.Process(pid)
        return sum(map(process_bytes, [parent, *parent.children(recursive=True)]))
    return 0


def process_bytes(process: psutil.Process) -> int:
    """PSS, or RSS where the system has no PSS or does not show it to us; 0 if it is gone."""
    for ask in (lambda: process.memory_full_info().pss, lambda: process.memory_info().rss):
        with suppress(psutil.Error, AttributeError):
            return ask()
    return 0


class Peak:
    """The most memory that a family of processes had while it was watched."""

    def __init__(self) -> None:
        self.bytes = 0

    @contextmanager
    def of(self, pid: int) -> Iterator[None]:
        """Watch a process and its descendants, from a thread, while the block runs."""
        over = threading.Event()
        thread = threading.Thread(target=self._sample, args=(pid, over), daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _sample(self, pid: int, over: threading.Event) -> None:
        while not over.is_set():
            self.bytes = max(self.bytes, family_bytes(pid))
            over.wait(INTERVAL_SECONDS)
