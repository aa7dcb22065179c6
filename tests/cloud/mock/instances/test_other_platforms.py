"""What macOS and Windows do otherwise, as far as Linux can pretend to be them."""

import pytest

from labs.cloud import names
from labs.cloud.mock.book import Book
from labs.cloud.mock.instances import addresses
from tests.cloud.mock.instances.conftest import SEES


@pytest.fixture
def one_loopback(cloud, monkeypatch):
    """As on macOS: nothing can call from these, since this machine does not have them."""
    pairs = ((f"198.18.0.{n}", f"198.18.1.{n}") for n in range(1, 99))
    monkeypatch.setattr(cloud.instances, "_loopbacks", pairs)
    return cloud


def test_with_127_0_0_1_alone_servers_and_local_clients_work(one_loopback):
    instance = one_loopback.run(
        SEES.replace(
            "http.server.ThreadingHTTPServer", "server = http.server.ThreadingHTTPServer"
        ).replace(".serve_forever()", "")
        + "import threading, urllib.request\n"
        "threading.Thread(target=server.serve_forever).start()\n"
        "print('local', urllib.request.urlopen('http://localhost/').read())\n"
    ).listens()
    assert instance.get().startswith("203.0.113.5 203.0.113.5 ")
    instance.says("local b'127.0.0.1 ")


def test_with_127_0_0_1_alone_an_instance_looks_like_the_learner(one_loopback):
    server = one_loopback.run(SEES).listens()
    code = f"import urllib.request as r\nprint('->', r.urlopen('http://{server.private}/').read())"
    one_loopback.run(code).says("-> b'203.0.113.5 ")


@pytest.fixture
def refusing(cloud, tmp_path):
    """An environment in which the silent port refuses, as it does on Windows."""
    hosts = {"203.0.113.99": {"ips": ["203.0.113.99"], "ports": {}, "open": []}}
    Book(tmp_path).replace({}, hosts, {"learner": addresses.LEARNER}, names.refusing_port())
    return {"LABS_ADDRESS_BOOK": str(tmp_path / "book.json")}


def test_where_the_system_refuses_the_wrapper_waits(cloud, refusing):
    code = """
    import socket, time
    began = time.monotonic()
    try:
        socket.create_connection(("203.0.113.99", 80), 0.3)
    except TimeoutError:
        print(time.monotonic() - began >= 0.29)
    sock = socket.socket()
    sock.settimeout(0.2)
    print(sock.connect_ex(("203.0.113.99", 80)) != 0)
    """
    assert cloud.python(code, **refusing).split() == ["True", "True"]


def test_on_windows_a_non_blocking_socket_is_not_connected_at_all(cloud, refusing):
    code = """
    import socket, sys
    sys.platform = "win32"
    sock = socket.socket()
    sock.setblocking(False)
    try:
        sock.connect(("203.0.113.99", 80))
    except BlockingIOError as error:
        print("in progress", sock.getsockname()[1])
    """
    assert cloud.python(code, **refusing) == "in progress 0"


def test_the_proactor_loop_of_windows_waits_in_silence(cloud, refusing):
    code = """
    import asyncio, socket
    from asyncio.proactor_events import BaseProactorEventLoop
    import labs_names

    async def connect_in_c(self, sock, address):
        raise AssertionError("connected")

    BaseProactorEventLoop.sock_connect = connect_in_c
    labs_names.wrap_proactor()
    connecting = BaseProactorEventLoop.sock_connect(None, socket.socket(), ("203.0.113.99", 80))
    try:
        asyncio.run(asyncio.wait_for(connecting, 0.2))
    except TimeoutError:
        print("silent")
    """
    assert cloud.python(code, **refusing) == "silent"


def test_the_proactor_loop_of_windows_takes_the_header_off(cloud):
    """Its `accept` is C's: it gives a future of a connection and its peer."""
    cloud.run(
        """
        import asyncio, socket, sys, types

        class IocpProactor:
            _loop = None

            def accept(self, listener):
                async def accepted():
                    connection, peer = socket._socket.socket._accept(listener)
                    connection = socket.socket(fileno=connection)
                    return connection, peer
                return asyncio.ensure_future(accepted())

        sys.modules["asyncio.windows_events"] = types.SimpleNamespace(IocpProactor=IocpProactor)
        import labs_instance
        labs_instance.wrap_proactor()
        server = socket.create_server(("", 80))
        client = socket.create_connection(("localhost", 80))

        async def main():
            connection, peer = await IocpProactor().accept(server)
            print("peer", peer[0], connection.getpeername()[0])

        asyncio.run(main())
        """
    ).says("peer 127.0.0.1 127.0.0.1")
