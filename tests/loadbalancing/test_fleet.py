"""A fleet and the balancers before it, in an account of moto's: what is there is not made again."""

import ast
import base64

import boto3
import pytest
from moto import mock_aws

from labs.loadbalancing import balancers, fleet
from labs.loadbalancing.staging import inherited

OF_THIS_MACHINE = ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_CONFIG_FILE", "AWS_MAX_ATTEMPTS")
NAMES = ["ada-12-one", "ada-12-two", "ada-12-three"]


@pytest.fixture(scope="module")
def session():
    """For all tests, so that botocore reads its descriptions of the services once."""
    with pytest.MonkeyPatch.context() as patch:
        for variable in OF_THIS_MACHINE:
            patch.delenv(variable, raising=False)
        yield boto3.Session("testing", "testing", region_name="eu-central-1")


@pytest.fixture
def ec2(session):
    """EC2 in an empty account, which has a default VPC as every account has."""
    with mock_aws():
        yield session.client("ec2")


@pytest.fixture
def elbv2(ec2, session):
    return session.client("elbv2")


@pytest.fixture
def where(ec2):
    return fleet.network(ec2, "ada-12-web")


# The network and the servers


def test_a_network_has_two_zones(ec2, where):
    found = ec2.describe_subnets(SubnetIds=list(where.subnets))["Subnets"]
    assert len({subnet["AvailabilityZone"] for subnet in found}) == 2
    assert {subnet["VpcId"] for subnet in found} == {where.vpc_id}


def test_the_world_reaches_balancers_and_only_balancers_reach_servers(ec2, where):
    groups = ec2.describe_security_groups(GroupIds=[where.balancers, where.servers])
    rules = {group["GroupId"]: group["IpPermissions"] for group in groups["SecurityGroups"]}
    (of_balancers,), (of_servers,) = rules[where.balancers], rules[where.servers]
    assert (of_balancers["FromPort"], of_balancers["ToPort"]) == (80, 80)
    assert [source["CidrIp"] for source in of_balancers["IpRanges"]] == ["0.0.0.0/0"]
    assert (of_servers["FromPort"], of_servers["ToPort"]) == (80, 80)
    assert of_servers["IpRanges"] == []
    assert [pair["GroupId"] for pair in of_servers["UserIdGroupPairs"]] == [where.balancers]


def test_a_network_made_twice_is_one(ec2, where):
    assert fleet.network(ec2, "ada-12-web") == where


def test_a_region_without_a_default_network_says_what_to_do(ec2):
    for subnet in ec2.describe_subnets()["Subnets"]:
        ec2.delete_subnet(SubnetId=subnet["SubnetId"])
    with pytest.raises(RuntimeError, match=r"0 default subnets are there.*create-default-vpc"):
        fleet.network(ec2, "ada-12-web")


def test_servers_stand_in_both_zones_and_call_themselves_by_the_last_word(ec2, where):
    servers = fleet.servers(ec2, NAMES, where)
    assert [server.name for server in servers] == ["one", "two", "three"]
    found = instances(ec2)
    assert found.keys() == set(NAMES)
    assert {each["SubnetId"] for each in found.values()} == set(where.subnets)
    for each in found.values():
        assert each["State"]["Name"] == "running"
        assert [group["GroupId"] for group in each["SecurityGroups"]] == [where.servers]


def test_servers_that_run_are_not_started_again(ec2, where):
    first = fleet.servers(ec2, NAMES[:2], where)
    again = fleet.servers(ec2, NAMES, where)
    assert again[:2] == first
    assert len(instances(ec2)) == 3


def test_a_server_that_was_terminated_is_started_anew(ec2, where):
    (first,) = fleet.servers(ec2, NAMES[:1], where)
    ec2.terminate_instances(InstanceIds=[first.instance_id])
    (again,) = fleet.servers(ec2, NAMES[:1], where)
    assert again.instance_id != first.instance_id


def instances(ec2):
    """Name -> instance, of those that are not terminated."""
    alive = [{"Name": "instance-state-name", "Values": ["pending", "running"]}]
    return {
        each["Tags"][0]["Value"]: each
        for reservation in ec2.describe_instances(Filters=alive)["Reservations"]
        for each in reservation["Instances"]
    }


# Their script


def test_user_data_is_a_script_with_a_name_and_a_pace_of_its_own():
    script = fleet.user_data("four", slowness=20)
    assert script.startswith("#!/usr/bin/env python3\n")
    assert len(script.encode()) <= 16 * 1024  # EC2 takes no more
    values = {
        line.targets[0].id: ast.literal_eval(line.value)
        for line in ast.parse(script, feature_version=(3, 9)).body
        if isinstance(line, ast.Assign) and isinstance(line.value, ast.Constant)
    }
    assert (values["NAME"], values["SLOWNESS"]) == ("four", 20)


def test_constants_may_have_other_values_and_are_known():
    script = fleet.user_data("", upstream="http://stock.example/", port=8080)
    assert "\nUPSTREAM = 'http://stock.example/'" in script
    assert "\nPORT = 8080" in script
    with pytest.raises(LookupError, match="SLOWNES is set 0 times"):
        fleet.user_data("one", slownes=2)


def test_servers_run_the_program_they_are_given(ec2, where, tmp_path):
    own = tmp_path / "own program.py"
    own.write_text('#!/usr/bin/env python3\nNAME = ""\nGREETING = "hi"\n')
    (chat,) = fleet.servers(ec2, ["ada-14-chat"], where, program=fleet.CHAT)
    (mine,) = fleet.servers(ec2, ["ada-14-mine"], where, program=own, greeting="hello")
    assert "WebSocket" in script_of(ec2, chat)
    assert script_of(ec2, mine).endswith("\nNAME = 'mine'\nGREETING = 'hello'\n")


def script_of(ec2, server):
    found = ec2.describe_instance_attribute(InstanceId=server.instance_id, Attribute="userData")
    return base64.b64decode(found["UserData"]["Value"]).decode()


@pytest.mark.parametrize("name", ['two words"', r"a\1", "tee\n", "é"])
def test_a_name_with_odd_characters_stays_that_name(name):
    script = fleet.with_constants('NAME = ""  # who\nPORT = 80\n', NAME=name)
    assert ast.literal_eval(ast.parse(script).body[0].value) == name
    assert script.endswith("  # who\nPORT = 80\n")


@pytest.mark.parametrize(
    ("script", "times"), [("", 0), ("  NAME = 1", 0), ("NAMES = 1", 0), ("NAME = 1\nNAME = 2", 2)]
)
def test_a_constant_that_is_not_there_once_is_named(script, times):
    with pytest.raises(LookupError, match=f"NAME is set {times} times"):
        fleet.with_constants(script, NAME="x")


# Balancers


def test_a_target_group_made_twice_is_one_with_all_servers(ec2, elbv2, where):
    first, second = fleet.servers(ec2, NAMES[:2], where)
    arn = balancers.target_group(elbv2, "ada-12-web", where, [first])
    assert balancers.target_group(elbv2, "ada-12-web", where, [second]) == arn
    targets = elbv2.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
    assert {each["Target"]["Id"] for each in targets} == {first.instance_id, second.instance_id}


@pytest.mark.parametrize(
    ("kind", "protocol"), [("network", "TCP"), ("network", "UDP"), ("application", "HTTP")]
)
def test_a_front_made_twice_is_one(elbv2, where, kind, protocol):
    first = balancers.front(elbv2, "ada-12-game", where, kind, protocol, 3074)
    again = balancers.front(elbv2, "ada-12-game", where, kind, protocol, 3074)
    assert again["LoadBalancerArn"] == first["LoadBalancerArn"]
    assert listening(elbv2, again) == {3074: protocol}


def test_a_front_of_another_kind_makes_room(elbv2, where):
    balancers.front(elbv2, "ada-12-bank", where, "application", "HTTP", 443)
    balancers.front(elbv2, "ada-12-bank", where, "network", "TCP", 443)
    (found,) = elbv2.describe_load_balancers()["LoadBalancers"]
    assert found["Type"] == "network"
    assert listening(elbv2, found) == {443: "TCP"}


def test_a_front_with_another_protocol_has_one_listener(elbv2, where):
    balancers.front(elbv2, "ada-12-game", where, "network", "TCP", 3074)
    made = balancers.front(elbv2, "ada-12-game", where, "network", "TCP_UDP", 3074)
    assert listening(elbv2, made) == {3074: "TCP_UDP"}


def test_a_network_balancer_reaches_the_other_zone_too(elbv2, where):
    made = balancers.balancer(elbv2, "ada-12-web", where, "network")
    arn = made["LoadBalancerArn"]
    found = elbv2.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]
    assert {"Key": "load_balancing.cross_zone.enabled", "Value": "true"} in found


def test_the_colleagues_servers_do_not_learn_of_clients(ec2, elbv2, where):
    servers = fleet.servers(ec2, NAMES[:2], where)
    url = inherited.network_balancer(elbv2, "ada-12-colleague", where, servers)
    (found,) = elbv2.describe_load_balancers()["LoadBalancers"]
    assert url == f"http://{found['DNSName']}"
    (group,) = elbv2.describe_target_groups()["TargetGroups"]
    arn = group["TargetGroupArn"]
    attributes = elbv2.describe_target_group_attributes(TargetGroupArn=arn)["Attributes"]
    assert {"Key": "preserve_client_ip.enabled", "Value": "false"} in attributes


def listening(elbv2, balancer):
    """Port -> protocol of a balancer's listeners."""
    arn = balancer["LoadBalancerArn"]
    found = elbv2.describe_listeners(LoadBalancerArn=arn)["Listeners"]
    return {listener["Port"]: listener["Protocol"] for listener in found}
