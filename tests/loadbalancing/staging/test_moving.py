"""The half-migrated site of exercise 15.3, in the mock: how it is left, and put back."""

import base64

import pytest
import requests
from pandas import DataFrame

from labs import cloud
from labs.loadbalancing import balancers, fleet, traffic, weights
from labs.loadbalancing.staging import moving


@pytest.fixture(scope="module")
def aws():
    with cloud.connect("mock", lesson=15) as connection:
        yield connection


@pytest.fixture(scope="module")
def clients(aws):
    return moving.Clients.of(aws)


@pytest.fixture(scope="module")
def half(aws, clients):
    """Calling it puts the site back as the colleague left it."""
    ec2 = aws.client("ec2")
    where = fleet.network(ec2, aws.name("web"))
    script = base64.b64encode(fleet.user_data("").encode()).decode()
    server = {"ImageId": fleet.IMAGE, "InstanceType": fleet.INSTANCE_TYPE, "UserData": script}
    server["SecurityGroupIds"] = [where.servers]
    ec2.create_launch_template(LaunchTemplateName=aws.name("server"), LaunchTemplateData=server)
    clients.autoscaling.create_auto_scaling_group(
        AutoScalingGroupName=aws.name("servers"),
        LaunchTemplate={"LaunchTemplateName": aws.name("server")},
        MinSize=1,
        MaxSize=1,
        VPCZoneIdentifier=",".join(where.subnets),
    )
    return lambda: moving.half_migrated(clients, aws.name("tea"), where, aws.name("servers"))


def cookie(url: str) -> str:
    return requests.get(url, timeout=10).headers.get("Set-Cookie", "")[:6]


def both_weights(clients, site) -> tuple[int, int]:
    return tuple(weights.weight_of(clients.route53, site, which) for which in ("old", "new"))


def is_as_left(clients, site) -> bool:
    return both_weights(clients, site) == (100, 0) and cookie(site.url) == "AWSELB"


def test_as_the_colleague_left_it(clients, half):
    tea = half()
    assert is_as_left(clients, tea.site)
    assert moving.targets_of(clients.elbv2, tea.group_arn) == []
    assert f"group_arn     {tea.group_arn}" in str(tea)


def test_it_is_put_back_after_the_way_of_a_solution(clients, half):
    tea = half()
    clients.autoscaling.attach_load_balancer_target_groups(
        AutoScalingGroupName=tea.scaling_group, TargetGroupARNs=[tea.group_arn]
    )
    balancers.wait_until_healthy(clients.elbv2, [tea.group_arn])
    changes = [weights.weighted(tea.site, "old", 0), weights.weighted(tea.site, "new", 1)]
    clients.route53.change_resource_record_sets(
        HostedZoneId=tea.site.zone_id, ChangeBatch={"Changes": changes}
    )
    clients.autoscaling.detach_load_balancers(
        AutoScalingGroupName=tea.scaling_group, LoadBalancerNames=[tea.classic]
    )
    moving.wait_until_detached(clients.autoscaling, tea.scaling_group, tea.classic)
    clients.elb.delete_load_balancer(LoadBalancerName=tea.classic)
    assert cookie(tea.site.url) == "AWSALB"
    again = half()
    assert is_as_left(clients, again.site)
    assert moving.targets_of(clients.elbv2, again.group_arn) == []


def test_it_is_put_back_after_other_records(clients, half):
    """A learner may have replaced the weighted records by one of another kind."""
    site = half().site
    target = {"Value": site.new["DNSName"]}
    plain = {"Name": site.host, "Type": "CNAME", "TTL": 60, "ResourceRecords": [target]}
    old, new = weights.records(clients.route53, site)
    changes = [{"Action": "DELETE", "ResourceRecordSet": record} for record in (old, new)]
    changes.append({"Action": "CREATE", "ResourceRecordSet": plain})
    clients.route53.change_resource_record_sets(
        HostedZoneId=site.zone_id, ChangeBatch={"Changes": changes}
    )
    assert both_weights(clients, site) == (0, 1)
    assert is_as_left(clients, half().site)


def test_more_requests_are_waited_for(half):
    with traffic.start(half().site.url, rate=100, seconds=30, seed=None) as load:
        moving.wait_for(load, more=10)
        assert 10 <= len(load.frame()) < 1000


def test_a_name_that_leads_elsewhere():
    assert weights.leads_to({"AliasTarget": {"DNSName": "A.elb.example."}}) == "a.elb.example"
    assert weights.leads_to({"ResourceRecords": [{"Value": "192.0.2.1"}]}) == "192.0.2.1"
    assert weights.leads_to({}) == ""


def test_the_cookie_tells_who_answered():
    rows = [
        ("AWSELB=1; Path=/", 200),
        ("AWSELBCORS=1; Path=/", 200),
        ("AWSALBCORS=1; Path=/", 200),
        ("session=1", 200),
        ("", 200),
        ("", 503),
        ("", 0),
    ]
    frame = DataFrame(rows, columns=["target", "status"])
    assert list(moving.answered_by(frame)) == [
        "old",
        "old",
        "new",
        "unknown",
        "unknown",
        "failed",
        "failed",
    ]
