"""Load balancers in front of a fleet: an NLB or ALB in three steps, and a Classic one's servers.

Each function looks at what is there and makes what is missing, so that it can run again. It takes
a boto3 client; `name` is the full name of what it makes, as `aws.name("web")` gives it.
Sources: the API references of Elastic Load Balancing, 2015-12-01 (elbv2) and 2012-06-01 (elb).
"""

from collections.abc import Iterable, Sequence
from typing import Any

from labs.loadbalancing.fleet import PORT, Network, Server

#: Quick ones: AWS's own are every 30 s. A time-out has to be shorter than the interval.
HEALTH_CHECK = {
    "HealthCheckProtocol": "HTTP",
    "HealthCheckPath": "/health",
    "HealthCheckIntervalSeconds": 5,
    "HealthCheckTimeoutSeconds": 2,
    "HealthyThresholdCount": 2,
    "UnhealthyThresholdCount": 2,
}
CLASSIC_HEALTH_CHECK = {
    "Target": f"HTTP:{PORT}/health",
    "Interval": 5,
    "Timeout": 2,
    "HealthyThreshold": 2,
    "UnhealthyThreshold": 2,
}
#: Twice a second, for at most ten minutes: a balancer of AWS's takes some to come up.
PATIENCE = {"Delay": 0.5, "MaxAttempts": 1200}


def target_group(
    elbv2: Any,
    name: str,
    where: Network,
    servers: Sequence[Server] = (),
    *,
    protocol: str = "HTTP",
    port: int = PORT,
) -> str:
    """The ARN of a target group with these servers in it. protocol: to the servers."""
    try:
        made = elbv2.create_target_group(
            Name=name,
            Protocol=protocol,
            Port=port,
            VpcId=where.vpc_id,
            TargetType="instance",
            **HEALTH_CHECK,
        )
    except elbv2.exceptions.DuplicateTargetGroupNameException:  # there, with other settings
        made = elbv2.describe_target_groups(Names=[name])
    arn = made["TargetGroups"][0]["TargetGroupArn"]
    if servers:
        targets = [{"Id": server.instance_id} for server in servers]
        elbv2.register_targets(TargetGroupArn=arn, Targets=targets)
    return arn


def balancer(elbv2: Any, name: str, where: Network, kind: str) -> dict[str, Any]:
    """The balancer of this name, as the API describes it; it reaches the servers of both zones.

    kind: "application" or "network". A balancer of another kind that has the name makes room.
    """
    there = find(elbv2, name)
    if there and there["Type"] != kind:
        remove(elbv2, there)
        there = None
    found = there or create(elbv2, name, where, kind)
    if kind == "network":  # an ALB does so anyway
        elbv2.modify_load_balancer_attributes(
            LoadBalancerArn=found["LoadBalancerArn"],
            Attributes=[{"Key": "load_balancing.cross_zone.enabled", "Value": "true"}],
        )
    return found


def create(elbv2: Any, name: str, where: Network, kind: str) -> dict[str, Any]:
    """A new balancer, as the API describes it."""
    made = elbv2.create_load_balancer(
        Name=name, Type=kind, Subnets=list(where.subnets), SecurityGroups=[where.balancers]
    )
    return made["LoadBalancers"][0]


def find(elbv2: Any, name: str) -> dict[str, Any] | None:
    """The balancer of this name as the API describes it, if there is one."""
    try:
        return elbv2.describe_load_balancers(Names=[name])["LoadBalancers"][0]
    except elbv2.exceptions.LoadBalancerNotFoundException:
        return None


def remove(elbv2: Any, balancer: dict[str, Any]) -> None:
    """Delete a balancer with its listeners, and wait until it is gone."""
    arn = balancer["LoadBalancerArn"]
    elbv2.delete_load_balancer(LoadBalancerArn=arn)
    gone = elbv2.get_waiter("load_balancers_deleted")
    gone.wait(LoadBalancerArns=[arn], WaiterConfig=PATIENCE)


def listen(elbv2: Any, balancer: dict[str, Any], protocol: str, port: int, group_arn: str) -> str:
    """The ARN of the balancer's listener at a port, which forwards everything to a group.

    A listener with other settings makes room.
    """
    arn = balancer["LoadBalancerArn"]
    action = {"Type": "forward", "TargetGroupArn": group_arn}
    for listener in elbv2.describe_listeners(LoadBalancerArn=arn)["Listeners"]:
        if listener["Port"] == port:
            elbv2.delete_listener(ListenerArn=listener["ListenerArn"])
    made = elbv2.create_listener(
        LoadBalancerArn=arn, Protocol=protocol, Port=port, DefaultActions=[action]
    )
    return made["Listeners"][0]["ListenerArn"]


def front(
    elbv2: Any, name: str, where: Network, kind: str, protocol: str, port: int
) -> dict[str, Any]:
    """A balancer with one listener, and a target group for it that nobody is in yet.

    Raises ClientError for a protocol that this kind of balancer does not speak.
    """
    group_name = f"{name}-{protocol.lower().replace('_', '-')}"
    group = target_group(elbv2, group_name, where, protocol=protocol, port=port)
    made = balancer(elbv2, name, where, kind)
    listen(elbv2, made, protocol, port, group)
    return made


def wait_until_healthy(elbv2: Any, group_arns: Iterable[str]) -> None:
    """Wait until every target of these groups is healthy; a group without a listener never is.

    Raises WaiterError after ten minutes.
    """
    for arn in group_arns:
        healthy = elbv2.get_waiter("target_in_service")
        healthy.wait(TargetGroupArn=arn, WaiterConfig=PATIENCE)


def put_in_service(elb: Any, name: str, servers: Sequence[Server]) -> None:
    """Put servers behind a Classic balancer, and wait until all pass its health check.

    Raises WaiterError after ten minutes.
    """
    elb.configure_health_check(LoadBalancerName=name, HealthCheck=CLASSIC_HEALTH_CHECK)
    elb.modify_load_balancer_attributes(
        LoadBalancerName=name,
        LoadBalancerAttributes={"CrossZoneLoadBalancing": {"Enabled": True}},
    )
    instances = [{"InstanceId": server.instance_id} for server in servers]
    elb.register_instances_with_load_balancer(LoadBalancerName=name, Instances=instances)
    in_service = elb.get_waiter("instance_in_service")
    in_service.wait(LoadBalancerName=name, Instances=instances, WaiterConfig=PATIENCE)
