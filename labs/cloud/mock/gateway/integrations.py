"""Integrations without a function: MOCK of REST APIs, and HTTP_PROXY of both kinds."""

from __future__ import annotations

import http.client
import ipaddress
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit

from .messages import Headers, Reply, Request

Lookup = Callable[[str, int], tuple[str, int] | None]
"""Where a public name and port of the mock's address book really are, or None."""

_HOP_BY_HOP = {
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
}
_VARIABLE = re.compile(r"\$\{stageVariables\.(\w+)\}")
_TEMPLATE_LANGUAGE = re.compile(r"\$[!{]?\w|#(set|if|foreach|else|end|define|evaluate)\b")


class Unusable(ValueError):
    """The integration is set up so that it cannot work. The text says what to change."""


class NotEmulated(ValueError):
    """AWS does this, the mock does not."""


class Unreachable(OSError):
    """The integration's address gives no answer."""


@dataclass(frozen=True)
class MockResponse:
    """An integration response of MOCK: chosen by `pattern` (None: the default)."""

    status: int
    pattern: str | None = None
    templates: Mapping[str, str | None] = field(default_factory=dict)
    headers: Headers = ()


@dataclass(frozen=True)
class Integration:
    """What is behind a method or route.

    kind:           AWS_PROXY, HTTP_PROXY, MOCK, or one that is not emulated.
    uri:            as the learner gave it, with `${stageVariables.x}` and `{parameter}`.
    method:         the method used towards the backend; "ANY" means the client's own.
    timeout:        seconds.
    payload_format: "1.0" or "2.0".
    parameters:     REST: `integration.request.path.x` -> `method.request.path.y`.
    """

    kind: str
    uri: str
    method: str
    timeout: float
    payload_format: str = "1.0"
    parameters: Mapping[str, str] = field(default_factory=dict)
    templates: Mapping[str, str] = field(default_factory=dict)
    responses: tuple[MockResponse, ...] = ()


def expand_stage_variables(text: str, variables: Mapping[str, str]) -> str:
    """`${stageVariables.name}` -> its value; unknown ones become "" (guide, "Use stage
    variables"; that an unknown one is empty is unconfirmed)."""
    return _VARIABLE.sub(lambda found: variables.get(found[1], ""), text)


def function_arn(uri: str) -> str:
    """The function's ARN in an integration's URI.

    REST APIs want `arn:aws:apigateway:REGION:lambda:path/2015-03-31/functions/ARN/invocations`,
    HTTP APIs take the ARN alone as well. Raises Unusable for anything else.
    """
    found = re.search(r"(?:^|/functions/)(arn:[\w-]+:lambda:.+?)(?:/invocations)?$", uri)
    if not found:
        raise Unusable(f"expected an integration URI with a function's ARN, found {uri!r}")
    return found[1]


def mock_reply(integration: Integration, request: Request) -> Reply:
    """The reply of a MOCK integration, as far as its templates are plain text.

    The request template, `{"statusCode": 200}`, says which integration response is used: the
    one whose selection pattern matches the status, else the one without a pattern. Source: API
    Gateway guide, "Set up mock integrations in API Gateway", "Mapping template transformations".
    Raises Unusable (the client gets 500) and NotEmulated for templates that compute something.
    """
    wanted = (request.header("content-type") or "application/json").partition(";")[0].strip()
    template = integration.templates.get(wanted)
    if template is None:  # WHEN_NO_MATCH: the body itself is the integration request
        template = request.body.decode("utf-8", "replace")
    try:
        status = int(json.loads(_plain(template))["statusCode"])
    except NotEmulated:
        raise
    except (ValueError, TypeError, KeyError):
        raise Unusable(
            f'expected the request template for {wanted} to give {{"statusCode": 200}}, '
            f"found {template!r}"
        ) from None
    response = _choose(integration.responses, str(status))
    accept = (request.header("accept") or "").partition(",")[0].strip()
    kind = accept if accept in response.templates else "application/json"
    body = _plain(response.templates.get(kind) or "")
    return Reply(response.status, (("Content-Type", kind), *response.headers), body.encode())


def http_target(integration: Integration, path: str, parameters: Mapping[str, str]) -> str:
    """The URL of an HTTP_PROXY integration for this request.

    `{name}` in the URI is a path parameter; a REST API maps it with `requestParameters`
    (guide, "Set up a proxy integration with a proxy resource"). Without variables an HTTP API's
    `$default` route appends the whole path; pass that as `path`, else "".
    """
    values = dict(parameters)
    for target, source in integration.parameters.items():
        if target.startswith("integration.request.path."):
            name = target.removeprefix("integration.request.path.")
            values[name] = parameters.get(source.removeprefix("method.request.path."), "")
    url = re.sub(r"\{(\w+)\+?\}", lambda found: _encode(values.get(found[1], "")), integration.uri)
    return url.rstrip("/") + _encode(path) if path else url


def forward(
    url: str, request: Request, headers: Headers, method: str, timeout: float, lookup: Lookup
) -> Reply:
    """Send the request on to a loopback address or a name of the mock's, and bring its reply.

    Nothing else is asked: in mock mode no request leaves the machine. Raises Unusable for other
    addresses and for https, Unreachable when there is no answer, TimeoutError.
    """
    parts = urlsplit(url)
    if parts.scheme != "http" or not parts.hostname:
        raise Unusable(f"expected an http:// address of this machine or the mock, found {url!r}")
    name, port = parts.hostname, parts.port or 80
    where = lookup(name, port) or ((name, port) if is_loopback(name) else None)
    if where is None:
        raise Unusable(f"{name} is not an address of the mock's; it is not asked")
    query = "&".join(part for part in (parts.query, request.query) if part)
    target = (parts.path or "/") + (f"?{query}" if query else "")
    connection = http.client.HTTPConnection(*where, timeout=timeout)
    try:
        connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
        connection.putheader("Host", parts.netloc)
        for key, value in headers:
            if key.lower() not in _HOP_BY_HOP | {"host", "content-length"}:
                connection.putheader(key, value)
        if request.body or method not in ("GET", "HEAD", "DELETE", "OPTIONS"):
            connection.putheader("Content-Length", str(len(request.body)))
        connection.endheaders(request.body or None)
        response = connection.getresponse()
        body = response.read()
    except TimeoutError:
        raise
    except (OSError, http.client.HTTPException) as error:
        raise Unreachable(f"{url}: {error!r}") from None
    finally:
        connection.close()
    kept = tuple(
        pair
        for pair in response.getheaders()
        if pair[0].lower() not in _HOP_BY_HOP | {"content-length"}
    )
    return Reply(response.status, kept, body)


def is_loopback(name: str) -> bool:
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _encode(path: str) -> str:
    """Percent-encode what cannot stand in a URL's path; what is encoded already stays."""
    return quote(path, safe="/%~!$&'()*+,;=:@")


def _choose(responses: tuple[MockResponse, ...], status: str) -> MockResponse:
    for response in responses:
        if response.pattern and re.fullmatch(response.pattern, status):
            return response
    for response in responses:
        if not response.pattern:
            return response
    raise Unusable(f"no integration response for status {status}: put_integration_response")


def _plain(template: str) -> str:
    if _TEMPLATE_LANGUAGE.search(template):
        raise NotEmulated(f"mapping templates that compute something: {template[:80]!r}")
    return template
