"""Security policies of HTTPS and TLS listeners.

A predefined policy that elbv2 has too is kept. One of a person's own making, or one that elbv2
never had (those of 2011 to 2015), becomes the default, as AWS's wizard does it.

Sources: ELB user guide, "Migrate your Classic Load Balancer"; Classic Load Balancer guide, "SSL
negotiation configurations"; Application Load Balancer guide, "Security policies"; ELB API
(2015-12-01), DescribeSSLPolicies.
"""

from collections.abc import Iterator

from labs.loadbalancing.migration.classic import Listener
from labs.loadbalancing.migration.wanted import Change, Wanted

POLICY_TYPE = "SSLNegotiationPolicyType"
REFERENCE = "Reference-Security-Policy"
SECURE = ("HTTPS", "SSL")
#: What CreateListener takes when it is told nothing. The console proposes a stricter one.
DEFAULT = "ELBSecurityPolicy-2016-08"


def old_policy(listener: Listener) -> str:
    """What the Classic listener uses: a predefined policy's name, or "custom NAME"."""
    for policy in listener.policies:
        if policy.type == POLICY_TYPE:
            return policy.attributes.get(REFERENCE) or f"custom {policy.name}"
    return DEFAULT


def new_policy(listener: Listener, wanted: Wanted) -> str:
    """A name of elbv2's."""
    old = old_policy(listener)
    return old if old in wanted.classic.room.tls_policies else DEFAULT


def changes(wanted: Wanted) -> Iterator[Change]:
    """A line for each listener with a certificate."""
    for listener in wanted.classic.listeners:
        if listener.protocol in SECURE:
            old, new = old_policy(listener), new_policy(listener, wanted)
            note = "elbv2 takes only its own policies; this is its default." if old != new else ""
            yield Change(f"TLS policy of {listener.protocol}:{listener.port}", old, new, note)
