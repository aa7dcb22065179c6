"""Publisher, topic and copier deployed in the mock, whose functions run; deployed twice, too."""

import json
import time

import pytest

from labs import cloud
from labs.concurrency.functions.deploy import deploy
from labs.concurrency.functions.runs import concurrency, copies, lost, runs

LIMIT = 4


@pytest.fixture(scope="module")
def mock_process():
    with cloud.connect(lesson="test") as aws:
        yield aws


@pytest.fixture
def aws(mock_process):
    """An empty account with two buckets."""
    aws = cloud.connect(lesson="test")
    for bucket in ("from", "to"):
        aws.client("s3").create_bucket(Bucket=aws.name(bucket))
    return aws


def deployed(aws):
    return deploy(aws.session, aws.name, aws.name("from"), aws.name("to"))


def put(aws, number):
    keys = [f"day/{place:03}" for place in range(number)]
    for key in keys:
        aws.client("s3").put_object(Bucket=aws.name("from"), Key=key, Body=b"few")
    return keys


def invoke(aws, function, event):
    answer = aws.client("lambda").invoke(FunctionName=function, Payload=json.dumps(event))
    told = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, told
    return told


def until(condition, seconds=40.0):
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.1)
    return value


def finished(aws, pipeline, number):
    """The runs, once there are so many."""
    logs = aws.client("logs")
    until(lambda: len(runs(logs, pipeline.copier)) >= number)
    return runs(logs, pipeline.copier)


def copied(aws):
    found = aws.client("s3").list_objects_v2(Bucket=aws.name("to")).get("Contents", [])
    return [item["Key"] for item in found]


def test_sixty_objects_at_a_small_limit_are_all_copied_once_while_the_rest_waits(aws):
    pipeline, keys = deployed(aws), put(aws, 60)
    aws.client("lambda").put_function_concurrency(
        FunctionName=pipeline.copier, ReservedConcurrentExecutions=LIMIT
    )
    aws.faults("s3", "CopyObject", latency=0.05)
    assert invoke(aws, pipeline.publisher, {}) == {"published": 60, "failed": []}
    found = finished(aws, pipeline, 60)
    assert copied(aws) == keys
    assert copies(found).values.tolist() == [[key, 1, 1] for key in keys]
    assert 2 <= concurrency(found)["running"].max() <= LIMIT

    queue = aws.trace.queue(pipeline.copier)
    assert queue["throttles"].iloc[-1] > 0
    assert queue["waiting"].iloc[-1] == 0
    assert queue["waiting"].max() > LIMIT
    # The last object waited for most of what the whole took.
    assert queue["oldest_s"].max() > (found["end"].max() - found["start"].min()) / 3
    assert aws.trace.queue(pipeline.publisher).empty, "it was invoked, not queued"

    cloud.connect(lesson="test")
    assert aws.trace.queue(pipeline.copier).empty, "a new lesson begins an empty record"


def test_the_batch_publisher_publishes_the_missing_ones_only(aws):
    pipeline, keys = deployed(aws), put(aws, 12)
    told = invoke(aws, pipeline.batch_publisher, {"keys": keys[1:]})
    assert told == {"published": 11, "failed": []}
    finished(aws, pipeline, 11)
    assert copied(aws) == keys[1:]


def test_a_delivery_that_comes_twice_copies_twice_and_ends_the_same(aws):
    pipeline, keys = deployed(aws), put(aws, 3)
    with aws.faults("sns", "deliver", duplicate=1):
        invoke(aws, pipeline.publisher, {})
    found = copies(finished(aws, pipeline, 6))
    assert found.values.tolist() == [[key, 2, 2] for key in keys]
    assert copied(aws) == keys


def test_an_object_whose_every_try_fails_ends_in_the_queue_of_the_lost(aws):
    pipeline, keys = deployed(aws), put(aws, 2)
    invoke(aws, pipeline.publisher, {"keys": [keys[0], "gone"]})
    sqs = aws.client("sqs")
    assert until(lambda: lost(sqs, pipeline.lost_url)) == ["gone"]
    found = finished(aws, pipeline, 4)
    assert copied(aws) == keys[:1]
    assert found[found["object"] == "gone"]["attempt"].tolist() == [1, 2, 3]
    assert not found[found["object"] == "gone"]["copied"].any()
    assert found[found["object"] == "gone"]["error"].str.contains("ClientError|NoSuchKey").all()


def test_a_second_deployment_changes_nothing_and_mends_what_was_lost(aws):
    first = deployed(aws)
    functions, sns, iam = map(aws.client, ("lambda", "sns", "iam"))
    code = functions.get_function_configuration(FunctionName=first.copier)["CodeSha256"]
    iam.delete_role_policy(RoleName=first.copier, PolicyName="needs")
    functions.remove_permission(
        FunctionName=first.copier, StatementId="topic-" + aws.name("copies")
    )
    assert deployed(aws) == first
    assert functions.get_function_configuration(FunctionName=first.copier)["CodeSha256"] == code
    assert len(sns.list_subscriptions_by_topic(TopicArn=first.topic_arn)["Subscriptions"]) == 1
    put(aws, 1)
    invoke(aws, first.publisher, {})
    assert finished(aws, first, 1)["copied"].all()
