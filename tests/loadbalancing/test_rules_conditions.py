"""Which requests meet which conditions, and that no pattern or request is slow to compare."""

import itertools
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs.loadbalancing.layer7.contract import Request
from labs.loadbalancing.rules import UnsupportedPattern, compile_rules
from labs.loadbalancing.rules.conditions import compile_condition
from labs.loadbalancing.rules.patterns import glob, query_glob, regex
from tests.loadbalancing.conditions import header, host, method, path, query, source

pytestmark = pytest.mark.filterwarnings("ignore:Possible (nested set|set)")


def request(url="/", method="GET", client="203.0.113.5", **headers):
    lines = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Request(method, url, lines, (client, 40000))


def rule(priority, *conditions, group=None):
    """As describe_rules gives it."""
    return {
        "RuleArn": f"arn:rule/{priority}",
        "Priority": str(priority),
        "Conditions": list(conditions),
        "Actions": [{"Type": "forward", "TargetGroupArn": group or f"group-{priority}"}],
        "IsDefault": priority == "default",
    }


YES_AND_NO = [
    # the path, without the query; case matters; the query does not count
    (path("/img/*"), request("/img/cat.png?size=9"), request("/IMG/cat.png")),
    (path("/img/?.png"), request("/img/a.png"), request("/img/ab.png")),
    (path("/a", "/b"), request("/b"), request("/a/b")),
    (path("/*"), request("/"), request("*", method="OPTIONS")),
    (path("/[a-z]"), request("/[a-z]"), request("/b")),
    (path("/a.b"), request("/a.b"), request("/axb")),
    ({"Field": "path-pattern", "Values": ["/old"]}, request("/old"), request("/old/")),
    # the host, without a port; case does not matter
    (host("*.example.com"), request(Host="Test.Example.COM:8080"), request(Host="example.com")),
    ({"Field": "host-header", "Values": ["a.b"]}, request(host="A.B"), request(host="a.b.c")),
    # a header by name; each of its lines is compared on its own
    (header("User-Agent", "*Chrome*"), request(user_agent="x chrome/9"), request(x="Chrome")),
    (
        header("X-A", "one"),
        Request("GET", "/", (("x-a", "two"), ("X-a", "ONE")), ("::1", 1)),
        Request("GET", "/", (("x-a", "two, one"),), ("::1", 1)),
    ),
    (header("x-a", "*"), request(X_A=""), request(X_B="")),
    # the method, letter by letter
    (method("GET", "HEAD"), request(method="HEAD"), request(method="head")),
    # the query: a key with a value, or a value under any key
    (
        query({"Key": "version", "Value": "v1"}),
        request("/?a=b&VERSION=V1"),
        request("/?v1=version"),
    ),
    (query({"Value": "example"}), request("/?any=Example"), request("/?example=any")),
    (query({"Key": "a*", "Value": "?"}), request("/?abc=1"), request("/?abc=12")),
    (query({"Value": r"what\?"}), request("/?q=what?"), request("/?q=what!")),
    (query({"Value": r"5\*"}), request("/?q=5*"), request("/?q=555")),
    (query({"Value": "[1]"}), request("/?q=[1]"), request("/?q=1")),
    (query({"Value": "a"}), request("/?b=c&d=a"), request("/a")),
    (query({"Value": "*"}), request("/?a"), request("/?")),
    # who connected, whatever X-Forwarded-For says
    (source("192.0.2.0/24"), request(client="192.0.2.255"), request(client="192.0.3.0")),
    (source("203.0.113.5/32"), request(), request(client="9.9.9.9", X_Forwarded_For="203.0.113.5")),
    (source("2001:db8::/32"), request(client="2001:db8::1"), request(client="2001:db9::1")),
    (source("0.0.0.0/0"), request(), request(client="::1")),
    # regular expressions
    (
        {"Field": "path-pattern", "PathPatternConfig": {"RegexValues": [r"^/v\d+/"]}},
        request("/v12/x"),
        request("/vx/"),
    ),
    (
        {"Field": "host-header", "HostHeaderConfig": {"RegexValues": ["^(a|b)[.]org$"]}},
        request(host="B.ORG"),
        request(host="c.org"),
    ),
    (
        {
            "Field": "http-header",
            "RegexValues": ["bot"],
            "HttpHeaderConfig": {"HttpHeaderName": "A"},
        },
        request(a="Bots"),
        request(a="bat"),
    ),
]


@pytest.mark.parametrize(("condition", "yes", "no"), YES_AND_NO)
def test_a_condition_holds_for_one_request_and_not_for_the_other(condition, yes, no):
    holds = compile_condition(condition)
    assert holds(yes)
    assert not holds(no)


def test_rules_are_tried_by_number_and_the_default_last():
    described = [
        rule("default"),
        rule(10, path("/a*")),
        rule(9, path("/ab*")),
        rule(100, path("/*")),
    ]
    for order in itertools.permutations(described):
        rules = compile_rules(order)
        found = [rules.match(request(url)).priority for url in ("/abc", "/ac", "/b", "*")]
        assert found == ["9", "10", "100", "default"]


def test_all_conditions_of_a_rule_must_hold():
    rules = compile_rules([rule(1, path("/a"), method("GET")), rule("default")])
    assert rules.match(request("/a")).arn == "arn:rule/1"
    assert rules.match(request("/a", method="PUT")).arn == "arn:rule/default"
    assert rules.match(request("/b")).action["TargetGroupArn"] == "group-default"


def test_the_action_that_routes_is_the_one_of_the_highest_order():
    described = rule("default")
    described["Actions"] = [
        {"Type": "forward", "TargetGroupArn": "g", "Order": 10},
        {"Type": "authenticate-oidc", "Order": 9},
    ]
    found = compile_rules([described]).match(request())
    assert [action["Type"] for action in found.actions] == ["authenticate-oidc", "forward"]
    assert found.action["TargetGroupArn"] == "g"


def test_an_unknown_field_is_named():
    with pytest.raises(ValueError, match=r"'cookie'.*path-pattern"):
        compile_condition({"Field": "cookie", "Values": ["x"]})


def globbed(pattern, text):
    """Whether a glob matches, by its definition: a table over both texts."""
    matched = [True] + [False] * len(text)
    for character in pattern:
        if character == "*":
            matched = list(itertools.accumulate(matched, lambda before, here: before or here))
        else:
            fits = [character in ("?", letter) for letter in text]
            matched = [False] + [a and b for a, b in zip(matched, fits, strict=False)]
    return matched[-1]


PATTERNS = st.text(alphabet="ab*?[]!-\\.^$(+", max_size=12)
TEXTS = st.text(alphabet="ab[]!-\\.^$(+\n\xe9", max_size=12)


@given(PATTERNS, TEXTS)
def test_globs_match_as_defined(pattern, text):
    assert bool(glob(pattern, ignore_case=False)(text)) == globbed(pattern, text)
    assert bool(glob(pattern.upper(), ignore_case=True)(text)) == globbed(pattern, text)


@given(st.text(alphabet="ab*?[", max_size=8))
def test_an_escaped_query_pattern_matches_itself_and_nothing_else(text):
    matches = query_glob(re.sub(r"([*?])", r"\\\1", text))
    assert matches(text)
    assert not matches(text + "x")
    assert not matches("x" + text)


@given(st.text(max_size=60), st.text(max_size=60))
def test_no_pattern_and_no_text_raise(pattern, text):
    glob(pattern, ignore_case=True)(text)
    query_glob(pattern)(text)


def cost(function):
    """Seconds of the fastest of three runs."""

    def run():
        start = time.perf_counter()
        function()
        return time.perf_counter() - start

    return min(run() for _ in range(3))


@pytest.mark.parametrize("pattern", ["*a*a*a*a*b", "*?*?*?*?*b", "a*a*a*a*a*", "*" * 64 + "b"])
def test_hostile_globs_take_time_in_proportion_to_the_text(pattern):
    match = glob(pattern, ignore_case=True)
    assert cost(lambda: match("a" * 16_000)) < 100 * cost(lambda: match("a" * 1000)) + 0.001


REFUSED = {
    r"(a)\1": "backreference",
    r"\p{L}": "Unicode",
    "a(?=b)": "look-ahead",
    "(?<!a)b": "look-behind",
    "(?>a)": "atomic",
    "a++": "possessive",
    "a{2}+": "possessive",
    "(a+)+$": "for ever",
    "(a|a)*$": "for ever",
    "((a*))*": "for ever",
    "(x(a|b))+": "for ever",
    "(?:a+){9}": "for ever",
    "(a?a?)*": "for ever",
    "a{99999999999}": "not a regular expression",
    "(" * 500 + ")" * 500: "not a regular expression",
    "(a": "not a regular expression",
    "[a": "not a regular expression",
    "a)": "not a regular expression",
    "(?P<x>a)(?P=x)": "backreference",
    "(a)?(?(1)b|c)": "extension",
    "(a+)(?#comment)+": "extension",
    "(?x)(a+) +": "extension",
    "a(?i)": "not a regular expression",
}


@pytest.mark.parametrize("pattern", REFUSED)
def test_regular_expressions_that_aws_or_the_mock_cannot_run_are_refused(pattern):
    with pytest.raises(UnsupportedPattern, match=REFUSED[pattern]) as refusal:
        regex(pattern, ignore_case=False)
    assert repr(pattern) in str(refusal.value)


@pytest.mark.parametrize(
    "pattern",
    [
        r"^/api/(.+)/(\d{1,3})$",
        r"^/(en|de)?/x+?$",
        r"[+*?(){}|]+",
        r"(?:ab)+\.\+\(a+\)",
        r"(?i:abc)*",
        r"(?P<name>[^/]+)/",
        r"(?i)^/a",
        r"a+b+|c*",
        r"[]a]+[^]]",
        r"\\1",
        r"(\d{3}-)+",
        r"(a+)?",
    ],
)
def test_ordinary_regular_expressions_are_taken(pattern):
    assert callable(regex(pattern, ignore_case=False))


@given(st.text(alphabet=r"ab()|*+?{}[]\1,^$:<=!P>", max_size=14))
def test_any_regular_expression_is_taken_or_refused(pattern):
    try:
        match = regex(pattern, ignore_case=True)
    except UnsupportedPattern:
        return
    match("ab" * 200)


def test_an_early_rule_costs_no_more_because_others_follow():
    many = [rule(n, path(f"/{n}/*")) for n in range(1, 101)] + [rule("default")]
    few = compile_rules([many[0], many[-1]])
    full = compile_rules(many)
    early = request("/1/x")
    assert full.match(early).priority == "1"

    def thousand(rules):
        return cost(lambda: [rules.match(early) for _ in range(1000)])

    assert thousand(full) < 5 * thousand(few)
