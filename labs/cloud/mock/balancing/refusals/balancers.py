"""Refusals of CreateLoadBalancer and its kin, for Application, Network and Gateway Load Balancers.

Sources: ELB API (2015-12-01), CreateLoadBalancer, DeleteLoadBalancer, SetSubnets; Application Load
Balancer guide, "Quotas" and "Deletion protection".
"""

import functools
import re
from collections.abc import Callable, Sequence
from typing import Any

from moto.ec2.exceptions import InvalidSubnetIdError
from moto.elbv2.models import ELBv2Backend, FakeLoadBalancer

from labs.cloud.mock.balancing.refusals.checks import before, invalid, one_of, refuse
from labs.cloud.mock.hooking import Hook
from labs.loadbalancing.rules import LIMITS

KINDS = ("application", "network", "gateway")
SCHEMES = ("internet-facing", "internal")


def check_name(name: str) -> None:
    """At most 32 letters, digits and hyphens; no hyphen at an end; not "internal-..."."""
    if len(name) > LIMITS["length of a name"].number:
        invalid(f"The load balancer name '{name}' cannot be longer than '32' characters")
    if not re.fullmatch(r"[A-Za-z0-9-]+", name):
        invalid(
            f"The load balancer name '{name}' can only contain characters that are alphanumeric "
            "characters and hyphens(-)"
        )
    if name.startswith("-") or name.endswith("-"):
        invalid(f"The load balancer name '{name}' cannot begin or end with '-'")
    if name.startswith("internal-"):
        invalid(f"The load balancer name '{name}' cannot begin with 'internal-'")


def check_zones(kind: str, zones: Sequence[str], vpcs: Sequence[str]) -> None:
    """zones, vpcs: of the subnets. One subnet a zone; an Application Load Balancer needs two."""
    if len(set(vpcs)) > 1:
        refuse(
            "InvalidConfigurationRequest",
            f"All subnets must belong to the same VPC: '{','.join(sorted(set(vpcs)))}'",
        )
    if len(set(zones)) < len(zones):
        refuse(
            "InvalidConfigurationRequest",
            "A load balancer cannot be attached to multiple subnets in the same Availability Zone",
        )
    if kind == "application" and len(zones) < 2:
        invalid("At least two subnets in two different Availability Zones must be specified")


def find_subnets(backend: ELBv2Backend, ids: Sequence[str]) -> list[Any]:
    try:
        return [backend.ec2_backend.get_subnet(subnet) for subnet in ids]
    except InvalidSubnetIdError:
        refuse("SubnetNotFound", f"One or more of the subnets {', '.join(ids)} does not exist")


def create_load_balancer(original: Callable, _motor: Any) -> Callable:
    """Creates what AWS would, and the same balancer again for the same call.

    On AWS the call is idempotent: same name and settings, same balancer; other settings, an error.
    An Application Load Balancer without security groups gets the default one of its VPC.
    """

    @functools.wraps(original)
    def create(
        self: ELBv2Backend,
        name: str,
        security_groups: list[str],
        subnet_ids: list[str],
        subnet_mappings: list[dict[str, str]] | None = None,
        scheme: str | None = "internet-facing",
        loadbalancer_type: str | None = None,
        ip_address_type: str = "ipv4",
        tags: list[dict[str, str]] | None = None,
    ) -> FakeLoadBalancer:
        kind, scheme = loadbalancer_type or "application", scheme or "internet-facing"
        ids = list(subnet_ids or [mapping["SubnetId"] for mapping in subnet_mappings or ()])
        one_of("type", kind, KINDS)
        one_of("scheme", scheme, SCHEMES)
        check_name(name)
        if subnet_ids and subnet_mappings:
            invalid("Only one of subnets or subnet mappings can be specified")
        subnets = find_subnets(self, ids)
        check_zones(
            kind,
            [subnet.availability_zone for subnet in subnets],
            [subnet.vpc_id for subnet in subnets],
        )
        groups = list(security_groups or ())
        for group in groups:
            if self.ec2_backend.get_security_group_from_id(group) is None:
                refuse("InvalidSecurityGroup", f"Security group '{group}' does not exist")
        if kind == "application" and not groups and subnets:
            default = self.ec2_backend.get_default_security_group(subnets[0].vpc_id)
            groups = [default.id] if default else []
        for balancer in self.load_balancers.values():
            if balancer.name != name:
                continue
            if settings(balancer) == (kind, scheme, ip_address_type, set(ids), set(groups)):
                return balancer
            refuse(
                "DuplicateLoadBalancerName",
                f"A load balancer with the same name '{name}' exists, but with different settings",
            )
        check_number(self, kind)
        made = original(self, name, groups, ids, None, scheme, loadbalancer_type, ip_address_type)
        name_by_kind(self, made)
        self.tagging_service.tag_resource(made.arn, tags)
        return made

    return create


def name_by_kind(backend: ELBv2Backend, balancer: FakeLoadBalancer) -> None:
    """Only an ALB's ARN says "app". Source: ELB API, the ARNs in its examples."""
    part = {"network": "net", "gateway": "gwy"}.get(balancer.type, "app")
    del backend.load_balancers[balancer.arn]
    balancer.arn = balancer.arn.replace(":loadbalancer/app/", f":loadbalancer/{part}/")
    backend.load_balancers[balancer.arn] = balancer


def settings(balancer: FakeLoadBalancer) -> tuple[str, str, str, set[str], set[str]]:
    """What the second call of the same name has to agree with."""
    return (
        balancer.type,
        balancer.scheme,
        balancer.ip_address_type,
        {subnet.id for subnet in balancer.subnets},
        set(balancer.security_groups),
    )


def check_number(backend: ELBv2Backend, kind: str) -> None:
    same = [balancer for balancer in backend.load_balancers.values() if balancer.type == kind]
    limit = LIMITS["balancers in a region"].number
    if len(same) >= limit:
        refuse(
            "TooManyLoadBalancers", f"The maximum number of load balancers, {limit}, was reached"
        )


def check_deletion(self: ELBv2Backend, arn: str) -> None:
    """Deletion protection. A balancer that is not there can be deleted: the call succeeds."""
    balancer = self.load_balancers.get(arn)
    if balancer and str(balancer.attrs.get("deletion_protection.enabled")).lower() == "true":
        refuse(
            "OperationNotPermitted",
            f"Load balancer '{arn}' cannot be deleted because deletion protection is enabled",
        )


def account_limits(original: Callable, _motor: Any) -> Callable:
    """The quotas that the refusals here hold to, where moto has those of 2016."""
    numbers = {
        "application-load-balancers": "balancers in a region",
        "network-load-balancers": "balancers in a region",
        "listeners-per-application-load-balancer": "listeners of a balancer",
        "rules-per-application-load-balancer": "rules of a balancer",
        "targets-per-application-load-balancer": "targets of a balancer",
        "target-groups-per-application-load-balancer": "target groups of a balancer",
        "target-groups-per-action-on-application-load-balancer": "target groups of an action",
        "condition-values-per-alb-rule": "condition values of a rule",
        "condition-wildcards-per-alb-rule": "wildcards of a rule",
    }

    @functools.wraps(original)
    def describe_account_limits(self: Any) -> Any:
        answer = original(self)
        limits = {limit["Name"]: limit["Max"] for limit in answer.result["Limits"]}
        limits |= {name: LIMITS[key].number for name, key in numbers.items()}
        answer.result["Limits"] = [
            {"Name": name, "Max": str(number)} for name, number in limits.items()
        ]
        return answer

    return describe_account_limits


BALANCER_HOOKS = (
    Hook(
        "moto.elbv2.models:ELBv2Backend.create_load_balancer",
        (
            "self",
            "name",
            "security_groups",
            "subnet_ids",
            "subnet_mappings",
            "scheme",
            "loadbalancer_type",
            "ip_address_type",
            "tags",
        ),
        "takes bad names, one subnet, two balancers of one name",
        create_load_balancer,
    ),
    Hook(
        "moto.elbv2.models:ELBv2Backend.delete_load_balancer",
        ("self", "arn"),
        "knows no deletion protection",
        before(check_deletion),
    ),
    Hook(
        "moto.elbv2.responses:ELBV2Response.describe_account_limits",
        ("self",),
        "quotas of 2016",
        account_limits,
    ),
)
