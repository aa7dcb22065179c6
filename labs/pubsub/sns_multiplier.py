"""Lambda function: add 10 to the counter of each word that the topic tells of.

Subscribed to the topic. Environment: DYNAMO_TABLE, the table that `word_counter` writes.

It counts the words that `word_counter` counted and never takes a text apart itself: two programs
that split the same text do not stay the same for long. Delivery is at least once, and ADD cannot
tell a second delivery from a second message: a run that fails half-way and is repeated adds twice.

Sources: Lambda guide, "Using Lambda with Amazon SNS"; DynamoDB API, UpdateItem.
"""

import json
import os
from collections import Counter

import boto3
from botocore.config import Config

# Shorter than the 3 s that a function gets by default, so that a slow call shows as an error.
dynamodb = boto3.client("dynamodb", config=Config(connect_timeout=1, read_timeout=2))


def handler(event: dict, context: object) -> None:
    """Add 10 for each word of each record.

    Raises ValueError for a message it does not understand: Lambda then tries again and in the end
    gives the event to the dead-letter queue, where a person finds it. A guess would count wrongly.
    """
    if not os.environ.get("DYNAMO_TABLE"):
        raise RuntimeError("DYNAMO_TABLE is not set; set it to the table that word_counter writes")
    # All records are read before the first is counted: a bad one leaves nothing half done.
    words = [word for record in event["Records"] for word in words_of(record["Sns"]["Message"])]
    for word, times in Counter(words).items():
        dynamodb.update_item(
            TableName=os.environ["DYNAMO_TABLE"],
            Key={"word": {"S": word}},
            UpdateExpression="ADD #count :ten_each",
            ExpressionAttributeNames={"#count": "count"},  # COUNT is a reserved word
            ExpressionAttributeValues={":ten_each": {"N": str(10 * times)}},
        )


def words_of(message: str) -> list[str]:
    """The words of a version 1 message. Raises ValueError for anything else."""
    content = json.loads(message)
    version = content.get("version") if isinstance(content, dict) else None
    if version != 1:
        raise ValueError(f"message of version {version!r}: I read version 1; deploy me anew")
    return content["words"]
