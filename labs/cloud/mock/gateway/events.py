"""From a request to the event that a function gets. Pure: ids and the time are handed in.

Sources: API Gateway guide, "Lambda proxy integrations in API Gateway" (REST, format 1.0) and
"Create AWS Lambda proxy integrations for HTTP APIs" (formats 1.0 and 2.0). What those pages
leave open was taken from recordings of the real service, named where they are used.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, unquote

from .messages import Headers, Request

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_TEXT_TYPES = ("application/json", "application/xml", "application/javascript")
_NOT_FORWARDED_BY_REST = {"content-length", "connection", "transfer-encoding"}

Event = dict[str, Any]


@dataclass(frozen=True)
class Place:
    """Where a request arrived: everything about the API that goes into an event.

    path:          the path below the stage, as the API type hands it on.
    request_path:  the whole path below the host name, stage included.
    resource:      REST: the resource's template. HTTP: the route's key, "GET /pets/{id}".
    """

    account_id: str
    api_id: str
    domain_name: str
    stage: str
    stage_variables: Mapping[str, str]
    path: str
    request_path: str
    resource: str
    path_parameters: Mapping[str, str]
    resource_id: str | None = None
    deployment_id: str | None = None


@dataclass(frozen=True)
class Ids:
    """What the gateway gives each request. received is in UTC.

    request_id:  `x-amzn-RequestId` of REST APIs, a UUID.
    extended_id: `x-amz-apigw-id` of REST APIs, `Apigw-Requestid` of HTTP APIs.
    trace_id:    value of `X-Amzn-Trace-Id`.
    """

    request_id: str
    extended_id: str
    trace_id: str
    received: datetime

    @property
    def time(self) -> str:
        """As in access logs, "04/Mar/2020:19:15:17 +0000", whatever the machine's locale."""
        when = self.received.astimezone(UTC)
        return f"{when:%d}/{_MONTHS[when.month - 1]}/{when:%Y:%H:%M:%S} +0000"

    @property
    def epoch(self) -> int:
        """Milliseconds since 1970."""
        return int(self.received.timestamp() * 1000)


def rest_event(request: Request, place: Place, ids: Ids, binary_types: Iterable[str]) -> Event:
    """The event of a REST API's Lambda proxy integration (format 1.0).

    The path and its variables stay percent-encoded, the query is decoded, a name that came
    twice has its last value in the single form (recorded on AWS by LocalStack's tests,
    `test_lambda_aws_proxy_integration`). `Content-Length` and `Connection` are left out.
    The CloudFront headers of an edge-optimised API are not made up.
    """
    headers = tuple(
        (name, value)
        for name, value in forwarded_headers(request, ids)
        if name.lower() not in _NOT_FORWARDED_BY_REST
    )
    body, encoded = rest_body(request, binary_types)
    return {
        "resource": place.resource,
        "path": place.path,
        "httpMethod": request.method,
        **_multi("headers", "multiValueHeaders", headers),
        **_query_fields(request.query),
        "pathParameters": dict(place.path_parameters) or None,
        "stageVariables": dict(place.stage_variables) or None,
        "requestContext": {
            **_context_v1(request, place, ids),
            "resourceId": place.resource_id,
            "deploymentId": place.deployment_id,
        },
        "body": body,
        "isBase64Encoded": encoded,
    }


def http_event_v1(request: Request, place: Place, ids: Ids) -> Event:
    """The event of an HTTP API's integration with `PayloadFormatVersion` "1.0".

    Unlike a REST API's: header names in lower case, the path decoded and with its stage.
    `resource` is the path of the route's key.
    """
    headers = tuple((name.lower(), value) for name, value in forwarded_headers(request, ids))
    body, encoded = http_body(request)
    route_path = place.resource.partition(" ")[2] or place.resource
    return {
        "version": "1.0",
        "resource": route_path,
        "path": place.request_path,
        "httpMethod": request.method,
        **_multi("headers", "multiValueHeaders", headers),
        **_query_fields(request.query),
        "requestContext": {**_context_v1(request, place, ids), "resourcePath": route_path},
        "pathParameters": dict(place.path_parameters) or None,
        "stageVariables": dict(place.stage_variables) or None,
        "body": body,
        "isBase64Encoded": encoded,
    }


def http_event_v2(request: Request, place: Place, ids: Ids) -> Event:
    """The event of an HTTP API's integration with `PayloadFormatVersion` "2.0".

    Names that came twice are joined with commas; cookies have a list of their own and leave
    `headers`; what the request does not have (cookies, query, variables, body) is left out, not
    null. `rawQueryString` is as sent.
    """
    headers = [(name.lower(), value) for name, value in forwarded_headers(request, ids)]
    cookies = [
        cookie.strip()
        for name, value in headers
        if name == "cookie"
        for cookie in value.split(";")
        if cookie.strip()
    ]
    body, encoded = http_body(request)
    optional = {
        "cookies": cookies,
        "queryStringParameters": _joined(parse_query(request.query)),
        "pathParameters": dict(place.path_parameters),
        "stageVariables": dict(place.stage_variables),
    }
    event = {
        "version": "2.0",
        "routeKey": place.resource,
        "rawPath": place.request_path,
        "rawQueryString": request.query,
        "headers": _joined(pair for pair in headers if pair[0] != "cookie"),
        **{name: value for name, value in optional.items() if value},
        "requestContext": {
            "accountId": place.account_id,
            "apiId": place.api_id,
            "domainName": place.domain_name,
            "domainPrefix": place.api_id,
            "http": {
                "method": request.method,
                "path": place.request_path,
                "protocol": request.protocol,
                "sourceIp": request.source_ip,
                "userAgent": request.header("user-agent") or "",
            },
            "requestId": ids.extended_id,
            "routeKey": place.resource,
            "stage": place.stage,
            "time": ids.time,
            "timeEpoch": ids.epoch,
        },
        "isBase64Encoded": encoded,
    }
    return event if body is None else event | {"body": body}


def decode_path(path: str) -> str:
    """A path as HTTP APIs hand it on: decoded, "%2F" included, and cut at a decoded "?".

    Source: guide, "Create routes for HTTP APIs" ("decodes URL-encoded request parameters");
    recordings in fastify/aws-lambda-fastify issue 169 ("/a%2Fb" arrives as "/a/b") and
    middleapi/standard-server pull request 93 (the cut).
    """
    return unquote(path).partition("?")[0] or "/"


def parse_query(query: str) -> list[tuple[str, str]]:
    """Names and values of a query string, decoded ("+" is a space), empty values kept."""
    return parse_qsl(query, keep_blank_values=True)


def rest_body(request: Request, binary_types: Iterable[str]) -> tuple[str | None, bool]:
    """The body of a REST API's event, and whether it is base64.

    Binary is what the API's `binaryMediaTypes` name (API Gateway guide, "Binary media types
    for REST APIs"); everything else is taken for UTF-8, and bytes that are not are lost.
    """
    if not request.body:
        return None, False
    if matches_media_type(request.header("content-type"), binary_types):
        return base64.b64encode(request.body).decode("ascii"), True
    return request.body.decode("utf-8", "replace"), False


def http_body(request: Request) -> tuple[str | None, bool]:
    """The body of an HTTP API's event, and whether it is base64.

    Text are only text/*, JSON, XML and JavaScript; the rest is base64, HTML forms
    (application/x-www-form-urlencoded) and bodies without a content type included.
    Source: recorded on AWS by ministackorg/ministack pull request 766; the guide does not
    list the types.
    """
    if not request.body:
        return None, False
    if is_text(request.header("content-type")):
        return request.body.decode("utf-8", "replace"), False
    return base64.b64encode(request.body).decode("ascii"), True


def is_text(content_type: str | None) -> bool:
    """Does an HTTP API hand a body of this type on as text?"""
    media_type = _media_type(content_type)
    return media_type.startswith("text/") or media_type in _TEXT_TYPES


def matches_media_type(content_type: str | None, patterns: Iterable[str]) -> bool:
    """Is this media type one of `patterns` ("image/png", "image/*", "*/*")?"""
    media_type = _media_type(content_type)
    kind = media_type.partition("/")[0]
    return any(
        pattern.lower() in (media_type, f"{kind}/*", "*/*") for pattern in patterns if media_type
    )


def forwarded_headers(request: Request, ids: Ids) -> Headers:
    """The request's headers with those that the gateway adds for the integration.

    `X-Forwarded-For` is extended by the peer's address, a trace that the client began
    is kept (guide, "Trace user requests to REST APIs using X-Ray").
    """
    ours = {
        "x-forwarded-for": ("X-Forwarded-For", request.source_ip),
        "x-forwarded-port": ("X-Forwarded-Port", "443"),
        "x-forwarded-proto": ("X-Forwarded-Proto", "https"),
        "x-amzn-trace-id": ("X-Amzn-Trace-Id", ids.trace_id),
    }
    earlier = request.header("x-forwarded-for")
    if earlier:
        ours["x-forwarded-for"] = ("X-Forwarded-For", f"{earlier}, {request.source_ip}")
    kept = tuple(pair for pair in request.headers if pair[0].lower() not in ours)
    return kept + tuple(ours.values())


def _context_v1(request: Request, place: Place, ids: Ids) -> dict[str, Any]:
    """`requestContext` of format 1.0: what REST and HTTP APIs have in common."""
    identity = dict.fromkeys(
        (
            "accessKey",
            "accountId",
            "caller",
            "cognitoAuthenticationProvider",
            "cognitoAuthenticationType",
            "cognitoIdentityId",
            "cognitoIdentityPoolId",
            "principalOrgId",
            "user",
            "userArn",
        )
    )
    return {
        "accountId": place.account_id,
        "apiId": place.api_id,
        "domainName": place.domain_name,
        "domainPrefix": place.api_id,
        "extendedRequestId": ids.extended_id,
        "httpMethod": request.method,
        "identity": identity
        | {"sourceIp": request.source_ip, "userAgent": request.header("user-agent")},
        "path": place.request_path,
        "protocol": request.protocol,
        "requestId": ids.request_id,
        "requestTime": ids.time,
        "requestTimeEpoch": ids.epoch,
        "resourceId": None,
        "resourcePath": place.resource,
        "stage": place.stage,
    }


def _query_fields(query: str) -> dict[str, Any]:
    pairs = parse_query(query)
    if not pairs:
        return {"queryStringParameters": None, "multiValueQueryStringParameters": None}
    return _multi("queryStringParameters", "multiValueQueryStringParameters", pairs)


def _multi(single: str, multiple: str, pairs: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Both forms of format 1.0: the last value of each name, and all of them."""
    return {single: dict(pairs), multiple: _grouped(pairs)}


def _grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for name, value in pairs:
        groups.setdefault(name, []).append(value)
    return groups


def _joined(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    return {name: ",".join(values) for name, values in _grouped(pairs).items()}


def _media_type(content_type: str | None) -> str:
    return (content_type or "").partition(";")[0].strip().lower()
