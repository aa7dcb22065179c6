"""Lambda function: tell one of the systems that want to hear of an outage.

The system is made up: telling it means taking SECONDS, and noting in a table from when to when.
Environment: SYSTEM, its name; SECONDS, how long it takes; NOTES, a table with the keys `message`
and `system`; NEXT_TOPIC_ARN, if another system comes after this one.
"""

import os
import time
from decimal import Decimal

import boto3

notes = boto3.resource("dynamodb").Table(os.environ["NOTES"])
sns = boto3.client("sns")


def handler(event: dict, context: object) -> None:
    """Tell the system of each record, one after the other, then pass the message on."""
    for record in event["Records"]:
        message = record["Sns"]["Message"]
        begun = time.time()
        time.sleep(float(os.environ["SECONDS"]))
        note(message, begun, time.time())
        if "NEXT_TOPIC_ARN" in os.environ:
            sns.publish(TopicArn=os.environ["NEXT_TOPIC_ARN"], Message=message)


def note(message: str, begun: float, ended: float) -> None:
    """Write down from when to when the system was told, in seconds since 1970."""
    notes.put_item(
        Item={
            "message": message,
            "system": os.environ["SYSTEM"],
            "begun": Decimal(f"{begun:.3f}"),
            "ended": Decimal(f"{ended:.3f}"),
        }
    )
