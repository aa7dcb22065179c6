"""Lengths, patterns, enumerations and required members of parameters, as AWS's model has them.

The SDKs check little of it, so that an answer of AWS's is what people see. Its words: "1 validation
error detected: Value at 'pipeline.stages.1.member.name' failed to satisfy constraint: ...", seen in
public; names begin small and lists count from 1.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from botocore.model import Shape
from moto.core.utils import get_service_model

from labs.cloud.mock.pipelines.refusals import refuse


def check(operation: str, parameters: dict[str, Any]) -> None:
    """Raises ValidationException for what an operation of CodePipeline's does not take."""
    shape = get_service_model("codepipeline").operation_model(operation).input_shape
    faults = list(_faults(shape, parameters, "")) if shape else []
    if faults:
        noun = "error" if len(faults) == 1 else "errors"
        listed = "; ".join(faults)
        refuse("ValidationException", f"{len(faults)} validation {noun} detected: {listed}")


def _faults(shape: Shape, value: Any, path: str) -> Iterator[str]:
    if shape.type_name == "structure":
        yield from _structure(shape, value, path)
    elif shape.type_name == "list":
        yield from _of_length(shape, value, path, len(value) if _is(value, list) else None)
        if _is(value, list):
            for number, member in enumerate(value, start=1):
                yield from _faults(shape.member, member, f"{path}.{number}.member")
    elif shape.type_name == "map":
        if not _is(value, dict):
            yield _wrong(path, "Member must be a map")
            return
        for key, member in value.items():
            yield from _faults(shape.value, member, f"{path}.{key}")
    elif shape.type_name == "string":
        yield from _string(shape, value, path)
    elif shape.type_name in ("integer", "long"):
        yield from _number(shape, value, path)


def _structure(shape: Shape, value: Any, path: str) -> Iterator[str]:
    if not _is(value, dict):
        yield _wrong(path, "Member must be a structure")
        return
    for name, member in shape.members.items():
        place = f"{path}.{name}" if path else name
        if value.get(name) is not None:
            yield from _faults(member, value[name], place)
        elif name in shape.required_members:
            yield f"Value at '{place}' failed to satisfy constraint: Member must not be null"


def _string(shape: Shape, value: Any, path: str) -> Iterator[str]:
    if not _is(value, str):
        yield _wrong(path, "Member must be a string")
        return
    yield from _of_length(shape, value, path, len(value))
    if shape.enum and value not in shape.enum:
        listed = ", ".join(shape.enum)
        yield _wrong(path, f"Member must satisfy enum value set: [{listed}]", value)
    pattern = shape.metadata.get("pattern")
    if pattern and not re.fullmatch(pattern, value, re.DOTALL):
        yield _wrong(path, f"Member must satisfy regular expression pattern: {pattern}", value)


def _number(shape: Shape, value: Any, path: str) -> Iterator[str]:
    if not _is(value, int) or isinstance(value, bool):
        yield _wrong(path, "Member must be a number")
        return
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is not None and value < least:
        yield _wrong(path, f"Member must have value greater than or equal to {least}", value)
    if most is not None and value > most:
        yield _wrong(path, f"Member must have value less than or equal to {most}", value)


def _of_length(shape: Shape, value: Any, path: str, length: int | None) -> Iterator[str]:
    if length is None:
        yield _wrong(path, "Member must be a list")
        return
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    shown = value if isinstance(value, str) else None
    if least is not None and length < least:
        yield _wrong(path, f"Member must have length greater than or equal to {least}", shown)
    if most is not None and length > most:
        yield _wrong(path, f"Member must have length less than or equal to {most}", shown)


def _wrong(path: str, constraint: str, value: Any = None) -> str:
    shown = f" '{value}'" if value is not None else ""
    return f"Value{shown} at '{path}' failed to satisfy constraint: {constraint}"


def _is(value: Any, kind: type) -> bool:
    return isinstance(value, kind)
