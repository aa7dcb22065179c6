"""A Lambda function as the target of an Application Load Balancer: its event and its response.

Source: Application Load Balancer guide, "Lambda functions as targets".
"""

import base64
import binascii
import json
from typing import Any

from labs.loadbalancing.layer7.contract import Answer, Headers, Request, Settings
from labs.loadbalancing.layer7.headers import HOP_BY_HOP
from labs.loadbalancing.layer7.tracing import trace_id

#: Body of a request, and JSON of a response.
MOST_BYTES = 1 << 20
TEXT_TYPES = ("text/", "application/json", "application/javascript", "application/xml")


class BadResponse(ValueError):
    """The function's result is no response; the client gets 502."""


def event(
    group_arn: str, request: Request, headers: Headers, body: bytes, multi_value: bool
) -> dict[str, Any]:
    """The event that the function gets.

    headers: those of the request, and those that the balancer adds. Names come in lower case;
    without `multi_value` the last of several values counts. The query stays percent-encoded.
    """
    pairs = [pair.partition("=")[::2] for pair in request.query.split("&") if pair]
    as_text = text_type(request.header("content-type")) and not request.header("content-encoding")
    spread = {
        "requestContext": {"elb": {"targetGroupArn": group_arn}},
        "httpMethod": request.method,
        "path": request.path,
        **_fields("queryStringParameters", "multiValueQueryStringParameters", pairs, multi_value),
        **_fields(
            "headers",
            "multiValueHeaders",
            [(name.lower(), value) for name, value in headers],
            multi_value,
        ),
        "body": "",
        "isBase64Encoded": False,
    }
    if body and as_text:
        spread["body"] = body.decode("utf-8", "replace")
    elif body:
        spread.update(body=base64.b64encode(body).decode(), isBase64Encoded=True)
    return spread


def with_balancers(request: Request, settings: Settings) -> Headers:
    """The request's headers and those that the balancer adds, as a server would get them."""
    addresses = request.header("x-forwarded-for")
    address, port = request.client
    own = f"{address}:{port}" if settings.x_forwarded_for_client_port else address
    added = {
        "x-amzn-trace-id": trace_id(
            request.header("x-amzn-trace-id") or None,
            sum(len(name) + len(value) + 4 for name, value in request.headers),
        ),
        "x-forwarded-port": str(request.port),
        "x-forwarded-proto": request.scheme,
    }
    if settings.x_forwarded_for == "append":
        added["x-forwarded-for"] = f"{addresses}, {own}" if addresses else own
    dropped = {*HOP_BY_HOP, *added}
    if settings.x_forwarded_for == "remove":
        dropped.add("x-forwarded-for")
    kept = [(name, value) for name, value in request.headers if name.lower() not in dropped]
    return (*kept, *added.items())


def health_event(group_arn: str, path: str, multi_value: bool) -> dict[str, Any]:
    """The event of a health check."""
    agent = ("user-agent", "ELB-HealthChecker/2.0")
    return event(group_arn, Request("GET", path, (), ("", 0)), (agent,), b"", multi_value)


def text_type(content_type: str) -> bool:
    """Whether a body of this type is sent as it is; all others are sent in Base64.

    A request without a type goes as text: the guide does not say, and an empty GET has none.
    """
    kind = content_type.partition(";")[0].strip().lower()
    return not kind or kind.startswith(TEXT_TYPES)


def answer(payload: bytes, multi_value: bool) -> Answer:
    """The client's response from the function's result. Raises BadResponse."""
    if len(payload) > MOST_BYTES:
        raise BadResponse(f"the result has {len(payload)} bytes; at most {MOST_BYTES} may come")
    try:
        result = json.loads(payload)
    except ValueError:
        raise BadResponse("the result is no JSON") from None
    if not isinstance(result, dict):
        raise BadResponse(f"the result is a {type(result).__name__}, not an object")
    status = result.get("statusCode")
    if isinstance(status, str) and status.isdecimal():
        status = int(status)
    if not isinstance(status, int) or isinstance(status, bool) or not 200 <= status <= 599:
        raise BadResponse(f"statusCode is {status!r}; expected a number from 200 to 599")
    return Answer(status, _headers(result, multi_value), _body(result))


def _fields(
    single: str, multiple: str, pairs: list[tuple[str, str]], multi_value: bool
) -> dict[str, Any]:
    if not multi_value:
        return {single: dict(pairs)}
    gathered: dict[str, list[str]] = {}
    for name, value in pairs:
        gathered.setdefault(name, []).append(value)
    return {multiple: gathered}


def _headers(result: dict[str, Any], multi_value: bool) -> Headers:
    """Only the field that fits the group's setting counts."""
    given = result.get("multiValueHeaders" if multi_value else "headers") or {}
    if not isinstance(given, dict):
        raise BadResponse("the headers are no object")
    pairs = []
    for name, values in given.items():
        for value in values if isinstance(values, list) else [values]:
            if not isinstance(value, str | int | float):
                raise BadResponse(f"the header {name} is a {type(value).__name__}")
            text = str(value)
            if not name or not f"{name}{text}".isprintable():
                raise BadResponse(f"the header {name!r} has characters that no header may have")
            if name.lower() not in HOP_BY_HOP:
                pairs.append((name, text.encode().decode("latin-1")))
    if not any(name.lower() == "content-type" for name, _ in pairs):
        pairs.append(("Content-Type", "application/octet-stream"))
    return tuple(pairs)


def _body(result: dict[str, Any]) -> bytes:
    body = result.get("body")
    if body is None:
        return b""
    if not isinstance(body, str):
        raise BadResponse(f"the body is a {type(body).__name__}, not text")
    if not result.get("isBase64Encoded"):
        return body.encode()
    try:
        return base64.b64decode(body, validate=True)
    except binascii.Error:
        raise BadResponse("isBase64Encoded is true, and the body is no Base64") from None
