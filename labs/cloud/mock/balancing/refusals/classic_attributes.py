"""Attributes of Classic balancers as AWS has them: defaults, limits, what a change answers.

Sources: ELB API (2012-06-01), LoadBalancerAttributes and the types of its parts; Classic guide,
"Configure connection draining" (1 to 3,600 s, by default 300), "Configure the idle connection
timeout" (1 to 4,000 s; the API's model says 3,600), "Enable access logs" (every 5 or 60 minutes),
"Configure desync mitigation mode", "Configure cross-zone load balancing" (off for those made by
API). That access logs need a bucket that is there and lets the service write is not checked.
"""

import functools
from collections.abc import Callable, Mapping
from typing import Any

from moto.core.responses import ActionResult
from moto.elb.models import LoadBalancer

from labs.cloud.mock.balancing.refusals.checks import in_range, one_of
from labs.cloud.mock.balancing.refusals.classic_checks import refuse_configuration
from labs.loadbalancing.rules import LIMITS

DESYNC = "elb.http.desyncmitigationmode"
DRAINING_SECONDS = 300
EMIT_MINUTES = 60
#: Source: the CLI's example of describe-account-limits, as for the two of `LIMITS`.
REGISTERED_INSTANCES = 1000


def defaults() -> dict[str, Any]:
    """The attributes of a fresh balancer, in moto's spelling."""
    return {
        "cross_zone_load_balancing": {"enabled": False},
        "access_log": {"enabled": False},
        "connection_draining": {"enabled": False, "timeout": DRAINING_SECONDS},
        "connection_settings": {"idle_timeout": 60},
        "additional_attributes": [(DESYNC, "defensive")],
    }


def cross_zone(_known: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    return {"enabled": given["Enabled"]}


def settings(_known: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    in_range("connectionSettings.idleTimeout", given["IdleTimeout"], 1, 4000)
    return {"idle_timeout": int(given["IdleTimeout"])}


def draining(_known: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    timeout = given.get("Timeout")
    in_range("connectionDraining.timeout", timeout, 1, 3600)
    return {"enabled": given["Enabled"], "timeout": int(timeout or DRAINING_SECONDS)}


def access_log(_known: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    if not given["Enabled"]:
        return {"enabled": False}
    interval = given.get("EmitInterval", EMIT_MINUTES)
    if int(interval) not in (5, 60):
        refuse_configuration(f"Access logs can be emitted every 5 or 60 minutes, not {interval}")
    if not given.get("S3BucketName"):
        refuse_configuration("S3BucketName must be given to enable access logs")
    return {
        "enabled": True,
        "s3_bucket_name": given["S3BucketName"],
        "emit_interval": int(interval),
        "s3_bucket_prefix": given.get("S3BucketPrefix", ""),
    }


def additional(known: Any, given: list[Mapping[str, str]]) -> list[tuple[str, str]]:
    for pair in given:
        if pair.get("Key") != DESYNC:
            refuse_configuration(f"There is no load balancer attribute '{pair.get('Key')}'")
        one_of(DESYNC, pair.get("Value"), ("monitor", "defensive", "strictest"))
    return list({**dict(known), **{pair["Key"]: pair["Value"] for pair in given}}.items())


#: The API's name of a part: moto's, and how it is changed.
PARTS: Mapping[str, tuple[str, Callable[[Any, Any], Any]]] = {
    "CrossZoneLoadBalancing": ("cross_zone_load_balancing", cross_zone),
    "AccessLog": ("access_log", access_log),
    "ConnectionDraining": ("connection_draining", draining),
    "ConnectionSettings": ("connection_settings", settings),
    "AdditionalAttributes": ("additional_attributes", additional),
}


def modify_attributes(original: Callable, _motor: Any) -> Callable:
    """All or nothing, and only what was changed is told."""

    @functools.wraps(original)
    def modify_load_balancer_attributes(self: Any) -> ActionResult:
        name, given = self._get_param("LoadBalancerName"), self._get_param("LoadBalancerAttributes")
        attributes = self.elb_backend.get_load_balancer(name).attributes
        changed = {}
        for part, (key, change) in PARTS.items():
            if given.get(part):
                changed[key] = change(attributes[key], given[part])
        attributes.update(changed)
        told = {"additional_attributes": [], **changed}  # moto cannot leave the list out
        return ActionResult({"LoadBalancerName": name, "LoadBalancerAttributes": told})

    return modify_load_balancer_attributes


def balancer_with_defaults(original: type[LoadBalancer], _motor: Any) -> type[LoadBalancer]:
    """A Classic balancer whose attributes and source security group are those of AWS."""

    class ClassicLoadBalancer(original):
        @classmethod
        def get_default_attributes(cls) -> dict[str, Any]:
            return defaults()

        #: The name of its first security group; set when it is created.
        source_group_name = "default"

        @property
        def source_security_group(self) -> dict[str, str]:
            return {"OwnerAlias": self.account_id, "GroupName": self.source_group_name}

    ClassicLoadBalancer.__name__ = original.__name__  # by which moto finds LoadBalancerName
    return ClassicLoadBalancer


def describe_account_limits(_self: Any) -> ActionResult:
    """DescribeAccountLimits, which moto does not have."""
    limits = {
        "classic-load-balancers": LIMITS["classic balancers in a region"].number,
        "classic-listeners": LIMITS["listeners of a classic balancer"].number,
        "classic-registered-instances": REGISTERED_INSTANCES,
    }
    return ActionResult(
        {"Limits": [{"Name": name, "Max": str(most)} for name, most in limits.items()]}
    )
