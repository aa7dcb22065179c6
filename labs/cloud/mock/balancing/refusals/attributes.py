"""Refusals of attributes: of target groups, Application and Network Load Balancers, listeners.

An attribute's value is a text, so boto3 sends any: moto keeps it, and whoever reads a number out
of it later would fail.

Sources: ELB API (2015-12-01), TargetGroupAttribute, LoadBalancerAttribute, ListenerAttribute,
ModifyTargetGroupAttributes; Application Load Balancer guide, "Edit target group attributes".
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from moto.elbv2.models import ELBv2Backend

from labs.cloud.mock.balancing.refusals.actions import refuse_stickiness, splits_visitors
from labs.cloud.mock.balancing.refusals.checks import before, invalid, refuse
from labs.cloud.mock.balancing.refusals.targets import find_group
from labs.cloud.mock.hooking import Hook
from labs.loadbalancing.rules import group_weights

#: What an attribute may be: these words, and numbers of these ranges. None: any text.
Allowed = tuple[str | range, ...] | None

SWITCH = ("true", "false")
WEEK = range(1, 604_801)
SHARE = ("off", range(1, 101))
AT_LEAST = range(1, 1001)
FAILOVER = ("rebalance", "no_rebalance")
HEALTHY = "minimum_healthy_targets"

TARGET_GROUP: Mapping[str, Allowed] = {
    "deregistration_delay.timeout_seconds": (range(3601),),
    "deregistration_delay.connection_termination.enabled": SWITCH,
    "lambda.multi_value_headers.enabled": SWITCH,
    "load_balancing.algorithm.type": (
        "round_robin",
        "least_outstanding_requests",
        "weighted_random",
    ),
    "load_balancing.algorithm.anomaly_mitigation": ("on", "off"),
    "load_balancing.cross_zone.enabled": (*SWITCH, "use_load_balancer_configuration"),
    "preserve_client_ip.enabled": SWITCH,
    "proxy_protocol_v2.enabled": SWITCH,
    "send_tcp_reset.on_deregistration.enabled": SWITCH,
    "send_tcp_reset.on_unhealthy.enabled": SWITCH,
    "slow_start.duration_seconds": (range(30, 901), "0"),
    "stickiness.enabled": SWITCH,
    "stickiness.type": None,  # moto knows which suits which protocol
    "stickiness.app_cookie.cookie_name": None,
    "stickiness.app_cookie.duration_seconds": (WEEK,),
    "stickiness.lb_cookie.duration_seconds": (WEEK,),
    "target_failover.on_deregistration": FAILOVER,
    "target_failover.on_unhealthy": FAILOVER,
    f"target_group_health.dns_failover.{HEALTHY}.count": ("off", AT_LEAST),
    f"target_group_health.dns_failover.{HEALTHY}.percentage": SHARE,
    f"target_group_health.unhealthy_state_routing.{HEALTHY}.count": (AT_LEAST,),
    f"target_group_health.unhealthy_state_routing.{HEALTHY}.percentage": SHARE,
    "target_health_state.unhealthy.connection_termination.enabled": SWITCH,
    "target_health_state.unhealthy.draining_interval_seconds": (range(360_001),),
}
#: Those whose values matter; moto knows which other keys there are.
BALANCER: Mapping[str, Allowed] = {
    "client_keep_alive.seconds": (range(60, 604_801),),
    "deletion_protection.enabled": SWITCH,
    "idle_timeout.timeout_seconds": (range(1, 4001),),
    "load_balancing.cross_zone.enabled": SWITCH,
    "routing.http.desync_mitigation_mode": ("monitor", "defensive", "strictest"),
    "routing.http.drop_invalid_header_fields.enabled": SWITCH,
    "routing.http.preserve_host_header.enabled": SWITCH,
    "routing.http.x_amzn_tls_version_and_cipher_suite.enabled": SWITCH,
    "routing.http.xff_client_port.enabled": SWITCH,
    "routing.http.xff_header_processing.mode": ("append", "preserve", "remove"),
    "routing.http2.enabled": SWITCH,
}
LISTENER: Mapping[str, Allowed] = {"tcp.idle_timeout.seconds": (range(60, 6001),)}

DELAY, LONGEST_DELAY = "deregistration_delay.timeout_seconds", "3600"
CROSS_ZONE = "load_balancing.cross_zone.enabled"
COOKIES_OF_AWS = ("AWSALB", "AWSALBAPP", "AWSALBTG")


def check_value(key: str, value: str, allowed: Allowed) -> None:
    """Refuse a value that is neither one of the words nor a number of one of the ranges."""
    if allowed is None or value in allowed:
        return
    ranges = [each for each in allowed if isinstance(each, range)]
    if value.isdecimal() and any(int(value) in each for each in ranges):
        return
    words = [each for each in allowed if isinstance(each, str)]
    wanted = [f"be between '{each[0]}-{each[-1]}' inclusive" for each in ranges]
    wanted += [f"be one of [{', '.join(words)}]"] if words else []
    invalid(f"'{key}' value '{value}' must {' or '.join(wanted)}")


def check_group_attributes(
    self: ELBv2Backend, target_group_arn: str, attributes: Mapping[str, Any]
) -> None:
    group = find_group(self, target_group_arn)
    for key, value in attributes.items():
        if key not in TARGET_GROUP:
            invalid(f"Target group attribute key '{key}' is not recognized")
        check_value(key, str(value), TARGET_GROUP[key])
    algorithm = attributes.get("load_balancing.algorithm.type")
    slow = attributes.get("slow_start.duration_seconds", 0)
    kept = group.attributes.get("load_balancing.algorithm.type")
    if int(slow) and (algorithm or kept) not in (None, "round_robin"):
        refuse(
            "InvalidConfigurationRequest",
            f"Slow start cannot be used with the algorithm '{algorithm or kept}'",
        )
    if attributes.get("stickiness.enabled") == "true" and behind_splitting_rule(self, group.arn):
        refuse_stickiness(group.arn)
    cookie = attributes.get("stickiness.app_cookie.cookie_name") or ""
    if cookie.upper().startswith(COOKIES_OF_AWS):
        invalid(f"The application cookie name '{cookie}' is reserved for load balancers")


def behind_splitting_rule(backend: ELBv2Backend, arn: str) -> bool:
    """Does an ALB's rule forward to this group and others, without group stickiness?"""
    return any(
        arn in group_weights(action.data) and splits_visitors(action.data)
        for balancer in backend.load_balancers.values()
        if balancer.type == "application"
        for listener in balancer.listeners.values()
        for rule in listener.rules.values()
        for action in rule.actions
        if action.type == "forward"
    )


def check_balancer_attributes(self: ELBv2Backend, arn: str, attrs: Mapping[str, Any]) -> None:
    for key, value in attrs.items():
        check_value(key, str(value), BALANCER.get(key))
    balancer = self.load_balancers.get(arn)
    if balancer and balancer.type == "application" and str(attrs.get(CROSS_ZONE)) == "false":
        refuse(
            "InvalidConfigurationRequest",
            "Cross-zone load balancing of an Application Load Balancer cannot be turned off. Turn "
            "it off for a target group",
        )


def check_listener_attributes(
    _self: ELBv2Backend, listener_arn: str, attrs: Sequence[Mapping[str, str]]
) -> None:
    for pair in attrs:
        check_value(pair["Key"], pair["Value"], LISTENER.get(pair["Key"]))


def modify_group_attributes(original: Callable, _motor: Any) -> Callable:
    """Refuses, and takes the longest delay there is, which moto's own check leaves out."""

    @functools.wraps(original)
    def modify(self: ELBv2Backend, target_group_arn: str, attributes: Mapping[str, Any]) -> None:
        check_group_attributes(self, target_group_arn, attributes)
        group = self.target_groups[target_group_arn]
        longest = {}
        if attributes.get(DELAY) == LONGEST_DELAY and group.target_type != "lambda":
            longest = {DELAY: LONGEST_DELAY}
        rest = {key: value for key, value in attributes.items() if key not in longest}
        original(self, target_group_arn, rest)
        group.attributes.update(longest)

    return modify


MODELS = "moto.elbv2.models:ELBv2Backend."
ATTRIBUTE_HOOKS: Sequence[Hook] = (
    Hook(
        MODELS + "modify_target_group_attributes",
        ("self", "target_group_arn", "attributes"),
        "takes any keys and values, but not a delay of 3600",
        modify_group_attributes,
    ),
    Hook(
        MODELS + "modify_load_balancer_attributes",
        ("self", "arn", "attrs"),
        "takes any values",
        before(check_balancer_attributes),
    ),
    Hook(
        MODELS + "modify_listener_attributes",
        ("self", "listener_arn", "attrs"),
        "takes any values",
        before(check_listener_attributes),
    ),
)
