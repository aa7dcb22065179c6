"""Helpers for tests about processes: start Python code, and wait for processes to end."""

import contextlib
import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterable, Iterator

import psutil


@contextlib.contextmanager
def python(code: str, **popen) -> Iterator[subprocess.Popen]:
    """Python code in a process, with pipes for text; ended with the block.

    The test's own process may be in mock mode; this one must not join it.
    """
    environment = popen.pop("env", os.environ)
    popen["env"] = {k: v for k, v in environment.items() if k != "LABS_ADDRESS_BOOK"}
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        **popen,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            with contextlib.suppress(BrokenPipeError):
                pipe.close()


def wait_until(condition: Callable[[], bool], seconds: float = 20) -> bool:
    """Whether the condition came true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def ended(process: psutil.Process) -> bool:
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def left(processes: Iterable[psutil.Process], seconds: float = 20) -> list[psutil.Process]:
    """Those that still run after some time."""
    remaining = list(processes)
    wait_until(lambda: all(map(ended, remaining)), seconds)
    return [process for process in remaining if not ended(process)]


def descendants(pid: int) -> list[psutil.Process]:
    return psutil.Process(pid).children(recursive=True)
