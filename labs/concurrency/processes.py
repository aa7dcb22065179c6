"""Copies by processes, each with a Python, a lock and a client of its own.

Processes are spawned: a forked child of a process with threads may hang, and Windows has no fork.
Each begins with an import of boto3, some tenths of a second of CPU: worth it for long work only.
"""

import os
import signal
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from functools import partial
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING, Any

from labs.concurrency import clients
from labs.concurrency.one_object import Row, copy
from labs.concurrency.rows import LOOK, Rows

if TYPE_CHECKING:
    from pandas import DataFrame

_s3: Any = None  # in a worker of the pool: its own client


def process_pool(
    s3: Any, source: str, destination: str, keys: Sequence[str], workers: int
) -> "DataFrame":
    """A pool of processes: as the pool of threads, but each makes a client when it begins."""
    begin, futures = (_begin, (clients.settings(s3),)), []
    with ProcessPoolExecutor(workers, get_context("spawn"), *begin) as pool:
        with Rows(keys) as rows:
            with suppress(BrokenProcessPool):  # a worker died: its objects' rows will say so
                for key in keys:
                    futures.append(pool.submit(_one, source, destination, key))
                    futures[-1].add_done_callback(partial(rows.add_from, key))
            rows.watch(lambda: all(map(Future.done, futures)))
        pool.shutdown(cancel_futures=True)
    return rows.frame()


def _begin(settings: dict[str, Any]) -> None:
    global _s3
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent, which ends us
    _s3 = clients.client(settings)


def _one(source: str, destination: str, key: str) -> Row:
    return copy(_s3, source, destination, key, str(os.getpid()))


def multiprocess(
    s3: Any, source: str, destination: str, keys: Sequence[str], workers: int
) -> "DataFrame":
    """Processes by hand: to each its share of the objects; rows come back through a pipe each."""
    spawn, settings = get_context("spawn"), clients.settings(s3)
    stop, pipes, processes = spawn.Event(), [], []
    with Rows(keys) as rows:
        for share in (list(keys)[first::workers] for first in range(workers)):
            ours, theirs = spawn.Pipe(duplex=False)
            job = (settings, source, destination, share, theirs, stop)
            processes.append(spawn.Process(target=_share, args=job, daemon=True))
            processes[-1].start()
            theirs.close()  # the child has the only other end: when it dies, ours ends
            pipes.append(ours)
        _receive(pipes, rows)
    if rows.stopped:
        stop.set()
        _receive(pipes, rows)
    for process in processes:
        process.join()
    return rows.frame()


def _share(settings, source, destination, keys, pipe, stop) -> None:
    _begin(settings)
    for key in keys:
        if stop.is_set():
            break
        pipe.send(_one(source, destination, key))


def _receive(pipes: list[Connection], rows: Rows) -> None:
    """Take rows until every pipe has ended, and with it its process."""
    while pipes:
        for pipe in wait(pipes, timeout=LOOK):
            try:
                rows.add(pipe.recv())
            except EOFError:
                pipes.remove(pipe)
        rows.show()
