"""Where custom resources answer: URLs of the mock that stand for AWS's presigned ones of S3.

Source: User Guide, "Custom resource request and response".
"""

from __future__ import annotations

import json
import threading
import uuid
from typing import Any

#: Below the mock's own prefix.
NAME = "responses"


class Forgotten(Exception):
    """A reset came before the response."""


class _Waiting(threading.Event):
    response: dict[str, Any] | None = None


_waiting: dict[str, _Waiting] = {}


def expect() -> str:
    """An id under which one response is awaited."""
    key = uuid.uuid4().hex
    _waiting[key] = _Waiting()
    return key


def wait(key: str, seconds: float) -> dict[str, Any] | None:
    """The response; None when there is none in time. Raises Forgotten."""
    waiting = _waiting.get(key)
    if waiting is None:
        raise Forgotten
    came = waiting.wait(seconds)
    _waiting.pop(key, None)
    if came and waiting.response is None:
        raise Forgotten
    return waiting.response


def receive(key: str, body: bytes) -> bool:
    """Whether anybody awaits it. Raises ValueError for what is no JSON object."""
    response = json.loads(body)
    if not isinstance(response, dict):
        raise ValueError(f"A response is a JSON object; found {response!r}.")
    waiting = _waiting.get(key)
    if waiting is None:
        return False
    waiting.response = response
    waiting.set()
    return True


def reset() -> None:
    for waiting in list(_waiting.values()):
        waiting.set()
    _waiting.clear()
