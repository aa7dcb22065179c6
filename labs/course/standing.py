"""How far the learner is with each exercise, worked out from the events."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from labs.course import events
from labs.course.events import Event
from labs.exercises import Exercise

#: Distinct wrong answers after which the solution may be looked at.
TRIES_BEFORE_REVEAL = 3
KINDS = ("check", "hint", "reveal", "unlock")


@dataclass
class Standing:
    """passed: has a check passed? wrong: fingerprints of the different answers that failed.
    hints: how many were seen. revealed, unlocked: did that happen?
    """

    passed: bool = False
    wrong: set[str] = field(default_factory=set)
    hints: int = 0
    revealed: bool = False
    unlocked: bool = False

    @property
    def tries(self) -> int:
        """Different answers that failed."""
        return len(self.wrong)

    @property
    def in_words(self) -> str:
        """For the table of progress."""
        if self.passed:
            return "passed, solution seen" if self.revealed else "passed"
        return "tried" if self.tries else "not tried"


def may_reveal(exercise: Exercise, standing: Standing) -> bool:
    """Is the solution open to this learner?"""
    return (
        standing.passed
        or standing.unlocked
        or standing.tries >= TRIES_BEFORE_REVEAL
        or standing.hints >= len(exercise.hints)
    )


def of_all(happened: Iterable[Event] | None = None) -> dict[str, Standing]:
    """Exercise id -> Standing, for exercises about which something happened.

    happened: events, oldest first; None: those on disk. Events of another shape are passed over.
    """
    standings: dict[str, Standing] = {}
    for event in events.read(*KINDS) if happened is None else happened:
        exercise_id = event.get("exercise")
        if not isinstance(exercise_id, str):
            continue
        standing = standings.setdefault(exercise_id, Standing())
        match event:
            case {"kind": "check", "passed": True}:
                standing.passed = True
            case {"kind": "check", "passed": False, "fingerprint": str(fingerprint)}:
                standing.wrong.add(fingerprint)
            case {"kind": "hint", "number": int(number)}:
                standing.hints = max(standing.hints, number)
            case {"kind": "reveal"}:
                # Looking it up afterwards, to compare, is no help.
                standing.revealed = standing.revealed or not standing.passed
            case {"kind": "unlock"}:
                standing.unlocked = True
    return standings


def of(exercise_id: str) -> Standing:
    """How far the learner is with one exercise."""
    return of_all().get(exercise_id, Standing())
