"""Read what surrounds a Classic balancer: its instances, their Auto Scaling groups, and elbv2.

Sources: EC2 API, DescribeInstances; Amazon EC2 Auto Scaling API, DescribeAutoScalingGroups; ELB API
(2015-12-01). All of these answer in pages.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from labs.loadbalancing.migration.classic import Room, ScalingGroup

#: EC2 takes at most so many values in a filter.
VALUES_OF_A_FILTER = 200


def running(ec2: Any, instances: Sequence[str]) -> dict[str, str]:
    """Id -> type of those that run: elbv2 registers no others. In a filter, an id may be gone."""
    found = {}
    for start in range(0, len(instances), VALUES_OF_A_FILTER):
        wanted = list(instances[start : start + VALUES_OF_A_FILTER])
        filters = [
            {"Name": "instance-id", "Values": wanted},
            {"Name": "instance-state-name", "Values": ["running"]},
        ]
        for page in ec2.get_paginator("describe_instances").paginate(Filters=filters):
            for reservation in page["Reservations"]:
                for instance in reservation["Instances"]:
                    found[instance["InstanceId"]] = instance["InstanceType"]
    return found


def read_scaling_groups(autoscaling: Any, name: str) -> Iterable[ScalingGroup]:
    """The Auto Scaling groups that hold the balancer, attached by either of the two APIs."""
    for page in autoscaling.get_paginator("describe_auto_scaling_groups").paginate():
        for group in page["AutoScalingGroups"]:
            sources = {
                source["Identifier"]
                for source in group.get("TrafficSources", ())
                if source.get("Type") == "elb"
            }
            if name in sources.union(group.get("LoadBalancerNames", ())):
                instances = frozenset(each["InstanceId"] for each in group.get("Instances", ()))
                checks = group.get("HealthCheckType", "EC2")
                yield ScalingGroup(group["AutoScalingGroupName"], instances, checks)


def read_room(elbv2: Any) -> Room:
    """All names in use and all limits: each of these operations answers in pages."""

    def all_of(operation: str, key: str) -> Iterable[Mapping[str, Any]]:
        for page in elbv2.get_paginator(operation).paginate():
            yield from page[key]

    return Room(
        balancers={
            balancer["LoadBalancerName"]: balancer["Type"]
            for balancer in all_of("describe_load_balancers", "LoadBalancers")
        },
        target_groups=frozenset(
            group["TargetGroupName"] for group in all_of("describe_target_groups", "TargetGroups")
        ),
        tls_policies=frozenset(
            policy["Name"] for policy in all_of("describe_ssl_policies", "SslPolicies")
        ),
        limits={
            limit["Name"]: int(limit["Max"])
            for limit in all_of("describe_account_limits", "Limits")
        },
    )
