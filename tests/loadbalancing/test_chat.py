"""The WebSocket service of the instances: what it says to clients that keep to RFC 6455 or not."""

import ast
import asyncio
import contextlib
import http.client
import socket
import sys
import threading
from pathlib import Path

import pytest
import websocket
from hypothesis import given, settings
from hypothesis import strategies as st

from labs.cloud.mock.instances import user_data
from labs.loadbalancing import chat

TEXT, BINARY, CLOSE, PING, PONG = 0x1, 0x2, 0x8, 0x9, 0xA


@pytest.fixture(scope="module")
def port():
    """Of a chat server in a thread."""
    loop = asyncio.new_event_loop()
    starting = asyncio.start_server(chat.serve, "127.0.0.1", 0)
    server = loop.run_until_complete(starting)
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chat, "name", "one")
        yield server.sockets[0].getsockname()[1]
    for client in list(chat.clients):
        loop.call_soon_threadsafe(client.transport.abort)
    asyncio.run_coroutine_threadsafe(ended(server), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


async def ended(server):
    server.close()
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


@pytest.fixture
def client(port):
    """Connects another client each time; all leave at the end."""
    with contextlib.ExitStack() as stack:

        def connect(**more):
            made = websocket.create_connection(f"ws://127.0.0.1:{port}/", timeout=10, **more)
            stack.callback(made.close)
            return made

        yield connect


def ask(port, method="GET", path="/", **headers):
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as asking:
        asking.request(method, path, headers={k.replace("_", "-"): v for k, v in headers.items()})
        answer = asking.getresponse()
        return answer.status, answer.read()


def code(ws):
    """The status code of the close frame that comes next."""
    kind, data = ws.recv_data()
    assert kind == CLOSE
    return int.from_bytes(data[:2], "big")


def frame(kind, data, *, final=True, mask=True):
    """As a client would send it, or not."""
    first, size = kind | (0x80 if final else 0), len(data) | (0x80 if mask else 0)
    return bytes([first, size]) + (bytes(4) if mask else b"") + data


def test_it_fits_into_user_data_and_amazon_linux():
    script = Path(chat.__file__).read_bytes()
    assert len(script) < user_data.LIMIT / 2
    assert user_data.why_not(script) is None
    tree = ast.parse(script, feature_version=(3, 9))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import)]
    assert {alias.name.split(".")[0] for each in imports for alias in each.names} <= (
        sys.stdlib_module_names
    )


def test_what_one_says_all_hear_with_the_servers_name(client):
    ada, bob = client(), client()
    ada.send("hello")
    assert (ada.recv(), bob.recv()) == ("one: hello", "one: hello")
    bob.send("Grüße 👋")
    assert ada.recv() == "one: Grüße 👋"


def test_who_has_left_hears_nothing_and_others_go_on(client):
    ada, bob, gone = client(), client(), client()
    gone.close()
    bob.shutdown()
    ada.send("anybody?")
    assert ada.recv() == "one: anybody?"


@pytest.mark.parametrize("length", [0, 125, 126, 4_000, chat.LARGEST])
def test_messages_of_every_length(client, length):
    ada = client()
    ada.send("x" * length)
    assert ada.recv() == "one: " + "x" * length


def test_a_ping_has_a_pong_with_the_same_bytes(client):
    ada = client()
    ada.ping("are you there?")
    assert ada.recv_data(control_frame=True) == (PONG, b"are you there?")
    ada.pong("unasked")
    ada.send("on we go")
    assert ada.recv() == "one: on we go"


def test_a_goodbye_has_an_answer_with_the_same_reason(client):
    ada = client()
    ada.send_close(1001, b"going away")
    assert code(ada) == 1001


def test_a_message_may_come_in_pieces_with_a_ping_between(client):
    ada = client()
    ada.sock.sendall(frame(TEXT, b"hell", final=False) + frame(PING, b"?") + frame(0, b"o"))
    assert ada.recv_data(control_frame=True) == (PONG, b"?")
    assert ada.recv() == "one: hello"


@pytest.mark.parametrize(
    "sent, why",
    [
        (frame(TEXT, b"x", mask=False), 1002),
        (frame(TEXT | 0x40, b"x"), 1002),  # an extension that nobody agreed to
        (frame(0, b"x"), 1002),  # the end of nothing
        (frame(TEXT, b"x", final=False) + frame(TEXT, b"y"), 1002),
        (frame(PING, b"x", final=False), 1002),
        (bytes([0x80 | PING, 0x80 | 126, 0, 126]) + bytes(4 + 126), 1002),
        (frame(BINARY, b"x"), 1003),
        (frame(TEXT, b"\xff"), 1007),
        (bytes([0x80 | TEXT, 0x80 | 127]) + (2**62).to_bytes(8, "big"), 1009),
    ],
)
def test_who_breaks_the_rules_is_told_which_and_others_go_on(client, sent, why):
    ada, bob = client(), client()
    ada.sock.sendall(sent)
    assert code(ada) == why
    bob.send("still here")
    assert bob.recv() == "one: still here"


def test_a_message_in_many_pieces_has_a_limit_too(client):
    ada = client()
    piece = bytes([TEXT, 0x80 | 126]) + (16_000).to_bytes(2, "big") + bytes(4) + b"x" * 16_000
    ada.sock.sendall(piece + b"\0" + piece[1:])
    assert code(ada) == 1009


def test_health(port):
    assert ask(port, path="/health") == (200, b"ok\n")


@pytest.mark.parametrize(
    "change",
    [
        {"Upgrade": "h2c"},
        {"Connection": "keep-alive"},
        {"Sec_WebSocket_Version": "8"},
        {"Sec_WebSocket_Key": ""},
        {"Upgrade": ""},
    ],
)
def test_what_asks_for_no_websocket_is_refused(port, change):
    asking = {
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec_WebSocket_Version": "13",
        "Sec_WebSocket_Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    assert ask(port, **asking)[0] == 101
    assert ask(port, **asking | change)[0] == 400
    assert ask(port, "POST", **asking)[0] == 400
    assert ask(port)[0] == 400


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=300))
def test_whatever_comes_others_go_on(port, garbage):
    upgrade = (
        b"GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: x\r\n\r\n"
    )
    for sent in (garbage, upgrade + garbage):
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            connection.sendall(sent)
    assert ask(port, path="/health")[0] == 200


def test_who_does_not_read_does_not_fill_the_memory(port, client, monkeypatch):
    monkeypatch.setattr(chat, "BACKLOG", 100_000)
    deaf, ada = client(sockopt=[(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)]), client()
    for _ in range(2_000):
        ada.send("x" * chat.LARGEST)
        ada.recv()
        if len(chat.clients) < 2:
            break
    assert len(chat.clients) == 1
    deaf.shutdown()
