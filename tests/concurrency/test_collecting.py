"""Publish, wait, read: against the mock, whose functions run; and what a colleague breaks."""

import json

import pandas as pd
import pytest

from labs.concurrency import colleague, collecting, copying
from labs.concurrency.functions.deploy import deploy
from labs.concurrency.functions.runs import copies


@pytest.fixture
def pipeline(aws, buckets):
    return deploy(aws.session, aws.name, buckets.source, buckets.destination)


@pytest.fixture
def clients(aws):
    return aws.client("lambda"), aws.client("logs")


def test_each_name_has_a_run_and_runs_of_before_do_not_count(pipeline, clients, buckets):
    keys = buckets.fill(5)
    first = collecting.copy_all(*clients, pipeline, keys)
    again = collecting.copy_all(*clients, pipeline, keys[:2])
    assert sorted(first["object"]) == keys
    assert sorted(again["object"]) == keys[:2]
    assert first["end"].max() <= again["start"].min()
    told = [line.split() for line in collecting.brief(again).splitlines()]
    assert told[0] == ["object", "seconds", "copied"]
    assert sorted((line[0], line[2]) for line in told[1:]) == [(key, "True") for key in keys[:2]]


def test_publishing_tells_its_seconds_and_what_it_could_not(pipeline, clients, aws):
    functions, _ = clients
    with aws.faults("sns", "PublishBatch", latency=0.3):
        assert collecting.publish(functions, pipeline.batch_publisher, ["a"]) >= 0.3
    with (
        aws.faults("sns", "Publish", error="AuthorizationError"),
        pytest.raises(RuntimeError, match=r"did not publish every name: .*'a'"),
    ):
        collecting.publish(functions, pipeline.publisher, ["a"])


def test_a_run_that_never_comes_is_told_after_a_while(clients):
    with pytest.raises(TimeoutError, match="has 0 of 1 runs"):
        collecting.runs_since(clients[1], "nobody", 0.0, 1, seconds=0.2)


def test_letters_that_never_come_are_told_after_a_while(pipeline, aws):
    with pytest.raises(TimeoutError, match="shows 0 of 1 letters"):
        collecting.letters(aws.client("sqs"), pipeline.lost_url, 1, seconds=0.2)


def test_what_an_interrupted_call_published_does_not_count(
    aws, pipeline, clients, buckets, monkeypatch
):
    keys = buckets.fill(4)
    clients[0].put_function_concurrency(
        FunctionName=pipeline.copier, ReservedConcurrentExecutions=1
    )
    aws.faults("s3", "CopyObject", latency=0.2)

    def interrupt(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(collecting, "runs_since", interrupt)
        collecting.copy_all(*clients, pipeline, keys)
    assert list(collecting.copy_all(*clients, pipeline, ["gone"])["object"]) == ["gone"]


def test_lasted_begins_with_the_first_start_or_when_one_says():
    runs = pd.DataFrame({"start": [2.0, 3.0], "end": [4.0, 7.0]})
    assert collecting.lasted(runs) == 5.0
    assert collecting.lasted(runs, 1.0) == 6.0


def test_at_once_is_the_average_over_the_moments_asked_for():
    runs = pd.DataFrame({"start": [0.0, 1.0, 9.0], "end": [4.0, 3.0, 10.0]})
    assert collecting.at_once(runs, 0.0, 4.0) == pytest.approx(6 / 4)
    assert collecting.at_once(runs, 1.0, 3.0) == pytest.approx(2)
    assert collecting.at_once(runs, 5.0, 8.0) == 0


def test_on_monday_only_what_is_new_is_lost_until_the_policy_is_back(
    aws, pipeline, clients, buckets
):
    functions, logs = clients
    functions.put_function_event_invoke_config(FunctionName=pipeline.copier, MaximumRetryAttempts=0)
    monday = (aws.session, pipeline.copier, buckets.source, buckets.destination, pipeline.lost_url)
    for _ in range(2):  # who begins the morning again finds it as it was, mended or not
        morning = colleague.monday(*monday)
        runs = collecting.copy_all(functions, logs, pipeline, morning)
        failed = runs[~runs["copied"]]
        assert sorted(failed["object"]) == sorted(colleague.ARCHIVE)
        assert failed["error"].str.contains("AccessDenied").all()
        letters = collecting.letters(aws.client("sqs"), pipeline.lost_url, 2)
        assert collecting.keys_in(letters) == sorted(colleague.ARCHIVE)
        seen_again = collecting.letters(aws.client("sqs"), pipeline.lost_url, 2)
        assert collecting.keys_in(seen_again) == sorted(colleague.ARCHIVE)
        missing = copying.missing(buckets.s3, buckets.source, buckets.destination)
        assert sorted(missing) == sorted(colleague.ARCHIVE)
        deploy(aws.session, aws.name, buckets.source, buckets.destination)
        more = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
        aws.client("iam").put_role_policy(
            RoleName=pipeline.copier,
            PolicyName="more",
            PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [more]}),
        )
        again = collecting.copy_all(functions, logs, pipeline, collecting.keys_in(letters))
        assert copies(again)["copies"].tolist() == [1, 1]
    assert not copying.missing(buckets.s3, buckets.source, buckets.destination)
