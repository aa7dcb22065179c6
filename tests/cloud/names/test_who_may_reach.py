"""One function decides who reaches whom; everybody is seen at one address."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs.cloud import names
from labs.cloud.mock.book import curl_lines

LEARNER = {"address": "203.0.113.5", "groups": []}
WEB = {
    "address": "172.31.0.5",
    "groups": ["sg-web"],
    "vpc": "vpc-1",
    "public": "203.0.113.10",
    "loopback": "127.31.0.1",
    "public_loopback": "127.54.0.1",
}
HIDDEN = {"address": "172.31.0.6", "groups": [], "vpc": "vpc-1", "loopback": "127.31.0.2"}
CALLERS = {"learner": LEARNER, "i-web": WEB, "i-hidden": HIDDEN}


@pytest.mark.parametrize(
    ("open_", "caller", "port", "may"),
    [
        (None, LEARNER, 80, True),
        ([], LEARNER, 80, False),
        ([[80, 80, ["0.0.0.0/0"]]], LEARNER, 80, True),
        ([[80, 80, ["0.0.0.0/0"]]], LEARNER, 81, False),
        ([[0, 65535, ["203.0.113.0/29"]]], LEARNER, 8080, True),
        ([[0, 65535, ["203.0.113.5/32"]]], WEB, 8080, False),
        ([[80, 80, ["sg-web"]]], WEB, 80, True),
        ([[80, 80, ["sg-other"]]], WEB, 80, False),
        ([[80, 80, ["sg-web"]]], LEARNER, 80, False),
        ([[80, 80, ["::/0"]]], LEARNER, 80, False),
        ([[80, 80, ["::/0"]]], {"address": "2001:db8::7", "groups": []}, 80, True),
        ([[80, 80, ["no network/0"]]], LEARNER, 80, False),
        ([[80, 80, ["0.0.0.0/0"]]], {"address": None, "groups": []}, 80, False),
        ([[81, 81, ["0.0.0.0/0"]], [80, 80, ["172.31.0.9/16"]]], WEB, 80, True),
    ],
)
def test_openings(open_, caller, port, may):
    assert names.may_reach(open_, caller, port) is may


@given(st.ip_addresses(v=4), st.integers(0, 32), st.ip_addresses(v=4), st.integers(0, 65535))
def test_a_network_lets_in_exactly_its_addresses(network, bits, address, port):
    opening = [[0, 65535, [f"{network}/{bits}"]]]
    inside = int(network) >> (32 - bits) == int(address) >> (32 - bits)
    caller = {"address": str(address), "groups": []}
    assert names.may_reach(opening, caller, port) is inside


def test_a_public_address_is_called_from_a_public_one_and_by_no_group():
    assert names.seen_at("172.31.0.9", WEB) is WEB
    assert names.seen_at("203.0.113.99", WEB) == {"address": "203.0.113.10", "groups": []}
    assert names.seen_at("203.0.113.99", HIDDEN) == {"address": None, "groups": []}
    assert names.seen_at("203.0.113.99", LEARNER) == LEARNER


def test_a_private_address_is_reached_from_its_vpc_only():
    entry = {"ports": {}, "vpc": "vpc-1"}
    assert names.reaches("172.31.0.9", entry, 80, WEB)
    assert not names.reaches("172.31.0.9", entry, 80, LEARNER)
    assert not names.reaches("172.31.0.9", entry, 80, {**WEB, "vpc": "vpc-2"})


@pytest.mark.parametrize(
    ("peer", "address", "groups"),
    [
        ("127.0.0.1", "203.0.113.5", []),
        ("127.31.0.1", "172.31.0.5", ["sg-web"]),
        ("127.54.0.1", "203.0.113.10", []),
        ("127.31.0.2", "172.31.0.6", []),
        ("127.31.0.9", "203.0.113.5", []),
    ],
)
def test_the_data_plane_knows_callers_by_their_loopback_address(peer, address, groups):
    assert names.address_of(peer, CALLERS) == address
    assert names.caller_of(peer, CALLERS) == {"address": address, "groups": groups}
    assert names.caller_of(peer, {}) == names.LEARNER


def lines(host, silent=99):
    written = curl_lines({"203.0.113.10": host}, 50, 9, None, LEARNER, silent)
    prefix = 'connect-to = "203.0.113.10:'
    return [line[len(prefix) : -1] for line in written if line.startswith(prefix)]


@pytest.mark.parametrize(
    ("open_", "expected"),
    [
        ([[80, 80, ["0.0.0.0/0"]]], ["80:127.0.0.1:41", ":127.0.0.1:99"]),
        (
            [[80, 82, ["0.0.0.0/0"]]],
            ["80:127.0.0.1:41", "81:127.0.0.1:9", "82:127.0.0.1:9", ":127.0.0.1:99"],
        ),
        ([[0, 65535, ["0.0.0.0/0"]]], ["80:127.0.0.1:41", ":127.0.0.1:9"]),
        ([[0, 65535, ["10.0.0.0/8"]]], ["80:127.0.0.1:99", ":127.0.0.1:99"]),
        (
            [[0, 65535, ["sg-1"]], [81, 81, ["0.0.0.0/0"]]],
            ["80:127.0.0.1:99", "81:127.0.0.1:9", ":127.0.0.1:99"],
        ),
        ([], ["80:127.0.0.1:99", ":127.0.0.1:99"]),
    ],
)
def test_curl_meets_the_same_ports_as_the_learner(open_, expected):
    assert lines({"ports": {"80": 41}, "open": open_}) == expected


def test_without_a_silent_port_what_is_closed_is_refused():
    assert lines({"ports": {"80": 41}, "open": []}, silent=None) == [
        "80:127.0.0.1:9",
        ":127.0.0.1:9",
    ]
