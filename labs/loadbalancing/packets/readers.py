"""Each reads the header at the beginning of some bytes, of which there is at least one.

A reader answers None where the bytes are not what it reads: too short, or with lengths that lie.
dpkt gets the bytes of one header at a time: given more, it takes apart what is above as well, and
gives up on the lower layer where the upper one is broken.
"""

import re
from collections.abc import Callable, Mapping
from ipaddress import ip_address
from typing import NamedTuple

from dpkt import UnpackError, ethernet, ip, ip6, tcp, udp

from labs.loadbalancing.client_hello import server_name


class Read(NamedTuple):
    """What a header says, its length, that of its payload, and who reads that (None: nobody)."""

    name: str
    fields: Mapping[str, object]
    header: int
    payload: int
    above: "Reader | None" = None


Reader = Callable[[bytes], Read | None]

FLAGS = {
    "SYN": tcp.TH_SYN,
    "FIN": tcp.TH_FIN,
    "RST": tcp.TH_RST,
    "PSH": tcp.TH_PUSH,
    "URG": tcp.TH_URG,
    "ACK": tcp.TH_ACK,
}
CONTENT = {20: "change cipher spec", 21: "alert", 22: "handshake", 23: "application data"}
HANDSHAKE = {b"\x01": "ClientHello", b"\x02": "ServerHello"}
LONGEST_RECORD = 2**14 + 2048  # bytes: RFC 5246, section 6.2.3; TLS 1.3 allows less

REQUEST = re.compile(rb"([A-Z]+) (\S+) (HTTP/1\.[01])\r\n")
RESPONSE = re.compile(rb"(HTTP/1\.[01]) (\d{3}) ?([^\r\n]*)\r\n")


def read_ethernet(data: bytes) -> Read | None:
    if len(data) < 14:
        return None
    try:
        frame = ethernet.Ethernet(data[:14])
    except UnpackError:  # a tagged frame, whose header is longer
        return None
    fields = {
        "source": frame.src.hex(":"),
        "destination": frame.dst.hex(":"),
        "type": f"0x{frame.type:04x}",
    }
    above = {ethernet.ETH_TYPE_IP: read_ipv4, ethernet.ETH_TYPE_IP6: read_ipv6}.get(frame.type)
    return Read("Ethernet", fields, 14, len(data) - 14, above)


def read_ip(data: bytes) -> Read | None:
    """IPv4 or IPv6, where nothing below says which."""
    return read_ipv4(data) or read_ipv6(data)


def read_ipv4(data: bytes) -> Read | None:
    header = (data[0] & 15) * 4
    if data[0] >> 4 != 4 or not 20 <= header <= len(data):
        return None
    packet = ip.IP(data[:header])
    # A length of 0: the kernel left cutting into segments to the network card.
    total = min(packet.len or len(data), len(data))
    if total < header:
        return None
    fields = {
        "version": 4,
        "header_length": header,
        "total_length": packet.len,
        "identification": packet.id,
        "time_to_live": packet.ttl,
        "protocol": packet.p,
        "checksum": f"0x{packet.sum:04x}",
        "source": str(ip_address(packet.src)),
        "destination": str(ip_address(packet.dst)),
    }
    begins_here = packet.offset == 0  # a later fragment has no header of the layer above
    above = ABOVE_IP.get(packet.p) if begins_here else None
    return Read("IPv4", fields, header, total - header, above)


def read_ipv6(data: bytes) -> Read | None:
    if data[0] >> 4 != 6 or len(data) < 40:
        return None
    try:
        packet = ip6.IP6(data[:40])
    except UnpackError:  # extension headers follow
        return None
    fields = {
        "version": 6,
        "payload_length": packet.plen,
        "hop_limit": packet.hlim,
        "next_header": packet.nxt,
        "source": str(ip_address(packet.src)),
        "destination": str(ip_address(packet.dst)),
    }
    payload = min(packet.plen or len(data), len(data) - 40)
    return Read("IPv6", fields, 40, payload, ABOVE_IP.get(packet.nxt))


def read_tcp(data: bytes) -> Read | None:
    if len(data) < 20:
        return None
    header = (data[12] >> 4) * 4
    if not 20 <= header <= len(data):
        return None
    segment = tcp.TCP(data[:header])
    fields = {
        "source_port": segment.sport,
        "destination_port": segment.dport,
        "sequence": segment.seq,
        "acknowledgement": segment.ack,
        "header_length": header,
        "flags": " ".join(name for name, bit in FLAGS.items() if segment.flags & bit),
        "window": segment.win,
        "checksum": f"0x{segment.sum:04x}",
    }
    return Read("TCP", fields, header, len(data) - header, read_application)


def read_udp(data: bytes) -> Read | None:
    if len(data) < 8:
        return None
    datagram = udp.UDP(data[:8])
    if datagram.ulen < 8:
        return None
    fields = {
        "source_port": datagram.sport,
        "destination_port": datagram.dport,
        "length": datagram.ulen,
        "checksum": f"0x{datagram.sum:04x}",
    }
    return Read("UDP", fields, 8, min(datagram.ulen, len(data)) - 8)


def read_application(data: bytes) -> Read | None:
    return read_tls(data) or read_http(data)


def read_tls(data: bytes) -> Read | None:
    """One record, or as much of it as this packet has."""
    length = int.from_bytes(data[3:5])
    if len(data) < 5 or data[0] not in CONTENT or data[1] != 3 or length > LONGEST_RECORD:
        return None
    fields = {
        "content": CONTENT[data[0]],
        "version": f"0x{data[1:3].hex()}",
        "length": length,
    }
    message = HANDSHAKE.get(data[5:6]) if data[0] == 22 else None
    if message:
        fields["message"] = message
    if name := server_name(data):
        fields["server_name"] = name
    return Read("TLS", fields, 5, min(length, len(data) - 5))


def read_http(data: bytes) -> Read | None:
    """The head of a request or a response, or its beginning where it goes on in other packets."""
    if match := REQUEST.match(data):
        fields = dict(zip(["method", "target", "version"], text(*match.groups()), strict=True))
    elif match := RESPONSE.match(data):
        fields = dict(zip(["version", "status", "reason"], text(*match.groups()), strict=True))
    else:
        return None
    head, _, body = data.partition(b"\r\n\r\n")
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        fields.update([text(name.strip(), value.strip())])
    return Read("HTTP", fields, len(data) - len(body), len(body))


def text(*values: bytes) -> list[str]:
    return [value.decode("latin-1") for value in values]


ABOVE_IP: dict[int, Reader] = {ip.IP_PROTO_TCP: read_tcp, ip.IP_PROTO_UDP: read_udp}
