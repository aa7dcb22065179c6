"""What is written is a conversation that any reader of captures accepts."""

import contextlib
import http.client
import http.server
import io
import socket
import ssl
import struct
import threading

import dpkt
import pytest
import trustme

from labs.loadbalancing.closing import CLOSE_AT_ONCE
from labs.loadbalancing.packets import Tap, dissect, record

CLIENT, SERVER = ("203.0.113.5", 49_152), ("10.0.0.20", 80)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a talk.pcap"


def frames(path):
    return [frame for _, frame in dpkt.pcap.Reader(io.BytesIO(path.read_bytes()))]


def test_conversation_opens_talks_and_ends(path):
    with Tap(path) as tap:
        client, server = tap.conversation(CLIENT, SERVER)
        client.send(b"question")
        server.send(b"answer")
        client.end()
        server.end()
    packets = dissect(path)
    said = [(p["TCP"].fields["source_port"], p["TCP"].fields["flags"]) for p in packets]
    assert said == [
        (49_152, "SYN"),
        (80, "SYN ACK"),
        (49_152, "ACK"),
        (49_152, "PSH ACK"),
        (80, "ACK"),
        (80, "PSH ACK"),
        (49_152, "ACK"),
        (49_152, "FIN ACK"),
        (80, "ACK"),
        (80, "FIN ACK"),
        (49_152, "ACK"),
    ]
    assert packets[3].payload("TCP") == b"question"
    assert packets[3]["IPv4"].fields["source"] == CLIENT[0]
    assert packets[3]["IPv4"].fields["destination"] == SERVER[0]
    assert all(packet.synthetic for packet in packets)


def test_sequence_numbers_count_bytes_and_each_is_acknowledged(path):
    with Tap(path) as tap:
        client, server = tap.conversation(CLIENT, SERVER)
        client.send(bytes(4_000))
        server.send(bytes(10))
        server.end()
    expected = {}
    for packet in dissect(path):
        tcp = packet["TCP"].fields
        port, other = tcp["source_port"], tcp["destination_port"]
        assert tcp["sequence"] == expected.get(port, tcp["sequence"])
        counts = packet["TCP"].payload + ("SYN" in tcp["flags"]) + ("FIN" in tcp["flags"])
        expected[port] = tcp["sequence"] + counts
        if tcp["acknowledgement"]:
            assert tcp["acknowledgement"] == expected[other]
    assert tcp["acknowledgement"] == expected[80]


def test_long_message_is_cut_into_segments_that_fit_ethernet(path):
    sent = bytes(range(256)) * 20
    with Tap(path) as tap:
        tap.conversation(CLIENT, SERVER)[0].send(sent)
    segments = [p.payload("TCP") for p in dissect(path) if p["TCP"].payload]
    assert b"".join(segments) == sent
    assert [len(segment) for segment in segments] == [1460, 1460, 1460, 740]
    assert max(map(len, frames(path))) == 1514


def ones_complement_sum(data):
    """RFC 1071: 0xffff over bytes that hold their own right checksum."""
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def test_checksums_are_right(path):
    with Tap(path) as tap:
        client, server = tap.conversation(CLIENT, SERVER)
        client.send(b"odd")
        server.reset()
    for frame in frames(path):
        header, segment = frame[14:34], frame[34:]
        assert ones_complement_sum(header) == 0xFFFF
        pseudo_header = frame[26:34] + struct.pack(">HH", 6, len(segment))
        assert ones_complement_sum(pseudo_header + segment) == 0xFFFF


def test_file_is_there_when_it_is_whole(path):
    tap = Tap(path)
    tap.conversation(CLIENT, SERVER)
    assert not path.exists()
    tap.close()
    tap.close()
    assert len(dissect(path)) == 3
    assert list(path.parent.iterdir()) == [path]


def test_folder_that_is_not_there_is_said(tmp_path):
    with pytest.raises(FileNotFoundError):
        Tap(tmp_path / "none" / "talk.pcap")


class Greeter(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = b"hi" * int(self.path[1:] or 1)
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture
def served():
    """An HTTP server, its TLS to be put on."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Greeter)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_http_conversation_is_recorded(served, path):
    with record("127.0.0.1", served.server_port, path, server_address="10.0.0.20") as relay:
        talk = http.client.HTTPConnection("127.0.0.1", relay, timeout=5)
        talk.request("GET", "/5000")
        assert len(talk.getresponse().read()) == 10_000
        client_port = talk.sock.getsockname()[1]
        talk.close()
    packets = dissect(path)
    asked = next(packet for packet in packets if "HTTP" in packet)
    assert asked["HTTP"].fields["method"] == "GET"
    assert asked["HTTP"].fields["target"] == "/5000"
    assert asked["TCP"].fields["source_port"] == client_port
    assert asked["TCP"].fields["destination_port"] == served.server_port
    assert asked["IPv4"].fields["destination"] == "10.0.0.20"
    answers = b"".join(
        packet.payload("TCP")
        for packet in packets
        if packet["TCP"].fields["source_port"] == served.server_port
    )
    assert answers.endswith(b"\r\n\r\n" + b"hi" * 5000)
    assert sum("FIN" in packet["TCP"].fields["flags"] for packet in packets) == 2


def test_https_conversation_shows_the_server_name_only(served, path):
    authority = trustme.CA()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("shop.example.com").configure_cert(tls)
    served.socket = tls.wrap_socket(served.socket, server_side=True)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    with (
        record("127.0.0.1", served.server_port, path) as relay,
        socket.create_connection(("127.0.0.1", relay), timeout=5) as plain,
        trusting.wrap_socket(plain, server_hostname="shop.example.com") as talk,
    ):
        talk.sendall(b"GET /7 HTTP/1.1\r\nHost: shop.example.com\r\n\r\n")
        answer = b""
        while not answer.endswith(b"hi" * 7):
            answer += talk.recv(1000)
    packets = dissect(path)
    hello = next(packet for packet in packets if "TLS" in packet)
    assert hello["TLS"].fields["server_name"] == "shop.example.com"
    assert not any("HTTP" in packet for packet in packets)
    assert b"GET" not in path.read_bytes()


def test_client_of_a_target_that_refuses_is_reset_and_not_recorded(path):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    with (
        record("127.0.0.1", port, path) as relay,
        socket.create_connection(("127.0.0.1", relay), timeout=5) as talk,
        contextlib.suppress(ConnectionResetError),
    ):
        assert talk.recv(1) == b""
    assert dissect(path) == []


def test_reset_is_recorded_as_one(served, path):
    with (
        record("127.0.0.1", served.server_port, path) as relay,
        socket.create_connection(("127.0.0.1", relay), timeout=5) as talk,
    ):
        talk.sendall(b"GET /1 HTTP/1.1\r\n\r\n")
        talk.recv(1)
        talk.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, CLOSE_AT_ONCE)
    assert "RST" in " ".join(packet["TCP"].fields["flags"] for packet in dissect(path))


def test_recording_ends_although_a_connection_is_open(served, path):
    with record("127.0.0.1", served.server_port, path) as relay:
        talk = socket.create_connection(("127.0.0.1", relay), timeout=5)
        talk.sendall(b"GET /1 HTTP/1.1\r\n\r\n")
        assert talk.recv(1000)
    talk.close()
    assert not [t for t in threading.enumerate() if t.name == "recording relay"]
    assert any("HTTP" in packet for packet in dissect(path))


def test_address_that_is_none_is_refused_before_anything_is_relayed(path):
    with pytest.raises(ValueError), record("127.0.0.1", 80, path, client_address="here"):
        pass
    assert not path.exists()
