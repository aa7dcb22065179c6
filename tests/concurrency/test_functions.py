"""The two Lambda functions alone, in an account inside this process."""

import importlib
import json
import sys
from types import SimpleNamespace

import boto3
import pytest
from moto import mock_aws

REGION = "eu-central-1"


@pytest.fixture
def session(monkeypatch):
    """A session of an empty account with two buckets, a topic and who listens; boto3's default."""
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        session = boto3.Session("testing", "testing", region_name=REGION)
        monkeypatch.setattr(boto3, "DEFAULT_SESSION", session)
        for bucket in ("source", "target"):
            session.client("s3").create_bucket(
                Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION}
            )
        topic = session.client("sns").create_topic(Name="copies")["TopicArn"]
        queue = session.client("sqs").create_queue(QueueName="heard")["QueueUrl"]
        session.client("sns").subscribe(
            TopicArn=topic, Protocol="sqs", Endpoint=topic.replace(":sns:", ":sqs:")[:-6] + "heard"
        )
        monkeypatch.setenv("SOURCE_BUCKET", "source")
        monkeypatch.setenv("DESTINATION_BUCKET", "target")
        monkeypatch.setenv("SNS_TOPIC_ARN", topic)
        session.queue = queue
        yield session


@pytest.fixture
def load(session, monkeypatch):
    """Import a function anew, as a fresh sandbox would: its clients are made in this account."""

    def load(name):
        full = f"labs.concurrency.functions.{name}"
        monkeypatch.delitem(sys.modules, full, raising=False)
        return importlib.import_module(full)

    return load


def heard(session):
    """The keys that arrived at the topic, sorted, repeats included."""
    sqs, keys = session.client("sqs"), []
    while got := sqs.receive_message(QueueUrl=session.queue, MaxNumberOfMessages=10).get(
        "Messages"
    ):
        keys += [json.loads(json.loads(m["Body"])["Message"])["key"] for m in got]
    return sorted(keys)


def put(session, *keys):
    for key in keys:
        session.client("s3").put_object(Bucket="source", Key=key, Body=key.encode())


def sns_event(message):
    return {"Records": [{"Sns": {"Message": message}}]}


@pytest.mark.parametrize("handler", ["handler", "batch_handler"])
def test_every_name_of_the_bucket_is_published_once(session, load, handler):
    keys = [f"day/{number:02} ü.bin" for number in range(23)]
    put(session, *keys)
    told = getattr(load("publisher"), handler)({}, None)
    assert told == {"published": 23, "failed": []}
    assert heard(session) == keys


@pytest.mark.parametrize("handler", ["handler", "batch_handler"])
@pytest.mark.parametrize("keys", [[], ["b"]])
def test_only_the_keys_asked_for_are_published_even_if_none(session, load, handler, keys):
    put(session, "a", "b")
    getattr(load("publisher"), handler)({"keys": keys}, None)
    assert heard(session) == keys


def test_one_name_that_fails_is_reported_and_the_others_are_published(session, load, monkeypatch):
    publisher = load("publisher")
    publish = publisher.sns.publish

    def refuse_one(**parameters):
        if '"b"' in parameters["Message"]:
            raise publisher.ClientError({"Error": {"Code": "Throttled"}}, "Publish")
        return publish(**parameters)

    monkeypatch.setattr(publisher, "sns", SimpleNamespace(publish=refuse_one))
    told = publisher.handler({"keys": ["a", "b", "c"]}, None)
    assert told == {"published": 2, "failed": ["b"]}
    assert heard(session) == ["a", "c"]


def test_what_sns_leaves_out_of_a_batch_is_reported(load, monkeypatch):
    """PublishBatch answers 200 then, so nothing is raised."""
    publisher = load("publisher")
    answer = {"Successful": [], "Failed": [{"Id": "1", "Code": "InternalError"}]}
    monkeypatch.setattr(publisher, "sns", SimpleNamespace(publish_batch=lambda **_: answer))
    told = publisher.batch_handler({"keys": ["a", "b", "c"]}, None)
    assert told == {"published": 2, "failed": ["b"]}


def test_the_copier_copies_what_the_publisher_names_and_a_second_time_ends_the_same(
    session, load, capsys
):
    key = "day/ü 1+2.bin"
    put(session, key)
    copier, message = load("copier"), load("publisher").message(key)
    for _ in range(2):
        copier.handler(sns_event(message), None)
        body = session.client("s3").get_object(Bucket="target", Key=key)["Body"].read()
        assert body == key.encode()
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [set(line) for line in lines] == [{"object", "start"}, {"object", "end"}] * 2
    assert lines[0]["start"] <= lines[1]["end"]
    assert {line["object"] for line in lines} == {key}


@pytest.mark.parametrize("message", ['{"version": 2, "key": "a"}', "[]", '"a"', "no JSON"])
def test_a_message_of_another_kind_fails_rather_than_be_guessed_at(load, message):
    with pytest.raises(ValueError):
        load("copier").handler(sns_event(message), None)


def test_an_object_that_is_not_there_fails_and_tells_no_end(load, capsys):
    copier = load("copier")
    with pytest.raises(copier.s3.exceptions.ClientError):
        copier.handler(sns_event('{"version": 1, "key": "gone"}'), None)
    assert '"end"' not in capsys.readouterr().out
