"""The pure checks of conditions, actions and transforms."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moto.elbv2.exceptions import ELBClientError

from labs.cloud.mock.balancing.refusals.actions import Group, Listener, check_actions
from labs.cloud.mock.balancing.refusals.conditions import check_conditions, check_transforms
from labs.loadbalancing.rules import compile_rules
from labs.loadbalancing.rules.conditions import compile_condition
from tests.loadbalancing.conditions import header, host, method, path, query, source


@pytest.mark.parametrize(
    "conditions",
    [
        [path("/img/*")],
        [{"Field": "path-pattern", "Values": ["/a"]}],
        [{"Field": "host-header", "Values": ["*.example.com"]}],
        [path("/a", "/b", "/c", "/d", "/e")],
        [path("/*?*?*")],
        [path("/a"), host("a.b"), method("GET"), source("10.0.0.0/8"), query({"Value": "x"})],
        [header("X-A", "1"), header("X-A", "2")],
        [query({"Key": "k", "Value": r"\*\*\*\*\*\*"})],
        [query({"Key": "k" * 128, "Value": "v" * 128})],
        [header("User-Agent", "*Mozilla/5.0 (X11; Linux)*")],
        [source("2001:db8::/32", "192.0.2.1/32")],
        [method("CUSTOM-METHOD", "A_B")],
        [{"Field": "host-header", "HostHeaderConfig": {"RegexValues": [r"^(.+)\.example\.com$"]}}],
        [{"Field": "path-pattern", "RegexValues": ["^/a*b*c*d*e*f*"]}],
    ],
)
def test_good_conditions_are_taken_and_can_be_compiled(conditions):
    check_conditions(conditions)
    for condition in conditions:
        compile_condition(condition)


@pytest.mark.parametrize(
    ("conditions", "words"),
    [
        ([{"Field": "cookie", "Values": ["a"]}], "must be one of"),
        ([path()], "must be specified"),
        ([{"Field": "path-pattern"}], "must be specified"),
        ([path("")], "cannot be empty"),
        ([path("/" + "a" * 128)], "too long"),
        ([path("/a b")], "not valid"),
        ([path("/{id}")], "not valid"),
        ([path("/\xe9")], "not valid"),
        ([host("a_b.c")], "not valid"),
        ([host("a" * 129)], "too long"),
        ([path("/a"), path("/b")], "only have one"),
        ([path("/1", "/2", "/3", "/4", "/5", "/6")], "'5' condition values"),
        ([path("/1", "/2", "/3"), header("a", "1", "2", "3")], "'5' condition values"),
        ([path("/******")], "wildcards"),
        ([path("/***"), host("*.*.*")], "wildcards"),
        ([{**path("/a"), "Values": ["/b"]}], "both"),
        ([{**header("a", "b"), "Values": ["c"]}], "not compatible"),
        ([{"Field": "source-ip", "RegexValues": ["a"]}], "not compatible"),
        ([header("", "a")], "not valid"),
        ([header("x y", "a")], "not valid"),
        ([header("x" * 41, "a")], "too long"),
        ([header("Host", "a")], "host-header"),
        ([{"Field": "http-header"}], "not valid"),
        ([method("get")], "not valid"),
        ([method("G" * 41)], "too long"),
        ([query({"Key": "a"})], "'Value' must be specified"),
        ([query({"Key": "k" * 129, "Value": "v"})], "too long"),
        ([source("10.0.0.0/33")], "CIDR"),
        ([source("10.0.0.1")], "CIDR"),
        ([source("*")], "CIDR"),
        ([{"Field": "source-ip", "SourceIpConfig": {"IpAddressType": "ipv4"}}], "Network"),
        ([{"Field": "path-pattern", "RegexValues": ["(a+)+"]}], "for ever"),
        ([{"Field": "path-pattern", "RegexValues": ["a" * 129]}], "too long"),
    ],
)
def test_bad_conditions_are_refused(conditions, words):
    with pytest.raises(ELBClientError, match=words) as refusal:
        check_conditions(conditions)
    assert refusal.value.code == "ValidationError"


@given(st.lists(st.text(max_size=20), max_size=3), st.sampled_from([path, host, method, source]))
def test_whatever_is_taken_can_be_compiled(values, kind):
    condition = kind(*values)
    try:
        check_conditions([condition])
    except ELBClientError:
        return
    compile_condition(condition)


@given(st.text(max_size=30))
def test_whatever_regular_expression_is_taken_can_be_compiled(regex):
    condition = {"Field": "path-pattern", "PathPatternConfig": {"RegexValues": [regex]}}
    try:
        check_conditions([condition])
    except ELBClientError:
        return
    compile_condition(condition)


# --- Actions ------------------------------------------------------------------------------------

WEB = Listener("balancer", "application", "vpc", "HTTP")
SECURE = Listener("balancer", "application", "vpc", "HTTPS")
GROUPS = {f"g{number}": Group(f"g{number}", "HTTP", "vpc", frozenset()) for number in range(7)}
FORWARD = {"Type": "forward", "TargetGroupArn": "g1"}
FIXED = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}
LOGIN = {"Type": "authenticate-cognito", "Order": 1}


def redirect(**config):
    return {"Type": "redirect", "RedirectConfig": {"StatusCode": "HTTP_301", **config}}


def forward(*groups, **config):
    groups = [group if isinstance(group, dict) else {"TargetGroupArn": group} for group in groups]
    return {"Type": "forward", "ForwardConfig": {"TargetGroups": groups, **config}}


def sticky(seconds):
    return {"TargetGroupStickinessConfig": {"Enabled": True, "DurationSeconds": seconds}}


@pytest.mark.parametrize(
    ("actions", "listener"),
    [
        ([FORWARD], WEB),
        ([FIXED], WEB),
        ([forward("g1", "g2", "g3", "g4", "g5")], WEB),
        ([{**forward("g1"), "TargetGroupArn": "g1"}], WEB),
        ([forward({"TargetGroupArn": "g1", "Weight": 999}, {"TargetGroupArn": "g2"})], WEB),
        ([forward("g1", "g2", **sticky(604_800))], WEB),
        ([redirect(Protocol="HTTPS", Port="443")], WEB),
        ([redirect(Path="/new/#{path}", Query="")], SECURE),
        ([{**FORWARD, "Order": 2}, LOGIN], SECURE),
        ([{**FIXED, "Order": 2}, {"Type": "jwt-validation", "Order": 1}], SECURE),
    ],
)
def test_good_actions_are_taken(actions, listener):
    check_actions(actions, listener, GROUPS)
    rule = {"RuleArn": "a", "Priority": "default", "Conditions": [], "Actions": actions}
    assert compile_rules([rule])


@pytest.mark.parametrize(
    ("actions", "listener", "code", "words"),
    [
        ([], WEB, "ValidationError", "at least one"),
        ([{"Type": "drop"}], WEB, "ValidationError", "'drop'"),
        ([FORWARD, FIXED], WEB, "InvalidLoadBalancerAction", "exactly one"),
        ([{**FORWARD, "Order": 1}, {**LOGIN, "Order": 2}], SECURE, "InvalidLoadBalancerAction", ""),
        ([LOGIN], SECURE, "InvalidLoadBalancerAction", "exactly one"),
        ([LOGIN, {**FORWARD, "Order": 2}], WEB, "InvalidLoadBalancerAction", "HTTPS listeners"),
        ([LOGIN, LOGIN, {**FORWARD, "Order": 2}], SECURE, "TooManyActions", ""),
        ([{"Type": "forward"}], WEB, "ValidationError", "target group"),
        ([forward(*GROUPS)], WEB, "ValidationError", "at most '5' target groups"),
        ([forward("g1", "g1")], WEB, "ValidationError", "once"),
        ([{**forward("g1", "g2"), "TargetGroupArn": "g1"}], WEB, "ValidationError", "same"),
        ([forward({"TargetGroupArn": "g1", "Weight": 1000})], WEB, "ValidationError", "'999'"),
        ([forward({"TargetGroupArn": "g1", "Weight": -1})], WEB, "ValidationError", "'-1'"),
        ([forward("g1", "g2", **sticky(604_801))], WEB, "ValidationError", "604800"),
        ([forward("g1", "g2", **sticky(None))], WEB, "ValidationError", "duration"),
        ([forward("nobody")], WEB, "TargetGroupNotFound", "nobody"),
        ([redirect()], WEB, "InvalidLoadBalancerAction", "loop"),
        ([redirect(Query="a=b")], WEB, "InvalidLoadBalancerAction", "loop"),
        ([redirect(Protocol="HTTP", Path="/a")], SECURE, "InvalidLoadBalancerAction", "HTTPS"),
        ([redirect(Protocol="FTP")], WEB, "ValidationError", "'FTP'"),
        ([redirect(Path="a")], WEB, "ValidationError", "begin with '/'"),
        ([redirect(Port="0")], WEB, "ValidationError", "65535"),
        ([redirect(Port="http")], WEB, "ValidationError", "65535"),
        ([redirect(Path="/" + "a" * 128)], WEB, "ValidationError", "128"),
        ([redirect(StatusCode="HTTP_307", Path="/a")], WEB, "ValidationError", "HTTP_302"),
        (
            [{"Type": "fixed-response", "FixedResponseConfig": {"MessageBody": "a" * 1025}}],
            WEB,
            "ValidationError",
            "1024",
        ),
    ],
)
def test_bad_actions_are_refused(actions, listener, code, words):
    with pytest.raises(ELBClientError, match=f"(?i){words}") as refusal:
        check_actions(actions, listener, GROUPS)
    assert refusal.value.code == code


# --- Transforms ---------------------------------------------------------------------------------


def url_rewrite(*rewrites):
    rewrites = [{"Regex": regex, "Replace": replace} for regex, replace in rewrites]
    return {"Type": "url-rewrite", "UrlRewriteConfig": {"Rewrites": rewrites}}


def test_good_transforms_are_taken():
    rewrites = [{"Regex": "^a", "Replace": "b"}]
    to_host = {"Type": "host-header-rewrite", "HostHeaderRewriteConfig": {"Rewrites": rewrites}}
    check_transforms([url_rewrite(("^/a", "")), to_host])
    check_transforms([])


@pytest.mark.parametrize(
    "transforms",
    [
        [{"Type": "path-rewrite"}],
        [url_rewrite(("a", "b")), url_rewrite(("c", "d"))],
        [url_rewrite()],
        [url_rewrite(("a", "b"), ("c", "d"))],
        [url_rewrite(("", "b"))],
        [url_rewrite(("(a+)+", "b"))],
        [url_rewrite(("a" * 1025, "b"))],
        [url_rewrite(("a", "b" * 1025))],
        [{"Type": "url-rewrite", "HostHeaderRewriteConfig": {"Rewrites": []}}],
    ],
)
def test_bad_transforms_are_refused(transforms):
    with pytest.raises(ELBClientError) as refusal:
        check_transforms(transforms)
    assert refusal.value.code == "ValidationError"
