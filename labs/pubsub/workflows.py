"""A function that hears of a topic or answers a URL, and what the systems of a workflow noted."""

import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

from labs.course import deploying
from labs.course.packaging import package
from labs.pubsub import ensure

STAGE = "prod"
SETTINGS = {"Runtime": "python3.13", "Timeout": 10, "MemorySize": 256}


@dataclass(frozen=True)
class Told:
    """When a system was told of something: seconds after the first of all began."""

    system: str
    begun: float
    ended: float


def step(
    session: boto3.Session,
    name: str,
    code: str | os.PathLike | Iterable[str | os.PathLike],
    handler: str,
    topic_arn: str,
    *,
    may: Mapping[str, str],
    environment: Mapping[str, str],
) -> str:
    """A function with a role of its own, subscribed to the topic; returns its name.

    code:    a Python file, several, or a folder.
    may:     {action: ARN of what it may be done to}, besides writing a log.

    Can run again and ends in the same place. Raises botocore's ClientError for what AWS refuses.
    """
    iam, functions, sns = map(session.client, ("iam", "lambda", "sns"))
    statements = [deploying.allow(action, arn) for action, arn in may.items()]
    settings = SETTINGS | {
        "Handler": handler,
        "Role": deploying.role(iam, name, statements),
        "Environment": {"Variables": dict(environment)},
    }
    arn = deploying.function(functions, name, package(code), settings)
    deploying.subscription(sns, functions, topic_arn, arn)
    return name


def notifier(
    session: boto3.Session,
    name: str,
    topic_arn: str,
    system: str,
    seconds: str,
    notes_arn: str,
    next_topic_arn: str | None = None,
) -> str:
    """A step that tells a system and notes it; then, if there is a next topic, publishes there."""
    may = {"dynamodb:PutItem": notes_arn}
    environment = {"SYSTEM": system, "SECONDS": seconds, "NOTES": notes_arn.rpartition("/")[2]}
    if next_topic_arn:
        may["sns:Publish"] = environment["NEXT_TOPIC_ARN"] = next_topic_arn
    code, handler = Path(__file__).with_name("system_notifier.py"), "system_notifier.handler"
    return step(session, name, code, handler, topic_arn, may=may, environment=environment)


def table(session: boto3.Session, name: str, *keys: str) -> str:
    """The ARN of a table with one or two keys, all strings, active and paid by request."""
    dynamodb = session.client("dynamodb")
    kinds = zip(keys, ("HASH", "RANGE"), strict=False)
    with suppress(dynamodb.exceptions.ResourceInUseException):  # it is there, or on its way
        dynamodb.create_table(
            TableName=name,
            KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in kinds],
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
            BillingMode="PAY_PER_REQUEST",
        )
    dynamodb.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 2})
    return dynamodb.describe_table(TableName=name)["Table"]["TableArn"]


def report(sns: Any, topic_arn: str, message: str, **attributes: str) -> None:
    """Publish a message with attributes, which filter policies look at."""
    kinds = {
        name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
    }
    sns.publish(TopicArn=topic_arn, Message=message, MessageAttributes=kinds)


def endpoint(
    session: boto3.Session,
    name: str,
    code: str | os.PathLike,
    handler: str,
    path: str,
    *,
    environment: Mapping[str, str],
) -> str:
    """The URL of a function that answers POST /`path`, and may do nothing but write its log."""
    functions = session.client("lambda")
    settings = SETTINGS | {
        "Handler": handler,
        "Role": deploying.role(session.client("iam"), name, []),
        "Environment": {"Variables": dict(environment)},
    }
    arn = deploying.function(functions, name, package(code), settings)
    api = ensure.api(session.client("apigateway"), functions, name, path, STAGE, arn)
    return f"https://{api}.execute-api.{session.region_name}.amazonaws.com/{STAGE}/{path}"


def told(items: Iterable[Mapping[str, Any]], message: str) -> list[Told]:
    """The notes about one message, the earliest first.

    items: of the table of notes: message, system, begun and ended in seconds since 1970.
    """
    about = sorted(
        (float(item["begun"]), float(item["ended"]), str(item["system"]))
        for item in items
        if item["message"] == message
    )
    return [
        Told(system, begun - about[0][0], ended - about[0][0]) for begun, ended, system in about
    ]


def seconds(notes: Iterable[Told]) -> float:
    """From the first system's begin to the last one's end."""
    return max((note.ended for note in notes), default=0.0)
