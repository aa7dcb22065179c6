"""Who comes straight to a section gets what the sections before it make, and nothing else."""

from types import SimpleNamespace

import pytest
from IPython.core.interactiveshell import InteractiveShell

from labs.course import catching_up, notebook
from labs.course.blocks import FAILED, NOTE, UNTRIED
from labs.course.catching_up import bound_names, bring
from labs.course.notebook import Cell

SETUP = "made = []\naws = cloud.connect(lesson=99)"


def cell(cell_id, source, *tags, exercise=""):
    return Cell(cell_id, source, frozenset(tags), exercise)


CELLS = (
    cell("setup", SETUP, "state"),
    cell("look", "1 / 0"),
    cell("make", "first = 1\nmade.append('first')", "state"),
    cell("answer", "answer = ...", exercise="99.1"),
    cell("begin-2", 'catch_up("99.2")'),
    cell("make-more", "second = answer\nmade.append('second')\nprint('loud')\nsecond", "state"),
    cell("begin-3", "catch_up('99.3')"),
)


@pytest.fixture
def learner(monkeypatch, lesson):
    """A shell with a connection; `run` a cell in it."""
    shell = InteractiveShell()
    shell.user_ns["cloud"] = SimpleNamespace(connect=lambda lesson: connect())
    now = {"aws": None}

    def connect():
        now["aws"] = SimpleNamespace(mode="mock")
        return now["aws"]

    monkeypatch.setattr(notebook, "shell", lambda: shell)
    monkeypatch.setattr(notebook, "history", lambda: shell.history_manager.input_hist_raw)
    monkeypatch.setattr(notebook, "connection", lambda: now["aws"])
    monkeypatch.setattr(notebook, "code_cells", lambda number: CELLS)
    lesson.NEEDS = {"99.2": ("first", "answer"), "99.3": ("second",)}
    return SimpleNamespace(
        run=lambda source: shell.run_cell(source, store_history=True).raise_error(),
        has=shell.user_ns,
        aws=now,
    )


def ran(block):
    return dict(block.lines)["Ran for you"]


def test_after_set_up_it_runs_what_makes_state_and_says_so(learner, capsys):
    learner.run(SETUP)
    block = bring("99.3")
    assert block.mark == NOTE
    assert ran(block) == "`make`, the solution of 99.1, `make-more`"
    assert (learner.has["second"], learner.has["made"]) == (4, ["first", "second"])
    assert "loud" not in capsys.readouterr().out


def test_it_is_silent_when_satisfied(learner):
    for source in (SETUP, "first = 1", "answer = 4"):
        learner.run(source)
    assert bring("99.2") is None


def test_an_unanswered_exercise_is_something_missing(learner):
    for source in (SETUP, "first = 1", "answer = ..."):
        learner.run(source)
    assert ran(bring("99.2")) == "`make`, the solution of 99.1"
    assert learner.has["answer"] == 4


def test_it_is_silent_the_second_time(learner):
    learner.run(SETUP)
    assert bring("99.3") is not None
    assert bring("99.3") is None
    assert bring("99.2") is None


def test_what_the_learner_made_in_earlier_sections_stays(learner):
    for source in (SETUP, "first = 'mine'", "answer = 'mine'"):
        learner.run(source)
    assert ran(bring("99.3")) == "`make-more`"
    assert learner.has["second"] == "mine"


def test_names_from_before_the_set_up_cell_ran_again_do_not_count(learner):
    learner.run(SETUP)
    bring("99.3")
    learner.run(SETUP)
    assert ran(bring("99.3")) == "`make`, the solution of 99.1, `make-more`"


def test_resources_count_when_the_lesson_can_tell(learner, lesson):
    there = []
    lesson.ready = lambda aws, section: "first" in there
    for source in (SETUP, "first = 1", "answer = 4"):
        learner.run(source)
    assert bring("99.2") is not None
    there.append("first")
    assert bring("99.2") is None


def test_a_lesson_that_cannot_tell_because_a_service_fails_is_not_ready(learner, lesson):
    lesson.ready = lambda aws, section: 1 / 0
    for source in (SETUP, "first = 1", "answer = 4"):
        learner.run(source)
    assert bring("99.2") is not None


def test_half_a_section_in_the_way_begins_afresh(learner, monkeypatch):
    """The first cell refuses to make a second thing of one name."""
    source = "assert 'first' not in made, 'there is one'\nmade.append('first')\nfirst = 1"
    cells = (CELLS[0], cell("make", source, "state"), *CELLS[3:])
    monkeypatch.setattr(notebook, "code_cells", lambda number: cells)
    for source in (SETUP, "made.append('first')"):
        learner.run(source)
    block = bring("99.2")
    assert "afresh" in block.plain()
    assert learner.has["made"] == ["first"]


def test_a_live_account_is_never_begun_afresh(learner, monkeypatch):
    cells = (CELLS[0], cell("make", "1 / 0", "state"), *CELLS[3:])
    monkeypatch.setattr(notebook, "code_cells", lambda number: cells)
    learner.run(SETUP)
    learner.aws["aws"].mode = "live"
    before = learner.aws["aws"]
    assert bring("99.2").mark == FAILED
    assert learner.aws["aws"] is before


def test_a_cell_that_fails_is_named_without_a_traceback(learner, monkeypatch, capsys):
    cells = (CELLS[0], cell("make", "1 / 0", "state"), *CELLS[3:])
    monkeypatch.setattr(notebook, "code_cells", lambda number: cells)
    learner.run(SETUP)
    block = bring("99.2")
    assert block.mark == FAILED
    assert "`make`: ZeroDivisionError: division by zero" in block.plain()
    said = capsys.readouterr()
    assert "Traceback" not in said.out + said.err


def test_before_the_set_up_cell_it_says_what_to_run(learner):
    assert bring("99.2").mark == UNTRIED
    assert "first" not in learner.has


def test_cells_may_use_magics(learner, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cells = (CELLS[0], cell("write", "%%writefile first.py\nx = 1\n", "state"), *CELLS[3:])
    monkeypatch.setattr(notebook, "code_cells", lambda number: cells)
    learner.run(SETUP)
    bring("99.2")
    assert (tmp_path / "first.py").read_text() == "x = 1\n"


def test_an_unknown_section_is_a_sentence():
    assert "An id is" in bring("two").plain()


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("a = b", {"a"}),
        ("for i, (j, k) in x: pass", {"i", "j", "k"}),
        ("def f(): pass\nclass C: pass", {"f", "C"}),
        ("import os.path, json as j\nfrom a import b, c as d", {"os", "j", "b", "d"}),
        ("with open('f') as f: (n := 1)", {"f", "n"}),
        ("%%bash\nls", set()),
    ],
)
def test_bound_names(source, names):
    assert bound_names(source) == names


def test_the_courses_own_cells_are_read():
    cells = notebook.code_cells.__wrapped__("31")
    assert catching_up.is_set_up(cells[0])
    assert "state" in cells[0].tags
