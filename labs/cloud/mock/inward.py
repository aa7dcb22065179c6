"""How a motor calls the AWS API of its own mock: botocore clients whose requests stay in process.

A call is made in the thread that asks, through the same WSGI app as a learner's: motors are made,
the trace has it, faults that were asked for happen, IAM checks it, moto answers, and load balancers
follow. There is no socket and no second copy of anything.

The trace shows such a call in the chain that the thread is in (see `trace.cause`; a thread that is
to belong to the call which began it runs in a copy of its context). Its caller is the motor's
service, or the session of the role that the call is made with, as it is for a function.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

import botocore.session
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.config import Config
from moto.core.request import (
    PRESERVED_HEADER_NAMES_ENVIRON_KEY,
    environ_key_for_header,
    should_preserve_original_header_name,
)

from labs.cloud.mock import trace
from labs.cloud.mock.gateway import RAW_HEADERS
from labs.cloud.mock.iam import principals

#: In the environ of a call from inside: who the trace says is calling, without a role.
CALLER = "labs.caller"
#: Keys of nobody: without a role, a call is the service's own and is not checked.
NOBODY = principals.Credentials("MOCKSERVICENOTAKEY00", "none", "")
#: As botocore's clients outside: throttled and failed calls are tried three times in all.
CONFIG = Config(
    retries={"mode": "standard", "total_max_attempts": 3},
    s3={"addressing_style": "path"},
    request_checksum_calculation="when_required",
    response_checksum_validation="when_required",
)

App = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class Ended(Exception):
    """The mock was reset since this client was made: the account that it was for is gone."""


class Inward:
    """Makes clients, and keeps them.

    app: the mock's. endpoint_url: where it is for callers outside, so that URLs in answers agree.
    """

    def __init__(self, app: App, endpoint_url: str) -> None:
        self._app, self._endpoint_url = app, endpoint_url
        self._making = threading.Lock()
        self._clients: dict[tuple[str, ...], Any] = {}
        self._session: botocore.session.Session | None = None
        self._generation = 0

    def client(
        self,
        service: str,
        *,
        account: str,
        region: str,
        by: str,
        role: str | None = None,
        session: str | None = None,
    ) -> Any:
        """A client of an account and region; the same one for the same arguments.

        by:      the service that calls, as the trace shows it: "cloudformation".
        role:    ARN of a role whose policies each call is checked against, as a function's are.
        session: of that role: in messages of denied calls, and in the trace; `by` by default.

        Ask for it on every use: one from before a reset raises `Ended` from each call.
        Raises ValueError when `role` is not the ARN of a role.
        """
        keys = principals.credentials_for(role, session or by) if role else NOBODY
        wanted = (service, account, region, by, keys.access_key)
        with self._making:  # making clients of one session is not thread-safe
            if wanted not in self._clients:
                self._clients[wanted] = self._make(service, account, region, by, keys)
            return self._clients[wanted]

    def reset(self) -> None:
        """Every client made so far ends. Calls under way still finish."""
        with self._making:
            self._generation += 1
            self._clients.clear()

    def _make(
        self, service: str, account: str, region: str, by: str, keys: principals.Credentials
    ) -> Any:
        if self._session is None:
            self._session = botocore.session.Session()
        client = self._session.create_client(
            service,
            region_name=region,
            endpoint_url=self._endpoint_url,
            aws_access_key_id=keys.access_key,
            aws_secret_access_key=keys.secret_key,
            aws_session_token=keys.session_token or None,
            config=CONFIG,
        )
        generation = self._generation

        def send(request: AWSPreparedRequest, **_: Any) -> AWSResponse:
            if generation != self._generation:
                raise Ended(f"{service} was called for an account that a reset has emptied")
            return respond(self._app, request, {CALLER: by}, account)

        client.meta.events.register("before-send", send)
        return client


def respond(
    app: App, request: AWSPreparedRequest, more: Mapping[str, Any], account: str
) -> AWSResponse:
    """What the app answers to a request. more: for its environ. account: moto takes it so."""
    headers = [(name, _text(value)) for name, value in request.headers.items()]
    headers += [("x-moto-account-id", account), ("X-Amzn-Trace-Id", trace.cause().header)]
    environ = {**make_environ(request.method, request.url, headers, _body(request)), **more}
    started: list[Any] = []
    body = app(environ, lambda status, headers, *_: started.append((status, headers)))
    try:
        content = b"".join(body)
    finally:
        if hasattr(body, "close"):
            body.close()
    status, answered = started[0]
    return AWSResponse(request.url, int(status.partition(" ")[0]), answered, Content(content))


def make_environ(
    method: str, url: str, headers: list[tuple[str, str]], body: bytes
) -> dict[str, Any]:
    """WSGI's view of a request, as `server.Gateway` gives it."""
    parts = urlsplit(url)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    named = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers}
    content_type = named.pop("HTTP_CONTENT_TYPE", None)
    named.pop("HTTP_CONTENT_LENGTH", None)
    return {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path_info(parts.path),
        "QUERY_STRING": parts.query,
        "RAW_URI": target,
        "REQUEST_URI": target,
        "SERVER_NAME": parts.hostname,
        "SERVER_PORT": str(parts.port or 80),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": parts.scheme,
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "HTTP_HOST": parts.netloc,
        **named,
        "CONTENT_LENGTH": str(len(body)),
        **({"CONTENT_TYPE": content_type} if content_type else {}),
        RAW_HEADERS: headers,
        PRESERVED_HEADER_NAMES_ENVIRON_KEY: {
            environ_key_for_header(name): name.lower()
            for name, _ in headers
            if should_preserve_original_header_name(name)
        },
    }


def path_info(path: str) -> str:
    """The path decoded, but for %2F: in a key of S3 it is no separator."""
    parts = path.replace("%2f", "%2F").split("%2F")
    return "%2F".join(unquote_to_bytes(part).decode("latin-1") for part in parts)


class Content(io.BytesIO):
    """A body as botocore reads it: all at once, or as a stream."""

    def stream(self, amt: int = 1 << 16, **_: Any) -> Iterator[bytes]:
        while chunk := self.read(amt):
            yield chunk


def _body(request: AWSPreparedRequest) -> bytes:
    body = request.body
    if body is None:
        return b""
    if isinstance(body, str):
        return body.encode()
    return body if isinstance(body, bytes | bytearray) else body.read()


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)
