"""The PROXY header, byte for byte as HAProxy's specification has it."""

import pytest

from labs.loadbalancing.proxy_protocol import proxy_v1, proxy_v2

SIGNATURE = bytes.fromhex("0d0a0d0a000d0a515549540a")


def test_ipv4():
    expected = SIGNATURE + bytes.fromhex("21 11 000c cb007105 0a000014 c350 01bb")
    assert proxy_v2(("203.0.113.5", 50_000), ("10.0.0.20", 443)) == expected


def test_ipv6():
    client, server = bytes.fromhex("20010db8") + bytes(11) + b"\1", bytes(15) + b"\1"
    expected = SIGNATURE + bytes.fromhex("21 21 0024") + client + server + b"\xff\xff\0\x50"
    assert proxy_v2(("2001:db8::1", 65_535), ("::1", 80)) == expected


def test_ipv4_beside_ipv6_is_written_as_ipv6():
    header = proxy_v2(("192.0.2.1", 1), ("::1", 2))
    assert header[13:16] == b"\x21\x00\x24"
    assert header[16:32] == bytes(10) + b"\xff\xff\xc0\0\2\1"


def test_scope_of_a_link_local_address_is_left_out():
    assert proxy_v2(("fe80::1%2", 1), ("fe80::2%2", 2)) == proxy_v2(("fe80::1", 1), ("fe80::2", 2))


@pytest.mark.parametrize("client", [("localhost", 1), ("10.0.0.256", 1), ("", 1)])
def test_name_is_no_address(client):
    with pytest.raises(ValueError):
        proxy_v2(client, ("10.0.0.1", 2))


def test_version_1_is_a_line():
    line = proxy_v1(("203.0.113.5", 50_000), ("10.0.0.20", 443))
    assert line == b"PROXY TCP4 203.0.113.5 10.0.0.20 50000 443\r\n"
    line = proxy_v1(("2001:db8::1", 65_535), ("::1", 80))
    assert line == b"PROXY TCP6 2001:db8::1 ::1 65535 80\r\n"


def test_version_1_has_one_family():
    with pytest.raises(ValueError, match="two families"):
        proxy_v1(("192.0.2.1", 1), ("::1", 2))
