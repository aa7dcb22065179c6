"""Sticky sessions: from a Classic listener's cookie policy to attributes of a target group.

A policy is known by its type. Its name is free: one that is called "plain" may well be sticky.

Sources: Classic Load Balancer guide, "Configure sticky sessions"; ELB API (2012-06-01),
CreateLBCookieStickinessPolicy; ELB API (2015-12-01), TargetGroupAttribute.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from labs.loadbalancing.migration.classic import Listener, Policy
from labs.loadbalancing.migration.wanted import Change, Problem, Wanted

DURATION = "LBCookieStickinessPolicyType"
APPLICATION = "AppCookieStickinessPolicyType"
DAY, WEEK = 86_400, 604_800
RESERVED = ("AWSALB", "AWSALBAPP", "AWSALBTG")  # beginnings that elbv2 keeps for itself


class Cookie(NamedTuple):
    """type: "lb_cookie" or "app_cookie"; seconds: 1 to 604,800; name: of the application's."""

    type: str
    seconds: int
    name: str = ""

    @property
    def attributes(self) -> dict[str, str]:
        """Of a target group."""
        found = {"stickiness.enabled": "true", "stickiness.type": self.type}
        if self.name:
            found["stickiness.app_cookie.cookie_name"] = self.name
        found[f"stickiness.{self.type}.duration_seconds"] = str(self.seconds)
        return found


def cookie(listener: Listener, wanted: Wanted) -> Cookie | None:
    """The stickiness that the group of a listener needs; None without any."""
    for policy in sticky(listener):
        if policy.type == APPLICATION:
            seconds = wanted.application_cookie_seconds or DAY
            return Cookie("app_cookie", seconds, policy.attributes.get("CookieName", ""))
        return Cookie("lb_cookie", min(period(policy) or DAY, WEEK))
    return None


def sticky(listener: Listener) -> list[Policy]:
    """Those of its policies that bind a client to an instance."""
    return [policy for policy in listener.policies if policy.type in (DURATION, APPLICATION)]


def period(policy: Policy) -> int:
    """Seconds until the balancer's cookie expires; 0 for "until the browser is closed"."""
    return int(policy.attributes.get("CookieExpirationPeriod") or 0)


def problems(wanted: Wanted) -> Iterator[Problem]:
    """An application's cookie without a lifetime or with a name that elbv2 keeps; two cookies."""
    for listener in wanted.classic.listeners:
        policies = sticky(listener)
        if len(policies) > 1:
            yield Problem(
                f"Listener {listener} has {len(policies)} sticky policies"
                f" ({', '.join(policy.name for policy in policies)}); a target group has one.",
                "Leave one: aws elb set-load-balancer-policies-of-listener.",
            )
        for policy in policies:
            if policy.type == APPLICATION:
                yield from application_problems(listener, policy, wanted)


def application_problems(listener: Listener, policy: Policy, wanted: Wanted) -> Iterator[Problem]:
    name = policy.attributes.get("CookieName", "")
    if wanted.application_cookie_seconds is None:
        yield Problem(
            f"Listener {listener} follows the application's cookie '{name}' (policy"
            f" '{policy.name}') for as long as that cookie lives; an Application Load Balancer has"
            " to be told for how long.",
            "Say so: --application-cookie-seconds N (1 to 604,800;"
            " application_cookie_seconds=N in Python). Or take the policy from the listener.",
        )
    if name.upper().startswith(RESERVED):
        yield Problem(
            f"Listener {listener} follows the cookie '{name}', and elbv2 keeps names that begin"
            f" with {RESERVED[0]} for itself.",
            "Give the application's cookie another name, in the application and in the policy.",
        )


def changes(wanted: Wanted) -> Iterable[Change]:
    """A line for each sticky listener: the new cookie is never quite the old one."""
    for listener in wanted.classic.listeners:
        now = cookie(listener, wanted)
        for policy in sticky(listener)[:1]:
            what = f"stickiness of {listener.protocol}:{listener.port}"
            if policy.type == APPLICATION:
                yield Change(
                    what,
                    f"application cookie {now.name}",
                    f"app_cookie {now.name}, {now.seconds:,} s",
                    "The lifetime is the given one, no longer the cookie's own.",
                )
            elif not period(policy):
                yield Change(
                    what,
                    "balancer cookie, until the browser is closed",
                    f"lb_cookie, {now.seconds:,} s",
                    "An Application Load Balancer's cookie always expires; a day is its default.",
                )
            else:
                longer = period(policy) > WEEK
                yield Change(
                    what,
                    f"balancer cookie, {period(policy):,} s",
                    f"lb_cookie, {now.seconds:,} s",
                    "7 days is the longest that elbv2 has." if longer else "",
                )
