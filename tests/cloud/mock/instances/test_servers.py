"""Ports that a script binds are real: whatever binds them, and whoever calls."""

import socket
import sys

import pytest
import trustme

from tests.cloud.mock.instances.conftest import SEES
from tests.cloud.processes import wait_until

LEARNER = "203.0.113.5"

ASYNCIO = """
import asyncio

async def serve(reader, writer):
    await reader.readuntil(b"\\r\\n\\r\\n")
    seen = writer.get_extra_info("peername")[0]
    writer.write(f"HTTP/1.0 200 OK\\r\\n\\r\\n{seen} ".encode())
    writer.close()

async def main():
    server = await asyncio.start_server(serve, HOST, 80)
    await server.serve_forever()

asyncio.run(main())
"""
WSGIREF = """
from wsgiref.simple_server import make_server

def app(environ, start_response):
    start_response("200 OK", [])
    return [f"{environ['REMOTE_ADDR']} ".encode()]

make_server("", 80, app).serve_forever()
"""
SOCKETSERVER = """
import socketserver

class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        self.rfile.readline()
        self.wfile.write(f"HTTP/1.0 200 OK\\r\\n\\r\\n{self.client_address[0]} ".encode())

socketserver.SERVER(("0.0.0.0", 80), Handler).serve_forever()
"""
CHILD = """
import subprocess, sys
subprocess.Popen([sys.executable, "-c", {code!r}])
"""
FORK = """
import os, socket
server = socket.create_server(("", 80))
if os.fork() == 0:
    os.setsid()
    while True:
        connection, (host, _) = server.accept()
        connection.recv(9999)
        connection.sendall(f"HTTP/1.0 200 OK\\r\\n\\r\\n{host} ".encode())
        connection.close()
"""
TLS = """
import socket, ssl, threading
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain({chain!r})
server = context.wrap_socket(socket.create_server(("", 80)), server_side=True)
while True:
    connection, (host, _) = server.accept()
    connection.recv(9999)
    answer = f"HTTP/1.0 200 OK\\r\\n\\r\\n{{host}} {{connection.getpeername()[0]}}"
    connection.sendall(answer.encode())
    connection.close()
"""
WORKER = """
import os, socket
server = socket.create_server(("", 80), reuse_port=True)
print("up", flush=True)
while True:
    connection, _ = server.accept()
    connection.recv(9999)
    connection.sendall(f"HTTP/1.0 200 OK\\r\\n\\r\\n{os.getpid()}".encode())
    connection.close()
"""
posix = pytest.mark.skipif(sys.platform == "win32", reason="forks")


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(SEES, id="http.server"),
        pytest.param(
            SEES.replace('""', "socket.gethostname()").replace(
                "import http", "import socket, http"
            ),
            id="bound to its name",
        ),
        pytest.param(ASYNCIO.replace("HOST", "None"), id="asyncio, both families"),
        pytest.param(ASYNCIO.replace("HOST", '"0.0.0.0"'), id="asyncio"),
        pytest.param(WSGIREF, id="wsgiref"),
        pytest.param(SOCKETSERVER.replace("SERVER", "TCPServer"), id="socketserver"),
        pytest.param(
            SOCKETSERVER.replace("SERVER", "ForkingTCPServer"), id="forks for each", marks=posix
        ),
        pytest.param(CHILD.format(code=SEES), id="a child that outlives the script"),
        pytest.param(FORK, id="a daemon that inherits the socket", marks=posix),
    ],
)
def test_servers_listen_on_the_port_they_ask_for_and_see_who_calls(cloud, script):
    instance = cloud.run(script).listens()
    for _ in range(2):
        assert instance.get().split()[0] == LEARNER


def test_addresses_are_the_instances_own_on_both_ends(cloud):
    instance = cloud.run(SEES).listens()
    assert instance.get() == f"{LEARNER} {LEARNER} {instance.private} 80"


def test_a_dual_stack_socket_sees_ipv4_callers_as_ipv6_does(cloud):
    instance = cloud.run(
        """
        import http.server, socket, sys

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.wfile.write(f"HTTP/1.0 200 OK\\r\\n\\r\\n{self.client_address}".encode())

        class Server(http.server.HTTPServer):
            address_family = socket.AF_INET6
            def server_bind(self):
                self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
                super().server_bind()

        server = Server(("::", 80), Handler)
        print(server.server_address[:2])
        server.serve_forever()
        """
    ).listens()
    assert instance.get().startswith(f"('::ffff:{LEARNER}', ")
    instance.says("('::', 80)")


def test_tls_begins_behind_the_header(cloud, tmp_path):
    ca = trustme.CA()
    chain = tmp_path / "chain.pem"
    ca.issue_cert("web.example").private_key_and_cert_chain_pem.write_to_path(chain)
    instance = cloud.run(TLS.format(chain=str(chain))).listens()
    code = f"""
    import socket, ssl
    context = ssl._create_unverified_context()
    with context.wrap_socket(socket.create_connection(({instance.public!r}, 80))) as tls:
        tls.sendall(b"GET / HTTP/1.0\\r\\n\\r\\n")
        print(tls.recv(9999).split()[-2:])
    """
    assert cloud.python(code) == str([LEARNER.encode()] * 2)


def test_the_instance_reaches_its_own_servers_whatever_its_groups_say(cloud):
    closed = cloud.make_group("closed")
    cloud.run(
        """
        import asyncio, http.server, socket, subprocess, sys, threading, urllib.request

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                body = " ".join(map(str, (self.client_address[0], *self.connection.getsockname())))
                self.wfile.write(f"HTTP/1.0 200 OK\\r\\n\\r\\n{body}".encode())

        server = http.server.ThreadingHTTPServer(("", 80), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        me = socket.gethostbyname(socket.gethostname())
        for host in ("localhost", "127.0.0.1", me, socket.gethostname()):
            print(host, urllib.request.urlopen(f"http://{host}/").read().decode())

        async def ask():
            reader, writer = await asyncio.open_connection("127.0.0.1", 80)
            writer.write(b"GET / HTTP/1.0\\r\\n\\r\\n")
            return await reader.read()

        print("asyncio", asyncio.run(ask()).split()[-1])
        child = "import urllib.request as r; print('child', r.urlopen('http://localhost').status)"
        subprocess.run([sys.executable, "-c", child])
        try:
            socket.create_connection((me, 81))
        except ConnectionRefusedError:
            print("81 refused")
        print("done")
        """,
        closed,
    ).says("localhost 127.0.0.1 127.0.0.1 80").says("asyncio b'80'").says("child 200").says(
        "81 refused"
    ).says("done")


def test_a_client_that_waits_to_be_spoken_to_is_not_kept_waiting(cloud):
    """The data plane's header is what `accept` waits for; a local client sends none."""
    cloud.run(
        """
        import socket, threading, time
        server = socket.create_server(("", 25))

        def greet():
            connection, _ = server.accept()
            connection.sendall(b"220 hello")

        threading.Thread(target=greet).start()
        began = time.monotonic()
        print(socket.create_connection(("localhost", 25)).recv(99))
        print("fast" if time.monotonic() - began < 2.5 else "slow")
        """
    ).says("b'220 hello'").says("fast")


def test_what_listens_on_127_0_0_1_is_the_instances_own(cloud):
    instance = cloud.run(
        """
        import socket
        one = socket.create_server(("127.0.0.1", 80))
        print("local", socket.create_connection(("localhost", 80)).getpeername()[0])
        try:
            socket.create_connection((socket.gethostname(), 80))
        except ConnectionRefusedError:
            print("refused")
        socket.create_server(("", 81)).accept()
        """
    )
    instance.says("local 127.0.0.1").says("refused").listens(81)
    assert list(instance.ports()) == [81]


def test_a_port_is_one_sockets_and_free_again_when_that_is_closed(cloud):
    instance = cloud.run(
        """
        import errno, socket, subprocess, sys
        first = socket.create_server(("", 80))
        print(first.getsockname())
        try:
            socket.create_server(("", 80))
        except OSError as error:
            print("same process", error.errno == errno.EADDRINUSE)
        child = (
            "import errno, socket\\n"
            "try: socket.create_server(('', 80))\\n"
            "except OSError as error: print('child', error.errno == errno.EADDRINUSE)"
        )
        subprocess.run([sys.executable, "-c", child])
        first.close()
        again = socket.create_server(("", 80))
        print("again")
        try:
            socket.socket().bind(("198.51.100.77", 80))
        except OSError as error:
            print("elsewhere", error.errno == errno.EADDRNOTAVAIL)
        try:
            socket.socket(type=socket.SOCK_DGRAM).bind(("", 53))
        except OSError as error:
            print(error)
        again.close()
        print("closed")
        sys.stdin.read()
        socket.create_server(("", 0)).accept()
        """
    ).says("closed")
    assert "('0.0.0.0', 80)" in instance.console
    for answer in ("same process True", "child True", "again", "elsewhere True", "not UDP port 53"):
        assert answer in instance.console
    assert wait_until(lambda: len(instance.ports()) == 1)
    [(asked, real)] = instance.ports().items()
    assert asked == real  # port 0: the system chose, and that is its number everywhere


@pytest.mark.skipif(sys.platform == "win32", reason="has no SO_REUSEPORT")
def test_workers_that_share_a_port_share_its_clients(cloud):
    instance = cloud.run(
        f"""
        import subprocess, sys
        for _ in range(2):
            worker = subprocess.Popen([sys.executable, "-c", {WORKER!r}], stdout=subprocess.PIPE)
            worker.stdout.readline()
        print("both up")
        """
    ).says("both up")
    cloud.publish()
    code = f"""
    import urllib.request
    url = "http://{instance.public}/"
    print(len({{urllib.request.urlopen(url).read() for _ in range(40)}}))
    """
    assert cloud.python(code) == "2"


def test_a_bad_header_closes_that_connection_and_no_other(cloud):
    instance = cloud.run(SEES).listens()
    real = instance.ports()[80]
    with socket.create_connection(("127.0.0.1", real), 5) as bad:
        bad.sendall(b"\r\n\r\n\0\r\nQUIT\n\x41\x11\0\x0c" + b"\0" * 12)
        assert bad.recv(99) == b""
    with socket.create_connection(("127.0.0.1", real), 5) as plain:
        plain.sendall(b"GET / HTTP/1.0\r\n\r\n")
        assert b"127.0.0.1" in plain.makefile("rb").read()
    assert instance.get().startswith(LEARNER)
