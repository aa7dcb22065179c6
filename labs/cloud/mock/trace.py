"""The path of a message through the mock, hop by hop: who did what to whom, how long, how it ended.

A request at API Gateway or an API call begins a chain. What it sets off continues the chain: in a
thread of the mock by a context variable, from a sandbox by the header `X-Amzn-Trace-Id`, which
boto3 adds to every call that it makes inside Lambda, and through queues by the invocation itself.
A function's call without the header (made with another library) begins a chain of its own.

Operations of the AWS API have AWS's names ("Publish"); what the motors do by themselves is in
lower case: "run", "deliver", "retry", "throttle", "give up", "dead letter".

Source: X-Ray guide, "Tracing header".
"""

import contextvars
import re
import secrets
import threading
import time
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

MOST_HOPS = 5_000
MOST_DETAIL = 1_000  # characters of an error: a function may raise a megabyte
#: A client's request to an API, as opposed to `apigateway`, the API that manages APIs.
GATEWAY = "execute-api"
LEARNER = "learner"
#: API calls that send something on its way, even if nobody is there to receive it.
SENDING = {
    ("sns", "Publish"),
    ("sns", "PublishBatch"),
    ("lambda", "Invoke"),
    ("lambda", "InvokeAsync"),
    ("sqs", "SendMessage"),
    ("sqs", "SendMessageBatch"),
}
RUNNING = "running"

_ROOT = re.compile(r"(?:^|;)\s*Root=(1-[0-9a-f]{8}-[0-9a-f]{24})(?:;|$)")
_PARENT = re.compile(r"(?:^|;)\s*Parent=([0-9a-f]{16})(?:;|$)")


def new_chain() -> str:
    """A trace id: version, seconds since 1970, 96 random bits."""
    return f"1-{int(time.time()):08x}-{secrets.token_hex(12)}"


@dataclass(frozen=True)
class Cause:
    """What something belongs to: a chain, the hop in it that set it off (or ""), and who did."""

    chain: str = field(default_factory=new_chain)
    parent: str = ""
    by: str = LEARNER

    @property
    def header(self) -> str:
        """The value of `X-Amzn-Trace-Id` for what happens from here on."""
        parent = f";Parent={self.parent}" if self.parent else ""
        return f"Root={self.chain}{parent};Sampled=1"


@dataclass(slots=True)
class Hop:
    """One step of a chain.

    began:   seconds since 1970. ms: milliseconds until it ended, None while it runs.
    caller:  "learner", the name of a function, or a service.
    status:  of requests, HTTP's, as text; else one word: "running", "ok", "failed", "queued",
             "refused", "filtered", "throttled", "waiting".
    error:   AWS's code or the type of a function's exception; "" when all is well.
    message: the id that links hops to what AWS shows: SNS's MessageId, Lambda's request id.
    detail:  words: an error's message, "cold start", why a message was filtered.
    """

    chain: str
    id: str
    parent: str
    began: float
    service: str
    operation: str
    resource: str
    caller: str
    ms: float | None = None
    status: str = RUNNING
    error: str = ""
    message: str = ""
    detail: str = ""

    def fail(self, status: str, error: str, detail: str) -> None:
        self.status, self.error, self.detail = status, error, detail[:MOST_DETAIL]

    def lasts_until_now(self) -> None:
        self.ms = (_now() - self.began) * 1000


class _Recorder:
    """The newest hops, and how much of each chain is still to come."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.reset()

    def reset(self) -> None:
        with self._lock:
            self._hops: deque[Hop] = deque(maxlen=MOST_HOPS)
            self._awaited: Counter[str] = Counter()
            # A clock as fine as perf_counter that tells the time of day.
            self.epoch = time.time() - time.perf_counter()

    def add(self, hop: Hop) -> None:
        with self._lock:
            self._hops.append(hop)

    def hops(self) -> list[Hop]:
        with self._lock:
            return list(self._hops)

    def expect(self, chain: str, more: int) -> None:
        with self._lock:
            self._awaited[chain] += more
            if self._awaited[chain] <= 0:  # also what was awaited before a reset
                del self._awaited[chain]

    def awaits(self, chain: str) -> bool:
        with self._lock:
            return chain in self._awaited


_recorder = _Recorder()
_here: contextvars.ContextVar[Cause | None] = contextvars.ContextVar("labs_trace", default=None)


def _now() -> float:
    return _recorder.epoch + time.perf_counter()


def cause() -> Cause:
    """What the code that asks belongs to; a new chain of the learner's when it is nobody's."""
    return _here.get() or Cause()


def received(header: str | None) -> Cause:
    """The cause named in a request's `X-Amzn-Trace-Id`; a new chain unless it is well-formed."""
    root, parent = _ROOT.search(header or ""), _PARENT.search(header or "")
    if root is None:
        return Cause()
    return Cause(root[1], parent[1] if parent else "")


@contextmanager
def hop(
    service: str,
    operation: str,
    resource: str = "",
    *,
    within: Cause | None = None,
    caller: str | None = None,
    by: str | None = None,
    message: str = "",
) -> Iterator[Hop]:
    """Record what the block does; what it sets off belongs to this hop.

    within: what set it off; None: what the thread is doing.
    caller: None: whoever set it off. by: the caller of what comes next; None: the service.

    The block may change the hop. A status that is still "running" at the end becomes "ok"; an
    exception becomes the error, and passes.
    """
    within = within or cause()
    step = _new(service, operation, resource, within, caller, message)
    token = _here.set(Cause(within.chain, step.id, service if by is None else by))
    try:
        yield step
    except BaseException as wrong:
        if not step.error:
            step.fail("failed", type(wrong).__name__, str(wrong))
        raise
    finally:
        _here.reset(token)
        step.lasts_until_now()
        if step.status == RUNNING:
            step.status = "ok"


def note(
    service: str,
    operation: str,
    resource: str,
    *,
    status: str,
    within: Cause | None = None,
    caller: str | None = None,
    error: str = "",
    message: str = "",
    detail: str = "",
) -> Hop:
    """Record something that takes no time."""
    step = _new(service, operation, resource, within or cause(), caller, message)
    step.ms, step.status, step.error, step.detail = 0.0, status, error, detail
    return step


def _new(
    service: str, operation: str, resource: str, within: Cause, caller: str | None, message: str
) -> Hop:
    step = Hop(
        chain=within.chain,
        id=secrets.token_hex(8),
        parent=within.parent,
        began=_now(),
        service=service,
        operation=operation,
        resource=resource,
        caller=within.by if caller is None else caller,
        message=message,
    )
    _recorder.add(step)
    return step


def expect(within: Cause) -> None:
    """Something of this chain waits in a queue: the chain is not at rest before it `arrived`."""
    _recorder.expect(within.chain, 1)


def arrived(within: Cause) -> None:
    """What was expected has happened, or will not happen any more."""
    _recorder.expect(within.chain, -1)


def reset() -> None:
    """Forget everything."""
    _recorder.reset()


def chains(last: int, since: float = 0.0) -> list[dict[str, Any]]:
    """The newest `last` chains that begin after `since` (seconds since 1970), oldest first.

    Left out are single API calls that send nothing anywhere: while a lesson waits for a result it
    makes many. Each chain: {"id": str, "at_rest": bool, "hops": [a Hop's fields, ...]}, hops in
    the order in which they began.
    """
    found: dict[str, list[Hop]] = {}
    for step in _recorder.hops():
        found.setdefault(step.chain, []).append(step)
    travelled = [
        (chain, steps)
        for chain, steps in found.items()
        if steps[0].began > since and _travels(steps)
    ]
    return [
        {
            "id": chain,
            "at_rest": not _recorder.awaits(chain) and all(s.status != RUNNING for s in steps),
            "hops": [asdict(step) for step in steps],
        }
        for chain, steps in travelled[-last:]
    ]


def calls(last: int, since: float = 0.0) -> list[dict[str, Any]]:
    """The newest `last` requests, whoever made them, oldest first: each a Hop's fields."""
    made = [step for step in _recorder.hops() if step.began > since and _is_request(step)]
    return [asdict(step) for step in made[-last:]]


def _travels(steps: list[Hop]) -> bool:
    first = steps[0]
    return len(steps) > 1 or first.service == GATEWAY or (first.service, first.operation) in SENDING


def _is_request(step: Hop) -> bool:
    return not step.operation[0].islower()


def short_name(arn: str) -> str:
    """What a resource is called where its kind is known: an ARN's last part, without the kind.

    >>> short_name("arn:aws:dynamodb:us-east-1:123456789012:table/words")
    'words'
    >>> short_name("arn:aws:lambda:us-east-1:123456789012:function:counter:3")
    'counter:3'
    >>> short_name("arn:aws:s3:::bucket/a/key")
    'bucket/a/key'
    """
    parts = arn.split(":", 5)
    if len(parts) < 6:
        return "" if arn == "*" else arn
    service, resource = parts[2], parts[5]
    if service == "s3" or resource.startswith("/"):
        return resource
    if service == "logs":
        return resource.removeprefix("log-group:").split(":log-stream:")[0]
    return re.split("[:/]", resource, maxsplit=1)[-1]
