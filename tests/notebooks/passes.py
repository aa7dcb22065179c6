"""How a lesson is gone through, and what may be wrong with it, in sentences.

Each pass takes a lesson and a running kernel and yields complaints that name the cell. A lesson
without complaints is one that a learner can take in this way.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from labs import exercises
from labs.course.blocks import FAILED, PASSED, UNTRIED
from labs.course.catching_up import CALL
from labs.exercises import Exercise
from tests.notebooks.kernels import Kernel, Shown

MARKS = {PASSED: "passed", FAILED: "not yet", UNTRIED: "not tried"}

#: Lesson -> cell id -> what it shows to a learner who answers nothing: what the text speaks of.
EXPECTED = {
    "00": {
        "send-message": "awsadvent: 1, some: 1, words: 1",
        "watch-table": "{'awsadvent': 11, 'some': 11, 'words': 11}",
        "send-again": "awsadvent: 12, some: 12, words: 12",
    },
    "31": {
        "count-by-hand": "Decimal('1')",
        "invoke": "hello: 2",
        "read-log": "{'hello': 2}",
        "post-message": "awsadvent: 1, some: 1, words: 1",
    },
    "32": {
        "post-first": "awsadvent: 1, some: 1, words: 1",
        "wait-eleven": "11",
        "post-second": "12",
    },
}


@dataclass(frozen=True)
class Lesson:
    """The code cells of a lesson, its exercises by id, and text that some cells must show."""

    number: str
    cells: tuple[NotebookNode, ...]
    exercises: dict[str, Exercise]
    expected: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> "Lesson":
        """A lesson of the course: its notebook, and its module in labs.exercises."""
        number = path.name[:2]
        found = {exercise.id: exercise for exercise in exercises.of_lesson(number)}
        cells = code_cells(nbformat.read(path, as_version=4))
        return cls(number, cells, found, EXPECTED.get(number, {}))

    @property
    def restart_points(self) -> list[str]:
        """The ids of the sections that can be begun after a restart."""
        return [section for cell in self.cells if (section := section_of(cell))]


def code_cells(notebook: NotebookNode) -> tuple[NotebookNode, ...]:
    """The code cells of a notebook."""
    return tuple(cell for cell in notebook.cells if cell.cell_type == "code")


def as_learner(lesson: Lesson, kernel: Kernel) -> Iterator[str]:
    """Run All, unanswered, and Run All again: no error, no check that marks an untouched stub."""
    for cell_id in lesson.expected.keys() - {cell.id for cell in lesson.cells}:
        yield f"{cell_id}: there is no such cell, and something is expected of it"
    for run in ("first", "second"):
        for cell in lesson.cells:
            shown = kernel.run(cell.source)
            yield from (f"{run} run, {said}" for said in wrong_with(cell, shown))
            if lesson.expected.get(cell.id, "") not in shown.text:
                yield f"{run} run, {cell.id}: not {lesson.expected[cell.id]!r} but {shown.text}"
            if is_check(cell) and verdict(shown) != "not tried":
                yield f"{run} run, {cell.id}: an untouched stub is called {verdict(shown)!r}"


def as_solver(lesson: Lesson, kernel: Kernel) -> Iterator[str]:
    """Run All twice: with wrong answers before each solution, and with the other right answers.

    Each run begins with an empty account, so no right answer profits from another. Where every
    exercise is solved, `catch_up` has nothing to do and says nothing.
    """
    for run in ("first", "second"):
        for index, cell in enumerate(lesson.cells):
            exercise = lesson.exercises.get(exercise_of(cell))
            asking = next_check(lesson, index) if exercise else None
            if exercise is None:
                shown = kernel.run(cell.source)
                yield from wrong_with(cell, shown)
                if section_of(cell) and shown.text:
                    yield f"{cell.id}: not silent, though all above is solved: {shown.text}"
            elif asking is None:
                yield f"{cell.id}: no cell below it begins with check({exercise.id!r}"
            elif run == "first":
                yield from refuses(kernel, cell.source, asking, "not tried", "")
                for source, message in exercise.wrong.items():
                    yield from refuses(kernel, source, asking, "not yet", message)
                yield from accepts(kernel, exercise.solution, asking)
            else:
                for source in exercise.also:
                    yield from accepts(kernel, source, asking)


def after_restart(lesson: Lesson, kernel: Kernel, section_id: str) -> Iterator[str]:
    """A fresh kernel, the set-up cell, then from this section to the end."""
    begin = [section_of(cell) for cell in lesson.cells].index(section_id)
    for cell in (lesson.cells[0], *lesson.cells[begin:]):
        yield from wrong_with(cell, kernel.run(cell.source))


def after_set_up_again(lesson: Lesson, kernel: Kernel, section_id: str) -> Iterator[str]:
    """All above the section, the set-up cell again, and on: the names are there, the cloud new."""
    begin = [section_of(cell) for cell in lesson.cells].index(section_id)
    for cell in (*lesson.cells[:begin], lesson.cells[0], *lesson.cells[begin:]):
        yield from wrong_with(cell, kernel.run(cell.source))


def in_live_mode(lesson: Lesson, kernel: Kernel) -> Iterator[tuple[str, str]]:
    """(cell id, error code) of each cell that fails where AWS has no motors and no bad weather.

    Catching up is left out: it would run cells that need a motor.
    """
    for cell in lesson.cells:
        if not {"mock-only", "motor"} & tags(cell) and not section_of(cell):
            code = error_code(kernel.run(cell.source))
            if code:
                yield cell.id, code


def refuses(
    kernel: Kernel, source: str, asking: NotebookNode, wanted: str, message: str
) -> Iterator[str]:
    """Is this answer refused, in these words?"""
    kernel.run(source)  # which may itself fail: a learner's answer can
    shown = kernel.run(asking.source)
    answer = f"answer beginning {source.strip().splitlines()[:1]}"
    yield from wrong_with(asking, shown)
    if verdict(shown) != wanted:
        yield f"{asking.id}: {answer} is called {verdict(shown)!r}, not {wanted!r}: {shown.text}"
    elif message.lower() not in shown.text.lower():
        yield f"{asking.id}: {answer} is not told {message!r} but: {shown.text}"


def accepts(kernel: Kernel, source: str, asking: NotebookNode) -> Iterator[str]:
    """Is this answer accepted, and does its cell run?"""
    answer = f"right answer beginning {source.strip().splitlines()[:1]}"
    ran = kernel.run(source)
    if ran.error:
        yield f"{asking.id}: {answer} fails: {ran.error}"
    shown = kernel.run(asking.source)
    yield from wrong_with(asking, shown)
    if verdict(shown) != "passed":
        yield f"{asking.id}: {answer} is called {verdict(shown)!r}: {shown.text}"


def wrong_with(cell: NotebookNode, shown: Shown) -> Iterator[str]:
    """An error, a picture without words, or a section that could not be caught up."""
    if shown.error:
        yield f"{cell.id}: {shown.error}"
    for output in shown.outputs:
        if not has_words(output):
            yield f"{cell.id}: a picture without words"
    if section_of(cell) and verdict(shown) in MARKS.values():
        yield f"{cell.id}: {shown.text}"


def has_words(output: NotebookNode) -> bool:
    """Is it no picture, or one with alternative text that JupyterLab and exports show?"""
    data = output.get("data", {})
    if "image/png" not in data:
        return True
    alt = output.metadata.get("image/png", {}).get("alt", "")
    return len(alt) > 30 and '<img alt="' in data.get("text/html", "")


def verdict(shown: Shown) -> str:
    """What a check called the answer, by the mark its block begins with."""
    return MARKS.get(shown.text[:1], shown.text[:60] or "nothing")


def error_code(shown: Shown) -> str:
    """AWS's code of the error that ended a cell, else the exception's name; "" if none did.

    botocore says: An error occurred (CODE) when calling the OPERATION operation: MESSAGE.
    """
    name, _, message = shown.error.partition(": ")
    before, bracket, rest = message.partition("An error occurred (")
    return rest.partition(")")[0] if bracket and not before else name


def tags(cell: NotebookNode) -> set[str]:
    return set(cell.metadata.get("tags", ()))


def exercise_of(cell: NotebookNode) -> str:
    """The id of the exercise that is answered in a cell, or ""."""
    return cell.metadata.get("labs", {}).get("exercise", "")


def section_of(cell: NotebookNode) -> str | None:
    """The section that a cell begins by catching up, or None."""
    call = CALL.search(cell.source)
    return call[1] if call else None


def is_check(cell: NotebookNode) -> bool:
    return cell.source.startswith("check(")


def next_check(lesson: Lesson, index: int) -> NotebookNode | None:
    """The cell that checks the exercise answered in cell `index`."""
    exercise_id = exercise_of(lesson.cells[index])
    for cell in lesson.cells[index + 1 :]:
        if cell.source.startswith((f'check("{exercise_id}"', f"check('{exercise_id}'")):
            return cell
    return None
