"""The attributes of fresh balancers and target groups, and security policies of listeners."""

import pytest

from tests.cloud.mock.balancing.refusals.account import refused


def pairs(answer):
    return {one["Key"]: one["Value"] for one in answer["Attributes"]}


def of_balancer(network, **settings):
    arn = network.balancer("fresh", **settings)["LoadBalancerArn"]
    return pairs(network.elbv2.describe_load_balancer_attributes(LoadBalancerArn=arn))


def of_group(network, **settings):
    arn = network.elbv2.create_target_group(
        Name="fresh", **{"Port": 80, "VpcId": network.vpc, **settings}
    )["TargetGroups"][0]["TargetGroupArn"]
    return pairs(network.elbv2.describe_target_group_attributes(TargetGroupArn=arn))


def test_an_application_load_balancer(network):
    found = of_balancer(network)
    expected = {
        "idle_timeout.timeout_seconds": "60",
        "load_balancing.cross_zone.enabled": "true",
        "access_logs.s3.enabled": "false",
        "routing.http2.enabled": "true",
        "routing.http.desync_mitigation_mode": "defensive",
        "ipv6.deny_all_igw_traffic": "false",
    }
    assert expected.items() <= found.items()
    assert "dns_record.client_routing_policy" not in found


def test_its_cross_zone_load_balancing_cannot_be_turned_off(network):
    arn = network.balancer("fresh")["LoadBalancerArn"]

    def modify(value):
        network.elbv2.modify_load_balancer_attributes(
            LoadBalancerArn=arn,
            Attributes=[{"Key": "load_balancing.cross_zone.enabled", "Value": value}],
        )

    with refused("InvalidConfigurationRequest", "target group"):
        modify("false")
    modify("true")


def test_a_network_load_balancer(network):
    found = of_balancer(network, Type="network", Scheme="internal")
    expected = {
        "load_balancing.cross_zone.enabled": "false",
        "dns_record.client_routing_policy": "any_availability_zone",
        "ipv6.deny_all_igw_traffic": "true",
    }
    assert expected.items() <= found.items()
    assert not any(key.startswith(("routing.", "idle_timeout")) for key in found)


def test_a_group_of_http(network):
    found = of_group(network, Protocol="HTTP")
    expected = {
        "deregistration_delay.timeout_seconds": "300",
        "load_balancing.algorithm.type": "round_robin",
        "slow_start.duration_seconds": "0",
        "stickiness.type": "lb_cookie",
        "stickiness.lb_cookie.duration_seconds": "86400",
    }
    assert expected.items() <= found.items()
    assert "preserve_client_ip.enabled" not in found


@pytest.mark.parametrize(
    ("protocol", "kind", "preserves", "terminates"),
    [
        ("TCP", "instance", "true", "false"),
        ("TLS", "instance", "true", "false"),
        ("TCP", "ip", "false", "false"),
        ("UDP", "instance", "true", "true"),
    ],
)
def test_a_group_of_a_network_load_balancer(network, protocol, kind, preserves, terminates):
    found = of_group(network, Protocol=protocol, TargetType=kind)
    assert found["preserve_client_ip.enabled"] == preserves
    assert found["deregistration_delay.connection_termination.enabled"] == terminates
    assert found["stickiness.type"] == "source_ip"
    assert "slow_start.duration_seconds" not in found


def test_a_group_of_a_function(network):
    found = network.elbv2.create_target_group(Name="function", TargetType="lambda")
    arn = found["TargetGroups"][0]["TargetGroupArn"]
    attributes = pairs(network.elbv2.describe_target_group_attributes(TargetGroupArn=arn))
    assert attributes == {"lambda.multi_value_headers.enabled": "false"}


def test_only_secure_listeners_have_a_security_policy(network):
    balancer, group = network.balancer("web"), network.group("web")
    certificate = network.acm.request_certificate(DomainName="www.example.com")["CertificateArn"]
    secure = {"Protocol": "HTTPS", "Certificates": [{"CertificateArn": certificate}]}
    network.listener(balancer, group)
    network.listener(balancer, group, Port=443, **secure)
    chosen = "ELBSecurityPolicy-TLS13-1-2-2021-06"
    network.listener(balancer, group, Port=444, SslPolicy=chosen, **secure)
    with refused("SSLPolicyNotFound", "mine"):
        network.listener(balancer, group, Port=445, SslPolicy="mine", **secure)
    found = network.elbv2.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])
    policies = {one["Port"]: one.get("SslPolicy") for one in found["Listeners"]}
    assert policies == {80: None, 443: "ELBSecurityPolicy-2016-08", 444: chosen}
