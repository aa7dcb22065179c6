"""What `read` makes of the API's answers; the clients are real, the answers canned."""

import boto3
import pytest
from botocore.stub import ANY, Stubber

from labs.loadbalancing.migration import Clients, NotFound, read
from labs.loadbalancing.migration.classic import Listener, Policy, ScalingGroup
from labs.loadbalancing.migration.surroundings import running

POLICIES = [
    {
        "PolicyName": "harmless",
        "PolicyTypeName": "AppCookieStickinessPolicyType",
        "PolicyAttributeDescriptions": [{"AttributeName": "CookieName", "AttributeValue": "SID"}],
    },
    {"PolicyName": "keys", "PolicyTypeName": "BackendServerAuthenticationPolicyType"},
]
DESCRIPTION = {
    "LoadBalancerName": "web",
    "DNSName": "web-1.eu-west-1.elb.amazonaws.com",
    "Scheme": "internal",
    "VPCId": "vpc-1",
    "Subnets": ["subnet-a", "subnet-b"],
    "SecurityGroups": ["sg-1"],
    "Instances": [{"InstanceId": "i-2"}, {"InstanceId": "i-1"}],
    "HealthCheck": {
        "Target": "HTTP:80/TCPstatus",
        "Interval": 30,
        "Timeout": 5,
        "HealthyThreshold": 10,
        "UnhealthyThreshold": 2,
    },
    "BackendServerDescriptions": [{"InstancePort": 8443, "PolicyNames": ["keys"]}],
    "ListenerDescriptions": [
        {
            "Listener": {
                "Protocol": "HTTPS",
                "LoadBalancerPort": 443,
                "InstanceProtocol": "HTTP",
                "InstancePort": 80,
                "SSLCertificateId": "arn:certificate",
            },
            "PolicyNames": ["harmless", "gone"],
        },
        {
            "Listener": {"Protocol": "http", "LoadBalancerPort": 80, "InstancePort": 80},
            "PolicyNames": [],
        },
    ],
}


@pytest.fixture
def stubs():
    """Clients of eu-west-1, and a Stubber for each."""
    session = boto3.Session("key", "secret", region_name="eu-west-1")
    clients = Clients.of(session)
    stubs = Clients(*map(Stubber, clients))
    for stub in stubs:
        stub.activate()
    return clients, stubs


def test_everything_is_read(stubs):
    clients, answers = stubs
    named = {"LoadBalancerName": "web"}
    answers.elb.add_response(
        "describe_load_balancers",
        {"LoadBalancerDescriptions": [DESCRIPTION]},
        {"LoadBalancerNames": ["web"]},
    )
    answers.elb.add_response(
        "describe_load_balancer_policies", {"PolicyDescriptions": POLICIES}, named
    )
    answers.ec2.add_response(
        "describe_instances",
        {
            "Reservations": [{"Instances": [{"InstanceId": "i-1", "InstanceType": "t3.micro"}]}],
            "NextToken": "more",
        },
        {"Filters": ANY},
    )
    answers.ec2.add_response(
        "describe_instances", {"Reservations": []}, {"Filters": ANY, "NextToken": "more"}
    )
    attributes = {"CrossZoneLoadBalancing": {"Enabled": True}}
    answers.elb.add_response(
        "describe_load_balancer_attributes", {"LoadBalancerAttributes": attributes}, named
    )
    answers.elb.add_response(
        "describe_tags",
        {"TagDescriptions": [{"LoadBalancerName": "web", "Tags": [{"Key": "team", "Value": "a"}]}]},
        {"LoadBalancerNames": ["web"]},
    )
    answers.autoscaling.add_response(
        "describe_auto_scaling_groups",
        {
            "AutoScalingGroups": [
                scaling_group("other"),
                scaling_group("old", LoadBalancerNames=["web"]),
            ],
            "NextToken": "more",
        },
    )
    sources = [{"Identifier": "web", "Type": "elb"}]
    answers.autoscaling.add_response(
        "describe_auto_scaling_groups",
        {"AutoScalingGroups": [scaling_group("new", TrafficSources=sources)]},
        {"NextToken": "more"},
    )
    for operation, key, page, next_page in (
        (
            "describe_load_balancers",
            "LoadBalancers",
            [{"LoadBalancerName": "a", "Type": "network"}],
            [{"LoadBalancerName": "b", "Type": "application"}],
        ),
        (
            "describe_target_groups",
            "TargetGroups",
            [{"TargetGroupName": "c"}],
            [{"TargetGroupName": "d"}],
        ),
        ("describe_ssl_policies", "SslPolicies", [{"Name": "e"}], [{"Name": "f"}]),
        (
            "describe_account_limits",
            "Limits",
            [{"Name": "target-groups", "Max": "3"}],
            [{"Name": "g", "Max": "4"}],
        ),
    ):
        answers.elbv2.add_response(operation, {key: page, "NextMarker": "more"})
        answers.elbv2.add_response(operation, {key: next_page}, {"Marker": "more"})

    found = read(clients, "web")

    assert (found.name, found.region, found.scheme) == ("web", "eu-west-1", "internal")
    assert found.listeners == (
        Listener("HTTP", 80, "HTTP", 80),
        Listener(
            "HTTPS",
            443,
            "HTTP",
            80,
            "arn:certificate",
            (
                Policy("harmless", "AppCookieStickinessPolicyType", {"CookieName": "SID"}),
                Policy("gone", "unknown", {}),
            ),
        ),
    )
    assert found.back_end == {8443: (Policy("keys", "BackendServerAuthenticationPolicyType", {}),)}
    assert (found.instances, found.running) == (("i-1", "i-2"), {"i-1": "t3.micro"})
    assert (found.attributes, found.tags) == (attributes, {"team": "a"})
    assert found.scaling_groups == (
        ScalingGroup("old", frozenset({"i-9"}), "ELB"),
        ScalingGroup("new", frozenset({"i-9"}), "ELB"),
    )
    room = found.room
    assert room.balancers == {"a": "network", "b": "application"}
    assert room.target_groups == {"c", "d"}
    assert room.tls_policies == {"e", "f"}
    assert room.limits == {"target-groups": 3, "g": 4}


def scaling_group(name, **more):
    """As the API describes one; Stubber wants what the model requires."""
    zone = "eu-west-1a"
    instance = {
        "InstanceId": "i-9",
        "AvailabilityZone": zone,
        "LifecycleState": "InService",
        "HealthStatus": "Healthy",
        "ProtectedFromScaleIn": False,
    }
    return {
        "AutoScalingGroupName": name,
        "MinSize": 0,
        "MaxSize": 1,
        "DesiredCapacity": 1,
        "DefaultCooldown": 300,
        "AvailabilityZones": [zone],
        "HealthCheckType": "ELB",
        "CreatedTime": "2016-12-01T00:00:00Z",
        "Instances": [instance],
        **more,
    }


def test_an_unknown_name_names_the_region(stubs):
    clients, answers = stubs
    answers.elb.add_client_error("describe_load_balancers", "LoadBalancerNotFound", "no such", 400)
    with pytest.raises(NotFound, match="'web' in eu-west-1"):
        read(clients, "web")


def test_ec2_is_asked_for_at_most_200_instances_at_once(stubs):
    clients, answers = stubs
    ids = [f"i-{number}" for number in range(201)]
    for some in (ids[:200], ids[200:]):
        filters = [
            {"Name": "instance-id", "Values": some},
            {"Name": "instance-state-name", "Values": ["running"]},
        ]
        answers.ec2.add_response("describe_instances", {"Reservations": []}, {"Filters": filters})
    assert running(clients.ec2, ids) == {}
    answers.ec2.assert_no_pending_responses()
