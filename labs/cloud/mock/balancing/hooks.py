"""What moto answers about load balancers once they have a data plane.

Health comes from the plane; a target is known by its port too; each balancer has a DNS name of its
own, in its region.
"""

from __future__ import annotations

import functools
import hashlib
import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from moto.core.responses import ActionResult
from moto.elb.models import LoadBalancer
from moto.elbv2.exceptions import TargetGroupNotFoundError, TargetNotRunning
from moto.elbv2.models import ELBv2Backend, FakeHealthStatus, FakeLoadBalancer, FakeTargetGroup

from labs.cloud.mock import hooking
from labs.cloud.mock.balancing import health
from labs.cloud.mock.balancing.attribute_defaults import balancer_defaults, group_defaults
from labs.cloud.mock.balancing.shapes import target_key
from labs.cloud.mock.balancing.snapshot import backends, classic_name
from labs.cloud.mock.hooking import Hook, Use
from labs.cloud.mock.instances import records

if TYPE_CHECKING:
    from labs.cloud.mock.balancing.service import Balancing


def install(balancing: Balancing) -> None:
    """Put every hook in place. Once in a process: there is no way back, and no need for one."""
    hooking.install(HOOKS, balancing)


# --- names --------------------------------------------------------------------------------------


def dns_label(name: str, seed: str) -> str:
    """NAME-1234567890: what AWS puts behind a name so that it is unique in a region."""
    number = int.from_bytes(hashlib.sha256(seed.encode()).digest()[:8], "big") % 9_000_000_000
    return f"{name}-{number + 1_000_000_000}"


def _own_name(original: Callable, _balancing: Balancing) -> Callable:
    """moto's names are the same in every account; a network balancer's have another form.

    Application Load Balancers without security groups have their VPC's default one. moto leaves
    out most attributes. Source: ELB API, CreateLoadBalancer, LoadBalancerAttribute; "Network Load
    Balancers", DNS name.
    """

    @functools.wraps(original)
    def init(self: FakeLoadBalancer, *arguments: Any, **named: Any) -> None:
        original(self, *arguments, **named)
        region, identity = self.arn.split(":")[3], self.arn.rsplit("/", 1)[1]
        internal = "internal-" if self.scheme == "internal" else ""
        if self.type == "network":
            self.dns_name = f"{self.name}-{identity}.elb.{region}.amazonaws.com"
        else:
            label = internal + dns_label(self.name, self.arn)
            self.dns_name = f"{label}.{region}.elb.amazonaws.com"
        self.attrs = {**self.attrs, **balancer_defaults(self.type, self.scheme)}
        if self.type == "application" and not self.security_groups:
            self.security_groups = default_groups(self.subnets)

    return init


def _own_attributes(original: Callable, _balancing: Balancing) -> Callable:
    """moto gives all target groups the same attributes. Source: ELB API, TargetGroupAttribute."""

    @functools.wraps(original)
    def init(self: FakeTargetGroup, *arguments: Any, **named: Any) -> None:
        original(self, *arguments, **named)
        defaults = group_defaults(self.target_type, self.protocol)
        if defaults is not None:
            self.attributes = defaults

    return init


def default_groups(subnets: Iterable[Any]) -> list[str]:
    """The default security group of the subnets' VPC, if there is one."""
    subnet = next(iter(subnets), None)
    if subnet is None:
        return []
    group = subnet.ec2_backend.get_security_group_from_name("default", subnet.vpc_id)
    return [group.id] if group else []


def _own_classic_name(original: Callable, _balancing: Balancing) -> Callable:
    """moto puts every Classic balancer into us-east-1. Internal ones say so in their name."""

    @functools.wraps(original)
    def init(self: LoadBalancer, account_id: str, name: str, *rest: Any, **named: Any) -> None:
        original(self, account_id, name, *rest, **named)
        region = region_of(self)
        internal = "internal-" if self.scheme == "internal" else ""
        label = internal + dns_label(name, f"{account_id} {region} {name}")
        self.dns_name = f"{label}.{region}.elb.amazonaws.com"

    return init


def region_of(balancer: LoadBalancer) -> str:
    """A Classic balancer of moto's does not know its region; its subnets do."""
    backends = sys.modules["moto.ec2.models"].ec2_backends[balancer.account_id]
    for region, backend in list(backends.items()):
        for zones in backend.subnets.values():
            if not set(zones).isdisjoint(balancer.subnets):
                return region
    zone = next(iter(balancer.availability_zones or ()), "us-east-1a")
    return zone.rstrip("abcdef")


# --- targets ------------------------------------------------------------------------------------


def port_of(group: FakeTargetGroup, target: dict[str, Any]) -> int | None:
    """The port of a target as the API names it: its own, else the group's; a function has none."""
    if group.target_type == "lambda":
        return None
    port = target.get("Port") or group.port
    return int(port) if port else None


def _register(_original: Callable, _balancing: Balancing) -> Callable:
    """moto keeps one target for each id. AWS takes an instance or address at several ports.

    Source: ELB API, RegisterTargets.
    """

    def register(self: FakeTargetGroup, targets: list[dict[str, Any]]) -> None:
        for target in targets:
            instance = self.ec2_backend.get_instance_by_id(target["Id"])
            if instance and instance.state != "running":
                raise TargetNotRunning(instance_id=target["Id"])
        for target in targets:
            port = port_of(self, target)
            key = target_key(target["Id"], port)
            self.targets[key] = {"Id": target["Id"], "Port": port}
            self.deregistered_targets.pop(key, None)

    return register


def _deregister(_original: Callable, _balancing: Balancing) -> Callable:
    """Without a port, every port of the id. What is not registered is no error (ELB API)."""

    def deregister(self: FakeTargetGroup, targets: list[dict[str, Any]]) -> None:
        for target in targets:
            for key, known in list(self.targets.items()):
                wanted = target.get("Port")
                if known["Id"] == target["Id"] and (not wanted or int(wanted) == known["Port"]):
                    self.deregistered_targets[key] = self.targets.pop(key)

    return deregister


def _deregister_terminated(_original: Callable, _balancing: Balancing) -> Callable:
    """moto looks for the ids among the keys."""

    def deregister_terminated_instances(self: FakeTargetGroup, instance_ids: list[str]) -> None:
        for key, known in list(self.targets.items()):
            if known["Id"] in instance_ids:
                self.terminated_targets[key] = self.targets.pop(key)

    return deregister_terminated_instances


def forget_terminated() -> None:
    """Take instances that have been terminated out of groups and Classic balancers, as AWS does.

    moto does so for TerminateInstances only: not when an Auto Scaling group shrinks, and never
    for Classic balancers.
    """
    gone = {one.id for one in records.instances() if one.state == "terminated"}
    if not gone:
        return
    for _, _, backend in backends("moto.elbv2.models", "elbv2_backends"):
        for group in list(backend.target_groups.values()):
            group.deregister_terminated_instances(list(gone))
    for _, _, backend in backends("moto.elb.models", "elb_backends"):
        for balancer in list(backend.load_balancers.values()):
            for name in ("instance_sparse_ids", "instance_autoscaling_ids"):
                kept = [one for one in getattr(balancer, name) if one not in gone]
                setattr(balancer, name, kept)


# --- health -------------------------------------------------------------------------------------

NOT_REGISTERED = health.Status(
    "unused", "Target.NotRegistered", "Target is not registered to the target group"
)


def _target_health(_original: Callable, balancing: Balancing) -> Callable:
    """What the plane's checks found; targets that drain are listed, too."""

    def describe_target_health(
        self: ELBv2Backend, target_group_arn: str, targets: list[dict[str, Any]]
    ) -> list[FakeHealthStatus]:
        group = self.target_groups.get(target_group_arn)
        if group is None:
            raise TargetGroupNotFoundError()
        known = {**balancing.health(group.arn)}
        for key in group.targets:
            known.setdefault(key, list(health.REGISTERING))
        wanted = known if not targets else wanted_keys(group, targets, known)
        return [described(group, key, known.get(key) or list(NOT_REGISTERED)) for key in wanted]

    return describe_target_health


def wanted_keys(
    group: FakeTargetGroup, targets: list[dict[str, Any]], known: Iterable[str]
) -> list[str]:
    """The keys of targets as a caller names them: without a port, all ports of that id."""
    keys = []
    for target in targets:
        found = [key for key in known if not target.get("Port") and id_of(key) == target["Id"]]
        keys += found or [target_key(target["Id"], port_of(group, target))]
    return keys


def id_of(key: str) -> str:
    """The id in a target's key; a function's ARN and an IPv6 address have colons of their own."""
    head, _, tail = key.rpartition(":")
    return head if head and tail.isdecimal() and not key.startswith("arn:") else key


def described(group: FakeTargetGroup, key: str, status: list[str | None]) -> FakeHealthStatus:
    """One item of describe_target_health."""
    target_id = id_of(key)
    port = None if target_id == key else int(key.rpartition(":")[2])
    checked = group.health_check_port
    if checked in (None, "traffic-port"):
        checked = str(port) if port else None
    return FakeHealthStatus(target_id, port, checked, *status)


#: State, reason code and description of a Classic balancer's instance, by the reason of a target
#: group's. AWS documents the descriptions; which cause goes with which is ours, as far as they do
#: not say it. Source: ELB API (2012-06-01), InstanceState.
CLASSIC = {
    None: ("InService", "N/A", "N/A"),
    "Elb.RegistrationInProgress": (
        "OutOfService",
        "ELB",
        "Instance registration is still in progress.",
    ),
    "Elb.InitialHealthChecking": (
        "OutOfService",
        "Instance",
        "Instance has not passed the configured HealthyThreshold number of health checks "
        "consecutively.",
    ),
    "Target.NotInUse": (
        "OutOfService",
        "ELB",
        "Instance is in the EC2 Availability Zone for which LoadBalancer is not configured to "
        "route traffic to.",
    ),
    "Target.InvalidState": ("OutOfService", "Instance", "Instance is in stopped state."),
    "Target.DeregistrationInProgress": (
        "InService",
        "N/A",
        "Instance deregistration currently in progress.",
    ),
    "Target.NotRegistered": (
        "OutOfService",
        "ELB",
        "Instance is not currently registered with the LoadBalancer.",
    ),
}
CLASSIC_UNHEALTHY = (
    "OutOfService",
    "Instance",
    "Instance has failed at least the UnhealthyThreshold number of health checks consecutively.",
)


def _instance_health(original: Callable, balancing: Balancing) -> Callable:
    """What the plane's checks found. Terminated instances are not told of, as the API says."""

    @functools.wraps(original)
    def describe_instance_health(self: Any) -> ActionResult:
        name = self._get_param("LoadBalancerName")
        balancer = self.elb_backend.get_load_balancer(name)
        if balancer is None:
            return original(self)
        known = balancing.health(classic_name(self.current_account, self.region, name))
        given = [one["InstanceId"] for one in self._get_param("Instances", [])]
        states = []
        for instance_id in given or list(dict.fromkeys(balancer.instance_ids)):
            fallback = (
                health.REGISTERING if instance_id in balancer.instance_ids else NOT_REGISTERED
            )
            status = known.get(instance_id) or list(fallback)
            if status[2] == health.invalid("terminated").description:
                continue
            state, reason, description = CLASSIC.get(status[1], CLASSIC_UNHEALTHY)
            states.append(
                {
                    "InstanceId": instance_id,
                    "State": state,
                    "ReasonCode": reason,
                    "Description": description,
                }
            )
        return ActionResult({"InstanceStates": states})

    return describe_instance_health


HOOKS = (
    Hook(
        "moto.elbv2.models:FakeLoadBalancer.__init__",
        (
            "self",
            "name",
            "security_groups",
            "subnets",
            "vpc_id",
            "arn",
            "dns_name",
            "state",
            "scheme",
            "loadbalancer_type",
            "ip_address_type",
        ),
        "a DNS name of its own, default security group, all attributes",
        _own_name,
    ),
    Hook(
        "moto.elb.models:LoadBalancer.__init__",
        (
            "self",
            "account_id",
            "name",
            "zones",
            "ports",
            "scheme",
            "vpc_id",
            "subnets",
            "security_groups",
        ),
        "a DNS name of its own, in its region",
        _own_classic_name,
    ),
    Hook(
        "moto.elbv2.models:FakeTargetGroup.__init__",
        (
            "self",
            "name",
            "account_id",
            "region_name",
            "vpc_id",
            "protocol",
            "port",
            "protocol_version",
            "healthcheck_protocol",
            "healthcheck_port",
            "healthcheck_path",
            "healthcheck_interval_seconds",
            "healthcheck_timeout_seconds",
            "healthcheck_enabled",
            "healthy_threshold_count",
            "unhealthy_threshold_count",
            "matcher",
            "target_type",
            "ip_address_type",
        ),
        "the attributes of its kind",
        _own_attributes,
    ),
    Hook(
        "moto.elbv2.models:FakeTargetGroup.register",
        ("self", "targets"),
        "several ports of one target",
        _register,
    ),
    Hook(
        "moto.elbv2.models:FakeTargetGroup.deregister",
        ("self", "targets"),
        "several ports of one target; no error for what is not registered",
        _deregister,
    ),
    Hook(
        "moto.elbv2.models:FakeTargetGroup.deregister_terminated_instances",
        ("self", "instance_ids"),
        "several ports of one target",
        _deregister_terminated,
    ),
    Hook(
        "moto.elbv2.models:ELBv2Backend.describe_target_health",
        ("self", "target_group_arn", "targets"),
        "health from real checks",
        _target_health,
    ),
    Hook(
        "moto.elb.responses:ELBResponse.describe_instance_health",
        ("self",),
        "health from real checks",
        _instance_health,
    ),
)

USES = (
    Use("moto.core.responses:ActionResult"),
    Use("moto.elbv2.exceptions:TargetGroupNotFoundError"),
    Use("moto.elbv2.exceptions:TargetNotRunning", "instance_id"),
    Use("moto.elbv2.models:elbv2_backends"),
    Use("moto.elbv2.models:ELBv2Backend", "load_balancers target_groups"),
    Use(
        "moto.elbv2.models:FakeHealthStatus",
        "instance_id port health_check_port status reason description",
    ),
    Use(
        "moto.elbv2.models:FakeLoadBalancer",
        "arn attrs dns_name listeners name scheme security_groups subnets type vpc_id",
    ),
    Use(
        "moto.elbv2.models:FakeListener",
        "arn attributes certificate certificates port protocol rules",
    ),
    Use("moto.elbv2.models:FakeListenerRule", "actions arn conditions priority"),
    Use("moto.elbv2.models:FakeRule", "actions arn conditions priority"),
    Use("moto.elbv2.models:FakeAction", "data"),
    Use(
        "moto.elbv2.models:FakeTargetGroup",
        "arn attributes deregistered_targets ec2_backend health_check_enabled "
        "health_check_interval_seconds health_check_path health_check_port health_check_protocol "
        "health_check_timeout_seconds healthy_threshold_count matcher port protocol target_type "
        "targets terminated_targets unhealthy_threshold_count",
    ),
    Use("moto.elb.models:elb_backends"),
    Use("moto.elb.models:ELBBackend", "get_load_balancer load_balancers"),
    Use(
        "moto.elb.models:LoadBalancer",
        "account_id attributes availability_zones backends dns_name health_check instance_ids "
        "listeners "
        "instance_autoscaling_ids instance_sparse_ids name policies scheme security_groups subnets "
        "vpc_id",
    ),
    Use(
        "moto.elb.models:FakeListener",
        "instance_port instance_protocol load_balancer_port policy_names protocol "
        "ssl_certificate_id",
    ),
    Use(
        "moto.elb.models:FakeHealthCheck",
        "healthy_threshold interval target timeout unhealthy_threshold",
    ),
    Use("moto.elb.policies:LbCookieStickinessPolicy", "cookie_expiration_period policy_name"),
    Use("moto.elb.policies:AppCookieStickinessPolicy", "cookie_name policy_name"),
    Use(
        "moto.ec2.models:ec2_backends",
        "",
        "looked up in sys.modules, so that nothing loads them; as those above and below",
    ),
    Use("moto.ec2.models:EC2Backend", "reservations subnets"),
    Use("moto.ec2.models:EC2Backend.get_subnet", "subnet_id"),
    Use("moto.ec2.models:EC2Backend.get_default_subnets"),
    Use("moto.ec2.models:EC2Backend.get_instance_by_id", "instance_id"),
    Use("moto.ec2.models:EC2Backend.get_security_group_from_id", "group_id"),
    Use("moto.ec2.models:EC2Backend.get_security_group_from_name", "name vpc_id"),
    Use(
        "moto.ec2.models.subnets:Subnet",
        "availability_zone del_subnet_ip ec2_backend get_available_subnet_ip id vpc_id",
    ),
    Use(
        "moto.ec2.models.instances:Instance",
        "availability_zone id private_ip public_ip security_groups state",
    ),
    Use("moto.acm.models:acm_backends"),
    Use("moto.acm.models:AWSCertificateManagerBackend", "_certificates"),
    Use("moto.acm.models:CertBundle", "cert chain common_name key sans type"),
    Use("moto.iam.models:IAMBackend.get_certificate_by_arn", "arn"),
    Use("moto.iam.models:Certificate", "cert_body cert_chain private_key"),
)
