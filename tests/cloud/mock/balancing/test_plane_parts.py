"""The pure parts of the plane: health, cookies, certificates by name, what a listener's book is."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs.cloud.mock.balancing import health, stickiness
from labs.cloud.mock.balancing.health import FAILED, HEALTHY, Health, matches, mismatch
from labs.cloud.mock.balancing.service import emptied, entries, is_empty
from labs.cloud.mock.balancing.tls import matching
from labs.loadbalancing.layer7.contract import Request

SECRET = b"s" * 32


def after(results, first=1, healthy=3, unhealthy=2):
    """The states after each result: + passed, - failed."""
    checked = Health(first, healthy, unhealthy)
    states = []
    for result in results:
        checked.record(None if result == "+" else FAILED)
        states.append(checked.status.state[0])
    return "".join(states)


@pytest.mark.parametrize(
    ("results", "states"),
    [
        ("+", "h"),
        ("-+", "ih"),
        ("--", "iu"),
        ("+-+-", "hhhh"),
        ("+--", "hhu"),
        ("--+++", "iuuuh"),
        ("--++-+++", "iuuuuuuh"),
    ],
)
def test_a_target_turns_after_so_many_results_in_a_row(results, states):
    assert after(results) == states


def test_a_classic_instance_needs_as_many_from_the_beginning():
    assert after("+++", first=3) == "iih"


def test_the_latest_reason_is_told():
    checked = Health(1, 2, 2)
    assert checked.status is health.REGISTERING
    checked.begin()
    assert checked.status is health.CHECKING
    for failure in (FAILED, mismatch(404), mismatch(500)):
        checked.record(failure)
    assert checked.status.description == "Health checks failed with these codes: [500]"
    checked.record(None)
    checked.record(None)
    assert checked.status is HEALTHY


@given(st.lists(st.booleans(), max_size=40), st.integers(2, 10), st.integers(2, 10))
def test_who_is_healthy_never_failed_that_often_in_a_row(results, healthy, unhealthy):
    checked = Health(1, healthy, unhealthy)
    for result in results:
        checked.record(None if result else FAILED)
    if checked.status is HEALTHY:
        assert any(results[-unhealthy:])


@pytest.mark.parametrize(
    ("codes", "named"),
    [
        ("200", {200}),
        ("200,202", {200, 202}),
        ("200-299", {200, 202, 250, 299}),
        ("200-299,301", {200, 202, 250, 299, 301}),
        ("", set()),
        ("abc,-,200-", {200}),
    ],
)
def test_matchers(codes, named):
    assert {code for code in (200, 202, 250, 299, 301, 500) if matches(codes, code)} == named


# Cookies


def test_a_cookie_finds_its_target_again():
    value = stickiness.write(SECRET, "tg i-1:80", 1000)
    assert stickiness.read(SECRET, value, ["tg i-0:80", "tg i-1:80"], 1001, 60) == "tg i-1:80"
    assert "i-1" not in value
    assert stickiness.read(SECRET, value, ["tg i-2:80"], 1001, 60) is None
    assert stickiness.read(b"x" * 32, value, ["tg i-1:80"], 1001, 60) is None


def test_a_cookie_that_is_too_old():
    value = stickiness.write(SECRET, "a", 1000)
    assert stickiness.read(SECRET, value, ["a"], 1061, 60) is None
    assert stickiness.read(SECRET, value, ["a"], 9999, None) == "a"


@given(st.text(alphabet=string.printable + "ü€"))
def test_what_a_client_makes_up_finds_nothing(value):
    assert stickiness.read(SECRET, value, ["a", "b"], 1000, 60) is None


def test_a_cookie_among_others():
    headers = (("Cookie", "a=1; AWSALB=xyz=; b=2"), ("cookie", "c=3"))
    request = Request("GET", "/", headers, ("203.0.113.5", 1))
    assert stickiness.sent(request, "AWSALB") == "xyz="
    assert stickiness.sent(request, "c") == "3"
    assert stickiness.sent(request, "d") == ""


def test_the_twin_is_secure_where_the_listener_is():
    [_, over_http] = stickiness.headers("AWSALB", "x", "http", 1000)
    [_, over_https] = stickiness.headers("AWSALB", "x", "https", None)
    assert over_http[1].startswith("AWSALBCORS=x; Expires=Thu, 01 Jan 1970 00:16:40 GMT")
    assert "Secure" not in over_http[1]
    assert over_https[1] == "AWSALBCORS=x; Path=/; SameSite=None; Secure"


# Certificates


def certificate(*names, key_type="RSA"):
    return {"chain": "", "key": "", "names": list(names), "key_type": key_type}


def test_an_exact_name_goes_before_a_wildcard_and_key_types_stand_side_by_side():
    known = [
        certificate("default"),
        certificate("*.shop"),
        certificate("www.shop"),
        certificate("www.shop", key_type="EC"),
        certificate("www.shop"),
    ]
    assert matching(known, "www.shop") == [2, 3]
    assert matching(known, "api.shop") == [1]
    assert matching(known, "shop") == []
    assert matching(known, None) == []


# The address book


BALANCER = {
    "kind": "application",
    "dns_name": "Web-1.us-east-1.elb.amazonaws.com",
    "vpc": "vpc-1",
    "internal": False,
    "private": {"a": "172.31.0.9"},
    "public": {"a": "203.0.113.20"},
    "groups": [],
    "open": [[80, 80, ["0.0.0.0/0"]]],
    "attributes": {},
    "listeners": {},
}


def test_a_balancer_that_faces_the_internet_is_found_there_and_inside():
    book = entries(BALANCER, {"80": 41001})
    assert book["web-1.us-east-1.elb.amazonaws.com"] == {
        "ips": ["203.0.113.20"],
        "ports": {"80": 41001},
        "open": BALANCER["open"],
    }
    assert book["172.31.0.9"]["vpc"] == "vpc-1"


def test_an_internal_one_is_found_inside_only():
    book = entries({**BALANCER, "public": {}, "open": None}, {})
    [entry] = [host for name, host in book.items() if name.startswith("web")]
    assert entry == {"ips": ["172.31.0.9"], "ports": {}, "vpc": "vpc-1"}


def test_what_needs_no_plane():
    snapshot = {"callers": {}, "instances": {}, "balancers": {}, "groups": {}, "secret": ""}
    assert is_empty(snapshot)
    full = {**snapshot, "balancers": {"a": BALANCER}}
    assert not is_empty(full)
    assert is_empty(emptied(full))
