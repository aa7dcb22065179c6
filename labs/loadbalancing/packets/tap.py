"""Writes the bytes of a conversation as packets, in tcpdump's file format.

A program sees the bytes of a connection, not the packets that carried them: for those one has to
ask the kernel, as root. So payload and order are real here, and everything below is *synthetic*:
made up, but right by the RFCs: lengths, sequence numbers and checksums can be checked.

Sources: RFC 791 (IPv4), RFC 9293 (TCP), Ethernet II.
"""

import os
import time
from ipaddress import IPv4Address
from pathlib import Path
from types import TracebackType
from typing import Self

from dpkt import ethernet, ip, pcap, tcp

#: Marks our frames: the bit 0x02 in the first byte of an address says that no vendor gave it.
CLIENT_MAC, SERVER_MAC = bytes.fromhex("020000000001"), bytes.fromhex("020000000002")
SEGMENT = 1460  # bytes of payload: Ethernet's 1,500 less 20 for IP and 20 for TCP
MAXIMUM_SEGMENT_SIZE = bytes([tcp.TCP_OPT_MSS, 4]) + SEGMENT.to_bytes(2)  # the option in a SYN


class Tap:
    """A capture in the making. The file is there once the tap is closed, and whole.

    Not for several threads at once. Raises OSError where nothing can be written at `path`.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._unfinished = self.path.with_name(f"{self.path.name}.{os.getpid()}.part")
        self._file = self._unfinished.open("wb")
        self._writer = pcap.Writer(self._file)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Finish the file. What is written after that is lost."""
        if not self._file.closed:
            self._file.close()
            self._unfinished.replace(self.path)

    def write(self, frame: bytes) -> None:
        """Add one packet, at the present time."""
        if not self._file.closed:
            self._writer.writepkt(frame, time.time())

    def conversation(
        self, client: tuple[str, int], server: tuple[str, int]
    ) -> tuple["Speaker", "Speaker"]:
        """A TCP connection between two (IPv4 address, port), opened by the client: both ends.

        Raises ValueError for an address that is not IPv4.
        """
        ours = Speaker(self, CLIENT_MAC, client, sequence=1_000)
        theirs = Speaker(self, SERVER_MAC, server, sequence=9_000)
        ours.other, theirs.other = theirs, ours
        ours._say(tcp.TH_SYN, options=MAXIMUM_SEGMENT_SIZE)
        theirs._say(tcp.TH_SYN | tcp.TH_ACK, options=MAXIMUM_SEGMENT_SIZE)
        ours._say(tcp.TH_ACK)
        return ours, theirs


class Speaker:
    """One end of a conversation: what it says is written down, and the other end acknowledges."""

    other: "Speaker"

    def __init__(self, tap: Tap, mac: bytes, address: tuple[str, int], sequence: int) -> None:
        self.tap, self.mac, self.sequence = tap, mac, sequence
        self.address, self.port = IPv4Address(address[0]).packed, address[1]
        self.packets = 0

    def send(self, data: bytes) -> None:
        """Say something, in as many segments as it needs."""
        for start in range(0, len(data), SEGMENT):
            self._say(tcp.TH_PUSH | tcp.TH_ACK, data[start : start + SEGMENT])
        if data:
            self.other._say(tcp.TH_ACK)

    def end(self) -> None:
        """Say nothing more (FIN)."""
        self._say(tcp.TH_FIN | tcp.TH_ACK)
        self.other._say(tcp.TH_ACK)

    def reset(self) -> None:
        """Break off (RST)."""
        self._say(tcp.TH_RST | tcp.TH_ACK)

    def _say(self, flags: int, data: bytes = b"", options: bytes = b"") -> None:
        segment = tcp.TCP(
            sport=self.port,
            dport=self.other.port,
            seq=self.sequence % 2**32,
            ack=self.other.sequence % 2**32 if flags & tcp.TH_ACK else 0,
            off=5 + len(options) // 4,  # in words of 4 bytes
            flags=flags,
            opts=options,
            data=data,
        )
        packet = ip.IP(
            src=self.address,
            dst=self.other.address,
            p=ip.IP_PROTO_TCP,
            id=self.packets % 2**16,
            df=1,
            data=segment,
        )
        packet.len = len(packet)
        frame = ethernet.Ethernet(
            src=self.mac, dst=self.other.mac, type=ethernet.ETH_TYPE_IP, data=packet
        )
        self.tap.write(bytes(frame))  # dpkt fills in both checksums
        self.packets += 1
        self.sequence += len(data) + bool(flags & (tcp.TH_SYN | tcp.TH_FIN))  # both count as one
