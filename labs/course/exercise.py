"""`check`, `hint`, `reveal`, `unlock`: what a learner meets after an exercise.

Each call works out a block and then shows it. The first half can be tested without a notebook.
"""

import inspect
from collections.abc import Sequence
from typing import Any

from labs import exercises
from labs.course import answers as given
from labs.course import blocks, events, notebook, standing
from labs.course.blocks import FAILED, NOTE, PASSED, UNTRIED, Block
from labs.course.standing import TRIES_BEFORE_REVEAL, Standing
from labs.course.troubles import in_words
from labs.exercises import Exercise, NoSuchExercise, NotTried, NotYet


def check(exercise_id: str, *answers: Any) -> None:
    """Look at what was built, or at the answers given, and say what is right or still missing.

    Never raises, except for the learner's own interrupt.
    """
    try:
        exercise = exercises.find(exercise_id)
    except NoSuchExercise as wrong:
        blocks.show(Block(NOTE, str(wrong)))
        return
    block = assess(exercise, answers)
    blocks.show(block)
    for typed in (hint, reveal):  # the block tells to type them; few lessons import them
        notebook.namespace().setdefault(typed.__name__, typed)
    if block.mark == FAILED:
        from labs.course import buttons

        buttons.offer(
            f"Help with exercise {exercise.id}",
            {
                f'hint("{exercise.id}")': ("Hint", lambda: next_hint(exercise)),
                f'reveal("{exercise.id}")': ("Reveal", lambda: solution(exercise)),
            },
        )


def hint(exercise_id: str) -> None:
    """Show the next hint, with those seen before."""
    _about(exercise_id, next_hint)


def reveal(exercise_id: str) -> None:
    """Show the solution, after success, three different tries or the last hint."""
    _about(exercise_id, solution)


def unlock(exercise_id: str) -> None:
    """Open the solution at once: for instructors."""
    _about(exercise_id, unlocked)


def assess(exercise: Exercise, answers: tuple[Any, ...]) -> Block:
    """Run the check, keep the outcome, and say it."""
    aws = notebook.connection()
    if aws is None and any("cloud.connect(" in cell.source for cell in _cells(exercise)):
        return not_connected(exercise)
    history = notebook.history()
    source = given.last_source(history)
    if given.is_blank(answers):
        return not_tried(exercise)
    try:
        inspect.signature(exercise.check).bind(aws, *answers)
    except TypeError:
        return failed(exercise, wrong_number(exercise, answers), answers, source)
    try:
        exercise.check(aws, *answers)
    except NotTried:
        return not_tried(exercise)
    except KeyboardInterrupt:
        raise
    except BaseException as wrong:  # a learner's code may raise anything, SystemExit too
        if not answers and is_untouched(exercise, history):
            return not_tried(exercise)
        return failed(exercise, trouble(wrong), answers, source)
    return passed(exercise)


def is_untouched(exercise: Exercise, history: Sequence[str]) -> bool:
    """Was nothing of the learner's own run since the exercise's cell, as the course gives it, was?

    An exercise may be answered in any cell; what stands in the lesson is no answer.
    """
    stub = notebook.stub(exercise.id)
    given_cells = {cell.source.strip() for cell in _cells(exercise)}
    for source in reversed(history):
        if stub is not None and source.strip() == stub.strip():
            return True
        if source.strip() not in given_cells and not given.is_ours(source):
            return False
    return False


def trouble(wrong: BaseException) -> NotYet:
    """What a check found, whatever it raised."""
    return wrong if isinstance(wrong, NotYet) else in_words(wrong)


def wrong_number(exercise: Exercise, answers: tuple[Any, ...]) -> NotYet:
    """`check` was called with more or fewer answers than the exercise asks for."""
    wanted = len(inspect.signature(exercise.check).parameters) - 1
    return NotYet(
        found=f"{len(answers)} answers in the call of check",
        expected=f"{wanted} of them after the exercise's number",
        look_at="the check cell as the course gives it.",
    )


def passed(exercise: Exercise) -> Block:
    """The block for a right answer."""
    events.record("check", exercise=exercise.id, passed=True)
    also = f'`reveal("{exercise.id}")` shows how the course does it.'
    return Block(PASSED, f"{exercise.id}: passed. {sentence(exercise.title)}", [("", also)])


def failed(
    exercise: Exercise, wrong: NotYet, answers: tuple[Any, ...], source: str | None
) -> Block:
    """The block for a wrong answer, which counts once."""
    mark = given.fingerprint(*(answers or (source,) if answers or source else ()))
    if not answers and source is None:
        mark = given.fingerprint(wrong.found, wrong.expected)
    events.record("check", exercise=exercise.id, passed=False, fingerprint=mark)
    lines = [
        ("Found", given.in_words(wrong.found, 600)),
        ("Expected", given.in_words(wrong.expected, 600)),
        ("Look at", given.in_words(wrong.look_at, 600)),
        ("Help", f'`hint("{exercise.id}")`, `reveal("{exercise.id}")`'),
    ]
    return Block(FAILED, f"{exercise.id}: not yet. {sentence(exercise.title)}", lines)


def not_tried(exercise: Exercise) -> Block:
    """The block for an exercise that nobody has answered."""
    how = "Write your answer into the cell above, run it, then run this cell again."
    return Block(UNTRIED, f"{exercise.id}: not tried. {sentence(exercise.title)}", [("", how)])


def not_connected(exercise: Exercise) -> Block:
    """The block for a kernel without a connection. Counts nothing: there is nothing to look at."""
    how = "Run the set-up cell at the top of this lesson, then the cells down to here."
    return Block(
        UNTRIED, f"{exercise.id}: this kernel is not connected to a cloud yet.", [("", how)]
    )


def next_hint(exercise: Exercise) -> Block:
    """One hint more, and all before it: nobody has to scroll back to read two together."""
    seen = min(standing.of(exercise.id).hints + 1, len(exercise.hints))
    events.record("hint", exercise=exercise.id, number=seen)
    lines = [(f"Hint {number}", text) for number, text in enumerate(exercise.hints[:seen], 1)]
    left = len(exercise.hints) - seen
    more = f"{left} more: " if left else "That was the last hint. The solution is open: "
    call = "hint" if left else "reveal"
    return Block(
        NOTE,
        f"{exercise.id}: hint {seen} of {len(exercise.hints)}",
        [*lines, ("", f'{more}`{call}("{exercise.id}")`')],
    )


def solution(exercise: Exercise) -> Block:
    """The solution, or what is missing before it is shown."""
    now = standing.of(exercise.id)
    if not standing.may_reveal(exercise, now):
        return closed(exercise, now)
    events.record("reveal", exercise=exercise.id)
    return Block(
        NOTE, f"{exercise.id}: a solution, for the exercise's cell", code=exercise.solution
    )


def closed(exercise: Exercise, now: Standing) -> Block:
    """The block that says when the solution opens."""
    return Block(
        NOTE,
        f"{exercise.id}: the solution is still closed.",
        [
            (
                "It opens",
                f"when the check passes, after {TRIES_BEFORE_REVEAL} different answers (so far"
                f" {now.tries}), or with the last hint (so far {now.hints} of"
                f" {len(exercise.hints)}).",
            ),
            ("Help", f'`hint("{exercise.id}")`'),
        ],
    )


def unlocked(exercise: Exercise) -> Block:
    """Open the solution, and say so."""
    events.record("unlock", exercise=exercise.id)
    return Block(
        NOTE,
        f"{exercise.id}: the solution is open.",
        [("", f'`reveal("{exercise.id}")` shows it.')],
    )


def sentence(title: str) -> str:
    """A title as a sentence: "Count words in a handler."

    >>> sentence("count words")
    'Count words.'
    """
    return title[:1].upper() + title[1:].rstrip(".") + "."


def _about(exercise_id: str, block_for) -> None:
    try:
        blocks.show(block_for(exercises.find(exercise_id)))
    except NoSuchExercise as wrong:
        blocks.show(Block(NOTE, str(wrong)))


def _cells(exercise: Exercise) -> tuple[notebook.Cell, ...]:
    return notebook.code_cells(exercises.lesson_of(exercise.id))
