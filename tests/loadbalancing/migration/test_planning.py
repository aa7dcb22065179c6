"""What becomes of a Classic balancer, without any AWS: refusals, adjustments, the calls."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs.loadbalancing.migration import plan
from labs.loadbalancing.migration.classic import HealthCheck, Policy, Room, ScalingGroup
from labs.loadbalancing.migration.names import faults, free_name
from tests.loadbalancing.migration.plain import (
    CERTIFICATE,
    DEFAULT_TLS,
    HTTP,
    TCP,
    attributes,
    calls,
    classic,
    note,
    with_policy,
)

HTTPS = HTTP._replace(protocol="HTTPS", port=443, certificate=CERTIFICATE)
SSL = TCP._replace(protocol="SSL", port=7443, certificate=CERTIFICATE)
LB_COOKIE, APP_COOKIE = "LBCookieStickinessPolicyType", "AppCookieStickinessPolicyType"
SSL_POLICY = "SSLNegotiationPolicyType"
GROUP, BALANCER = "modify_target_group_attributes", "modify_load_balancer_attributes"
TCP_CHECK = HealthCheck("TCP:80", 30, 5, 10, 2)


def test_a_plain_balancer_has_no_problem_and_needs_only_the_instances():
    made = plan(classic(), register_targets=True)
    assert (made.kind, made.problems, made.adjustments) == ("application", (), ())
    assert [step.operation for step in made.steps] == [
        "create_target_group",
        GROUP,
        "create_load_balancer",
        BALANCER,
        "create_listener",
        "register_targets",
    ]
    assert calls(made, "register_targets")[0].parameters["Targets"] == [
        {"Id": "i-1", "Port": 80},
        {"Id": "i-2", "Port": 80},
    ]


REFUSED = {
    "no listener": ({"listeners": ()}, "no listener"),
    "mixed layers": ({"listeners": (HTTP, TCP)}, "TCP:7000"),
    "one subnet": ({"subnets": ("subnet-a",)}, "subnet-a"),
    "no VPC": ({"vpc_id": None}, "EC2-Classic"),
    "TCP check": ({"health_check": TCP_CHECK}, "TCP:80"),
    "SSL check": ({"health_check": TCP_CHECK._replace(target="SSL:80")}, "SSL:80"),
    "application cookie": (
        {"listeners": (with_policy(HTTP, APP_COOKIE, "plain", CookieName="SID"),)},
        "'SID'",
    ),
    "two cookies": (
        {"listeners": (with_policy(with_policy(HTTP, LB_COOKIE, "a"), LB_COOKIE, "b"),)},
        "a, b",
    ),
    "back-end authentication": (
        {"back_end": {80: (Policy("keys", "BackendServerAuthenticationPolicyType", {}),)}},
        "'keys'",
    ),
    "PROXY to an ALB": (
        {"back_end": {80: (Policy("p", "ProxyProtocolPolicyType", {"ProxyProtocol": "true"}),)}},
        "PROXY",
    ),
    "policy of a port": ({"back_end": {80: (Policy("odd", "NewType", {}),)}}, "NewType"),
    "policy of a listener": ({"listeners": (with_policy(HTTP, "NewType"),)}, "NewType"),
    "name is taken": ({"room": Room(balancers={"web": "network"})}, "network"),
    "illegal name": ({"name": "internal-web"}, "internal-"),
    "long name": ({"name": "x" * 33}, "33 characters"),
    "TCP to SSL": (
        {"listeners": (TCP._replace(instance_protocol="SSL"),), "health_check": TCP_CHECK},
        "TCP:7000 -> SSL:7000",
    ),
    "quota": ({"room": Room(limits={"target-groups-per-application-load-balancer": 0})}, "(target"),
}


@pytest.mark.parametrize(("changes", "says"), REFUSED.values(), ids=REFUSED)
def test_each_refusal_says_what_was_found_and_what_to_do(changes, says):
    made = plan(classic(**changes))
    (problem,) = made.problems
    assert says in problem.found
    assert problem.do.endswith(".")
    assert made.steps == ()
    assert len(made.table()) > 10, "the table is still shown"


def test_all_problems_are_told_at_once():
    found = classic(subnets=("subnet-a",), health_check=TCP_CHECK, listeners=(HTTP, TCP))
    assert len(plan(found).problems) == 3


@pytest.mark.parametrize(
    ("limit", "number"),
    [
        ("application-load-balancers", 1),
        ("listeners-per-application-load-balancer", 1),
        ("target-groups", 2),
        ("targets-per-application-load-balancer", 3),
        ("targets-per-target-group", 1),
    ],
)
def test_quotas_are_those_of_the_account(limit, number):
    listeners = (HTTP, HTTP._replace(port=81, instance_port=8080))
    room = Room({"a": "application", "b": "network"}, frozenset({"group"}))
    enough = classic(listeners=listeners, room=room._replace(limits={limit: 99}))
    scarce = classic(listeners=listeners, room=room._replace(limits={limit: number}))
    assert not plan(enough, register_targets=True).problems
    (problem,) = plan(scarce, register_targets=True).problems
    assert limit in problem.found


def test_a_health_check_path_that_names_tcp_is_http():
    check = HealthCheck("HTTP:80/TCPstatus", 6, 2, 2, 3)
    made = plan(classic(health_check=check))
    assert not made.problems
    parameters = calls(made, "create_target_group")[0].parameters
    assert {key: parameters[key] for key in parameters if "ealth" in key or key == "Matcher"} == {
        "HealthCheckProtocol": "HTTP",
        "HealthCheckPort": "80",
        "HealthCheckPath": "/TCPstatus",
        "HealthCheckIntervalSeconds": 6,
        "HealthCheckTimeoutSeconds": 2,
        "HealthyThresholdCount": 2,
        "UnhealthyThresholdCount": 3,
        "Matcher": {"HttpCode": "200"},
    }


def test_a_health_check_out_of_range_is_adjusted_and_told():
    made = plan(classic(health_check=HealthCheck("HTTP:80/", 4, 2, 2, 2)))
    assert calls(made, "create_target_group")[0].parameters["HealthCheckIntervalSeconds"] == 5
    assert note(made, "health check interval, s")


def test_one_group_for_each_instance_protocol_port_and_stickiness():
    listeners = (
        HTTP,
        HTTPS,
        HTTP._replace(port=81, instance_port=8080),
        HTTP._replace(port=82, instance_protocol="HTTPS", instance_port=8443),
        with_policy(HTTP._replace(port=83), LB_COOKIE, CookieExpirationPeriod="60"),
    )
    made = plan(classic(listeners=listeners), register_targets=True)
    names = [step.parameters["Name"] for step in calls(made, "create_target_group")]
    assert names == ["web-http-80", "web-http-8080", "web-https-8443", "web-http-80-2"]
    forwards = [
        (step.parameters["Port"], step.parameters["DefaultActions"][0]["TargetGroupArn"])
        for step in calls(made, "create_listener")
    ]
    assert forwards == [
        (80, "group web-http-80"),
        (443, "group web-http-80"),
        (81, "group web-http-8080"),
        (82, "group web-https-8443"),
        (83, "group web-http-80-2"),
    ]
    ports = [step.parameters["Targets"][0]["Port"] for step in calls(made, "register_targets")]
    assert ports == [80, 8080, 8443, 80]


@pytest.mark.parametrize(
    ("period", "seconds", "told"),
    [("60", "60", False), ("1000000", "604800", True), ("0", "86400", True), (None, "86400", True)],
)
def test_a_balancers_cookie_keeps_its_time_up_to_a_week(period, seconds, told):
    policy = {} if period is None else {"CookieExpirationPeriod": period}
    made = plan(classic(listeners=(with_policy(HTTP, LB_COOKIE, **policy),)))
    found = attributes(made, GROUP)
    assert found["stickiness.enabled"] == "true"
    assert found["stickiness.type"] == "lb_cookie"
    assert found["stickiness.lb_cookie.duration_seconds"] == seconds
    assert bool(note(made, "stickiness of HTTP:80")) == told


def test_an_applications_cookie_needs_a_time_that_only_a_person_knows():
    sticky = classic(listeners=(with_policy(HTTP, APP_COOKIE, CookieName="SID"),))
    made = plan(sticky, application_cookie_seconds=600)
    assert not made.problems
    found = attributes(made, GROUP)
    assert found["stickiness.type"] == "app_cookie"
    assert found["stickiness.app_cookie.cookie_name"] == "SID"
    assert found["stickiness.app_cookie.duration_seconds"] == "600"
    with pytest.raises(ValueError, match="604,800"):
        plan(sticky, application_cookie_seconds=604_801)
    reserved = classic(listeners=(with_policy(HTTP, APP_COOKIE, CookieName="awsalb-x"),))
    assert plan(reserved, application_cookie_seconds=600).problems


@pytest.mark.parametrize(
    ("policy", "name", "told"),
    [
        ({"Reference_Security_Policy": DEFAULT_TLS}, DEFAULT_TLS, False),
        (
            {"Reference_Security_Policy": "ELBSecurityPolicy-TLS-1-2-2017-01"},
            "ELBSecurityPolicy-TLS-1-2-2017-01",
            False,
        ),
        ({"Reference_Security_Policy": "ELBSecurityPolicy-2011-08"}, DEFAULT_TLS, True),
        ({"Protocol_TLSv1": "true"}, DEFAULT_TLS, True),
    ],
)
def test_a_tls_policy_that_elbv2_lacks_becomes_the_default(policy, name, told):
    made = plan(classic(listeners=(with_policy(HTTPS, SSL_POLICY, **policy),)))
    parameters = calls(made, "create_listener")[0].parameters
    assert parameters["SslPolicy"] == name
    assert parameters["Certificates"] == [{"CertificateArn": CERTIFICATE}]
    assert bool(note(made, "TLS policy of HTTPS:443")) == told


def test_attributes_of_an_application_load_balancer():
    found = {
        "CrossZoneLoadBalancing": {"Enabled": False},
        "AccessLog": {
            "Enabled": True,
            "S3BucketName": "logs",
            "S3BucketPrefix": "web",
            "EmitInterval": 60,
        },
        "ConnectionDraining": {"Enabled": True, "Timeout": 120},
        "ConnectionSettings": {"IdleTimeout": 90},
        "AdditionalAttributes": [
            {"Key": "elb.http.desyncmitigationmode", "Value": "strictest"},
            {"Key": "elb.odd", "Value": "1"},
        ],
    }
    made = plan(classic(attributes=found, tags={"team": "a", "aws:stack": "b"}))
    assert attributes(made, BALANCER) == {
        "access_logs.s3.enabled": "true",
        "access_logs.s3.bucket": "logs",
        "access_logs.s3.prefix": "web",
        "idle_timeout.timeout_seconds": "90",
        "routing.http.desync_mitigation_mode": "strictest",
    }
    assert attributes(made, GROUP) == {
        "deregistration_delay.timeout_seconds": "120",
        "load_balancing.cross_zone.enabled": "false",
    }
    for operation in ("create_target_group", "create_load_balancer"):
        assert calls(made, operation)[0].parameters["Tags"] == [{"Key": "team", "Value": "a"}]
    for what in ("tag aws:stack", "access log interval", "attribute elb.odd"):
        assert note(made, what)


def test_no_draining_is_no_delay_and_sticky_groups_stay_cross_zone():
    found = {
        "CrossZoneLoadBalancing": {"Enabled": False},
        "ConnectionDraining": {"Enabled": False, "Timeout": 300},
    }
    sticky = with_policy(HTTP, LB_COOKIE, CookieExpirationPeriod="60")
    made = plan(classic(attributes=found, listeners=(sticky,)))
    assert attributes(made, GROUP)["deregistration_delay.timeout_seconds"] == "0"
    assert "load_balancing.cross_zone.enabled" not in attributes(made, GROUP)
    assert note(made, "cross-zone")


def test_tcp_and_ssl_go_to_a_network_load_balancer():
    found = {
        "CrossZoneLoadBalancing": {"Enabled": True},
        "ConnectionSettings": {"IdleTimeout": 30},
    }
    proxy = Policy("p", "ProxyProtocolPolicyType", {"ProxyProtocol": "true"})
    secure = SSL._replace(instance_protocol="SSL", instance_port=7443)
    made = plan(
        classic(
            listeners=(TCP, SSL, secure._replace(port=7444)),
            health_check=TCP_CHECK._replace(target="SSL:7000"),
            attributes=found,
            subnets=("subnet-a",),
            back_end={7000: (proxy,)},
        )
    )
    assert (made.kind, made.problems) == ("network", ())
    groups = [
        (step.parameters["Protocol"], step.parameters["Port"])
        for step in calls(made, "create_target_group")
    ]
    assert groups == [("TCP", 7000), ("TLS", 7443)]
    assert calls(made, "create_target_group")[0].parameters["HealthCheckProtocol"] == "TCP"
    assert "Matcher" not in calls(made, "create_target_group")[0].parameters
    protocols = [step.parameters["Protocol"] for step in calls(made, "create_listener")]
    assert protocols == ["TCP", "TLS", "TLS"]
    assert attributes(made, BALANCER) == {"load_balancing.cross_zone.enabled": "true"}
    assert attributes(made, GROUP, 0)["proxy_protocol_v2.enabled"] == "true"
    assert "proxy_protocol_v2.enabled" not in attributes(made, GROUP, 1)
    idle = attributes(made, "modify_listener_attributes")
    assert idle == {"tcp.idle_timeout.seconds": "60"}
    for what in ("health check", "client's address", "PROXY protocol to port 7000"):
        assert note(made, what)


def test_instances_come_by_their_auto_scaling_group_or_by_themselves():
    listeners = tuple(HTTP._replace(port=80 + n, instance_port=80 + n) for n in range(11))
    made = plan(
        classic(
            instances=("i-1", "i-2", "i-3"),
            listeners=listeners,
            scaling_groups=(ScalingGroup("fleet", frozenset({"i-1"}), "ELB"),),
        ),
        register_targets=True,
    )
    for step in calls(made, "register_targets"):
        assert [target["Id"] for target in step.parameters["Targets"]] == ["i-2"]
    attached = calls(made, "attach_load_balancer_target_groups")
    assert [len(step.parameters["TargetGroupARNs"]) for step in attached] == [10, 1]
    assert note(made, "instance i-3"), "it does not run"
    assert note(made, "Auto Scaling group fleet"), "it will replace instances"


def test_without_register_targets_nothing_is_registered_and_that_is_told():
    made = plan(classic(scaling_groups=(ScalingGroup("fleet", frozenset({"i-1"})),)))
    assert not calls(made, "register_targets")
    assert not calls(made, "attach_load_balancer_target_groups")
    assert note(made, "instances")
    assert note(made, "Auto Scaling group fleet")


def test_a_network_load_balancer_leaves_old_instance_types_out():
    found = {"listeners": (TCP,), "running": {"i-1": "m3.large", "i-2": "m5.large"}}
    made = plan(classic(**found), register_targets=True)
    (step,) = calls(made, "register_targets")
    assert step.parameters["Targets"] == [{"Id": "i-2", "Port": 7000}]
    assert "m3.large" in note(made, "instance i-1")


LETTERS = st.text("abcXYZ019-", min_size=1, max_size=32)


@given(LETTERS, st.sampled_from(["http", "https", "tcp", "tls"]), st.integers(1, 65535), st.data())
def test_names_of_target_groups_are_legal_and_free(balancer, protocol, port, data):
    taken: list[str] = []
    for _ in range(data.draw(st.integers(1, 12))):
        name = free_name(balancer, f"{protocol}-{port}", taken)
        assert name not in taken
        assert not [fault for fault in faults(name) if "internal-" not in fault]
        taken.append(name)
