"""Every option gets an answer, with buttons and without, and the questions are well formed."""

import json

import pytest

from labs.commands.folders import checkout
from labs.course import events, notebook, quiz, quizzes
from labs.course.blocks import FAILED, NOTE, PASSED
from labs.course.quizzes import Option, Question, answer, asked
from tests.course.test_exercise import Grumpy

QUESTION = Question(
    "99.a",
    "Who counts?",
    (
        Option("the table", True, "`ADD` happens inside it."),
        Option("the topic", False, "It only tells."),
        Option("Slack", False, "It only shows."),
    ),
)
FILES = sorted((checkout() / "data" / "quizzes").glob("*.json"))


@pytest.fixture(autouse=True)
def lesson_99(monkeypatch):
    monkeypatch.setattr(quizzes, "of_lesson", lambda number: {"99.a": QUESTION})


def test_each_option_has_its_feedback():
    marks = []
    for number, option in enumerate(QUESTION.options, 1):
        block = answer(QUESTION, number)
        assert option.why in block.plain()
        assert option.text in block.headline
        marks.append(block.mark)
    assert marks == [PASSED, FAILED, FAILED]
    assert [event["choice"] for event in events.read("quiz")] == [1, 2, 3]


@pytest.mark.parametrize("choice", [0, 4, -1, "1", True, 1.0, None, Grumpy()])
def test_what_is_no_option_is_a_sentence_and_not_kept(choice):
    assert answer(QUESTION, choice).mark == NOTE
    assert events.read("quiz") == []


def test_without_buttons_the_question_is_text(capsys):
    quiz("99.a")
    said = capsys.readouterr().out
    assert "Who counts?" in said
    assert "2: the topic" in said
    assert "only tells" not in said
    quiz("99.a", 2)
    assert "only tells" in capsys.readouterr().out


def test_an_unknown_question_names_those_there_are(capsys):
    quiz("99.z")
    assert "Lesson 99 has: 99.a." in capsys.readouterr().out


def test_buttons_do_what_the_typed_call_does(monkeypatch):
    monkeypatch.setattr(notebook, "is_in_notebook", lambda: True)
    shown = []
    monkeypatch.setattr("labs.course.buttons.show_widget", lambda *what: shown.append(what))
    quiz("99.a")
    ((box, text),) = shown
    assert text == asked(QUESTION).plain()
    _, choices, button, said = box.children
    assert button.disabled  # nothing is chosen in the beginning
    button.click()
    assert "Choose one" in said.value
    choices.value = 2
    assert not button.disabled
    button.click()
    assert "only tells" in said.value
    assert button.disabled  # until there is another choice: a click could overtake it
    choices.value = 1
    assert not button.disabled
    button.click()
    assert "Right" in said.value


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_questions_are_well_formed(file):
    """One right option of three or more, a reason for each, and an id of the file's lesson."""
    for quiz_id, entry in json.loads(file.read_text(encoding="utf-8")).items():
        assert quiz_id.startswith(f"{file.stem}.")
        assert set(entry) == {"question", "options"}
        assert entry["question"].strip()
        assert len(entry["options"]) >= 3
        texts = [option["text"] for option in entry["options"]]
        assert len(set(texts)) == len(texts)
        for option in entry["options"]:
            assert set(option) == {"text", "right", "why"}
            assert type(option["right"]) is bool
            assert option["text"].strip()
            assert len(option["why"].split()) >= 3
        assert sum(option["right"] for option in entry["options"]) == 1
