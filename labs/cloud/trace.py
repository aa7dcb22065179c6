"""`aws.trace`: the path of a message through the mock, as table, frame and figure."""

import heapq
import html
import importlib
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from labs.cloud.inside import Inside

if TYPE_CHECKING:
    import pandas as pd

WHAT = "asked what happens inside it (CloudWatch Logs and X-Ray tell their part)"
#: Between two looks at a message that is still on its way.
PAUSE_SECONDS = 0.05

COLUMNS = (
    "chain",
    "time_ms",
    "service",
    "operation",
    "resource",
    "caller",
    "status",
    "error",
    "duration_ms",
    "message",
    "detail",
    "depth",
)
#: Services whose name in a sentence is not their name in boto3.
NAMES = {
    "apigateway": "API Gateway's API",
    "apigatewayv2": "API Gateway's API",
    "cloudformation": "CloudFormation",
    "cloudwatch": "CloudWatch",
    "codepipeline": "CodePipeline",
    "dynamodb": "DynamoDB",
    "elasticbeanstalk": "Elastic Beanstalk",
    "elb": "Classic ELB",
    "elbv2": "ELB",
    "execute-api": "API Gateway",
    "lambda": "Lambda",
    "logs": "CloudWatch Logs",
}


#: Services that call others by themselves, and so may stand where a caller's name does.
CALLING_SERVICES = ("execute-api", "lambda", "s3", "sns", "sqs")


def in_words(service: str) -> str:
    """A service as a sentence calls it: "DynamoDB"."""
    return NAMES.get(service, service.upper())


@dataclass(frozen=True)
class Hop:
    """One step of a path.

    chain:       1 for the first path shown, 2 for the next.
    time_ms:     when it began, in milliseconds since its path began; duration_ms: how long it took.
    service, operation, resource: what was done to what. AWS's operations have AWS's names; what
                 services do by themselves is in lower case: "run", "deliver", "retry", "throttle",
                 "give up", "dead letter". A request to API Gateway is of service "execute-api".
    caller:      "learner", the name of a function, or a service or topic.
    status:      HTTP's status as text, or a word: "ok", "failed", "queued", "refused", "filtered",
                 "throttled", "waiting", "running".
    error:       AWS's code or the type of a function's exception; "" when all is well.
    message:     SNS's MessageId, or a request id, by which AWS's logs tell of it.
    detail:      an error in words, "cold start", why a message was filtered.
    depth:       how many hops it is away from what began the path.
    """

    chain: int
    time_ms: float
    service: str
    operation: str
    resource: str
    caller: str
    status: str
    error: str
    duration_ms: float
    message: str
    detail: str
    depth: int

    @property
    def went_wrong(self) -> bool:
        return bool(self.error) or (self.status.isdigit() and int(self.status) >= 400)

    @property
    def step(self) -> str:
        """What was done: "DynamoDB UpdateItem"."""
        return f"{in_words(self.service)} {self.operation}"

    @property
    def result(self) -> str:
        """How it ended, in words: "✗ 403 AccessDenied: ..."."""
        mark = "✗ " if self.went_wrong else ""
        words = " ".join(filter(None, [self.status, self.error]))
        return mark + ": ".join(filter(None, [words, self.detail]))


class Path(list[Hop]):
    """The hops of one or several messages, each below what set it off.

    A notebook shows it as a table, `print` as text.
    """

    def __init__(self, hops: list[Hop], at_rest: bool = True, title: str = "") -> None:
        super().__init__(hops)
        self.at_rest = at_rest
        self._title = title

    def frame(self) -> "pd.DataFrame":
        """One row a hop; the columns are those of `Hop`."""
        import pandas as pd

        return pd.DataFrame(
            [[getattr(hop, name) for name in COLUMNS] for hop in self], columns=list(COLUMNS)
        )

    def figure(self) -> None:
        """Show the hops on a scale of time.

        The picture is the course's, loaded by name: `labs.cloud` itself draws nothing.
        """
        importlib.import_module("labs.course.trace_figure").show(self)

    @property
    def heading(self) -> str:
        """What there is to see, in a sentence."""
        if not self:
            return "No message has travelled yet. Send one, then ask again."
        wrong = sum(hop.went_wrong for hop in self)
        parts = [f"{self._title}{len(self)} {'hop' if len(self) == 1 else 'hops'}"]
        parts.append(f"{wrong} went wrong" if wrong else "none went wrong")
        if not self.at_rest:
            parts.append("still on its way: ask again for the rest")
        return ", ".join(parts) + "."

    def __repr__(self) -> str:
        rows = [("ms", "took", "step", "on", "by", "result"), *map(_cells, self)]
        widths = [max(len(row[column]) for row in rows) for column in range(5)]
        lines = [
            "  ".join(
                cell.rjust(width) if column < 2 else cell.ljust(width)
                for column, (cell, width) in enumerate(zip(row, [*widths, 0], strict=True))
            ).rstrip()
            for row in rows
        ]
        return "\n".join([self.heading, *(lines if self else [])])

    __str__ = __repr__

    def _repr_html_(self) -> str:
        if not self:
            return f"<p>{html.escape(self.heading)}</p>"
        names = ("began, ms", "took, ms", "step", "on", "by", "result")
        head = "".join(f'<th scope="col" style="text-align: left">{name}</th>' for name in names)
        rows = "".join(_html_row(hop, _cells(hop)) for hop in self)
        caption = f'<caption style="text-align: left">{html.escape(self.heading)}</caption>'
        return f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _cells(hop: Hop) -> tuple[str, ...]:
    took = "" if hop.operation in ("retry", "give up") else f"{hop.duration_ms:.1f}"
    began = f"{hop.time_ms:.1f}"
    by = in_words(hop.caller) if hop.caller in CALLING_SERVICES else hop.caller
    return began, took, "  " * hop.depth + hop.step, hop.resource, by, hop.result


def _html_row(hop: Hop, cells: tuple[str, ...]) -> str:
    styles = ["text-align: right"] * 2 + [f"text-align: left; padding-left: {hop.depth + 0.5}em"]
    styles += ["text-align: left"] * 2
    styles.append("text-align: left" + ("; font-weight: bold" if hop.went_wrong else ""))
    return (
        "<tr>"
        + "".join(
            f'<td style="{style}">{html.escape(cell.strip())}</td>'
            for cell, style in zip(cells, styles, strict=True)
        )
        + "</tr>"
    )


class Trace:
    """What happens inside the mock. `connect` begins with an empty record.

    aws.trace(), aws.trace(last=3), aws.trace().figure(), aws.trace.calls(20),
    aws.trace.queue("copier")
    """

    def __init__(self, inside: Inside) -> None:
        self._inside = inside

    def __call__(self, *, last: int = 1, since: float = 0.0, wait: float = 10.0) -> Path:
        """The path of the newest message, or of the `last` ones.

        A path begins with a request to API Gateway, or with an API call that sends something
        (Publish, Invoke, SendMessage) or sets something off; other calls are left out.

        since: seconds since 1970, as `time.time()` tells: only what began after it.
        wait:  seconds to wait at most for what is still on its way: a queue, a retry.
        Raises ValueError, NotRun in live mode.
        """
        deadline = time.monotonic() + wait
        query = {"last": last, "since": since}
        while True:
            chains = self._inside.ask("GET", "trace", WHAT, params=query)
            at_rest = all(chain["at_rest"] for chain in chains)
            if at_rest or time.monotonic() >= deadline:
                break
            time.sleep(PAUSE_SECONDS)
        hops = [hop for number, chain in enumerate(chains, 1) for hop in _in_order(number, chain)]
        title = f"{len(chains)} messages, " if len(chains) > 1 else ""
        return Path(hops, at_rest, title)

    def calls(self, last: int = 20, *, since: float = 0.0) -> Path:
        """The newest requests, whoever made them: a call that is tried again shows each try.

        Raises ValueError, NotRun in live mode.
        """
        query = {"last": last, "since": since}
        found = self._inside.ask("GET", "calls", WHAT, params=query)
        began = found[0]["began"] if found else 0.0
        return Path([_hop(1, call, began, depth=0) for call in found], title="Calls: ")

    def queue(self, function: str) -> "pd.DataFrame":
        """Lambda's queue of a function's events over time, a row for each change.

        function:  its name.
        time:      seconds since 1970, as in `time.time()`.
        waiting:   events in the queue, those that wait for another try included.
        oldest_s:  seconds since the oldest of them was accepted, on this machine's clock; Lambda
                   compares TIME_SCALE times as much with MaximumEventAgeInSeconds. An event that
                   leaves at this moment counts once more.
        throttles: refusals for want of concurrency, so far.

        Empty when no event ever came. Raises NotRun in live mode: there CloudWatch has the metrics
        AsyncEventAge and Throttles, by the minute.
        """
        return queue_frame(self._inside.ask("GET", "queue", WHAT, params={"function": function}))

    def __repr__(self) -> str:
        return "<aws.trace: call it, aws.trace(), to see the path of the newest message>"


def queue_frame(waits: list[dict[str, Any]]) -> "pd.DataFrame":
    """The frame of `Trace.queue` for the stays of events in a queue.

    Each has `accepted`, `began`, `ended` (None: still there) and `throttled`, a list; all of them
    seconds since 1970.
    """
    import pandas as pd

    changes = []  # what happened when: (time, waiting more, accepted or 0.0, throttles more)
    for wait in waits:
        changes.append((wait["began"], 1, wait["accepted"], 0))
        changes += [(moment, 0, 0.0, 1) for moment in wait["throttled"]]
        if wait["ended"] is not None:
            changes.append((wait["ended"], -1, wait["accepted"], 0))
    present: Counter[float] = Counter()
    oldest_first: list[float] = []  # a heap of when events were accepted, some gone by now
    waiting = throttles = 0
    rows = []
    for moment, change, accepted, refused in sorted(changes, key=lambda row: (row[0], -row[1])):
        waiting, throttles = waiting + change, throttles + refused
        if change:
            present[accepted] += change
        if change == 1:
            heapq.heappush(oldest_first, accepted)
        oldest = moment - oldest_first[0] if oldest_first else 0.0
        rows.append((moment, waiting, oldest, throttles))
        while oldest_first and present[oldest_first[0]] <= 0:
            heapq.heappop(oldest_first)
    return pd.DataFrame(rows, columns=["time", "waiting", "oldest_s", "throttles"])


def _in_order(number: int, chain: dict[str, Any]) -> Iterator[Hop]:
    """The hops of a chain, each below what set it off, siblings by time."""
    hops = chain["hops"]
    known = {hop["id"] for hop in hops}
    began = min(hop["began"] for hop in hops)
    below: dict[str, list[dict]] = {}
    for hop in hops:  # a parent that the mock has forgotten leaves its children at the top
        below.setdefault(hop["parent"] if hop["parent"] in known else "", []).append(hop)
    waiting = [(hop, 0) for hop in reversed(below.get("", []))]
    while waiting:
        hop, depth = waiting.pop()
        yield _hop(number, hop, began, depth)
        waiting += [(child, depth + 1) for child in reversed(below.get(hop["id"], []))]


def _hop(number: int, seen: dict[str, Any], began: float, depth: int) -> Hop:
    running = (time.time() - seen["began"]) * 1000  # the mock's clock is this machine's
    return Hop(
        chain=number,
        time_ms=(seen["began"] - began) * 1000,
        duration_ms=running if seen["ms"] is None else seen["ms"],
        depth=depth,
        **{
            name: seen[name]
            for name in (
                "service",
                "operation",
                "resource",
                "caller",
                "status",
                "error",
                "message",
                "detail",
            )
        },
    )
