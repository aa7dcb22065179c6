"""Rows as they come in from workers: a progress bar, an interrupt, and the frame in the end."""

import threading
import time
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from types import TracebackType
from typing import TYPE_CHECKING

from tqdm.auto import tqdm

from labs.concurrency.one_object import Row, failed

if TYPE_CHECKING:
    from pandas import DataFrame

LOOK = 0.1  # seconds between two looks of the bar; Windows interrupts no wait without an end


class Rows:
    """`with Rows(keys) as rows:` collects a row for each key.

    An interrupt ends the block, not the program: `stopped` turns true, nothing new is begun, and
    the rows so far are the result. A Python that begins with TQDM_DISABLE=1 shows no bar.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        self.stopped = False
        self._keys = list(keys)
        self._rows: list[Row] = []
        self._all = threading.Event()
        self._began = time.time()

    def __enter__(self) -> "Rows":
        self._bar = tqdm(total=len(self._keys), unit="object", leave=False)
        if not self._keys:
            self._all.set()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        raised: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        self.stopped = kind is not None
        self.show()
        self._bar.close()
        return kind is not None and issubclass(kind, KeyboardInterrupt)

    def add(self, row: Row) -> None:
        """A copy has ended; any thread may say so."""
        self._rows.append(row)
        if len(self._rows) >= len(self._keys):
            self._all.set()

    def add_from(self, key: str, future: "Future[Row]") -> None:
        """A future has ended; also one whose process died. A cancelled one never began."""
        if future.cancelled():
            return
        failure = future.exception()
        self.add(failed(key, "", time.time(), 1, failure) if failure else future.result())

    def show(self) -> None:
        """Bring the bar up to date. Only the thread that made the rows may: widgets want that."""
        self._bar.update(len(self._rows) - self._bar.n)

    def watch(self, over: Callable[[], bool] = lambda: False) -> None:
        """Wait until there is a row for each key, or until no more can come."""
        while not self._all.wait(LOOK) and not over():
            self.show()

    def frame(self) -> "DataFrame":
        """One row an object: object, worker, start, end, attempts, error; in order of start.

        worker:     a number, 0 for the one that began first; -1: its worker died.
        start, end: seconds since the way began.
        error:      None, or AWS's code. What no worker told of has the error "WorkerDied", unless
                    an interrupt came: then it was perhaps never begun, and has no row.
        """
        from pandas import DataFrame, Series  # here: a set-up cell should not wait for it

        rows = list(self._rows)
        if self.stopped:
            warnings.warn(
                f"Interrupted: {len(rows)} of {len(self._keys)} objects have a row. The rest is "
                "in copying.missing(s3, source, destination).",
                stacklevel=3,
            )
        else:
            now, told = time.time(), {row.object for row in rows}
            silent = [key for key in self._keys if key not in told]
            rows += [Row(key, "", now, now, 1, "WorkerDied") for key in silent]
        rows.sort(key=lambda row: row.start)
        names = dict.fromkeys(row.worker for row in rows if row.worker)
        numbers = {"": -1} | {name: number for number, name in enumerate(names)}
        frame = DataFrame(rows, columns=list(Row._fields)).assign(
            worker=[numbers[row.worker] for row in rows],
            error=Series([row.error for row in rows], dtype=object),
        )
        frame[["start", "end"]] -= self._began
        return frame
