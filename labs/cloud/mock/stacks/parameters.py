"""The parameters of a template: which have values, which values are allowed.

Sources: CloudFormation User Guide, "Parameters section", "Specify existing resources at runtime
with CloudFormation-supplied parameter types"; AWS's words from users' reports, for lengths and
bounds in the same form.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from labs.cloud.mock.stacks.errors import Refused
from labs.cloud.mock.stacks.schemas import text
from labs.cloud.mock.stacks.template import Template

MASKED = "****"
SSM_VALUE = re.compile(r"AWS::SSM::Parameter::Value<(.+)>")
LIST = re.compile(r"List<(.+)>")
#: Existing things by type: the service, and (operation, list, key) that finds them.
EXISTING: dict[str, tuple[str, str, str, str]] = {
    "AWS::EC2::Image::Id": ("ec2", "describe_images", "Images", "ImageId"),
    "AWS::EC2::Instance::Id": ("ec2", "describe_instances", "Reservations", "InstanceId"),
    "AWS::EC2::KeyPair::KeyName": ("ec2", "describe_key_pairs", "KeyPairs", "KeyName"),
    "AWS::EC2::SecurityGroup::GroupName": (
        "ec2",
        "describe_security_groups",
        "SecurityGroups",
        "GroupName",
    ),
    "AWS::EC2::SecurityGroup::Id": (
        "ec2",
        "describe_security_groups",
        "SecurityGroups",
        "GroupId",
    ),
    "AWS::EC2::Subnet::Id": ("ec2", "describe_subnets", "Subnets", "SubnetId"),
    "AWS::EC2::VPC::Id": ("ec2", "describe_vpcs", "Vpcs", "VpcId"),
    "AWS::EC2::AvailabilityZone::Name": (
        "ec2",
        "describe_availability_zones",
        "AvailabilityZones",
        "ZoneName",
    ),
    "AWS::Route53::HostedZone::Id": ("route53", "list_hosted_zones", "HostedZones", "Id"),
}
PLAIN = {"String", "Number", "CommaDelimitedList", "AWS::SSM::Parameter::Name"}

#: service -> client.
Clients = Callable[[str], Any]


def check_types(template: Template) -> None:
    """Raises Refused for a parameter type that there is not."""
    for name, parameter in template.parameters.items():
        kind = parameter["Type"]
        if found := SSM_VALUE.fullmatch(kind):
            kind = found[1]
        if found := LIST.fullmatch(kind):
            kind = found[1]
        if kind not in PLAIN and kind not in EXISTING:
            raise Refused(
                f"Template format error: Unrecognized parameter type: {parameter['Type']} "
                f"[/Parameters/{name}]"
            )


def raw_values(template: Template, given: Mapping[str, Any]) -> dict[str, str]:
    """The text of each parameter: what was given, else its default. Raises Refused."""
    unknown = [name for name in given if name not in template.parameters]
    if unknown:
        raise Refused(f"Parameters: [{', '.join(unknown)}] do not exist in the template")
    missing = [
        name
        for name, parameter in template.parameters.items()
        if name not in given and "Default" not in parameter
    ]
    if missing:
        raise Refused(f"Parameters: [{', '.join(missing)}] must have values")
    return {
        name: text(given.get(name, parameter.get("Default")))
        for name, parameter in template.parameters.items()
    }


def values(template: Template, raw: Mapping[str, str], clients: Clients) -> dict[str, Any]:
    """What Ref gives: lists as lists, what an SSM parameter holds, checked. Raises Refused."""
    return {
        name: _value(name, parameter, raw[name], clients)
        for name, parameter in template.parameters.items()
    }


def resolved_values(
    template: Template, raw: Mapping[str, str], found: Mapping[str, Any]
) -> dict[str, str]:
    """By name, what DescribeStacks calls ResolvedValue: for parameters that SSM resolved."""
    return {
        name: ",".join(found[name]) if isinstance(found[name], list) else found[name]
        for name, parameter in template.parameters.items()
        if SSM_VALUE.fullmatch(parameter["Type"])
    }


def is_secret(parameter: Mapping[str, Any]) -> bool:
    return text(parameter.get("NoEcho", False)).lower() == "true"


def shown(template: Template, raw: Mapping[str, str]) -> dict[str, str]:
    """As everybody may see them: those with NoEcho are masked."""
    return {
        name: MASKED if is_secret(template.parameters.get(name, {})) else value
        for name, value in raw.items()
    }


def _value(name: str, parameter: Mapping[str, Any], raw: str, clients: Clients) -> Any:
    kind = parameter["Type"]
    if found := SSM_VALUE.fullmatch(kind):
        raw, kind = _stored(raw, clients), found[1]
    listed = LIST.fullmatch(kind)
    is_list = listed is not None or kind == "CommaDelimitedList"
    items = [one.strip() for one in raw.split(",")] if is_list else [raw]
    for item in items:
        _check(name, parameter, listed[1] if listed else kind, item)
    if listed or kind in EXISTING:
        _check_existing(name, listed[1] if listed else kind, items, clients)
    return items if is_list else raw


def _stored(key: str, clients: Clients) -> str:
    try:
        return clients("ssm").get_parameter(Name=key)["Parameter"]["Value"]
    except Exception as wrong:
        if type(wrong).__name__ != "ParameterNotFound":
            raise Refused(str(wrong)) from None
        raise Refused(
            f"Unable to fetch parameters [{key}] from parameter store for this account."
        ) from None


def _check(name: str, parameter: Mapping[str, Any], kind: str, item: str) -> None:
    def refuse(why: str) -> None:
        reason = parameter.get("ConstraintDescription")
        if reason:
            raise Refused(f"Parameter {name} failed to satisfy constraint: {text(reason)}")
        raise Refused(f"Parameter '{name}' {why}")

    allowed = parameter.get("AllowedValues")
    if isinstance(allowed, list) and item not in [text(one) for one in allowed]:
        refuse("must be one of AllowedValues")
    if kind == "Number":
        _check_number(name, parameter, item, refuse)
        return
    pattern = parameter.get("AllowedPattern")
    if pattern is not None and not _matches(text(pattern), item):
        refuse(f"must match pattern {pattern}")
    if "MinLength" in parameter and len(item) < _number(parameter["MinLength"]):
        refuse(f"must contain at least {text(parameter['MinLength'])} characters")
    if "MaxLength" in parameter and len(item) > _number(parameter["MaxLength"]):
        refuse(f"must contain at most {text(parameter['MaxLength'])} characters")


def _check_number(
    name: str, parameter: Mapping[str, Any], item: str, refuse: Callable[[str], None]
) -> None:
    try:
        number = float(item)
    except ValueError:
        raise Refused(f"Parameter '{name}' must be a number.") from None
    if "MinValue" in parameter and number < _number(parameter["MinValue"]):
        refuse(f"must be a number not less than {text(parameter['MinValue'])}")
    if "MaxValue" in parameter and number > _number(parameter["MaxValue"]):
        refuse(f"must be a number not greater than {text(parameter['MaxValue'])}")


def _number(value: Any) -> float:
    try:
        return float(text(value))
    except ValueError:
        raise Refused(f"Template format error: {value!r} is no number") from None


def _matches(pattern: str, item: str) -> bool:
    try:
        return re.fullmatch(pattern, item) is not None
    except re.error as wrong:
        raise Refused(
            f"Template format error: AllowedPattern {pattern!r} is no regular expression: {wrong}"
        ) from None


def _check_existing(name: str, kind: str, items: list[str], clients: Clients) -> None:
    if kind not in EXISTING:
        return
    service, operation, listed, key = EXISTING[kind]
    found = getattr(clients(service), operation)()[listed]
    if listed == "Reservations":
        found = [one for reservation in found for one in reservation["Instances"]]
    known = {str(one.get(key)).rpartition("/")[2] for one in found}
    for item in items:
        if item not in known:
            raise Refused(
                f"Parameter validation failed: parameter value {item} for parameter name {name} "
                "does not exist"
            )
