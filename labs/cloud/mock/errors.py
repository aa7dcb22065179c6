"""AWS's errors in the form that each protocol gives them, so that an SDK raises the right class.

Sources: Smithy's AWS protocol pages, "Operation error serialization" (awsJson1_0, awsJson1_1,
awsQuery, ec2Query, restJson1, restXml, smithyRpcV2Cbor) and "awsQueryCompatible"; Amazon S3 API
Reference, "Error responses".
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from xml.sax.saxutils import escape

from moto.core.model import ServiceModel
from moto.core.utils import get_service_model

from labs.cloud.mock.operations import CBOR, Operation

Headers = list[tuple[str, str]]

# What XML 1.0 cannot carry, not even escaped (XML 1.0, section 2.2).
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class _Error:
    """What every protocol says, each in its own way."""

    service: ServiceModel
    code: str
    message: str
    sender: bool  # whose fault: the caller's (4xx) or AWS's (5xx)
    request_id: str


def render(
    operation: Operation | str,
    code: str,
    message: str,
    status: int,
    headers: Iterable[tuple[str, str]] = (),
) -> tuple[str, Headers, bytes]:
    """An error as (status line, headers, body), ready for WSGI.

    operation: the call that failed, answered as its client speaks; or botocore's name of a
               service, answered as boto3 speaks to it.
    code:      AWS's error code or the name of its exception shape; "AccessDenied" and the other
               common codes need no shape.
    headers:   more headers, such as ("Retry-After", "1"); Content-Length and the request's id
               are there already.
    """
    service = get_service_model(operation if isinstance(operation, str) else operation.service)
    protocol = service.resolved_protocol if isinstance(operation, str) else operation.protocol
    error = _Error(service, code, message, sender=status < 500, request_id=str(uuid.uuid4()))
    own_headers, body = _WRITERS[protocol](error)
    if isinstance(operation, Operation) and operation.name.startswith("Head"):
        body = b""  # HTTP: an answer to HEAD has no body (RFC 9110, section 9.3.2)
    return (
        f"{status} {_reason(status)}",
        [*own_headers, *headers, ("Content-Length", str(len(body)))],
        body,
    )


def _reason(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"


def _json_rpc(error: _Error) -> tuple[Headers, bytes]:
    version = error.service.metadata.get("jsonVersion", "1.0")
    body = json.dumps({"__type": _qualified(error), "message": error.message})
    headers = [
        ("Content-Type", f"application/x-amz-json-{version}"),
        ("x-amzn-ErrorType", _shape_name(error)),
        *_query_error(error),
        ("x-amzn-RequestId", error.request_id),
    ]
    return headers, body.encode()


def _rest_json(error: _Error) -> tuple[Headers, bytes]:
    body = {
        "Type": "User" if error.sender else "Service",
        "message": error.message,
    }
    headers = [
        ("Content-Type", "application/json"),
        ("x-amzn-ErrorType", _shape_name(error)),
        ("x-amzn-RequestId", error.request_id),
    ]
    return headers, json.dumps(body).encode()


def _cbor_rpc(error: _Error) -> tuple[Headers, bytes]:
    headers = [
        ("Content-Type", "application/cbor"),
        ("smithy-protocol", "rpc-v2-cbor"),
        *_query_error(error),
        ("x-amzn-RequestId", error.request_id),
    ]
    return headers, _cbor_map({"__type": _qualified(error), "message": error.message})


def _query(error: _Error) -> tuple[Headers, bytes]:
    namespace = error.service.metadata.get("xmlNamespace", "")
    body = (
        f'<ErrorResponse xmlns="{_text(namespace)}"><Error>'
        f"<Type>{_fault(error)}</Type><Code>{_text(_error_code(error))}</Code>"
        f"<Message>{_text(error.message)}</Message></Error>"
        f"<RequestId>{error.request_id}</RequestId></ErrorResponse>"
    )
    return [("Content-Type", "text/xml"), ("x-amzn-RequestId", error.request_id)], body.encode()


def _ec2(error: _Error) -> tuple[Headers, bytes]:
    body = (
        '<?xml version="1.0" encoding="UTF-8"?><Response><Errors><Error>'
        f"<Code>{_text(error.code)}</Code><Message>{_text(error.message)}</Message>"
        f"</Error></Errors><RequestID>{error.request_id}</RequestID></Response>"
    )
    headers = [("Content-Type", "text/xml;charset=UTF-8"), ("x-amzn-RequestId", error.request_id)]
    return headers, body.encode()


def _rest_xml(error: _Error) -> tuple[Headers, bytes]:
    if error.service.service_name != "s3":
        return _query(error)
    body = (
        '<?xml version="1.0" encoding="UTF-8"?><Error>'
        f"<Code>{_text(error.code)}</Code><Message>{_text(error.message)}</Message>"
        f"<RequestId>{error.request_id}</RequestId></Error>"
    )
    headers = [("Content-Type", "application/xml"), ("x-amz-request-id", error.request_id)]
    return headers, body.encode()


def _text(value: str) -> str:
    return escape(_NOT_XML.sub("\N{REPLACEMENT CHARACTER}", value), {'"': "&quot;"})


def _fault(error: _Error) -> str:
    return "Sender" if error.sender else "Receiver"


def _query_error(error: _Error) -> Headers:
    """The old code of a service that once spoke the query protocol, by which SDKs still know it."""
    if "awsQueryCompatible" not in error.service.metadata:
        return []
    return [("x-amzn-query-error", f"{_error_code(error)};{_fault(error)}")]


def _qualified(error: _Error) -> str:
    namespace = error.service.metadata.get("targetPrefix", error.service.service_name)
    return f"{namespace}#{_shape_name(error)}"


@cache
def _codes(service: str) -> dict[str, str]:
    """By shape name, the error code: {"QueueDoesNotExist": "AWS...NonExistentQueue", ...}."""
    return {shape.name: shape.error_code for shape in get_service_model(service).error_shapes}


@cache
def _shapes(service: str) -> dict[str, str]:
    """By error code, the name of the first shape that has it."""
    return {code: name for name, code in reversed(_codes(service).items())}


def _shape_name(error: _Error) -> str:
    service = error.service.service_name
    return (
        error.code
        if error.code in _codes(service)
        else _shapes(service).get(error.code, error.code)
    )


def _error_code(error: _Error) -> str:
    return _codes(error.service.service_name).get(error.code, error.code)


def _cbor_map(values: dict[str, str]) -> bytes:
    """A map of texts (RFC 8949, major types 5 and 3): all that an error needs of CBOR."""
    assert len(values) < 24  # more entries need a longer head
    texts = b"".join(_cbor_text(name) + _cbor_text(value) for name, value in values.items())
    return bytes([0xA0 | len(values)]) + texts


def _cbor_text(text: str) -> bytes:
    data = text.encode(errors="replace")
    return b"\x7a" + len(data).to_bytes(4, "big") + data


_WRITERS = {
    "json": _json_rpc,
    "rest-json": _rest_json,
    "query": _query,
    "ec2": _ec2,
    "rest-xml": _rest_xml,
    CBOR: _cbor_rpc,
}
