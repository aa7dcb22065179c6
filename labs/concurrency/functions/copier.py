"""Lambda function: copy the object that a message names, from one bucket to another.

Subscribed to the topic. Environment: SOURCE_BUCKET, DESTINATION_BUCKET.

One message, one invocation, one CopyObject; S3 moves the bytes, not this function. Delivery is at
least once, and that is no harm: a second copy of an object ends where the first did.
Sources: Lambda guide, "Invoking Lambda functions with Amazon SNS"; S3 API, CopyObject (to 5 GB).
"""

import json
import os
import time

import boto3

s3 = boto3.client("s3")


def handler(event: dict, context: object) -> None:
    """Copy one object; two lines of the log tell when it began and when it was there.

    Raises ValueError for a message it does not understand, and what S3 raises: Lambda then tries
    again, twice, and in the end gives the event to the dead-letter queue.
    """
    (record,) = event["Records"]  # SNS invokes once for each message
    key = key_of(record["Sns"]["Message"])
    tell("start", key)
    s3.copy_object(
        Bucket=os.environ["DESTINATION_BUCKET"],
        Key=key,
        CopySource={"Bucket": os.environ["SOURCE_BUCKET"], "Key": key},
    )
    tell("end", key)


def key_of(message: str) -> str:
    """The key in a version 1 message. Raises ValueError for anything else."""
    content = json.loads(message)
    version = content.get("version") if isinstance(content, dict) else None
    if version != 1:
        raise ValueError(f"message of version {version!r}: I read version 1; deploy me anew")
    return content["key"]


def tell(moment: str, key: str) -> None:
    """A line of the log that a program can read; the time in seconds since 1970."""
    print(json.dumps({"object": key, moment: time.time()}))
