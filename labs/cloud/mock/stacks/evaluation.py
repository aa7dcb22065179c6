"""What a template means for one stack: which resources there are to be, with which properties."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from labs.cloud.mock.stacks import schemas
from labs.cloud.mock.stacks.errors import Failed, Invalid, Refused
from labs.cloud.mock.stacks.graph import depends_on, references
from labs.cloud.mock.stacks.intrinsics import Scope, imports
from labs.cloud.mock.stacks.records import Resource, Settings, Stack
from labs.cloud.mock.stacks.types import find

Definitions = dict[str, Mapping[str, Any]]
Clients = Callable[[str], Any]

#: {{resolve:ssm:NAME}}, and of ssm-secure; {{resolve:secretsmanager:ID:SecretString:KEY}}.
#: Source: User Guide, "Get values stored in other services using dynamic references".
_DYNAMIC = re.compile(r"\{\{resolve:(ssm|ssm-secure|secretsmanager):([^{}]+)\}\}")


def scope(
    stack: Stack,
    settings: Settings,
    clients: Clients,
    imported: Callable[[str], str],
    resource: Callable[[str, str | None], Any] | None = None,
) -> Scope:
    """resource: None: the stack's resources as they are now."""
    return Scope(
        settings.template,
        pseudo(stack, settings),
        settings.values,
        resource or (lambda name, attribute: looked_up(stack.resources, name, attribute)),
        imported,
        lambda region: zones(clients, region),
    )


def pseudo(stack: Stack, settings: Settings) -> dict[str, Any]:
    partition = stack.id.split(":")[1]
    return {
        "AWS::AccountId": stack.account,
        "AWS::NotificationARNs": settings.topics,
        "AWS::Partition": partition,
        "AWS::Region": stack.region,
        "AWS::StackId": stack.id,
        "AWS::StackName": stack.name,
        "AWS::URLSuffix": "amazonaws.com.cn" if partition == "aws-cn" else "amazonaws.com",
    }


def zones(clients: Clients, region: str) -> list[str]:
    found = clients("ec2").describe_availability_zones(
        Filters=[{"Name": "region-name", "Values": [region]}]
    )["AvailabilityZones"]
    return sorted(zone["ZoneName"] for zone in found if zone["RegionName"] == region)


def looked_up(resources: Mapping[str, Resource], name: str, attribute: str | None) -> Any:
    """What Ref or Fn::GetAtt gives for a resource that is there. Raises Failed."""
    found = resources.get(name)
    if found is None or found.physical is None:
        raise Failed(f"Unresolved resource dependency: {name} is not there")
    if attribute is None:
        return found.physical
    for known in (found.attributes, found.properties):
        if attribute in known:
            return known[attribute]
        if values := schemas.at(known, tuple(attribute.split("."))):
            return values[0]
    raise Failed(
        f"Attribute {attribute} of {name} has no value: the mock does not know it for "
        f"{found.type}, or the resource has none"
    )


def definitions(settings: Settings, within: Scope) -> Definitions:
    """The resources whose conditions hold, without Fn::If. Raises Refused."""
    assert within.conditions is not None  # all are decided, whether they are used or not
    found = {
        name: within.chosen(resource)
        for name, resource in settings.template.resources.items()
        if within.holds(resource.get("Condition"))
    }
    missing = {
        name
        for name, _ in references([one.get("Properties", {}) for one in found.values()])
        if name in settings.template.resources and name not in found
    }
    if missing:
        raise Refused(
            "Template format error: Unresolved resource dependencies "
            f"[{', '.join(sorted(missing))}] in the Resources block of the template"
        )
    return found


def needs(found: Definitions) -> dict[str, frozenset[str]]:
    """What has to be there before each resource, as far as it is to be there at all."""
    return {
        name: frozenset(
            other
            for other in (
                *(ref for ref, _ in references(resource.get("Properties", {}))),
                *depends_on(resource),
            )
            if other in found
        )
        for name, resource in found.items()
    }


def evaluated(definition: Mapping[str, Any], within: Scope, tags: Mapping[str, str]) -> Any:
    """A resource's properties as values of the types that its schema wants, with the stack's tags.

    Raises Refused, Failed.
    """
    kind = definition["Type"]
    properties = within.value(definition.get("Properties") or {})
    if not isinstance(properties, dict):
        raise Failed("Properties must be an object")
    return schemas.coerce(kind, _tagged(kind, properties, tags))


def _tagged(kind: str, properties: dict[str, Any], tags: Mapping[str, str]) -> dict[str, Any]:
    """CloudFormation gives a stack's tags to its resources. Source: API, CreateStack, Tags."""
    maker = find(kind)
    name = schemas.tag_property(kind) if tags and not kind.startswith("Custom::") else None
    if name is None or maker is None or name not in maker.properties.split():
        return properties
    own = properties.get(name)
    if schemas.is_map(kind, name):
        return {**properties, name: {**tags, **(own or {})}}
    own = own if isinstance(own, list) else []
    taken = {one.get("Key") for one in own if isinstance(one, dict)}
    more = [
        {"Key": key, "Value": value, **maker.tag_extras}
        for key, value in tags.items()
        if key not in taken
    ]
    return {**properties, name: [*own, *more]}


def check_properties(logical: str, kind: str, properties: Any) -> None:
    """Raises Invalid with all that AWS's schema has against the properties."""
    if wrong := schemas.faults(kind, properties):
        said = "\n".join(wrong)
        raise Invalid(f"Properties validation failed for resource {logical} with message:\n{said}")
    maker = find(kind)
    assert maker is not None  # `checks` has seen to it
    known = maker.properties.split()
    absent = [name for name in properties if name not in known] if known != ["*"] else []
    if absent:
        raise Invalid(
            f"This mock does not have the properties [{', '.join(absent)}] of {kind}; AWS has"
        )


def exports(settings: Settings, within: Scope) -> list[dict[str, Any]]:
    """DescribeStacks' Outputs. Raises Refused, Failed."""
    found = []
    for name, output in settings.template.outputs.items():
        if not within.holds(output.get("Condition"), "Outputs"):
            continue
        value = within.value(output["Value"])
        if isinstance(value, dict | list):
            raise Failed(f"Template format error: Output {name} is malformed: its Value is no text")
        entry = {"OutputKey": name, "OutputValue": schemas.text(value)}
        if "Description" in output:
            entry["Description"] = schemas.text(output["Description"])
        if "Export" in output:
            entry["ExportName"] = schemas.text(within.value(output["Export"]["Name"]))
        found.append(entry)
    return found


def imported_names(settings: Settings, within: Scope, found: Definitions) -> frozenset[str]:
    """The names of all exports that a stack imports. Raises Refused."""
    outputs = [
        within.chosen(output)
        for output in settings.template.outputs.values()
        if within.holds(output.get("Condition"), "Outputs")
    ]
    nodes = [*(one.get("Properties", {}) for one in found.values()), *outputs]
    return frozenset(schemas.text(within.value(given)) for given in imports(nodes))


def with_secrets(properties: Any, clients: Clients) -> Any:
    """Dynamic references replaced by what they stand for. Raises Failed."""
    if isinstance(properties, dict):
        return {key: with_secrets(value, clients) for key, value in properties.items()}
    if isinstance(properties, list):
        return [with_secrets(value, clients) for value in properties]
    if isinstance(properties, str) and "{{resolve:" in properties:
        return _DYNAMIC.sub(lambda found: _secret(found[1], found[2], clients), properties)
    return properties


def _secret(service: str, reference: str, clients: Clients) -> str:
    try:
        if service == "secretsmanager":
            return _from_secrets_manager(reference, clients)
        answer = clients("ssm").get_parameter(Name=reference, WithDecryption=True)
        return answer["Parameter"]["Value"]
    except Failed:
        raise
    except Exception as wrong:
        raise Failed(f"Could not resolve {{{{resolve:{service}:{reference}}}}}: {wrong}") from None


def _from_secrets_manager(reference: str, clients: Clients) -> str:
    parts = reference.split(":")
    if reference.startswith("arn:"):
        parts = [":".join(parts[:7]), *parts[7:]]
    secret = clients("secretsmanager").get_secret_value(SecretId=parts[0])["SecretString"]
    key = parts[2] if len(parts) > 2 else ""
    return schemas.text(json.loads(secret)[key]) if key else secret
