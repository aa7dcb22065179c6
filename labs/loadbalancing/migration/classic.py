"""What the API says about a Classic Load Balancer, and about the room for a new one. No I/O.

Sources: the API references of Elastic Load Balancing, 2012-06-01 (elb) and 2015-12-01 (elbv2).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

HTTP = ("HTTP", "HTTPS")


class Policy(NamedTuple):
    """A setting of a listener or an instance port. Its type says what it does; its name is free."""

    name: str
    type: str
    attributes: Mapping[str, str]


class Listener(NamedTuple):
    """Clients speak `protocol` to `port`; instances are spoken to at the other two.

    certificate: an ARN, for HTTPS and SSL.
    """

    protocol: str
    port: int
    instance_protocol: str
    instance_port: int
    certificate: str | None = None
    policies: tuple[Policy, ...] = ()

    def __str__(self) -> str:
        return f"{self.protocol}:{self.port} -> {self.instance_protocol}:{self.instance_port}"


class HealthCheck(NamedTuple):
    """target: like "TCP:80" or "HTTP:80/ping". Times in seconds, thresholds in checks."""

    target: str
    interval: int
    timeout: int
    healthy: int
    unhealthy: int


class ScalingGroup(NamedTuple):
    """An Auto Scaling group that puts its instances behind the balancer."""

    name: str
    instances: frozenset[str]
    health_check_type: str = "EC2"


class Room(NamedTuple):
    """What elbv2 has in the region and what the account may have.

    balancers:     names -> "application", "network" or "gateway"
    target_groups: names
    tls_policies:  names of the predefined ones
    limits:        name -> number, as DescribeAccountLimits has them
    """

    balancers: Mapping[str, str] = {}
    target_groups: frozenset[str] = frozenset()
    tls_policies: frozenset[str] = frozenset()
    limits: Mapping[str, int] = {}


@dataclass(frozen=True)
class Classic:
    """One Classic Load Balancer.

    vpc_id:     None in EC2-Classic, the network of before 2013
    back_end:   instance port -> the policies that are enabled for it
    instances:  ids of all that are registered
    running:    id -> instance type, of those that run
    attributes: as DescribeLoadBalancerAttributes has them
    """

    name: str
    region: str
    dns_name: str
    scheme: str
    vpc_id: str | None
    subnets: tuple[str, ...]
    security_groups: tuple[str, ...]
    listeners: tuple[Listener, ...]
    health_check: HealthCheck
    back_end: Mapping[int, tuple[Policy, ...]]
    instances: tuple[str, ...]
    running: Mapping[str, str]
    attributes: Mapping[str, Any]
    tags: Mapping[str, str]
    scaling_groups: tuple[ScalingGroup, ...]
    room: Room
