"""The wrapper's judgement: which names and addresses are AWS's, the mock's, foreign, ordinary."""

import json
import socket
import sys
from pathlib import Path

import botocore
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from labs.cloud import names
from labs.cloud.names import labs_names

ENDPOINTS = {"80": 4080, "443": 4443}
BALANCER = "web-1.us-east-1.elb.amazonaws.com"


def test_every_partition_of_botocore_is_known():
    data = Path(botocore.__file__).parent / "data" / "partitions.json"
    for partition in json.loads(data.read_text())["partitions"]:
        for key in ("dnsSuffix", "dualStackDnsSuffix"):
            assert names.is_aws(f"sts.{partition['outputs'][key]}")


@pytest.mark.parametrize(
    "host",
    [
        "sts.amazonaws.com",
        "STS.US-EAST-1.AMAZONAWS.COM.",
        b"sts.us-east-1.amazonaws.com",
        "a-bucket.s3.us-east-1.amazonaws.com",
        "lambda.us-east-1.api.aws",
        "amazonaws.com",
        "ｓｔｓ.ａmazonaws.com",  # IDNA makes plain letters of these
        "sts。amazonaws。com",
    ],
)
def test_api_endpoints_lead_to_the_api(installed, host):
    assert names.find(host)["ports"] == ENDPOINTS
    assert socket.getaddrinfo(host, 443)[0][4] == ("127.0.0.1", 4443)
    assert socket.getaddrinfo(host, "https", type=socket.SOCK_STREAM)[0][4][1] == 4443
    assert socket.gethostbyname(host) == names.API_ADDRESS


@pytest.mark.parametrize(
    "host",
    ["localhost", "example.com", "notamazonaws.com", "amazonaws.com.example", "", None, 7, "::1"],
)
def test_ordinary_hosts_are_none_of_its_business(installed, host):
    assert names.find(host) is None


@pytest.mark.parametrize(
    ("spelling", "address"),
    [
        ("127.1", "127.0.0.1"),
        ("0x7f000001", "127.0.0.1"),
        ("2852039166", "169.254.169.254"),
        ("::ffff:198.51.100.7", "198.51.100.7"),
        ("FD00:EC2:0::254", "fd00:ec2::254"),
        ("fe80::1%eth0", "fe80::1"),
        ("1.2.3.4.5", None),
        ("1e100.net", None),
        ("7", "0.0.0.7"),
        ("", None),
    ],
)
def test_literals_are_known_in_every_spelling(spelling, address):
    assert names.literal(names.text(spelling)) == address


@pytest.mark.parametrize(
    "host", ["2852039166", "169.254.169.254", "::ffff:a9fe:a9fe", "203.0.113.200", "2001:db8::1"]
)
def test_metadata_and_documentation_addresses_have_nothing_behind_them(installed, host):
    assert names.find(host)["ports"] == {}


def test_a_listed_name_answers_its_addresses_and_ports(installed):
    assert socket.gethostbyname_ex(BALANCER) == (BALANCER, [], ["198.51.100.7", "198.51.100.8"])
    asked = {answer[4] for answer in socket.getaddrinfo(BALANCER, None, type=socket.SOCK_STREAM)}
    assert asked == {("198.51.100.7", 0), ("198.51.100.8", 0)}
    assert socket.getaddrinfo(BALANCER, 80, socket.AF_INET)[0][4] == ("127.0.0.1", 4100)
    assert socket.getaddrinfo(BALANCER, 81)[0][4] == ("127.0.0.1", names.refusing_port())
    with pytest.raises(socket.gaierror):
        socket.getaddrinfo(BALANCER, 80, socket.AF_INET6)
    with pytest.raises(socket.herror):
        socket.gethostbyaddr("198.51.100.7")


def test_private_addresses_pass_unless_they_are_listed(installed):
    with socket.socket() as sock:
        assert labs_names.redirect(sock, ("10.9.9.9", 80)) == ("10.9.9.9", 80)
        assert labs_names.redirect(sock, ("10.1.2.3", 80)) == ("127.0.0.1", 4100)


def test_an_ipv6_socket_is_led_to_loopback_too(installed):
    with socket.socket(socket.AF_INET6) as sock:
        assert labs_names.redirect(sock, ("::ffff:10.1.2.3", 80, 0, 0)) == (
            "::ffff:127.0.0.1",
            4100,
        )


def test_a_public_address_passes_once_an_ordinary_name_resolved_to_it(installed, resolver):
    with socket.socket() as sock:
        for lookup in (socket.gethostbyname, lambda host: socket.getaddrinfo(host, 443)):
            labs_names._resolved.clear()
            with pytest.raises(ConnectionRefusedError, match="public address"):
                labs_names.redirect(sock, (resolver.address, 443))
            socket.getaddrinfo(resolver.address, 443)  # a literal proves nothing
            with pytest.raises(ConnectionRefusedError):
                labs_names.redirect(sock, (resolver.address, 443))
            lookup("ordinary.example")
            assert labs_names.redirect(sock, (resolver.address, 443)) == (resolver.address, 443)


def test_a_companys_proxy_with_a_public_address_stays_reachable(installed, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://user:secret@8.8.4.4:3128")
    with socket.socket() as sock:
        assert labs_names.redirect(sock, ("8.8.4.4", 3128)) == ("8.8.4.4", 3128)
        with pytest.raises(ConnectionRefusedError):
            labs_names.redirect(sock, ("8.8.4.5", 3128))


def test_a_datagram_socket_may_learn_its_own_address(installed):
    with socket.socket(type=socket.SOCK_DGRAM) as sock:
        assert labs_names.redirect(sock, ("8.8.8.8", 53)) == ("8.8.8.8", 53)


def test_what_was_the_mocks_is_refused_when_the_book_is_gone(installed):
    assert names.find("10.1.2.3")["ports"]
    installed.unlink()
    assert names.find("10.1.2.3")["ports"] == {}
    assert names.find(BALANCER)["ports"] == {}
    with pytest.raises(socket.gaierror, match="set-up cell"):
        names.find("sts.amazonaws.com")


def test_a_broken_book_is_a_clear_error(installed):
    installed.write_text("{")
    with pytest.raises(socket.gaierror, match="no address book"):
        names.find("sts.amazonaws.com")


def test_the_proactor_loop_of_windows_asks_us_before_it_connects(installed, monkeypatch):
    import asyncio
    from asyncio.proactor_events import BaseProactorEventLoop

    async def connect_in_c(self, sock, address):
        return address

    monkeypatch.setattr(BaseProactorEventLoop, "sock_connect", connect_in_c)
    labs_names.wrap_proactor()
    with socket.socket() as sock:
        connected = BaseProactorEventLoop.sock_connect(None, sock, ("10.1.2.3", 80))
        assert asyncio.run(connected) == ("127.0.0.1", 4100)


def test_addresses_remembered_are_bounded(installed, monkeypatch):
    monkeypatch.setattr(labs_names, "REMEMBERED", 3)
    labs_names._remember(f"8.8.8.{n}" for n in range(9))
    assert list(labs_names._resolved) == ["8.8.8.6", "8.8.8.7", "8.8.8.8"]


HOSTS = st.one_of(
    st.text(max_size=300),
    st.binary(max_size=300),
    st.text(max_size=80).map(lambda text: f"{text}.amazonaws.com"),
    st.text("0123456789abcdefx.:%[]", max_size=40),
    st.ip_addresses().map(str),
    st.none() | st.integers() | st.floats(),
)


@given(host=HOSTS, port=st.none() | st.integers(-9, 99_999) | st.text(max_size=9))
@example(host="\ud800.amazonaws.com", port=80)
@example(host="a" * 70 + ".amazonaws.com", port=80)
@example(host="\0.amazonaws.com", port="\0")
def test_a_hostile_name_raises_only_what_callers_of_a_resolver_expect(installed_once, host, port):
    """`find` raises OSError or nothing; a look-up of AWS's name never reaches the real resolver."""
    try:
        ours = names.find(host)
    except OSError:
        ours = {}
    if ours is None:
        return  # the real function's business, whatever it raises
    try:
        found = socket.getaddrinfo(host, port)
    except (OSError, UnicodeError, ValueError, OverflowError) as error:
        assert isinstance(error, OSError) or port_is_wrong(port)
    else:
        assert {address[0] for *_, address in found} <= {"127.0.0.1", *labs_addresses(host)}


def port_is_wrong(port) -> bool:
    try:
        labs_names._real["getaddrinfo"]("127.0.0.1", port)
    except Exception:
        return True
    return False


def labs_addresses(host) -> set[str]:
    return {names.API_ADDRESS, names.literal(names.text(host))} - {None}


@given(address=st.ip_addresses(), port=st.integers(1, 65535))
def test_no_public_address_is_ever_connected_to(installed_once, address, port):
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    with socket.socket(family) as sock:
        try:
            host, _ = labs_names.redirect(sock, (str(address), port))[:2]
        except ConnectionRefusedError:
            return
        assert not names.is_foreign(names.literal(host))


def test_this_very_process_is_wrapped_as_a_kernel_is(installed):
    assert socket.getaddrinfo is labs_names.getaddrinfo
    assert socket.socket.connect is labs_names.connect
    assert sys.modules["labs_names"].find is names.find
