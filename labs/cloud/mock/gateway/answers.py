"""From what a function returned to the HTTP reply. Pure.

Sources: API Gateway guide, "Lambda proxy integrations in API Gateway", "Output format of a Lambda
function for proxy integration", and "Create AWS Lambda proxy integrations for HTTP APIs",
"Lambda function response format".
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from .events import matches_media_type
from .messages import Headers, Reply, Request

_REST_FIELDS = {"statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"}
_FRAMING = {"content-length", "transfer-encoding"}
_REMAPPED = {"connection", "date", "server", "www-authenticate"}
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


class Malformed(ValueError):
    """A function's answer that the gateway cannot make a reply of. The text says why."""


class Undecodable(ValueError):
    """A body that says it is base64 and is not."""


def rest_reply(payload: bytes, request: Request, binary_types: Iterable[str]) -> Reply:
    """The reply of a REST API.

    Without `statusCode` it is 200, any unknown field makes it malformed. A base64 body is
    decoded when the request's `Accept` (its first media type) is one of the API's
    `binaryMediaTypes`, else the client gets the base64 text (guide, "Return binary media from
    a Lambda proxy integration"). Some headers are renamed (guide, "Important notes", "may be
    remapped to x-amzn-Remapped-HEADER").

    Raises Malformed (the client gets 502) and Undecodable (500, API_CONFIGURATION_ERROR).
    """
    answer = _json_object(payload)
    unknown = sorted(set(answer) - _REST_FIELDS)
    if unknown:
        raise Malformed(f"the answer has fields that a REST API does not know: {unknown}")
    headers = tuple(
        (f"x-amzn-Remapped-{name}" if name.lower() in _REMAPPED else name, value)
        for name, value in _headers_v1(answer)
    )
    text = _body_text(answer)
    accept = (request.header("accept") or "").partition(",")[0]
    binary = answer.get("isBase64Encoded") is True and matches_media_type(accept, binary_types)
    body = decode_base64(text) if binary else text.encode()
    return _reply(_status(answer.get("statusCode", 200)), headers, body, "application/json")


def http_reply_v1(payload: bytes) -> Reply:
    """The reply of an HTTP API with payload format 1.0: `statusCode` is needed, unknown fields
    do not matter, base64 is always decoded (aws/aws-sam-cli pull request 2941).

    Raises Malformed and Undecodable; for both the client gets 500.
    """
    answer = _json_object(payload)
    if "statusCode" not in answer:
        raise Malformed("the answer has no statusCode; format 1.0 needs one")
    return _http_reply(answer, _headers_v1(answer))


def http_reply_v2(payload: bytes) -> Reply:
    """The reply of an HTTP API with payload format 2.0.

    Without `statusCode` the whole answer is the body: 200, application/json; a JSON string goes
    out without its quotes. With it, `cookies` become `set-cookie` headers.

    Raises Malformed and Undecodable; for both the client gets 500.
    """
    try:
        answer = json.loads(payload)
    except ValueError:
        answer = None
        inferred = payload
    else:
        inferred = answer.encode() if isinstance(answer, str) else payload
    if not (isinstance(answer, dict) and "statusCode" in answer):
        return _reply(200, (), inferred, "application/json")
    cookies = answer.get("cookies") or []
    if not isinstance(cookies, list):
        raise Malformed(f"cookies is {type(cookies).__name__}, not a list")
    headers = _single_headers(answer)
    return _http_reply(
        answer, headers + tuple(("set-cookie", _header_value("cookies", c)) for c in cookies)
    )


def decode_base64(text: str) -> bytes:
    """Strict base64. Raises Undecodable."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Undecodable(f"isBase64Encoded is true, but the body is not base64: {error}") from None


def _http_reply(answer: Mapping[str, Any], headers: Headers) -> Reply:
    text = _body_text(answer)
    body = decode_base64(text) if answer.get("isBase64Encoded") is True else text.encode()
    return _reply(_status(answer["statusCode"]), headers, body, "text/plain; charset=utf-8")


def _reply(status: int, headers: Headers, body: bytes, default_type: str) -> Reply:
    kept = tuple(pair for pair in headers if pair[0].lower() not in _FRAMING)
    if not any(name.lower() == "content-type" for name, _ in kept):
        kept = (("Content-Type", default_type), *kept)
    return Reply(status, kept, body)


def _json_object(payload: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(payload)
    except ValueError:
        raise Malformed("the answer is not JSON") from None
    if not isinstance(answer, dict):
        raise Malformed(f"the answer is {type(answer).__name__}, not an object with a statusCode")
    return answer


def _status(value: Any) -> int:
    """200 or "200". A final HTTP status has three digits and does not start with 1."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise Malformed(f"statusCode is {value!r}, not an integer")
    try:
        status = int(value)
    except ValueError:
        raise Malformed(f"statusCode is {value!r}, not an integer") from None
    if not 200 <= status <= 599:
        raise Malformed(f"statusCode is {status}, not from 200 to 599")
    return status


def _body_text(answer: Mapping[str, Any]) -> str:
    body = answer.get("body")
    if body is None:
        return ""
    if not isinstance(body, str):
        raise Malformed(f"body is {type(body).__name__}, not a string: use json.dumps()")
    return body.encode("utf-8", "replace").decode()  # a lone surrogate is legal JSON


def _headers_v1(answer: Mapping[str, Any]) -> Headers:
    """`headers` and `multiValueHeaders` merged: where both have a name, the values are one list
    without repetitions (guide, "Output format of a Lambda function for proxy integration")."""
    multiple = _object(answer, "multiValueHeaders")
    merged: list[tuple[str, str]] = []
    for name, values in multiple.items():
        if not isinstance(values, list):
            raise Malformed(f"multiValueHeaders[{name!r}] is not a list")
        merged += [(_header_name(name), _header_value(name, value)) for value in values]
    seen = {(name.lower(), value) for name, value in merged}
    merged += [pair for pair in _single_headers(answer) if (pair[0].lower(), pair[1]) not in seen]
    return tuple(merged)


def _single_headers(answer: Mapping[str, Any]) -> Headers:
    headers = _object(answer, "headers")
    return tuple(
        (_header_name(name), _header_value(name, value)) for name, value in headers.items()
    )


def _object(answer: Mapping[str, Any], field: str) -> dict[str, Any]:
    value = answer.get(field)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Malformed(f"{field} is {type(value).__name__}, not an object")
    return value


def _header_name(name: str) -> str:
    if not _TOKEN.fullmatch(name):
        raise Malformed(f"{name!r} is not a header name (RFC 9110, 5.1)")
    return name


def _header_value(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        raise Malformed(f"header {name!r} is {value!r}, not a string")
    if _CONTROL.search(value):
        raise Malformed(f"header {name!r} has control characters: {value!r}")
    return value.strip()
