"""SNS's delivery to Lambda: a true envelope, put into the function's asynchronous queue.

Source: SNS guide, "Fanout to Lambda functions"; Lambda guide, "Using AWS Lambda with Amazon SNS"
(the event); "SNS message delivery retries" (a client-side error is not tried again); "Amazon SNS
dead-letter queues".
"""

import hashlib
import json
import logging
import uuid
from contextlib import AbstractContextManager
from typing import Any

from moto.core.utils import iso_8601_datetime_with_milliseconds
from moto.sns.models import Subscription
from moto.sqs.models import sqs_backends
from moto.utilities.arns import parse_arn

from labs.cloud.mock import faults, log_groups, trace
from labs.cloud.mock.functions.contract import (
    Invocation,
    NoSuchFunction,
    NotPermitted,
    Refused,
    TooLarge,
)
from labs.cloud.mock.functions.service import LambdaService, permitted_function

log = logging.getLogger("labs.mock.sns")


def notification(
    subscription: Subscription,
    message: str,
    message_id: str,
    subject: str | None,
    attributes: dict[str, Any] | None,
) -> dict[str, Any]:
    """The `Sns` member of the event. Not signed here: Lambda functions have no need to verify."""
    region = parse_arn(subscription.topic.arn).region
    return {
        "Type": "Notification",
        "MessageId": message_id,
        "TopicArn": subscription.topic.arn,
        "Subject": subject,
        "Message": message,
        "Timestamp": iso_8601_datetime_with_milliseconds(),
        "SignatureVersion": "1",
        "Signature": "EXAMPLE",
        "SigningCertUrl": "EXAMPLE",
        "UnsubscribeUrl": f"https://sns.{region}.amazonaws.com/?Action=Unsubscribe"
        f"&SubscriptionArn={subscription.arn}",
        "MessageAttributes": {
            name: {"Type": value["Type"], "Value": value["Value"]}
            for name, value in (attributes or {}).items()
        },
    }


def deliver(service: LambdaService, subscription: Subscription, sns: dict[str, Any]) -> None:
    """Hand a notification to the subscribed function's queue, as often as `faults` want it."""
    for copy in range(1 + faults.copies("sns", faults.DELIVER)):
        _hand_over(service, subscription, sns, "once more, asked for with aws.faults" * (copy > 0))


def _hand_over(
    service: LambdaService, subscription: Subscription, sns: dict[str, Any], remark: str
) -> None:
    """Once; a refusal becomes a failure. `remark`: for the trace."""
    record = {
        "EventSource": "aws:sns",
        "EventVersion": "1.0",
        "EventSubscriptionArn": subscription.arn,
        "Sns": sns,
    }
    weather = faults.weather("sns", faults.DELIVER)
    with hop(subscription, sns["MessageId"]) as step:
        try:
            if weather.refusal:
                raise Refused(weather.refusal.message)
            function = permitted_function(
                subscription.endpoint, "sns.amazonaws.com", subscription.topic.arn
            )
            event = json.dumps({"Records": [record]}).encode()
            invocation = Invocation(event, subscription.endpoint)
            service.invoke_later(function, invocation, weather.delay)
            step.status, step.detail = "queued", remark
        except Refused as refused:
            code = weather.refusal.code if weather.refusal else _CODES[type(refused)]
            step.fail("refused", code, str(refused))
            _fail(subscription, sns, refused)


#: What Lambda answers to SNS. Source: Lambda API, Invoke.
_CODES = {
    NotPermitted: "AccessDeniedException",
    NoSuchFunction: "ResourceNotFoundException",
    TooLarge: "RequestTooLargeException",
}


def hop(subscription: Subscription, message_id: str) -> AbstractContextManager[trace.Hop]:
    """A delivery, to record what the block does of it."""
    return trace.hop(
        "sns",
        faults.DELIVER,
        trace.short_name(subscription.endpoint),
        caller=subscription.topic.name,
        message=message_id,
    )


def note_filtered(subscription: Subscription, message_id: str) -> None:
    """A message that the subscription's filter policy keeps from it."""
    policy = subscription.attributes.get("FilterPolicy")
    with hop(subscription, message_id) as step:
        step.status, step.detail = "filtered", f"the filter policy is {policy}"


def _fail(subscription: Subscription, sns: dict[str, Any], reason: Refused) -> None:
    log.warning("%s not delivered to %s: %s", sns["MessageId"], subscription.endpoint, reason)
    _count_failure(subscription)
    if getattr(subscription.topic, "lambda_failure_feedback_role_arn", None):
        _write_status(subscription, sns, reason)
    policy = json.loads(subscription.attributes.get("RedrivePolicy") or "{}")
    if target := policy.get("deadLetterTargetArn"):
        queue = parse_arn(target)
        try:
            backend = sqs_backends[queue.account][queue.region]
            backend.send_message(queue.resource_id, json.dumps(sns))
        except Exception:
            log.exception("%s: lost, its dead-letter queue does not take it", sns["MessageId"])


def _count_failure(subscription: Subscription) -> None:
    """The metric NumberOfNotificationsFailed. Source: SNS guide, "Monitoring with CloudWatch"."""
    from moto.cloudwatch.models import cloudwatch_backends  # memory: most lessons never need it

    topic = parse_arn(subscription.topic.arn)
    cloudwatch_backends[topic.account][topic.region].put_metric_data(
        "AWS/SNS",
        [
            {
                "MetricName": "NumberOfNotificationsFailed",
                "Dimensions": [{"Name": "TopicName", "Value": subscription.topic.name}],
                "Value": 1,
                "Unit": "Count",
            }
        ],
    )


def _write_status(subscription: Subscription, sns: dict[str, Any], reason: Refused) -> None:
    """A delivery-status line. Source: SNS guide, "Message delivery status" (its JSON members)."""
    topic = parse_arn(subscription.topic.arn)
    status = {
        "notification": {
            "messageMD5Sum": hashlib.md5(
                sns["Message"].encode(), usedforsecurity=False
            ).hexdigest(),
            "messageId": sns["MessageId"],
            "topicArn": sns["TopicArn"],
            "timestamp": sns["Timestamp"],
        },
        "delivery": {
            "deliveryId": str(uuid.uuid4()),
            "destination": subscription.endpoint,
            "providerResponse": str(reason),
            "attempts": 1,
            "statusCode": 404 if isinstance(reason, NoSuchFunction) else 403,
        },
        "status": "FAILURE",
    }
    log_groups.write(
        topic.account,
        topic.region,
        f"sns/{topic.region}/{topic.account}/{subscription.topic.name}/Failure",
        str(uuid.uuid4()),
        [json.dumps(status)],
    )
