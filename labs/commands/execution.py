"""Executes one notebook in a kernel of its own and says how it went."""

import asyncio
import os
import time
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import nbformat
from jupyter_client import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

from labs.commands.memory import Peak


@dataclass(frozen=True)
class Failure:
    """The cell that stopped a lesson; `cell` counts code and text cells from 1."""

    cell: int
    id: str
    name: str
    value: str

    def __str__(self) -> str:
        return f"cell {self.cell} (id {self.id}): {self.name}: {self.value}"


@dataclass(frozen=True)
class Execution:
    """A notebook with its outputs, what it took, and the failure if it has one."""

    notebook: nbformat.NotebookNode
    seconds: float
    peak_bytes: int
    failure: Failure | None


def execute(
    path: Path,
    environ: Mapping[str, str],
    sockets: Path,
    *,
    cell_seconds: float,
    progress: Callable[[int, int], None] = lambda done, all_cells: None,
) -> Execution:
    """Run every cell of the notebook `path` until one fails, in the folder where it lies.

    `environ` is the kernel's environment, `sockets` a private folder with a short path. `progress`
    is called with (cells done, cells in all). The kernel has ended when this returns or raises;
    what it said outside the cells is in a `.log` beside the notebook.
    """
    notebook = nbformat.read(path, as_version=4)
    manager = AsyncKernelManager(connection_file=str(sockets / "kernel.json"))
    if os.name == "posix":
        manager.transport = "ipc"
    place = Cursor(len(notebook.cells), progress)
    client = NotebookClient(
        notebook,
        km=manager,
        timeout=cell_seconds,
        on_cell_start=place.begin,
        on_cell_complete=place.end,
    )
    peak = Peak()
    failure = None
    began = time.monotonic()
    with path.with_suffix(".log").open("wb") as log:
        start = {"cwd": str(path.parent), "env": dict(environ), "stdout": log, "stderr": log}
        try:
            run_interruptibly(in_kernel(client, manager, peak, start))
            progress(len(notebook.cells), len(notebook.cells))  # text may follow the last code
        except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
            failure = explain(error, place.index, notebook, cell_seconds)
    return Execution(notebook, time.monotonic() - began, peak.bytes, failure)


async def in_kernel(
    client: NotebookClient, manager: AsyncKernelManager, peak: Peak, start: Mapping[str, object]
) -> None:
    """Start a kernel, run all cells, measure, and end the kernel whatever happened."""
    await manager.start_kernel(**start)
    try:
        with peak.of(manager.provisioner.pid):
            await client.async_execute()
    except BaseException:
        if await manager.is_alive():
            await manager.interrupt_kernel()  # a busy kernel hears no request to shut down
        raise
    finally:
        if client.kc is not None:
            client.kc.stop_channels()
        await manager.shutdown_kernel()  # it may end by itself first, and its mock with it


def run_interruptibly(work: Coroutine[object, object, None]) -> None:
    """Run a coroutine in a thread, where nbclient cannot take Ctrl-C for itself.

    In the main thread it answers SIGINT by ending the kernel and going on, so that a stopped run
    would look like a kernel that died. Here Ctrl-C cancels the coroutine, which cleans up.
    """
    started: Future[tuple[asyncio.AbstractEventLoop, asyncio.Task]] = Future()

    async def announced() -> None:
        started.set_result((asyncio.get_running_loop(), asyncio.current_task()))
        await work

    with ThreadPoolExecutor(1) as pool:
        ended = pool.submit(asyncio.run, announced())
        try:
            ended.result()
        except KeyboardInterrupt:
            loop, task = started.result()
            with suppress(RuntimeError):  # the loop has closed: there is nothing left to cancel
                loop.call_soon_threadsafe(task.cancel)
            raise


class Cursor:
    """Where in the notebook the execution is."""

    def __init__(self, cells: int, progress: Callable[[int, int], None]) -> None:
        self.index = 0
        self._cells = cells
        self._progress = progress

    def begin(self, cell: nbformat.NotebookNode, cell_index: int) -> None:
        self.index = cell_index

    def end(self, cell: nbformat.NotebookNode, cell_index: int) -> None:
        self._progress(cell_index + 1, self._cells)


def explain(
    error: Exception, index: int, notebook: nbformat.NotebookNode, cell_seconds: float
) -> Failure:
    """The error in one line, with the place where a reader finds it."""
    name, value = type(error).__name__, str(error)
    if isinstance(error, CellExecutionError):
        name, value = error.ename, error.evalue
    elif isinstance(error, CellTimeoutError):
        name, value = "TimeoutError", f"the cell ran longer than {cell_seconds:g} s"
    elif isinstance(error, DeadKernelError):
        name, value = "DeadKernelError", "the kernel died: killed, or out of memory?"
    return Failure(index + 1, notebook.cells[index].get("id", "?"), name, value)
