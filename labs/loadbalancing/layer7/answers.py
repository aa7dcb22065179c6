"""Responses that the proxy makes itself.

Source: "Troubleshoot your Application Load Balancers", part "The load balancer generates an HTTP
error". A client that left before its answer is 460 in an ALB's log: nobody is there to be told.
"""

import re
from email.utils import formatdate

from labs.loadbalancing.layer7.contract import Answer, Headers
from labs.loadbalancing.layer7.headers import HOP_BY_HOP, lines, reason

NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
VALUE = re.compile(r"[\t -~\x80-\xff]*")

OWN = HOP_BY_HOP | {"date", "server"}
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
CLIENT_LEFT = 460


def error(status: int) -> Answer:
    """The page of an error that the balancer found."""
    title = f"{status} {reason(status)}".strip()
    page = (
        f"<html>\r\n<head><title>{title}</title></head>\r\n"
        f"<body>\r\n<center><h1>{title}</h1></center>\r\n</body>\r\n</html>\r\n"
    )
    return Answer(status, (("Content-Type", "text/html"),), page.encode())


def are_safe(headers: Headers) -> bool:
    """Whether these are headers and nothing else: no line break, nothing beyond Latin-1."""
    return all(NAME.fullmatch(name) and VALUE.fullmatch(value) for name, value in headers)


def head(answer: Answer, server: str, connection: str) -> bytes:
    """connection: the Connection line that this client needs, or ""."""
    kept = [field for field in answer.headers if field[0].lower() not in OWN]
    length = "" if answer.status == 204 else f"Content-Length: {len(answer.body)}\r\n"
    return (
        f"HTTP/1.1 {answer.status} {reason(answer.status)}\r\n"
        f"Server: {server}\r\nDate: {formatdate(usegmt=True)}\r\n"
        f"{lines(kept)}{length}{connection}\r\n"
    ).encode("latin-1")


def body(answer: Answer, method: str) -> bytes:
    """Nothing for HEAD and for the statuses that have no body (RFC 9110, section 6.4.1)."""
    return b"" if method == "HEAD" or answer.status in (204, 304) else answer.body
