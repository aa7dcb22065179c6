"""A guess is kept as it was made, comes back, and is never marked."""

from labs.course import events, predict, prediction
from labs.course.predicting import compare, keep
from tests.course.test_exercise import Grumpy


def test_a_guess_comes_back_beside_what_was_measured():
    keep("31.p", "5 times")
    block = compare("31.p", 4.8)
    assert list(block.lines) == [("You guessed", "5 times"), ("Measured", "4.8")]


def test_the_newest_guess_counts_and_no_guess_keeps_it():
    for guess in (1, 2, ..., None):
        keep("31.p", guess)
    assert list(compare("31.p", ...).lines) == [("You guessed", "2")]


def test_without_a_guess_the_lesson_goes_on(capsys):
    predict("31.p", ...)
    assert "No guess yet" in capsys.readouterr().out
    prediction("31.p", measured=3)
    assert "there was no guess" in capsys.readouterr().out
    assert events.read("predict") == []


def test_another_prediction_is_not_this_one():
    keep("32.p", 1)
    assert "no guess" in compare("31.p", ...).plain()


def test_any_object_can_be_a_guess():
    for guess in (Grumpy(), "x" * 10**7, [Grumpy], "\ud83d"):
        keep("31.p", guess)
        assert len(compare("31.p", guess).plain()) < 2000
