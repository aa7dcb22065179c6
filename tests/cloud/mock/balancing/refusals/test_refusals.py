"""Application and Network Load Balancers: what AWS refuses is refused, what it takes is taken."""

import io
import json
import zipfile

import pytest

from tests.cloud.mock.balancing.refusals.account import refused

# --- Balancers ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("a" * 33, "longer than '32'"),
        ("under_score", "alphanumeric"),
        ("two words", "alphanumeric"),
        ("-begin", "begin or end"),
        ("end-", "begin or end"),
        ("internal-web", "internal-"),
    ],
)
def test_a_bad_name_is_refused(account, name, words):
    with refused("ValidationError", name, words):
        account.balancer(name)


def test_a_name_of_32_characters_is_taken(account):
    assert account.balancer("a" * 32)


def test_an_application_load_balancer_needs_two_zones_and_a_network_one_does_not(account):
    one = account.subnet_ids[:1]
    with refused("ValidationError", "At least two subnets in two different Availability Zones"):
        account.balancer(Subnets=one)
    assert account.balancer(Subnets=one, Type="network")


def test_two_subnets_of_one_zone_are_refused(account):
    first = account.subnets[0]
    twin = account.ec2.create_subnet(
        VpcId=account.vpc, CidrBlock="172.31.200.0/24", AvailabilityZone=first["AvailabilityZone"]
    )["Subnet"]["SubnetId"]
    for kind in ("application", "network"):
        with refused("InvalidConfigurationRequest", "same Availability Zone"):
            account.balancer(Subnets=[first["SubnetId"], twin], Type=kind)


def test_subnets_of_two_vpcs_and_unknown_ones_are_refused(account):
    foreign = account.ec2.create_subnet(
        VpcId=account.other_vpc(),
        CidrBlock="10.9.0.0/24",
        AvailabilityZone=account.subnets[1]["AvailabilityZone"],
    )["Subnet"]["SubnetId"]
    with refused("InvalidConfigurationRequest", "same VPC"):
        account.balancer(Subnets=[account.subnet_ids[0], foreign])
    with refused("SubnetNotFound", "subnet-0bad"):
        account.balancer(Subnets=[account.subnet_ids[0], "subnet-0bad"])
    with refused("InvalidSecurityGroup", "sg-0bad"):
        account.balancer(SecurityGroups=["sg-0bad"])


def test_the_same_call_again_gives_the_same_balancer_and_another_call_an_error(account):
    arn = account.balancer()
    assert account.balancer() == arn
    with refused("DuplicateLoadBalancerName", "'web'", "different settings"):
        account.balancer(Scheme="internal")
    with refused("DuplicateLoadBalancerName"):
        account.balancer(Type="network")


def test_the_arn_says_the_kind_and_keeps_its_tags(account):
    tags = [{"Key": "owner", "Value": "ada"}]
    arn = account.balancer(Type="network", Tags=tags)
    assert ":loadbalancer/net/web/" in arn
    [described] = account.elbv2.describe_tags(ResourceArns=[arn])["TagDescriptions"]
    assert described["Tags"] == tags
    listener = account.listener(arn, account.group(Protocol="TCP"), Protocol="TCP")
    assert ":listener/net/web/" in listener
    assert account.elbv2.describe_rules(ListenerArn=listener)["Rules"]
    account.elbv2.delete_load_balancer(LoadBalancerArn=arn)
    assert account.balancer().split("/")[1] == "app"


def test_without_a_security_group_the_balancer_has_the_default_one(account):
    account.balancer()
    [balancer] = account.elbv2.describe_load_balancers()["LoadBalancers"]
    [group] = account.ec2.describe_security_groups(GroupIds=balancer["SecurityGroups"])[
        "SecurityGroups"
    ]
    assert group["GroupName"] == "default"
    assert balancer["Scheme"] == "internet-facing"


def test_deletion_protection_protects(account):
    arn = account.balancer()

    def protect(value):
        account.elbv2.modify_load_balancer_attributes(
            LoadBalancerArn=arn, Attributes=[{"Key": "deletion_protection.enabled", "Value": value}]
        )

    protect("true")
    with refused("OperationNotPermitted", arn, "deletion protection is enabled"):
        account.elbv2.delete_load_balancer(LoadBalancerArn=arn)
    protect("false")
    account.elbv2.delete_load_balancer(LoadBalancerArn=arn)
    account.elbv2.delete_load_balancer(LoadBalancerArn=arn)  # gone already: fine
    assert account.elbv2.describe_load_balancers()["LoadBalancers"] == []


def test_the_quotas_that_are_told_are_those_that_hold(account):
    limits = {
        limit["Name"]: limit["Max"] for limit in account.elbv2.describe_account_limits()["Limits"]
    }
    assert limits["application-load-balancers"] == "50"
    assert limits["rules-per-application-load-balancer"] == "100"
    for number in range(50):
        account.balancer(f"web-{number}")
    with refused("TooManyLoadBalancers"):
        account.balancer("web-50")
    assert account.balancer("net", Type="network")


# --- Listeners ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "protocol"), [("application", "HTTPS"), ("network", "TLS")], ids=["HTTPS", "TLS"]
)
def test_a_secure_listener_needs_a_certificate_that_is_there(account, kind, protocol):
    balancer = account.balancer(Type=kind)
    group = account.group(Protocol="HTTP" if kind == "application" else "TCP")
    secure = {"Protocol": protocol, "Port": 443}
    with refused("ValidationError", f"A certificate must be specified for {protocol} listeners"):
        account.listener(balancer, group, **secure)
    unknown = "arn:aws:acm:eu-central-1:123456789012:certificate/none"
    with refused("CertificateNotFound", unknown):
        account.listener(balancer, group, **secure, Certificates=[{"CertificateArn": unknown}])
    known = [{"CertificateArn": account.certificate()}]
    assert account.listener(balancer, group, **secure, Certificates=known)


def test_a_port_has_one_listener_and_the_same_call_gives_the_same_listener(account):
    balancer, group, other = account.balancer(), account.group(), account.group("others")
    listener = account.listener(balancer, group)
    assert account.listener(balancer, group) == listener
    with refused("DuplicateListener", "already exists on this port", balancer):
        account.listener(balancer, other)
    second = account.listener(balancer, other, Port=8080)
    with refused("DuplicateListener"):
        account.elbv2.modify_listener(ListenerArn=second, Port=80)
    account.elbv2.modify_listener(ListenerArn=second, Port=8081)
    assert len(account.elbv2.describe_listeners(LoadBalancerArn=balancer)["Listeners"]) == 2


def test_a_listener_that_becomes_secure_needs_a_certificate(account):
    listener = account.listener(account.balancer(), account.group())
    with refused("ValidationError", "A certificate must be specified"):
        account.elbv2.modify_listener(ListenerArn=listener, Protocol="HTTPS", Port=443)
    certificates = [{"CertificateArn": account.certificate()}]
    account.elbv2.modify_listener(
        ListenerArn=listener, Protocol="HTTPS", Port=443, Certificates=certificates
    )


@pytest.mark.parametrize(
    ("kind", "listener", "group", "fits"),
    [
        ("application", "HTTP", "HTTPS", True),
        ("application", "HTTP", "TCP", False),
        ("network", "TCP", "TCP", True),
        ("network", "TCP", "TCP_UDP", True),
        ("network", "TCP", "HTTP", False),
        ("network", "UDP", "TCP", False),
    ],
)
def test_listener_and_group_speak_protocols_that_fit(account, kind, listener, group, fits):
    balancer, arn = account.balancer(Type=kind), account.group(Protocol=group)
    if fits:
        assert account.listener(balancer, arn, Protocol=listener)
    else:
        with refused("IncompatibleProtocols", arn, f"'{listener}' and '{group}'"):
            account.listener(balancer, arn, Protocol=listener)


def test_a_group_serves_one_balancer_in_its_own_vpc(account):
    group = account.group()
    listener = account.listener(account.balancer(), group)
    second = account.balancer("second")
    with refused("TargetGroupAssociationLimit", group):
        account.listener(second, group)
    account.elbv2.delete_listener(ListenerArn=listener)
    assert account.listener(second, group)
    with refused("InvalidConfigurationRequest", "VPC"):
        account.listener(second, account.group("far", VpcId=account.other_vpc()), Port=81)
    with refused("TargetGroupNotFound"):
        account.listener(second, group + "0", Port=81)


def test_a_listener_changed_to_unknown_groups_or_bad_ports_is_refused(account):
    balancer, group = account.balancer(), account.group()
    listener = account.listener(balancer, group)
    unknown = [{"Type": "forward", "TargetGroupArn": group + "0"}]
    with refused("TargetGroupNotFound"):
        account.elbv2.modify_listener(ListenerArn=listener, DefaultActions=unknown)
    with refused("ValidationError", "'70000'", "65535"):
        account.listener(balancer, group, Port=70000)
    with refused("ValidationError", "must be one of"):
        account.listener(balancer, group, Port=81, Protocol="TCP")
    with refused("LoadBalancerNotFound"):
        account.listener(balancer + "0", group)


def test_a_balancer_has_fifty_listeners(account):
    balancer = account.balancer()
    for port in range(1, 51):
        account.listener(balancer, Port=port)
    with refused("TooManyListeners"):
        account.listener(balancer, Port=51)


# --- Rules --------------------------------------------------------------------------------------


@pytest.fixture
def listener(account):
    return account.listener(account.balancer())


@pytest.mark.parametrize("priority", [0, -1, 50_001, 60_000])
def test_a_priority_out_of_range_is_refused(account, listener, priority):
    with refused("ValidationError", f"'{priority}' at 'priority'"):
        account.rule(listener, priority)


def test_a_priority_is_taken_once_on_a_listener(account, listener):
    account.rule(listener, 50_000)
    with refused("PriorityInUse", "Priority '50000' is currently in use"):
        account.rule(listener, 50_000)


def test_a_rule_needs_a_condition_and_the_listener_must_be_there(account, listener):
    with refused("ValidationError", "condition must be specified"):
        account.rule(listener, Conditions=[])
    with refused("ListenerNotFound"):
        account.rule(listener + "0")


def test_a_rule_with_a_bad_condition_or_action_is_refused_when_made_and_when_changed(
    account, listener
):
    bad_conditions = [{"Field": "path-pattern", "Values": [""]}]
    bad_actions = [{"Type": "redirect", "RedirectConfig": {"StatusCode": "HTTP_301"}}]
    rule = account.rule(listener)
    with refused("ValidationError", "cannot be empty"):
        account.rule(listener, 2, Conditions=bad_conditions)
    with refused("ValidationError", "cannot be empty"):
        account.elbv2.modify_rule(RuleArn=rule, Conditions=bad_conditions)
    with refused("InvalidLoadBalancerAction", "loop"):
        account.rule(listener, 2, Actions=bad_actions)
    with refused("InvalidLoadBalancerAction", "loop"):
        account.elbv2.modify_rule(RuleArn=rule, Actions=bad_actions)


def test_regular_expressions_are_kept_and_bad_ones_refused(account, listener):
    def condition(regex):
        return {"Field": "path-pattern", "PathPatternConfig": {"RegexValues": [regex]}}

    account.rule(listener, Conditions=[condition(r"^/v\d+/")])
    described = account.elbv2.describe_rules(ListenerArn=listener)["Rules"][0]
    assert described["Conditions"][0]["PathPatternConfig"]["RegexValues"] == [r"^/v\d+/"]
    with refused("ValidationError", "look-ahead"):
        account.rule(listener, 2, Conditions=[condition("a(?=b)")])


def test_rules_are_described_by_priority_with_the_default_last(account, listener):
    for priority in (30, 4, 200, 1):
        account.rule(listener, priority)

    def described():
        rules = account.elbv2.describe_rules(ListenerArn=listener)["Rules"]
        return [rule["Priority"] for rule in rules]

    assert described() == ["1", "4", "30", "200", "default"]
    first = account.elbv2.describe_rules(ListenerArn=listener)["Rules"][0]["RuleArn"]
    account.elbv2.set_rule_priorities(RulePriorities=[{"RuleArn": first, "Priority": 100}])
    assert described() == ["4", "30", "100", "200", "default"]


def test_priorities_can_be_swapped_and_not_shared(account, listener):
    one, two, three = (account.rule(listener, priority) for priority in (1, 2, 3))

    def wanted(**priorities):
        arns = {"one": one, "two": two, "three": three}
        return [
            {"RuleArn": arns[name], "Priority": priority} for name, priority in priorities.items()
        ]

    account.elbv2.set_rule_priorities(RulePriorities=wanted(one=2, two=1))
    with refused("PriorityInUse", "'3'"):
        account.elbv2.set_rule_priorities(RulePriorities=wanted(one=3))
    with refused("PriorityInUse", "'9'"):
        account.elbv2.set_rule_priorities(RulePriorities=wanted(one=9, two=9))
    with refused("ValidationError", "50000"):
        account.elbv2.set_rule_priorities(RulePriorities=wanted(one=50_001))
    rules = account.elbv2.describe_rules(ListenerArn=listener)["Rules"]
    assert [rule["RuleArn"] for rule in rules[:3]] == [two, one, three]


def test_the_default_rule_stays(account, listener):
    default = account.elbv2.describe_rules(ListenerArn=listener)["Rules"][-1]["RuleArn"]
    actions = [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}]
    with refused("OperationNotPermitted", "cannot be deleted"):
        account.elbv2.delete_rule(RuleArn=default)
    with refused("OperationNotPermitted", "cannot be modified"):
        account.elbv2.modify_rule(RuleArn=default, Actions=actions)
    with refused("OperationNotPermitted"):
        account.elbv2.set_rule_priorities(RulePriorities=[{"RuleArn": default, "Priority": 1}])
    rule = account.rule(listener)
    account.elbv2.delete_rule(RuleArn=rule)
    with refused("RuleNotFound"):
        account.elbv2.delete_rule(RuleArn=rule)


def test_a_balancer_has_a_hundred_rules_on_all_its_listeners_together(account, listener):
    balancer = account.elbv2.describe_listeners(ListenerArns=[listener])["Listeners"][0][
        "LoadBalancerArn"
    ]
    second = account.listener(balancer, Port=81)
    for priority in range(1, 51):
        account.rule(listener, priority)
        account.rule(second, priority)
    with refused("TooManyRules", "maximum number of rules", balancer):
        account.rule(second, 51)


def test_transforms_are_kept_changed_and_taken_away(account, listener):
    def transforms(replace):
        config = {"Rewrites": [{"Regex": "^/dp/(.+)$", "Replace": replace}]}
        return [{"Type": "url-rewrite", "UrlRewriteConfig": config}]

    def kept():
        return account.elbv2.describe_rules(RuleArns=[rule])["Rules"][0].get("Transforms") or []

    rule = account.rule(listener, Transforms=transforms("/product?id=$1"))
    assert kept() == transforms("/product?id=$1")
    account.elbv2.modify_rule(RuleArn=rule, Transforms=transforms("/$1"))
    assert kept() == transforms("/$1")
    conditions = [{"Field": "path-pattern", "Values": ["/b"]}]
    account.elbv2.modify_rule(RuleArn=rule, Conditions=conditions)
    assert kept() == transforms("/$1")
    account.elbv2.modify_rule(RuleArn=rule, ResetTransforms=True)
    assert kept() == []
    with refused("ValidationError", "only have one"):
        account.rule(listener, 2, Transforms=transforms("/a") + transforms("/b"))


def test_a_network_load_balancer_only_forwards(account):
    balancer = account.balancer(Type="network")
    with refused("InvalidLoadBalancerAction", "'network'", "'forward'"):
        account.listener(balancer, Protocol="TCP")
    listener = account.listener(balancer, account.group(Protocol="TCP"), Protocol="TCP")
    with refused("ValidationError", "not implemented by the mock"):
        account.rule(listener)


# --- Target groups and targets ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"HealthCheckIntervalSeconds": 4}, "healthCheckIntervalSeconds"),
        ({"HealthCheckIntervalSeconds": 301}, "healthCheckIntervalSeconds"),
        ({"HealthCheckTimeoutSeconds": 1}, "healthCheckTimeoutSeconds"),
        ({"HealthCheckTimeoutSeconds": 121}, "healthCheckTimeoutSeconds"),
        ({"HealthyThresholdCount": 1}, "healthyThresholdCount"),
        ({"UnhealthyThresholdCount": 11}, "unhealthyThresholdCount"),
        ({"HealthCheckProtocol": "TCP"}, "TCP"),
        ({"HealthCheckProtocol": "UDP"}, "UDP"),
        ({"HealthCheckPort": "http"}, "traffic-port"),
        ({"HealthCheckPort": "70000"}, "healthCheckPort"),
        ({"HealthCheckPath": "ping"}, "begin with '/'"),
        ({"Matcher": {"HttpCode": "199"}}, "200-499"),
        ({"Matcher": {"HttpCode": "200-500"}}, "200-499"),
        ({"Matcher": {"HttpCode": "ok"}}, "'ok'"),
    ],
)
def test_health_check_settings_out_of_range_are_refused(account, settings, words):
    with refused("ValidationError", words):
        account.group(**settings)
    arn = account.group()
    with refused("ValidationError", words):
        account.elbv2.modify_target_group(TargetGroupArn=arn, **settings)


def test_health_check_settings_in_range_are_taken(account):
    settings = {
        "HealthCheckIntervalSeconds": 5,
        "HealthCheckTimeoutSeconds": 2,
        "HealthyThresholdCount": 2,
        "UnhealthyThresholdCount": 10,
        "HealthCheckPort": "8080",
        "HealthCheckPath": "/ping",
        "Matcher": {"HttpCode": "200,301-399"},
    }
    arn = account.group(**settings)
    account.elbv2.modify_target_group(TargetGroupArn=arn, **settings)
    with refused("ValidationError", "smaller than the interval"):
        account.elbv2.modify_target_group(TargetGroupArn=arn, HealthCheckTimeoutSeconds=5)
    assert account.group("tcp", Protocol="TCP", Matcher={"HttpCode": "200-599"})


def test_the_same_target_group_can_be_made_twice(account):
    arn = account.group(HealthCheckPath="/a")
    assert account.group(HealthCheckPath="/a") == arn
    with refused("DuplicateTargetGroupName", "'servers'", "different settings"):
        account.group(HealthCheckPath="/b")
    with refused("ValidationError", "32"):
        account.group("a" * 33)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("deregistration_delay.timeout_seconds", "3601"),
        ("slow_start.duration_seconds", "29"),
        ("slow_start.duration_seconds", "901"),
        ("stickiness.lb_cookie.duration_seconds", "0"),
        ("stickiness.lb_cookie.duration_seconds", "604801"),
        ("load_balancing.algorithm.type", "random"),
        ("stickiness.app_cookie.cookie_name", "AWSALB"),
        ("preserve_client_ip.enabled", "False"),
        ("target_group_health.unhealthy_state_routing.minimum_healthy_targets.count", "many"),
        ("target_group_health.dns_failover.minimum_healthy_targets.percentage", "101"),
    ],
)
def test_attributes_out_of_range_are_refused(account, key, value):
    arn = account.group()
    with refused("ValidationError", value):
        account.elbv2.modify_target_group_attributes(
            TargetGroupArn=arn, Attributes=[{"Key": key, "Value": value}]
        )


def test_a_sticky_group_among_several_needs_a_sticky_rule(account):
    balancer, groups = account.balancer(), [account.group("old"), account.group("new")]
    on = [{"Key": "stickiness.enabled", "Value": "true"}]
    forward = {"TargetGroups": [{"TargetGroupArn": arn, "Weight": 50} for arn in groups]}
    action = {"Type": "forward", "ForwardConfig": forward}
    listener = account.listener(balancer, DefaultActions=[action])
    account.elbv2.create_rule(
        ListenerArn=listener,
        Priority=1,
        Conditions=[{"Field": "path-pattern", "Values": ["/closed"]}],
        Actions=[{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "503"}}],
    )
    with refused("InvalidConfigurationRequest", "enable group stickiness", groups[0]):
        account.elbv2.modify_target_group_attributes(TargetGroupArn=groups[0], Attributes=on)
    sticky = {"TargetGroupStickinessConfig": {"Enabled": True, "DurationSeconds": 60}}
    bound = {"Type": "forward", "ForwardConfig": forward | sticky}
    account.elbv2.modify_listener(ListenerArn=listener, DefaultActions=[bound])
    account.elbv2.modify_target_group_attributes(TargetGroupArn=groups[0], Attributes=on)
    with refused("InvalidConfigurationRequest", "enable group stickiness", groups[0]):
        account.elbv2.modify_listener(ListenerArn=listener, DefaultActions=[action])


def test_an_attribute_that_no_target_group_has(account):
    arn = account.group()
    with refused("ValidationError", "'preserve_client_ip' is not recognized"):
        account.elbv2.modify_target_group_attributes(
            TargetGroupArn=arn, Attributes=[{"Key": "preserve_client_ip", "Value": "true"}]
        )


@pytest.mark.parametrize("count", ["1", "3"])
@pytest.mark.parametrize("share", ["off", "50"])
def test_minimum_healthy_targets_in_range_are_taken(account, count, share):
    least = "target_group_health.unhealthy_state_routing.minimum_healthy_targets"
    wanted = {f"{least}.count": count, f"{least}.percentage": share}
    arn = account.group()
    account.elbv2.modify_target_group_attributes(
        TargetGroupArn=arn,
        Attributes=[{"Key": key, "Value": value} for key, value in wanted.items()],
    )
    found = account.elbv2.describe_target_group_attributes(TargetGroupArn=arn)["Attributes"]
    assert wanted.items() <= {each["Key"]: each["Value"] for each in found}.items()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("idle_timeout.timeout_seconds", "abc"),
        ("idle_timeout.timeout_seconds", "0"),
        ("idle_timeout.timeout_seconds", "4001"),
        ("client_keep_alive.seconds", "59"),
        ("routing.http.xff_header_processing.mode", "prepend"),
        ("routing.http.desync_mitigation_mode", "off"),
        ("deletion_protection.enabled", "yes"),
    ],
)
def test_a_balancers_attributes_out_of_range_are_refused(account, key, value):
    arn = account.balancer()
    with refused("ValidationError", key, value):
        account.elbv2.modify_load_balancer_attributes(
            LoadBalancerArn=arn, Attributes=[{"Key": key, "Value": value}]
        )


@pytest.mark.parametrize("value", ["59", "6001", "long"])
def test_a_listeners_idle_time_out_of_range_is_refused(account, value):
    listener = account.listener(account.balancer(), account.group())
    with refused("ValidationError", "between '60-6000'", value):
        account.elbv2.modify_listener_attributes(
            ListenerArn=listener,
            Attributes=[{"Key": "tcp.idle_timeout.seconds", "Value": value}],
        )


@pytest.mark.parametrize("value", ["0", "3600"])
def test_a_delay_in_range_is_taken(account, value):
    arn, key = account.group(), "deregistration_delay.timeout_seconds"
    account.elbv2.modify_target_group_attributes(
        TargetGroupArn=arn, Attributes=[{"Key": key, "Value": value}]
    )
    found = account.elbv2.describe_target_group_attributes(TargetGroupArn=arn)["Attributes"]
    assert {"Key": key, "Value": value} in found


@pytest.mark.parametrize("value", ["0", "30", "900"])
def test_slow_start_in_range_is_taken(account, value):
    account.elbv2.modify_target_group_attributes(
        TargetGroupArn=account.group(),
        Attributes=[{"Key": "slow_start.duration_seconds", "Value": value}],
    )


def register(account, group, *targets):
    account.elbv2.register_targets(
        TargetGroupArn=group,
        Targets=[{"Id": target} if isinstance(target, str) else target for target in targets],
    )


def registered(account, group):
    health = account.elbv2.describe_target_health(TargetGroupArn=group)
    return [each["Target"]["Id"] for each in health["TargetHealthDescriptions"]]


def test_instance_groups_take_running_instances_of_their_vpc(account):
    group, good = account.group(), account.instance()
    for wrong in ("172.31.0.9", "web-1", "arn:aws:lambda:eu-central-1:123456789012:function:f"):
        with refused("ValidationError", f"Instance ID '{wrong}' is not valid"):
            register(account, group, good, wrong)
    with refused("InvalidTarget", "i-0123456789abcdef0"):
        register(account, group, good, "i-0123456789abcdef0")
    stopped, gone = account.instance(), account.instance()
    account.ec2.stop_instances(InstanceIds=[stopped])
    account.ec2.terminate_instances(InstanceIds=[gone])
    for dead in (stopped, gone):
        with refused("InvalidTarget", "not in a running state", dead):
            register(account, group, good, dead)
    far = account.group("far", VpcId=account.other_vpc())
    with refused("InvalidTarget", "VPC", good):
        register(account, far, good)
    with refused("ValidationError", "65535"):
        register(account, group, {"Id": good, "Port": 65536})
    assert registered(account, group) == []  # nothing of a refused call
    register(account, group, {"Id": good, "Port": 8080})
    assert registered(account, group) == [good]


def test_address_groups_take_private_addresses(account):
    group = account.group(TargetType="ip")
    for wrong in ("i-0123456789abcdef0", "300.1.1.1", "::1"):
        with refused("ValidationError", f"'{wrong}' is not a valid IPv4 address"):
            register(account, group, wrong)
    for public in ("8.8.8.8", "172.32.0.1"):
        with refused("ValidationError", public, "10.0.0.0/8"):
            register(account, group, {"Id": public, "AvailabilityZone": "all"})
    with refused("ValidationError", "Availability Zone"):
        register(account, group, "10.1.2.3")
    register(account, group, "172.31.0.9", {"Id": "10.1.2.3", "AvailabilityZone": "all"})
    assert registered(account, group) == ["172.31.0.9", "10.1.2.3"]


@pytest.fixture
def function(account, zipped):
    """A function's ARN and how to let load balancers invoke it."""
    iam, lambda_ = account.client("iam"), account.client("lambda")
    trust = {"Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}}]}
    role = iam.create_role(RoleName="role", AssumeRolePolicyDocument=json.dumps(trust))["Role"]
    arn = lambda_.create_function(
        FunctionName="hello",
        Runtime="python3.12",
        Role=role["Arn"],
        Handler="hello.handler",
        Code={"ZipFile": zipped},
    )["FunctionArn"]

    def permit(source):
        lambda_.add_permission(
            FunctionName="hello",
            StatementId="elb",
            Action="lambda:InvokeFunction",
            Principal="elasticloadbalancing.amazonaws.com",
            SourceArn=source,
        )

    return arn, permit


@pytest.fixture(scope="module")
def zipped():
    """The code of a function that does nothing."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("hello.py", "def handler(event, context):\n    return {}\n")
    return data.getvalue()


def test_function_groups_take_a_function_that_permits_it(account, function):
    arn, permit = function
    group = account.group("functions", TargetType="lambda", Protocol=None, Port=None, VpcId=None)
    with refused("ValidationError", "not valid"):
        register(account, group, "i-0123456789abcdef0")
    with refused("InvalidTarget", "nobody"):
        register(account, group, arn.replace("hello", "nobody"))
    with refused("AccessDenied", "does not have permission to invoke", arn, group):
        register(account, group, arn)
    permit(group + "0")
    with refused("AccessDenied"):
        register(account, group, arn)
    account.client("lambda").remove_permission(FunctionName="hello", StatementId="elb")
    permit(group)
    register(account, group, arn)
    assert registered(account, group) == [arn]
    assert account.listener(account.balancer(), group)
    with refused("InvalidConfigurationRequest", "lambda"):
        account.listener(account.balancer("net", Type="network"), group, Protocol="TCP")


def test_balancer_groups_take_an_application_load_balancer_with_such_a_port(account):
    web, network = account.balancer(), account.balancer("net", Type="network")
    group = account.group("webs", TargetType="alb", Protocol="TCP")
    with refused("InvalidTarget", "not an Application Load Balancer"):
        register(account, group, network)
    with refused("InvalidTarget", "no listener on the port 80"):
        register(account, group, web)
    account.listener(web)
    register(account, group, web)
    assert account.listener(network, group, Protocol="TCP")


def test_a_target_group_names_the_balancers_that_use_it_now(account):
    def users(group):
        described = account.elbv2.describe_target_groups(TargetGroupArns=[group])
        return described["TargetGroups"][0]["LoadBalancerArns"]

    balancer, first, second = account.balancer(), account.group("one"), account.group("two")
    listener = account.listener(balancer, first)
    action = {"Type": "forward", "TargetGroupArn": second}
    account.elbv2.modify_listener(ListenerArn=listener, DefaultActions=[action])
    assert (users(first), users(second)) == ([], [balancer])
    account.rule(listener, Actions=[action])
    assert users(second) == [balancer]


def test_a_target_group_in_use_is_kept(account):
    group = account.group()
    listener = account.listener(account.balancer(), group)
    with refused("ResourceInUse", group):
        account.elbv2.delete_target_group(TargetGroupArn=group)
    account.elbv2.delete_listener(ListenerArn=listener)
    account.elbv2.delete_target_group(TargetGroupArn=group)
