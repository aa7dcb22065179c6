"""Parameters of a stack, from an action's files and configuration.

Sources: CloudFormation User Guide, "CloudFormation artifacts" (the template configuration file),
"Using parameter override functions with CodePipeline pipelines". Texts are ours.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from labs.cloud.mock.pipelines.work import CONFIGURATION, ActionFailed, Work

#: Bytes of ParameterOverrides. Source: User Guide, "Quotas in CodePipeline".
LONGEST_OVERRIDES = 1024
FUNCTIONS = ("Fn::GetArtifactAtt", "Fn::GetParam")


@dataclass
class Parameters:
    values: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    stack_policy: Any = None


def read_parameters(work: Work) -> Parameters:
    """Raises ActionFailed for files and functions that cannot be read."""
    found = Parameters()
    if reference := work.configuration.get("TemplateConfiguration"):
        content = _object(work.file(reference), reference)
        found.values = {key: _plain(one) for key, one in _member(content, "Parameters").items()}
        found.tags = {key: _plain(one) for key, one in _member(content, "Tags").items()}
        found.stack_policy = content.get("StackPolicy")
    overrides = work.configuration.get("ParameterOverrides") or "{}"
    if len(overrides.encode()) > LONGEST_OVERRIDES:
        raise ActionFailed(
            CONFIGURATION, f"ParameterOverrides has more than {LONGEST_OVERRIDES} bytes"
        )
    for key, value in _object(overrides, "ParameterOverrides").items():
        found.values[key] = _value(work, value)
    return found


def _value(work: Work, value: Any) -> str:
    if not isinstance(value, dict):
        return _plain(value)
    [(function, arguments)] = value.items() if len(value) == 1 else [("", None)]
    if function not in FUNCTIONS or not isinstance(arguments, list):
        raise ActionFailed(
            CONFIGURATION, f"{json.dumps(value)} is neither a value nor one of {FUNCTIONS}"
        )
    try:
        if function == "Fn::GetArtifactAtt":
            name, attribute = arguments
            return _attribute(work, name, attribute)
        name, path, key = arguments
    except ValueError:
        raise ActionFailed(
            CONFIGURATION, f"{function} has {len(arguments)} arguments: {json.dumps(arguments)}"
        ) from None
    content = _object(work.file(f"{name}::{path}"), path)
    if key not in content:
        raise ActionFailed(CONFIGURATION, f"There is no {key} in {path} of artifact [{name}]")
    return _plain(content[key])


def _attribute(work: Work, name: str, attribute: str) -> str:
    artifact = work.input(name)
    attributes = {
        "BucketName": artifact.bucket,
        "ObjectKey": artifact.key,
        "URL": f"https://s3.{work.run.region}.amazonaws.com/{artifact.bucket}/{artifact.key}",
    }
    if attribute not in attributes:
        raise ActionFailed(
            CONFIGURATION, f"An artifact has no {attribute}: {', '.join(attributes)}"
        )
    return attributes[attribute]


def _object(text: str | bytes, name: str) -> dict[str, Any]:
    try:
        content = json.loads(text)
    except ValueError as wrong:
        raise ActionFailed(CONFIGURATION, f"{name} is not JSON: {wrong}") from None
    if not isinstance(content, dict):
        raise ActionFailed(CONFIGURATION, f"{name} is not a JSON object")
    return content


def _member(content: dict[str, Any], name: str) -> dict[str, Any]:
    value = content.get(name) or {}
    if not isinstance(value, dict):
        raise ActionFailed(CONFIGURATION, f"{name} of a template configuration is not an object")
    return value


def _plain(value: Any) -> str:
    """A list is CloudFormation's: joined by commas."""
    if isinstance(value, list):
        return ",".join(map(_plain, value))
    return value if isinstance(value, str) else json.dumps(value)
