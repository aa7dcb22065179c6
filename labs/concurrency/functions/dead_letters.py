"""The events that Lambda gave up on, from the copier's dead-letter queue.

The messages stay in the queue: they are hidden for its visibility time-out only, so a second look
may have to wait. Source: Lambda guide, "Adding a dead-letter queue".
"""

import json
from typing import Any


def lost(sqs: Any, queue_url: str) -> list[str]:
    """The objects of these events, sorted."""
    return sorted({key for key, _ in lost_events(sqs, queue_url).values()})


def lost_events(sqs: Any, queue_url: str, wait: int = 1) -> dict[str, tuple[str, str]]:
    """{request id: (object, error message)}.

    wait: seconds to wait for the last; with 0 SQS asks only some of its servers, and may miss one.
    Sources: SQS API, ReceiveMessage; SQS guide, "Short and long polling".
    """
    found: dict[str, tuple[str, str]] = {}
    looking = {
        "QueueUrl": queue_url,
        "MaxNumberOfMessages": 10,
        "WaitTimeSeconds": wait,
        "MessageAttributeNames": ["RequestID", "ErrorMessage"],
    }
    while messages := sqs.receive_message(**looking).get("Messages"):
        for message in messages:
            told = {
                name: value["StringValue"] for name, value in message["MessageAttributes"].items()
            }
            (record,) = json.loads(message["Body"])["Records"]
            key = json.loads(record["Sns"]["Message"])["key"]
            found[told["RequestID"]] = key, told["ErrorMessage"]
    return found
