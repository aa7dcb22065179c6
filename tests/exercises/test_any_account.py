"""Each check, asked in front of an empty account, about answers of the wrong kind, is readable."""

import inspect

import pytest

from labs import cloud, exercises
from labs.course import exercise
from labs.course.blocks import FAILED, UNTRIED


class Grumpy:
    """Refuses everything that a check may do to it."""

    def __refuse(self, *_):
        raise RuntimeError("do not touch me")

    __eq__ = __ne__ = __repr__ = __str__ = __hash__ = __bool__ = __len__ = __iter__ = __refuse


ANSWERS = (Grumpy(), 3, [], {}, "x", "x" * 1_000_000, print, int)


@pytest.mark.parametrize("number", exercises.lessons())
def test_no_state_of_the_account_and_no_answer_is_too_odd(number, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LABS_HOME", str(tmp_path / "home"))
    with cloud.connect("mock", lesson=int(number)):
        for asked in exercises.of_lesson(number):
            wanted = len(inspect.signature(asked.check).parameters) - 1  # without the connection
            for answer in ANSWERS if wanted else (None,):
                block = exercise.assess(asked, (answer,) * wanted)
                assert block.mark in (FAILED, UNTRIED), f"{asked.id} accepts {type(answer)}"
                assert len(block.plain()) < 3000
                assert asked.solution not in block.plain()
