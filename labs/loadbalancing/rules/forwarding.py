"""Forward actions: one target group of several, by weight, and the cookie that remembers which.

Source: Application Load Balancer guide, "Action types for listener rules" (forward actions) and
"Sticky sessions"; ELB API, ForwardActionConfig.
"""

import hashlib
from email.utils import formatdate
from random import Random
from typing import Any

from labs.loadbalancing.layer7.contract import Headers

GROUP_COOKIE = "AWSALBTG"


def choose_group(action: dict[str, Any], random: Random, cookie: str = "") -> str | None:
    """The ARN of the target group that a request goes to; None when every weight is 0.

    cookie: the request's AWSALBTG, "" without one. One that names no group of the action counts
    for nothing: the client may have it from another rule, or may have made it up.
    """
    weights = group_weights(action)
    if is_sticky(action):
        for arn in weights:
            if cookie == tag(arn):
                return arn
    if len(weights) == 1:
        return next(iter(weights))
    if not any(weights.values()):
        return None
    return random.choices(list(weights), list(weights.values()))[0]


def group_weights(action: dict[str, Any]) -> dict[str, int]:
    """Target groups (ARNs) and weights (0 to 999) of a forward action. One alone counts 1."""
    groups = (action.get("ForwardConfig") or {}).get("TargetGroups")
    if not groups:
        return {action["TargetGroupArn"]: 1}
    return {group["TargetGroupArn"]: int(group.get("Weight", 1)) for group in groups}


def group_cookies(action: dict[str, Any], arn: str, now: float) -> Headers:
    """The headers that make a client come back to its group: none unless the action is sticky.

    now: seconds since the epoch. AWS sends the cookie with each response, each time with a new
    expiry, and a twin for requests from other origins.
    """
    if not is_sticky(action):
        return ()
    seconds = int(action["ForwardConfig"]["TargetGroupStickinessConfig"]["DurationSeconds"])
    attributes = f"{tag(arn)}; Expires={formatdate(now + seconds, usegmt=True)}; Path=/"
    return (
        ("Set-Cookie", f"{GROUP_COOKIE}={attributes}"),
        ("Set-Cookie", f"{GROUP_COOKIE}CORS={attributes}; SameSite=None; Secure"),
    )


def is_sticky(action: dict[str, Any]) -> bool:
    stickiness = (action.get("ForwardConfig") or {}).get("TargetGroupStickinessConfig") or {}
    return stickiness.get("Enabled") in (True, "true")


def tag(arn: str) -> str:
    """A name for a target group that tells a client nothing. (AWS encrypts with a rotating key.)"""
    return hashlib.sha256(arn.encode()).hexdigest()
