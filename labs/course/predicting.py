"""A guess before anything runs, kept, never marked, and shown again beside the result."""

from typing import Any

from labs.course import blocks, events
from labs.course.answers import in_words, is_blank
from labs.course.blocks import NOTE, UNTRIED, Block


def predict(prediction_id: str, guess: Any = ...) -> None:
    """Keep a guess; `...` is none yet, and keeps the one before."""
    blocks.show(keep(prediction_id, guess))


def prediction(prediction_id: str, measured: Any = ...) -> None:
    """Show the guess again, beside what was measured."""
    blocks.show(compare(prediction_id, measured))


def keep(prediction_id: str, guess: Any) -> Block:
    """Keep a guess, and say so."""
    if is_blank([guess]):
        return Block(
            UNTRIED,
            "No guess yet.",
            [("", "Put one in place of `...` and run this cell again. The lesson goes on anyway.")],
        )
    events.record("predict", prediction=prediction_id, guess=in_words(guess))
    return Block(NOTE, f"Kept: {in_words(guess)}", [("", "It comes back when you have measured.")])


def compare(prediction_id: str, measured: Any) -> Block:
    """The newest guess, and what was measured."""
    kept = [
        event.get("guess")
        for event in events.read("predict")
        if event.get("prediction") == prediction_id
    ]
    lines = [("You guessed", kept[-1] if kept else "nothing: there was no guess to keep.")]
    if measured is not ...:
        lines.append(("Measured", in_words(measured)))
    return Block(NOTE, "Your guess, and what came out", lines)
