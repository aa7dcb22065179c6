"""What CloudFormation refuses before it makes anything: what a template refers to and needs."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from labs.cloud.mock.stacks import parameters, schemas
from labs.cloud.mock.stacks.errors import Refused
from labs.cloud.mock.stacks.graph import circle, depends_on, graph, references
from labs.cloud.mock.stacks.intrinsics import (
    CONDITION_FUNCTIONS,
    FUNCTIONS,
    PSEUDO,
    functions,
    imports,
)
from labs.cloud.mock.stacks.template import Template

#: Types that need CAPABILITY_IAM, and the property whose use makes it CAPABILITY_NAMED_IAM.
#: Source: CloudFormation API, CreateStack, Capabilities.
IAM: dict[str, str | None] = {
    "AWS::IAM::AccessKey": None,
    "AWS::IAM::Group": "GroupName",
    "AWS::IAM::InstanceProfile": "InstanceProfileName",
    "AWS::IAM::ManagedPolicy": "ManagedPolicyName",
    "AWS::IAM::Policy": None,
    "AWS::IAM::Role": "RoleName",
    "AWS::IAM::User": "UserName",
    "AWS::IAM::UserToGroupAddition": None,
}

#: Source: Template Reference, "DeletionPolicy attribute", Snapshot.
SNAPSHOTS = (
    "AWS::DocDB::DBCluster",
    "AWS::EC2::Volume",
    "AWS::ElastiCache::CacheCluster",
    "AWS::ElastiCache::ReplicationGroup",
    "AWS::Neptune::DBCluster",
    "AWS::RDS::DBCluster",
    "AWS::RDS::DBInstance",
    "AWS::Redshift::Cluster",
)


def check(template: Template, supported: Collection[str]) -> None:
    """What can be said without values. supported: types that the mock makes. Raises Refused."""
    check_functions(template)
    parameters.check_types(template)
    check_conditions(template)
    check_references(template)
    check_known_types(template)
    check_supported_types(template, supported)
    check_attributes(template)
    check_order(template)


def check_order(template: Template) -> None:
    if names := circle(graph(template.resources)):
        raise Refused(f"Circular dependency between resources: [{', '.join(names)}]")


def check_known_types(template: Template) -> None:
    types = {resource["Type"] for resource in template.resources.values()}
    if unknown := sorted(name for name in types if not schemas.exists(name)):
        raise Refused(f"Template format error: Unrecognized resource types: [{', '.join(unknown)}]")
    for name, resource in template.resources.items():
        for policy in ("DeletionPolicy", "UpdateReplacePolicy"):
            if resource.get(policy) == "Snapshot" and resource["Type"] not in SNAPSHOTS:
                raise Refused(
                    f"Template error: resource type {resource['Type']} does not support deletion "
                    f"policy Snapshot [/Resources/{name}]"
                )


def check_supported_types(template: Template, supported: Collection[str]) -> None:
    types = {resource["Type"] for resource in template.resources.values()}
    absent = sorted(
        name for name in types if name not in supported and not name.startswith("Custom::")
    )
    if absent:
        raise Refused(f"This mock has no resources of these types; AWS has: [{', '.join(absent)}]")


def check_functions(template: Template) -> None:
    for section in ("Resources", "Outputs", "Conditions"):
        for name in functions(template.content.get(section, {})):
            if name not in FUNCTIONS and name not in CONDITION_FUNCTIONS:
                supported = ", ".join((*FUNCTIONS, "Ref", *CONDITION_FUNCTIONS))
                raise Refused(
                    f"Template error: Encountered unsupported function: {name} "
                    f"Supported functions are: [{supported}]"
                )
    for given in imports(template.resources):
        if any(name in template.resources for name, _ in references(given)):
            raise Refused(
                "Template error: the attribute in Fn::ImportValue must not depend on any "
                "resources, imported values, or Fn::GetAZs"
            )


def check_conditions(template: Template) -> None:
    bad = sorted(
        {
            name
            for name, attribute in references(template.conditions)
            if attribute is not None or (name not in template.parameters and name not in PSEUDO)
        }
    )
    if bad:
        raise Refused(
            f"Template format error: Unresolved dependencies [{', '.join(bad)}]. Cannot reference "
            "resources in the Conditions block of the template"
        )
    for block, things in (("Resources", template.resources), ("Outputs", template.outputs)):
        for thing in things.values():
            name = thing.get("Condition")
            if name is not None and name not in template.conditions:
                raise Refused(
                    f"Template format error: Unresolved condition dependency {name} in the "
                    f"{block} block of the template"
                )


def check_references(template: Template) -> None:
    resolve("Resources", template.resources, template)
    resolve("Outputs", template.outputs, template)


def resolve(block: str, part: Mapping[str, Any], template: Template) -> None:
    """Does all that a part refers to exist? Raises Refused."""
    missing = {
        name
        for name, attribute in references(part)
        if name not in template.resources
        and (attribute is not None or not (name in template.parameters or name in PSEUDO))
    }
    if block == "Resources":
        missing |= {
            name
            for resource in part.values()
            for name in depends_on(resource)
            if name not in template.resources
        }
    if missing:
        raise Refused(
            "Template format error: Unresolved resource dependencies "
            f"[{', '.join(sorted(missing))}] in the {block} block of the template"
        )


def check_attributes(template: Template) -> None:
    for part in (template.resources, template.outputs):
        for name, attribute in references(part):
            if attribute is None or name not in template.resources:
                continue
            if not schemas.has_attribute(template.resources[name]["Type"], attribute):
                raise Refused(
                    f"Template error: resource {name} does not support attribute type "
                    f"{attribute} in Fn::GetAtt"
                )


def needed_capabilities(template: Template) -> tuple[list[str], str | None]:
    """(capabilities, the reason that ValidateTemplate gives)."""
    types = sorted({r["Type"] for r in template.resources.values() if r["Type"] in IAM})
    if not types:
        return [], None
    is_named = any(
        IAM.get(resource["Type"]) in (resource.get("Properties") or {})
        for resource in template.resources.values()
    )
    reason = f"The following resource(s) require capabilities: [{', '.join(types)}]"
    return ["CAPABILITY_NAMED_IAM" if is_named else "CAPABILITY_IAM"], reason


def check_capabilities(template: Template, given: Collection[str]) -> None:
    """Raises Refused (InsufficientCapabilitiesException)."""
    held = {*given, *(["CAPABILITY_IAM"] if "CAPABILITY_NAMED_IAM" in given else [])}
    missing = [one for one in needed_capabilities(template)[0] if one not in held]
    if missing:
        raise Refused(
            f"Requires capabilities : [{', '.join(missing)}]", "InsufficientCapabilitiesException"
        )
