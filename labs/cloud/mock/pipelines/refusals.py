"""AWS errors of CodePipeline, by code and message.

Texts are AWS's where its documentation, or an answer that somebody quoted in public, shows one;
the others are ours, in its manner, and say so.
"""

from typing import NoReturn

from moto.core.exceptions import JsonRESTError


def refuse(code: str, message: str) -> NoReturn:
    """Answer a call with an error. code: the name of its shape in AWS's model."""
    raise JsonRESTError(code, message)
