"""The rules of an Application Load Balancer: which request gets which action. No I/O.

    rules = compile_rules(elbv2.describe_rules(ListenerArn=arn)["Rules"])
    rule = rules.match(request)

Then `rule.action` says what happens: `choose_group` for a forward, `redirect`, `fixed_response`;
`answer` decides between them. `rewrite` is what `rule.transforms` make of the request.
"""

from labs.loadbalancing.rules.actions import (
    answer,
    fixed_response,
    redirect,
    sorry,
)
from labs.loadbalancing.rules.forwarding import (
    GROUP_COOKIE,
    choose_group,
    group_cookies,
    group_weights,
)
from labs.loadbalancing.rules.limits import LIMITS, Limit
from labs.loadbalancing.rules.matching import Rule, Rules, compile_rules
from labs.loadbalancing.rules.patterns import UnsupportedPattern
from labs.loadbalancing.rules.transforms import RewriteFailed, rewrite

__all__ = [
    "GROUP_COOKIE",
    "LIMITS",
    "Limit",
    "RewriteFailed",
    "Rule",
    "Rules",
    "UnsupportedPattern",
    "answer",
    "choose_group",
    "compile_rules",
    "fixed_response",
    "group_cookies",
    "group_weights",
    "redirect",
    "rewrite",
    "sorry",
]
