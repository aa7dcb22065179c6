"""Names in hosted zones: which record answers, and how often each of several does."""

import socket
import subprocess
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labs.cloud import names
from labs.cloud.mock.book import Book
from labs.cloud.mock.curl_proxy import Refused, Target, resolved
from labs.cloud.names.labs_zones import NoAnswer, answer, choose, resolve, zone_of
from tests.cloud.names.conftest import BALANCER, DEAD_BALANCER
from tests.cloud.names.test_names_and_curl import BY_PROXY, needs_curl


def zone(zone_name="shop.example", vpcs=None, **names_by_label):
    """A zone with records by label ("_" for the zone itself, "any" for the wildcard)."""
    spelt = {"_": "", "any": "*."}
    return {
        "name": zone_name,
        "vpcs": vpcs,
        "names": {
            f"{spelt.get(label, label + '.')}{zone_name}": types
            for label, types in names_by_label.items()
        },
    }


def a(*values):
    return {"A": [{"values": list(values)}]}


def leads_to(name):
    return {"A": [{"alias": name}]}


def rcode(zones, name, **more):
    with pytest.raises(NoAnswer) as caught:
        resolve(zones, name, **more)
    return caught.value.rcode


def test_names_outside_all_zones_are_untouched():
    zones = [zone(www=a("192.0.2.7"))]
    for name in ("example", "myshop.example", "shop.example.org", "localhost"):
        assert resolve(zones, name) == [name]


def test_aliases_and_cnames_are_followed_to_addresses_or_out_of_the_zones():
    zones = [
        zone(
            _=leads_to("www.shop.example"),
            www={"CNAME": [{"values": ["Web.Shop.Example."]}]},
            web=a("192.0.2.7"),
            old=leads_to(BALANCER),
            blog={"CNAME": [{"values": ["hosting.example.org"]}]},
        )
    ]
    assert resolve(zones, "shop.example") == ["192.0.2.7"]
    assert resolve(zones, "old.shop.example") == [BALANCER]
    assert resolve(zones, "blog.shop.example") == ["hosting.example.org"]


def test_both_families_are_found():
    both = {**a("192.0.2.7"), "AAAA": [{"values": ["2001:db8::7"]}]}
    assert resolve([zone(www=both)], "www.shop.example") == ["192.0.2.7", "2001:db8::7"]
    only = {"AAAA": [{"values": ["2001:db8::7"]}]}
    assert resolve([zone(www=only)], "www.shop.example") == ["2001:db8::7"]


def test_a_name_that_is_not_there_and_one_without_an_address():
    zones = [zone(www={"TXT": [{"values": ["hello"]}]}, **{"a.b": a("192.0.2.7")})]
    assert rcode(zones, "nix.shop.example") == "NXDOMAIN"
    assert rcode(zones, "www.shop.example") == "NOERROR"
    assert rcode(zones, "b.shop.example") == "NOERROR"  # it has a name below it


def test_a_circle_ends():
    zones = [zone(a=leads_to("b.shop.example"), b=leads_to("a.shop.example"))]
    assert rcode(zones, "a.shop.example") == "SERVFAIL"


def test_a_wildcard_answers_for_names_that_do_not_exist():
    """The rules of RFC 4592, section 2.2.1, with its kind of example."""
    zones = [zone(any=a("192.0.2.1"), host=a("192.0.2.2"), **{"x.sub": a("192.0.2.3")})]
    assert resolve(zones, "nix.shop.example") == ["192.0.2.1"]
    assert resolve(zones, "far.off.shop.example") == ["192.0.2.1"]
    assert resolve(zones, "host.shop.example") == ["192.0.2.2"]
    assert rcode(zones, "below.host.shop.example") == "NXDOMAIN"
    assert rcode(zones, "sub.shop.example") == "NOERROR"
    assert rcode(zones, "y.sub.shop.example") == "NXDOMAIN"
    assert rcode(zones, "shop.example") == "NOERROR"


def test_the_closest_zone_answers_and_of_two_of_a_name_the_younger():
    zones = [
        zone(**{"www.api": a("192.0.2.1")}),
        zone("api.shop.example", www=a("192.0.2.2")),
        zone("api.shop.example", www=a("192.0.2.3")),
    ]
    assert resolve(zones, "www.api.shop.example") == ["192.0.2.3"]


def test_a_private_zone_answers_its_vpc_only_and_hides_the_public_one_there():
    public, private = zone(www=a("192.0.2.1"), api=a("192.0.2.1")), zone(www=a("10.0.0.1"))
    private["vpcs"] = ["vpc-1"]
    zones = [public, private]
    assert resolve(zones, "www.shop.example") == ["192.0.2.1"]
    assert resolve(zones, "www.shop.example", "vpc-2") == ["192.0.2.1"]
    assert resolve(zones, "www.shop.example", "vpc-1") == ["10.0.0.1"]
    assert rcode(zones, "api.shop.example", vpc="vpc-1") == "NXDOMAIN"
    assert rcode([private], "www.shop.example") == "NXDOMAIN"
    assert zone_of(zones, "www.shop.example", "vpc-1") is private


def test_a_policy_without_a_motor_says_so():
    zones = [zone(www={"A": [{"values": ["192.0.2.1"], "policy": "latency"}]})]
    with pytest.raises(NoAnswer, match="no motor for the latency records of www"):
        answer(zones, "www.shop.example", "A")


def test_a_multivalue_answer_has_eight_of_many():
    some = [{"values": [f"192.0.2.{n}"], "policy": "multivalue"} for n in range(20)]
    values = choose(some, "www")["values"]
    assert len(set(values)) == 8


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 255), min_size=1, max_size=5))
def test_how_often_a_record_answers_follows_its_weight(weights):
    records = [{"weight": weight, "alias": str(n)} for n, weight in enumerate(weights)]
    draws = 2_000
    counts = Counter(choose(records, "www")["alias"] for _ in range(draws))
    shares = weights if any(weights) else [1] * len(weights)  # all 0: each as often as another
    for n, weight in enumerate(shares):
        expected = weight / sum(shares)
        spread = 6 * (expected * (1 - expected) / draws) ** 0.5  # once in 10**8 more than that
        assert abs(counts[str(n)] / draws - expected) <= spread + 1e-9
        assert weight or not counts[str(n)]


def test_the_order_of_several_values_changes():
    values = [f"192.0.2.{n}" for n in range(10)]
    assert len({tuple(choose([{"values": values}], "www")["values"]) for _ in range(20)}) > 1


def test_a_choice_leaves_random_alone():
    import random

    random.seed(7)
    expected = random.random()
    random.seed(7)
    choose([{"weight": 1, "alias": "a"}, {"weight": 1, "alias": "b"}], "www")
    assert random.random() == expected


# The same through a process's doors


SHOP = [
    zone(
        www=leads_to(BALANCER),
        dead=leads_to(DEAD_BALANCER),
        gone=leads_to("gone-3.us-east-1.elb.amazonaws.com"),
        pair=a("198.51.100.7", "10.1.2.3"),
        private=a("10.9.9.9"),
        foreign=a("8.8.8.8"),
        blog={"CNAME": [{"values": ["ordinary.example"]}]},
    )
]


@pytest.fixture
def shop(installed):
    """The hosted zone in the book of this process."""
    hosts = {
        BALANCER: {"ips": ["198.51.100.7", "198.51.100.8"], "ports": {"80": 4100}},
        DEAD_BALANCER: {"ips": ["198.51.100.9"], "ports": {}},
        "10.1.2.3": {"ports": {"80": 4200}},
    }
    Book(installed.parent).replace({"80": 4080}, hosts, zones=SHOP)


def peers(host, port=80):
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return {sockaddr[:2] for *_, sockaddr in found}


@pytest.mark.parametrize("host", ["www.shop.example", "WWW.Shop.Example.", b"www.shop.example"])
def test_getaddrinfo_leads_where_the_record_does(shop, host):
    assert peers(host) == {("127.0.0.1", 4100)}


def test_without_a_port_the_answer_is_dns_own(shop):
    assert peers("www.shop.example", None) == {("198.51.100.7", 0), ("198.51.100.8", 0)}
    assert socket.gethostbyname("www.shop.example") == "198.51.100.7"
    assert socket.gethostbyname_ex("www.shop.example")[2] == ["198.51.100.7", "198.51.100.8"]


def test_each_address_of_a_record_leads_to_its_own_port(shop):
    assert peers("pair.shop.example") == {("127.0.0.1", 4100), ("127.0.0.1", 4200)}
    assert set(socket.gethostbyname_ex("pair.shop.example")[2]) == {"198.51.100.7", "10.1.2.3"}


def test_what_the_zone_does_not_have_is_unknown(shop):
    for name in ("nix.shop.example", "shop.example", "gone.shop.example"):
        for look_up in (socket.gethostbyname, lambda name: socket.getaddrinfo(name, 80)):
            with pytest.raises(socket.gaierror, match="Name or service not known"):
                look_up(name)


def test_what_listens_nowhere_is_refused_and_nothing_leaves_by_a_record(shop):
    for name in ("dead.shop.example", "foreign.shop.example"):
        with socket.socket() as sock, pytest.raises(ConnectionRefusedError):
            sock.connect((name, 80))
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((name, 80), timeout=5)
    with socket.socket(type=socket.SOCK_DGRAM) as sock, pytest.raises(ConnectionRefusedError):
        sock.sendto(b"x", ("www.shop.example", 53))


@pytest.mark.parametrize("captor", ["com", "amazonaws.com", "us-east-1.elb.amazonaws.com"])
def test_no_zone_answers_for_aws_names_nor_for_what_leads_to_them(installed, captor):
    """An alias of a balancer went through a zone named so, and found nothing there."""
    hosts = {BALANCER: {"ips": ["198.51.100.7"], "ports": {"80": 4100}}}
    zones = [*SHOP, zone(captor, www=a("198.51.100.99"))]
    Book(installed.parent).replace({"80": 4080}, hosts, zones=zones)
    for name in (BALANCER, "www.shop.example"):
        assert peers(name) == {("127.0.0.1", 4100)}
    assert peers("sts.us-east-1.amazonaws.com") == {("127.0.0.1", 4080)}


def test_no_zone_takes_localhost_from_this_machine(installed):
    zones = [zone("localhost", _=a("198.51.100.99"))]
    Book(installed.parent).replace({"80": 4080}, {}, zones=zones)
    assert "127.0.0.1" in {host for host, *_ in peers("localhost", 4711)}


def test_a_name_with_ipv6_addresses_only_has_none_for_those_who_ask_for_ipv4(installed):
    six = {"AAAA": [{"values": ["2001:db8::1", "2001:db8::2"]}]}
    Book(installed.parent).replace({"80": 4080}, {}, zones=[zone(six=six)])
    for look_up in (socket.gethostbyname, socket.gethostbyname_ex):
        with pytest.raises(socket.gaierror, match="no IPv4 address"):
            look_up("six.shop.example")


def test_connect_by_name_asks_too(shop):
    with socket.socket() as sock:
        assert names.labs_names.redirect(sock, ("www.shop.example", 80)) == ("127.0.0.1", 4100)
        assert names.labs_names.redirect(sock, ("private.shop.example", 5)) == ("10.9.9.9", 5)


def test_a_cname_to_the_outside_asks_the_outside(shop, resolver):
    assert peers("blog.shop.example", 443) == {(resolver.address, 443)}
    assert resolved(Target("blog.shop.example", 443)) == Target("ordinary.example", 443)


def test_the_proxy_refuses_what_the_zone_does_not_have(shop):
    with pytest.raises(Refused, match="no record for nix"):
        resolved(Target("nix.shop.example", 443))


def test_the_tripwire_keeps_a_zones_names_at_home(shop):
    with pytest.raises(socket.gaierror, match="stays on this machine"):
        names.labs_names.tripwire("socket.getaddrinfo", ("www.shop.example", 80))
    names.labs_names.tripwire("socket.getaddrinfo", ("www.example", 80))


def test_a_zone_of_a_mock_that_has_gone_is_refused(shop, installed):
    assert peers("www.shop.example")
    installed.unlink()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("www.shop.example", 80), timeout=5)


def test_children_find_the_zone(world):
    world.book.replace(world.endpoints, world.hosts, zones=SHOP)
    got = world.python(
        "from urllib.request import urlopen; "
        "print(urlopen('http://www.shop.example/a').read().decode())"
    )
    assert got == "web GET /a www.shop.example"


@needs_curl
def test_curl_finds_the_zone(world):
    world.book.replace(world.endpoints, world.hosts, zones=SHOP)
    found: subprocess.CompletedProcess = world.start("curl", "-sS", "http://www.shop.example/a")
    assert found.stdout == "web GET /a www.shop.example"
    assert world.start("curl", "-sS", "http://nix.shop.example/").returncode == BY_PROXY
