"""A progress bar that leaves nothing behind, in a terminal and in a notebook.

tqdm's own bar for notebooks is a widget. Once closed, it stays in the notebook's file as a line
that says 0 %. This one is text that is shown in one place, and in the end no text.
"""

import sys
from typing import Any

from tqdm import tqdm


def bar(total: int) -> tqdm:
    """A bar of `total` objects. A Python that begins with TQDM_DISABLE=1 shows none."""
    where = {"file": Output(), "ncols": 80, "position": 0} if _is_in_notebook() else {}
    return tqdm(total=total, unit=" objects", leave=False, **where)


class Output:
    """A file whose last line stands below the cell; it is not there before the first one."""

    encoding = "utf-8"  # or tqdm draws its bars with #

    def __init__(self) -> None:
        self._place: Any = None

    def write(self, text: str) -> None:
        line = text.strip("\r\n ")
        data = {"text/plain": line} if line else {}
        if self._place:
            self._place.update(data, raw=True)
        elif line:
            from IPython.display import display

            self._place = display(data, raw=True, display_id=True)

    def flush(self) -> None:
        """Nothing waits: `write` shows."""


def _is_in_notebook() -> bool:
    """Is this a kernel? Without an import: a process that copies should not wait for IPython."""
    kernel = sys.modules.get("ipykernel.kernelapp")
    return kernel is not None and kernel.IPKernelApp.initialized()
