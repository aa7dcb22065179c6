"""A Classic balancer without anything special; a test changes what it is about."""

import dataclasses
from typing import Any

from labs.loadbalancing.migration.classic import Classic, HealthCheck, Listener, Policy, Room
from labs.loadbalancing.migration.planning import Plan
from labs.loadbalancing.migration.step import Step

HTTP = Listener("HTTP", 80, "HTTP", 80)
TCP = Listener("TCP", 7000, "TCP", 7000)
CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/1"
DEFAULT_TLS = "ELBSecurityPolicy-2016-08"


def classic(**changes: Any) -> Classic:
    plain = Classic(
        name="web",
        region="us-east-1",
        dns_name="web-1.us-east-1.elb.amazonaws.com",
        scheme="internet-facing",
        vpc_id="vpc-1",
        subnets=("subnet-a", "subnet-b"),
        security_groups=("sg-1",),
        listeners=(HTTP,),
        health_check=HealthCheck("HTTP:80/health", 30, 5, 10, 2),
        back_end={},
        instances=("i-1", "i-2"),
        running={"i-1": "t3.micro", "i-2": "t3.micro"},
        attributes={"CrossZoneLoadBalancing": {"Enabled": True}},
        tags={},
        scaling_groups=(),
        room=Room(tls_policies=frozenset({DEFAULT_TLS, "ELBSecurityPolicy-TLS-1-2-2017-01"})),
    )
    return dataclasses.replace(plain, **changes)


def with_policy(listener: Listener, type_: str, name: str = "one", **attributes: str) -> Listener:
    policy = Policy(name, type_, {key.replace("_", "-"): each for key, each in attributes.items()})
    return listener._replace(policies=(*listener.policies, policy))


def calls(plan: Plan, operation: str) -> list[Step]:
    return [step for step in plan.steps if step.operation == operation]


def attributes(plan: Plan, operation: str, number: int = 0) -> dict[str, str]:
    """Those that the call with this number of an operation sets."""
    pairs = calls(plan, operation)[number].parameters["Attributes"]
    return {pair["Key"]: pair["Value"] for pair in pairs}


def note(plan: Plan, what: str) -> str:
    """Of the change of this name, or a KeyError."""
    return {change.what: change.note for change in plan.changes}[what]
