"""Variables in an action's configuration: #{namespace.key}.

Namespaces: "codepipeline" (the execution), "variables" (those of a pipeline of type V2), and those
that earlier actions were given. Source: User Guide, "Variables".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

#: Those that no action can have.
RESERVED = ("codepipeline", "variables")
_REFERENCE = re.compile(r"#\{([^{}]*)\}")
_NAME = re.compile(r"([A-Za-z0-9@_-]+)\.([A-Za-z0-9@_.-]+)")


class Unresolved(Exception):
    """A reference to what there is not: its text."""


def references(text: str) -> Iterator[tuple[str, str | None, str | None]]:
    """(text, namespace, key) of each reference; None twice when it is malformed."""
    for found in _REFERENCE.finditer(text):
        parts = _NAME.fullmatch(found[1])
        yield found[0], parts and parts[1], parts and parts[2]


def resolve(text: str, namespaces: Mapping[str, Mapping[str, str]]) -> str:
    """The text with values for references. Raises Unresolved.

    >>> resolve("v#{Source.CommitId}", {"Source": {"CommitId": "12ab"}})
    'v12ab'
    """

    def value(found: re.Match[str]) -> str:
        parts = _NAME.fullmatch(found[1])
        known = namespaces.get(parts[1], {}) if parts else {}
        if not parts or parts[2] not in known:
            raise Unresolved(found[0])
        return known[parts[2]]

    return _REFERENCE.sub(value, text)
