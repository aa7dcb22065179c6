"""Lesson 11: decode headers, say who can read what, mend a capture with swapped ports."""

import re
from collections.abc import Callable, Collection, Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from dpkt import Error as DpktError
from dpkt import ip, tcp

from labs.exercises import Exercise, NotTried, NotYet
from labs.loadbalancing.packets import Packet, dissect_frame
from labs.loadbalancing.staging import colleague

NEEDS = {
    "11.2": ("asking",),
    "11.3": ("packets", "captures"),
    "11.4": ("captures", "server_tls", "client_tls"),  # TLS for the experiment below it
}

# 11.1: decode the bytes of two headers

FLAGS = {
    "FIN": tcp.TH_FIN,
    "SYN": tcp.TH_SYN,
    "RST": tcp.TH_RST,
    "PSH": tcp.TH_PUSH,
    "ACK": tcp.TH_ACK,
    "URG": tcp.TH_URG,
    "ECE": tcp.TH_ECE,
    "CWR": tcp.TH_CWR,
}
#: Key of the answer -> where the lesson says how to find it.
TOLD = {
    "version": "the IP header's table, byte 0: how does one byte hold two numbers?",
    "header_bytes": "the IP header's table, byte 0: in what does it count?",
    "total_length": "the IP header's table, and which of two bytes weighs more. It need not be the"
    " number of bytes you were given: a short frame is filled up at the end.",
    "protocol": "the IP header's table: one byte, as a number.",
    "source": "the IP header's table: four bytes, each a number of its own.",
    "destination": "the IP header's table: four bytes, each a number of its own.",
    "source_port": "where the TCP header begins: right after an IP header, however long that is.",
    "destination_port": "the TCP header's table, counted from where that header begins.",
    "flags": "the byte of the flags in the TCP header: which of its bits are 1? A set of names.",
}


@dataclass(frozen=True)
class Hidden:
    """A packet to decode: what is special about it, its bytes, and what is in it."""

    what: str
    data: bytes
    told: dict[str, Any]


def hidden(
    what: str,
    source: tuple[str, int],
    destination: tuple[str, int],
    flags: str,
    *,
    ip_options: bytes = b"",
    tcp_options: bytes = b"",
    payload: bytes = b"",
    filled_up: int = 0,
) -> Hidden:
    """Make a packet, from its IP header on. Options in multiples of four bytes."""
    bits = sum(FLAGS[name] for name in flags.split())
    segment = tcp.TCP(
        sport=source[1],
        dport=destination[1],
        seq=0x01020304,
        ack=0x0A0B0C0D,
        off=5 + len(tcp_options) // 4,
        flags=bits,
        win=0x2277,
        opts=tcp_options,
        data=payload,
    )
    packet = ip.IP(
        src=ip_address(source[0]).packed,
        dst=ip_address(destination[0]).packed,
        hl=5 + len(ip_options) // 4,
        p=ip.IP_PROTO_TCP,
        ttl=63,
        id=0x1234,
        opts=ip_options,
        data=segment,
    )
    packet.len = len(packet)
    told = {
        "version": 4,
        "header_bytes": 20 + len(ip_options),
        "total_length": packet.len,
        "protocol": 6,
        "source": source[0],
        "destination": destination[0],
        "source_port": source[1],
        "destination_port": destination[1],
        "flags": set(flags.split()),
    }
    return Hidden(what, bytes(packet) + bytes(filled_up), told)


def hidden_packets() -> Iterator[Hidden]:
    """From the plainest to the oddest."""
    yield hidden(
        "a plain packet",
        ("192.0.2.77", 50_123),
        ("198.51.100.9", 443),
        "PSH ACK",
        payload=b"GET / HTTP/1.1\r\nHost: example\r\n\r\n" + b"." * 700,
    )
    yield hidden(
        "a SYN, with TCP options",
        ("10.1.2.3", 1_025),
        ("203.0.113.200", 8_080),
        "SYN",
        tcp_options=bytes.fromhex("020405b401010402"),
    )
    yield hidden(
        "a packet whose IP header has options (router alert)",
        ("172.31.255.4", 80),
        ("192.0.2.1", 61_000),
        "FIN ACK",
        ip_options=bytes.fromhex("94040000"),
        payload=b"bye",
    )
    yield hidden(
        "a packet with IP options of 40 bytes, the most there can be",
        ("8.8.4.4", 53),
        ("255.0.0.1", 65_535),
        "RST URG ECE",
        ip_options=bytes([7, 39, 4, *range(36), 0]),
        tcp_options=bytes.fromhex("01010101"),
    )
    yield hidden(
        "a short packet, its frame filled up with zeros",
        ("192.0.2.3", 22),
        ("192.0.2.4", 40_000),
        "CWR ACK",
        filled_up=6,
    )


def check_decode(aws: Any, decode: Any) -> None:
    """Call the function with packets that the learner has not seen."""
    if not callable(decode):
        raise NotYet(
            found=f"{type(decode).__name__}, which cannot be called",
            expected="the function itself: `decode`, without parentheses",
            look_at="the line of the check.",
        )
    for packet in hidden_packets():
        given = decoded(decode, packet)
        for key, right in packet.told.items():
            if not is_same(key, given[key], right):
                raise NotYet(
                    found=f"in {packet.what}, `{key}` is {given[key]!r}. The packet, to try it:"
                    f" `decode(bytes.fromhex({shortened(packet.data).hex(' ', 4)!r}))`",
                    expected=f"`{key}` is {in_order(right)}",
                    look_at=TOLD[key],
                )


def decoded(decode: Callable[[bytes], Any], packet: Hidden) -> dict[str, Any]:
    """What the learner's function says of a packet. Raises NotTried, NotYet."""
    try:
        with redirect_stdout(StringIO()):  # five dictionaries, if it prints, would hide the verdict
            given = decode(packet.data)
    except Exception as stopped:  # whatever a learner's code raises
        raise NotYet(
            found=f"in {packet.what}, your function stopped: {type(stopped).__name__}: {stopped}",
            expected="a dictionary for each packet",
            look_at="the line that the error names, in"
            f" `decode(bytes.fromhex({shortened(packet.data).hex(' ', 4)!r}))`",
        ) from None
    if not isinstance(given, dict):
        raise NotYet(
            found=f"your function gives {type(given).__name__}",
            expected="a dictionary, as in the cell you were given",
            look_at="the `return` of your function.",
        )
    blank = [key for key in packet.told if given.get(key, ...) in (None, ...)]
    if set(blank) >= set(packet.told) - {"version"}:
        raise NotTried
    if blank:
        raise NotYet(
            found=f"no answer yet for {', '.join(f'`{key}`' for key in blank)}",
            expected="a value for each key of the dictionary",
            look_at="the two tables of the headers.",
        )
    return given


def is_same(key: str, given: Any, right: Any) -> bool:
    """Numbers as numbers; addresses also as ipaddress has them; flags in any collection."""
    if key == "flags":
        return flag_names(given) == right
    if isinstance(right, str):
        return str(given) == right
    return isinstance(given, int) and not isinstance(given, bool) and given == right


def flag_names(given: Any) -> set[str]:
    """The names in a set, list, or text such as "SYN|ACK"; unlike any flag where it is none."""
    if isinstance(given, str):
        return set(re.findall(r"[A-Z]+", given.upper()))
    if isinstance(given, Collection):
        return {name.upper() if isinstance(name, str) else "?" for name in given}
    return {"?"}


def in_order(right: Any) -> str:
    """A value as Python writes it, a set in the same order each time."""
    if isinstance(right, set):
        return f"{{{', '.join(map(repr, sorted(right)))}}}"
    return repr(right)


def shortened(data: bytes) -> bytes:
    """Headers, and little of a long payload."""
    return data[:104]


DECODE = """\
def decode(packet):
    # Where TCP begins, only IP's own header knows: its length is in words of four bytes.
    header_bytes = (packet[0] & 0x0F) * 4
    segment = packet[header_bytes:]
    names = ["FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"]
    return {
        "version": packet[0] >> 4,
        "header_bytes": header_bytes,
        "total_length": int.from_bytes(packet[2:4]),
        "protocol": packet[9],
        "source": ".".join(map(str, packet[12:16])),
        "destination": ".".join(map(str, packet[16:20])),
        "source_port": int.from_bytes(segment[0:2]),
        "destination_port": int.from_bytes(segment[2:4]),
        "flags": {name for bit, name in enumerate(names) if segment[13] >> bit & 1},
    }
"""

DECODE_BY_STRUCT = """\
import ipaddress
import struct


def decode(packet):
    first, _, total, _, _, _, protocol, _, source, destination = struct.unpack_from(
        "!BBHHHBBHII", packet
    )
    begin = 4 * (first % 16)
    sport, dport, _, _, _, flags = struct.unpack_from("!HHIIBB", packet, begin)
    return {
        "version": first // 16,
        "header_bytes": begin,
        "total_length": total,
        "protocol": protocol,
        "source": ipaddress.ip_address(source),
        "destination": ipaddress.ip_address(destination),
        "source_port": sport,
        "destination_port": dport,
        "flags": "|".join(
            name
            for value, name in {
                1: "fin", 2: "syn", 4: "rst", 8: "psh", 16: "ack", 32: "urg", 64: "ece", 128: "cwr"
            }.items()
            if flags & value
        ),
    }
"""

DECODE_BY_DPKT = """\
from socket import inet_ntoa

import dpkt


def decode(packet):
    header = dpkt.ip.IP(packet)
    bits = ["FIN", "SYN", "RST", "PUSH", "ACK", "URG", "ECE", "CWR"]
    return {
        "version": header.v,
        "header_bytes": header.hl * 4,
        "total_length": header.len,
        "protocol": header.p,
        "source": inet_ntoa(header.src),
        "destination": inet_ntoa(header.dst),
        "source_port": header.data.sport,
        "destination_port": header.data.dport,
        "flags": [n[:3].replace("PUS", "PSH") for n in bits
                  if header.data.flags & getattr(dpkt.tcp, "TH_" + n)],
    }
"""

# 11.2: who can read what

FACTS = {
    "A": "the client's IP address",
    "B": "the server's port",
    "C": "the server's name",
    "D": "the path",
    "E": "the cookie",
    "F": "the status of the answer",
    "G": "about how long the answer is",
}
#: Name of an answer -> who is asked about, the right letters, where to look.
READERS = {
    "headers": (
        "who reads the headers of IP and TCP",
        "ABG",
        "the two tables of section 2, row by row. How long a packet is stands in one of them.",
    ),
    "plain": (
        "who looks at each byte of HTTP",
        "ABCDEFG",
        "what `found` says of `tea.pcap`: what does HTTP hide?",
    ),
    "encrypted": (
        "who looks at each byte of HTTPS without the key",
        "ABCG",
        "what `found` says of `secret.pcap`, and which headers are outside of TLS.",
    ),
    "terminated": (
        "who terminates TLS",
        "ABCDEFG",
        "`server.heard`. Who holds the key has a TCP connection with the client, too.",
    ),
}


def check_readers(aws: Any, *answers: Any) -> None:
    """The letters of the facts, in any order and any collection, for each of four readers."""
    given = dict(zip(READERS, answers, strict=True))
    blank = [f"`{name}`" for name, answer in given.items() if answer is None or answer is ...]
    if blank:
        raise NotYet(
            found=f"no answer yet for {' and '.join(blank)}",
            expected="letters for each of the four, such as `AB`",
            look_at="the list of facts above the cell.",
        )
    for name, (who, right, look_at) in READERS.items():
        letters = letters_of(given[name])
        if letters is None:
            raise NotYet(
                found=f"`{name}` is {given[name]!r}",
                expected="a text of the letters A to G",
                look_at="the list of facts above the cell.",
            )
        too_many, missing = sorted(letters - set(right)), len(set(right) - letters)
        if too_many:
            raise NotYet(
                found=f"you say that {who} learns {FACTS[too_many[0]]} ({too_many[0]})",
                expected=f"in `{name}`, what stands there to be read, and nothing else",
                look_at=look_at,
            )
        if missing:
            raise NotYet(
                found=f"{len(letters)} facts in `{name}`: {''.join(sorted(letters)) or 'none'}",
                expected=f"{missing} more: {who} learns more than that",
                look_at=look_at,
            )


def letters_of(answer: Any) -> set[str] | None:
    """The letters of a text or a collection of letters; None for anything else."""
    if isinstance(answer, Collection) and not isinstance(answer, str):
        answer = "".join(part if isinstance(part, str) else "?" for part in answer)
    if not isinstance(answer, str):
        return None
    letters = set(re.sub(r"[\s,;+]", "", answer).upper())
    return letters if letters <= FACTS.keys() else None


READERS_SOLUTION = """\
headers = "ABG"  # addresses and ports are fields of headers, and so is the length of a packet
plain = "ABCDEFG"  # HTTP hides nothing from who cares to look
encrypted = "ABCG"  # the name stands in the ClientHello, before there is a key; D to F come after
terminated = "ABCDEFG"  # who has the key reads what the client wrote, as the server would"""


def readers(headers: str, plain: str, encrypted: str, terminated: str) -> str:
    """A source with these letters."""
    return (
        f'headers = "{headers}"\nplain = "{plain}"\n'
        f'encrypted = "{encrypted}"\nterminated = "{terminated}"'
    )


# 11.3: mend a capture

COLLEAGUES, MENDED = Path("captures/colleague.pcap"), Path("captures/mended.pcap")


def check_mended(aws: Any) -> None:
    """Read the mended capture, however it came to be, and take it apart."""
    if not MENDED.is_file():
        raise NotTried
    try:
        mended = [frame for _, frame in colleague.read(MENDED)]
    except (ValueError, DpktError) as wrong:
        raise NotYet(
            found=f"{MENDED.as_posix()} cannot be read: {wrong}",
            expected="a capture in tcpdump's format",
            look_at="what wrote that file.",
        ) from None
    lying, true = colleague.lying_frames(), colleague.true_frames()
    if mended == lying:
        raise NotTried
    if len(mended) != len(true):
        raise NotYet(
            found=f"{len(mended)} packets in {MENDED.as_posix()}",
            expected=f"as many as your colleague sent, {len(true)}",
            look_at="what your code does with packets that were right.",
        )
    compare(mended, true, lying)


def compare(mended: list[bytes], true: list[bytes], lying: list[bytes]) -> None:
    """Raises NotYet for the first packet that is not as it should be."""
    for number, (frame, right, given) in enumerate(zip(mended, true, lying, strict=True), 1):
        if frame != right and right == given:
            raise NotYet(
                found=f"packet {number}, which was right, has changed: {difference(frame, right)}",
                expected="what came from the client stays as it was",
                look_at="how your code tells who sent a packet.",
            )
    from_server = [number for number, right in enumerate(true) if right != lying[number]]
    untouched = [number for number in from_server if mended[number] == lying[number]]
    if untouched:
        raise NotYet(
            found=f"{len(untouched)} of the server's {len(from_server)} packets still have the"
            f" client's port as their source, such as packet {untouched[0] + 1}:"
            f" {dissect_frame(mended[untouched[0]], untouched[0] + 1).summary}",
            expected=f"port {colleague.WEB} as the source of each packet of the server's, with"
            " payload or without",
            look_at="how your code tells who sent a packet.",
        )
    for number in from_server:
        if mended[number] != true[number]:
            raise NotYet(
                found=f"packet {number + 1}, from the server:"
                f" {difference(mended[number], true[number])}",
                expected="nothing has changed but the ports, and those are right",
                look_at="`dissect(captures / 'mended.pcap')`, and where in a frame the ports are:"
                " Ethernet, IP and TCP, one header after the other.",
            )


def difference(frame: bytes, right: bytes) -> str:
    """What is wrong with a frame, in words."""
    packet, wanted = dissect_frame(frame), dissect_frame(right)
    if len(frame) != len(right):
        return f"{len(frame)} bytes instead of {len(right)}"
    for name in ("Ethernet", "IPv4", "TCP"):
        if name not in packet:
            return f"no {name} header where there was one"
        for field, value in wanted[name].fields.items():
            if (found := packet[name].fields[field]) != value and field != "checksum":
                return f"{field.replace('_', ' ')} is {found}"
    return "its checksum is wrong" if same_payload(packet, wanted) else "its payload is another"


def same_payload(one: Packet, other: Packet) -> bool:
    return one.payload("TCP") == other.payload("TCP")


def mending(body: str) -> str:
    """A source whose function has this body."""
    return f"""\
def mended(frame):
{body}


colleague.rewrite(captures / "colleague.pcap", captures / "mended.pcap", mended)
"""


SERVER_ADDRESS = "frame[26:30] == bytes([198, 51, 100, 20])"
MEND = mending(f"""\
    # Ethernet has 14 bytes; IP's source is 12 bytes further; TCP's ports come after IP's 20 bytes.
    # Only the address tells who sent a packet: a SYN or an ACK has no payload to ask.
    if {SERVER_ADDRESS}:
        return frame[:34] + frame[36:38] + frame[34:36] + frame[38:]
    return frame""")
MEND_BY_DPKT = """\
from dpkt.ethernet import Ethernet


def mended(frame):
    ethernet = Ethernet(frame)
    segment = ethernet.ip.tcp
    if ethernet.ip.src == bytes([198, 51, 100, 20]):
        segment.sport, segment.dport = segment.dport, segment.sport
    return bytes(ethernet)


colleague.rewrite(captures / "colleague.pcap", captures / "mended.pcap", mended)
"""
MEND_IN_PLACE = """\
import sys

data = bytearray((captures / "colleague.pcap").read_bytes())
at = 24
while at < len(data):
    length = int.from_bytes(data[at + 8 : at + 12], sys.byteorder)
    frame = at + 16
    if data[frame + 26 : frame + 30] == b"\\xc6\\x33\\x64\\x14":
        ports = data[frame + 34 : frame + 38]
        data[frame + 34 : frame + 38] = ports[2:] + ports[:2]
    at = frame + length
(captures / "mended.pcap").write_bytes(data)
"""
SWAP = "return frame[:34] + frame[36:38] + frame[34:36] + frame[38:]"


EXERCISES = (
    Exercise(
        id="11.1",
        title="decode the headers of IP and TCP",
        kind="build",
        check=check_decode,
        hints=(
            "Which fields are one byte, which two, which half a byte? `>> 4` and `& 0x0F` take a"
            " byte in halves; `int.from_bytes` puts two together.",
            "IHL counts words of four bytes. TCP begins after as many bytes as that makes, and not"
            " always after 20.",
            "For the flags, take byte 13 of TCP's header, and ask for each name whether"
            " `byte & value` is not 0.",
        ),
        solution=DECODE,
        also=(DECODE_BY_STRUCT, DECODE_BY_DPKT),
        wrong={
            DECODE.replace("packet[header_bytes:]", "packet[20:]"): "whose IP header has options",
            DECODE.replace("& 0x0F) * 4", "& 0x0F)").replace(
                "packet[header_bytes:]", "packet[header_bytes * 4:]"
            ): "in what does it count",
            DECODE.replace("packet[2:4]", 'packet[2:4], "little"'): "`total_length` is",
            DECODE.replace("int.from_bytes(packet[2:4])", "len(packet)"): "filled up",
            DECODE.replace('".".join(map(str, packet[12:16]))', "packet[12:16].hex()"): "`source`",
            DECODE.replace("segment[13]", "segment[12]"): "`flags`",
            DECODE.replace(
                "{name for bit, name in enumerate(names) if segment[13] >> bit & 1}", "segment[13]"
            ): "a set of names",
            DECODE.replace("packet[9]", "..."): "no answer yet for `protocol`",
            DECODE.replace("packet[0] >> 4", "packet[0]"): "`version` is 69",
            DECODE.replace("return {", "print({").replace("    }\n", "    })\n"): "NoneType",
            DECODE.replace("packet[9]", "packet.protocol"): "AttributeError",
        },
    ),
    Exercise(
        id="11.2",
        title="say who can read what",
        kind="explain",
        check=check_readers,
        hints=(
            "For each fact: in which layer does it stand? Is that layer inside TLS, or outside?",
            "What a client has to say before there is a key, it says in the clear.",
            "A length is not a content: encryption hides what was said, and hardly how much.",
        ),
        solution=READERS_SOLUTION,
        also=(
            readers("b, a, g", "gfedcba", "A B C G", "abcdefg"),
            'headers, plain = {"A", "B", "G"}, list("ABCDEFG")\n'
            'encrypted, terminated = ("G", "C", "B", "A"), set("ABCDEFG")',
        ),
        wrong={
            readers("AB", "ABCDEFG", "ABCG", "ABCDEFG"): "1 more",
            readers("ABCG", "ABCDEFG", "ABCG", "ABCDEFG"): "the server's name (C)",
            readers("ABG", "ABCDEFG", "ABG", "ABCDEFG"): "`encrypted`",
            readers("ABG", "ABCDEFG", "ABCDG", "ABCDEFG"): "the path (D)",
            readers("ABG", "ABCDEFG", "CG", "ABCDEFG"): "2 more",
            readers("ABG", "ABG", "ABCG", "ABCDEFG"): "what does HTTP hide",
            readers("ABG", "ABCDEFG", "ABCG", "CDEFG"): "with the client, too",
            readers("address and port", "ABCDEFG", "ABCG", "ABCDEFG"): "the letters A to G",
            readers("ABG", "ABCDEFG", "ABCG", "ABCDEFG").replace('"ABCG"', "..."): "no answer yet",
        },
    ),
    Exercise(
        id="11.3",
        title="mend a capture with swapped ports",
        kind="repair",
        check=check_mended,
        hints=(
            "Which packets are wrong? What in them is right, and tells who sent them?",
            "A frame begins with 14 bytes of Ethernet. The tables of section 2 count from there.",
            "So the source address is at 26 to 29, and the two ports are at 34 to 37. Put a frame"
            " together from slices, if it is the server's.",
        ),
        solution=MEND,
        also=(MEND_BY_DPKT, MEND_IN_PLACE),
        wrong={
            mending(f"    {SWAP}"): "which was right, has changed",
            mending(f"    if b'HTTP/1.1 200' in frame:\n        {SWAP}\n    return frame"): "with"
            " payload or without",
            mending(
                f"    if {SERVER_ADDRESS}:\n"
                "        return frame[:20] + frame[22:24] + frame[20:22] + frame[24:]\n"
                "    return frame"
            ): "Ethernet, IP and TCP, one header after the other",
            mending(
                f"    if {SERVER_ADDRESS}:\n"
                "        return frame[:26] + frame[30:34] + frame[26:30] + frame[34:]\n"
                "    return frame"
            ): "source is 192.0.2.10",
            mending(
                f"    if {SERVER_ADDRESS}:\n"
                "        return frame[:34] + bytes([0, 80, 0, 80]) + frame[38:]\n"
                "    return frame"
            ): "destination port is 80",
            mending(
                f"    if {SERVER_ADDRESS}:\n        {SWAP.replace(' + frame[38:]', '')}\n"
                "    return frame"
            ): "bytes instead of",
        },
    ),
)
