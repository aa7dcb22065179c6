"""What refers to what in a template, and the order that follows from it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

#: ${Name}, ${Name.Attribute}; not ${!Literal}.
SUBSTITUTED = re.compile(r"\$\{([^!${}][^${}]*)\}")

Graph = Mapping[str, frozenset[str]]


def references(node: Any) -> Iterator[tuple[str, str | None]]:
    """(name, attribute or None) of each Ref, Fn::GetAtt and Fn::Sub in a part of a template."""
    if isinstance(node, list):
        for value in node:
            yield from references(value)
    if not isinstance(node, dict):
        return
    if len(node) == 1:
        [(function, given)] = node.items()
        if function == "Ref" and isinstance(given, str):
            yield given, None
            return
        if function == "Fn::GetAtt" and (found := split_attribute(given)):
            yield found[0], found[1] if isinstance(found[1], str) else None
            yield from references(found[1])
            return
        if function == "Fn::Sub":
            yield from _substitutions(given)
            return
    for value in node.values():
        yield from references(value)


def split_attribute(given: Any) -> tuple[str, Any] | None:
    """(logical id, attribute) of what Fn::GetAtt is given; None when that is neither form."""
    if isinstance(given, str):
        given = given.split(".", 1)
    if isinstance(given, list) and len(given) == 2 and isinstance(given[0], str):
        return given[0], given[1]
    if isinstance(given, list) and len(given) > 2 and all(isinstance(one, str) for one in given):
        return given[0], ".".join(given[1:])  # nested stacks: [Child, Outputs, Name]
    return None


def _substitutions(given: Any) -> Iterator[tuple[str, str | None]]:
    text, own = given, {}
    if isinstance(given, list) and len(given) == 2 and isinstance(given[1], dict):
        text, own = given
    if isinstance(text, str):
        for found in SUBSTITUTED.finditer(text):
            name = found[1].strip()
            if name not in own:
                first, _, attribute = name.partition(".")
                yield (name, None) if name.startswith("AWS::") else (first, attribute or None)
    yield from references(list(own.values()))


def depends_on(resource: Mapping[str, Any]) -> list[str]:
    needed = resource.get("DependsOn", [])
    return [needed] if isinstance(needed, str) else list(needed)


def graph(resources: Mapping[str, Mapping[str, Any]]) -> dict[str, frozenset[str]]:
    """By logical id, the resources that have to be there first."""
    return {
        name: frozenset(
            other
            for other in [
                *(found for found, _ in references(resource.get("Properties", {}))),
                *depends_on(resource),
            ]
            if other in resources
        )
        for name, resource in resources.items()
    }


def circle(needs: Graph) -> list[str]:
    """The names that wait for one another, or for these; [] when there is an order."""
    left = dict(needs)
    while ready := [name for name, needed in left.items() if not needed & left.keys()]:
        for name in ready:
            del left[name]
    return list(left)


def reversed_graph(needs: Graph, names: Iterable[str]) -> dict[str, frozenset[str]]:
    """For these, the others of them that need it: they have to go first."""
    kept = set(names)
    return {
        name: frozenset(other for other in kept if name in needs.get(other, ()) and other != name)
        for name in kept
    }
