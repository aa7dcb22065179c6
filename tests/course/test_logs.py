"""log: the newest invocations, complete and in order, waited for without a blind sleep."""

import itertools
import sys
import time
from types import ModuleType, SimpleNamespace

import boto3
import pytest
from moto import mock_aws

from labs.course import log
from labs.course.logs import _by_invocation
from labs.course.logs import time as clock

GROUP = "/aws/lambda/my-logger"
NOW = int(time.time() * 1000)


def lines(request_id: str, *prints: str) -> list[str]:
    return [
        f"START RequestId: {request_id} Version: $LATEST",
        *prints,
        f"END RequestId: {request_id}",
        f"REPORT RequestId: {request_id}\tDuration: 1.00 ms",
    ]


@pytest.fixture
def logs(monkeypatch):
    for variable in ("AWS_PROFILE", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(variable, raising=False)
    with mock_aws():
        yield boto3.client("logs", "eu-central-1")


@pytest.fixture
def put(logs):
    def put(stream: str, messages: list[str], at: int = NOW) -> None:
        if not logs.describe_log_groups(logGroupNamePrefix=GROUP)["logGroups"]:
            logs.create_log_group(logGroupName=GROUP)
        streams = logs.describe_log_streams(logGroupName=GROUP)["logStreams"]
        if stream not in {item["logStreamName"] for item in streams}:
            logs.create_log_stream(logGroupName=GROUP, logStreamName=stream)
        events = [{"timestamp": at, "message": message} for message in messages]
        logs.put_log_events(logGroupName=GROUP, logStreamName=stream, logEvents=events)

    return put


def test_lines_of_an_invocation_in_order(logs, put):
    put("s1", lines("r1", "tea\n", "milk\n"))
    found = log("my-logger", logs=logs)
    assert found == lines("r1", "tea", "milk")
    assert str(found) == repr(found) == "\n".join(lines("r1", "tea", "milk"))


def test_only_the_newest_and_oldest_first_across_streams(logs, put):
    put("s1", lines("r1"), NOW - 40)
    put("s2", lines("r2", "two"), NOW - 30)
    put("s1", lines("r3", "three"), NOW - 20)
    put("s2", lines("r4", "four"), NOW - 10)
    assert log("my-logger", logs=logs, invocations=2) == lines("r3", "three") + lines("r4", "four")
    assert len(log("my-logger", logs=logs, invocations=99)) == 3 * 4 + 3


def test_interleaved_sandboxes_stay_apart(logs, put):
    first, second = lines("r1", "one"), lines("r2", "two")
    for step, (one, two) in enumerate(zip(first, second, strict=True)):
        put("s1", [one], NOW - 50 + step)
        put("s2", [two], NOW - 50 + step)
    assert log("my-logger", logs=logs) == first + second


def test_prints_before_the_first_start_belong_to_it(logs, put):
    put("s1", ["importing", *lines("r1")])
    assert log("my-logger", logs=logs, invocations=1)[0] == "importing"


def test_pages_are_read_to_the_end():
    pages = [{"events": [event(message) for message in lines(request)]} for request in ("r1", "r2")]
    paginator = SimpleNamespace(paginate=lambda **_: iter(pages))
    client = SimpleNamespace(
        get_paginator=lambda _: paginator,
        exceptions=SimpleNamespace(ResourceNotFoundException=KeyError),
    )
    assert log("my-logger", logs=client) == lines("r1") + lines("r2")


numbers = itertools.count(NOW)


def event(message: str, stream: str = "s1") -> dict:
    return {"logStreamName": stream, "timestamp": next(numbers), "message": message}


def test_nothing_is_no_invocation():
    assert _by_invocation([]) == []


def test_it_waits_until_the_first_invocation_has_ended(logs, put, monkeypatch):
    """Each pause of the poll brings the log one step further."""
    steps = iter([lambda: put("s1", lines("r1")[:1]), lambda: put("s1", lines("r1")[1:])])
    monkeypatch.setattr(clock, "sleep", lambda _: next(steps)())
    assert log("my-logger", logs=logs, wait=60) == lines("r1")
    assert next(steps, None) is None


def test_an_invocation_without_end_is_shown_at_the_deadline(logs, put):
    put("s1", lines("r1")[:1])
    assert log("my-logger", logs=logs, wait=0) == lines("r1")[:1]


def test_no_log_is_a_sentence_that_says_what_to_look_at(logs):
    found = log("my-logger", logs=logs, wait=0)
    assert found == []
    assert GROUP in str(found)
    assert "invoked" in str(found)


def test_without_a_client_it_uses_the_lessons_connection(logs, put, monkeypatch):
    put("s1", lines("r1"))
    cloud = ModuleType("labs.cloud")
    cloud.current = lambda: SimpleNamespace(client=lambda name: {"logs": logs}[name])
    monkeypatch.setitem(sys.modules, "labs.cloud", cloud)
    assert log("my-logger") == lines("r1")
