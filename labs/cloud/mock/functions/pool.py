"""Warm sandboxes: kept after an invocation, reused by the next one of the same code and settings.

Source: Lambda guide, "Lambda execution environment": an environment is frozen and reused; a
change of code or configuration gives new ones. The mock keeps at most `most` sandboxes alive and
ends the one that has been idle longest to make room.
"""

import threading
from collections.abc import Callable, Hashable
from typing import Protocol


class Closable(Protocol):
    def close(self) -> None: ...


class Pool:
    """Idle sandboxes by (function, settings). Threadsafe; closing happens outside the lock."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._alive = 0
        self._idle: list[tuple[str, Hashable, Closable]] = []  # longest idle first
        self._lock = threading.Lock()

    def take(self, function: str, settings: Hashable) -> Closable | None:
        """A warm sandbox of these settings, the one used last; those of older settings end."""
        with self._lock:
            stale = [entry for entry in self._idle if entry[0] == function and entry[1] != settings]
            self._forget(stale)
            fitting = [entry for entry in self._idle if entry[0] == function]
            if fitting:
                self._idle.remove(fitting[-1])
        self._close(stale)
        return fitting[-1][2] if fitting else None

    def make(self, start: Callable[[], Closable]) -> Closable:
        """A new sandbox, ending the longest idle one if there are too many. Errors pass."""
        with self._lock:
            self._alive += 1
            surplus = self._idle[: max(0, self._alive - self._most)]
            self._forget(surplus)
        self._close(surplus)
        try:
            return start()
        except BaseException:
            self.lost()
            raise

    def give_back(self, function: str, settings: Hashable, sandbox: Closable) -> None:
        """An invocation has ended well; its sandbox is warm."""
        with self._lock:
            self._idle.append((function, settings, sandbox))

    def lost(self) -> None:
        """A sandbox that was taken or made has ended and will not come back."""
        with self._lock:
            self._alive -= 1

    def close(self) -> None:
        """End all idle sandboxes."""
        with self._lock:
            idle = list(self._idle)
            self._forget(idle)
        self._close(idle)

    def _forget(self, entries: list) -> None:
        for entry in entries:
            self._idle.remove(entry)
        self._alive -= len(entries)

    @staticmethod
    def _close(entries: list) -> None:
        for _, _, sandbox in entries:
            sandbox.close()
