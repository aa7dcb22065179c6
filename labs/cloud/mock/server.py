"""The mock's HTTP front: cheroot around a WSGI app, in the clear and over TLS.

cheroot keeps connections open, which werkzeug's development server does not; it needs help in
three places. It decodes the path (moto needs `%2F` in an S3 key as it was sent), it forgets how a
header was spelt (`x-amz-meta-a_b`), and it writes a small answer in three packets.
"""

import ssl
import threading
from collections.abc import Callable
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

#: Up to this much of an answer is gathered into one packet train.
GATHERED_BYTES = 1 << 16


class Gateway(wsgi.Gateway_10):
    """WSGI's view of a request, with the path and header names as they were sent."""

    def get_environ(self) -> dict[str, Any]:
        environ = super().get_environ()
        environ["RAW_URI"] = environ["REQUEST_URI"] = _text(self.req.uri)
        names = map(_text, self.req.inheaders)
        environ[PRESERVED_HEADER_NAMES_ENVIRON_KEY] = {
            environ_key_for_header(name): name.lower()
            for name in names
            if should_preserve_original_header_name(name)
        }
        return environ


class OneWrite(cheroot_server.HTTPRequest):
    """Status line, headers and a small body leave in one send.

    Only the answer is gathered: "100 Continue" is written before `respond` and must not wait.
    """

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
    RequestHandlerClass = OneWrite


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


class Front:
    """A listening HTTP server on loopback, serving in a thread of its own.

    Raises OSError when the port is taken.
    """

    def __init__(
        self,
        app: Callable,
        port: int,
        threads: int,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self._server = wsgi.Server(
            ("127.0.0.1", port),
            app,
            numthreads=threads,
            server_name="mock-aws",
            request_queue_size=256,
            timeout=60,
        )
        self._server.gateway = Gateway
        self._server.ConnectionClass = Connection
        self._server.error_log = lambda *_, **__: None  # clients may go away at any time
        if context:
            self._server.ssl_adapter = TLS(context)
        self._server.prepare()
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
