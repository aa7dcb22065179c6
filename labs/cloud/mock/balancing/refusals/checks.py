"""What the refusals share: how to refuse, and how a check comes before an operation of moto's.

Error codes are those of AWS. Texts are AWS's where its documentation, or an answer that somebody
quoted in public, shows one; the others are ours, in its manner.
"""

import functools
from collections.abc import Callable
from typing import Any, NoReturn

from moto.elbv2.exceptions import ELBClientError

from labs.cloud.mock.hooking import Maker


def refuse(code: str, message: str) -> NoReturn:
    """Answer a call with an AWS error: its code, as in the list of an operation's errors."""
    raise ELBClientError(code, message)


def invalid(message: str) -> NoReturn:
    """The code that AWS gives to values of the wrong form."""
    refuse("ValidationError", message)


def before(check: Callable[..., None]) -> Maker:
    """A hook that calls `check` with what the operation gets, and then moto unless it raised."""

    def make(original: Callable, _motor: Any) -> Callable:
        @functools.wraps(original)
        def checked(self: Any, *args: Any, **kwargs: Any) -> Any:
            check(self, *args, **kwargs)
            return original(self, *args, **kwargs)

        return checked

    return make


def in_range(name: str, value: Any, least: int, most: int) -> None:
    """Refuse a number out of its range as AWS's generated checks word it. None is no value."""
    if value is None:
        return
    if int(value) > most:
        limit = f"less than or equal to {most}"
    elif int(value) < least:
        limit = f"greater than or equal to {least}"
    else:
        return
    invalid(
        f"1 validation error detected: Value '{value}' at '{name}' failed to satisfy constraint: "
        f"Member must have value {limit}"
    )


def one_of(name: str, value: Any, values: tuple[str, ...]) -> None:
    """Refuse a word that is none of an enumeration's. None is no value."""
    if value is not None and value not in values:
        invalid(
            f"1 validation error detected: Value '{value}' at '{name}' failed to satisfy "
            f"constraint: Member must satisfy enum value set: [{', '.join(values)}]"
        )
