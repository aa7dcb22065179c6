"""The kernel's side of a notebook: its namespace, what was run in it, and the course's cells."""

import json
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from labs.commands import lessons


@dataclass(frozen=True)
class Cell:
    """A code cell of a lesson. exercise: the id of the exercise that is answered in it, or ""."""

    id: str
    source: str
    tags: frozenset[str]
    exercise: str


def shell() -> Any | None:
    """IPython's shell; None in plain Python."""
    from IPython import get_ipython

    return get_ipython()


def is_in_notebook() -> bool:
    """Is there a front end that can show widgets? A terminal cannot."""
    return getattr(shell(), "kernel", None) is not None


def history() -> list[str]:
    """Sources of the cells run in this kernel, as typed; the last is that which runs now."""
    manager = getattr(shell(), "history_manager", None)
    return list(getattr(manager, "input_hist_raw", []))


def namespace() -> dict[str, Any]:
    """The learner's variables."""
    return getattr(shell(), "user_ns", {})


@cache
def code_cells(number: str) -> tuple[Cell, ...]:
    """The code cells of a lesson as the course ships it, not of the learner's copy of it.

    The learner may have edited, cut or renamed theirs. Empty where the course has no such lesson.
    """
    paths = [path for path in lessons.lessons() if lessons.number(path) == number]
    return parse(paths[0]) if paths else ()


def parse(path: Path) -> tuple[Cell, ...]:
    """The code cells of a notebook file."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return tuple(
        Cell(
            cell.get("id", ""),
            "".join(cell["source"]),
            frozenset(cell["metadata"].get("tags", ())),
            cell["metadata"].get("labs", {}).get("exercise", ""),
        )
        for cell in cells
        if cell["cell_type"] == "code"
    )


def stub(exercise_id: str) -> str | None:
    """What stands in the exercise's cell before the learner writes into it."""
    cells = code_cells(exercise_id.partition(".")[0])
    return next((cell.source for cell in cells if cell.exercise == exercise_id), None)


def connection() -> Any | None:
    """What `cloud.connect()` returned last; None when the lesson has not connected."""
    # Importing it would set up the mock's environment, too late for what was imported before.
    cloud = sys.modules.get("labs.cloud")
    try:
        return cloud.current() if cloud else None
    except RuntimeError:
        return None
