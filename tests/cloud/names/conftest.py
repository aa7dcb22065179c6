"""A small world on loopback for the tests of names and trust: no mock, no AWS, no internet."""

import os
import socket
import ssl
import subprocess
import sys
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from labs.cloud import environment, names, trust
from labs.cloud.mock.book import Book
from labs.cloud.mock.curl_proxy import CurlProxy
from labs.cloud.names import labs_names

BALANCER = "web-1.us-east-1.elb.amazonaws.com"
DEAD_BALANCER = "dead-2.us-east-1.elb.amazonaws.com"
API = "abc123.execute-api.us-east-1.amazonaws.com"
GUARD = Path(__file__).parent / "guard"
CHECKOUT = Path(__file__).parents[3]

STS = """<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
<GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/mock</Arn><UserId>X</UserId>
<Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"""
S3 = """<ListAllMyBucketsResult><Owner><ID>mock</ID></Owner><Buckets></Buckets>
</ListAllMyBucketsResult>"""


@dataclass
class Whoami:
    """A server that says which one it is, and remembers who asked."""

    name: str
    tls: ssl.SSLContext | None = None
    seen: list[tuple[str, str]] = field(default_factory=list)  # (Host, Authorization)

    @contextmanager
    def serving(self) -> Iterator["Whoami"]:
        whoami = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                whoami.seen.append((self.headers["Host"], self.headers.get("Authorization", "")))
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                authorization = self.headers.get("Authorization", "")
                text = f"{whoami.name} {self.command} {self.path} {self.headers['Host']}"
                text = STS if "/sts/" in authorization else text
                text = S3 if "/s3/" in authorization else text
                self.send_response(200)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text.encode())

            do_POST = do_GET

            def log_message(self, *_):
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def finish_request(self, request, client_address):
                if whoami.tls:  # in the client's own thread: a slow handshake holds up nobody
                    request.settimeout(20)
                    request = whoami.tls.wrap_socket(request, server_side=True)
                super().finish_request(request, client_address)

            def handle_error(self, *_):
                pass  # clients that refuse a certificate are part of the tests

        with Server(("127.0.0.1", 0), Handler) as server:
            self.port = server.server_port
            thread = threading.Thread(target=server.serve_forever, args=(0.02,))
            thread.start()
            yield self
            server.shutdown()
            thread.join()


@dataclass
class World:
    """An endpoint, a balancer and an API behind their names, and the environment of a child."""

    folder: Path
    book: Book
    endpoint: Whoami
    secure: Whoami
    web: Whoami
    environ: dict[str, str]

    @property
    def endpoints(self) -> dict[str, int]:
        return {"80": self.endpoint.port, "443": self.secure.port}

    @property
    def hosts(self) -> dict:
        return {
            BALANCER: {"ips": ["198.51.100.7", "198.51.100.8"], "ports": {"80": self.web.port}},
            DEAD_BALANCER: {"ips": ["198.51.100.9"], "ports": {}},
            API: {"ports": {"443": self.secure.port}},
            "203.0.113.5": {"ports": {"8080": self.web.port}},
            "10.1.2.3": {"ports": {"80": self.web.port}},
        }

    @staticmethod
    def shell(**more: str) -> dict[str, str]:
        """This machine's, without any proxy or AWS setting, and guarded against leaks."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.upper().startswith(("AWS_", "LABS_", "CURL_", "SSL_", "REQUESTS_", "BOTO"))
            and not name.lower().endswith("_proxy")
        }
        path = os.pathsep.join([str(GUARD), str(CHECKOUT)])
        return {**kept, "PYTHONPATH": path, **more}

    def start(self, *command, environ=None, **more) -> subprocess.CompletedProcess:
        return subprocess.run(
            list(map(str, command)),
            env=self.environ if environ is None else environ,
            capture_output=True,
            text=True,
            timeout=60,
            stdin=subprocess.DEVNULL,
            **more,
        )

    def python(self, code: str, environ=None, **more) -> str:
        """What a Python child printed; it has ended well and tried to leave this machine never."""
        result = self.start(sys.executable, "-c", code, environ=environ, **more)
        assert result.returncode == 0, result.stderr
        assert "Error in sitecustomize" not in result.stderr
        return result.stdout.strip()


@pytest.fixture(scope="package")
def world(tmp_path_factory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("a folder with spaces")
    tls = trust.server_context(trust.make_ca(folder))
    environment.furnish(folder)
    (folder / "bundle.pem").write_bytes(trust.bundle((folder / "ca.pem").read_bytes(), {}))
    proxy = CurlProxy()
    with (
        Whoami("endpoint").serving() as endpoint,
        Whoami("secure", tls).serving() as secure,
        Whoami("web").serving() as web,
        pytest.MonkeyPatch.context() as patch,
    ):
        book = Book(folder, curl_proxy_port=proxy.start())
        patch.setattr(labs_names, "_path", str(folder / "book.json"))  # the proxy reads it, too
        plain = World.shell()
        url = f"http://127.0.0.1:{endpoint.port}"
        environ = {**plain, **environment.variables(folder, url, plain)}
        world = World(folder, book, endpoint, secure, web, environ)
        yield world
        proxy.stop()


@pytest.fixture(autouse=True)
def _fresh_book(request):
    """Each test that uses the world finds the same book."""
    if "world" in request.fixturenames:
        world = request.getfixturevalue("world")
        world.book.replace(world.endpoints, world.hosts)


@pytest.fixture
def installed(monkeypatch, tmp_path) -> Path:
    """The wrapper in this very process, with a book in which nothing listens; its path."""
    return _install(monkeypatch, tmp_path)


@pytest.fixture(scope="module")
def installed_once(tmp_path_factory) -> Iterator[Path]:
    """As `installed`, for tests that hypothesis runs many times."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        yield _install(monkeypatch, tmp_path_factory.mktemp("book"))


def _install(monkeypatch, folder: Path) -> Path:
    """Install for a while: functions are put back, and the tripwire, which stays, is left out."""
    for name in ("getaddrinfo", "gethostbyname", "gethostbyname_ex", "gethostbyaddr"):
        monkeypatch.setattr(socket, name, getattr(socket, name))
    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, getattr(socket.socket, name))
    monkeypatch.setattr(labs_names, "_real", dict(labs_names._real))
    monkeypatch.setattr(labs_names, "_path", labs_names._path)
    monkeypatch.setattr(labs_names, "_book", (None, {"endpoints": {}, "hosts": {}}))
    monkeypatch.setattr(labs_names, "_resolved", OrderedDict())
    monkeypatch.setattr(sys, "addaudithook", lambda hook: None)
    hosts = {
        BALANCER: {"ips": ["198.51.100.7", "198.51.100.8"], "ports": {"80": 4100}},
        "10.1.2.3": {"ports": {"80": 4100}},
    }
    Book(folder).replace({"80": 4080, "443": 4443}, hosts)
    labs_names.install(folder / "book.json")
    for name in ("getaddrinfo", "gethostbyname"):  # ordinary names: no probe leaves this machine
        real = labs_names._real[name]
        monkeypatch.setitem(labs_names._real, name, _numeric_only(real))
    return folder / "book.json"


def _numeric_only(real):
    def lookup(host, *arguments):
        if host in (None, "localhost", b"localhost") or names.literal(names.text(host)):
            return real(host, *arguments)
        raise socket.gaierror(socket.EAI_NONAME, f"the tests look up nothing: {host!r}")

    return lookup


@dataclass
class Resolver:
    address: str = "93.184.215.14"


@pytest.fixture
def resolver(installed, monkeypatch) -> Resolver:
    """An internet with one name in it."""
    resolver = Resolver()
    numeric = labs_names._real["getaddrinfo"]

    def getaddrinfo(host, *arguments):
        return numeric(resolver.address if host == "ordinary.example" else host, *arguments)

    monkeypatch.setitem(labs_names._real, "getaddrinfo", getaddrinfo)
    monkeypatch.setitem(labs_names._real, "gethostbyname", lambda host: resolver.address)
    return resolver
