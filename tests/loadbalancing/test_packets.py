"""Packets taken apart: right on known ones, and at peace with any others."""

import io
import struct
from ipaddress import IPv6Address
from itertools import pairwise

import dpkt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs.loadbalancing import drawing
from labs.loadbalancing.packets import NotACapture, Tap, dissect, dissect_frame
from tests.loadbalancing.test_layer4_client_hello import HELLO, NAME

CLIENT, SERVER = ("203.0.113.5", 49_152), ("10.0.0.20", 80)
REQUEST = b"GET /a?b=c HTTP/1.1\r\nHost: shop.example.com\r\nAccept: */*\r\n\r\n"
RESPONSE = b"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\ngone"


def capture(*messages):
    """A capture of a client that says this, as bytes."""
    file = io.BytesIO()

    class InMemory(Tap):
        def __init__(self):
            self._file, self._writer = file, dpkt.pcap.Writer(file)

    client, _ = InMemory().conversation(CLIENT, SERVER)
    for message in messages:
        client.send(message)
    return file.getvalue()


def saying(data):
    """The packet in which a client says this."""
    return next(packet for packet in dissect(capture(data)) if packet["TCP"].payload)


def test_every_byte_belongs_to_one_header_or_payload():
    packet = saying(REQUEST)
    assert packet.names == ["Ethernet", "IPv4", "TCP", "HTTP"]
    assert [layer.header for layer in packet.layers] == [14, 20, 20, len(REQUEST)]
    for outer, inner in pairwise(packet.layers):
        assert inner.offset == outer.offset + outer.header
        assert inner.header + inner.payload == outer.payload
    assert sum(layer.header for layer in packet.layers) == len(packet.data)


def test_headers_as_bytes():
    packet = saying(REQUEST)
    assert packet.header("TCP")[:4] == struct.pack(">HH", 49_152, 80)
    assert packet.header("IPv4")[12:16] == bytes([203, 0, 113, 5])
    assert packet.payload("TCP") == REQUEST
    with pytest.raises(KeyError, match="no TLS in packet 4: there is Ethernet, IPv4, TCP, HTTP"):
        packet.header("TLS")


def test_request_head():
    http = saying(REQUEST)["HTTP"]
    assert http.fields["method"] == "GET"
    assert http.fields["target"] == "/a?b=c"
    assert http.fields["Host"] == "shop.example.com"
    assert (http.header, http.payload) == (len(REQUEST), 0)


def test_response_head_and_body():
    http = saying(RESPONSE)["HTTP"]
    assert (http.fields["status"], http.fields["reason"]) == ("404", "Not Found")
    assert (http.header, http.payload) == (len(RESPONSE) - 4, 4)


def test_body_that_goes_on_in_another_packet_is_data():
    packets = [packet for packet in dissect(capture(RESPONSE, b"more")) if packet["TCP"].payload]
    assert packets[1].names[-1] == "data"
    assert (packets[1].layers[-1].header, packets[1].layers[-1].payload) == (0, 4)


def test_records_in_one_packet_stand_side_by_side():
    records = b"\x14\x03\x03\x00\x01\x01" + b"\x17\x03\x03\x00\x04abcd"
    packet = saying(records)
    first, second = packet.layers[3:]
    assert [first.fields["content"], second.fields["content"]] == [
        "change cipher spec",
        "application data",
    ]
    assert second.offset == first.offset + 6
    assert (second.header, second.payload) == (5, 4)


def test_client_hello_and_its_name():
    tls = saying(HELLO)["TLS"]
    assert tls.fields["message"] == "ClientHello"
    assert tls.fields["server_name"] == NAME


def test_name_of_a_hello_that_needs_two_packets():
    packets = dissect(capture(HELLO[:100], HELLO[100:]))
    hello = next(packet for packet in packets if "TLS" in packet)
    assert hello["TLS"].fields["server_name"] == NAME
    assert hello["TLS"].payload == 95


def test_summary_says_who_to_whom_and_what():
    assert saying(REQUEST).summary == (
        f"4  203.0.113.5:49152 → 10.0.0.20:80  HTTP GET /a?b=c  ({54 + len(REQUEST)} bytes)"
    )
    assert "TLS handshake ClientHello shop.example.com" in saying(HELLO).summary


def frame(kind, data):
    return bytes(6) + bytes.fromhex("aabbccddeeff") + kind.to_bytes(2) + data


def test_frame_of_a_network_card_is_not_synthetic():
    packet = dissect_frame(frame(0x0806, bytes(28)))
    assert not packet.synthetic
    assert packet.names == ["Ethernet", "data"]
    assert packet["Ethernet"].fields["source"] == "aa:bb:cc:dd:ee:ff"


def test_padding_of_a_short_frame_belongs_to_no_layer_above():
    short = dissect(capture())[2].data
    packet = dissect_frame(short + bytes(6))
    assert packet.names == ["Ethernet", "IPv4", "TCP"]
    assert packet["TCP"].payload == 0


def test_options_make_a_header_longer():
    syn = dissect(capture())[0]
    assert syn["TCP"].header == syn["TCP"].fields["header_length"] == 24
    ip = bytearray(dissect_frame(saying(b"x").data).data[14:])
    with_options = bytes([0x46]) + ip[1:2] + (len(ip) + 4).to_bytes(2) + ip[4:20] + bytes(4)
    packet = dissect_frame(frame(0x0800, with_options + ip[20:]))
    assert packet["IPv4"].header == 24
    assert packet.payload("TCP") == b"x"


def test_later_fragment_has_no_tcp_header():
    data = bytearray(saying(REQUEST).data)
    data[20:22] = (185).to_bytes(2)
    assert dissect_frame(bytes(data)).names == ["Ethernet", "IPv4", "data"]


def test_ipv6_and_udp():
    datagram = struct.pack(">HHHH", 53, 5353, 12, 0) + b"name"
    addresses = IPv6Address("2001:db8::1").packed + IPv6Address("2001:db8::2").packed
    ip = struct.pack(">IHBB", 6 << 28, len(datagram), 17, 64) + addresses
    packet = dissect_frame(frame(0x86DD, ip + datagram))
    assert packet.names == ["Ethernet", "IPv6", "UDP", "data"]
    assert packet["IPv6"].fields["source"] == "2001:db8::1"
    assert packet["UDP"].fields["destination_port"] == 5353


@pytest.mark.parametrize("kept", range(25, 110, 6))
def test_capture_that_was_cut_anywhere_is_not_read_in_silence(kept):
    whole = capture()
    ends_of_packets = [24 + 16 + 58, 24 + 2 * (16 + 58)]
    assert kept not in ends_of_packets
    with pytest.raises(NotACapture):
        dissect(whole[:kept])


@pytest.mark.parametrize("garbage", [b"", b"x", b"GET / HTTP/1.1\r\n\r\n", bytes(100)])
def test_other_files_are_no_captures(garbage):
    with pytest.raises(NotACapture, match="no capture in tcpdump's format"):
        dissect(garbage)


def test_capture_that_was_cut_off_is_said(tmp_path):
    path = tmp_path / "cut.pcap"
    path.write_bytes(capture(REQUEST)[:-3])
    with pytest.raises(NotACapture, match=r"cut\.pcap ends in the middle of packet 5"):
        dissect(path)


def test_other_link_types_are_said():
    other = bytearray(capture())
    other[20:24] = struct.pack("=I", 105)
    with pytest.raises(NotACapture, match="link type 105"):
        dissect(bytes(other))


def test_empty_capture_has_no_packets():
    assert dissect(capture()[:24]) == []


def check_whole(packet):
    """Layers lie within the packet; drawing and words work, whatever they are."""
    for layer in packet.layers:
        assert 0 <= layer.offset <= layer.offset + layer.header + layer.payload <= len(packet.data)
    assert packet.summary
    assert drawing.in_words(packet)
    assert len(drawing.spans(packet.layers)) == len(packet.layers)


@given(st.binary(max_size=200))
def test_any_frame_can_be_taken_apart(data):
    check_whole(dissect_frame(data))


@given(st.sampled_from([0x0800, 0x86DD, 0x8100, 0x8847, 3]), st.binary(max_size=120))
def test_any_bytes_in_a_known_frame_can_be_taken_apart(kind, data):
    check_whole(dissect_frame(frame(kind, data)))


@given(st.data())
def test_changed_packets_can_be_taken_apart(data):
    whole = saying(data.draw(st.sampled_from([REQUEST, RESPONSE, HELLO]))).data
    changed = bytearray(whole[: data.draw(st.integers(0, len(whole)))])
    for _ in range(data.draw(st.integers(0, 6)) if changed else 0):
        changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    check_whole(dissect_frame(bytes(changed)))


@given(st.data())
def test_changed_captures_give_packets_or_say_what_is_wrong(data):
    changed = bytearray(capture(HELLO[:100], HELLO[100:]))
    for _ in range(data.draw(st.integers(1, 8))):
        changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    try:
        packets = dissect(bytes(changed))
    except NotACapture:
        return
    for packet in packets:
        check_whole(packet)


@given(st.binary(max_size=300))
def test_garbage_gives_packets_or_says_what_is_wrong(data):
    try:
        dissect(data)
    except NotACapture as error:
        assert str(error)


def test_boxes_are_nested_and_said_in_words():
    packet = saying(REQUEST)
    places = drawing.spans(packet.layers)
    for (_, top, bottom), (_, inner_top, inner_bottom) in pairwise(places):
        assert top < inner_top < inner_bottom < bottom
    figure = drawing.boxes(packet)
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert "IPv4 (synthetic)" in texts
    assert f"head {len(REQUEST)} bytes, body 0 bytes" in texts
    words = drawing.in_words(packet)
    assert "TCP (synthetic), header 20 bytes" in words
    assert "port 49152 → port 80" in words


def test_records_side_by_side_are_boxes_one_below_the_other():
    places = drawing.spans(saying(b"\x17\x03\x03\x00\x01a" * 2).layers)
    (_, _, tcp_bottom), (depth, _, first), (other_depth, second, last) = places[2:]
    assert depth == other_depth == 3
    assert first < second < last < tcp_bottom
