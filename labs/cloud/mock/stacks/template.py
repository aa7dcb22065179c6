"""A template as text becomes a template as data, or is refused.

Sources: CloudFormation User Guide, "Template sections", "Using CloudFormation templates" (YAML 1.1
without aliases, merges and its tags for times and sets). AWS's words are from users' reports.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import yaml

from labs.cloud.mock.stacks.errors import Refused

SECTIONS = {
    "AWSTemplateFormatVersion",
    "Conditions",
    "Description",
    "Mappings",
    "Metadata",
    "Outputs",
    "Parameters",
    "Resources",
}
#: AWS has them, this mock has not.
ABSENT_SECTIONS = ("Transform", "Rules", "Hooks")
ATTRIBUTES = {
    "Condition",
    "CreationPolicy",
    "DeletionPolicy",
    "DependsOn",
    "Metadata",
    "Properties",
    "Type",
    "UpdatePolicy",
    "UpdateReplacePolicy",
    "Version",
}
POLICIES = {
    "DeletionPolicy": ("Delete", "Retain", "RetainExceptOnCreate", "Snapshot"),
    "UpdateReplacePolicy": ("Delete", "Retain", "Snapshot"),
}
VERSION = "2010-09-09"
#: Source: User Guide, "CloudFormation quotas".
MOST_RESOURCES, MOST_PARAMETERS, MOST_OUTPUTS = 500, 200, 200
#: More levels than a template can need, and fewer than would exhaust Python's stack.
DEEPEST = 100

_ALPHANUMERIC = re.compile(r"[A-Za-z0-9]+")


@dataclass(frozen=True)
class Template:
    """A template that is well formed. What it refers to is not checked yet: see `checks`."""

    body: str
    content: Mapping[str, Any]

    @cached_property
    def resources(self) -> Mapping[str, Mapping[str, Any]]:
        return self.content["Resources"]

    @cached_property
    def parameters(self) -> Mapping[str, Mapping[str, Any]]:
        return self.content.get("Parameters") or {}

    @cached_property
    def outputs(self) -> Mapping[str, Mapping[str, Any]]:
        return self.content.get("Outputs") or {}

    @cached_property
    def conditions(self) -> Mapping[str, Any]:
        return self.content.get("Conditions") or {}

    @cached_property
    def mappings(self) -> Mapping[str, Any]:
        return self.content.get("Mappings") or {}

    @property
    def description(self) -> str | None:
        return self.content.get("Description")


def parse(body: str) -> Template:
    """Raises Refused."""
    try:
        content = _load(body)
        if _depth(content) > DEEPEST:
            raise Refused("Template format error: unsupported structure.")
        content = _with_text_keys(content)
    except RecursionError:
        raise Refused("Template format error: unsupported structure.") from None
    if not isinstance(content, dict):
        raise Refused("Template format error: unsupported structure.")
    _check(content)
    return Template(body, content)


# --- text to data -------------------------------------------------------------------------------


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
    """YAML as CloudFormation reads it: 2010-09-09 is a text, and !Ref has a long form."""

    yaml_implicit_resolvers: ClassVar = {
        first: [one for one in resolvers if one[0] != "tag:yaml.org,2002:timestamp"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def _long_form(loader: Any, suffix: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _long_form)


def _load(body: str) -> Any:
    if body.lstrip().startswith("{"):
        try:
            return json.loads(body)
        except json.JSONDecodeError as wrong:
            # Flow-style YAML begins like JSON; AWS reads it, too.
            with_tags = _try_yaml(body)
            if with_tags is not None:
                return with_tags
            raise Refused(
                "Template format error: JSON not well-formed. "
                f"(line {wrong.lineno}, column {wrong.colno})"
            ) from None
    try:
        return _load_yaml(body)
    except yaml.MarkedYAMLError as wrong:
        mark = wrong.problem_mark or wrong.context_mark
        where = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
        raise Refused(f"Template format error: YAML not well-formed.{where}") from None
    except (yaml.YAMLError, ValueError, TypeError, AttributeError):
        # ValueError: a number that is none, such as 0b2; the others: a key that cannot be one.
        raise Refused("Template format error: YAML not well-formed.") from None


def _try_yaml(body: str) -> Any:
    try:
        return _load_yaml(body)
    except (yaml.YAMLError, ValueError, TypeError, AttributeError):
        return None


def _load_yaml(body: str) -> Any:
    if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(body, Loader=_Loader)):
        raise Refused("Template error: YAML aliases are not allowed in CloudFormation templates")
    return yaml.load(body, Loader=_Loader)  # noqa: S506, a safe loader


def _depth(content: Any) -> int:
    """Without recursion, which a hostile template would exhaust."""
    level, depth = [content], 0
    while level and depth <= DEEPEST:
        depth += 1
        level = [inner for one in level for inner in _children(one)]
    return depth


def _children(node: Any) -> Iterator[Any]:
    if isinstance(node, dict):
        yield from node.values()
    elif isinstance(node, list | tuple | set):
        yield from node


def _with_text_keys(node: Any) -> Any:
    """YAML's keys may be numbers and booleans: 80 and "80" are the same key, as in JSON."""
    if isinstance(node, dict):
        return {_text(key): _with_text_keys(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_with_text_keys(value) for value in node]
    if node is None or isinstance(node, str | bool | int | float):
        return node
    raise Refused("Template format error: unsupported structure.")


def _text(key: Any) -> str:
    if isinstance(key, bool):
        return str(key).lower()
    return str(key)


# --- structure ----------------------------------------------------------------------------------


def _check(content: dict[str, Any]) -> None:
    for section in ABSENT_SECTIONS:
        if section in content:
            raise Refused(f"This mock has no {section} in templates; AWS has.")
    if unknown := sorted(set(content) - SECTIONS):
        raise Refused(f"Invalid template property or properties [{', '.join(unknown)}]")
    if content.get("AWSTemplateFormatVersion", VERSION) != VERSION:
        raise Refused(
            "Template format error: Unsupported template version: "
            f"{content['AWSTemplateFormatVersion']}"
        )
    if not isinstance(content.get("Description", ""), str):
        raise Refused("Template format error: Description must be a string.")
    for section in ("Conditions", "Mappings", "Metadata", "Outputs", "Parameters", "Resources"):
        if not isinstance(content.get(section, {}), dict):
            raise Refused(f"Template format error: [/{section}] must be an object.")
    if not content.get("Resources"):
        raise Refused("Template format error: At least one Resources member must be defined.")
    _check_no_nulls(content)
    _check_numbers(content)
    for name, parameter in content.get("Parameters", {}).items():
        _check_parameter(name, parameter)
    for name, resource in content["Resources"].items():
        _check_resource(name, resource)
    for name, output in content.get("Outputs", {}).items():
        _check_output(name, output)
    _check_mappings(content.get("Mappings", {}))


def _check_no_nulls(content: dict[str, Any]) -> None:
    for section in ("Parameters", "Mappings", "Conditions", "Resources", "Outputs"):
        for path in _nulls(content.get(section, {}), f"/{section}"):
            raise Refused(
                f"Template format error: [{path}] 'null' values are not allowed in templates"
            )


def _nulls(node: Any, path: str) -> Iterator[str]:
    if node is None:
        yield path
    elif isinstance(node, dict):
        for key, value in node.items():
            yield from _nulls(value, f"{path}/{key}")
    elif isinstance(node, list):
        for number, value in enumerate(node):
            yield from _nulls(value, f"{path}/{number}")


def _check_numbers(content: dict[str, Any]) -> None:
    for section, most in (
        ("Resources", MOST_RESOURCES),
        ("Parameters", MOST_PARAMETERS),
        ("Outputs", MOST_OUTPUTS),
    ):
        if (count := len(content.get(section, {}))) > most:
            raise Refused(
                f"Template format error: Number of {section.lower()}, {count}, is greater than "
                f"maximum allowed, {most}"
            )


def _check_parameter(name: str, parameter: Any) -> None:
    if not _ALPHANUMERIC.fullmatch(name):
        raise Refused(f"Template format error: Parameter name {name} is non alphanumeric.")
    if not isinstance(parameter, dict):
        raise Refused(
            "Template format error: Every Parameters object must be an object; "
            f"[/Parameters/{name}] is not."
        )
    if not isinstance(parameter.get("Type"), str):
        raise Refused("Template format error: Every Parameters object must contain a Type member.")


def _check_resource(name: str, resource: Any) -> None:
    if not _ALPHANUMERIC.fullmatch(name):
        raise Refused(f"Template format error: Resource name {name} is non alphanumeric.")
    if not isinstance(resource, dict):
        raise Refused(
            f"Template format error: [/Resources/{name}] Every Resources object must be an object."
        )
    if not isinstance(resource.get("Type"), str):
        raise Refused(
            f"Template format error: [/Resources/{name}] Every Resources object must contain a "
            "Type member."
        )
    for attribute in resource:
        if attribute not in ATTRIBUTES:
            raise Refused(f"Invalid template resource property '{attribute}'")
    for attribute, kind in (("Properties", dict), ("Metadata", dict), ("Condition", str)):
        if not isinstance(resource.get(attribute, kind()), kind):
            raise Refused(
                f"Template format error: [/Resources/{name}/{attribute}] must be "
                f"{'an object' if kind is dict else 'a string'}."
            )
    needed = resource.get("DependsOn", [])
    if not isinstance(needed, str) and not _is_texts(needed):
        raise Refused(
            "Template format error: DependsOn must be a string or list of strings. "
            f"[/Resources/{name}/DependsOn]"
        )
    for attribute, allowed in POLICIES.items():
        if attribute in resource and resource[attribute] not in allowed:
            raise Refused(
                f"Template error: {attribute} {resource[attribute]!r} of resource {name} is not "
                f"one of {', '.join(allowed)}"
            )


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _check_output(name: str, output: Any) -> None:
    if not _ALPHANUMERIC.fullmatch(name):
        raise Refused(f"Template format error: Output name {name} is non alphanumeric.")
    if not isinstance(output, dict) or "Value" not in output:
        raise Refused("Template format error: Every Outputs member must contain a Value object")
    for key in output:
        if key not in ("Condition", "Description", "Export", "Value"):
            raise Refused(f"Template format error: Output {name} has an unknown member {key!r}")
    if not isinstance(output.get("Condition", ""), str):
        raise Refused(f"Template format error: [/Outputs/{name}/Condition] must be a string.")
    export = output.get("Export", {"Name": ""})
    if not isinstance(export, dict) or set(export) != {"Name"}:
        raise Refused(
            f"Template format error: Output {name} is malformed. The Export needs a Name."
        )


def _check_mappings(mappings: dict[str, Any]) -> None:
    for name, mapping in mappings.items():
        rows = mapping.values() if isinstance(mapping, dict) else [None]
        if not all(isinstance(row, dict) and row for row in rows):
            raise Refused(
                "Template format error: Every Mappings attribute must be a Map of Maps; "
                f"{name} is not."
            )
