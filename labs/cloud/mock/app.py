"""The mock's one WSGI app: decides for each request who answers it, and mends what moto lacks.

An invoke URL goes to API Gateway's data plane, `/_labs/` to what the mock tells of itself.
Everything else is the AWS API: each call is traced, meets the faults that were asked for, and, if
it runs under a function's role, is checked; then moto answers. What moto cannot answer becomes an
AWS error rather than a page of HTML.
"""

import contextlib
import functools
import io
import json
import logging
import re
import time
from collections.abc import Callable, Iterable
from typing import Any

import botocore.session
from botocore.awsrequest import HeadersDict
from botocore.parsers import ResponseParserError, create_parser
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from labs.cloud.mock import errors, faults, inside, operations, trace, transfers
from labs.cloud.mock.gateway import Gateway
from labs.cloud.mock.iam import guard, permissions, principals
from labs.cloud.mock.operations import Operation

StartResponse = Callable[..., Any]
#: Status line, headers, body.
Answer = tuple[str, list[tuple[str, str]], Iterable[bytes]]

log = logging.getLogger("labs.mock")
#: moto has no URL for the request: its framework answers, with a page. AWS's own 404s are none.
_WERKZEUGS_404 = b"<!doctype html>\n<html lang=en>\n<title>404 Not Found</title>"
_READING = ("Describe", "Get", "List")
_MESSAGE_ID = re.compile(rb"<MessageId>([^<]+)</MessageId>")


class MockApp:
    """moto with the motors running.

    prepare: called with the service of a call before moto answers it.
    changed: called after each request that may have changed something, before its answer leaves,
             with the service that it was for (None: not a call of the AWS API); so that a name
             which an answer hands out resolves when the caller reads it.
    reset:   called when `/moto-api/reset` is asked for, before moto forgets its state (or running
             functions would write into the emptied account) and after (some may have begun).
    """

    def __init__(
        self,
        gateway: Gateway,
        token: str,
        prepare: Callable[[str], None],
        changed: Callable[[str | None], None],
        reset: Callable[[], None],
    ) -> None:
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._gateway = gateway
        self._token = token
        self._prepare, self._changed, self._reset = prepare, changed, reset

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        if self._gateway.serves(environ):
            return self._gateway(environ, start_response)
        body = environ["wsgi.input"].read()
        environ["wsgi.input"] = io.BytesIO(body)
        if environ["PATH_INFO"].startswith(inside.PREFIX):
            return _send(start_response, self._inside(environ, body))
        operation = operations.identify(environ, body)
        if operation is None:
            answer = self._untraced(environ, body)
        else:
            self._prepare(operation.service)
            answer = self._call(operation, environ, body)
        if environ["REQUEST_METHOD"] != "GET" and not _only_reads(operation):
            self._changed(operation.service if operation else None)
        return _send(start_response, answer)

    def _inside(self, environ: dict[str, Any], body: bytes) -> Answer:
        if environ["PATH_INFO"] == f"{inside.PREFIX}health":
            return _json(200, {"mock": self._token})
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        reply = inside.serve(method, path, environ.get("QUERY_STRING", ""), body)
        return _json(*(reply or (404, {"message": f"There is no {method} {path} here."})))

    def _untraced(self, environ: dict[str, Any], body: bytes) -> Answer:
        """moto's own pages, and what nobody knows."""
        reset = environ["PATH_INFO"] == "/moto-api/reset"
        if reset:
            self._reset()
        answer = self._moto_answers(None, environ)
        if reset:
            self._reset()
        return answer

    def _call(self, operation: Operation, environ: dict[str, Any], body: bytes) -> Answer:
        """A call of the AWS API, as a hop of its chain."""
        principal = principals.principal_of(operation.access_key)
        caller = principal.session_name if principal else trace.LEARNER
        with trace.hop(
            operation.service,
            operation.name,
            _resource(operation),
            within=trace.received(environ.get("HTTP_X_AMZN_TRACE_ID")),
            caller=caller,
            # Who invokes a function through the API is its caller; else it is the service.
            by=caller if operation.service == "lambda" else None,
        ) as hop:
            answer = (
                _refused(operation, environ)
                or _denied(operation)
                or self._moto_answers(operation, environ)
            )
            return _read(hop, operation, answer)

    def _moto_answers(self, operation: Operation | None, environ: dict[str, Any]) -> Answer:
        held: list[Any] = []
        try:
            answer = self._moto(environ, lambda *started: held.append(started))
        except NotImplementedError:
            return _not_implemented(operation)
        except Exception as fault:
            log.exception("moto failed on %s %s", environ["REQUEST_METHOD"], environ["PATH_INFO"])
            return _failure(operation, fault)
        status, headers = held[0][:2]
        if status.startswith("404") and environ.get("HTTP_AUTHORIZATION"):
            answer = [_whole(answer)]
            if answer[0].startswith(_WERKZEUGS_404):
                return _not_implemented(operation)
        return status, headers, answer


def _only_reads(operation: Operation | None) -> bool:
    """The query protocol sends its questions by POST, too."""
    return operation is not None and operation.name.startswith(_READING)


def _resource(operation: Operation) -> str:
    """The short name of what a call is done to, as IAM sees it; "" when that is nothing."""
    needed = permissions.needed(operation, account="")
    names = [need.resource for need in needed if need.action != "iam:PassRole"]
    return trace.short_name(names[-1]) if names else ""


def _refused(operation: Operation, environ: dict[str, Any]) -> Answer | None:
    """The answer of a fault that was asked for, after the wait that was."""
    if operation.service == "lambda" and operation.parameters.get("InvocationType") == "Event":
        return None  # is accepted, and meets the fault when it is tried
    weather = faults.weather(
        operation.service, operation.name, lambda: transfers.size(operation, environ)
    )
    if weather.delay:
        time.sleep(weather.delay)
    if weather.refusal is None:
        return None
    refusal = weather.refusal
    return _bytes(errors.render(operation, refusal.code, refusal.message, refusal.status))


def _denied(operation: Operation) -> Answer | None:
    """The refusal, if the caller runs under a role that may not do this. A learner may do all."""
    denial = guard.check(operation)
    if denial is None:
        return None
    log.info("denied: %s", denial.message)
    return _bytes(errors.render(operation, denial.code, denial.message, denial.status))


def _not_implemented(operation: Operation | None) -> Answer:
    """501, naming the operation. moto alone answers 500 or 404 with a page of HTML."""
    if operation is None:
        return _unknown(501, "NotImplemented", "this is no AWS operation that the mock knows")
    message = f"The mock does not implement {operation.service} {operation.name}."
    return _bytes(errors.render(operation, "NotImplemented", message, 501))


def _failure(operation: Operation | None, fault: Exception) -> Answer:
    message = f"The mock failed: {type(fault).__name__}: {fault}"
    if operation is None:
        return _unknown(500, "InternalFailure", message)
    if operation.region and operation.region not in known_regions():
        message = (
            f"There is no region {operation.region!r}; on AWS its address would not resolve. "
            "Look at how the client's region is spelt."
        )
        return _bytes(errors.render(operation, "UnknownRegion", message, 400))
    return _bytes(errors.render(operation, "InternalFailure", message, 500))


@functools.cache
def known_regions() -> frozenset[str]:
    """All regions that botocore knows, of every partition."""
    session = botocore.session.get_session()
    return frozenset(
        region
        for partition in session.get_available_partitions()
        for region in session.get_available_regions("ec2", partition, allow_non_regional=False)
    )


def _unknown(status: int, code: str, message: str) -> Answer:
    return _json(status, {"code": code, "message": message}, reason=code)


def _read(hop: trace.Hop, operation: Operation, answer: Answer) -> Answer:
    """The answer, of which the hop has learnt how the call went and which message it was."""
    status, headers, body = answer
    hop.status = status.partition(" ")[0]
    names = HeadersDict(headers)
    if int(hop.status) >= 400:
        body = [_whole(body)]
        hop.error, hop.detail = _said(operation, int(hop.status), names, body[0])
    elif (operation.service, operation.name) == ("sns", "Publish"):
        body = [_whole(body)]
        found = _MESSAGE_ID.search(body[0])
        hop.message = found[1].decode() if found else ""
    elif (operation.service, operation.name) == ("lambda", "Invoke"):
        hop.message = names.get("x-amzn-requestid", "")
        if failed := names.get("x-amz-function-error"):
            hop.detail = f"the call went well, the function did not ({failed})"
    return status, headers, body


def _said(operation: Operation, status: int, headers: HeadersDict, body: bytes) -> tuple[str, str]:
    """An error's code and message, as an SDK reads them."""
    response = {"status_code": status, "headers": headers, "body": body}
    try:
        error = create_parser(operation.protocol).parse(response, None)["Error"]
    except (ResponseParserError, KeyError):
        return str(status), body[:200].decode(errors="replace")
    return error.get("Code") or str(status), error.get("Message") or ""


def _whole(body: Iterable[bytes]) -> bytes:
    with contextlib.closing(body) if hasattr(body, "close") else contextlib.nullcontext():
        return b"".join(body)


def _bytes(rendered: tuple[str, list[tuple[str, str]], bytes]) -> Answer:
    status, headers, body = rendered
    return status, headers, [body]


def _json(status: int, content: Any, reason: str = "") -> Answer:
    body = json.dumps(content).encode()
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    return f"{status} {reason or ('OK' if status < 400 else 'Error')}", headers, [body]


def _send(start_response: StartResponse, answer: Answer) -> Iterable[bytes]:
    status, headers, body = answer
    start_response(status, headers)
    return body
