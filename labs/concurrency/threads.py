"""Copies one by one, and by threads that share one client.

A client of boto3's may be shared by threads (boto3 guide, "Clients: multithreading"). It keeps
10 connections unless `Config(max_pool_connections=...)` says more; threads beyond that wait.
"""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from labs.concurrency.one_object import copy
from labs.concurrency.rows import Rows

if TYPE_CHECKING:
    from pandas import DataFrame


def loop(
    s3: Any, source: str, destination: str, keys: Sequence[str], workers: int = 1
) -> "DataFrame":
    """One after the other, whatever `workers` says. An interrupt cuts off the copy at hand.

    S3 may finish that one all the same; it has no row.
    """
    with Rows(keys) as rows:
        for key in keys:
            rows.add(copy(s3, source, destination, key, "loop"))
            rows.show()
    return rows.frame()


def semaphore(
    s3: Any, source: str, destination: str, keys: Sequence[str], workers: int
) -> "DataFrame":
    """A thread for each object; a semaphore lets no more than `workers` of them begin."""
    gate, threads = threading.Semaphore(workers), []

    def one(key: str) -> None:
        with gate:
            if not rows.stopped:
                rows.add(copy(s3, source, destination, key, threading.current_thread().name))

    with Rows(keys) as rows:
        for key in keys:
            threads.append(threading.Thread(target=one, args=(key,)))
            threads[-1].start()
        rows.watch()
    for thread in threads:  # after an interrupt: those at work finish their object
        thread.join()
    return rows.frame()


def thread_pool(
    s3: Any, source: str, destination: str, keys: Sequence[str], workers: int
) -> "DataFrame":
    """As many threads as `workers`; each takes the next object when it is done with one."""

    def one(key: str) -> None:
        if not rows.stopped:
            rows.add(copy(s3, source, destination, key, threading.current_thread().name))

    with ThreadPoolExecutor(workers) as pool, Rows(keys) as rows:
        for key in keys:
            pool.submit(one, key)
        rows.watch()
    return rows.frame()
