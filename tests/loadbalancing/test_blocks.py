"""The blocks of an ALB, as a real mock has them: read, in words, drawn, taken back."""

from types import SimpleNamespace

import pytest

from labs import cloud
from labs.loadbalancing import balancers, blocks, fleet
from labs.loadbalancing.blocks import Block
from labs.loadbalancing.staging import again, shut_out


@pytest.fixture
def account():
    """An empty account, with a balancer and an empty group in it."""
    with cloud.connect("mock", lesson="blocks") as aws:
        ec2, elbv2 = aws.client("ec2"), aws.client("elbv2")
        where = fleet.network(ec2, aws.name("web"))
        group = balancers.target_group(elbv2, aws.name("web"), where)
        balancer = balancers.balancer(elbv2, aws.name("web"), where, "application")
        yield SimpleNamespace(
            aws=aws,
            ec2=ec2,
            elbv2=elbv2,
            where=where,
            group=group,
            balancer=balancer,
            arn=balancer["LoadBalancerArn"],
        )


def words(account) -> str:
    return "\n".join(blocks.ways(blocks.read(account.elbv2, account.arn)))


def rule(account, priority, path, action) -> None:
    (listener,) = account.elbv2.describe_listeners(LoadBalancerArn=account.arn)["Listeners"]
    account.elbv2.create_rule(
        ListenerArn=listener["ListenerArn"],
        Priority=priority,
        Conditions=[{"Field": "path-pattern", "Values": [path]}],
        Actions=[action],
    )


def test_each_block_that_is_missing_is_named_until_it_is_there(account):
    assert words(account).endswith("active → no listener.")
    balancers.listen(account.elbv2, account.balancer, "HTTP", 80, account.group)
    assert words(account).endswith(
        f"rule default, everything else → target group {account.aws.name('web')}, HTTP 80"
        " → no target."
    )
    fixed = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "204"}}
    rule(account, 100, "/ping", fixed)
    rule(account, 9, "/tea", {"Type": "forward", "TargetGroupArn": account.group})
    ways = words(account).splitlines()
    assert [way.split(" → ")[2] for way in ways] == [
        "rule priority 9, path /tea",
        "rule priority 100, path /ping",
        "rule default, everything else",
    ]
    assert ways[1].endswith("→ fixed-response, by the balancer.")


def test_a_target_that_nobody_reaches_is_a_block_of_its_own(account):
    listener = balancers.listen(account.elbv2, account.balancer, "HTTP", 80, account.group)
    place = shut_out.Place(account.where.vpc_id, account.where.subnets[0], listener)
    name = account.aws.name("colleague")
    group = shut_out.server(account.ec2, account.elbv2, name, place)
    assert shut_out.server(account.ec2, account.elbv2, name, place) == group  # runs again
    (lost,) = account.elbv2.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
    assert f"path /colleague → target group {name}, HTTP 80 → target " in words(account)
    assert blocks.short(lost["Target"]["Id"]) in words(account)


def test_taking_a_group_back_leaves_every_other_way(account):
    elbv2, name = account.elbv2, account.aws.name("tea")
    listener = balancers.listen(elbv2, account.balancer, "HTTP", 80, account.group)
    before = words(account)
    tea = balancers.target_group(elbv2, name, account.where)
    rule(account, 20, "/tea", {"Type": "forward", "TargetGroupArn": tea})
    elbv2.create_listener(
        LoadBalancerArn=account.arn,
        Protocol="HTTP",
        Port=8080,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": tea}],
    )
    again.forget_group(elbv2, name, listener, account.group)
    again.forget_group(elbv2, name, listener, account.group)  # nothing left to do
    assert words(account) == before
    assert [
        group["TargetGroupArn"] for group in elbv2.describe_target_groups()["TargetGroups"]
    ] == [account.group]


def test_a_listener_that_was_led_to_the_group_goes_back(account):
    elbv2, name = account.elbv2, account.aws.name("tea")
    listener = balancers.listen(elbv2, account.balancer, "HTTP", 80, account.group)
    ping = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "204"}}
    rule(account, 10, "/ping", ping)
    before = words(account)
    tea = balancers.target_group(elbv2, name, account.where)
    forward = {"Type": "forward", "TargetGroupArn": tea}
    elbv2.modify_listener(ListenerArn=listener, DefaultActions=[forward])
    rule(account, 20, "/tea", forward)
    again.forget_group(elbv2, name, listener, account.group)
    assert words(account) == before


# Drawing

LEAVES = (Block("target", "i-1 : 80\nhealthy"), Block("target", "i-2 : 80\nunhealthy", False))
TREE = Block(
    "balancer", "web\nactive", leads_to=(Block("listener", "HTTP\nport 80", True, LEAVES),)
)


def test_every_block_is_a_box_and_every_way_an_arrow():
    axes = blocks.draw(TREE).axes[0]
    boxes = [box for box in axes.patches if box.get_width() == blocks.WIDTH]
    assert len(boxes) == 4
    assert [box.get_linestyle() for box in boxes].count("--") == 1
    assert {"i-2 : 80\nunhealthy", "target group"} <= {text.get_text() for text in axes.texts}


def test_leaves_take_a_row_each_and_their_way_ends_with_them():
    assert blocks.rows(TREE) == 2
    assert blocks.ways(TREE) == [
        "balancer web, active → listener HTTP, port 80 → target i-1 : 80, healthy.",
        "balancer web, active → listener HTTP, port 80 → target i-2 : 80, unhealthy.",
    ]
