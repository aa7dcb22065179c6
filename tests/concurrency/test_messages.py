"""The way through Lambda: all copied or told of, at no more than its limit, and then over."""

import _thread
import re
import threading

import pytest

from labs.concurrency import copying, messages
from labs.concurrency.functions import outcomes
from labs.concurrency.functions.deploy import deploy
from labs.concurrency.functions.runs import concurrency, frame
from tests.cloud.processes import wait_until
from tests.concurrency.test_copying import COLUMNS
from tests.concurrency.test_functions_runs import log_of, stream

LIMIT = 3


def copy(buckets, keys, workers=LIMIT):
    return copying.sns_lambda(buckets.s3, buckets.source, buckets.destination, keys, workers)


def test_copies_all_at_its_limit_and_tells_of_the_one_that_is_lost(aws, buckets):
    keys = [*buckets.fill(20), "not-there"]
    with aws.faults("s3", "CopyObject", latency=0.1):
        found = copy(buckets, keys)
    assert list(found.columns) == COLUMNS
    assert sorted(found["object"]) == sorted(keys)
    failed = found[found["error"].notna()]
    assert failed[["object", "attempts", "error"]].values.tolist() == [
        ["not-there", 3, "NoSuchKey"]
    ]
    assert (found["attempts"].drop(failed.index) == 1).all()
    assert copying.missing(buckets.s3, buckets.source, buckets.destination) == []
    assert 2 <= concurrency(found)["running"].max() <= LIMIT
    assert set(found["worker"]) <= set(range(LIMIT))
    assert (found["start"] >= 0).all()


def test_a_second_run_tells_of_its_own_runs_only(aws, buckets):
    keys = buckets.fill(3)
    first = copy(buckets, [keys[0], "not-there"])
    buckets.s3.put_object(Bucket=buckets.source, Key="not-there", Body=b"it is")
    second = copy(buckets, ["not-there", *keys])
    assert first["error"].tolist() == [None, "NoSuchKey"]
    assert second["error"].isna().all()
    assert (second["attempts"] == 1).all()
    assert (second["start"] >= 0).all()


def test_nothing_to_do_deploys_nothing(aws, buckets):
    found = copy(buckets, [])
    assert list(found.columns) == COLUMNS
    assert found.empty
    assert aws.client("lambda").list_functions()["Functions"] == []


def test_what_it_leaves_is_found_and_nothing_stays_reserved(aws, buckets):
    copy(buckets, buckets.fill(1))
    services = {line.split()[0] for line in aws.cleanup()}
    assert {"iam", "lambda", "logs", "sns", "sqs"} <= services
    limit = aws.client("lambda").get_account_settings()["AccountLimit"]
    assert limit["UnreservedConcurrentExecutions"] == limit["ConcurrentExecutions"]


@pytest.mark.parametrize(
    ("workers", "words"), [(10_000, "Lambda refuses so many"), (0, "expected")]
)
def test_as_many_workers_as_the_account_has(buckets, workers, words):
    with pytest.raises(ValueError, match=f"workers={workers}: {words}"):
        copy(buckets, buckets.fill(1), workers)


@pytest.mark.usefixtures("no_collection")
def test_an_interrupt_keeps_the_rows_so_far_and_nothing_new_begins(aws, buckets):
    keys, done = buckets.fill(60), threading.Event()

    def interrupt():
        if wait_until(lambda: copied(buckets)):
            _thread.interrupt_main()
        done.set()

    with aws.faults("s3", "CopyObject", latency=0.5) as rule:
        threading.Thread(target=interrupt).start()
        with pytest.warns(UserWarning, match="Interrupted: "):
            found = copy(buckets, keys)
        assert done.wait(10)
        # 60 copies would take 10 s; those at hand end, and the queue is soon empty.
        assert wait_until(lambda: waiting(aws, buckets) == 0 and len(copied(buckets)) == rule.hits)
    assert set(found["object"]) <= set(copied(buckets))
    assert found["error"].isna().all()
    left = copying.missing(buckets.s3, buckets.source, buckets.destination)
    assert len(left) > len(keys) / 2
    assert copy(buckets, left, 7)["error"].isna().all()
    assert copying.missing(buckets.s3, buckets.source, buckets.destination) == []


def copied(buckets):
    found = buckets.s3.list_objects_v2(Bucket=buckets.destination).get("Contents", [])
    return [item["Key"] for item in found]


def waiting(aws, buckets):
    """Events in the queue of the copier."""
    name = messages.naming(buckets.destination)("copier")
    return aws.trace.queue(name)["waiting"].iloc[-1]


def test_what_was_not_published_and_what_nobody_heard_of_have_rows(aws, buckets, monkeypatch):
    monkeypatch.setattr(outcomes, "SILENCE", 0.5)
    [key] = buckets.fill(1)
    monkeypatch.setattr(messages, "publish", lambda *_: ["unsent"])
    found = copy(buckets, [key, "unsent"])
    assert found.set_index("object")["error"].to_dict() == {
        key: "NotHeardOf",
        "unsent": "NotPublished",
    }
    assert (found["worker"] == -1).all()
    assert (found["attempts"] == 0).all()


def test_a_publisher_that_fails_says_why(aws, buckets):
    name = messages.naming(buckets.destination)
    pipeline = deploy(aws.session, name, buckets.source, buckets.destination)
    aws.client("lambda").update_function_configuration(
        FunctionName=pipeline.publisher, Handler="publisher.no_handler"
    )
    with pytest.raises(RuntimeError, match=r"publisher failed: .*no_handler"):
        messages.publish(aws.session, pipeline.publisher, ["a"])


def test_keys_that_sns_does_not_take_come_back(aws, buckets):
    name = messages.naming(buckets.destination)
    pipeline = deploy(aws.session, name, buckets.source, buckets.destination)
    with aws.faults("sns", "Publish", error="InternalError"):
        assert messages.publish(aws.session, pipeline.publisher, ["a", "b"]) == ["a", "b"]


def failing(request, words):
    return [
        f"START RequestId: {request} Version: $LATEST",
        f"[ERROR] {words}",
        f"REPORT RequestId: {request}\tDuration: 5.00 ms\t",
    ]


def test_rows_have_the_last_run_and_count_those_before_it():
    """b is copied at the second try and once more; c fails before it knows; d never runs."""
    found = frame(
        [
            *stream("one", *log_of("r1", "a", 10, 11)),
            *stream("two", *failing("r3", "ImportError: no x")),
            *stream("three", *log_of("r2", "b", 30, 31), *log_of("r4", "b", 40, 41)),
            *stream("four", "START RequestId: r2", {"object": "b", "start": 2.0}, *timed_out("r2")),
        ]
    )
    lost = {"r3": ("c", "no x"), "r5": ("d", "An error occurred (Odd) when calling")}
    told = {row.object: row for row in outcomes.rows(found, lost)}
    assert told["a"][1:] == ("one", 10.0, 11.0, 1, None)
    assert told["b"][1:] == ("three", 30.0, 31.0, 2, None)
    assert (told["c"].worker, told["c"].attempts, told["c"].error) == ("two", 1, "ImportError")
    assert (told["d"].worker, told["d"].attempts, told["d"].error) == ("", 0, "Odd")


def timed_out(request):
    return [
        f"REPORT RequestId: {request}\tDuration: 2000.00 ms\t",
        f"2026-11-24T00:00:00.000Z {request} Task timed out after 2.00 seconds",
    ]


def test_an_object_that_may_yet_be_tried_again_has_no_row():
    once = frame(
        stream("one", "START RequestId: r1", {"object": "a", "start": 2.0}, *timed_out("r1"))
    )
    assert list(outcomes.rows(once, {})) == []
    [row] = outcomes.rows(once, {"r1": ("a", "")})
    assert row.error == "Task timed out after 2.00 seconds"


@pytest.mark.parametrize("bucket", ["ada-21-copies", "with.dots", "long-" * 12 + "bye"])
def test_names_begin_as_the_buckets_and_fit(bucket):
    name = messages.naming(bucket)("batch-publisher")
    assert name.startswith(bucket[:4])
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,64}", name)


def test_names_of_two_buckets_are_two():
    buckets = ["a-b", "a.b", "x" * 62 + "1", "x" * 62 + "2"]
    assert len({messages.naming(bucket)("copier") for bucket in buckets}) == len(buckets)
