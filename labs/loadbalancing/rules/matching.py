"""A listener's rules in their order: the first whose conditions all hold decides.

Source: Application Load Balancer guide, "Listener rules": rules are evaluated in priority order,
from the lowest value to the highest, and the default rule last.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from labs.loadbalancing.layer7.contract import Request
from labs.loadbalancing.rules.conditions import Condition, compile_condition


@dataclass(frozen=True)
class Rule:
    """One item of describe_rules, made ready to match.

    arn, priority: as AWS gives them; priority is text, "1" to "50000" or "default".
    conditions:    all of them must hold.
    actions:       as AWS gives them, in their order. transforms: likewise.
    """

    arn: str
    priority: str
    conditions: tuple[Condition, ...]
    actions: tuple[dict[str, Any], ...]
    transforms: tuple[dict[str, Any], ...] = ()

    @property
    def action(self) -> dict[str, Any]:
        """The action that routes: forward, redirect or fixed-response. It is the last."""
        return self.actions[-1]

    def holds(self, request: Request) -> bool:
        for condition in self.conditions:  # noqa: SIM110 - `all` and a generator cost twice as much
            if not condition(request):
                return False
        return True


@dataclass(frozen=True)
class Rules:
    """A listener's rules, sorted. The last is the default, which has no conditions."""

    rules: tuple[Rule, ...]

    def match(self, request: Request) -> Rule:
        """The rule that decides about a request."""
        for rule in self.rules:
            if rule.holds(request):
                return rule
        raise LookupError("These rules have no default; each listener's rules have one.")


def compile_rules(rules: Iterable[dict[str, Any]]) -> Rules:
    """Rules from `elbv2.describe_rules()["Rules"]`, in any order.

    Raises UnsupportedPattern for a regular expression that is refused (see `patterns`).
    """
    return Rules(tuple(compile_rule(rule) for rule in sorted(rules, key=position)))


def compile_rule(rule: dict[str, Any]) -> Rule:
    return Rule(
        arn=rule["RuleArn"],
        priority=rule["Priority"],
        conditions=tuple(map(compile_condition, rule.get("Conditions") or ())),
        actions=tuple(sorted(rule["Actions"], key=lambda action: int(action.get("Order") or 0))),
        transforms=tuple(rule.get("Transforms") or ()),
    )


def position(rule: dict[str, Any]) -> float:
    """Where in the order a rule of describe_rules belongs."""
    return float("inf") if rule["Priority"] == "default" else int(rule["Priority"])
