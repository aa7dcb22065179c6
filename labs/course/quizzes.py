"""A question with options, and feedback on each of them."""

import json
from dataclasses import dataclass
from functools import cache
from typing import Any

from labs import exercises
from labs.commands.folders import checkout
from labs.course import blocks, buttons, events, notebook
from labs.course.blocks import FAILED, NOTE, PASSED, Block
from labs.exercises import NoSuchExercise

#: As the text of the lesson, and not as a widget's label.
ASKING = "line-height: 1.5; font-size: var(--jp-content-font-size1, 14px); max-width: 60em"


@dataclass(frozen=True)
class Option:
    """One of the answers; `why` it is right or wrong."""

    text: str
    right: bool
    why: str


@dataclass(frozen=True)
class Question:
    """A question and its options, one of them right."""

    id: str
    question: str
    options: tuple[Option, ...]


def quiz(quiz_id: str, choice: int | None = None) -> None:
    """Ask a question. `choice`, counted from 1, answers it where there are no buttons."""
    try:
        question = find(quiz_id)
    except NoSuchExercise as wrong:
        blocks.show(Block(NOTE, str(wrong)))
        return
    if choice is not None:
        blocks.show(answer(question, choice))
    elif not offer(question):
        blocks.show(asked(question))


@cache
def of_lesson(number: str) -> dict[str, Question]:
    """The questions of one lesson by id, from `data/quizzes/NN.json`; none if it has no file."""
    file = checkout() / "data" / "quizzes" / f"{number}.json"
    if not file.is_file():
        return {}
    content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return {
        quiz_id: Question(
            quiz_id, entry["question"], tuple(Option(**option) for option in entry["options"])
        )
        for quiz_id, entry in content.items()
    }


def find(quiz_id: str) -> Question:
    """The question of this id. Raises NoSuchExercise, whose message names those of the lesson."""
    number = exercises.lesson_of(quiz_id)
    questions = of_lesson(number)
    if quiz_id in questions:
        return questions[quiz_id]
    known = ", ".join(questions) or "none"
    raise NoSuchExercise(f"There is no question {quiz_id}. Lesson {number} has: {known}.")


def answer(question: Question, choice: Any) -> Block:
    """Keep the choice, counted from 1, and say why it is right or wrong."""
    numbers = range(1, len(question.options) + 1)
    if type(choice) is not int or choice not in numbers:
        return Block(NOTE, f"Choose one of the numbers 1 to {numbers[-1]}.")
    option = question.options[choice - 1]
    events.record("quiz", quiz=question.id, choice=choice, right=option.right)
    mark, verdict = (PASSED, "Right") if option.right else (FAILED, "Not this one")
    return Block(mark, f"{verdict}: {option.text}", [("", option.why)])


def asked(question: Question) -> Block:
    """The question as text."""
    options = [(str(number), option.text) for number, option in enumerate(question.options, 1)]
    how = f'Answer with the number: `quiz("{question.id}", 1)`'
    return Block(NOTE, question.question, [*options, ("", how)])


def offer(question: Question) -> bool:
    """Show radio buttons; False where there are none.

    The button waits until the kernel knows a new choice: ipywidgets holds a changed value back
    while an earlier message is on its way, and a click would overtake it.
    """
    if not notebook.is_in_notebook():
        return False
    try:
        import ipywidgets
    except ImportError:
        return False
    options = [(option.text, number) for number, option in enumerate(question.options, 1)]
    choices = ipywidgets.RadioButtons(
        options=options, value=None, layout={"width": "auto"}, style={"description_width": "0"}
    )
    button = ipywidgets.Button(
        description="Answer", tooltip=f"Answer question {question.id}", disabled=True
    )
    said = ipywidgets.HTML()

    def allow(_) -> None:
        button.disabled = False

    def tell(_) -> None:
        button.disabled = True
        buttons.show_in(said, lambda: answer(question, choices.value))

    choices.observe(allow, "value")
    button.on_click(tell)
    asking = ipywidgets.HTML(f'<div style="{ASKING}">{blocks.marked_up(question.question)}</div>')
    buttons.show_widget(ipywidgets.VBox([asking, choices, button, said]), asked(question).plain())
    return True
