"""CORS of HTTP APIs. (A REST API's is the learner's own: an OPTIONS method with MOCK.)

Source: API Gateway guide, "Configure CORS for HTTP APIs in API Gateway": the gateway answers
preflight requests itself, even without a route for OPTIONS, adds its headers to the
integration's answer and ignores those that the integration sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .messages import Headers, Reply, Request


def is_preflight(request: Request) -> bool:
    """Fetch standard, "CORS-preflight request"."""
    return (
        request.method == "OPTIONS"
        and request.header("origin") is not None
        and request.header("access-control-request-method") is not None
    )


def preflight_reply(configuration: Mapping[str, Any], request: Request) -> Reply:
    """204; without CORS headers when the origin is not an allowed one."""
    headers = _common(configuration, request.header("origin"))
    if headers:
        for name, key in (
            ("access-control-allow-methods", "allowMethods"),
            ("access-control-allow-headers", "allowHeaders"),
        ):
            if configuration.get(key):
                headers += ((name, ",".join(configuration[key])),)
        if configuration.get("maxAge") is not None:
            headers += (("access-control-max-age", str(configuration["maxAge"])),)
    return Reply(204, headers)


def add_cors(configuration: Mapping[str, Any], request: Request, reply: Reply) -> Reply:
    """The integration's reply with the API's CORS headers instead of its own."""
    own = tuple(pair for pair in reply.headers if not pair[0].lower().startswith("access-control-"))
    headers = _common(configuration, request.header("origin"))
    if headers and configuration.get("exposeHeaders"):
        exposed = ",".join(configuration["exposeHeaders"])
        headers += (("access-control-expose-headers", exposed),)
    return Reply(reply.status, own + headers, reply.body)


def _common(configuration: Mapping[str, Any], origin: str | None) -> Headers:
    allowed = _allowed_origin(configuration.get("allowOrigins") or [], origin)
    if allowed is None:
        return ()
    headers: Headers = (("access-control-allow-origin", allowed),)
    if configuration.get("allowCredentials"):
        headers += (("access-control-allow-credentials", "true"),)
    return headers


def _allowed_origin(allowed: list[str], origin: str | None) -> str | None:
    """What to send as allowed origin. Besides origins and "*", AWS takes "http://*" and
    "https://*"."""
    if origin is None:
        return None
    if "*" in allowed:
        return "*"
    scheme = origin.partition("://")[0]
    return origin if origin in allowed or f"{scheme}://*" in allowed else None
