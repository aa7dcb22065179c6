"""Takes captures and packets apart, layer by layer.

Sources: RFC 791 (IPv4), RFC 8200 (IPv6), RFC 9293 (TCP), RFC 768 (UDP), RFC 8446 (TLS records),
RFC 9112 (HTTP/1.1); tcpdump's file format: "pcap-savefile" manual page.
"""

import io
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import dpkt

from labs.loadbalancing.client_hello import LONGEST, needs_more, server_name
from labs.loadbalancing.packets.packet import Layer, Packet
from labs.loadbalancing.packets.readers import Reader, read_ethernet, read_ip

#: Who reads the outermost layer, by the number of the link type in the file.
OUTERMOST: dict[int, Reader] = {
    dpkt.pcap.DLT_EN10MB: read_ethernet,  # also Wi-Fi, and Linux's loopback
    dpkt.pcap.DLT_RAW: read_ip,
    101: read_ip,  # raw IP as well, where numbers are the same on every system
}
LITTLE_ENDIAN = (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1")  # how such a file begins


class NotACapture(ValueError):
    """This is no capture that can be read here; the message says why."""


def dissect(capture: str | Path | bytes) -> list[Packet]:
    """The packets of a capture, in order, each taken apart.

    capture: the path of a file that `Tap` or `tcpdump -w` wrote, or such a file's bytes.

    Raises NotACapture, and OSError for a path that cannot be read. A packet that makes no sense
    raises nothing: what cannot be read is "data".
    """
    data = capture if isinstance(capture, bytes) else Path(capture).read_bytes()
    try:
        reader = dpkt.pcap.Reader(io.BytesIO(data))
        frames = list(reader)
    except (ValueError, dpkt.Error) as error:
        raise NotACapture(
            f"{where(capture)} is no capture in tcpdump's format ({error}). Wireshark's pcapng has"
            " to be converted: editcap -F pcap from.pcapng to.pcap"
        ) from error
    if frames and not is_whole(data, frames[-1][1]):
        raise NotACapture(
            f"{where(capture)} ends in the middle of packet {len(frames)}. Was it being written?"
        )
    if reader.datalink() not in OUTERMOST:
        raise NotACapture(
            f"{where(capture)} has link type {reader.datalink()}; expected one of"
            f" {', '.join(map(str, OUTERMOST))}. Capture on another interface."
        )
    outermost = OUTERMOST[reader.datalink()]
    begin = float(frames[0][0]) if frames else 0.0
    packets = [
        Packet(number, float(time) - begin, frame, layers(frame, outermost))
        for number, (time, frame) in enumerate(frames, 1)
    ]
    return [with_server_name(packet, packets[index:]) for index, packet in enumerate(packets)]


def is_whole(capture: bytes, last: bytes) -> bool:
    """Whether the last packet has the length that the file gives. dpkt hands over what is there."""
    length = capture[-len(last) - 8 :][:4]
    return int.from_bytes(length, "little" if capture[:4] in LITTLE_ENDIAN else "big") == len(last)


def dissect_frame(frame: bytes, number: int = 1, time: float = 0.0) -> Packet:
    """One Ethernet frame, taken apart. Raises nothing: what cannot be read is "data"."""
    return Packet(number, time, frame, layers(frame, read_ethernet))


def layers(data: bytes, reader: Reader | None) -> tuple[Layer, ...]:
    """The layers of some bytes, outermost first. `reader` knows the outermost."""
    found = []
    offset, end = 0, len(data)
    while offset < end:
        read = reader(data[offset:end]) if reader else None
        if read is None:
            found.append(Layer("data", {}, offset, 0, end - offset))
            break
        found.append(Layer(read.name, read.fields, offset, read.header, read.payload))
        offset += read.header
        if read.name in ("TLS", "HTTP"):  # nothing is above, but another may follow
            offset += read.payload
        else:
            reader, end = read.above, offset + read.payload
    return tuple(found)


def with_server_name(packet: Packet, onwards: Sequence[Packet]) -> Packet:
    """The packet, its ClientHello completed from the next ones where one did not hold it."""
    if "TLS" not in packet or packet["TLS"].fields.get("message") != "ClientHello":
        return packet
    hello = b""
    for later in onwards:
        if len(hello) > LONGEST or (hello and not needs_more(hello)):
            break
        if flow(later) == flow(packet):
            hello += later.payload("TCP")
    if not (name := server_name(hello)):
        return packet
    completed = [
        replace(layer, fields={**layer.fields, "server_name": name})
        if layer is packet["TLS"]
        else layer
        for layer in packet.layers
    ]
    return replace(packet, layers=tuple(completed))


def flow(packet: Packet) -> tuple[object, ...] | None:
    """Addresses and ports, from and to; None for what is not TCP."""
    if "TCP" not in packet:
        return None
    network, transport = packet.layers[packet.names.index("TCP") - 1], packet["TCP"]
    ways = ("source", "destination")
    return (*(network.fields[w] for w in ways), *(transport.fields[f"{w}_port"] for w in ways))


def where(capture: str | Path | bytes) -> str:
    return "What was given" if isinstance(capture, bytes) else f"{capture}"
