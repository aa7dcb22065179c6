"""The cookies that bind a client to a target, and how they are read again.

A cookie carries the second in which it was made and a keyed fingerprint of the target's name: it
tells a client nothing, cannot be made up, and is read by trying the targets that there are. (AWS
encrypts with a rotating key.) The key comes from the mock, so cookies outlive a snapshot and the
plane's process.

Sources: Application Load Balancer guide, "Sticky sessions"; Classic Load Balancer guide,
"Configure sticky sessions for your Classic Load Balancer".
"""

import hashlib
import hmac
from collections.abc import Iterable
from email.utils import formatdate
from http.cookies import CookieError, SimpleCookie

from labs.loadbalancing.layer7.contract import Headers, Request

DURATION_COOKIE, APPLICATION_COOKIE, CLASSIC_COOKIE = "AWSALB", "AWSALBAPP", "AWSELB"
#: AWSALBAPP's own expiry, which cannot be configured.
APPLICATION_COOKIE_SECONDS = 7 * 86_400
_MADE_DIGITS = 8


def write(secret: bytes, name: str, now: float) -> str:
    """The value of a cookie for the target of this name. now: seconds since the epoch."""
    made = f"{int(now):0{_MADE_DIGITS}x}"
    return made + hmac.new(secret, f"{made} {name}".encode(), hashlib.sha256).hexdigest()


def read(
    secret: bytes, value: str, names: Iterable[str], now: float, seconds: float | None
) -> str | None:
    """The one of `names` that a cookie is for; None if none is, or if it is older than `seconds`.

    Never raises, whatever the client sent.
    """
    try:
        made = int(value[:_MADE_DIGITS], 16)
    except ValueError:
        return None
    if seconds is not None and made + seconds < now:
        return None
    for name in names:
        if hmac.compare_digest(write(secret, name, made).encode(), value.encode()):
            return name
    return None


def sent(request: Request, name: str) -> str:
    """The value of a cookie in a request, "" without it."""
    for pair in request.header("cookie").replace(",", ";").split(";"):
        key, _, value = pair.strip().partition("=")
        if key == name:
            return value
    return ""


def headers(name: str, value: str, scheme: str, expires: float | None) -> Headers:
    """Set-Cookie for a cookie and its twin, NAMECORS, for requests from other origins.

    expires: seconds since the epoch; None for a cookie of the browser's session. The twin is
    Secure where the listener is: over HTTP a browser would not keep it otherwise.
    """
    attributes = f"{value}; Expires={formatdate(expires, usegmt=True)}" if expires else value
    secure = "; Secure" if scheme == "https" else ""
    return (
        ("Set-Cookie", f"{name}={attributes}; Path=/"),
        ("Set-Cookie", f"{name}CORS={attributes}; Path=/; SameSite=None{secure}"),
    )


def sets(response: Headers, name: str) -> SimpleCookie | None:
    """The cookie of that name that a target's response sets, with its attributes, or None."""
    for key, value in response:
        if key.lower() == "set-cookie" and value.partition("=")[0].strip() == name:
            cookie: SimpleCookie = SimpleCookie()
            try:
                cookie.load(value)
            except CookieError:
                return None
            return cookie if name in cookie else None
    return None
