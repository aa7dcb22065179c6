"""What AWS says of each resource type: its properties, which of them replace it, what it tells.

The schemas are those of AWS's registry, as cfn-lint carries them (`cfnlint/data/schemas`, MIT-0);
cfn-lint itself, which takes half a second for a template, is not imported.

Sources: CloudFormation CLI User Guide, "Resource type definition schema"; the words for what is
wrong are those of AWS's validator, from users' reports ("#: extraneous key [X] is not permitted").
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import re
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

CUSTOM = "AWS::CloudFormation::CustomResource"
#: What the schemas leave out: these are told of by Fn::GetAtt without being properties.
OPEN = ("AWS::CloudFormation::Stack", CUSTOM)

Schema = Mapping[str, Any]
Path_ = tuple[str, ...]

#: What a value is, in the validator's words.
_KINDS = {
    dict: "JSONObject",
    list: "JSONArray",
    str: "String",
    bool: "Boolean",
    int: "Integer",
    float: "Double",
}
_NAMES = {
    "object": "JSONObject",
    "array": "JSONArray",
    "string": "String",
    "boolean": "Boolean",
    "integer": "Integer",
    "number": "Number",
}


@cache
def _folder() -> Path:
    found = importlib.util.find_spec("cfnlint")
    assert found and found.submodule_search_locations
    return Path(found.submodule_search_locations[0]) / "data" / "schemas"


@cache
def _index() -> dict[str, str]:
    return json.loads((_folder() / "providers" / "us-east-1.json").read_text("utf-8"))


def exists(type_name: str) -> bool:
    """Is it a resource type of AWS, or a custom resource?"""
    return type_name.startswith("Custom::") or type_name in _index()


@cache
def schema(type_name: str) -> Schema:
    """Raises KeyError for a type that AWS has not."""
    name = CUSTOM if type_name.startswith("Custom::") else type_name
    path = _folder() / "resources" / f"{_index()[name]}.json"
    return _lean(json.loads(path.read_text("utf-8")))


def _lean(node: Any) -> Any:
    """Without the descriptions, which are most of it."""
    if isinstance(node, dict):
        return {
            key: _lean(value)
            for key, value in node.items()
            if not (key == "description" and isinstance(value, str))
        }
    return [_lean(value) for value in node] if isinstance(node, list) else node


def paths(type_name: str, key: str) -> list[Path_]:
    """Of properties: [("Code", "S3Bucket"), ...]. key: "createOnlyProperties" and the like."""
    return [tuple(one.split("/")[2:]) for one in schema(type_name).get(key) or ()]


def create_only(type_name: str) -> list[Path_]:
    """A change of these replaces the resource."""
    return paths(type_name, "createOnlyProperties")


def conditionally_create_only(type_name: str) -> list[Path_]:
    """A change of these may replace the resource."""
    return paths(type_name, "conditionalCreateOnlyProperties")


@cache
def write_only(type_name: str) -> frozenset[Path_]:
    """AWS does not tell these: drift cannot be seen."""
    return frozenset(paths(type_name, "writeOnlyProperties"))


def has_attribute(type_name: str, attribute: str) -> bool:
    """May Fn::GetAtt ask for it?"""
    if type_name.startswith("Custom::") or type_name in OPEN:
        return True
    own = {".".join(path) for path in paths(type_name, "readOnlyProperties")}
    return attribute in own or attribute in schema(type_name).get("properties", {})


def identifier(type_name: str) -> str | None:
    """The property that identifies the resource, where it is one."""
    found = paths(type_name, "primaryIdentifier")
    return found[0][-1] if len(found) == 1 else None


def tag_property(type_name: str) -> str | None:
    """Which property holds the tags; None when the type has none."""
    tagging = schema(type_name).get("tagging", {})
    if not tagging.get("taggable", "Tags" in schema(type_name).get("properties", {})):
        return None
    name = tagging.get("tagProperty", "/properties/Tags").rpartition("/")[2]
    return name if name in schema(type_name).get("properties", {}) else None


def is_map(type_name: str, property_name: str) -> bool:
    """Is this property an object rather than a list or a scalar?"""
    wanted = schema(type_name).get("properties", {}).get(property_name, {})
    return "object" in _types(_resolved(wanted, schema(type_name)))


def at(properties: Any, path: Path_) -> list[Any]:
    """What is there, if anything; "*" stands for each item of a list."""
    if not path:
        return [properties]
    first, rest = path[0], path[1:]
    if first == "*":
        items = properties if isinstance(properties, list) else []
        return [found for item in items for found in at(item, rest)]
    if isinstance(properties, dict) and first in properties:
        return at(properties[first], rest)
    return []


# --- values as the schema wants them --------------------------------------------------------------


def coerce(type_name: str, properties: Any) -> Any:
    """ "5" where a number is wanted, 5 where a text is: CloudFormation takes either."""
    root = schema(type_name)
    return _coerce(properties, root, root)


def _coerce(value: Any, wanted: Schema, root: Schema) -> Any:
    wanted = _resolved(wanted, root)
    if isinstance(value, dict):
        known = wanted.get("properties") or {}
        others = next(iter((wanted.get("patternProperties") or {}).values()), {})
        return {key: _coerce(inner, known.get(key, others), root) for key, inner in value.items()}
    if isinstance(value, list):
        return [_coerce(inner, wanted.get("items") or {}, root) for inner in value]
    kinds = _types(wanted)
    if "string" in kinds and not isinstance(value, str):
        return text(value)
    if isinstance(value, str) and kinds and "string" not in kinds:
        return _from_text(value, kinds)
    return value


def _from_text(value: str, kinds: list[str]) -> Any:
    if "boolean" in kinds and value.lower() in ("true", "false"):
        return value.lower() == "true"
    if "integer" in kinds and re.fullmatch(r"-?\d{1,18}", value):
        return int(value)
    if "number" in kinds and re.fullmatch(r"-?\d{1,18}(\.\d+)?", value):
        return float(value)
    return value


def text(value: Any) -> str:
    """A scalar as CloudFormation writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict | list):
        return json.dumps(value, separators=(",", ":"))
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _resolved(wanted: Any, root: Schema) -> Schema:
    for _ in range(20):  # a reference to itself would never end
        if not isinstance(wanted, dict) or "$ref" not in wanted:
            break
        node: Any = root
        for key in wanted["$ref"].lstrip("#/").split("/"):
            node = node[key]
        wanted = node
    return wanted if isinstance(wanted, dict) else {}


def _types(wanted: Schema) -> list[str]:
    found = wanted.get("type") or []
    return [found] if isinstance(found, str) else list(found)


def is_unordered(type_name: str, path: Path_) -> bool:
    """Is this list a set, so that another order is no difference?"""
    node: Schema = schema(type_name)
    for key in path:
        node = _resolved(node, schema(type_name))
        node = node.get("items", {}) if key == "*" else (node.get("properties") or {}).get(key, {})
    return _resolved(node, schema(type_name)).get("insertionOrder") is False


# --- validation -----------------------------------------------------------------------------------


def faults(type_name: str, properties: Any) -> list[str]:
    """What AWS's validator would say of these, coerced already; [] when all is well."""
    if type_name.startswith("Custom::") or type_name == CUSTOM:
        return [] if "ServiceToken" in properties else ["#: required key [ServiceToken] not found"]
    own = {path[0] for path in paths(type_name, "readOnlyProperties") if len(path) == 1}
    said = [f"#: extraneous key [{name}] is not permitted" for name in properties if name in own]
    given = {name: value for name, value in properties.items() if name not in own}
    for error in _validator(type_name).iter_errors(given):
        said.extend(_said(error))
    return list(dict.fromkeys(said))


@cache
def _validator(type_name: str) -> Any:
    return load_jsonschema().Draft7Validator(_plain(schema(type_name)))


#: What jsonschema loads to check formats, which are left out here: building the grammar of one
#: takes four seconds and 15 MB.
_FOR_FORMATS = ("isoduration", "rfc3987_syntax")


@cache
def load_jsonschema() -> Any:
    """Only who makes stacks needs it."""
    absent = {name: None for name in _FOR_FORMATS if name not in sys.modules}
    sys.modules.update(absent)  # type: ignore[arg-type]
    try:
        return importlib.import_module("jsonschema")
    finally:
        for name in absent:
            del sys.modules[name]


def _plain(node: Any) -> Any:
    """Without patterns that Python cannot compile, and without formats, which are cfn-lint's."""
    if isinstance(node, dict):
        patterns = node.get("patternProperties")
        if isinstance(patterns, dict) and not all(map(_compiles, patterns)):
            node = {
                key: value
                for key, value in node.items()
                if key not in ("patternProperties", "additionalProperties")
            }
        return {
            key: _plain(value)
            for key, value in node.items()
            if not (key == "format" and isinstance(value, str))
            and not (key == "pattern" and isinstance(value, str) and not _compiles(value))
        }
    return [_plain(value) for value in node] if isinstance(node, list) else node


def _compiles(pattern: str) -> bool:
    try:
        re.compile(pattern)
    except re.error:
        return False
    return True


def _said(error: Any) -> Iterator[str]:
    where = "#" + "".join(f"/{one}" for one in error.absolute_path)
    if error.validator == "additionalProperties":
        known = error.schema.get("properties", {})
        patterns = error.schema.get("patternProperties", {})
        for key in error.instance:
            if key not in known and not any(re.search(one, key) for one in patterns):
                yield f"{where}: extraneous key [{key}] is not permitted"
    elif error.validator == "required":
        for key in error.validator_value:
            if key not in error.instance:
                yield f"{where}: required key [{key}] not found"
    elif error.validator == "type":
        wanted = error.validator_value
        names = [_NAMES.get(one, one) for one in ([wanted] if isinstance(wanted, str) else wanted)]
        found = _KINDS.get(type(error.instance), type(error.instance).__name__)
        yield f"{where}: expected type: {' or '.join(names)}, found: {found}"
    elif error.validator == "enum":
        yield f"{where}: {text(error.instance)} is not a valid enum value"
    elif error.validator in ("anyOf", "oneOf", "allOf"):
        yield f"{where}: {error.validator} subschemas do not match"
    else:
        yield f"{where}: failed validation constraint for keyword [{error.validator}]"
