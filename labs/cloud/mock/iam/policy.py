"""What policy documents say about one action on one resource. Pure: no clock, no state, no moto.

moto has an evaluation of its own, which is not good enough to build on: it knows neither
NotResource nor `?`, reads `.` in an ARN as "any character", compares actions with their case, and
turns a condition that does not hold into a denial.

Sources: IAM User Guide, "Policy evaluation logic", "IAM JSON policy elements: Action, NotAction,
Resource, NotResource, Condition operators", "IAM policy elements: Variables and tags".
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, Literal

logger = logging.getLogger(__name__)

Context = Mapping[str, str]
Effect = Literal["allowed", "implicit deny", "explicit deny"]


class PolicyError(ValueError):
    """A document that is not an IAM policy."""


@dataclass(frozen=True)
class Condition:
    """One operator on one key: StringEquals, aws:RequestedRegion, ("us-east-1", "eu-west-1")."""

    operator: str
    key: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Statement:
    """One statement. `sid` is its Sid, or "#2" for the second one when it has none."""

    sid: str
    allows: bool
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    not_action: bool = False
    not_resource: bool = False
    conditions: tuple[Condition, ...] = ()
    variables: bool = True  # ${...} means something since version 2012-10-17


@dataclass(frozen=True)
class Decision:
    """What the statements say, and which of them said it (None: none applied)."""

    effect: Effect
    statement: Statement | None = None

    @property
    def allowed(self) -> bool:
        return self.effect == "allowed"


def evaluate(
    statements: Iterable[Statement], action: str, resource: str, context: Context
) -> Decision:
    """May `action` ("sns:Publish") be done to `resource` (an ARN, or "*" when it has none)?

    context: the request's condition keys, lower case: {"aws:requestedregion": "us-east-1"}.

    An explicit Deny beats every Allow; without an Allow the answer is an implicit deny.
    Source: IAM User Guide, "Policy evaluation logic", within one account.
    """
    allowing = None
    for statement in statements:
        if (allowing and statement.allows) or not _applies(statement, action, resource, context):
            continue
        if not statement.allows:
            return Decision("explicit deny", statement)
        allowing = statement
    return Decision("allowed", allowing) if allowing else Decision("implicit deny")


@lru_cache(maxsize=1024)
def parse(document: str) -> tuple[Statement, ...]:
    """The statements of a policy document.

    Raises PolicyError when the document is not JSON or a statement lacks Effect, Action or
    Resource.
    """
    try:
        policy = json.loads(document)
    except (ValueError, RecursionError) as error:
        raise PolicyError(f"the policy is not JSON: {error}") from error
    if not isinstance(policy, dict):
        raise PolicyError(f"the policy is a {type(policy).__name__}, expected a JSON object")
    found = policy.get("Statement", [])
    variables = policy.get("Version") == "2012-10-17"
    return tuple(
        _statement(values, f"#{position}", variables)
        for position, values in enumerate(found if isinstance(found, list) else [found], start=1)
    )


def _statement(values: Any, default_sid: str, variables: bool) -> Statement:
    if not isinstance(values, dict):
        raise PolicyError(f"statement {default_sid} is {values!r}, expected a JSON object")
    sid = values.get("Sid") or default_sid
    effect = values.get("Effect")
    if effect not in ("Allow", "Deny"):
        raise PolicyError(f'statement {sid} has Effect {effect!r}, expected "Allow" or "Deny"')
    not_action, not_resource = "NotAction" in values, "NotResource" in values
    return Statement(
        sid=sid,
        allows=effect == "Allow",
        actions=_texts(values, "NotAction" if not_action else "Action", sid),
        resources=_texts(values, "NotResource" if not_resource else "Resource", sid),
        not_action=not_action,
        not_resource=not_resource,
        conditions=_conditions(values.get("Condition", {}), sid),
        variables=variables,
    )


def _texts(values: Mapping[str, Any], element: str, sid: str) -> tuple[str, ...]:
    found = values.get(element)
    texts = [found] if isinstance(found, str) else found
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise PolicyError(f"statement {sid} has {element} {found!r}, expected a text or a list")
    return tuple(texts)


def _conditions(block: Any, sid: str) -> tuple[Condition, ...]:
    if not isinstance(block, dict) or not all(isinstance(keys, dict) for keys in block.values()):
        raise PolicyError(f"statement {sid} has Condition {block!r}, expected operators and keys")
    return tuple(
        Condition(operator, key.lower(), _values(expected))
        for operator, keys in block.items()
        for key, expected in keys.items()
    )


def _values(expected: Any) -> tuple[str, ...]:
    # JSON's true and 5 are as good as "true" and "5".
    values = expected if isinstance(expected, list) else [expected]
    return tuple(value if isinstance(value, str) else json.dumps(value) for value in values)


def _applies(statement: Statement, action: str, resource: str, context: Context) -> bool:
    return (
        _action_matches(statement, action) != statement.not_action
        and _resource_matches(statement, resource, context) != statement.not_resource
        and all(_holds(condition, statement, context) for condition in statement.conditions)
    )


def _action_matches(statement: Statement, action: str) -> bool:
    return _lower_pattern(statement.actions).fullmatch(action.lower()) is not None


def _resource_matches(statement: Statement, resource: str, context: Context) -> bool:
    if statement.variables and any("${" in text for text in statement.resources):
        return any(_like(text, resource, context) for text in statement.resources)
    return _pattern(statement.resources).fullmatch(resource) is not None


@lru_cache(maxsize=4096)
def _pattern(globs: tuple[str, ...]) -> re.Pattern[str]:
    """Any of the globs. `*` crosses colons and slashes, as it does at the end of an ARN's part."""
    return re.compile("|".join(map(_regex, globs)) or r"(?!)", re.DOTALL)


@lru_cache(maxsize=4096)
def _lower_pattern(globs: tuple[str, ...]) -> re.Pattern[str]:
    return _pattern(tuple(text.lower() for text in globs))


def _regex(glob: str) -> str:
    return re.escape(glob).replace(r"\*", ".*").replace(r"\?", ".")


# A variable, with AWS's optional default: ${aws:username} or ${aws:username, 'nobody'}.
_VARIABLE = re.compile(r"\$\{\s*([^},]+?)\s*(?:,\s*'([^']*)'\s*)?\}")
_ESCAPES = {"*", "?", "$"}  # ${*} is a star that stands for itself


def _expanded(text: str, context: Context | None, quote: Callable[[str], str]) -> str | None:
    """A regular expression for a text with variables; None when a variable has no value.

    quote:   how to read what is not a variable: `_regex` for globs, `re.escape` for plain text.
    context: None when the policy is older than variables, and "${" stands for itself.
    """
    if context is None:
        return quote(text)
    parts, end = [], 0
    for variable in _VARIABLE.finditer(text):
        name, default = variable.groups()
        value = name if name in _ESCAPES else context.get(name.lower(), default)
        if value is None:
            return None
        parts += [quote(text[end : variable.start()]), re.escape(value)]
        end = variable.end()
    return "".join(parts) + quote(text[end:])


def _like(expected: str, actual: str, context: Context | None) -> bool:
    regex = _expanded(expected, context, _regex)
    return regex is not None and re.fullmatch(regex, actual, re.DOTALL) is not None


def _equals(expected: str, actual: str, context: Context | None) -> bool:
    regex = _expanded(expected, context, re.escape)
    return regex is not None and re.fullmatch(regex, actual) is not None


def _equals_ignoring_case(expected: str, actual: str, context: Context | None) -> bool:
    regex = _expanded(expected, context, re.escape)
    return regex is not None and re.fullmatch(regex, actual, re.IGNORECASE) is not None


def _arn_like(expected: str, actual: str, context: Context | None) -> bool:
    """ARNs part by part, so that no `*` reaches over a colon before the resource part.

    ArnEquals does the same. Source: IAM User Guide, "Condition operators", ARN.
    """
    parts = zip(_arn_parts(expected), _arn_parts(actual), strict=True)
    return all(_like(pattern, part, context) for pattern, part in parts)


def _arn_parts(arn: str) -> list[str]:
    parts = re.split(r":(?![^{}]*\})", arn, maxsplit=5)  # not at the colon of ${aws:username}
    return parts + [""] * (6 - len(parts))


def _holds(condition: Condition, statement: Statement, context: Context) -> bool:
    """Whether the request meets a condition; what we cannot judge holds for Deny alone.

    A key that the request does not have fails, except for negated operators and ...IfExists.
    Source: IAM User Guide, "Condition operators", note on missing keys.
    """
    actual = context.get(condition.key)
    if condition.operator == "Null":
        return ("true" if actual is None else "false") in map(str.lower, condition.values)
    name = condition.operator.removesuffix("IfExists")
    if name not in _OPERATORS:
        _warn_unknown(condition.operator)
        return not statement.allows
    compare, negated = _OPERATORS[name]
    if actual is None:
        return negated or name != condition.operator
    variables = context if statement.variables else None
    return any(compare(text, actual, variables) for text in condition.values) != negated


@cache
def _warn_unknown(operator: str) -> None:
    logger.warning(
        "The mock does not know the condition operator %s: an Allow with it does not apply, "
        "a Deny with it does. It knows %s, each with IfExists, and Null.",
        operator,
        ", ".join(sorted(_OPERATORS)),
    )


# By name: how to compare, and whether the operator asks for the contrary.
_OPERATORS: dict[str, tuple[Callable[[str, str, Context | None], bool], bool]] = {
    "StringEquals": (_equals, False),
    "StringNotEquals": (_equals, True),
    "StringEqualsIgnoreCase": (_equals_ignoring_case, False),
    "StringNotEqualsIgnoreCase": (_equals_ignoring_case, True),
    "StringLike": (_like, False),
    "StringNotLike": (_like, True),
    "ArnEquals": (_arn_like, False),
    "ArnLike": (_arn_like, False),
    "ArnNotEquals": (_arn_like, True),
    "ArnNotLike": (_arn_like, True),
    "Bool": (_equals_ignoring_case, False),
}
