"""Queues, and who may use them."""

from __future__ import annotations

from typing import Any

from labs.cloud.mock.stacks.types.base import (
    Properties,
    Type,
    document,
    first,
    only,
    pairs,
    removed,
    text,
)

#: What an attribute becomes again when a template does not give it any more.
#: Source: SQS API, SetQueueAttributes.
DEFAULTS = {
    "DelaySeconds": "0",
    "MaximumMessageSize": "1048576",
    "MessageRetentionPeriod": "345600",
    "ReceiveMessageWaitTimeSeconds": "0",
    "RedriveAllowPolicy": "",
    "RedrivePolicy": "",
    "VisibilityTimeout": "30",
    "KmsMasterKeyId": "",
    "KmsDataKeyReusePeriodSeconds": "300",
    "SqsManagedSseEnabled": "true",
    "ContentBasedDeduplication": "false",
    "DeduplicationScope": "queue",
    "FifoThroughputLimit": "perQueue",
}
ATTRIBUTES = " ".join([*DEFAULTS, "FifoQueue"])


class Queue(Type):
    name = "AWS::SQS::Queue"
    service = "sqs"
    properties = f"QueueName Tags {ATTRIBUTES}"
    named, longest = "QueueName", 80

    def create(self, given: Properties) -> str:
        name = self.named_by(given)
        if given.get("FifoQueue") and "QueueName" not in given:
            name = f"{name[: self.longest - 5]}.fifo"
        if "QueueName" in given and self.exists(lambda: self.reader.get_queue_url(QueueName=name)):
            self.refuse_existing(name)
        return self.call(
            "create_queue",
            QueueName=name,
            Attributes=_attributes(given),
            tags=pairs(given.get("Tags")),
        )["QueueUrl"]

    def update(self, physical: str, given: Properties, before: Properties) -> None:
        old, new = _attributes(before), _attributes(given)
        gone = {key: DEFAULTS[key] for key in old if key not in new and key in DEFAULTS}
        different = {key: value for key, value in new.items() if old.get(key) != value}
        if attributes := {**gone, **different}:
            self.client.set_queue_attributes(QueueUrl=physical, Attributes=attributes)
        self.retag(
            given,
            before,
            lambda keys: self.client.untag_queue(QueueUrl=physical, TagKeys=keys),
            lambda tags: self.client.tag_queue(QueueUrl=physical, Tags=tags),
        )

    def attributes(self, physical: str, given: Properties) -> dict[str, Any]:
        return {
            "Arn": self.arn(physical.rpartition("/")[2]),
            "QueueName": physical.rpartition("/")[2],
            "QueueUrl": physical,
        }

    def read(self, physical: str, given: Properties) -> Properties:
        found = self.reader.get_queue_attributes(QueueUrl=physical, AttributeNames=["All"])
        tags = self.reader.list_queue_tags(QueueUrl=physical).get("Tags", {})
        return {
            **DEFAULTS,
            **found["Attributes"],
            "QueueName": physical.rpartition("/")[2],
            "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
        }

    def delete(self, physical: str, given: Properties) -> None:
        self.client.delete_queue(QueueUrl=physical)


class QueuePolicy(Type):
    name = "AWS::SQS::QueuePolicy"
    service = "sqs"
    properties = "PolicyDocument Queues"

    def create(self, given: Properties) -> str:
        return self.made_up()

    def configure(self, physical: str, given: Properties, before: Properties) -> None:
        for url in given["Queues"]:
            self._set(url, document(given["PolicyDocument"]))
        for url in removed(given["Queues"], before.get("Queues", ())):
            self._set(url, "")

    def attributes(self, physical: str, given: Properties) -> dict[str, Any]:
        return {"Id": physical}

    def read(self, physical: str, given: Properties) -> Properties:
        policies = [self._policy(url) for url in given["Queues"]]
        return {"Queues": given["Queues"], "PolicyDocument": first(filter(None, policies))}

    def delete(self, physical: str, given: Properties) -> None:
        for url in given["Queues"]:
            self._set(url, "")

    def _set(self, url: str, policy: str) -> None:
        self.client.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})

    def _policy(self, url: str) -> str | None:
        found = self.reader.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])
        return found.get("Attributes", {}).get("Policy")


def _attributes(given: Properties) -> dict[str, str]:
    return {name: text(value) for name, value in only(given, ATTRIBUTES).items()}
