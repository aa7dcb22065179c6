"""The mock's HTTP front: cheroot around a WSGI app, in the clear and over TLS.

cheroot keeps connections open, which werkzeug's development server does not; it needs help in
four places. It decodes the path (moto needs `%2F` in an S3 key as it was sent), it forgets how a
header was spelt (`x-amz-meta-a_b`) and that it came twice, it writes a small answer in three
packets, and it keeps only ten connections open.
"""

import ssl
import threading
from collections.abc import Callable, Iterable
from typing import Any

from cheroot import server as cheroot_server
from cheroot import wsgi
from cheroot.makefile import MakeFile
from cheroot.ssl import Adapter
from moto.core.request import (
    PRESERVED_HEADER_NAMES_ENVIRON_KEY,
    environ_key_for_header,
    should_preserve_original_header_name,
)

from labs.cloud.mock.gateway import RAW_HEADERS

#: Up to this much of an answer is gathered into one packet train.
GATHERED_BYTES = 1 << 16
#: Idle connections that stay open, one for each client thread and sandbox: beyond these, each
#: request pays for a new connection, over TLS for a handshake. Windows selects among 512.
KEPT_ALIVE = 400


class Gateway(wsgi.Gateway_10):
    """WSGI's view of a request, with the path and header names as they were sent."""

    def get_environ(self) -> dict[str, Any]:
        environ = super().get_environ()
        environ["RAW_URI"] = environ["REQUEST_URI"] = _text(self.req.uri)
        environ["wsgi.input"] = Body(self.req.rfile)
        environ[RAW_HEADERS] = headers = raw_headers(self.req.header_lines)
        environ[PRESERVED_HEADER_NAMES_ENVIRON_KEY] = {
            environ_key_for_header(name): name.lower()
            for name, _ in headers
            if should_preserve_original_header_name(name)
        }
        return environ


def raw_headers(lines: Iterable[bytes]) -> list[tuple[str, str]]:
    """Header lines, checked by cheroot, as (name, value): as spelt, in order, duplicates too.

    A line that begins with white space continues the one before (RFC 9112, section 5.2).
    """
    headers: list[tuple[str, str]] = []
    for line in map(_text, lines):
        if line[0] in " \t" and headers:
            name, value = headers.pop()
            headers.append((name, f"{value} {line.strip()}"))
        elif ":" in line:
            name, _, value = line.partition(":")
            headers.append((name.strip(), value.strip()))
    return headers


class Body:
    """A request's body; half of one, whose client has left, does not pass for the whole."""

    def __init__(self, rfile: Any) -> None:
        self._rfile = rfile

    def read(self, size: int | None = None) -> bytes:
        """Up to `size` bytes, or all. Raises ConnectionAbortedError when the client has left."""
        data = self._rfile.read(size)
        missing = getattr(self._rfile, "remaining", 0)  # a chunked body tells by its last chunk
        if missing and (size is None or len(data) < size):
            raise ConnectionAbortedError(f"the client left, {missing} bytes before its body's end")
        return data


class Recorder:
    """Reads lines from a file, and keeps them."""

    def __init__(self, rfile: Any) -> None:
        self._rfile = rfile
        self.lines: list[bytes] = []

    def readline(self) -> bytes:
        line = self._rfile.readline()
        self.lines.append(line)
        return line


class Request(cheroot_server.HTTPRequest):
    """Keeps its header lines as they came, and sends its answer, if small, in one piece.

    Only the answer is gathered: "100 Continue" is written before `respond` and must not wait.
    """

    header_lines: list[bytes]

    def read_request_headers(self) -> bool:
        recorder = self.rfile = Recorder(self.rfile)
        self.header_lines = recorder.lines
        return super().read_request_headers()

    def respond(self) -> None:
        wfile = self.conn.wfile
        gathered, send = bytearray(), wfile.write

        def write(data: bytes) -> int:
            gathered.extend(data)
            if len(gathered) > GATHERED_BYTES:
                send(bytes(gathered))
                gathered.clear()
            return len(data)

        wfile.write = write
        try:
            super().respond()
        finally:
            del wfile.write
            if gathered:
                send(bytes(gathered))


class Connection(cheroot_server.HTTPConnection):
    RequestHandlerClass = Request


class TLS(Adapter):
    """Wraps connections with a context that picks its certificate by SNI."""

    def __init__(self, context: ssl.SSLContext) -> None:
        super().__init__(certificate=None, private_key=None)
        self.context = context

    def bind(self, sock: Any) -> Any:
        return sock

    def wrap(self, sock: Any) -> tuple[ssl.SSLSocket, dict[str, str]]:
        # The handshake happens at the first read, in a worker: a slow client delays only itself.
        secure = self.context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
        return secure, {"wsgi.url_scheme": "https", "HTTPS": "on"}

    def get_environ(self) -> dict[str, str]:
        return {}

    def makefile(self, sock: Any, mode: str = "r", bufsize: int = -1) -> Any:
        return MakeFile(sock, mode, bufsize)


class Server(wsgi.Server):
    """cheroot's server, with the parts above."""

    ConnectionClass = Connection
    keep_alive_conn_limit = KEPT_ALIVE
    refusal: OSError | None = None

    def bind(self, family: int, type: int, proto: int = 0) -> Any:
        try:
            return super().bind(family, type, proto)
        except OSError as wrong:
            self.refusal = wrong  # `prepare` makes a text of it, and loses number and reason
            raise

    def error_log(self, *_: Any, **__: Any) -> None:
        """Clients may go away at any time."""


class Front:
    """A listening HTTP server on loopback, serving in a thread of its own.

    Raises OSError, with the system's reason, when it cannot have the port.
    """

    def __init__(
        self,
        app: Callable,
        port: int,
        threads: int,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self._server = Server(
            ("127.0.0.1", port),
            app,
            numthreads=threads,
            server_name="mock-aws",
            request_queue_size=256,
            timeout=60,
        )
        self._server.gateway = Gateway
        if context:
            self._server.ssl_adapter = TLS(context)
        try:
            self._server.prepare()
        except OSError as wrong:
            raise self._server.refusal or wrong from None
        self._thread = threading.Thread(target=self._server.serve, name="front", daemon=True)

    @property
    def port(self) -> int:
        return self._server.bind_addr[1]

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._server.stop()
        self._thread.join(timeout=5)


def _text(value: bytes | str) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value
