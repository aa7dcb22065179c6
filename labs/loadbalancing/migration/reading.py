"""Read a Classic Load Balancer, and what surrounds it. Calls nothing that writes.

Source: ELB API (2012-06-01), DescribeLoadBalancers, DescribeLoadBalancerAttributes,
DescribeLoadBalancerPolicies, DescribeTags.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from labs.loadbalancing.migration.classic import Classic, HealthCheck, Listener, Policy
from labs.loadbalancing.migration.surroundings import read_room, read_scaling_groups, running


class NotFound(LookupError):
    """No Classic Load Balancer of this name is in the region."""


class Clients(NamedTuple):
    """The boto3 clients that a migration needs, all of one account and region."""

    elb: Any
    elbv2: Any
    autoscaling: Any
    ec2: Any

    @classmethod
    def of(cls, session: Any) -> "Clients":
        """session: a boto3 session, or what has its `client`, like the course's `aws`."""
        return cls(*(session.client(service) for service in cls._fields))


def read(clients: Clients, name: str) -> Classic:
    """Everything about the Classic Load Balancer of this name. Raises NotFound, ClientError."""
    found = describe(clients.elb, name)
    policies = read_policies(clients.elb, name)
    health_check = found["HealthCheck"]
    instances = tuple(sorted(instance["InstanceId"] for instance in found["Instances"]))
    return Classic(
        name=name,
        region=clients.elb.meta.region_name,
        dns_name=found["DNSName"],
        scheme=found.get("Scheme", "internet-facing"),
        vpc_id=found.get("VPCId") or None,
        subnets=tuple(found.get("Subnets", ())),
        security_groups=tuple(found.get("SecurityGroups", ())),
        listeners=read_listeners(found["ListenerDescriptions"], policies),
        health_check=HealthCheck(
            health_check["Target"],
            health_check["Interval"],
            health_check["Timeout"],
            health_check["HealthyThreshold"],
            health_check["UnhealthyThreshold"],
        ),
        back_end={
            server["InstancePort"]: named(policies, server["PolicyNames"])
            for server in found.get("BackendServerDescriptions", ())
        },
        instances=instances,
        running=running(clients.ec2, instances),
        attributes=clients.elb.describe_load_balancer_attributes(LoadBalancerName=name)[
            "LoadBalancerAttributes"
        ],
        tags=read_tags(clients.elb, name),
        scaling_groups=tuple(read_scaling_groups(clients.autoscaling, name)),
        room=read_room(clients.elbv2),
    )


def describe(elb: Any, name: str) -> Mapping[str, Any]:
    """The balancer as DescribeLoadBalancers has it. Raises NotFound."""
    try:
        return elb.describe_load_balancers(LoadBalancerNames=[name])["LoadBalancerDescriptions"][0]
    except elb.exceptions.AccessPointNotFoundException:
        region = elb.meta.region_name
        raise NotFound(
            f"There is no Classic Load Balancer named '{name}' in {region}. Check the name and the"
            f" region: `aws elb describe-load-balancers --region {region}` lists those that are"
            " there."
        ) from None


def read_policies(elb: Any, name: str) -> dict[str, Policy]:
    """Name -> policy, of all that were made for the balancer, enabled or not."""
    answer = elb.describe_load_balancer_policies(LoadBalancerName=name)
    return {
        policy["PolicyName"]: Policy(
            policy["PolicyName"],
            policy["PolicyTypeName"],
            {
                attribute["AttributeName"]: attribute.get("AttributeValue", "")
                for attribute in policy.get("PolicyAttributeDescriptions", ())
            },
        )
        for policy in answer["PolicyDescriptions"]
    }


def named(policies: Mapping[str, Policy], names: Iterable[str]) -> tuple[Policy, ...]:
    """Those of these names. One that the API does not describe has no type."""
    return tuple(policies.get(name, Policy(name, "unknown", {})) for name in names)


def read_listeners(
    descriptions: Sequence[Mapping[str, Any]], policies: Mapping[str, Policy]
) -> tuple[Listener, ...]:
    """In the order of their ports, so that a plan is the same each time."""
    listeners = []
    for description in descriptions:
        listener = description["Listener"]
        protocol = listener["Protocol"].upper()
        listeners.append(
            Listener(
                protocol,
                listener["LoadBalancerPort"],
                listener.get("InstanceProtocol", protocol).upper(),
                listener["InstancePort"],
                listener.get("SSLCertificateId"),
                named(policies, description.get("PolicyNames", ())),
            )
        )
    return tuple(sorted(listeners, key=lambda listener: listener.port))


def read_tags(elb: Any, name: str) -> dict[str, str]:
    """Key -> value. DescribeTags takes at most 20 names; this is one."""
    described = elb.describe_tags(LoadBalancerNames=[name])["TagDescriptions"]
    return {tag["Key"]: tag.get("Value", "") for each in described for tag in each["Tags"]}
