"""What AWS takes as the actions of a listener or a rule. Pure: plain data in, a refusal or nothing.

Sources: ELB API (2015-12-01), Action and its configurations, CreateListener, CreateRule; guides of
the Application and of the Network Load Balancer, "Listeners"; quotas.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from labs.cloud.mock.balancing.refusals.checks import invalid, one_of, refuse
from labs.loadbalancing.rules import LIMITS, group_weights

Action = Mapping[str, Any]

ROUTING = ("forward", "redirect", "fixed-response")
LOGINS = ("authenticate-oidc", "authenticate-cognito", "jwt-validation")
#: A listener's protocol: those of the target groups that it may forward to.
COMPATIBLE = {
    "HTTP": ("HTTP", "HTTPS"),
    "HTTPS": ("HTTP", "HTTPS"),
    "TCP": ("TCP", "TCP_UDP"),
    "TLS": ("TCP", "TLS"),
    "UDP": ("UDP", "TCP_UDP"),
    "TCP_UDP": ("TCP_UDP",),
}


@dataclass(frozen=True)
class Listener:
    """Where actions are to go. kind: of its balancer. protocol: None at a Gateway one."""

    balancer: str
    kind: str
    vpc: str
    protocol: str | None


@dataclass(frozen=True)
class Group:
    """A target group. protocol, vpc: None of a Lambda group. balancers: ARNs that use it.

    sticky: has it sticky sessions?
    """

    arn: str
    protocol: str | None
    vpc: str | None
    balancers: frozenset[str]
    sticky: bool = False


def check_actions(
    actions: Sequence[Action], listener: Listener, groups: Mapping[str, Group]
) -> None:
    """Refuse actions that AWS would refuse. groups: all of the account, by ARN."""
    if not actions:
        invalid("At least one action must be specified")
    ordered = sorted(actions, key=lambda action: int(action.get("Order") or 0))
    for index, action in enumerate(actions, 1):
        one_of(f"actions.{index}.member.type", action.get("Type"), ROUTING + LOGINS)
    if [action["Type"] in ROUTING for action in ordered] != [False] * (len(ordered) - 1) + [True]:
        refuse(
            "InvalidLoadBalancerAction",
            "Exactly one action must forward, redirect or give a fixed response, and be the last",
        )
    if len(ordered) > 2:
        refuse("TooManyActions", "A rule can have one action that routes and one that logs in")
    for action in ordered:
        if listener.kind != "application" and action["Type"] != "forward":
            refuse(
                "InvalidLoadBalancerAction",
                f"Load balancers of type '{listener.kind}' support only actions of type 'forward'",
            )
        if action["Type"] in LOGINS and listener.protocol != "HTTPS":
            refuse(
                "InvalidLoadBalancerAction",
                f"Actions of type '{action['Type']}' are supported only on HTTPS listeners",
            )
    check_routing(ordered[-1], listener, groups)


def check_routing(action: Action, listener: Listener, groups: Mapping[str, Group]) -> None:
    if action["Type"] == "redirect":
        check_redirect(action.get("RedirectConfig") or {}, listener)
    elif action["Type"] == "fixed-response":
        check_fixed_response(action.get("FixedResponseConfig") or {})
    else:
        check_forward(action)
        for arn in group_weights(action):
            if arn not in groups:
                refuse("TargetGroupNotFound", f"Target group '{arn}' not found")
            check_group(groups[arn], listener)
        if listener.kind == "application" and splits_visitors(action):
            for arn in group_weights(action):
                if groups[arn].sticky:
                    refuse_stickiness(arn)


def splits_visitors(action: Action) -> bool:
    """Does it forward to several groups, and may a visitor's next request go to another one?"""
    stickiness = (action.get("ForwardConfig") or {}).get("TargetGroupStickinessConfig") or {}
    return len(group_weights(action)) > 1 and stickiness.get("Enabled") not in (True, "true")


def refuse_stickiness(arn: str) -> NoReturn:
    """Source: AWS's words in aws-load-balancer-controller's issue 2734, when the group changes;
    that a rule is refused in the same words is our guess.
    """
    refuse(
        "InvalidConfigurationRequest",
        f"This target group appears behind a rule with group stickiness disabled ({arn}). You must "
        "enable group stickiness before enabling target stickiness",
    )


def check_forward(action: Action) -> None:
    config = action.get("ForwardConfig") or {}
    listed = config.get("TargetGroups") or []
    alone = action.get("TargetGroupArn")
    if not listed and not alone:
        invalid("A target group ARN must be specified")
    if listed and alone and [group["TargetGroupArn"] for group in listed] != [alone]:
        invalid("TargetGroupArn and ForwardConfig must specify the same single target group")
    limit = LIMITS["target groups of an action"].number
    if len(listed) > limit:
        invalid(f"A forward action can have at most '{limit}' target groups")
    arns = [group.get("TargetGroupArn") for group in listed]
    if len(set(arns)) < len(arns):
        invalid("A target group can come only once in a forward action")
    for group in listed:
        weight, most = group.get("Weight"), LIMITS["highest weight"].number
        if weight is not None and not 0 <= int(weight) <= most:
            invalid(f"Target group weight '{weight}' must be between '0' and '{most}' inclusive")
    stickiness = config.get("TargetGroupStickinessConfig") or {}
    if stickiness.get("Enabled") in (True, "true"):
        seconds, most = stickiness.get("DurationSeconds"), LIMITS["longest group stickiness"].number
        if seconds is None or not 1 <= int(seconds) <= most:
            invalid(f"Target group stickiness duration must be between '1' and '{most}' seconds")


def check_group(group: Group, listener: Listener) -> None:
    if group.protocol is None and listener.kind != "application":
        refuse(
            "InvalidConfigurationRequest",
            f"Target group '{group.arn}' of type 'lambda' is for Application Load Balancers",
        )
    if (
        group.protocol is not None
        and listener.protocol in COMPATIBLE
        and group.protocol not in COMPATIBLE[listener.protocol]
    ):
        refuse(
            "IncompatibleProtocols",
            f"The listener and its associated target group '{group.arn}' have incompatible "
            f"protocols: '{listener.protocol}' and '{group.protocol}'",
        )
    if group.vpc and group.vpc != listener.vpc:
        refuse(
            "InvalidConfigurationRequest",
            f"The target group '{group.arn}' is in the VPC '{group.vpc}', the load balancer in "
            f"'{listener.vpc}'",
        )
    if group.balancers - {listener.balancer}:
        refuse(
            "TargetGroupAssociationLimit",
            "The following target groups cannot be associated with more than one load balancer: "
            f"{group.arn}",
        )


def check_redirect(config: Mapping[str, Any], listener: Listener) -> None:
    kept = {"Protocol": "#{protocol}", "Host": "#{host}", "Port": "#{port}", "Path": "/#{path}"}
    parts = {name: config.get(name) or default for name, default in kept.items()}
    if config.get("StatusCode") not in ("HTTP_301", "HTTP_302"):
        invalid("A redirect needs the status code HTTP_301 or HTTP_302")
    if parts == kept:
        refuse(
            "InvalidLoadBalancerAction",
            "The redirect configuration is not valid because it creates a loop.",
        )
    one_of("redirectConfig.protocol", parts["Protocol"], ("HTTP", "HTTPS", "#{protocol}"))
    if parts["Protocol"] == "HTTP" and listener.protocol == "HTTPS":
        refuse("InvalidLoadBalancerAction", "You cannot redirect HTTPS to HTTP")
    if not parts["Path"].startswith("/"):
        invalid(f"The redirect path '{parts['Path']}' must begin with '/'")
    port = parts["Port"]
    if port != "#{port}" and not (port.isdecimal() and 1 <= int(port) <= 65535):
        invalid(f"The redirect port '{port}' must be #{{port}} or a number from 1 to 65535")
    limit = LIMITS["length of a redirect part"].number
    for text in (parts["Host"], parts["Path"], config.get("Query") or ""):
        if len(text) > limit:
            invalid(f"The redirect part '{text}' is too long; the limit is '{limit}'")


def check_fixed_response(config: Mapping[str, Any]) -> None:
    limit = LIMITS["length of a fixed response"].number
    if len(config.get("MessageBody") or "") > limit:
        invalid(f"The message body of a fixed response can have at most '{limit}' characters")
