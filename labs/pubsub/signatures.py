"""How Slack signs a request, so that the receiver knows who sent it, and when.

Slack and the app share a secret, which never travels: what travels is a code made of the secret,
the time and the body (an HMAC, RFC 2104). Source: Slack, "Verifying requests from Slack".
"""

import hashlib
import hmac
import time
from collections.abc import Mapping

VERSION = "v0"
WINDOW = 300  # seconds: older requests, and those from the future, are refused
TIMESTAMP, SIGNATURE = "X-Slack-Request-Timestamp", "X-Slack-Signature"


def signature(secret: str, timestamp: str, body: str) -> str:
    """The signature of a body, sent at `timestamp` (seconds since 1970, as text)."""
    signed = f"{VERSION}:{timestamp}:{body}".encode()
    return f"{VERSION}={hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()}"


def headers(secret: str, body: str, at: float | None = None) -> dict[str, str]:
    """The two headers that Slack adds to a request; `at`: seconds since 1970, or now."""
    timestamp = str(int(time.time() if at is None else at))
    return {TIMESTAMP: timestamp, SIGNATURE: signature(secret, timestamp, body)}


def refusal(secret: str, received: Mapping[str, str], body: str, now: float) -> str:
    """Why a request is not to be trusted, or "".

    received: the request's headers, in any case. body: as it came, not parsed and put together
    again: the signature is over its bytes.
    """
    by_name = {name.lower(): value for name, value in received.items()}
    timestamp = by_name.get(TIMESTAMP.lower(), "")
    if not (timestamp.isascii() and timestamp.isdigit()):
        return "no time"
    if abs(now - int(timestamp)) > WINDOW:
        return "too old, or from the future"
    expected = signature(secret, timestamp, body)
    # As bytes: compare_digest takes texts of ASCII only, and a header may hold anything. It takes
    # the same time for every wrong signature, so that timing does not give away the right one.
    given = by_name.get(SIGNATURE.lower(), "")
    if not hmac.compare_digest(expected.encode(), given.encode("utf-8", "replace")):
        return "wrong signature"
    return ""
