"""Attributes: of the Classic balancer, to those of the balancer, its target groups and listeners.

Sources: ELB API (2012-06-01), LoadBalancerAttributes; ELB API (2015-12-01), LoadBalancerAttribute,
TargetGroupAttribute, ListenerAttribute; Classic Load Balancer guide, "Configure connection
draining"; Application Load Balancer guide, "Cross-zone load balancing for target groups".
"""

from collections.abc import Mapping
from typing import Any

from labs.loadbalancing.migration.classic import Listener
from labs.loadbalancing.migration.listeners import Group
from labs.loadbalancing.migration.policies import speaks_proxy
from labs.loadbalancing.migration.wanted import Wanted

DESYNC = "elb.http.desyncmitigationmode"
CROSS_ZONE = "load_balancing.cross_zone.enabled"
SHORTEST_IDLE = 60  # of a Network Load Balancer's TCP listener, in seconds


def word(on: bool) -> str:
    """As elbv2 writes booleans."""
    return str(on).lower()


def part(wanted: Wanted, name: str) -> Mapping[str, Any]:
    """One of the Classic balancer's attributes."""
    return wanted.classic.attributes.get(name) or {}


def additional(wanted: Wanted) -> dict[str, str]:
    pairs = wanted.classic.attributes.get("AdditionalAttributes") or ()
    return {pair["Key"]: pair.get("Value", "") for pair in pairs}


def cross_zone(wanted: Wanted) -> bool:
    return bool(part(wanted, "CrossZoneLoadBalancing").get("Enabled"))


def idle(wanted: Wanted) -> int:
    """Seconds; 60 is the Classic default."""
    return int(part(wanted, "ConnectionSettings").get("IdleTimeout", 60))


def delay(wanted: Wanted) -> int:
    """Seconds that a target may finish its work in. Without draining it gets none."""
    draining = part(wanted, "ConnectionDraining")
    return int(draining.get("Timeout", 300)) if draining.get("Enabled") else 0


def of_balancer(wanted: Wanted) -> dict[str, str]:
    """For ModifyLoadBalancerAttributes."""
    found = {}
    log = part(wanted, "AccessLog")
    if log.get("Enabled"):
        found["access_logs.s3.enabled"] = "true"
        found["access_logs.s3.bucket"] = log["S3BucketName"]
        if log.get("S3BucketPrefix"):
            found["access_logs.s3.prefix"] = log["S3BucketPrefix"]
    if wanted.kind == "network":
        found[CROSS_ZONE] = word(cross_zone(wanted))
        return found
    found["idle_timeout.timeout_seconds"] = str(idle(wanted))
    mode = additional(wanted).get(DESYNC)
    if mode:
        found["routing.http.desync_mitigation_mode"] = mode
    return found


def of_group(group: Group, wanted: Wanted) -> dict[str, str]:
    """For ModifyTargetGroupAttributes. Only its groups can turn an ALB's cross-zone off."""
    found = {"deregistration_delay.timeout_seconds": str(delay(wanted))}
    if group.cookie:
        found |= group.cookie.attributes
    if wanted.kind == "network":  # a Classic balancer, too, closes what is open at the end
        found["deregistration_delay.connection_termination.enabled"] = "true"
        if speaks_proxy(group.port, wanted):
            found["proxy_protocol_v2.enabled"] = "true"
    elif not cross_zone(wanted) and not group.cookie:
        found[CROSS_ZONE] = "false"
    return found


def of_listener(listener: Listener, wanted: Wanted) -> dict[str, str]:
    """For ModifyListenerAttributes."""
    if wanted.kind == "network" and listener.protocol == "TCP":
        return {"tcp.idle_timeout.seconds": str(max(idle(wanted), SHORTEST_IDLE))}
    return {}
