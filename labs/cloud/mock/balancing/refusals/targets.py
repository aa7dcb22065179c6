"""Refusals for target groups and their targets.

Sources: ELB API (2015-12-01), CreateTargetGroup, ModifyTargetGroup, RegisterTargets;
Application Load Balancer guide, "Target groups" and "Use Lambda functions as targets of an
Application Load Balancer".
"""

import functools
import ipaddress
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from moto.ec2.exceptions import InvalidVPCIdError
from moto.elbv2.models import ELBv2Backend, FakeTargetGroup

from labs.cloud.mock.balancing.refusals.checks import before, in_range, invalid, one_of, refuse
from labs.cloud.mock.functions.contract import NoSuchFunction, NotPermitted
from labs.cloud.mock.functions.service import permitted_function
from labs.cloud.mock.hooking import Hook
from labs.loadbalancing.rules import LIMITS

SERVICE = "elasticloadbalancing.amazonaws.com"
#: Where targets of the kind "ip" may be besides the subnets of their VPC: RFC 1918, RFC 6598.
PRIVATE = [
    ipaddress.ip_network(block)
    for block in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")
]

Target = Mapping[str, Any]


# --- Settings of target groups ------------------------------------------------------------------


def create_target_group(original: Callable, _motor: Any) -> Callable:
    """On AWS the call is idempotent: same name and settings, same group. moto refuses a second."""

    @functools.wraps(original)
    def create(self: ELBv2Backend, name: str, **kwargs: Any) -> FakeTargetGroup:
        kwargs = {**kwargs, "target_type": kwargs.get("target_type") or "instance"}
        one_of("targetType", kwargs["target_type"], ("instance", "ip", "lambda", "alb"))
        in_range("port", kwargs.get("port"), 1, 65535)
        check_health_check(
            protocol=kwargs.get("protocol"),
            check_protocol=kwargs.get("healthcheck_protocol"),
            port=kwargs.get("healthcheck_port"),
            path=kwargs.get("healthcheck_path"),
            interval=kwargs.get("healthcheck_interval_seconds"),
            timeout=kwargs.get("healthcheck_timeout_seconds"),
            healthy=kwargs.get("healthy_threshold_count"),
            unhealthy=kwargs.get("unhealthy_threshold_count"),
            codes=(kwargs.get("matcher") or {}).get("HttpCode"),
        )
        for group in self.target_groups.values():
            if group.name == name:
                if is_same(group, kwargs):
                    return group
                refuse(
                    "DuplicateTargetGroupName",
                    f"A target group with the same name '{name}' exists, but with different "
                    "settings",
                )
        if len(self.target_groups) >= LIMITS["target groups in a region"].number:
            refuse("TooManyTargetGroups", "The maximum number of target groups has been reached")
        return original(self, name, **kwargs)

    return create


def is_same(group: FakeTargetGroup, asked: Mapping[str, Any]) -> bool:
    """Whether a group has what was asked for; what was not said may be anything."""
    renamed = {key.replace("healthcheck_", "health_check_"): asked[key] for key in asked}
    renamed.pop("tags", None)
    enabled = renamed.pop("health_check_enabled", None)
    return all(
        str(getattr(group, key, None)) == str(value)
        for key, value in renamed.items()
        if value is not None
    ) and (enabled is None or str(enabled).lower() == str(group.health_check_enabled).lower())


def check_health_check(
    *,
    protocol: str | None,
    check_protocol: str | None,
    port: Any,
    path: str | None,
    interval: int | None,
    timeout: int | None,
    healthy: Any,
    unhealthy: Any,
    codes: str | None,
) -> None:
    """Refuse settings out of AWS's ranges. protocol: the group's. None is what was not given."""
    in_range("healthCheckIntervalSeconds", interval, 5, 300)
    in_range("healthCheckTimeoutSeconds", timeout, 2, 120)
    in_range("healthyThresholdCount", healthy, 2, 10)
    in_range("unhealthyThresholdCount", unhealthy, 2, 10)
    one_of("healthCheckProtocol", check_protocol, ("HTTP", "HTTPS", "TCP"))
    if check_protocol == "TCP" and protocol in ("HTTP", "HTTPS"):
        invalid(f"Health check protocol 'TCP' is not supported for the protocol '{protocol}'")
    if port not in (None, "traffic-port"):
        if not str(port).isdecimal():
            invalid(f"Health check port '{port}' must be 'traffic-port' or a number")
        in_range("healthCheckPort", port, 1, 65535)
    if path is not None and not (path.startswith("/") and len(path) <= 1024):
        invalid(f"Health check path '{path}' must begin with '/' and have at most 1024 characters")
    if codes is not None:
        check_codes(codes, 499 if protocol in ("HTTP", "HTTPS") else 599)


def check_codes(codes: str, most: int) -> None:
    """200 | 200,202 | 200-299, from 200 up to `most`."""
    for part in codes.split(","):
        ends = part.split("-")
        if len(ends) > 2 or not all(re.fullmatch(r"\d{3}", end) for end in ends):
            invalid(f"Health check matcher HTTP code '{codes}' must be like 200 or 200,202-299")
        if not 200 <= int(ends[0]) <= int(ends[-1]) <= most:
            invalid(f"Health check matcher HTTP code '{codes}' must be within '200-{most}'")


def check_modified_group(
    self: ELBv2Backend,
    arn: str,
    health_check_proto: str | None = None,
    health_check_port: str | None = None,
    health_check_path: str | None = None,
    health_check_interval: int | None = None,
    health_check_timeout: int | None = None,
    healthy_threshold_count: str | None = None,
    unhealthy_threshold_count: str | None = None,
    http_codes: str | None = None,
    health_check_enabled: bool | None = None,
) -> None:
    group = find_group(self, arn)
    check_health_check(
        protocol=group.protocol,
        check_protocol=health_check_proto,
        port=health_check_port,
        path=health_check_path,
        interval=health_check_interval,
        timeout=health_check_timeout,
        healthy=healthy_threshold_count,
        unhealthy=unhealthy_threshold_count,
        codes=http_codes,
    )
    interval = int(health_check_interval or group.health_check_interval_seconds)
    timeout = int(health_check_timeout or group.health_check_timeout_seconds)
    if timeout > interval or (timeout == interval and group.protocol in ("HTTP", "HTTPS")):
        invalid(f"Health check timeout '{timeout}' must be smaller than the interval '{interval}'")


def find_group(backend: ELBv2Backend, arn: str) -> FakeTargetGroup:
    if arn not in backend.target_groups:
        refuse("TargetGroupNotFound", "One or more target groups not found")
    return backend.target_groups[arn]


# --- Targets ------------------------------------------------------------------------------------


def check_targets(self: ELBv2Backend, target_group_arn: str, instances: Sequence[Target]) -> None:
    """RegisterTargets. All targets are checked before the first is registered."""
    group = find_group(self, target_group_arn)
    for target in instances:
        in_range("targets.port", target.get("Port"), 1, 65535)
        CHECKS[group.target_type](self, group, target)
    most = (
        "functions of a target group"
        if group.target_type in ("lambda", "alb")
        else ("targets of a target group")
    )
    known = {target["Id"] for target in (*group.targets.values(), *instances)}
    if len(known) > LIMITS[most].number:
        refuse(
            "TooManyTargets",
            f"Target group '{group.arn}' can have at most {LIMITS[most].number} targets",
        )


def check_instance(backend: ELBv2Backend, group: FakeTargetGroup, target: Target) -> None:
    instance_id = target["Id"]
    if not re.fullmatch(r"i-[0-9a-f]{8}(?:[0-9a-f]{9})?", instance_id):
        invalid(f"Instance ID '{instance_id}' is not valid")
    instance = backend.ec2_backend.get_instance_by_id(instance_id)
    if instance is None:
        refuse("InvalidTarget", f"The following targets are not valid instances: '{instance_id}'")
    if instance.state != "running":
        refuse(
            "InvalidTarget",
            "The following targets are not in a running state and cannot be registered: "
            f"'{instance_id}'",
        )
    if instance.vpc_id and group.vpc_id and instance.vpc_id != group.vpc_id:
        refuse(
            "InvalidTarget",
            f"The following targets are not in the target group VPC '{group.vpc_id}': "
            f"'{instance_id}'",
        )


def check_address(backend: ELBv2Backend, group: FakeTargetGroup, target: Target) -> None:
    version = 6 if group.ip_address_type == "ipv6" else 4
    try:
        address = ipaddress.ip_address(target["Id"])
    except ValueError:
        address = None
    if address is None or address.version != version:
        invalid(f"The IP address '{target['Id']}' is not a valid IPv{version} address")
    if any(address in block for block in vpc_blocks(backend, group)):
        return
    if not any(address in block for block in PRIVATE):
        invalid(
            f"The IP address '{address}' must be in the VPC '{group.vpc_id}' of the target group "
            "or in 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 or 100.64.0.0/10"
        )
    if not target.get("AvailabilityZone"):
        invalid(
            f"The IP address '{address}' is outside the VPC '{group.vpc_id}': an Availability Zone "
            "or 'all' must be specified"
        )


def vpc_blocks(backend: ELBv2Backend, group: FakeTargetGroup) -> list[Any]:
    """The address blocks of a group's VPC, of both kinds."""
    try:
        vpc = backend.ec2_backend.get_vpc(group.vpc_id)
    except InvalidVPCIdError:
        return []
    associated = [*vpc.get_cidr_block_association_set(), *vpc.get_cidr_block_association_set(True)]
    blocks = {vpc.cidr_block, *(each["cidr_block"] for each in associated)}
    return [ipaddress.ip_network(block) for block in blocks]


def check_function(_backend: ELBv2Backend, group: FakeTargetGroup, target: Target) -> None:
    arn = target["Id"]
    if not re.fullmatch(r"arn:[\w-]+:lambda:[\w-]+:\d{12}:function:[\w-]+(?::[\w$-]+)?", arn):
        invalid(f"The Lambda function ARN '{arn}' is not valid")
    if target.get("Port") is not None:
        invalid("A port cannot be specified for targets of type 'lambda'")
    try:
        permitted_function(arn, SERVICE, group.arn)
    except NoSuchFunction:
        refuse("InvalidTarget", f"The following targets do not exist: '{arn}'")
    except NotPermitted:
        refuse(
            "AccessDenied",
            f"elasticloadbalancing principal does not have permission to invoke {arn} from target "
            f"group {group.arn}",
        )


def check_balancer(backend: ELBv2Backend, group: FakeTargetGroup, target: Target) -> None:
    arn = target["Id"]
    balancer = backend.load_balancers.get(arn)
    if balancer is None or balancer.type != "application":
        refuse("InvalidTarget", f"'{arn}' is not an Application Load Balancer")
    ports = [str(listener.port) for listener in balancer.listeners.values()]
    if str(group.port) not in ports:
        refuse(
            "InvalidTarget",
            f"Load balancer '{arn}' has no listener on the port {group.port} of the target group",
        )


CHECKS: Mapping[str, Callable[[ELBv2Backend, FakeTargetGroup, Target], None]] = {
    "instance": check_instance,
    "ip": check_address,
    "lambda": check_function,
    "alb": check_balancer,
}

MODELS = "moto.elbv2.models:ELBv2Backend."
TARGET_HOOKS: Sequence[Hook] = (
    Hook(
        MODELS + "create_target_group",
        ("self", "name", "kwargs"),
        "takes any health-check settings, is not idempotent",
        create_target_group,
    ),
    Hook(
        MODELS + "modify_target_group",
        (
            "self",
            "arn",
            "health_check_proto",
            "health_check_port",
            "health_check_path",
            "health_check_interval",
            "health_check_timeout",
            "healthy_threshold_count",
            "unhealthy_threshold_count",
            "http_codes",
            "health_check_enabled",
        ),
        "takes any health-check settings",
        before(check_modified_group),
    ),
    Hook(
        MODELS + "register_targets",
        ("self", "target_group_arn", "instances"),
        "takes targets of a wrong kind and targets that are not there",
        before(check_targets),
    ),
)
