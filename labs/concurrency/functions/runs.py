"""What the copier's runs tell: read from CloudWatch Logs, as on AWS, and counted in frames."""

import json
import re
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import pandas as pd

COLUMNS = ["request_id", "object", "start", "end", "attempt", "copied", "error"]

START = re.compile(r"START RequestId: (\S+)")
REPORT = re.compile(r"REPORT RequestId: \S+\s+Duration: ([\d.]+) ms")
ERROR = re.compile(r"\[ERROR\] (.*)|.* (Task timed out after [\d.]+ seconds)|.* Error: (.*)")


def runs(logs: Any, function_name: str) -> pd.DataFrame:
    """The runs of a copier that have ended, one row each, in the order in which they began.

    logs: a boto3 CloudWatch Logs client. A log comes late: ask again until it is complete.

    request_id: the same for all tries of an event; attempt: 1 for the first of them.
    object:     "" for a run that failed before it knew.
    start, end: seconds since 1970, without the time to load the code.
    copied:     whether it said that the copy was there. error: "" when all is well.

    Empty when there is no log. Source: Lambda guide, "Sending function logs to CloudWatch Logs".
    """
    pages = logs.get_paginator("filter_log_events").paginate(
        logGroupName=f"/aws/lambda/{function_name}"
    )
    try:
        events = [event for page in pages for event in page["events"]]
    except logs.exceptions.ResourceNotFoundException:  # Lambda makes the group with the first run
        events = []
    return frame(events)


def frame(events: Iterable[dict[str, Any]]) -> pd.DataFrame:
    """The frame of `runs` for a log's events: {"logStreamName", "timestamp" (ms), "message"}."""
    streams = defaultdict(list)
    for event in events:
        streams[event["logStreamName"]].append(event)
    rows = [run for stream in streams.values() for run in _runs_of(stream)]
    found = pd.DataFrame(rows, columns=[name for name in COLUMNS if name != "attempt"])
    found = found.sort_values("start", ignore_index=True)
    # A log does not number the tries, but all of an event have its request id.
    found["attempt"] = found.groupby("request_id").cumcount() + 1
    return found[COLUMNS]


def _runs_of(stream: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The ended runs of one stream, which is one sandbox: it runs one after the other."""
    found: list[dict[str, Any]] = []
    for event in sorted(stream, key=lambda event: event["timestamp"]):
        line = event["message"].strip()
        if started := START.match(line):
            run = {
                "request_id": started[1],
                "object": "",
                "start": event["timestamp"] / 1000,
                "copied": False,
                "error": "",
            }
            found.append(run)
        elif not found:
            continue  # what a module prints while it is loaded
        elif report := REPORT.match(line):
            run.setdefault("end", run["start"] + float(report[1]) / 1000)
        elif told := _told(line):
            run["object"] = told["object"]
            run |= {moment: told[moment] for moment in ("start", "end") if moment in told}
            run["copied"] |= "end" in told
        elif wrong := ERROR.match(line):  # wherever in the run it is told
            run["error"] = run["error"] or next(filter(None, wrong.groups()))
    return [run for run in found if "end" in run]


def _told(line: str) -> dict[str, Any] | None:
    """What the copier's `tell` printed; None for other lines."""
    try:
        told = json.loads(line)
    except ValueError:
        return None
    return told if isinstance(told, dict) and "object" in told else None


def concurrency(frame: pd.DataFrame) -> pd.DataFrame:
    """How many runs were under way: (time, running), a row for each change.

    frame: columns start and end. time: seconds since the first start. A run that ends when
    another begins is counted out first, so that a sandbox used again does not count twice.
    """
    if frame.empty:
        return pd.DataFrame({"time": pd.Series(dtype=float), "running": pd.Series(dtype=int)})
    changes = [(end, -1) for end in frame["end"]] + [(start, 1) for start in frame["start"]]
    steps = pd.DataFrame(sorted(changes), columns=["time", "change"])
    running = steps.groupby("time", as_index=False)["change"].sum()
    running["running"] = running.pop("change").cumsum()
    running["time"] -= running["time"].iloc[0]
    return running


def copies(frame: pd.DataFrame) -> pd.DataFrame:
    """Tries and copies by object: (object, tries, copies); more than 1 copy was one too many.

    A run that was stopped while S3 copied is no copy here, though the object may be there.
    """
    known = frame[frame["object"] != ""]
    counted = known.groupby("object", as_index=False).agg(
        tries=("attempt", "size"), copies=("copied", "sum")
    )
    return counted.astype({"tries": int, "copies": int})


def lost(sqs: Any, queue_url: str) -> list[str]:
    """The objects whose events Lambda gave up on, from the dead-letter queue, sorted.

    The messages stay in the queue: they are hidden for its visibility time-out only, so a second
    look may have to wait. It waits a second for the last, or SQS would ask only some of its
    servers. Source: SQS API, ReceiveMessage; SQS guide, "Short and long polling".
    """
    found: set[str] = set()
    looking = {"QueueUrl": queue_url, "MaxNumberOfMessages": 10, "WaitTimeSeconds": 1}
    while messages := sqs.receive_message(**looking).get("Messages"):
        for message in messages:
            for record in json.loads(message["Body"])["Records"]:
                found.add(json.loads(record["Sns"]["Message"])["key"])
    return sorted(found)
