"""Publish names, wait until the copier has run for each, and read its runs: lesson 22's errands.

functions, logs, sqs: boto3 clients of Lambda, CloudWatch Logs and SQS.
"""

import base64
import json
import re
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from labs.concurrency.functions.runs import frame

if TYPE_CHECKING:
    from pandas import DataFrame

    from labs.concurrency.functions.deploy import Deployment

LOOK = 0.1  # seconds between two looks at what comes late
QUIET = 4.0  # seconds without a run's end, after which none is expected: twice the longest copy
DURATION = re.compile(r"\tDuration: ([\d.]+) ms")

#: Copier -> (moment, number of runs) of a call that has not ended, or was interrupted.
_unfinished: dict[str, tuple[float, int]] = {}


def publish(functions: Any, publisher: str, keys: Sequence[str]) -> float:
    """Invoke a publisher with these names, and wait for it. Seconds that it ran, by its REPORT.

    Raises RuntimeError when it fails, or could not publish every name.
    Source: Lambda API, Invoke: LogType "Tail" returns the end of the log.
    """
    reply = functions.invoke(
        FunctionName=publisher, LogType="Tail", Payload=json.dumps({"keys": list(keys)})
    )
    told = json.load(reply["Payload"])
    if "FunctionError" in reply or told["failed"]:
        raise RuntimeError(f"{publisher} did not publish every name: {told}")
    log = base64.b64decode(reply["LogResult"]).decode()
    return float(DURATION.search(log)[1]) / 1000


def runs_since(
    logs: Any, copier: str, moment: float, number: int, seconds: float = 60.0
) -> "DataFrame":
    """The copier's runs that began after `moment`, once `number` of them have ended.

    moment: seconds since 1970. The frame is that of `functions.runs.runs`.
    Raises TimeoutError when there are fewer after `seconds`.
    """
    deadline = time.monotonic() + seconds
    while True:
        runs = read(logs, copier, moment)
        if len(runs) >= number:
            return runs
        if time.monotonic() >= deadline:
            raise TimeoutError(
                f"After {seconds:g} s the log of {copier} has {len(runs)} of {number} runs. Is it"
                " subscribed to the topic, and may it run? aws.trace() shows a message's way."
            )
        time.sleep(LOOK)


def read(logs: Any, copier: str, moment: float) -> "DataFrame":
    """The copier's runs that began after `moment` and have ended; none without a log."""
    # Asked for these lines only: a whole lesson's log takes longer to send than a copy.
    pages = logs.get_paginator("filter_log_events").paginate(
        logGroupName=f"/aws/lambda/{copier}", startTime=int(moment * 1000)
    )
    try:
        runs = frame(event for page in pages for event in page["events"])
    except logs.exceptions.ResourceNotFoundException:  # Lambda makes it with the first run
        runs = frame([])
    return runs[runs["start"] >= moment].reset_index(drop=True)


def copy_all(functions: Any, logs: Any, pipeline: "Deployment", keys: Sequence[str]) -> "DataFrame":
    """Publish the names, and return the copier's runs when each name has had one.

    What an interrupted call has published is copied first, or its runs would count as ours.
    """
    finish(logs, pipeline.copier)
    moment = time.time()
    _unfinished[pipeline.copier] = moment, len(keys)
    publish(functions, pipeline.publisher, keys)
    runs = runs_since(logs, pipeline.copier, moment, len(keys))
    del _unfinished[pipeline.copier]
    return runs


def finish(logs: Any, copier: str) -> None:
    """Wait for the runs of a call that was interrupted, as long as one ends every few seconds."""
    moment, number = _unfinished.pop(copier, (0.0, 0))
    ended, news = 0, time.monotonic()
    while ended < number and time.monotonic() - news < QUIET:
        if (now := len(read(logs, copier, moment))) > ended:
            ended, news = now, time.monotonic()
        time.sleep(LOOK)


def brief(runs: "DataFrame") -> str:
    """A line for each run: object, seconds, copied.

    Text, since a frame as HTML has headings without a name, which a screen reader trips over.
    """
    seconds = (runs["end"] - runs["start"]).round(2)
    return runs.assign(seconds=seconds)[["object", "seconds", "copied"]].to_string(index=False)


def lasted(runs: "DataFrame", began: float | None = None) -> float:
    """Seconds until the last end: from the first start, or from `began` on the same clock.

    runs: of the copier, or rows of a way of `copying`.
    """
    return float(runs["end"].max() - (runs["start"].min() if began is None else began))


def at_once(runs: "DataFrame", since: float, until: float) -> float:
    """How many runs were under way, on average between two moments.

    Their seconds between the moments, by the seconds between the moments.
    """
    begun, ended = runs["start"].clip(since, until), runs["end"].clip(since, until)
    return float((ended - begun).sum() / (until - since))


def letters(sqs: Any, queue_url: str, number: int, seconds: float = 30.0) -> list[dict[str, Any]]:
    """The messages of a dead-letter queue, once there are `number`: 10 at most.

    They stay in the queue, and can be seen again at once. Raises TimeoutError when there are fewer
    after `seconds`.
    """
    deadline = time.monotonic() + seconds
    while True:
        found = sqs.receive_message(
            QueueUrl=queue_url,
            MaxNumberOfMessages=10,
            VisibilityTimeout=0,
            MessageAttributeNames=["All"],
        ).get("Messages", [])
        if len(found) >= number:
            return found
        if time.monotonic() >= deadline:
            raise TimeoutError(
                f"After {seconds:g} s the dead-letter queue shows {len(found)} of {number} letters."
                " Who received one without VisibilityTimeout=0 has hidden it for 30 s."
            )
        time.sleep(LOOK)


def keys_in(letters: Sequence[dict[str, Any]]) -> list[str]:
    """The objects that dead letters name, sorted: the body is the event that the copier got."""
    events = [json.loads(letter["Body"]) for letter in letters]
    messages = [record["Sns"]["Message"] for event in events for record in event["Records"]]
    return sorted({json.loads(message)["key"] for message in messages})
