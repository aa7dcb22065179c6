"""The PROXY v2 decoder: reads what the encoder wrote, and survives what anybody else did."""

import socket
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs.cloud.names import labs_proxy_v2
from labs.cloud.names.labs_proxy_v2 import FIXED, SIGNATURE, client, receive, size
from labs.loadbalancing.proxy_protocol import proxy_v2

PORTS = st.integers(0, 65_535)
HEADER = proxy_v2(("203.0.113.5", 5555), ("172.31.0.5", 80))


@pytest.fixture
def pair():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


@given(st.ip_addresses(v=4), PORTS, st.ip_addresses(v=4), PORTS, st.binary(max_size=60))
def test_it_reads_the_source_of_ipv4_with_any_extras(source, port, target, other, extras):
    header = bytearray(proxy_v2((str(source), port), (str(target), other)) + extras)
    header[14:16] = (12 + len(extras)).to_bytes(2)
    assert size(bytes(header) + b"GET /") == len(header)
    assert client(bytes(header)) == (str(source), port)


@given(st.ip_addresses(v=6), PORTS)
def test_it_reads_the_source_of_ipv6(source, port):
    header = proxy_v2((str(source), port), ("2001:db8::1", 80))
    host, number = client(header)
    assert socket.inet_pton(socket.AF_INET6, host) == source.packed
    assert number == port


@given(st.binary(max_size=80) | st.binary(max_size=80).map(SIGNATURE.__add__))
def test_hostile_bytes_raise_nothing_but_valueerror(data):
    length = size(data)
    assert length == 0 or FIXED <= length <= FIXED + 65_535
    try:
        found = client(data)
    except ValueError:
        return
    assert found is None or (isinstance(found[0], str) and 0 <= found[1] <= 65_535)


@given(st.integers(0, len(HEADER)))
def test_no_beginning_of_a_header_is_taken_for_something_else(length):
    assert size(HEADER[:length]) == (len(HEADER) if length >= FIXED else FIXED)
    if length < len(HEADER):
        with pytest.raises(ValueError, match="no whole"):
            client(HEADER[:length])


@pytest.mark.parametrize(
    ("command", "family", "found"),
    [(0x20, 0x11, None), (0x21, 0x00, None), (0x21, 0x31, None), (0x21, 0x12, None)],
)
def test_local_and_unknown_kinds_have_no_client(command, family, found):
    header = SIGNATURE + bytes([command, family]) + HEADER[14:]
    assert client(header) is found


@pytest.mark.parametrize("command", [0x11, 0x22, 0x31, 0x00])
def test_other_versions_and_commands_are_refused(command):
    with pytest.raises(ValueError, match="version"):
        client(SIGNATURE + bytes([command, 0x11]) + HEADER[14:])


def test_addresses_that_are_cut_short_are_refused():
    with pytest.raises(ValueError, match="within its addresses"):
        client(SIGNATURE + b"\x21\x11\0\x04abcd")


@pytest.mark.parametrize("cut", [None, 1, 12, 15, 16, 20, 27])
def test_the_header_is_taken_and_nothing_else_however_it_is_cut(pair, cut):
    ours, theirs = pair
    ours.settimeout(7)

    def send():
        theirs.sendall(HEADER[:cut])
        if cut:
            theirs.sendall(HEADER[cut:])
        theirs.sendall(b"GET / HTTP/1.1")

    sender = threading.Thread(target=send)
    sender.start()
    assert receive(ours, 5) == ("203.0.113.5", 5555)
    sender.join()
    assert ours.recv(99) == b"GET / HTTP/1.1"
    assert ours.gettimeout() == 7


@pytest.mark.parametrize(
    "data", [b"G", b"GET / HTTP/1.1\r\n\r\n", b"\r\n\r\nno header", b"\x16\x03"]
)
def test_what_is_no_header_is_left_for_the_script(pair, data):
    ours, theirs = pair
    theirs.sendall(data)
    assert receive(ours, 5) is None
    assert ours.recv(99) == data


def test_the_wait_is_bounded(pair):
    ours, theirs = pair
    assert receive(ours, 0.05) is None
    theirs.sendall(HEADER[:14])
    assert receive(ours, 0.05) is None
    theirs.close()  # a peek does not see the end behind bytes that it has seen
    assert receive(ours, 0.05) is None


def test_a_peer_that_leaves_at_once_is_no_header(pair):
    ours, theirs = pair
    theirs.close()
    assert receive(ours, 5) is None


def test_a_header_that_ends_in_its_middle_is_refused(pair):
    ours, theirs = pair
    theirs.sendall(HEADER[:20])
    theirs.close()
    with pytest.raises(ValueError, match="ends in its middle"):
        receive(ours, 5)


def test_both_sides_agree_on_the_signature():
    assert proxy_v2(("1.2.3.4", 5), ("1.2.3.4", 5)).startswith(labs_proxy_v2.SIGNATURE)
