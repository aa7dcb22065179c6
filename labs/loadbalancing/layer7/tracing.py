"""X-Amzn-Trace-Id, by which one request is found again in the logs of all that it passed.

Source: "Request tracing for your Application Load Balancer". Without the header the balancer adds
one with Root. With Root it puts its own Self in front; an older Self is replaced. Other fields
stay (without Root or Self among them, which AWS does not describe, they get a Root). When the
headers are over 7 KB it starts anew with a Root.
"""

import random
import time

HEADERS_BYTES = 7 * 1024


def new_id() -> str:
    """Version 1, the time in 8 hexadecimal digits, and 24 random ones; no secret."""
    return f"1-{int(time.time()):08x}-{random.getrandbits(96):024x}"


def trace_id(value: str | None, headers_bytes: int) -> str:
    """What a target is sent for what the client sent."""
    if value is None or headers_bytes > HEADERS_BYTES:
        return f"Root={new_id()}"
    fields = [field for field in value.split(";") if field.strip()]
    others = [field for field in fields if not field.strip().startswith("Self=")]
    known = len(others) < len(fields) or any(f.strip().startswith("Root=") for f in others)
    return ";".join([f"{'Self' if known else 'Root'}={new_id()}", *others])
