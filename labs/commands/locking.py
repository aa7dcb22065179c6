"""One at a time: a lock between processes, which goes when its holder dies."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

POLL_SECONDS = 0.2

if os.name == "nt":
    import msvcrt

    def _take(file: IO[bytes]) -> None:
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)

    HeldByAnother: type[OSError] = PermissionError
else:
    import fcntl

    def _take(file: IO[bytes]) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)

    HeldByAnother = BlockingIOError


@contextmanager
def only_one(path: Path, waiting: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Hold the lock file `path`; call `waiting` once if another process has it, then wait for it.

    The lock goes with the file's handle, so a holder that dies holds nothing. The file stays: were
    it removed, two could hold it, one by the old inode and one by the new.
    Source: flock(2); Microsoft's C runtime reference, `_locking`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        told = False
        while not _taken(file):
            if not told:
                waiting()
                told = True
            time.sleep(POLL_SECONDS)
        yield


def _taken(file: IO[bytes]) -> bool:
    try:
        _take(file)
    except HeldByAnother:
        return False
    except OSError:
        return True  # a network share without locks: better unlocked than not at all
    return True
