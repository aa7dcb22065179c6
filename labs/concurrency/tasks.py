"""Copies by tasks of asyncio: one thread that waits for many answers, or hands calls to threads.

A notebook's kernel has an event loop at work already, in which `asyncio.run` refuses to start
another: each way here runs its loop in a thread of its own.
"""

import asyncio
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from aiobotocore.config import AioConfig
from aiobotocore.session import get_session

from labs.concurrency import clients
from labs.concurrency.one_object import copy, copy_async
from labs.concurrency.rows import Rows

if TYPE_CHECKING:
    from pandas import DataFrame


def asynchronous(
    s3: Any, source: str, destination: str, keys: Sequence[str], workers: int
) -> "DataFrame":
    """One thread; `workers` tasks, each with one call on its way, by a client of aiobotocore's."""
    settings, todo = clients.settings(s3), iter(keys)
    settings["config"] = AioConfig(**settings["config"])

    async def work(s3: Any, name: str) -> None:
        for key in todo:
            if rows.stopped:
                break
            rows.add(await copy_async(s3, source, destination, key, name))

    async def all_tasks() -> None:
        client = get_session().create_client("s3", **settings)
        async with client as s3, asyncio.TaskGroup() as tasks:
            for number in range(workers):
                tasks.create_task(work(s3, str(number)))

    with ThreadPoolExecutor(1) as own, Rows(keys) as rows:
        running = own.submit(asyncio.run, all_tasks())
        rows.watch(running.done)
    running.result()
    return rows.frame()


def to_thread(
    s3: Any, source: str, destination: str, keys: Sequence[str], workers: int
) -> "DataFrame":
    """Tasks around blocking calls. asyncio has few threads of its own, so the loop gets ours."""

    def one(key: str) -> None:
        if not rows.stopped:
            rows.add(copy(s3, source, destination, key, threading.current_thread().name))

    async def all_tasks() -> None:
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(workers))
        async with asyncio.TaskGroup() as tasks:
            for key in keys:
                tasks.create_task(asyncio.to_thread(one, key))

    with ThreadPoolExecutor(1) as own, Rows(keys) as rows:
        running = own.submit(asyncio.run, all_tasks())
        rows.watch(running.done)
    running.result()
    return rows.frame()
