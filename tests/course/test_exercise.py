"""A check always says something readable; hints and the solution come when they should."""

import linecache
import re

import botocore.exceptions
import pandas
import pytest

from labs.course import check, exercise, hint, notebook, progress, reveal, standing, unlock
from labs.course.blocks import FAILED, PASSED, UNTRIED
from labs.exercises import Exercise, find


class Grumpy:
    """Refuses everything that a check may do to it."""

    def __refuse(self, *_):
        raise RuntimeError("do not touch me")

    __eq__ = __ne__ = __repr__ = __str__ = __hash__ = __bool__ = __len__ = __iter__ = __refuse


class Loud(Exception):
    """An exception that cannot even be printed."""

    def __str__(self):
        raise RuntimeError

    @property
    def response(self):
        raise RuntimeError


def raise_(wrong):
    raise wrong


class Exits:
    def __eq__(self, other):
        raise SystemExit(3)

    __hash__ = None


def cyclic():
    me = [1]
    me.append(me)
    return me


ODD = {
    "a grumpy object": Grumpy(),
    "a class": Grumpy,
    "a generator": (number for number in range(3)),
    "a data frame": pandas.DataFrame({"a": range(1000)}),
    "ten megabytes": "x" * 10_000_000,
    "as many bytes": b"x" * 10_000_000,
    "a list in itself": cyclic(),
    "what ends Python": Exits(),
    "a huge number": 10**5000,
    "half a character": "\ud83d",
    "markup": "<script>alert(1)</script>`",
    "a list of the grumpy": [Grumpy(), {"a": Grumpy()}],
    "a function": check,
    "not a number": float("nan"),
}


def assess(*answers):
    return exercise.assess(find("99.1"), answers)


@pytest.mark.parametrize("answer", ODD.values(), ids=ODD)
def test_a_check_survives_anything(answer):
    block = assess(answer)
    assert block.mark == FAILED
    for text in (block.plain(), block.html()):
        assert len(text) < 5000
        assert "Traceback" not in text
        assert "Found" in text
        assert find("99.1").solution not in text
    assert "<script" not in block.html()


@pytest.mark.parametrize("answers", [(None,), (...,), ("later",)])
def test_nothing_answered_is_not_tried_and_counts_nothing(answers):
    block = assess(*answers)
    assert block.mark == UNTRIED
    assert "not tried" in block.headline
    assert standing.of("99.1").tries == 0


def test_a_right_answer_passes():
    block = assess(4)
    assert block.mark == PASSED
    assert "passed" in block.headline
    assert standing.of("99.1").passed


def test_a_wrong_answer_is_told_what_was_found_and_expected():
    block = assess(5)
    assert list(block.lines)[:3] == [
        ("Found", "5"),
        ("Expected", "the sum of 2 and 2"),
        ("Look at", "your `fingers`."),
    ]
    assert "<code>fingers</code>" in block.html()
    assert 'role="status"' in block.html()


def test_the_same_wrong_answer_counts_once():
    for answer in (5, 5, 6, 5, object(), object()):
        assess(answer)
    assert standing.of("99.1").tries == 3


def checking(found_by):
    """An exercise whose check looks at no answer but raises what `found_by` gives."""
    return Exercise("99.1", "build it", "build", lambda aws: raise_(found_by()), ("a", "b"), "x")


def test_functions_of_one_name_are_told_apart_by_their_source():
    one, two = "def answer(): return 1", "def answer(): return 2"
    functions = []
    for index, source in enumerate((one, two, one)):
        name = f"<cell {index}>"
        linecache.cache[name] = (len(source), None, [source + "\n"], name)
        names = {}
        exec(compile(source, name, "exec"), names)
        functions.append(names["answer"])
    for function in functions:
        assess(function)
    assert standing.of("99.1").tries == 2


def test_without_answers_the_source_of_the_cell_tells_tries_apart(monkeypatch):
    seen = ["setup"]
    monkeypatch.setattr(notebook, "history", lambda: seen)
    broken = checking(lambda: ValueError("no"))
    for source in ("a = 1", 'check("99.1")', 'check("99.1")', "a = 2", "hint('99.1')", "a = 1"):
        seen.append(source)
        exercise.assess(broken, ())
    assert standing.of("99.1").tries == 2


def test_an_untouched_stub_is_not_tried(monkeypatch):
    monkeypatch.setattr(notebook, "history", lambda: ["# your code", 'check("99.1")'])
    monkeypatch.setattr(notebook, "stub", lambda _: "# your code")
    assert exercise.assess(checking(lambda: ValueError("no")), ()).mark == UNTRIED


def test_it_stays_untried_while_only_the_courses_own_cells_run(monkeypatch):
    seen = ["# your code", "later cell", "check('99.1')"]
    cells = (notebook.Cell("later", "later cell", frozenset(), ""),)
    monkeypatch.setattr(notebook, "history", lambda: seen)
    monkeypatch.setattr(notebook, "stub", lambda _: "# your code")
    monkeypatch.setattr(notebook, "code_cells", lambda _: cells)
    broken = checking(lambda: ValueError("no"))
    assert exercise.assess(broken, ()).mark == UNTRIED
    seen.append("answer = 1")
    assert exercise.assess(broken, ()).mark == FAILED


def test_too_many_answers_are_counted_in_words():
    block = exercise.assess(checking(lambda: ValueError("no")), (1, 2))
    assert ("Found", "2 answers in the call of check") in block.lines


CLIENT_ERROR = botocore.exceptions.ClientError(
    {"Error": {"Code": "ResourceNotFoundException", "Message": "no such table"}}, "DescribeTable"
)
HOSTILE = {
    "missing": (lambda: CLIENT_ERROR, "ResourceNotFoundException"),
    "fault": (
        lambda: botocore.exceptions.ClientError({"Error": {"Code": "500"}}, "Invoke"),
        "Invoke answers",
    ),
    "unreachable": (
        lambda: botocore.exceptions.EndpointConnectionError(endpoint_url="http://127.0.0.1:1"),
        "did not get through",
    ),
    "wrong type": (lambda: TypeError("'NoneType' object is not subscriptable"), "NoneType"),
    "unprintable": (Loud, "without a readable message"),
    "exit": (lambda: SystemExit(3), "SystemExit"),
    "deep": (RecursionError, "RecursionError"),
}


@pytest.mark.parametrize(("wrong", "message"), HOSTILE.values(), ids=HOSTILE)
def test_any_state_of_the_account_is_readable(wrong, message):
    block = exercise.assess(checking(wrong), ())
    assert block.mark == FAILED
    assert message in block.plain()
    assert "Traceback" not in block.plain()


def test_the_learners_interrupt_goes_through():
    with pytest.raises(KeyboardInterrupt):
        exercise.assess(checking(KeyboardInterrupt), ())


def test_without_a_connection_it_says_what_to_run(monkeypatch):
    cell = notebook.Cell("setup", "aws = cloud.connect(lesson=99)", frozenset({"state"}), "")
    monkeypatch.setattr(notebook, "code_cells", lambda _: (cell,))
    block = assess(5)
    assert block.mark == UNTRIED
    assert "set-up cell" in block.plain()
    assert standing.of("99.1").tries == 0


def test_hints_come_one_by_one_and_stay(capsys):
    hint("99.1")
    assert "How many is two?" in (first := capsys.readouterr().out)
    assert "Count on" not in first
    for _ in range(2):  # there is no third
        hint("99.1")
        assert {"How many is two?", "Count on from two."} <= set(
            re.sub(r"Hint \d: ", "", capsys.readouterr().out).splitlines()
        )


OPENINGS = {
    "success": lambda: assess(4),
    "three different tries": lambda: [assess(answer) for answer in (5, 6, 7)],
    "the last hint": lambda: [hint("99.1") for _ in range(2)],
    "the instructor": lambda: unlock("99.1"),
}
NO_OPENINGS = {
    "nothing": lambda: None,
    "one answer three times": lambda: [assess(5) for _ in range(3)],
    "one hint": lambda: hint("99.1"),
    "untried": lambda: [assess(None) for _ in range(3)],
}


@pytest.mark.parametrize("opened_by", OPENINGS.values(), ids=OPENINGS)
def test_the_solution_opens(opened_by):
    opened_by()
    assert exercise.solution(find("99.1")).code == find("99.1").solution


@pytest.mark.parametrize("not_by", NO_OPENINGS.values(), ids=NO_OPENINGS)
def test_the_solution_stays_closed(not_by):
    not_by()
    block = exercise.solution(find("99.1"))
    assert block.code == ""
    assert find("99.1").solution not in block.plain()
    assert "3 different answers" in block.plain()


@pytest.mark.parametrize("wrong_id", ["99.7", "98.1", "", "31", None, 3, Grumpy()])
@pytest.mark.parametrize("call", [check, hint, reveal, unlock])
def test_an_unknown_exercise_is_a_sentence(call, wrong_id, capsys):
    call(wrong_id)
    assert re.search("There is no exercise|An id is", capsys.readouterr().out)


def test_progress_tells_help_from_success():
    assess(5)
    assess(4)
    reveal("99.1")  # afterwards, to compare
    assert standing.of("99.1").in_words == "passed"


def test_a_solution_seen_before_success_is_told():
    unlock("99.1")
    reveal("99.1")
    assess(4)
    assert standing.of("99.1").in_words == "passed, solution seen"


def test_progress_shows_the_lessons(capsys):
    progress()
    assert "exercises passed" in capsys.readouterr().out


def test_events_of_another_shape_are_passed_over():
    odd = [{"kind": "check"}, {"kind": "check", "exercise": []}, {"kind": "hint", "exercise": "1"}]
    assert standing.of_all(odd).get("1", standing.Standing()).hints == 0


def test_what_a_block_says_to_type_can_be_typed(monkeypatch):
    """Few notebooks import hint and reveal; a variable of the learner's stays theirs."""
    names = {"reveal": "mine"}
    monkeypatch.setattr(notebook, "namespace", lambda: names)
    check("99.1", 5)
    assert names == {"hint": hint, "reveal": "mine"}
