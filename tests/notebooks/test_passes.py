"""The passes find what they are there for: a small good lesson, broken in one way at a time."""

import os
from dataclasses import dataclass
from types import ModuleType

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from labs.commands.lab import mock_environment
from tests.notebooks import passes
from tests.notebooks.kernels import kernel
from tests.notebooks.passes import Lesson, error_code
from tests.notebooks.test_lessons import live_environment

#: Puts lesson 99 into the kernel, with a cloud that is a list of what was made.
INSTALL = """
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from labs.commands import lessons
from labs.course import catch_up, check, notebook

now = SimpleNamespace(mode="mock", made=None)

class cloud:
    def connect(lesson):
        now.made = []
        return now

def install(path, source):
    for name in [name for name in globals() if name in {"first", "answer", "aws"}]:
        del globals()[name]
    module = ModuleType("labs.exercises.lesson_99")
    exec(source, module.__dict__)
    sys.modules[module.__name__] = module
    lessons.lessons = lambda course=None: [Path(path)]
    notebook.code_cells.cache_clear()
    notebook.connection = lambda: now
"""
MODULE = """
from labs.exercises import Exercise, NotTried, NotYet

def check_sum(aws, answer):
    if answer != 4:
        raise NotYet(found=f"{answer}", expected="a sum", look_at="your fingers.")

EXERCISES = (
    Exercise(
        "99.1", "add", "build", check_sum, ("a", "b"), "answer = 4",
        also=("answer = 2 + 2",),
        wrong={"answer = 5": "Found: 5", "answer = 1 / 0": "Found: 5", "answer = 6": "Found: 6"},
    ),
)
NEEDS = {"99.2": ("first", "answer")}
"""
CELLS = {
    "setup": "aws = cloud.connect(lesson=99)",
    "make": "assert 'first' not in aws.made\naws.made.append('first')\nfirst = 1",
    "answer": "answer = ...",
    "check": 'check("99.1", answer)',
    "catch-up": 'catch_up("99.2")',
    "use": "first, answer",
}
TAGS = {"setup": ["state"], "make": ["state"]}


@dataclass
class Fixture:
    """A lesson that can be broken before it is read."""

    module: str
    cells: dict[str, str]
    tags: dict[str, list[str]]
    expected: dict[str, str]

    def lesson(self) -> Lesson:
        """The lesson as the passes take it."""
        module = ModuleType("lesson")
        exec(self.module, module.__dict__)
        found = {exercise.id: exercise for exercise in module.EXERCISES}
        return Lesson("99", passes.code_cells(self.notebook()), found, self.expected)

    def notebook(self) -> nbformat.NotebookNode:
        cells = [
            new_code_cell(source, id=cell_id, metadata={"tags": self.tags.get(cell_id, [])})
            for cell_id, source in self.cells.items()
        ]
        for cell in cells:
            if cell.id == "answer":
                cell.metadata["labs"] = {"exercise": "99.1"}
        return new_notebook(cells=cells)


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """One kernel for all of these: none of them needs a mock."""
    folder = tmp_path_factory.mktemp("passes")
    with (
        mock_environment(os.environ | {"LABS_HOME": str(folder / "home")}) as (environ, _),
        kernel(folder, environ) as running,
    ):
        assert running.run(INSTALL).error == ""
        yield running


@pytest.fixture
def complaints(running, tmp_path):
    """What a pass says of a lesson that something was done to."""

    def through(one_pass, break_it=lambda fixture: None, *more) -> str:
        fixture = Fixture(MODULE, dict(CELLS), dict(TAGS), {"use": "(1, 4)"})
        break_it(fixture)
        path = tmp_path / "99_fixture.ipynb"
        nbformat.write(fixture.notebook(), path)
        assert running.run(f"install({str(path)!r}, {fixture.module!r})").error == ""
        return "\n".join(one_pass(fixture.lesson(), running, *more))

    return through


def with_cell(cell_id, source):
    return lambda fixture: fixture.cells.update({cell_id: source})


def with_module(old, new):
    """Replaces a part of the lesson's module."""

    def replace(fixture):
        assert old in fixture.module
        fixture.module = fixture.module.replace(old, new)

    return replace


PICTURE = "from IPython.display import display\ndisplay({'image/png': 'iVBO'}, raw=True)"
EVERYWHERE = [
    (passes.as_learner, ()),
    (passes.as_solver, ()),
    (passes.after_restart, ("99.2",)),
    (passes.after_set_up_again, ("99.2",)),
]
BROKEN = {
    "a cell fails": (passes.as_learner, with_cell("use", "1 / 0"), "ZeroDivisionError"),
    "a picture has no words": (passes.as_learner, with_cell("use", PICTURE), "picture"),
    "a cell cannot run twice": (
        passes.as_learner,
        with_cell("setup", "aws = now\naws.made = aws.made or []"),
        "second run, make: AssertionError",
    ),
    "a cell shows something else": (
        passes.as_learner,
        lambda fixture: fixture.expected.update(use="(1, 5)"),
        "use: not '(1, 5)'",
    ),
    "an expectation is of no cell": (
        passes.as_learner,
        lambda fixture: fixture.expected.update(gone="1"),
        "gone: there is no such cell",
    ),
    "a stub is called wrong": (
        passes.as_learner,
        with_cell("check", 'check("99.1", 7)'),
        "called 'not yet'",
    ),
    "a stub is called right": (passes.as_solver, with_cell("answer", "answer = 4"), "'not tried'"),
    "a wrong answer is accepted": (
        passes.as_solver,
        with_module("answer != 4", "answer not in (4, 6)"),
        "answer = 6'] is called 'passed'",
    ),
    "a wrong answer gets another message": (
        passes.as_solver,
        with_module('"Found: 6"', '"Found: six"'),
        "is not told 'Found: six'",
    ),
    "a solution is refused": (passes.as_solver, with_module('"answer = 4"', '"answer = 8"'), "= 8"),
    "another right answer is refused": (
        passes.as_solver,
        with_module("2 + 2", "2 + 3"),
        "2 + 3'] is called 'not yet'",
    ),
    "a solution's cell fails": (
        passes.as_solver,
        with_module('"answer = 4"', '"answer = 4; 1 / 0"'),
        "fails: ZeroDivisionError",
    ),
    "an exercise is never checked": (
        passes.as_solver,
        lambda fixture: fixture.cells.pop("check"),
        "no cell below it begins with check('99.1'",
    ),
    "catching up is not silent": (
        passes.as_solver,
        with_module('("first", "answer")', '("first", "nobody_makes_this")'),
        "not silent",
    ),
    "what a section needs is not tagged": (
        lambda *lesson: passes.after_restart(*lesson, "99.2"),
        lambda fixture: fixture.tags.pop("make"),
        "NameError",
    ),
    "what a section needs cannot be made": (
        lambda *lesson: passes.after_restart(*lesson, "99.2"),
        with_cell("make", "1 / 0"),
        "Could not catch up",
    ),
    "the cloud is new and the names are old": (
        lambda *lesson: passes.after_set_up_again(*lesson, "99.2"),
        with_cell("use", "assert aws.made == ['second']"),
        "AssertionError",
    ),
}


@pytest.mark.parametrize(("one_pass", "more"), EVERYWHERE)
def test_a_good_lesson_has_no_complaint(one_pass, more, complaints):
    assert complaints(one_pass, lambda fixture: None, *more) == ""


@pytest.mark.parametrize(("one_pass", "break_it", "complaint"), BROKEN.values(), ids=BROKEN)
def test_a_broken_lesson_is_found(one_pass, break_it, complaint, complaints):
    assert complaint in complaints(one_pass, break_it)


def test_live_failures_are_codes_of_cells_that_need_no_motor(running):
    sources = {
        "client-error": "from botocore.exceptions import ClientError as Wrong\n"
        "raise Wrong({'Error': {'Code': 'NoSuchBucket', 'Message': 'no'}}, 'HeadBucket')",
        "other": "1 / 0",
        "fine": "1",
        "motor": "1 / 0",
        "weather": "1 / 0",
    }
    tags = {"motor": ["motor"], "weather": ["mock-only"]}
    cells = [
        new_code_cell(source, id=cell_id, metadata={"tags": tags.get(cell_id, [])})
        for cell_id, source in sources.items()
    ]
    found = list(passes.in_live_mode(Lesson("99", tuple(cells), {}), running))
    assert found == [("client-error", "NoSuchBucket"), ("other", "ZeroDivisionError")]


def test_the_guard_of_live_mode_refuses_what_is_not_this_machine(tmp_path):
    environ = live_environment(tmp_path, "http://127.0.0.1:1")
    connects = "import socket; socket.socket().connect_ex(('{}', 9))"
    with kernel(tmp_path / "course", environ) as live:
        for host in ("192.0.2.1", "8.8.8.8"):
            assert error_code(live.run(connects.format(host))) == "ConnectionRefusedError"
        assert error_code(live.run("socket.getaddrinfo('example.org', 80)")) != ""
        assert live.run(connects.format("127.0.0.1")).error == ""
    assert len((tmp_path / "refused").read_text().splitlines()) == 3
