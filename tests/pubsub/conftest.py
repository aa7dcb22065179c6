"""A mocked account in this process, and the three functions loaded as Lambda loads them."""

import importlib
import json
import sys
from collections.abc import Iterator
from types import ModuleType, SimpleNamespace

import boto3
import pytest
from moto import mock_aws

REGION = "eu-central-1"


OF_THIS_MACHINE = ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_CONFIG_FILE", "AWS_MAX_ATTEMPTS")
OF_THE_FUNCTIONS = ("DYNAMO_TABLE", "SNS_TOPIC_ARN", "BOT_NAME")


@pytest.fixture(scope="session")
def shared_session() -> Iterator[boto3.Session]:
    """For all tests, so that botocore reads its descriptions of the services once."""
    with pytest.MonkeyPatch.context() as patch:
        for variable in OF_THIS_MACHINE:
            patch.delenv(variable, raising=False)
        with mock_aws():
            session = boto3.Session("testing", "testing", region_name=REGION)
        yield session


@pytest.fixture
def session(shared_session, monkeypatch) -> Iterator[boto3.Session]:
    """A session of an empty account, and boto3's default."""
    for variable in OF_THE_FUNCTIONS:
        monkeypatch.delenv(variable, raising=False)
    with mock_aws():
        monkeypatch.setattr(boto3, "DEFAULT_SESSION", shared_session)
        yield shared_session


@pytest.fixture
def load(session, monkeypatch):
    """Import a function anew, as a fresh sandbox would: its clients are made in this account."""

    def load(name: str) -> ModuleType:
        monkeypatch.delitem(sys.modules, f"labs.pubsub.{name}", raising=False)
        return importlib.import_module(f"labs.pubsub.{name}")

    return load


class Words:
    """The table of counters, as a test sees it."""

    def __init__(self, session: boto3.Session, name: str) -> None:
        self.name = name
        self._client = session.client("dynamodb")
        self._client.create_table(
            TableName=name,
            KeySchema=[{"AttributeName": "word", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "word", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )

    def counts(self) -> dict[str, int]:
        items = self._client.scan(TableName=self.name)["Items"]
        return {item["word"]["S"]: int(item["count"]["N"]) for item in items}


@pytest.fixture
def table(session, monkeypatch) -> Words:
    monkeypatch.setenv("DYNAMO_TABLE", "table")
    return Words(session, "table")


class Topic:
    """A topic, and a queue subscribed to it that keeps what was published."""

    def __init__(self, session: boto3.Session) -> None:
        self._sqs = session.client("sqs")
        self.arn = session.client("sns").create_topic(Name="awsadvent")["TopicArn"]
        self._queue = self._sqs.create_queue(QueueName="heard")["QueueUrl"]
        queue_arn = f"{self.arn.rsplit(':', 1)[0].replace(':sns:', ':sqs:')}:heard"
        session.client("sns").subscribe(TopicArn=self.arn, Protocol="sqs", Endpoint=queue_arn)

    def messages(self) -> list[str]:
        received = self._sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10)
        return [json.loads(message["Body"])["Message"] for message in received.get("Messages", [])]


@pytest.fixture
def topic(session, monkeypatch) -> Topic:
    topic = Topic(session)
    monkeypatch.setenv("SNS_TOPIC_ARN", topic.arn)
    return topic


@pytest.fixture
def refuse() -> Iterator:
    """Have AWS refuse an operation of a client, or of all that a session makes from now on.

    `when` looks at the parameters of a call. Returns the list of the calls refused so far.
    """
    undo = []

    def refuse(client, operation: str, code: str, message: str, when=lambda params: True) -> list:
        refused = []

        def answer(params, **_):
            if not when(params):
                return None
            refused.append(params)
            error = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {}}
            return SimpleNamespace(status_code=400), error

        events = getattr(client, "meta", client).events  # a session has its own
        events.register_first(f"before-call.{operation}", answer)
        undo.append(lambda: events.unregister(f"before-call.{operation}", answer))
        return refused

    yield refuse
    for step in undo:
        step()
