"""What an update would change, found out before it does: change sets, and "no updates".

Sources: CloudFormation API, ResourceChange and ResourceChangeDetail; User Guide, "Example change
sets" (which detail comes of what).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from labs.cloud.mock.stacks import evaluation, schemas
from labs.cloud.mock.stacks.errors import Failed, Refused
from labs.cloud.mock.stacks.graph import references
from labs.cloud.mock.stacks.intrinsics import Scope
from labs.cloud.mock.stacks.records import Resource, Settings, Stack
from labs.cloud.mock.stacks.resources import KEPT
from labs.cloud.mock.stacks.types import find, is_always_updated

#: Stands for a value that only the change itself will make. Source: API, DescribeChangeSet.
LATER = "{{changeSet:KNOWN_AFTER_APPLY}}"

_SCOPES = {
    "CreationPolicy": "CreationPolicy",
    "DeletionPolicy": "DeletionPolicy",
    "Metadata": "Metadata",
    "UpdatePolicy": "UpdatePolicy",
    "UpdateReplacePolicy": "UpdateReplacePolicy",
}


@dataclass
class Plan:
    """changes: DescribeChangeSet's. outputs_differ: though perhaps no resource does."""

    changes: list[dict[str, Any]] = field(default_factory=list)
    outputs_differ: bool = False

    @property
    def is_empty(self) -> bool:
        return not self.changes and not self.outputs_differ


def plan(
    stack: Stack,
    settings: Settings,
    clients: Callable[[str], Any],
    imported: Callable[[str], str],
) -> Plan:
    """What would become of a stack if it were updated. Raises Refused."""
    planner = _Planner(stack, settings, clients, imported)
    return planner.plan()


class _Planner:
    def __init__(
        self,
        stack: Stack,
        settings: Settings,
        clients: Callable[[str], Any],
        imported: Callable[[str], str],
    ) -> None:
        self._stack, self._settings = stack, settings
        self._there = {
            name: one
            for name, one in stack.resources.items()
            if one.physical is not None and not one.status.startswith("DELETE_")
        }
        self._old = stack.settings
        self._new_ids: dict[str, str] = {}  # by logical id: "True", "Conditional"
        self._touched: set[str] = set()
        self._scope = evaluation.scope(stack, settings, clients, imported, self._looked_up)

    def plan(self) -> Plan:
        found = evaluation.definitions(self._settings, self._scope)
        self._check_kinds(found)
        by_name = {name: self._change(name, found[name]) for name in _in_order(found)}
        changes = [change for name in found if (change := by_name[name])]
        changes += [self._removal(name) for name in self._there if name not in found]
        return Plan(changes, self._outputs_differ())

    def _check_kinds(self, found: evaluation.Definitions) -> None:
        other = [
            name
            for name, definition in found.items()
            if name in self._there and self._there[name].type != definition["Type"]
        ]
        if other:
            raise Refused(
                "Update of resource type is not permitted. The new template modifies resource "
                f"type of the following resources: [{', '.join(other)}]"
            )

    def _looked_up(self, name: str, attribute: str | None) -> Any:
        if name not in self._there or name in self._new_ids:
            return LATER
        return evaluation.looked_up(self._there, name, attribute)

    def _change(self, name: str, definition: Mapping[str, Any]) -> dict[str, Any] | None:
        kind = definition["Type"]
        old = self._there.get(name)
        if old is None:
            return _entry("Add", name, kind)
        before = old.definition
        details = list(self._details(old, definition, before))
        scope = ["Properties"] if details else []
        for attribute, word in _SCOPES.items():
            if definition.get(attribute) != before.get(attribute):
                scope.append(word)
                details.append(_detail({"Attribute": word, "RequiresRecreation": "Never"}))
        if old.status in ("UPDATE_FAILED", "CREATE_FAILED") and not scope:
            scope = ["Properties"]
        if not scope and is_always_updated(kind):
            scope = ["Properties"]
            target = {"Attribute": "Properties", "RequiresRecreation": "Never"}
            details.append(_detail(target, "Dynamic", "Automatic"))
        if not scope:
            return None
        replacement = _replacement(details)
        if replacement != "False":
            self._new_ids[name] = replacement
        self._touched.add(name)
        entry = _entry("Modify", name, kind, old.physical, replacement, scope, details)
        if replacement == "True":
            kept = definition.get("UpdateReplacePolicy") in KEPT
            entry["ResourceChange"]["PolicyAction"] = (
                "ReplaceAndRetain" if kept else "ReplaceAndDelete"
            )
        return entry

    def _removal(self, name: str) -> dict[str, Any]:
        old = self._there[name]
        entry = _entry("Remove", name, old.type, old.physical)
        entry["ResourceChange"]["PolicyAction"] = "Retain" if old.deletion in KEPT else "Delete"
        return entry

    def _details(
        self, old: Resource, definition: Mapping[str, Any], before: Mapping[str, Any]
    ) -> Iterator[dict[str, Any]]:
        expressions = definition.get("Properties") or {}
        given = self._evaluated(definition)
        was = before.get("Properties") or {}
        names = [
            *expressions,
            *(name for name in {**old.properties, **given} if name not in expressions),
        ]
        for name in names:
            expression = expressions.get(name)
            dynamic = list(self._dynamic_sources(expression))
            differs = given.get(name) != old.properties.get(name)
            if not differs and not dynamic:
                continue
            recreation = self._recreation(old.type, name, given, old.properties)
            target = {"Attribute": "Properties", "Name": name, "RequiresRecreation": recreation}
            if name == schemas.tag_property(old.type) and name not in expressions:
                target = {"Attribute": "Tags", "RequiresRecreation": "Never"}
            is_edited = expression != was.get(name)
            causes = list(self._changed_parameters(expression))
            for cause in causes:
                yield _detail(target, "Static", "ParameterReference", cause)
            for source, cause in dynamic:
                yield _detail(target, "Dynamic", source, cause)
            if is_edited or not (causes or dynamic):
                yield _detail(target, "Dynamic" if _is_later(given.get(name)) else "Static")

    def _evaluated(self, definition: Mapping[str, Any]) -> dict[str, Any]:
        """Property by property: one that cannot be told now does not hide the others."""
        found: dict[str, Any] = {}
        for name, expression in (definition.get("Properties") or {}).items():
            one = {"Type": definition["Type"], "Properties": {name: expression}}
            try:
                found.update(evaluation.evaluated(one, self._scope, {}))
            except (Refused, Failed):
                if not any(
                    ref in self._new_ids or ref not in self._there
                    for ref, _ in references(expression)
                ):
                    raise
                found[name] = LATER
        whole = {"Type": definition["Type"], "Properties": found}
        return evaluation.evaluated(whole, _Literal(self._scope), self._settings.tags)

    def _dynamic_sources(self, expression: Any) -> Iterator[tuple[str, str]]:
        """(ChangeSource, CausingEntity) of values that the change itself may change."""
        for name, attribute in dict.fromkeys(references(expression)):
            if attribute is None and name in self._new_ids:
                yield "ResourceReference", name
            elif attribute is not None and name in self._touched and name in self._there:
                yield "ResourceAttribute", f"{name}.{attribute}"

    def _changed_parameters(self, expression: Any) -> Iterator[str]:
        before = self._old.values if self._old else {}
        for name, attribute in dict.fromkeys(references(expression)):
            is_parameter = attribute is None and name in self._settings.values
            if is_parameter and self._settings.values[name] != before.get(name):
                yield name

    @staticmethod
    def _recreation(kind: str, name: str, given: Any, before: Any) -> str:
        maker = find(kind)
        if maker is not None:
            alone = (
                {**before, name: given.get(name)}
                if name in given
                else {key: value for key, value in before.items() if key != name}
            )
            if (decided := maker.replaces(alone, before)) is not None:
                return "Always" if decided else "Never"
        for paths, word in (
            (schemas.create_only(kind), "Always"),
            (schemas.conditionally_create_only(kind), "Conditionally"),
        ):
            for path in paths:
                if path[0] == name and schemas.at(given, path) != schemas.at(before, path):
                    return word
        return "Never"

    def _outputs_differ(self) -> bool:
        try:
            new = evaluation.exports(self._settings, self._scope)
        except Failed:
            return True
        return new != self._stack.outputs


class _Literal(Scope):
    """Takes properties as they are: they have been evaluated."""

    def __init__(self, like: Scope) -> None:
        super().__init__(like.template, like.pseudo, like.parameters)

    def value(self, node: Any) -> Any:
        return node


def _in_order(found: evaluation.Definitions) -> list[str]:
    """Each after what it needs."""
    needs, done = evaluation.needs(found), []
    left = dict(needs)
    while ready := [name for name, needed in left.items() if not needed & left.keys()]:
        for name in ready:
            del left[name]
            done.append(name)
    return done


def _replacement(details: list[dict[str, Any]]) -> str:
    """Source: API, ResourceChange, Replacement."""
    words = {"False": 0, "Conditional": 1, "True": 2}
    found = "False"
    for one in details:
        needed = one["Target"]["RequiresRecreation"]
        if needed == "Never":
            continue
        word = "True" if needed == "Always" and one["Evaluation"] == "Static" else "Conditional"
        found = max(found, word, key=words.__getitem__)
    return found


def _detail(
    target: Mapping[str, Any],
    evaluation_: str = "Static",
    source: str = "DirectModification",
    cause: str | None = None,
) -> dict[str, Any]:
    found = {"Target": dict(target), "Evaluation": evaluation_, "ChangeSource": source}
    return {**found, "CausingEntity": cause} if cause else found


def _entry(
    action: str,
    logical: str,
    kind: str,
    physical: str | None = None,
    replacement: str | None = None,
    scope: list[str] | None = None,
    details: list[dict[str, Any]] | None = None,
) -> dict[str, Any]:
    change = {
        "Action": action,
        "LogicalResourceId": logical,
        "PhysicalResourceId": physical,
        "ResourceType": kind,
        "Replacement": replacement,
        "Scope": scope or [],
        "Details": details or [],
    }
    return {
        "Type": "Resource",
        "ResourceChange": {key: value for key, value in change.items() if value is not None},
    }


def _is_later(value: Any) -> bool:
    return LATER in json.dumps(value, default=str)
