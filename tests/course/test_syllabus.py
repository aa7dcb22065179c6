"""One table says what each lesson needs and where it leads."""

import pytest

from labs.commands import lessons
from labs.course import syllabus
from labs.course.syllabus import LESSONS, Lesson


def test_every_notebook_is_in_the_table():
    notebooks = {path.stem for path in lessons.lessons()}
    assert notebooks <= {lesson.file for lesson in LESSONS}


def test_the_table_is_in_order_and_files_begin_with_their_number():
    assert [lesson.number for lesson in LESSONS] == sorted({lesson.number for lesson in LESSONS})
    assert all(lesson.file.startswith(f"{lesson.number}_") for lesson in LESSONS)


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.number)
def test_what_a_lesson_needs_comes_before_it(lesson):
    numbers = [what for what in (*lesson.necessary, *lesson.helpful) if what.isdigit()]
    assert all(syllabus.find(number).number < lesson.number for number in numbers)
    assert 0 < lesson.core <= lesson.all
    assert set(lesson.modes) <= {"local", "mock", "live"}


def test_lines(monkeypatch):
    table = (
        Lesson("10", "10_a", "Do a", ("local",), 5, 5),
        Lesson("11", "11_b", "Do b", ("mock", "live"), 30, 60, ("10",), ("12", "HTTP")),
        Lesson("12", "12_c", "Do c", ("mock",), 30, 60),
        Lesson("13", "13_d", "Do d", ("mock",), 30, 60),
    )
    monkeypatch.setattr(syllabus, "LESSONS", table)
    monkeypatch.setattr(syllabus, "exists", lambda lesson: lesson.number != "12")
    assert syllabus.badge("10") == "*local · 5 min (estimated) · nothing to pay*"
    assert syllabus.badge("11").startswith("*mock | live · 30 min core, 60 min all (estimated)")
    assert syllabus.prerequisites("10") == ""
    assert syllabus.prerequisites("11") == (
        "**Necessary**: [10: Do a](10_a.ipynb). **Helpful**: 12: Do c, HTTP."
    )
    assert syllabus.links("10") == "Next: [11: Do b](11_b.ipynb)"
    assert syllabus.links("11") == "Before: [10: Do a](10_a.ipynb) · Next: [13: Do d](13_d.ipynb)"
    assert syllabus.links("13") == "Before: [11: Do b](11_b.ipynb)"


def test_an_unknown_lesson_names_those_there_are():
    with pytest.raises(LookupError, match="there are 00, 01"):
        syllabus.badge("77")
