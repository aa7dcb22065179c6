"""Policies of Classic balancers: described as AWS describes them, and what they do to traffic."""

import json
import socket

import pytest

from tests.cloud.mock.balancing.network import get
from tests.cloud.mock.balancing.plane_world import until
from tests.cloud.mock.balancing.refusals.account import refused

DEFAULT = "ELBSecurityPolicy-2016-08"

#: A server that answers with the first line that it gets, whoever sends it.
FIRST_LINE = """#!/usr/bin/env python3
import socketserver

class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        self.wfile.write(self.rfile.readline())

class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True

Server(("", 80), Handler).serve_forever()
"""


def listener(protocol="HTTP", number=80, instance_port=80, **settings):
    return {
        "Protocol": protocol,
        "LoadBalancerPort": number,
        "InstancePort": instance_port,
        **settings,
    }


@pytest.fixture
def certificate(network):
    return network.acm.request_certificate(DomainName="www.example.com")["CertificateArn"]


def create(network, *listeners, name="old"):
    network.classic(name, Listeners=list(listeners), Subnets=network.subnets[:2])


def add_policy(network, name, kind, **attributes):
    network.elb.create_load_balancer_policy(
        LoadBalancerName="old",
        PolicyName=name,
        PolicyTypeName=kind,
        PolicyAttributes=[
            {"AttributeName": key.replace("_", "-"), "AttributeValue": value}
            for key, value in attributes.items()
        ],
    )


def set_policies(network, number, *names):
    network.elb.set_load_balancer_policies_of_listener(
        LoadBalancerName="old", LoadBalancerPort=number, PolicyNames=list(names)
    )


def set_back_end(network, number, *names):
    network.elb.set_load_balancer_policies_for_backend_server(
        LoadBalancerName="old", InstancePort=number, PolicyNames=list(names)
    )


def described(network, *names):
    """name -> (type, attributes)."""
    found = network.elb.describe_load_balancer_policies(
        LoadBalancerName="old", PolicyNames=list(names)
    )["PolicyDescriptions"]
    return {
        one["PolicyName"]: (
            one["PolicyTypeName"],
            {
                pair["AttributeName"]: pair["AttributeValue"]
                for pair in one["PolicyAttributeDescriptions"]
            },
        )
        for one in found
    }


def balancer(network):
    return network.elb.describe_load_balancers(LoadBalancerNames=["old"])[
        "LoadBalancerDescriptions"
    ][0]


def policy_names(network):
    """Of each listener, by its port."""
    return {
        one["Listener"]["LoadBalancerPort"]: one["PolicyNames"]
        for one in balancer(network)["ListenerDescriptions"]
    }


# --- Types --------------------------------------------------------------------------------------


def test_policy_types_are_those_of_the_clis_example(network):
    found = network.elb.describe_load_balancer_policy_types()["PolicyTypeDescriptions"]
    attributes = {
        one["PolicyTypeName"]: [
            (each["AttributeName"], each["AttributeType"], each["Cardinality"])
            for each in one["PolicyAttributeTypeDescriptions"]
        ]
        for one in found
    }
    negotiation = attributes.pop("SSLNegotiationPolicyType")
    assert attributes == {
        "ProxyProtocolPolicyType": [("ProxyProtocol", "Boolean", "ONE")],
        "PublicKeyPolicyType": [("PublicKey", "String", "ONE")],
        "AppCookieStickinessPolicyType": [("CookieName", "String", "ONE")],
        "LBCookieStickinessPolicyType": [("CookieExpirationPeriod", "Long", "ZERO_OR_ONE")],
        "BackendServerAuthenticationPolicyType": [
            ("PublicKeyPolicyName", "PolicyName", "ONE_OR_MORE")
        ],
    }
    names = [name for name, _, _ in negotiation]
    assert {"Reference-Security-Policy", "Protocol-TLSv1.2", "AES128-SHA"} < set(names)
    assert len(names) == len(set(names))


def test_one_policy_type_is_described_and_another_is_not_found(network):
    elb = network.elb
    [one] = elb.describe_load_balancer_policy_types(PolicyTypeNames=["PublicKeyPolicyType"])[
        "PolicyTypeDescriptions"
    ]
    assert one["PolicyTypeName"] == "PublicKeyPolicyType"
    with refused("PolicyTypeNotFound", "Magic"):
        elb.describe_load_balancer_policy_types(PolicyTypeNames=["Magic"])


# --- Describing ---------------------------------------------------------------------------------


def test_cookie_policies_have_awss_types_and_attributes(network):
    create(network, listener())
    elb = network.elb
    elb.create_lb_cookie_stickiness_policy(
        LoadBalancerName="old", PolicyName="minute", CookieExpirationPeriod=60
    )
    elb.create_lb_cookie_stickiness_policy(LoadBalancerName="old", PolicyName="session")
    elb.create_app_cookie_stickiness_policy(
        LoadBalancerName="old", PolicyName="app", CookieName="JSESSIONID"
    )
    assert described(network) == {
        "minute": ("LBCookieStickinessPolicyType", {"CookieExpirationPeriod": "60"}),
        "session": ("LBCookieStickinessPolicyType", {"CookieExpirationPeriod": "0"}),
        "app": ("AppCookieStickinessPolicyType", {"CookieName": "JSESSIONID"}),
    }
    assert balancer(network)["Policies"] == {
        "LBCookieStickinessPolicies": [
            {"PolicyName": "minute", "CookieExpirationPeriod": 60},
            {"PolicyName": "session"},
        ],
        "AppCookieStickinessPolicies": [{"PolicyName": "app", "CookieName": "JSESSIONID"}],
        "OtherPolicies": [],
    }


def test_cookie_policies_made_by_type_are_cookie_policies(network):
    create(network, listener())
    add_policy(network, "a", "AppCookieStickinessPolicyType", CookieName="sid")
    add_policy(network, "b", "LBCookieStickinessPolicyType", CookieExpirationPeriod="90")
    add_policy(network, "c", "LBCookieStickinessPolicyType")
    assert balancer(network)["Policies"] == {
        "AppCookieStickinessPolicies": [{"PolicyName": "a", "CookieName": "sid"}],
        "LBCookieStickinessPolicies": [
            {"PolicyName": "b", "CookieExpirationPeriod": 90},
            {"PolicyName": "c"},
        ],
        "OtherPolicies": [],
    }
    assert described(network, "c") == {
        "c": ("LBCookieStickinessPolicyType", {"CookieExpirationPeriod": "0"})
    }


def test_a_reference_is_described_with_what_it_means(network, certificate):
    create(network, listener("HTTPS", 443, SSLCertificateId=certificate))
    reference = "ELBSecurityPolicy-TLS-1-2-2017-01"
    add_policy(network, "strict", "SSLNegotiationPolicyType", Reference_Security_Policy=reference)
    kind, attributes = described(network, "strict")["strict"]
    assert kind == "SSLNegotiationPolicyType"
    assert attributes["Reference-Security-Policy"] == reference
    assert attributes["Protocol-TLSv1.2"] == "true"
    assert "Protocol-TLSv1" not in attributes
    assert "ECDHE-RSA-AES128-SHA" not in attributes


def test_without_a_balancer_awss_own_policies_are_described(network):
    elb = network.elb
    found = {
        one["PolicyName"]: one
        for one in elb.describe_load_balancer_policies()["PolicyDescriptions"]
    }
    assert DEFAULT in found
    assert "ELBSecurityPolicy-TLS-1-1-2017-01" in found
    assert {one["PolicyTypeName"] for one in found.values()} == {"SSLNegotiationPolicyType"}
    one = elb.describe_load_balancer_policies(PolicyNames=[DEFAULT])["PolicyDescriptions"]
    assert one == [found[DEFAULT]]
    with refused("PolicyNotFound", "mine"):
        elb.describe_load_balancer_policies(PolicyNames=["mine"])


# --- Refusals -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "attributes", "code"),
    [
        ("ProxyProtocolPolicyType", {}, "InvalidConfigurationRequest"),
        ("ProxyProtocolPolicyType", {"ProxyProtocol": "yes"}, "InvalidConfigurationRequest"),
        ("ProxyProtocolPolicyType", {"Nonsense": "true"}, "InvalidConfigurationRequest"),
        ("AppCookieStickinessPolicyType", {}, "InvalidConfigurationRequest"),
        (
            "LBCookieStickinessPolicyType",
            {"CookieExpirationPeriod": "-1"},
            "InvalidConfigurationRequest",
        ),
        (
            "BackendServerAuthenticationPolicyType",
            {"PublicKeyPolicyName": "none"},
            "PolicyNotFound",
        ),
        (
            "SSLNegotiationPolicyType",
            {"Reference_Security_Policy": "mine"},
            "PolicyNotFound",
        ),
        (
            "SSLNegotiationPolicyType",
            {"Protocol_TLSv1.2": "true"},
            "InvalidConfigurationRequest",
        ),
    ],
)
def test_policies_that_say_nothing_sensible_are_refused(network, kind, attributes, code):
    create(network, listener())
    with refused(code):
        add_policy(network, "p", kind, **attributes)
    assert described(network) == {}


def test_a_custom_policy_cannot_have_a_name_of_awss(network):
    create(network, listener())
    enabled = {"Protocol_TLSv1.2": "true", "AES128_SHA256": "true"}
    with refused("InvalidConfigurationRequest", "reserved"):
        add_policy(network, "ELBSecurityPolicy-mine", "SSLNegotiationPolicyType", **enabled)
    add_policy(network, "mine", "SSLNegotiationPolicyType", **enabled)


def test_policies_are_set_only_where_they_fit(network, certificate):
    secure = {"SSLCertificateId": certificate, "InstanceProtocol": "HTTPS"}
    create(network, listener(), listener("HTTPS", 443, 443, **secure), listener("TCP", 25, 25))
    add_policy(network, "proxy", "ProxyProtocolPolicyType", ProxyProtocol="true")
    add_policy(network, "key", "PublicKeyPolicyType", PublicKey="MIIB")
    add_policy(network, "trust", "BackendServerAuthenticationPolicyType", PublicKeyPolicyName="key")
    add_policy(network, "tls", "SSLNegotiationPolicyType", Reference_Security_Policy=DEFAULT)
    for number, name in ((80, "tls"), (25, "proxy"), (443, "trust"), (443, "key")):
        with refused("InvalidConfigurationRequest", name if name == "tls" else "type"):
            set_policies(network, number, name)
    for number, name in ((80, "trust"), (443, "key"), (443, "tls"), (8080, "proxy")):
        with refused("InvalidConfigurationRequest"):
            set_back_end(network, number, name)
    set_back_end(network, 443, "trust")
    set_back_end(network, 25, "proxy")
    assert balancer(network)["BackendServerDescriptions"] == [
        {"InstancePort": 443, "PolicyNames": ["trust"]},
        {"InstancePort": 25, "PolicyNames": ["proxy"]},
    ]
    with refused("InvalidConfigurationRequest", "part of"):
        network.elb.delete_load_balancer_policy(LoadBalancerName="old", PolicyName="key")
    set_back_end(network, 443)
    set_back_end(network, 25)
    assert balancer(network)["BackendServerDescriptions"] == []


def test_instance_ports_of_later_listeners_take_policies_too(network):
    create(network, listener())
    network.elb.create_load_balancer_listeners(
        LoadBalancerName="old", Listeners=[listener("TCP", 25, 2525)]
    )
    add_policy(network, "proxy", "ProxyProtocolPolicyType", ProxyProtocol="true")
    set_back_end(network, 2525, "proxy")
    assert balancer(network)["BackendServerDescriptions"] == [
        {"InstancePort": 2525, "PolicyNames": ["proxy"]}
    ]


# --- The default security policy ----------------------------------------------------------------


def test_secure_listeners_have_the_default_security_policy(network, certificate):
    secure = {"SSLCertificateId": certificate}
    create(network, listener(), listener("HTTPS", 443, InstanceProtocol="HTTP", **secure))
    network.elb.create_load_balancer_listeners(
        LoadBalancerName="old", Listeners=[listener("SSL", 465, 25, **secure)]
    )
    assert policy_names(network) == {80: [], 443: [DEFAULT], 465: [DEFAULT]}
    assert balancer(network)["Policies"]["OtherPolicies"] == [DEFAULT]


def test_a_security_policy_takes_the_defaults_place_and_a_cookie_does_not(network, certificate):
    secure = {"SSLCertificateId": certificate}
    create(network, listener("HTTPS", 443, InstanceProtocol="HTTP", **secure))
    add_policy(network, "tls", "SSLNegotiationPolicyType", Reference_Security_Policy=DEFAULT)
    add_policy(network, "cookie", "LBCookieStickinessPolicyType")
    set_policies(network, 443, "cookie")
    assert policy_names(network) == {443: ["cookie", DEFAULT]}
    set_policies(network, 443, "tls", "cookie")
    assert policy_names(network) == {443: ["tls", "cookie"]}


# --- What they do -------------------------------------------------------------------------------


def cookie_of(answer, name="AWSELB"):
    return answer.cookies.get(name)


@pytest.fixture
def two_servers(network):
    """A Classic balancer's DNS name; two instances are in service."""
    found = network.instances(2)
    dns_name = network.classic("old", *found)
    until(lambda: len(network.in_service("old")) == 2, 20)
    return dns_name


def me(answer):
    return json.loads(answer.body)["me"]


def test_a_duration_cookie_made_by_type_binds_a_client(network, two_servers):
    assert len({me(get(two_servers)) for _ in range(8)}) == 2
    add_policy(network, "b", "LBCookieStickinessPolicyType", CookieExpirationPeriod="90")
    set_policies(network, 80, "b")
    first = get(two_servers)
    value = cookie_of(first)
    assert "Expires=" in first.headers["Set-Cookie"]
    again = {me(get(two_servers, Cookie=f"AWSELB={value}")) for _ in range(8)}
    assert again == {me(first)}


def test_an_application_cookie_made_by_type_follows_the_application(network, two_servers):
    """The servers set no cookie of that name, so no AWSELB comes."""
    add_policy(network, "a", "AppCookieStickinessPolicyType", CookieName="sid")
    set_policies(network, 80, "a")
    answers = [get(two_servers, Cookie="sid=1") for _ in range(8)]
    assert [cookie_of(answer) for answer in answers] == [None] * 8
    assert len({me(answer) for answer in answers}) == 2


def test_the_proxy_policy_tells_the_client_in_a_line(network):
    found = network.instances(1, FIRST_LINE)
    dns_name = network.classic("old", *found, protocol="TCP")
    network.elb.configure_health_check(
        LoadBalancerName="old",
        HealthCheck={
            "Target": "TCP:80",
            "Interval": 5,
            "Timeout": 2,
            "UnhealthyThreshold": 2,
            "HealthyThreshold": 2,
        },
    )
    until(lambda: network.in_service("old") == found, 20)

    def first_line():
        with socket.create_connection((dns_name, 80), timeout=10) as connection:
            connection.sendall(b"hello\r\n")
            return connection.makefile("rb").readline()

    assert first_line() == b"hello\r\n"
    add_policy(network, "proxy", "ProxyProtocolPolicyType", ProxyProtocol="true")
    set_back_end(network, 80, "proxy")
    words = until(lambda: (line := first_line()) != b"hello\r\n" and line.split(), 10)
    assert words[:2] == [b"PROXY", b"TCP4"]
    assert words[5] == b"80"
    set_back_end(network, 80)
    until(lambda: first_line() == b"hello\r\n", 10)
