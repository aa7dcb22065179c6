"""`catch_up("31.2")`: what the sections before this one make, for who comes straight to it."""

import ast
import re
from typing import Any

from labs import exercises
from labs.course import blocks, notebook
from labs.course.answers import in_words
from labs.course.blocks import FAILED, NOTE, UNTRIED, Block
from labs.course.notebook import Cell
from labs.exercises import NoSuchExercise

CALL = re.compile(r"""^catch_up\(["'](\d\d\.\w+)["']\)""", re.M)

#: The connection for which this module ran cells, and the names that those bound.
_caught_up: tuple[Any, set[str]] = (None, set())


def catch_up(section_id: str) -> None:
    """Say nothing if all that the section needs is there; otherwise make it and say what ran."""
    block = bring(section_id)
    if block is not None:
        blocks.show(block)


def bring(section_id: str) -> Block | None:
    """Make what is missing; None if nothing is."""
    try:
        number = exercises.lesson_of(section_id)
    except NoSuchExercise as wrong:
        return Block(NOTE, str(wrong))
    cells = above(section_id, notebook.code_cells(number))
    if notebook.connection() is None and any(map(is_set_up, cells)):
        how = "Run it, then run this cell again: it does the rest."
        return Block(UNTRIED, "The set-up cell has not run in this kernel.", [("", how)])
    if is_satisfied(section_id):
        return None
    try:
        return caught_up(run(since_satisfied(cells)))
    except CellFailed as failure:
        if getattr(notebook.connection(), "mode", "") != "mock":
            return stopped(failure)
    # What is there already is in the way: a second table of one name. Only the mock is emptied.
    try:
        return caught_up(run(cells), "Began afresh: what you had made by half was in the way.")
    except CellFailed as failure:
        return stopped(failure)


def above(section_id: str, cells: tuple[Cell, ...]) -> list[Cell]:
    """The cells above the one that calls `catch_up` for this section."""
    for index, cell in enumerate(cells):
        if section_of(cell) == section_id:
            return list(cells[:index])
    return []


def section_of(cell: Cell) -> str | None:
    """The section that a cell begins by catching up."""
    call = CALL.search(cell.source)
    return call[1] if call else None


def since_satisfied(cells: list[Cell]) -> list[Cell]:
    """The cells below the last section that has what it needs; all but the set-up, if none has."""
    for index in reversed(range(len(cells))):
        section = section_of(cells[index])
        if section and is_satisfied(section):
            return cells[index + 1 :]
    return [cell for cell in cells if not is_set_up(cell)]


def is_set_up(cell: Cell) -> bool:
    """Does this cell begin the lesson afresh?"""
    return "cloud.connect(" in cell.source


def is_satisfied(section_id: str) -> bool:
    """Are the names and the resources there that a section needs?"""
    needs, there = exercises.needs(section_id), notebook.namespace()
    if any(there.get(name, ...) is ... for name in needs):  # dots: an exercise nobody has answered
        return False
    try:
        ready = exercises.is_ready(notebook.connection(), section_id)
    except Exception:  # a service that answers with a fault has not got what is needed
        return False
    return made_since_set_up(set(needs), notebook.history()) if ready is None else ready


def made_since_set_up(names: set[str], history: list[str]) -> bool:
    """Has each name been bound since the account was emptied?

    Who runs the set-up cell again keeps the names and loses what they stood for.
    """
    set_ups = [index for index, source in enumerate(history) if "cloud.connect(" in source]
    if not set_ups:
        return True
    connection, made = _caught_up
    made = made if connection is notebook.connection() else set()
    return names <= made.union(*map(bound_names, history[set_ups[-1] :]))


def bound_names(source: str) -> set[str]:
    """Names that a cell binds; none for one that is not Python."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set()
    names: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store()):
                names.add(name)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                names.add(name)
            case ast.ClassDef(name=name):
                names.add(name)
            case ast.alias(name=name, asname=other):
                names.add((other or name).partition(".")[0])
    return names


class CellFailed(Exception):
    """A cell of the course ended with an exception. done: what ran before it, in words."""

    def __init__(self, cell: Cell, wrong: BaseException, done: list[str]) -> None:
        super().__init__(f"{type(wrong).__name__}: {in_words(str(wrong))}")
        self.cell, self.done = cell, done


def run(cells: list[Cell]) -> list[str]:
    """Run what makes state, exercises with their solutions; what ran, in words.

    Raises CellFailed.
    """
    done: list[str] = []
    for cell in cells:
        if "state" not in cell.tags and not cell.exercise:
            continue
        source = exercises.find(cell.exercise).solution if cell.exercise else cell.source
        try:
            run_quietly(source)
        except KeyboardInterrupt:
            raise
        except BaseException as wrong:
            raise CellFailed(cell, wrong, done) from wrong
        done.append(f"the solution of {cell.exercise}" if cell.exercise else f"`{cell.id}`")
    return done


def run_quietly(source: str) -> None:
    """Run a cell in the learner's namespace without showing its output; raises what it raises.

    Not by `run_cell`, which would print a traceback over any message of ours.
    """
    from IPython.utils.capture import capture_output

    global _caught_up
    shell = notebook.shell()
    code = shell.transform_cell(source)
    name = shell.compile.cache(code, raw_code=source)  # so that inspect finds the source
    with capture_output():
        exec(compile(code, name, "exec"), shell.user_ns)  # noqa: S102  the course's own cells
    connection, made = _caught_up
    now = notebook.connection()
    _caught_up = (now, (made if connection is now else set()) | bound_names(code))


def caught_up(done: list[str], first: str = "") -> Block:
    """The block that says what ran."""
    lines = [("", first)] if first else []
    ran = ", ".join(done) or "nothing: no earlier cell makes what is missing"
    return Block(
        NOTE, "Caught up: what this section needs is there.", [*lines, ("Ran for you", ran)]
    )


def stopped(failure: CellFailed) -> Block:
    """The block for a cell that did not run to its end."""
    return Block(
        FAILED,
        "Could not catch up.",
        [
            ("Ran for you", ", ".join(failure.done) or "nothing"),
            ("Stopped", f"at `{failure.cell.id}`: {failure}"),
            ("Instead", "run the set-up cell, then each cell from the top down to here."),
        ],
    )
