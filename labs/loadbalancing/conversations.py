"""What lesson 11 listens to: a web server that says little, and what its conversations weigh."""

import ssl
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPSConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from labs.loadbalancing.packets import Packet

MOST_BYTES = 10_000_000  # of one answer
PATIENCE_SECONDS = 10  # with a client that says nothing


# A web server


@dataclass(frozen=True)
class WebServer:
    """A web server of this machine. heard: the head of each request, as the server read it."""

    port: int
    heard: list[str] = field(default_factory=list)


class Handler(BaseHTTPRequestHandler):
    """Answers GET /bytes/N with N bytes, any other GET with `ok`."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one segment, where they fit
    timeout = PATIENCE_SECONDS

    def do_GET(self) -> None:
        self.server.web_server.heard.append(f"{self.requestline}\n{self.headers}".rstrip())
        kind, _, number = self.path.removeprefix("/").partition("/")
        wanted = int(number) if kind == "bytes" and number.isdecimal() else None
        body = b"ok" if wanted is None else b"." * min(wanted, MOST_BYTES)
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing: the notebook shows what was heard."""


class Listening(ThreadingHTTPServer):
    """The sockets of a web server, with or without TLS."""

    daemon_threads = True

    def __init__(self, tls: ssl.SSLContext | None) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.web_server = WebServer(self.server_port)
        if tls is not None:
            # The handshake waits for the thread of its own that each connection gets.
            self.socket = tls.wrap_socket(
                self.socket, server_side=True, do_handshake_on_connect=False
            )

    def handle_error(self, *_: object) -> None:
        """A client that left, or speaks no TLS, is no matter."""


@contextmanager
def web_server(tls: ssl.SSLContext | None = None) -> Iterator[WebServer]:
    """`with web_server() as server:` listens on `server.port` of 127.0.0.1, as long as it takes.

    tls: a context with a certificate, for HTTPS. Answers come from threads of their own.
    """
    with Listening(tls) as listening:
        thread = Thread(target=listening.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield listening.web_server
        finally:
            listening.shutdown()
            thread.join()


def fetch(port: int, path: str, tls: ssl.SSLContext | None = None) -> bytes:
    """The body of the answer to one GET, over a connection of its own to localhost.

    tls: a context that trusts the server, for HTTPS. Raises OSError, http.client.HTTPException.
    """
    connection = (
        HTTPSConnection("localhost", port, context=tls)
        if tls
        else HTTPConnection("localhost", port)
    )
    with closing(connection):
        connection.request("GET", path)
        return connection.getresponse().read()


# Bytes by layer


@dataclass(frozen=True)
class Weights:
    """The bytes of a conversation, both ways.

    lower: headers of Ethernet, IP and TCP. upper: what TCP carried besides the body, so HTTP's
    heads, and TLS where there is any. body: what the client wanted.
    """

    lower: int
    upper: int
    body: int

    @property
    def total(self) -> int:
        return self.lower + self.upper + self.body


def weigh(packets: Iterable[Packet], body: int) -> Weights:
    """What a conversation weighs that brought a body of so many bytes.

    Behind TLS, nobody can tell from a capture which bytes are body: hence the argument.
    """
    total = carried = 0
    for packet in packets:
        total += len(packet.data)
        carried += packet["TCP"].payload if "TCP" in packet else 0
    return Weights(total - carried, carried - body, body)
