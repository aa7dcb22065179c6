"""What a packet is, once it has been taken apart."""

from collections.abc import Mapping
from dataclasses import dataclass

from labs.loadbalancing.packets.tap import CLIENT_MAC, SERVER_MAC


@dataclass(frozen=True)
class Layer:
    """One layer of a packet.

    name:    "Ethernet", "IPv4", "IPv6", "TCP", "UDP", "TLS" (one record), "HTTP" (a head and what
             follows it); "data" for bytes that are none of these, among them the rest of a TLS
             record or of an HTTP body that began in an earlier packet.
    fields:  those that matter, by name, as a person would write the value.
    offset:  where it begins, in bytes from the beginning of the packet.
    header:  bytes of header. payload: bytes after it, carried for the layer above.
    """

    name: str
    fields: Mapping[str, object]
    offset: int
    header: int
    payload: int


@dataclass(frozen=True)
class Packet:
    """A packet and its layers, outermost first. TLS records in one packet stand side by side.

    number: 1 for the first of a capture. time: seconds since that one. data: all its bytes.
    `packet["TCP"]` is its first layer of that name, KeyError without one; `"TCP" in packet` asks.
    """

    number: int
    time: float
    data: bytes
    layers: tuple[Layer, ...]

    @property
    def names(self) -> list[str]:
        """Of the layers, outermost first."""
        return [layer.name for layer in self.layers]

    @property
    def synthetic(self) -> bool:
        """Whether `packets.tap` made up the lower headers: its hardware addresses tell."""
        return "Ethernet" in self and self.data[6:12] in (CLIENT_MAC, SERVER_MAC)

    def __contains__(self, name: str) -> bool:
        return name in self.names

    def __getitem__(self, name: str) -> Layer:
        if name not in self:
            there = ", ".join(self.names) or "nothing"
            raise KeyError(f"no {name} in packet {self.number}: there is {there}")
        return self.layers[self.names.index(name)]

    def header(self, name: str) -> bytes:
        """The header of its first layer of that name, as bytes."""
        layer = self[name]
        return self.data[layer.offset : layer.offset + layer.header]

    def payload(self, name: str) -> bytes:
        """What that layer carries, as bytes."""
        layer = self[name]
        begin = layer.offset + layer.header
        return self.data[begin : begin + layer.payload]

    @property
    def summary(self) -> str:
        """A line for a list: "4  192.0.2.10:49152 → 198.51.100.20:80  HTTP GET /"."""
        known = [name for name in self.names if name != "data"]
        said = [f"{known[-1]} {gist(self[known[-1]])}".strip()] if known else []
        return "  ".join([str(self.number), *ends(self), *said, f"({len(self.data)} bytes)"])


def ends(packet: Packet) -> list[str]:
    """Who to whom, where both addresses and ports are known."""
    network = next((layer for layer in packet.layers if layer.name.startswith("IP")), None)
    transport = next((layer for layer in packet.layers if layer.name in ("TCP", "UDP")), None)
    if network is None or transport is None:
        return []
    source, destination = (
        f"{network.fields[way]}:{transport.fields[f'{way}_port']}"
        for way in ("source", "destination")
    )
    return [f"{source} → {destination}"]


def gist(layer: Layer) -> str:
    """What a layer says, in a few words."""
    match layer.name:
        case "HTTP" if "method" in layer.fields:
            words = ("method", "target")
        case "HTTP":
            words = ("status", "reason")
        case "TLS":
            words = ("content", "message", "server_name")
        case "TCP":
            words = ("flags",)
        case _:
            words = ()
    return " ".join(str(layer.fields[word]) for word in words if word in layer.fields)
