"""What the learner answered, told apart from other answers, however oddly it behaves."""

import ast
import hashlib
import inspect
import re
import reprlib
from collections.abc import Sequence
from types import FunctionType
from typing import Any

#: Calls that are about an exercise and no answer to it.
OURS = {"check", "hint", "reveal", "unlock", "predict", "prediction", "quiz", "catch_up"}
ADDRESS = re.compile(r"\bat 0x[0-9a-fA-F]+")


class Short(reprlib.Repr):
    """A repr that ends: of a few hundred characters, for long, deep and cyclic things too."""

    def __init__(self) -> None:
        super().__init__()
        self.maxstring = self.maxother = self.maxlong = 200
        self.maxlist = self.maxtuple = self.maxdict = self.maxset = self.maxfrozenset = 50
        self.maxlevel = 4

    def repr1(self, x: Any, level: int) -> str:
        """The text for one object, also if its own `__repr__` fails."""
        try:
            return super().repr1(x, level)
        except Exception:  # whatever a learner's class raises
            return f"<{type(x).__name__}>"


def in_words(value: Any, longest: int = 300) -> str:
    """A value as text that fits into a sentence; a text stays as it is."""
    text = value if type(value) is str else Short().repr(value)
    return text if len(text) <= longest else text[: longest - 1] + "…"


def is_blank(answers: Sequence[Any]) -> bool:
    """Did the learner pass only `None` or `...`? Nothing passed is no blank."""
    return bool(answers) and all(answer is None or answer is ... for answer in answers)


def fingerprint(*parts: Any) -> str:
    """The same for the same answer, also in another kernel; sixteen hexadecimal digits."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(type(part).__name__.encode() + b"\0")
        if type(part) in (str, bytes):  # whole, however long; others in short
            digest.update(part.encode("utf-8", "surrogatepass") if type(part) is str else part)
        else:
            # An object without a repr of its own has its address in it, which is another each time.
            text = ADDRESS.sub("", Short().repr(part))
            digest.update(text.encode("utf-8", "surrogatepass"))
        if isinstance(part, FunctionType):  # its repr says its name and nothing of what it does
            digest.update(source_of(part).encode("utf-8", "surrogatepass"))
        digest.update(b"\0")
    return digest.hexdigest()[:16]


def source_of(function: FunctionType) -> str:
    """The text of a function; "" where there is none, as for one made by exec."""
    try:
        return inspect.getsource(function)
    except (OSError, TypeError, SyntaxError):
        return ""


def last_source(history: Sequence[str]) -> str | None:
    """The newest cell that is more than a call of the course's, or None.

    history: sources of the cells run, oldest first; the last is that which runs now.
    """
    return next((source for source in reversed(history) if not is_ours(source)), None)


def is_ours(source: str) -> bool:
    """Is a cell empty, or nothing but calls such as `check("31.1", answer)`?"""
    try:
        body = ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False  # magics, for one
    if not body:
        return not source.strip()  # a stub may be a comment alone
    calls = [getattr(node, "value", None) for node in body]
    return all(
        isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in OURS
        for call in calls
    )
