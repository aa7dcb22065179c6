"""What a colleague has set up in a hurry: lesson 13 has it mended. Reading on tells what is wrong.

Sources: EC2 API, AuthorizeSecurityGroupIngress; ELB API (2015-12-01), CreateRule.
"""

from typing import Any, NamedTuple

from labs.loadbalancing import balancers, fleet
from labs.loadbalancing.fleet import Network, Server

PRIORITY = 50  # of the rule that leads to the server


class Place(NamedTuple):
    """Where the colleague put it. listener_arn: the balancer's listener, whose rules it joined."""

    vpc_id: str
    subnet_id: str
    listener_arn: str


def server(ec2: Any, elbv2: Any, name: str, place: Place) -> str:
    """The ARN of a target group with one instance in it, that no balancer gets through to.

    name: of group, security group and instance; its last word becomes a path, too.
    """
    own = fleet.security_group(ec2, name, place.vpc_id, "A server of a colleague's")
    fleet.allow(ec2, own, {"UserIdGroupPairs": [{"GroupId": own}]})
    where = Network(place.vpc_id, (place.subnet_id, place.subnet_id), own, own)
    servers: list[Server] = fleet.servers(ec2, [name], where)
    group = balancers.target_group(elbv2, name, where, servers)
    lead_to(elbv2, place.listener_arn, f"/{name.rpartition('-')[2]}", group)
    return group


def lead_to(elbv2: Any, listener_arn: str, path: str, group_arn: str) -> None:
    """A rule that forwards a path to the group, if the listener has none for it yet."""
    try:
        elbv2.create_rule(
            ListenerArn=listener_arn,
            Priority=PRIORITY,
            Conditions=[{"Field": "path-pattern", "Values": [path]}],
            Actions=[{"Type": "forward", "TargetGroupArn": group_arn}],
        )
    except elbv2.exceptions.PriorityInUseException:
        return
