"""An exception from inside a check, told as what was found: no traceback, and never the answer."""

import builtins

from labs.course.answers import in_words as shortened
from labs.exercises import NotYet


def in_words(wrong: BaseException) -> NotYet:
    """What a check that stopped half-way has to say."""
    name, origin = type(wrong).__name__, type(wrong).__module__
    if origin.startswith("botocore") and hasattr(wrong, "response"):
        return _answer_of_aws(wrong)
    if origin.startswith(("botocore", "requests", "urllib3")):
        return NotYet(
            found=f"nothing: the call did not get through ({name}: {_message(wrong)})",
            expected="an answer from the service",
            look_at="whether the set-up cell has run in this kernel and its cloud still runs.",
        )
    own = "" if hasattr(builtins, name) else " (an error of your own code, or of a library)"
    return NotYet(
        found=f"the check could not look at your work to its end: {name}{own}: {_message(wrong)}",
        expected="something the check can use: a value of the kind that the exercise asks for",
        look_at="the text of the exercise: what kind of thing does it ask for?",
    )


def _answer_of_aws(wrong: BaseException) -> NotYet:
    """Source: Boto3 guide, "Error handling": `response` and `operation_name` of a ClientError."""
    error = wrong.response.get("Error", {})
    operation = getattr(wrong, "operation_name", "a call")
    return NotYet(
        found=f"could not look at it: {operation} answers `{error.get('Code', 'an error')}`:"
        f" {shortened(str(error.get('Message', '')))}",
        expected="that the thing which the exercise is about is there and can be asked",
        look_at="the cell that makes it: has it run since the set-up cell, and with which name?",
    )


def _message(wrong: BaseException) -> str:
    """What the exception says; a learner's class may fail even at that."""
    try:
        return shortened(str(wrong)) or "without a message"
    except Exception:
        return "without a readable message"
