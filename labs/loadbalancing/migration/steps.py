"""The steps of a migration, in their order, as data: calls that are yet to be made.

Target groups come first, since AWS refuses most of what it refuses there; Auto Scaling groups last,
when all is checked and listens.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from labs.loadbalancing.migration import (
    attributes,
    health_checks,
    listeners,
    place,
    targets,
    tls,
)
from labs.loadbalancing.migration.step import Arn, Step
from labs.loadbalancing.migration.wanted import Wanted


def steps(wanted: Wanted) -> tuple[Step, ...]:
    """All of them, for a Classic balancer that has no problem."""
    return (
        *group_steps(wanted),
        *balancer_steps(wanted),
        *listener_steps(wanted),
        *(targets.steps(wanted) if wanted.register_targets else ()),
    )


def pairs(values: Mapping[str, str]) -> list[dict[str, str]]:
    """As elbv2 takes attributes."""
    return [{"Key": key, "Value": value} for key, value in values.items()]


def tagged(wanted: Wanted) -> dict[str, Any]:
    """The API takes no empty list of tags."""
    tags = place.tags(wanted)
    return {"Tags": tags} if tags else {}


def group_steps(wanted: Wanted) -> Iterator[Step]:
    for group, name in listeners.groups(wanted).items():
        yield Step(
            f"create target group {name}",
            "elbv2",
            "create_target_group",
            {
                "Name": name,
                "Protocol": group.protocol,
                "Port": group.port,
                "VpcId": wanted.classic.vpc_id,
                "TargetType": "instance",
                **health_checks.parameters(wanted.classic.health_check),
                **tagged(wanted),
            },
            makes=f"group {name}",
        )
        values = attributes.of_group(group, wanted)
        yield Step(
            f"set attributes of target group {name}",
            "elbv2",
            "modify_target_group_attributes",
            {"TargetGroupArn": Arn(f"group {name}"), "Attributes": pairs(values)},
        )


def balancer_steps(wanted: Wanted) -> Iterator[Step]:
    classic = wanted.classic
    groups = {"SecurityGroups": list(classic.security_groups)} if classic.security_groups else {}
    yield Step(
        f"create {wanted.kind} load balancer {classic.name}",
        "elbv2",
        "create_load_balancer",
        {
            "Name": classic.name,
            "Type": wanted.kind,
            "Scheme": classic.scheme,
            "Subnets": list(classic.subnets),
            **groups,
            **tagged(wanted),
        },
        makes="balancer",
    )
    yield Step(
        f"set attributes of load balancer {classic.name}",
        "elbv2",
        "modify_load_balancer_attributes",
        {"LoadBalancerArn": Arn("balancer"), "Attributes": pairs(attributes.of_balancer(wanted))},
    )


def listener_steps(wanted: Wanted) -> Iterator[Step]:
    names = listeners.groups(wanted)
    for listener in wanted.classic.listeners:
        protocol = listeners.PROTOCOLS[listener.protocol]
        name, key = names[listeners.group(listener, wanted)], f"listener {listener.port}"
        secure = {}
        if listener.protocol in tls.SECURE:
            secure["SslPolicy"] = tls.new_policy(listener, wanted)
            secure["Certificates"] = [{"CertificateArn": listener.certificate}]
        yield Step(
            f"create listener {protocol}:{listener.port}, forward to {name}",
            "elbv2",
            "create_listener",
            {
                "LoadBalancerArn": Arn("balancer"),
                "Protocol": protocol,
                "Port": listener.port,
                "DefaultActions": [{"Type": "forward", "TargetGroupArn": Arn(f"group {name}")}],
                **secure,
            },
            makes=key,
        )
        values = attributes.of_listener(listener, wanted)
        if values:
            yield Step(
                f"set attributes of listener {protocol}:{listener.port}",
                "elbv2",
                "modify_listener_attributes",
                {"ListenerArn": Arn(key), "Attributes": pairs(values)},
            )
