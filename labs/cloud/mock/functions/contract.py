"""What callers of the Lambda motor (API, SNS, API Gateway) get back, and what they may catch."""

import uuid
from dataclasses import dataclass, field

from labs.cloud.mock import trace


@dataclass(frozen=True)
class Invocation:
    """One event for one function.

    event:      JSON.
    arn:        of the function as the caller named it, with version or alias if that was named.
    request_id: the same for all tries of an asynchronous event.
    attempt:    1 for the first try.
    cause:      the chain of calls that it belongs to (see `trace`).
    """

    event: bytes
    arn: str
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    attempt: int = 1
    cause: trace.Cause = field(default_factory=trace.cause)


@dataclass(frozen=True)
class Outcome:
    """What one run of a function gave.

    payload: JSON bytes: the handler's result, or AWS's error object when `error` is set.
    error:   None, or "Unhandled" (the only value of today's FunctionError for Python).
    log:     the run's log as text: START, prints, END, REPORT.
    version: the version that ran, "$LATEST" or a number.
    """

    payload: bytes
    error: str | None
    log: str
    version: str


class Refused(Exception):
    """The motor did not run the function; nothing of the event was consumed."""


class Throttled(Refused):
    """No free concurrency. `reason` is AWS's ThrottleReason (Lambda API)."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Unavailable(Throttled):
    """A fault of Lambda's own, asked for with `faults`: to callers and queues like a throttle."""


class NotPermitted(Refused):
    """The function's resource policy does not allow this service and source to invoke it."""


class NoSuchFunction(Refused):
    """No function, version or alias has this ARN."""


class TooLarge(Refused):
    """The event is larger than Lambda takes: 6 MB synchronous, 1 MB asynchronous."""
