"""The mock's one WSGI app: decides for each request who answers it, and mends what moto lacks.

An invoke URL goes to API Gateway's data plane. Everything else is the AWS API: a caller that runs
under a function's role is checked first, then moto answers; what moto cannot answer becomes an
AWS error rather than a page of HTML.
"""

import contextlib
import io
import json
import logging
import re
from collections.abc import Callable, Iterable
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from labs.cloud.mock import errors, operations
from labs.cloud.mock.gateway import Gateway
from labs.cloud.mock.iam import guard, principals

StartResponse = Callable[..., Any]

log = logging.getLogger("labs.mock")
#: moto has no URL for the request: its framework answers, with a page. AWS's own 404s are none.
_WERKZEUGS_404 = b"<!doctype html>\n<html lang=en>\n<title>404 Not Found</title>"
_ACCESS_KEY = re.compile(r"Credential=([^/,]+)/")


class MockApp:
    """moto with the motors running.

    changed: called after each request that may have changed something, before its answer leaves;
             so that a name which an answer hands out resolves when the caller reads it.
    reset:   called when `/moto-api/reset` is asked for, before moto forgets its state (or running
             functions would write into the emptied account) and after (some may have begun).
    """

    def __init__(
        self,
        gateway: Gateway,
        token: str,
        changed: Callable[[], None],
        reset: Callable[[], None],
    ) -> None:
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._gateway = gateway
        self._token = token
        self._changed, self._reset = changed, reset

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        if self._gateway.serves(environ):
            return self._gateway(environ, start_response)
        if environ["PATH_INFO"] == "/_labs/health":
            return _json(start_response, {"mock": self._token})
        body = environ["wsgi.input"].read()
        environ["wsgi.input"] = io.BytesIO(body)
        if denied := _denied(environ, body):
            return _answer(start_response, denied)
        reset = environ["PATH_INFO"] == "/moto-api/reset"
        if reset:
            self._reset()
        answer = self._aws(environ, body, start_response)
        if reset:
            self._reset()
        if environ["REQUEST_METHOD"] != "GET":
            self._changed()
        return answer

    def _aws(
        self, environ: dict[str, Any], body: bytes, start_response: StartResponse
    ) -> Iterable[bytes]:
        held: list[Any] = []
        try:
            answer = self._moto(environ, lambda *started: held.append(started))
        except NotImplementedError:
            return _answer(start_response, _not_implemented(environ, body))
        except Exception as fault:
            log.exception("moto failed on %s %s", environ["REQUEST_METHOD"], environ["PATH_INFO"])
            return _answer(start_response, _failure(environ, body, fault))
        if held[0][0].startswith("404") and environ.get("HTTP_AUTHORIZATION"):
            with contextlib.closing(answer):
                answer = [b"".join(answer)]
            if answer[0].startswith(_WERKZEUGS_404):
                return _answer(start_response, _not_implemented(environ, body))
        start_response(*held[0])
        return answer


Answer = tuple[str, list[tuple[str, str]], bytes]


def _denied(environ: dict[str, Any], body: bytes) -> Answer | None:
    """The refusal, if the caller runs under a role that may not do this. A learner may do all."""
    key = _ACCESS_KEY.search(environ.get("HTTP_AUTHORIZATION", ""))
    if key is None or principals.principal_of(key[1]) is None:
        return None
    operation = operations.identify(environ, body)
    denial = guard.check(operation) if operation else None
    if denial is None:
        return None
    log.info("denied: %s", denial.message)
    return errors.render(operation, denial.code, denial.message, denial.status)


def _not_implemented(environ: dict[str, Any], body: bytes) -> Answer:
    """501, naming the operation. moto alone answers 500 or 404 with a page of HTML."""
    operation = operations.identify(environ, body)
    if operation is None:
        return _unknown(501, "NotImplemented", "this is no AWS operation that the mock knows")
    message = f"The mock does not implement {operation.service} {operation.name}."
    return errors.render(operation, "NotImplemented", message, 501)


def _failure(environ: dict[str, Any], body: bytes, fault: Exception) -> Answer:
    operation = operations.identify(environ, body)
    message = f"The mock failed: {type(fault).__name__}: {fault}"
    if operation is None:
        return _unknown(500, "InternalFailure", message)
    return errors.render(operation, "InternalFailure", message, 500)


def _unknown(status: int, code: str, message: str) -> Answer:
    text = json.dumps({"code": code, "message": message}).encode()
    return f"{status} {code}", [("Content-Type", "application/json")], text


def _answer(start_response: StartResponse, answer: Answer) -> list[bytes]:
    status, headers, body = answer
    names = {name.lower() for name, _ in headers}
    if "content-length" not in names:
        headers = [*headers, ("Content-Length", str(len(body)))]
    start_response(status, headers)
    return [body]


def _json(start_response: StartResponse, content: Any) -> list[bytes]:
    body = json.dumps(content).encode()
    return _answer(start_response, ("200 OK", [("Content-Type", "application/json")], body))
