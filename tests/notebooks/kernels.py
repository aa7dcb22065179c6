"""Kernels that run the cells of a lesson, one after the other, and say what each one showed."""

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from jupyter_client import KernelManager
from nbformat import NotebookNode, from_dict
from nbformat.v4 import output_from_msg

from labs.commands.folders import short_temporary_folder

START_SECONDS, CELL_SECONDS = 60, 60


@dataclass(frozen=True)
class Shown:
    """What a cell showed: its outputs, as a notebook keeps them. error: "" or "Name: message"."""

    outputs: list[NotebookNode] = field(default_factory=list)

    @property
    def error(self) -> str:
        """The exception that ended the cell, in a line. A part of a cell can show one, too."""
        found = [out for out in self.outputs if out.output_type == "error"]
        return f"{found[0].ename}: {found[0].evalue}" if found else ""

    @property
    def text(self) -> str:
        """All of it as plain text, with a terminal's line ends made plain."""
        parts = [out.get("text") or plain(out.get("data", {})) for out in self.outputs]
        return "\n".join(parts).replace("\r\n", "\n")


class Kernel:
    """A running kernel; `run` a cell in it."""

    def __init__(self, client) -> None:
        self._client = client

    def run(self, source: str, seconds: float = CELL_SECONDS) -> Shown:
        """Run one cell and wait for it. Raises TimeoutError, RuntimeError for a dead kernel."""
        outputs: list[NotebookNode] = []
        places: dict[str, NotebookNode] = {}

        def keep(message: dict) -> None:
            keep_output(message, outputs, places)

        self._client.execute_interactive(
            source, output_hook=keep, timeout=seconds, allow_stdin=False, stop_on_error=False
        )
        return Shown(outputs)


@contextmanager
def kernel(folder: Path, environ: Mapping[str, str]) -> Iterator[Kernel]:
    """A fresh kernel that works in `folder`, whose whole environment is `environ`.

    What it says outside the cells goes to `kernel.log` there. It has ended when the block ends.
    """
    folder.mkdir(parents=True, exist_ok=True)
    sockets = short_temporary_folder()
    manager = KernelManager(connection_file=str(sockets / "kernel.json"))
    if os.name == "posix":
        manager.transport = "ipc"
    with (folder / "kernel.log").open("ab") as log:
        try:
            manager.start_kernel(cwd=str(folder), env=dict(environ), stdout=log, stderr=log)
            client = manager.client()
            client.start_channels()
            try:
                client.wait_for_ready(timeout=START_SECONDS)
                yield Kernel(client)
            finally:
                client.stop_channels()
        finally:
            if manager.has_kernel:
                manager.shutdown_kernel()
            shutil.rmtree(sockets, ignore_errors=True)


def keep_output(
    message: dict, outputs: list[NotebookNode], places: dict[str, NotebookNode]
) -> None:
    """Keep what a message of the kernel's shows; an update replaces what is in its place."""
    kind, content = message["header"]["msg_type"], message["content"]
    place = content.get("transient", {}).get("display_id")
    if kind == "update_display_data" and place in places:
        places[place].update(
            data=from_dict(content["data"]), metadata=from_dict(content["metadata"])
        )
    elif kind in ("stream", "display_data", "execute_result", "error"):
        outputs.append(output_from_msg(message))
        if place:
            places[place] = outputs[-1]


def plain(data: Mapping[str, str]) -> str:
    """The text of an output with several forms."""
    return data.get("text/plain", "")
