"""What AWS allows: quotas and limits of load balancers, as data."""

from typing import NamedTuple

GUIDE = "elasticloadbalancing/latest/application/load-balancer-limits.html"
CLASSIC = "elasticloadbalancing/latest/classic/elb-limits.html"
API = "elasticloadbalancing/latest/APIReference/API_"


class Limit(NamedTuple):
    """A number, whether AWS raises it on request, and the page of docs.aws.amazon.com."""

    number: int
    adjustable: bool
    source: str


#: By a name of our own. Text lengths are in characters, times in seconds.
LIMITS = {
    "balancers in a region": Limit(50, True, GUIDE),
    "listeners of a balancer": Limit(50, True, GUIDE),
    "rules of a balancer": Limit(100, True, GUIDE),  # without the listeners' default rules
    "certificates of a balancer": Limit(25, True, GUIDE),  # without the default certificates
    "targets of a balancer": Limit(1000, True, GUIDE),
    "target groups of a balancer": Limit(100, False, GUIDE),
    "target groups of an action": Limit(5, False, GUIDE),
    "target groups in a region": Limit(3000, True, GUIDE),
    "targets of a target group": Limit(1000, True, GUIDE),
    "functions of a target group": Limit(1, False, GUIDE),
    "balancers of a target group": Limit(1, False, GUIDE),
    "condition values of a rule": Limit(5, False, GUIDE),
    "match evaluations of a rule": Limit(5, False, GUIDE),
    "wildcards of a rule": Limit(5, False, GUIDE),  # a newer Japanese copy of the page says 6
    "length of a condition value": Limit(128, False, API + "RuleCondition.html"),
    "length of a header name": Limit(40, False, API + "HttpHeaderConditionConfig.html"),
    "length of a method": Limit(40, False, API + "HttpRequestMethodConditionConfig.html"),
    "length of a rewrite": Limit(1024, False, API + "RewriteConfig.html"),
    "length of a fixed response": Limit(1024, False, API + "FixedResponseActionConfig.html"),
    "length of a redirect part": Limit(128, False, API + "RedirectActionConfig.html"),
    "length of a name": Limit(32, False, API + "CreateLoadBalancer.html"),
    "highest priority": Limit(50_000, False, API + "CreateRule.html"),
    "highest weight": Limit(999, False, API + "TargetGroupTuple.html"),
    "longest group stickiness": Limit(604_800, False, API + "TargetGroupStickinessConfig.html"),
    "classic balancers in a region": Limit(20, True, CLASSIC),
    "listeners of a classic balancer": Limit(100, True, CLASSIC),
}
