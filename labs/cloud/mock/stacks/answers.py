"""What CloudFormation tells, in the shapes of its API: without what is not there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from labs.cloud.mock.stacks import parameters, schemas
from labs.cloud.mock.stacks.records import ChangeSet, Resource, Settings, Stack
from labs.cloud.mock.stacks.template import Template


def stack(found: Stack) -> dict[str, Any]:
    """Source: API, Stack."""
    settings = found.settings
    return given(
        StackId=found.id,
        StackName=found.name,
        ChangeSetId=next(
            (one.id for one in found.changes.values() if one.execution == "EXECUTE_COMPLETE"), None
        ),
        Description=settings.template.description if settings else None,
        Parameters=values(settings) if settings else None,
        CreationTime=found.created,
        DeletionTime=found.deleted,
        LastUpdatedTime=found.updated,
        RollbackConfiguration={},
        StackStatus=found.status,
        StackStatusReason=found.reason,
        DisableRollback=found.on_failure == "DO_NOTHING",
        NotificationARNs=settings.topics if settings else [],
        TimeoutInMinutes=found.timeout,
        Capabilities=settings.capabilities if settings else None,
        Outputs=found.outputs or None,
        RoleARN=found.role,
        Tags=tags(settings) if settings else [],
        EnableTerminationProtection=found.protected,
        ParentId=found.parent,
        RootId=found.root,
        DriftInformation=given(StackDriftStatus=found.drift, LastCheckTimestamp=found.checked),
    )


def values(settings: Settings) -> list[dict[str, str]]:
    """Parameters, masked where they are secret."""
    return [
        given(
            ParameterKey=name,
            ParameterValue=value,
            ResolvedValue=settings.resolved.get(name),
        )
        for name, value in parameters.shown(settings.template, settings.raw).items()
    ]


def tags(settings: Settings) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in settings.tags.items()]


def summary(found: Stack) -> dict[str, Any]:
    """Source: API, StackSummary."""
    return given(
        StackId=found.id,
        StackName=found.name,
        TemplateDescription=found.settings.template.description if found.settings else None,
        CreationTime=found.created,
        LastUpdatedTime=found.updated,
        DeletionTime=found.deleted,
        StackStatus=found.status,
        StackStatusReason=found.reason,
        ParentId=found.parent,
        RootId=found.root,
        DriftInformation=given(StackDriftStatus=found.drift, LastCheckTimestamp=found.checked),
    )


def _resource(found: Resource) -> dict[str, Any]:
    return {
        "LogicalResourceId": found.logical,
        "PhysicalResourceId": found.physical,
        "ResourceType": found.type,
        "ResourceStatus": found.status,
        "ResourceStatusReason": found.reason,
    }


def resource(of: Stack, found: Resource) -> dict[str, Any]:
    """Source: API, StackResource."""
    return given(
        StackName=of.name,
        StackId=of.id,
        Timestamp=found.changed,
        DriftInformation=_drift(found),
        **_resource(found),
    )


def resource_detail(of: Stack, found: Resource) -> dict[str, Any]:
    """Source: API, StackResourceDetail."""
    metadata = found.definition.get("Metadata")
    return given(
        StackName=of.name,
        StackId=of.id,
        LastUpdatedTimestamp=found.changed,
        Metadata=json.dumps(metadata) if metadata is not None else None,
        DriftInformation=_drift(found),
        **_resource(found),
    )


def resource_summary(found: Resource) -> dict[str, Any]:
    """Source: API, StackResourceSummary."""
    return given(
        LastUpdatedTimestamp=found.changed, DriftInformation=_drift(found), **_resource(found)
    )


def _drift(found: Resource) -> dict[str, Any]:
    return given(StackResourceDriftStatus=found.drift, LastCheckTimestamp=found.checked)


def resource_drift(of: Stack, found: Resource) -> dict[str, Any]:
    """Source: API, StackResourceDrift."""
    return given(
        StackId=of.id,
        LogicalResourceId=found.logical,
        PhysicalResourceId=found.physical,
        ResourceType=found.type,
        ExpectedProperties=json.dumps(found.properties),
        ActualProperties=None if found.drift == "DELETED" else json.dumps(found.actual),
        PropertyDifferences=found.differences,
        StackResourceDriftStatus=found.drift,
        Timestamp=found.checked or found.changed,
    )


def change_set_summary(of: Stack, found: ChangeSet) -> dict[str, Any]:
    """Source: API, ChangeSetSummary."""
    return given(
        StackId=of.id,
        StackName=of.name,
        ChangeSetId=found.id,
        ChangeSetName=found.name,
        ExecutionStatus=found.execution,
        Status=found.status,
        StatusReason=found.reason,
        CreationTime=found.created,
        Description=found.description,
        IncludeNestedStacks=False,
    )


def change_set(of: Stack, found: ChangeSet) -> dict[str, Any]:
    """Source: API, DescribeChangeSet."""
    return {
        **change_set_summary(of, found),
        "Parameters": values(found.given),
        "NotificationARNs": found.given.topics,
        "RollbackConfiguration": {},
        "Capabilities": found.given.capabilities,
        "Tags": tags(found.given),
    }


def template_parameter(name: str, found: Mapping[str, Any]) -> dict[str, Any]:
    """Source: API, TemplateParameter."""
    return given(
        ParameterKey=name,
        DefaultValue=schemas.text(found["Default"]) if "Default" in found else None,
        NoEcho=parameters.is_secret(found),
        Description=found.get("Description"),
    )


def declaration(name: str, found: Mapping[str, Any]) -> dict[str, Any]:
    """Source: API, ParameterDeclaration."""
    allowed = found.get("AllowedValues")
    constraints = {"AllowedValues": [schemas.text(one) for one in allowed]} if allowed else {}
    return {
        **template_parameter(name, found),
        "ParameterType": found["Type"],
        "ParameterConstraints": constraints,
    }


def metadata(template: Template) -> str | None:
    found = template.content.get("Metadata")
    return json.dumps(found) if found else None


def identifiers(template: Template) -> list[dict[str, Any]]:
    """Source: API, ResourceIdentifierSummary."""
    by_type: dict[str, list[str]] = {}
    for name, one in template.resources.items():
        by_type.setdefault(one["Type"], []).append(name)
    return [
        {
            "ResourceType": kind,
            "LogicalResourceIds": names,
            "ResourceIdentifiers": [path[-1] for path in schemas.paths(kind, "primaryIdentifier")],
        }
        for kind, names in by_type.items()
    ]


def given(**members: Any) -> dict[str, Any]:
    """Without those that are None."""
    return {name: value for name, value in members.items() if value is not None}
