"""Drift: what was made, read back and compared with what the template says.

Only properties that the template gives are compared, and only those that the API tells.
Sources: CloudFormation User Guide, "Detect unmanaged configuration changes"; API,
StackResourceDrift, PropertyDifference.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from labs.cloud.mock.stacks import evaluation, schemas
from labs.cloud.mock.stacks.records import Resource, Stack, now
from labs.cloud.mock.stacks.resources import Maker
from labs.cloud.mock.stacks.types.base import as_json, is_gone, like, sort_tags

IN_SYNC, MODIFIED, DELETED, NOT_CHECKED = "IN_SYNC", "MODIFIED", "DELETED", "NOT_CHECKED"


def detect(stack: Stack, maker: Maker) -> int:
    """Look at every resource; how many have drifted. Raises what the API's calls raise."""
    for resource in list(stack.resources.values()):
        if resource.physical is not None and not resource.status.startswith("DELETE_"):
            look(resource, maker)
    drifted = [one for one in stack.resources.values() if one.drift in (MODIFIED, DELETED)]
    stack.drift = "DRIFTED" if drifted else IN_SYNC
    stack.checked = now()
    return len(drifted)


def look(resource: Resource, maker: Maker) -> None:
    """Note what has become of one resource."""
    assert resource.physical is not None
    type_ = maker.type_of(resource)
    place = type_.place
    wanted = comparable(resource)
    if not type_.is_read:
        resource.drift = NOT_CHECKED  # as AWS does with types that it cannot look at
        return
    try:
        given = evaluation.with_secrets(resource.properties, place.reader)
        seen = type_.read(resource.physical, given)
    except Exception as error:
        if not is_gone(error):
            raise
        resource.drift, resource.differences, resource.actual = DELETED, [], {}
    else:
        left_out = set(type_.unread.split())
        expected = {
            key: value for key, value in given.items() if key in wanted and key not in left_out
        }
        actual = schemas.coerce(resource.type, like(seen, expected))
        found = list(differences(resource.type, expected, actual))
        resource.drift = MODIFIED if found else IN_SYNC
        resource.differences = found
        resource.actual = {**{k: v for k, v in wanted.items() if k in left_out}, **actual}
    resource.checked = now()


def comparable(resource: Resource) -> dict[str, Any]:
    """The properties without those that AWS never tells."""
    hidden = {path[0] for path in schemas.write_only(resource.type) if len(path) == 1}
    return {key: value for key, value in resource.properties.items() if key not in hidden}


def differences(kind: str, expected: Any, actual: Any) -> Iterator[dict[str, Any]]:
    """PropertyDifferences: {"PropertyPath", "ExpectedValue", "ActualValue", "DifferenceType"}."""
    yield from _differences(kind, (), expected, actual)


def _differences(
    kind: str, path: tuple[str, ...], expected: Any, actual: Any
) -> Iterator[dict[str, Any]]:
    generic = tuple("*" if one.isdigit() else one for one in path)
    if generic in schemas.write_only(kind):
        return
    if isinstance(expected, dict) and isinstance(actual, dict):
        for key, value in expected.items():
            if key in actual:
                yield from _differences(kind, (*path, key), value, actual[key])
            elif (*generic, key) not in schemas.write_only(kind):
                yield _difference((*path, key), value, None, "REMOVE")
        return
    if isinstance(expected, list) and isinstance(actual, list):
        yield from _list_differences(kind, path, generic, expected, actual)
        return
    if not same(expected, actual):
        yield _difference(path, expected, actual, "NOT_EQUAL")


def _list_differences(
    kind: str,
    path: tuple[str, ...],
    generic: tuple[str, ...],
    expected: list[Any],
    actual: list[Any],
) -> Iterator[dict[str, Any]]:
    expected, actual = sort_tags(expected), sort_tags(actual)
    if schemas.is_unordered(kind, generic) or _are_scalars(expected):
        missing = [one for one in expected if not any(same(one, other) for other in actual)]
        more = [one for one in actual if not any(same(one, other) for other in expected)]
        if missing and len(missing) == len(more) and len(expected) == len(actual):
            for number, one in enumerate(missing):
                at = str(expected.index(one))
                yield from _differences(kind, (*path, at), one, more[number])
            return
    else:
        for number, (one, other) in enumerate(zip(expected, actual, strict=False)):
            yield from _differences(kind, (*path, str(number)), one, other)
        missing, more = expected[len(actual) :], actual[len(expected) :]
    for one in missing:
        yield _difference((*path, str(expected.index(one))), one, None, "REMOVE")
    for one in more:
        yield _difference((*path, str(actual.index(one))), None, one, "ADD")


def _are_scalars(values: list[Any]) -> bool:
    return not any(isinstance(one, dict | list) for one in values)


def same(expected: Any, actual: Any) -> bool:
    """5 is "5" and 5.0, a document is its text; a list of one may stand for the one."""
    if isinstance(expected, dict | list) or isinstance(actual, dict | list):
        return _normal(as_json(expected)) == _normal(as_json(actual))
    return schemas.text(expected) == schemas.text(actual)


def _normal(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _normal(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_normal(inner) for inner in sort_tags(value)]
    return schemas.text(value)


def _difference(path: tuple[str, ...], expected: Any, actual: Any, kind: str) -> dict[str, Any]:
    return {
        "PropertyPath": "/" + "/".join(path),
        "ExpectedValue": _shown(expected),
        "ActualValue": _shown(actual),
        "DifferenceType": kind,
    }


def _shown(value: Any) -> str:
    if value is None:
        return "null"
    return json.dumps(value) if isinstance(value, dict | list) else schemas.text(value)
