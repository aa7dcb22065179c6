"""The actions that a load balancer carries out itself: redirect and fixed response.

Source: Application Load Balancer guide, "Action types for listener rules"; ELB API,
RedirectActionConfig and FixedResponseActionConfig.
"""

import re
from http import HTTPStatus
from typing import Any

from labs.loadbalancing.layer7.contract import Answer, Request
from labs.loadbalancing.rules.matching import Rule

KEYWORD = re.compile(r"#\{(protocol|host|port|path|query)\}")


def answer(rule: Rule, request: Request) -> Answer | None:
    """What the balancer itself answers, or None when the rule forwards the request."""
    for action in rule.actions:
        if action["Type"] == "forward":
            return None
        if action["Type"] == "redirect":
            return redirect(action, request)
        if action["Type"] == "fixed-response":
            return fixed_response(action)
        return sorry(action)
    raise LookupError(f"Rule {rule.arn} has no action that routes.")


def redirect(action: dict[str, Any], request: Request) -> Answer:
    """301 or 302 to protocol://host:port/path?query; parts that are not set stay the request's.

    The port is written even where it is the protocol's own: not documented, and what ALBs do.
    """
    config = action["RedirectConfig"]
    kept = {
        "protocol": request.scheme,
        "host": request.host,
        "port": str(request.port),
        "path": request.path.removeprefix("/"),
        "query": request.query,
    }

    def part(name: str, default: str) -> str:
        template = config.get(name, default)
        return KEYWORD.sub(lambda keyword: kept[keyword[1]], template)

    origin = f"{part('Protocol', '#{protocol}').lower()}://{part('Host', '#{host}')}"
    location = f"{origin}:{part('Port', '#{port}')}{part('Path', '/#{path}')}"
    query = part("Query", "#{query}")
    status = int(config["StatusCode"].removeprefix("HTTP_"))
    headers = (
        ("Content-Type", "text/html"),
        ("Location", f"{location}?{query}" if query else location),
    )
    return Answer(status, headers, page(status))


def fixed_response(action: dict[str, Any]) -> Answer:
    """A status with a text of up to 1,024 characters, sent as UTF-8."""
    config = action["FixedResponseConfig"]
    headers = (("Content-Type", config.get("ContentType") or "text/plain"),)
    return Answer(
        int(config["StatusCode"]), headers, (config.get("MessageBody") or "").encode("utf-8")
    )


def sorry(action: dict[str, Any]) -> Answer:
    """For the actions that the mock accepts and does not carry out: logins and JWT validation."""
    text = f"The action {action['Type']} is not implemented by the mock.\n"
    return Answer(501, (("Content-Type", "text/plain"),), text.encode())


def page(status: int) -> bytes:
    """The page that an ALB sends with a redirect."""
    title = f"{status} {HTTPStatus(status).phrase}"
    return (
        f"<html>\r\n<head><title>{title}</title></head>\r\n"
        f"<body>\r\n<center><h1>{title}</h1></center>\r\n</body>\r\n</html>\r\n"
    ).encode()
