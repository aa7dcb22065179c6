"""Lambda functions: publish the name of each object to a topic, so that a consumer copies it.

Two ways, two handlers in this file: `handler` calls Publish once for each name, from threads, as
the article did; `batch_handler` calls PublishBatch, which is newer, ten names a call, from one.
Environment: SOURCE_BUCKET, SNS_TOPIC_ARN, and PUBLISHERS, the number of threads.

The event may be {"keys": [...]}, to publish only these: what is missing after a first run.
Sources: SNS API, Publish and PublishBatch; S3 API, ListObjectsV2.
"""

import json
import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

BATCH = 10  # messages in a PublishBatch at most
PUBLISHERS = int(os.environ.get("PUBLISHERS", "16"))

s3 = boto3.client("s3")
# A connection for each thread: botocore keeps ten, and drops what is returned beyond that.
sns = boto3.client("sns", config=Config(max_pool_connections=PUBLISHERS))


def handler(event: dict, context: object) -> dict:
    """Publish each name by a call of its own; {"published": number, "failed": [key, ...]}."""
    keys = wanted(event)
    with ThreadPoolExecutor(PUBLISHERS) as threads:
        return report(keys, threads.map(failed(publish), keys))


def batch_handler(event: dict, context: object) -> dict:
    """Publish ten names by a call; {"published": number, "failed": [key, ...]}."""
    keys = wanted(event)
    batches = [keys[first : first + BATCH] for first in range(0, len(keys), BATCH)]
    return report(keys, map(failed(publish_batch), batches))


def wanted(event: dict) -> list[str]:
    """The keys that the event names, even if these are none; else those of the whole bucket."""
    return event["keys"] if "keys" in event else list(keys_of(os.environ["SOURCE_BUCKET"]))


def keys_of(bucket: str) -> Iterable[str]:
    """The key of every object, a page of 1,000 at a time."""
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        yield from (item["Key"] for item in page.get("Contents", []))


def publish(key: str) -> list[str]:
    sns.publish(TopicArn=os.environ["SNS_TOPIC_ARN"], Message=message(key))
    return []


def publish_batch(keys: list[str]) -> list[str]:
    """The keys that SNS did not take: it answers 200 when only some of a batch failed."""
    entries = [{"Id": str(place), "Message": message(key)} for place, key in enumerate(keys)]
    answer = sns.publish_batch(
        TopicArn=os.environ["SNS_TOPIC_ARN"], PublishBatchRequestEntries=entries
    )
    return [keys[int(entry["Id"])] for entry in answer.get("Failed", [])]


def failed(send: Callable) -> Callable:
    """`send`, made to return what could not be sent: one failure must not hide the other names."""

    def send_or_tell(what: str | list[str]) -> list[str]:
        try:
            return send(what)
        except (BotoCoreError, ClientError) as error:
            print(f"ERROR: not published: {what}: {error}")
            return [what] if isinstance(what, str) else what

    return send_or_tell


def report(keys: list[str], failures: Iterable[list[str]]) -> dict:
    """What the caller is told, who can publish the failed keys again: a second copy is harmless."""
    lost = [key for some in failures for key in some]
    return {"published": len(keys) - len(lost), "failed": lost}


def message(key: str) -> str:
    """`version` changes when an old consumer would misread the message."""
    return json.dumps({"version": 1, "key": key})
