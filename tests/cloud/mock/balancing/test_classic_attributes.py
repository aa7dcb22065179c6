"""Attributes, tags and limits of Classic balancers, as AWS documents them."""

import pytest

from tests.cloud.mock.balancing.refusals.account import refused

DEFAULTS = {
    "CrossZoneLoadBalancing": {"Enabled": False},
    "AccessLog": {"Enabled": False},
    "ConnectionDraining": {"Enabled": False, "Timeout": 300},
    "ConnectionSettings": {"IdleTimeout": 60},
    "AdditionalAttributes": [{"Key": "elb.http.desyncmitigationmode", "Value": "defensive"}],
}
LOGS = {"Enabled": True, "S3BucketName": "logs", "EmitInterval": 5, "S3BucketPrefix": "web"}


@pytest.fixture
def elb(network):
    network.classic("old", Subnets=network.subnets[:2])
    return network.elb


def attributes(elb):
    return elb.describe_load_balancer_attributes(LoadBalancerName="old")["LoadBalancerAttributes"]


def modify(elb, **parts):
    return elb.modify_load_balancer_attributes(
        LoadBalancerName="old", LoadBalancerAttributes=parts
    )["LoadBalancerAttributes"]


def test_a_fresh_balancer_has_all_attributes(elb):
    assert attributes(elb) == DEFAULTS


@pytest.mark.parametrize(
    ("part", "given", "kept"),
    [
        ("CrossZoneLoadBalancing", {"Enabled": True}, {"Enabled": True}),
        ("ConnectionDraining", {"Enabled": True}, {"Enabled": True, "Timeout": 300}),
        ("ConnectionDraining", {"Enabled": True, "Timeout": 3600}, None),
        ("ConnectionSettings", {"IdleTimeout": 4000}, None),
        ("AccessLog", LOGS, None),
        (
            "AccessLog",
            {"Enabled": True, "S3BucketName": "logs"},
            {"Enabled": True, "S3BucketName": "logs", "EmitInterval": 60, "S3BucketPrefix": ""},
        ),
        (
            "AdditionalAttributes",
            [{"Key": "elb.http.desyncmitigationmode", "Value": "strictest"}],
            None,
        ),
    ],
)
def test_a_change_is_told_and_leaves_the_others(elb, part, given, kept):
    answer = modify(elb, **{part: given})
    assert answer[part] == (kept or given)
    assert attributes(elb) == {**DEFAULTS, part: kept or given}


def test_draining_and_logs_are_switched_off_again(elb):
    modify(elb, ConnectionDraining={"Enabled": True, "Timeout": 20}, AccessLog=LOGS)
    modify(elb, ConnectionDraining={"Enabled": False}, AccessLog={"Enabled": False})
    assert attributes(elb) == DEFAULTS


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        ({"ConnectionDraining": {"Enabled": True, "Timeout": 3601}}, "ValidationError"),
        ({"ConnectionDraining": {"Enabled": True, "Timeout": 0}}, "ValidationError"),
        ({"ConnectionSettings": {"IdleTimeout": 4001}}, "ValidationError"),
        ({"AccessLog": {**LOGS, "EmitInterval": 7}}, "InvalidConfigurationRequest"),
        ({"AccessLog": {"Enabled": True}}, "InvalidConfigurationRequest"),
        ({"AdditionalAttributes": [{"Key": "x", "Value": "y"}]}, "InvalidConfigurationRequest"),
        (
            {"AdditionalAttributes": [{"Key": "elb.http.desyncmitigationmode", "Value": "off"}]},
            "ValidationError",
        ),
    ],
)
def test_bad_values_are_refused_and_nothing_of_the_call_is_done(elb, parts, code):
    with refused(code):
        modify(elb, CrossZoneLoadBalancing={"Enabled": True}, **parts)
    assert attributes(elb) == DEFAULTS


def test_the_account_says_what_it_may_have(elb):
    limits = {one["Name"]: one["Max"] for one in elb.describe_account_limits()["Limits"]}
    assert limits == {
        "classic-load-balancers": "20",
        "classic-listeners": "100",
        "classic-registered-instances": "1000",
    }


def test_the_source_security_group_is_the_balancers_own(network, elb):
    [found] = elb.describe_load_balancers()["LoadBalancerDescriptions"]
    assert found["LoadBalancerName"] == "old"
    assert found["SecurityGroups"] == [network.open]
    assert found["SourceSecurityGroup"]["GroupName"] == "open"
    assert found["SourceSecurityGroup"]["OwnerAlias"].isdecimal()


def tags(elb):
    [found] = elb.describe_tags(LoadBalancerNames=["old"])["TagDescriptions"]
    return {tag["Key"]: tag["Value"] for tag in found["Tags"]}


def add_tags(elb, **values):
    given = [{"Key": key.replace("_", ":"), "Value": value} for key, value in values.items()]
    elb.add_tags(LoadBalancerNames=["old"], Tags=given)


def test_tags_are_kept_and_awss_prefix_is_refused(network, elb):
    add_tags(elb, team="web", empty="")
    add_tags(elb, team="shop")
    for key in ("aws_stack", "AWS_stack"):
        with refused("ValidationError", "reserved"):
            add_tags(elb, fine="yes", **{key: "x"})
    assert tags(elb) == {"team": "shop", "empty": ""}
    with refused("ValidationError", "reserved"):
        network.classic("tagged", Tags=[{"Key": "aws:stack", "Value": "x"}])
    names = [one["LoadBalancerName"] for one in describe(elb)]
    assert names == ["old"]


def describe(elb, *names):
    return elb.describe_load_balancers(LoadBalancerNames=list(names))["LoadBalancerDescriptions"]


def test_the_eleventh_tag_is_too_many(elb):
    add_tags(elb, **{f"tag{number}": "x" for number in range(10)})
    add_tags(elb, tag0="y")
    with refused("TooManyTags"):
        add_tags(elb, tag10="x")
    assert len(tags(elb)) == 10


def test_the_one_that_is_not_there_is_named(elb):
    with refused("LoadBalancerNotFound", "'nobody'"):
        describe(elb, "old", "nobody")


def test_listeners_to_one_instance_port_agree_on_security(network, elb):
    """Source: ELB API (2012-06-01), Listener, InstanceProtocol."""
    other = {"Protocol": "HTTP", "LoadBalancerPort": 81, "InstancePort": 80}
    with refused("InvalidConfigurationRequest", "Instance port 80"):
        elb.create_load_balancer_listeners(
            LoadBalancerName="old", Listeners=[{**other, "InstanceProtocol": "HTTPS"}]
        )
    with refused("InvalidConfigurationRequest", "Instance port 80"):
        network.classic(
            "new",
            Listeners=[
                {**other, "InstanceProtocol": "HTTPS"},
                {"Protocol": "TCP", "LoadBalancerPort": 82, "InstancePort": 80},
            ],
        )
    elb.create_load_balancer_listeners(LoadBalancerName="old", Listeners=[other])


def test_deregistration_tells_which_instances_stay(network, elb):
    first, second = (
        one["InstanceId"]
        for one in network.ec2.run_instances(ImageId="ami-12c6146b", MinCount=2, MaxCount=2)[
            "Instances"
        ]
    )
    both = [{"InstanceId": first}, {"InstanceId": second}]
    elb.register_instances_with_load_balancer(LoadBalancerName="old", Instances=both)
    answer = elb.deregister_instances_from_load_balancer(LoadBalancerName="old", Instances=both[:1])
    assert answer["Instances"] == both[1:]
