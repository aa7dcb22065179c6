"""A site that is half migrated: exercise 15.3 has somebody finish it. And who answered what.

Two balancers stand side by side, and two weighted records say which of them a name means.
"""

import time
from typing import TYPE_CHECKING, Any, NamedTuple

from labs.loadbalancing import balancers, weights
from labs.loadbalancing.background import Load
from labs.loadbalancing.fleet import Network
from labs.loadbalancing.staging import awkward
from labs.loadbalancing.weights import Site

if TYPE_CHECKING:
    from pandas import DataFrame, Series

PAUSE_SECONDS = 0.05
PATIENCE_SECONDS, MORE_SECONDS = 600, 30
#: How cookies are called by which a balancer binds a client to a server.
COOKIES = {"AWSELB": "old", "AWSALB": "new"}


class Half(NamedTuple):
    """What somebody has begun.

    classic:       the name of the old balancer. balancer_arn: the new one.
    group_arn:     the target group of the new one.
    scaling_group: the name of the Auto Scaling group whose instances serve the site.
    """

    site: Site
    classic: str
    balancer_arn: str
    group_arn: str
    scaling_group: str

    def __str__(self) -> str:
        fields = self._asdict() | {"site": self.site.host}
        return "\n".join(f"{field:14}{value}" for field, value in fields.items())


class Clients(NamedTuple):
    """The boto3 clients for all of this."""

    elb: Any
    elbv2: Any
    autoscaling: Any
    route53: Any

    @classmethod
    def of(cls, aws: Any) -> "Clients":
        """aws: whatever has boto3's `client`."""
        return cls(*map(aws.client, cls._fields))


def half_migrated(clients: Clients, name: str, where: Network, scaling_group: str) -> Half:
    """The site of this name as the colleague left it, whatever has happened to it since."""
    elb, elbv2, autoscaling, route53 = clients
    if awkward.make(elb, name, where, [awkward.listener("HTTP", 80)]):
        elb.configure_health_check(
            LoadBalancerName=name, HealthCheck=balancers.CLASSIC_HEALTH_CHECK
        )
        elb.create_lb_cookie_stickiness_policy(LoadBalancerName=name, PolicyName="sticky")
        elb.set_load_balancer_policies_of_listener(
            LoadBalancerName=name, LoadBalancerPort=80, PolicyNames=["sticky"]
        )
    new = balancers.balancer(elbv2, name, where, "application")
    group = balancers.target_group(elbv2, name, where)
    attributes = {
        "stickiness.enabled": "true",
        "stickiness.type": "lb_cookie",
        "deregistration_delay.timeout_seconds": "0",
    }
    elbv2.modify_target_group_attributes(
        TargetGroupArn=group,
        Attributes=[{"Key": key, "Value": value} for key, value in attributes.items()],
    )
    balancers.listen(elbv2, new, "HTTP", 80, group)
    zone_id = weights.zone(route53, f"{name}.example")
    site = Site(
        zone_id, f"www.{name}.example", weights.classic_alias(elb, name), weights.alias(new)
    )
    begin_afresh(route53, site)
    empty(clients, group, scaling_group)
    autoscaling.attach_load_balancers(AutoScalingGroupName=scaling_group, LoadBalancerNames=[name])
    wait_for_classic(elb, name)
    return Half(site, name, new["LoadBalancerArn"], group, scaling_group)


def empty(clients: Clients, group_arn: str, scaling_group: str) -> None:
    """Take everybody out of a target group, and the group from the Auto Scaling group."""
    autoscaling = clients.autoscaling
    described = autoscaling.describe_load_balancer_target_groups(AutoScalingGroupName=scaling_group)
    attached = {
        each["LoadBalancerTargetGroupARN"]
        for each in described["LoadBalancerTargetGroups"]
        if each["State"] != "Removing"
    }
    if group_arn in attached:
        autoscaling.detach_load_balancer_target_groups(
            AutoScalingGroupName=scaling_group, TargetGroupARNs=[group_arn]
        )
    if targets := targets_of(clients.elbv2, group_arn):
        clients.elbv2.deregister_targets(TargetGroupArn=group_arn, Targets=targets)


def targets_of(elbv2: Any, group_arn: str) -> list[dict[str, Any]]:
    """The targets of a group, but for those that leave it already."""
    described = elbv2.describe_target_health(TargetGroupArn=group_arn)["TargetHealthDescriptions"]
    return [each["Target"] for each in described if each["TargetHealth"]["State"] != "draining"]


def wait_for_classic(elb: Any, name: str) -> None:
    """Wait until a Classic balancer has an instance in service. Raises WaiterError."""
    waiter = elb.get_waiter("any_instance_in_service")
    waiter.wait(LoadBalancerName=name, WaiterConfig=balancers.PATIENCE)


def wait_until_detached(autoscaling: Any, scaling_group: str, name: str) -> None:
    """Wait until an Auto Scaling group has let go of a Classic balancer, its requests answered.

    Raises TimeoutError after ten minutes.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        described = autoscaling.describe_load_balancers(AutoScalingGroupName=scaling_group)
        states = {each["LoadBalancerName"]: each["State"] for each in described["LoadBalancers"]}
        if states.get(name, "Removed") == "Removed":
            return
        time.sleep(PAUSE_SECONDS)
    raise TimeoutError(f"{scaling_group} still holds {name}: {states[name]}; expected Removed")


def wait_for(load: Load, *, more: int) -> None:
    """Wait until so many more requests have ended, well or not; half a minute at most."""
    deadline = time.monotonic() + MORE_SECONDS
    enough = len(load.frame()) + more
    while len(load.frame()) < enough and time.monotonic() < deadline:
        time.sleep(PAUSE_SECONDS)


def begin_afresh(route53: Any, site: Site) -> None:
    """All weight on the old balancer, and no other records of this name, in one change."""
    others = [
        {"Action": "DELETE", "ResourceRecordSet": record}
        for record in weights.records(route53, site)
        if record.get("SetIdentifier") not in ("old", "new") or record["Type"] != "A"
    ]
    changes = [*others, weights.weighted(site, "old", 100), weights.weighted(site, "new", 0)]
    route53.change_resource_record_sets(HostedZoneId=site.zone_id, ChangeBatch={"Changes": changes})


def answered_by(frame: "DataFrame") -> "Series":
    """Who answered each request of `traffic` that looked at `Set-Cookie`.

    "old", "new", or "failed" without an answer of status 200; "unknown" when no cookie tells.

    A Classic balancer binds its clients by a cookie AWSELB, an Application Load Balancer by AWSALB
    (and by a twin, AWSALBCORS): so the answer tells who gave it.
    """
    by = frame.target.str[:6].map(COOKIES).fillna("unknown")
    return by.where(frame.status == 200, "failed")
