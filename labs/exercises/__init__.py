"""What an exercise is. Its text stands in the notebook; the rest of it stands here, side by side.

`lesson_31.py` holds `EXERCISES`, a tuple of `Exercise`; `NEEDS`, for each section the names that
it needs from those before it; and, where names do not tell, `ready(aws, section) -> bool`.
"""

import importlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

KINDS = ("explain", "repair", "build")


class NotTried(Exception):
    """Raised by a check: there is nothing to look at yet. Counts nothing."""


class NotYet(Exception):
    """Raised by a check: what was built is not what was asked for.

    found:    what the check saw, in the learner's words, with names and values.
    expected: what it should have seen, without saying how to get there.
    look_at:  where the difference can be seen: a call, a document, a cell. Never the answer.
    """

    def __init__(self, *, found: str, expected: str, look_at: str) -> None:
        super().__init__(f"found {found}; expected {expected}")
        self.found, self.expected, self.look_at = str(found), str(expected), str(look_at)


class NoSuchExercise(LookupError):
    """There is no exercise of this id; the message names those that there are."""


@dataclass(frozen=True)
class Exercise:
    """One exercise.

    id:       lesson and number, "31.1".
    title:    what is to be done, in a few words: "count words in a handler".
    kind:     "explain", "repair" (something broken on purpose) or "build".
    check:    called with the connection and what the learner passed to `check(id, ...)`; returns
              for any right answer, raises NotYet or NotTried. It looks at what was built.
    hints:    from a question to nearly there.
    solution: the source of the whole exercise cell, and why, in a comment.
    also:     other right sources, differently written.
    wrong:    sources that learners write -> a part of the message that each must get.
    """

    id: str
    title: str
    kind: str
    check: Callable[..., None]
    hints: tuple[str, ...]
    solution: str
    also: tuple[str, ...] = ()
    wrong: Mapping[str, str] = field(default_factory=dict)


def lesson_of(exercise_id: str) -> str:
    """The lesson's number in the id of an exercise, a section, a quiz or a prediction.

    Raises NoSuchExercise for what is no such id.

    >>> lesson_of("31.1")
    '31'
    """
    match = re.fullmatch(r"(\d\d)\.\w+", exercise_id) if isinstance(exercise_id, str) else None
    if match is None:
        raise NoSuchExercise('An id is a text of lesson, dot and number or letter, such as "31.1".')
    return match[1]


def lesson(number: str) -> ModuleType | None:
    """The module `labs.exercises.lesson_NN`, or None for a lesson without exercises."""
    name = f"{__name__}.lesson_{number}"
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as missing:
        if missing.name != name:
            raise
        return None


def lessons() -> list[str]:
    """The numbers of the lessons that have exercises, in order."""
    return sorted(path.stem[-2:] for path in Path(__file__).parent.glob("lesson_[0-9][0-9].py"))


def of_lesson(number: str) -> tuple[Exercise, ...]:
    """The exercises of one lesson, in order; none for a lesson without."""
    return tuple(getattr(lesson(number), "EXERCISES", ()))


def find(exercise_id: str) -> Exercise:
    """The exercise of this id. Raises NoSuchExercise, whose message names those of the lesson."""
    number = lesson_of(exercise_id)
    exercises = {exercise.id: exercise for exercise in of_lesson(number)}
    if exercise_id in exercises:
        return exercises[exercise_id]
    known = ", ".join(exercises) or "none"
    raise NoSuchExercise(
        f"There is no exercise {exercise_id}. Lesson {number} has: {known}."
        " Take the id from the heading of the exercise."
    )


def needs(section_id: str) -> tuple[str, ...]:
    """Names that a section needs in the learner's namespace. Raises NoSuchExercise."""
    return tuple(getattr(lesson(lesson_of(section_id)), "NEEDS", {}).get(section_id, ()))


def is_ready(aws: Any, section_id: str) -> bool | None:
    """What the lesson's own `ready` says of the section's resources; None if it has none."""
    ready = getattr(lesson(lesson_of(section_id)), "ready", None)
    return None if ready is None else bool(ready(aws, section_id))
