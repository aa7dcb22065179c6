"""A lesson that only tests know, and a data folder of their own."""

import sys
from types import ModuleType

import pytest

from labs.course import catching_up, events, notebook
from labs.exercises import Exercise, NotTried, NotYet


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """An empty data folder."""
    monkeypatch.setenv("LABS_HOME", str(tmp_path / "my home"))
    monkeypatch.setattr(events, "_unsaved", [])
    return tmp_path / "my home"


@pytest.fixture(autouse=True)
def no_kernel(monkeypatch):
    """No connection and nothing typed, whatever other tests of this process have left."""
    monkeypatch.setattr(notebook, "connection", lambda: None)
    monkeypatch.setattr(notebook, "history", list)
    monkeypatch.setattr(catching_up, "_caught_up", (None, set()))


def check_sum(aws, answer):
    """What is 2 + 2?"""
    if answer == 5:
        raise NotYet(found="5", expected="the sum of 2 and 2", look_at="your `fingers`.")
    if answer == "later":
        raise NotTried
    if answer != 4:
        raise NotYet(found=f"{answer}", expected="the sum of 2 and 2", look_at="a calculator.")


SUM = Exercise(
    id="99.1",
    title="add two numbers",
    kind="build",
    check=check_sum,
    hints=("How many is two?", "Count on from two."),
    solution="answer = 4  # two and two",
    also=("answer = 2 + 2",),
    wrong={"answer = 5": "found: 5"},
)


@pytest.fixture(autouse=True)
def lesson(monkeypatch):
    """Lesson 99 with one exercise."""
    module = ModuleType("labs.exercises.lesson_99")
    module.EXERCISES = (SUM,)
    module.NEEDS = {"99.2": ("answer",)}
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return module
