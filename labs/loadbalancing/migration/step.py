"""A step of a migration, as data: a call of AWS that is yet to be made."""

from collections.abc import Mapping
from typing import Any, NamedTuple


class Arn(str):
    """Stands in a step's parameters for the ARN of what an earlier step makes; a key of `makes`."""

    __slots__ = ()


class Step(NamedTuple):
    """A call of AWS.

    says:    what it does, for people
    service: the client that makes it; operation: the client's method
    makes:   a key by which later steps know the ARN; empty when nothing is made
    """

    says: str
    service: str
    operation: str
    parameters: Mapping[str, Any]
    makes: str = ""


def fill(value: Any, arns: Mapping[str, str]) -> Any:
    """Parameters, with ARNs in place of what stands for them."""
    if isinstance(value, Arn):
        return arns[value]
    if isinstance(value, Mapping):
        return {key: fill(each, arns) for key, each in value.items()}
    if isinstance(value, list):
        return [fill(each, arns) for each in value]
    return value
