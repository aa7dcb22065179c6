"""Where an event goes that Lambda gave up on.

Source: Lambda guide, "Adding a dead-letter queue": the message's body is the event; attributes
tell RequestID, ErrorCode and ErrorMessage. moto keeps no DeadLetterConfig: `hooks` stores it.
"""

import logging

from moto.awslambda.models import LambdaFunction
from moto.sns.models import sns_backends
from moto.sqs.models import sqs_backends
from moto.utilities.arns import parse_arn

from labs.cloud.mock import trace
from labs.cloud.mock.functions.contract import Invocation

ATTRIBUTE = "labs_dead_letter_arn"

log = logging.getLogger("labs.mock.functions")


def target_of(function: LambdaFunction) -> str | None:
    """The ARN of the function's dead-letter queue or topic."""
    return getattr(function, ATTRIBUTE, None)


def send(target_arn: str, invocation: Invocation, error_message: str) -> None:
    """Put the event on the queue or topic; a failure is logged, as AWS counts DeadLetterErrors."""
    attributes = {
        "RequestID": ("String", invocation.request_id),
        "ErrorCode": ("Number", "200"),
        # Not empty: SQS and SNS refuse an attribute without a value.
        "ErrorMessage": ("String", error_message[:1024] or "no message"),
    }
    event = invocation.event.decode()
    try:
        with trace.hop(
            "lambda",
            "dead letter",
            trace.short_name(target_arn),
            within=invocation.cause,
            message=invocation.request_id,
        ):
            _put(target_arn, event, attributes)
    except Exception:
        log.exception("dead letter not delivered to %s: %s", target_arn, error_message)


def _put(target_arn: str, event: str, attributes: dict[str, tuple[str, str]]) -> None:
    target = parse_arn(target_arn)
    if target.service == "sqs":
        sqs_backends[target.account][target.region].send_message(
            target.resource_id,
            event,
            message_attributes={
                name: {"DataType": kind, "StringValue": value}
                for name, (kind, value) in attributes.items()
            },
        )
    else:
        sns_backends[target.account][target.region].publish(
            arn=target_arn,
            message=event,
            message_attributes={
                name: {"Type": kind, "Value": value} for name, (kind, value) in attributes.items()
            },
        )
