"""Where an event goes that Lambda gave up on.

Source: Lambda guide, "Adding a dead-letter queue": the message's body is the event; attributes
tell RequestID, ErrorCode and ErrorMessage. moto keeps no DeadLetterConfig: `hooks` stores it.
"""

import json
import logging

from moto.awslambda.models import LambdaFunction
from moto.sns.models import sns_backends
from moto.sqs.models import sqs_backends
from moto.utilities.arns import parse_arn

ATTRIBUTE = "labs_dead_letter_arn"

log = logging.getLogger("labs.mock.functions")


def target_of(function: LambdaFunction) -> str | None:
    """The ARN of the function's dead-letter queue or topic."""
    return getattr(function, ATTRIBUTE, None)


def send(target_arn: str, event: bytes, error: dict) -> None:
    """Put the event on the queue or topic; a failure is logged, as AWS counts DeadLetterErrors."""
    target = parse_arn(target_arn)
    attributes = {
        "RequestID": ("String", error.get("requestId") or "unknown"),
        "ErrorCode": ("Number", "200"),
        "ErrorMessage": ("String", error.get("errorMessage", "")[:1024] or "unknown"),
    }
    try:
        if target.service == "sqs":
            sqs_backends[target.account][target.region].send_message(
                target.resource_id,
                event.decode(),
                message_attributes={
                    name: {"DataType": kind, "StringValue": value}
                    for name, (kind, value) in attributes.items()
                },
            )
        else:
            sns_backends[target.account][target.region].publish(
                arn=target_arn,
                message=event.decode(),
                message_attributes={
                    name: {"Type": kind, "Value": value}
                    for name, (kind, value) in attributes.items()
                },
            )
    except Exception:
        log.exception("dead letter not delivered to %s: %s", target_arn, json.dumps(error))
