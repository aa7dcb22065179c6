"""Bad weather on request: calls that are slow, refused or doubled, as rules that a lesson sets.

A rule names a service and a pattern of its operations. It is met by API calls before anything
answers them, whoever makes them, and by two things that the motors do:

- `("sns", "deliver")`: SNS handing a message to a function. `latency` delays it, `error` makes it
  fail for good, `duplicate` hands it over again (same MessageId), as at-least-once delivery may.
- `("lambda", "Invoke")`: also each try of an asynchronous event. An error sends the event back to
  the queue (Lambda guide, "How Lambda handles errors and retries with asynchronous invocation":
  throttling and system errors); `duplicate` queues it again (same request id).

Several rules on one call: waits add up, the first refusal counts. Injected seconds are real ones:
TIME_SCALE does not divide them.
"""

import difflib
import math
import random
import re
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

import botocore.session
from botocore.exceptions import UnknownServiceError
from moto.core.utils import get_service_model

from labs.cloud.mock import transfers
from labs.cloud.mock.gateway.throttle import Limit, Throttle

#: What the motors do, and no API call is: met only by a rule that names it.
DELIVER = "deliver"
#: Where something can come twice, and how to ask for it.
DOUBLED = {"sns": (DELIVER,), "lambda": ("Invoke",)}

# What a service answers to too many calls. Sources: S3 User Guide, "Best practices design patterns"
# (503 SlowDown); DynamoDB guide, "Error handling"; Lambda API, Invoke; EC2 API guide, "Request
# throttling"; SQS API, SendMessage; the rest by protocol ("Common errors" of each API reference).
_THROTTLES = {
    "s3": "SlowDown",
    "dynamodb": "ProvisionedThroughputExceededException",
    "ec2": "RequestLimitExceeded",
    "sqs": "RequestThrottled",
}
# Statuses that botocore's models do not tell. Source: S3 API, "Error responses"; EC2 API guide,
# "Error codes"; "Common errors" of each API reference.
_STATUSES = {
    "AccessDenied": 403,
    "InternalError": 500,
    "InternalFailure": 500,
    "InternalServerError": 500,
    "RequestLimitExceeded": 503,
    "ServiceUnavailable": 503,
    "SlowDown": 503,
    "Unavailable": 503,
}
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9.]*")


class Misunderstood(ValueError):
    """A rule that cannot be; the message says why, and what was perhaps meant."""


@dataclass(frozen=True)
class Refusal:
    """The answer of a call that a rule refuses, ready for `errors.render`."""

    code: str
    message: str
    status: int


@dataclass(frozen=True)
class Weather:
    """What the rules have in store for one call: wait so many seconds, then refuse it or not."""

    delay: float = 0.0
    refusal: Refusal | None = None


FINE = Weather()


@dataclass(frozen=True)
class Settings:
    """A rule as it is asked for.

    operation:   a pattern of operation names ("*Object"), or "deliver" of SNS.
    latency:     seconds that are added.
    bandwidth:   bytes a second on the way of an S3 object, for each call.
    rate:        calls a second; those beyond are refused, with `error` or the service's own code.
    error:       AWS's error code; without a `rate`, every call that the rule touches gets it.
    probability: the share of calls that the rule touches, drawn from `seed`. Not of a `rate`.
    duplicate:   how many more times a message or event arrives.

    Raises Misunderstood.
    """

    service: str
    operation: str
    latency: float = 0.0
    bandwidth: float | None = None
    rate: float | None = None
    error: str | None = None
    probability: float = 1.0
    duplicate: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        _check_numbers(self)
        if not isinstance(self.service, str) or not isinstance(self.operation, str):
            raise Misunderstood(
                "Service and operation are texts, as in aws.faults('s3', '*Object', latency=0.1)."
            )
        if self.error is not None and not (
            isinstance(self.error, str) and _CODE.fullmatch(self.error)
        ):
            raise Misunderstood(
                f"error={self.error!r} is no error code of AWS's; expected one like 'SlowDown'."
            )
        names = _operations(self.service)
        met = [name for name in (*names, *_motors(self.service)) if self.matches(name)]
        if not met:
            raise Misunderstood(
                f"{self.service} has no operation {self.operation!r}."
                f"{_meant(self.operation, (*names, *_motors(self.service)))}"
            )
        if not any((self.latency, self.bandwidth, self.rate, self.error, self.duplicate)):
            raise Misunderstood(
                "This rule would do nothing: give it one of latency, bandwidth, rate, error, "
                "duplicate."
            )
        if self.bandwidth and not (self.service == "s3" and set(met) & set(transfers.OPERATIONS)):
            raise Misunderstood(
                f"bandwidth is for what carries S3 objects: {', '.join(transfers.OPERATIONS)}; "
                f"found {self.service} {self.operation}."
            )
        if self.duplicate and not set(met) & set(DOUBLED.get(self.service, ())):
            raise Misunderstood(
                'duplicate is for aws.faults("sns", "deliver", ...) and '
                f'aws.faults("lambda", "Invoke", ...); found {self.service} {self.operation}.'
            )
        if self.rate and self.operation == DELIVER:
            raise Misunderstood("SNS's delivery has no rate; limit what it calls, or use error.")

    def matches(self, operation: str) -> bool:
        if operation == DELIVER or self.operation == DELIVER:
            return operation == self.operation
        return fnmatchcase(operation, self.operation)


@dataclass
class _Rule:
    """A rule at work. `hits`: calls that it slowed, refused or doubled."""

    settings: Settings
    hits: int = 0
    dice: random.Random = field(init=False)
    throttle: Throttle = field(default_factory=Throttle)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.dice = random.Random(self.settings.seed)

    def weather(self, size: Callable[[], int]) -> Weather:
        asked = self.settings
        if asked.rate:
            limit = Limit(asked.rate, max(1, round(asked.rate)))
            if not self.throttle.admit("calls", limit):
                self._hit()
                return Weather(refusal=_refusal(asked, too_many=True))
        delay, fails = asked.latency, bool(asked.error) and not asked.rate
        if asked.bandwidth:
            delay += size() / asked.bandwidth
        if not (delay or fails) or not self._touches():
            return FINE
        return Weather(delay, _refusal(asked, too_many=False) if fails else None)

    def copies(self) -> int:
        return int(self.settings.duplicate) if self.settings.duplicate and self._touches() else 0

    def _touches(self) -> bool:
        with self.lock:
            touched = self.dice.random() < self.settings.probability
            self.hits += touched
            return touched

    def _hit(self) -> None:
        with self.lock:
            self.hits += 1


_rules: dict[str, _Rule] = {}  # by id, the oldest first
_lock = threading.Lock()


def add(rule_id: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Begin a rule, in place of an older one of this id. Raises Misunderstood."""
    known = [each.name for each in fields(Settings)]
    if unknown := [name for name in settings if name not in known]:
        raise Misunderstood(f"A rule has no {unknown[0]!r}.{_meant(unknown[0], known)}")
    try:
        rule = _Rule(Settings(**settings))
    except TypeError as wrong:
        raise Misunderstood(f"A rule needs a service and an operation: {wrong}.") from None
    with _lock:
        _rules[rule_id] = rule
    return _shown(rule_id, rule)


def remove(rule_id: str) -> dict[str, Any] | None:
    """End a rule: what it was, hits included; None when there is none of this id (any more)."""
    with _lock:
        rule = _rules.pop(rule_id, None)
    return _shown(rule_id, rule) if rule else None


def listing() -> list[dict[str, Any]]:
    """All rules, the oldest first: their settings, "id" and "hits"."""
    return [_shown(rule_id, rule) for rule_id, rule in _now().items()]


def clear() -> None:
    """Fine weather."""
    with _lock:
        _rules.clear()


def weather(service: str, operation: str, size: Callable[[], int] = lambda: 0) -> Weather:
    """What the rules have in store for this call. Ask once for a call: it counts.

    size: tells the bytes that it carries; asked only when a rule wants to know.
    """
    delay = 0.0
    for rule in _met(service, operation):
        one = rule.weather(size)
        delay += one.delay
        if one.refusal:
            return Weather(delay, one.refusal)
    return Weather(delay) if delay else FINE


def copies(service: str, operation: str) -> int:
    """How many more times this message or event arrives. Ask once: it counts."""
    return sum(rule.copies() for rule in _met(service, operation))


def throttling_code(service: str) -> str:
    """What this service answers to too many calls."""
    if service in _THROTTLES:
        return _THROTTLES[service]
    model = get_service_model(service)
    if "TooManyRequestsException" in {shape.name for shape in model.error_shapes}:
        return "TooManyRequestsException"
    return "ThrottlingException" if "json" in model.protocol else "Throttling"


def status_of(service: str, code: str) -> int:
    """The HTTP status with which a service answers an error code."""
    for shape in get_service_model(service).error_shapes:
        if code in (shape.name, shape.error_code):
            if status := shape.metadata.get("error", {}).get("httpStatusCode"):
                return status
            if shape.metadata.get("fault"):
                return 500
    return _STATUSES.get(code, 400)


def _now() -> dict[str, _Rule]:
    with _lock:
        return dict(_rules)


def _met(service: str, operation: str) -> Iterable[_Rule]:
    if not _rules:  # nearly always
        return ()
    return [
        rule
        for rule in _now().values()
        if rule.settings.service == service and rule.settings.matches(operation)
    ]


def _shown(rule_id: str, rule: _Rule) -> dict[str, Any]:
    return {"id": rule_id, **asdict(rule.settings), "hits": rule.hits}


def _refusal(asked: Settings, too_many: bool) -> Refusal:
    code = asked.error or throttling_code(asked.service)
    reason = f"Rate exceeded: over {asked.rate:g} a second" if too_many else "An error"
    return Refusal(code, f"{reason} (asked for with aws.faults)", status_of(asked.service, code))


def _check_numbers(asked: Settings) -> None:
    wanted = {
        "latency": ("seconds, 0 or more", lambda n: n >= 0),
        "bandwidth": ("bytes a second, more than 0", lambda n: n > 0),
        "rate": ("calls a second, more than 0", lambda n: n > 0),
        "probability": ("a share above 0, up to 1", lambda n: 0 < n <= 1),
        "duplicate": ("a whole number, 0 to 100", lambda n: 0 <= n <= 100 and n == int(n)),
        "seed": ("a whole number", lambda n: n == int(n)),
    }
    for name, (words, fits) in wanted.items():
        value = getattr(asked, name)
        if value is None and name in ("bandwidth", "rate"):
            continue
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or not math.isfinite(value) or not fits(value):
            raise Misunderstood(f"{name}={value!r}: expected {words}.")


@cache
def _services() -> list[str]:
    return botocore.session.get_session().get_available_services()


def _operations(service: str) -> list[str]:
    try:
        return get_service_model(service).operation_names
    except UnknownServiceError:
        raise Misunderstood(
            f"AWS has no service {service!r} (as boto3 calls it).{_meant(service, _services())}"
        ) from None


def _motors(service: str) -> tuple[str, ...]:
    return (DELIVER,) if service == "sns" else ()


def _meant(found: str, known: Iterable[str]) -> str:
    """A sentence with the names that come close, whatever their case: boto3 says put_object."""
    plain = {name.lower(): name for name in known}
    asked = re.sub(r"[^a-z0-9-]", "", found.lower())
    close = [plain[name] for name in difflib.get_close_matches(asked, plain, n=3, cutoff=0.5)]
    return f" Did you mean {' or '.join(close)}?" if close else ""
