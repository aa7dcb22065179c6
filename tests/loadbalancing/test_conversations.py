"""The web server of lesson 11, and what its conversations weigh."""

import http.client
import socket
import ssl
from concurrent.futures import ThreadPoolExecutor

import pytest
import trustme

from labs.loadbalancing import conversations
from labs.loadbalancing.packets import dissect, record


@pytest.fixture(scope="module")
def tls():
    """(the server's context, the client's)."""
    authority = trustme.CA()
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(server)
    client = ssl.create_default_context()
    authority.configure_trust(client)
    return server, client


def test_server_answers_and_keeps_what_it_heard():
    with conversations.web_server() as server:
        assert conversations.fetch(server.port, "/tea") == b"ok"
        assert conversations.fetch(server.port, "/bytes/300") == b"." * 300
        assert conversations.fetch(server.port, "/bytes/-1") == b"ok"
    assert server.heard[0].startswith("GET /tea HTTP/1.1\nHost: localhost:")
    with pytest.raises(ConnectionRefusedError):
        conversations.fetch(server.port, "/tea")


def test_server_speaks_tls_and_survives_those_who_do_not(tls, capsys):
    with conversations.web_server(tls[0]) as server:
        with pytest.raises((OSError, http.client.HTTPException)):
            conversations.fetch(server.port, "/tea")  # plain text where TLS is expected
        silent = socket.create_connection(("127.0.0.1", server.port))
        with ThreadPoolExecutor(8) as pool, silent:  # nobody waits for one who says nothing
            answers = pool.map(
                lambda _: conversations.fetch(server.port, "/tea", tls[1]), range(16)
            )
            assert set(answers) == {b"ok"}
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("secret", [False, True], ids=["http", "https"])
def test_every_byte_of_a_conversation_is_weighed_once(secret, tls, tmp_path):
    theirs, ours = tls if secret else (None, None)
    path, size = tmp_path / "talk.pcap", 5_000
    with (
        conversations.web_server(theirs) as server,
        record("127.0.0.1", server.port, path) as relay,
    ):
        conversations.fetch(relay, f"/bytes/{size}", ours)
    packets = dissect(path)
    weights = conversations.weigh(packets, size)
    assert weights.total == sum(len(packet.data) for packet in packets)
    assert weights.body == size
    options_of_the_two_syns = 8
    assert weights.lower == 54 * len(packets) + options_of_the_two_syns
    assert 100 < weights.upper < (4_000 if secret else 400)


def test_question_and_answer_are_a_packet_each(tmp_path):
    """The lesson's text counts on it."""
    path = tmp_path / "tea.pcap"
    with conversations.web_server() as server, record("127.0.0.1", server.port, path) as relay:
        conversations.fetch(relay, "/tea")
    spoken = [packet for packet in dissect(path) if packet["TCP"].payload]
    assert [packet.names[-1] for packet in spoken] == ["HTTP", "HTTP"]
    assert spoken[1].payload("HTTP") == b"ok"
