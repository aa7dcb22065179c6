"""Rules: put in their place, taken away, told in words; and the two that lesson 14 has mended."""

import pytest
from moto import mock_aws

from labs.loadbalancing import rulebook
from labs.loadbalancing.staging import help_desk


@pytest.fixture
def elbv2(session):
    with mock_aws():
        yield session.client("elbv2")


@pytest.fixture
def groups(elbv2, session):
    """ARNs by name."""
    vpc = session.client("ec2").describe_vpcs()["Vpcs"][0]["VpcId"]
    made = {
        name: elbv2.create_target_group(Name=name, Protocol="HTTP", Port=80, VpcId=vpc)
        for name in ("shop", "stock")
    }
    return {name: each["TargetGroups"][0]["TargetGroupArn"] for name, each in made.items()}


@pytest.fixture
def listener(elbv2, groups, session):
    found = session.client("ec2").describe_subnets()["Subnets"]
    subnets = [each["SubnetId"] for each in found[:2]]
    balancer = elbv2.create_load_balancer(Name="tea", Subnets=subnets)["LoadBalancers"][0]
    made = elbv2.create_listener(
        LoadBalancerArn=balancer["LoadBalancerArn"],
        Protocol="HTTP",
        Port=80,
        DefaultActions=[to(groups["shop"])],
    )
    return made["Listeners"][0]["ListenerArn"]


def to(arn):
    return {"Type": "forward", "TargetGroupArn": arn}


def path(pattern):
    return {"Field": "path-pattern", "Values": [pattern]}


def priorities(elbv2, listener):
    """Of the rules, in the order of the table."""
    return list(rulebook.table(elbv2, listener).frame.priority)


def test_a_rule_put_twice_is_one_rule_changed(elbv2, listener, groups):
    rulebook.put(elbv2, listener, 10, [path("/a")], [to(groups["shop"])])
    rulebook.put(elbv2, listener, 10, [path("/b")], [to(groups["stock"])])
    table = rulebook.table(elbv2, listener)
    assert list(table.frame.priority) == ["10", "default"]
    assert tuple(table.frame.loc[0]) == ("10", "path /b", "to stock")


def test_rules_stand_in_the_order_in_which_they_are_tried(elbv2, listener, groups):
    for priority in (9, 100, 20):
        rulebook.put(elbv2, listener, priority, [path(f"/{priority}")], [to(groups["shop"])])
    assert priorities(elbv2, listener) == ["9", "20", "100", "default"]


def test_clearing_takes_the_rules_of_these_priorities_alone(elbv2, listener, groups):
    for priority in (9, 100, 20):
        rulebook.put(elbv2, listener, priority, [path(f"/{priority}")], [to(groups["shop"])])
    rulebook.clear(elbv2, listener, range(1, 100))
    rulebook.clear(elbv2, listener, range(1, 100))
    assert priorities(elbv2, listener) == ["100", "default"]


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ({"Field": "path-pattern", "Values": ["/a", "/b"]}, "path /a or /b"),
        (
            {"Field": "path-pattern", "PathPatternConfig": {"RegexValues": ["^/a"]}},
            "path regex ^/a",
        ),
        ({"Field": "path-pattern", "RegexValues": ["^/a"]}, "path regex ^/a"),
        ({"Field": "host-header", "HostHeaderConfig": {"Values": ["*.a"]}}, "host *.a"),
        (
            {
                "Field": "http-header",
                "HttpHeaderConfig": {"HttpHeaderName": "X-A", "Values": ["b"]},
            },
            "header X-A: b",
        ),
        (
            {"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": ["PUT"]}},
            "method PUT",
        ),
        ({"Field": "source-ip", "SourceIpConfig": {"Values": ["10.0.0.0/8"]}}, "from 10.0.0.0/8"),
        (
            {
                "Field": "query-string",
                "QueryStringConfig": {"Values": [{"Key": "a", "Value": "1"}, {"Value": "b"}]},
            },
            "query a=1 or b",
        ),
        ({"Field": "something-new"}, "something-new"),
    ],
)
def test_conditions_in_words(condition, words):
    assert rulebook.when({"Conditions": [condition]}) == words


SOME, OTHER = "arn:targetgroup/some/1", "arn:targetgroup/other/2"


@pytest.mark.parametrize(
    ("action", "words"),
    [
        (to(SOME), "to some"),
        (
            {
                "Type": "forward",
                "ForwardConfig": {
                    "TargetGroups": [
                        {"TargetGroupArn": SOME, "Weight": 9},
                        {"TargetGroupArn": OTHER, "Weight": 0},
                    ]
                },
            },
            "to some (9) or other (0)",
        ),
        (
            {
                "Type": "redirect",
                "RedirectConfig": {
                    "Protocol": "HTTPS",
                    "Port": "443",
                    "Host": "#{host}",
                    "Path": "/#{path}",
                    "Query": "#{query}",
                    "StatusCode": "HTTP_301",
                },
            },
            "redirect 301: protocol HTTPS, port 443",
        ),
        (
            {
                "Type": "fixed-response",
                "FixedResponseConfig": {"StatusCode": "200", "MessageBody": "closed\n"},
            },
            "answer 200: closed",
        ),
        ({"Type": "authenticate-oidc"}, "authenticate-oidc"),
    ],
)
def test_actions_in_words(action, words):
    assert rulebook.then(action) == words


# What a colleague has left


def test_the_wide_rule_is_tried_before_the_narrow_one(elbv2, listener, groups):
    help_desk.help_rules(elbv2, listener, groups["stock"])
    assert list(rulebook.table(elbv2, listener).frame.when)[:2] == [
        "path /help/*",
        "path /help/stock/*",
    ]
    assert help_desk.are_untouched(elbv2, listener)


def test_the_rules_come_back_as_they_were(elbv2, listener, groups):
    help_desk.help_rules(elbv2, listener, groups["stock"])
    rulebook.put(elbv2, listener, 5, [path("/help/stock/*")], [to(groups["stock"])])
    rulebook.put(elbv2, listener, 6, [path("/other")], [to(groups["stock"])])
    assert not help_desk.are_untouched(elbv2, listener)
    help_desk.help_rules(elbv2, listener, groups["stock"])
    assert help_desk.are_untouched(elbv2, listener)
    assert priorities(elbv2, listener) == ["6", "400", "410", "default"]
