"""Refusals for listeners and their rules; what moto does not keep of rules, it keeps here.

Sources: ELB API (2015-12-01), CreateListener, ModifyListener, CreateRule, ModifyRule, DeleteRule,
SetRulePriorities, DescribeRules; Application Load Balancer guide, "Listener rules".
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from moto.elbv2.models import ELBv2Backend, FakeAction, FakeListener, FakeLoadBalancer, FakeRule
from moto.elbv2.ssl_policies import SSL_POLICIES

from labs.cloud.mock.balancing.refusals.actions import Action, Group, Listener, check_actions
from labs.cloud.mock.balancing.refusals.checks import before, in_range, invalid, refuse
from labs.cloud.mock.balancing.refusals.conditions import (
    Condition,
    check_conditions,
    check_transforms,
)
from labs.cloud.mock.hooking import Hook
from labs.loadbalancing.rules import LIMITS, group_weights

SECURE = ("HTTPS", "TLS")


# --- Listeners ----------------------------------------------------------------------------------


def create_listener(original: Callable, _motor: Any) -> Callable:
    """One listener a port, with a certificate where it is secure, and with actions that work.

    On AWS the call is idempotent: the same settings give the same listener. Only secure listeners
    have a security policy.
    """

    @functools.wraps(original)
    def create(
        self: ELBv2Backend,
        load_balancer_arn: str,
        protocol: str,
        port: str,
        ssl_policy: str,
        certificate: str | None,
        actions: list[dict[str, Any]],
        alpn_policy: list[str] | None = None,
        tags: list[dict[str, str]] | None = None,
    ) -> FakeListener:
        balancer = self.load_balancers.get(load_balancer_arn)
        if balancer is None:
            refuse("LoadBalancerNotFound", f"Load balancer '{load_balancer_arn}' not found")
        if balancer.type != "gateway":
            self._validate_port_and_protocol(balancer.type, port, protocol)
            in_range("port", port, 1, 65535)
        check_certificate(self, protocol, certificate)
        check_actions(actions, placed(balancer, protocol), groups_of(self))
        for listener in balancer.listeners.values():
            if same_port(listener, port):
                if is_same(listener, protocol, certificate, actions):
                    return listener
                refuse_port(balancer)
        if len(balancer.listeners) >= LIMITS["listeners of a balancer"].number:
            refuse("TooManyListeners", f"The maximum number of listeners on '{balancer.arn}'")
        return original(
            self,
            load_balancer_arn,
            protocol,
            port,
            security_policy(protocol, ssl_policy),
            certificate,
            actions,
            alpn_policy,
            tags,
        )

    return create


def security_policy(protocol: str | None, name: str | None) -> str | None:
    """The policy of a new listener. Without one the API's default, which moto fills in for all."""
    if (protocol or "").upper() not in SECURE:
        return None
    if name and name not in SSL_POLICIES:
        refuse("SSLPolicyNotFound", f"SSL policy '{name}' not found")
    return name or "ELBSecurityPolicy-2016-08"


def check_modified_listener(
    self: ELBv2Backend,
    arn: str,
    port: str | None = None,
    protocol: str | None = None,
    ssl_policy: str | None = None,
    certificates: list[dict[str, Any]] | None = None,
    actions: list[dict[str, Any]] | None = None,
) -> None:
    """The same for ModifyListener, where what is not given stays as it is."""
    [listener] = self.describe_listeners(None, [arn])
    balancer = self.load_balancers[listener.load_balancer_arn]
    if port is not None:
        in_range("port", port, 1, 65535)
        others = [other for other in balancer.listeners.values() if other is not listener]
        if any(same_port(other, port) for other in others):
            refuse_port(balancer)
    protocol = protocol or listener.protocol
    given = [each["CertificateArn"] for each in certificates or ()]
    check_certificate(self, protocol, (given or listener.certificates or [None])[0])
    kept = [action.data for action in listener.default_actions]
    check_actions(actions or kept, placed(balancer, protocol), groups_of(self))


def check_certificate(backend: ELBv2Backend, protocol: str, certificate: str | None) -> None:
    if protocol not in SECURE:
        return
    if not certificate:
        invalid(f"A certificate must be specified for {protocol} listeners")
    if not backend._certificate_exists(certificate):
        refuse("CertificateNotFound", f"Certificate '{certificate}' not found")


def same_port(listener: FakeListener, port: Any) -> bool:
    return str(listener.port) == str(port)


def is_same(
    listener: FakeListener, protocol: str, certificate: str | None, actions: list[dict[str, Any]]
) -> bool:
    kept = [action.data for action in listener.default_actions]
    asked = [FakeAction(action).data for action in actions]
    return (listener.protocol, listener.certificate, kept) == (protocol, certificate, asked)


def refuse_port(balancer: FakeLoadBalancer) -> None:
    refuse(
        "DuplicateListener",
        f"A listener already exists on this port for this load balancer '{balancer.arn}'",
    )


# --- What the checks of actions have to know ----------------------------------------------------


def placed(balancer: FakeLoadBalancer, protocol: str | None) -> Listener:
    return Listener(balancer.arn, balancer.type, balancer.vpc_id, protocol)


def users_of_groups(backend: ELBv2Backend) -> Mapping[str, set[str]]:
    """Target group -> the balancers whose rules forward to it now, all by ARN.

    moto's own lists of these balancers lack those whose listener was changed later, and keep those
    that no longer forward there.
    """
    users: dict[str, set[str]] = {}
    for balancer in backend.load_balancers.values():
        for listener in balancer.listeners.values():
            for rule in listener.rules.values():
                for action in rule.actions:
                    if action.type == "forward":
                        for arn in group_weights(action.data):
                            users.setdefault(arn, set()).add(balancer.arn)
    return users


def describe_target_groups(original: Callable, _motor: Any) -> Callable:
    """Each with the balancers that use it now. Source: ELB API, TargetGroup, LoadBalancerArns."""

    @functools.wraps(original)
    def describe(self: ELBv2Backend, *arguments: Any, **named: Any) -> Any:
        users = users_of_groups(self)
        for arn, group in self.target_groups.items():
            group.load_balancer_arns = sorted(users.get(arn, ()))
        return original(self, *arguments, **named)

    return describe


def groups_of(backend: ELBv2Backend) -> Mapping[str, Group]:
    """All target groups, as the checks of actions need them."""
    users = users_of_groups(backend)
    return {
        arn: Group(
            arn,
            group.protocol,
            group.vpc_id,
            frozenset(users.get(arn, ())),
            group.attributes.get("stickiness.enabled") == "true",
        )
        for arn, group in backend.target_groups.items()
    }


def accept_actions(original: Callable, _motor: Any) -> Callable:
    """moto's own check, without the kinds that it does not know and `check_actions` does."""

    @functools.wraps(original)
    def validate(self: ELBv2Backend, actions: list[FakeAction]) -> None:
        original(self, [action for action in actions if action.type != "jwt-validation"])

    return validate


# --- Rules --------------------------------------------------------------------------------------


def check_rule(
    self: ELBv2Backend,
    listener_arn: str,
    conditions: list[Condition],
    priority: int,
    actions: list[Action],
    tags: list[dict[str, str]] | None = None,
) -> None:
    """CreateRule: a free priority, conditions and actions that AWS takes, at most 100 rules."""
    [listener] = self.describe_listeners(None, [listener_arn])
    balancer = self.load_balancers[listener.load_balancer_arn]
    if balancer.type != "application":
        invalid(
            f"Rules of load balancers of type '{balancer.type}' are not implemented by the mock"
        )
    check_priority(priority)
    if not conditions:
        invalid("A condition must be specified")
    for rule in listener.rules.values():
        if str(rule.priority) == str(priority):
            refuse("PriorityInUse", f"Priority '{priority}' is currently in use")
    check_conditions(conditions)
    check_actions(actions, placed(balancer, listener.protocol), groups_of(self))
    count = sum(len(each.rules) - 1 for each in balancer.listeners.values())
    if count >= LIMITS["rules of a balancer"].number:
        refuse(
            "TooManyRules",
            f"The maximum number of rules on load balancer {balancer.arn} has been reached",
        )


def check_modified_rule(
    self: ELBv2Backend, rule_arn: str, conditions: list[Condition], actions: list[Action]
) -> None:
    rule = find_rule(self, rule_arn)
    if rule.is_default:
        refuse("OperationNotPermitted", f"Default rule '{rule_arn}' cannot be modified")
    [listener] = self.describe_listeners(None, [rule.listener_arn])
    balancer = self.load_balancers[listener.load_balancer_arn]
    if conditions:
        check_conditions(conditions)
    if actions:
        check_actions(actions, placed(balancer, listener.protocol), groups_of(self))


def check_deleted_rule(self: ELBv2Backend, arn: str) -> None:
    if find_rule(self, arn).is_default:
        refuse("OperationNotPermitted", f"Default rule '{arn}' cannot be deleted")


def find_rule(backend: ELBv2Backend, arn: str) -> FakeRule:
    for balancer in backend.load_balancers.values():
        for listener in balancer.listeners.values():
            if arn in listener.rules:
                return listener.rules[arn]
            for rule in listener.rules.values():
                if rule.arn == arn:  # moto keeps default rules by a number
                    return rule
    refuse("RuleNotFound", f"One or more rules not found: '{arn}'")


def check_priority(priority: Any) -> None:
    in_range("priority", priority, 1, LIMITS["highest priority"].number)


def set_priorities(original: Callable, _motor: Any) -> Callable:
    """Priorities may be swapped: only the order that comes out must have no two the same.

    moto compares with the order that there was. Source: ELB API, SetRulePriorities.
    """

    @functools.wraps(original)
    def set_rule_priorities(
        self: ELBv2Backend, rule_priorities: list[dict[str, Any]]
    ) -> list[FakeRule]:
        wanted = {each["RuleArn"]: each["Priority"] for each in rule_priorities}
        rules = [find_rule(self, arn) for arn in wanted]
        for rule in rules:
            check_priority(wanted[rule.arn])
            if rule.is_default:
                refuse("OperationNotPermitted", f"Default rule '{rule.arn}' has no priority to set")
        for listener_arn in {rule.listener_arn for rule in rules}:
            [listener] = self.describe_listeners(None, [listener_arn])
            taken: set[str] = set()
            for rule in listener.rules.values():
                priority = str(wanted.get(rule.arn, rule.priority))
                if priority in taken:
                    refuse("PriorityInUse", f"Priority '{priority}' is currently in use")
                taken.add(priority)
        for rule in rules:
            rule.priority = wanted[rule.arn]
        return rules

    return set_rule_priorities


def sort_rules(original: Callable, _motor: Any) -> Callable:
    """By priority, the default last. moto sorts, and throws the result away."""

    @functools.wraps(original)
    def describe_rules(
        self: ELBv2Backend, listener_arn: str | None, rule_arns: list[str] | None
    ) -> list[FakeRule]:
        rules = original(self, listener_arn, rule_arns)
        return sorted(rules, key=lambda rule: (rule.is_default, rule.is_default or rule.priority))

    return describe_rules


def replace_conditions_check(_original: Callable, _motor: Any) -> Callable:
    """moto's fails on regular expressions, and lets much pass. `check_conditions` says it all."""

    def validate(self: ELBv2Backend, conditions: list[Condition]) -> None:
        check_conditions(conditions)

    return validate


# --- Transforms, which moto does not know -------------------------------------------------------


def create_with_transforms(original: Callable, _motor: Any) -> Callable:
    @functools.wraps(original)
    def create_rule(self: Any) -> Any:
        transforms = self._get_params().get("Transforms") or []
        check_transforms(transforms)
        answer = original(self)
        answer.result["Rules"][0].transforms = transforms
        return answer

    return create_rule


def modify_with_transforms(original: Callable, _motor: Any) -> Callable:
    """Transforms can be given alone, which moto takes for a call without anything to do."""

    @functools.wraps(original)
    def modify_rule(self: Any) -> Any:
        params = self._get_params()
        transforms = params.get("Transforms") or []
        reset = str(params.get("ResetTransforms")).lower() == "true"
        if not transforms and not reset:
            return original(self)
        if transforms and reset:
            invalid("Transforms and ResetTransforms cannot be specified together")
        check_transforms(transforms)
        rule = find_rule(self.elbv2_backend, params["RuleArn"])
        if rule.is_default:
            refuse("OperationNotPermitted", f"Default rule '{rule.arn}' cannot be modified")
        if not params.get("Conditions") and not params.get("Actions"):
            params["Actions"] = [action.data for action in rule.actions]
        answer = original(self)
        rule.transforms = transforms
        return answer

    return modify_rule


def parameters(text: str) -> tuple[str, ...]:
    return tuple(text.split())


MODELS = "moto.elbv2.models:ELBv2Backend."
LISTENER_HOOKS: Sequence[Hook] = (
    Hook(
        MODELS + "create_listener",
        parameters(
            "self load_balancer_arn protocol port ssl_policy certificate actions alpn_policy tags"
        ),
        "takes two listeners of a port, HTTPS without certificate, any actions",
        create_listener,
    ),
    Hook(
        MODELS + "modify_listener",
        parameters("self arn port protocol ssl_policy certificates actions"),
        "takes what create_listener takes",
        before(check_modified_listener),
    ),
    Hook(
        MODELS + "_validate_actions",
        parameters("self actions"),
        "does not know jwt-validation",
        accept_actions,
    ),
    Hook(
        MODELS + "_validate_conditions",
        parameters("self conditions"),
        "fails on regular expressions, knows few limits",
        replace_conditions_check,
    ),
    Hook(
        MODELS + "create_rule",
        parameters("self listener_arn conditions priority actions tags"),
        "takes any priority, no conditions, more than 100 rules",
        before(check_rule),
    ),
    Hook(
        MODELS + "modify_rule",
        parameters("self rule_arn conditions actions"),
        "modifies default rules, takes any actions",
        before(check_modified_rule),
    ),
    Hook(
        MODELS + "delete_rule",
        parameters("self arn"),
        "fails on default rules, deletes what is not there",
        before(check_deleted_rule),
    ),
    Hook(
        MODELS + "set_rule_priorities",
        parameters("self rule_priorities"),
        "cannot swap two rules, takes any priority",
        set_priorities,
    ),
    Hook(
        MODELS + "describe_rules",
        parameters("self listener_arn rule_arns"),
        "gives rules in the order of their making",
        sort_rules,
    ),
    Hook(
        MODELS + "describe_target_groups",
        parameters("self load_balancer_arn target_group_arns names"),
        "knows users only of the time when rules were made",
        describe_target_groups,
    ),
    Hook(
        "moto.elbv2.responses:ELBV2Response.create_rule",
        parameters("self"),
        "does not keep transforms",
        create_with_transforms,
    ),
    Hook(
        "moto.elbv2.responses:ELBV2Response.modify_rule",
        parameters("self"),
        "does not keep transforms",
        modify_with_transforms,
    ),
)
