"""Topics, who gets their messages, and who may publish."""

from __future__ import annotations

from typing import Any

from labs.cloud.mock.stacks.types.base import (
    Properties,
    Type,
    as_json,
    changed,
    document,
    first,
    listed,
    pairs,
    removed,
    text,
)

#: A topic's attributes, and what each becomes when a template does not give it any more.
ATTRIBUTES = {
    "ContentBasedDeduplication": "false",
    "DisplayName": "",
    "KmsMasterKeyId": "",
    "SignatureVersion": "1",
    "TracingConfig": "PassThrough",
}
#: The same of a subscription. Source: SNS API, SetSubscriptionAttributes.
SUBSCRIPTION = {
    "DeliveryPolicy": "{}",
    "FilterPolicy": "{}",
    "FilterPolicyScope": "MessageAttributes",
    "RawMessageDelivery": "false",
    "RedrivePolicy": "{}",
}


class Topic(Type):
    name = "AWS::SNS::Topic"
    service = "sns"
    properties = f"TopicName FifoTopic Subscription Tags {' '.join(ATTRIBUTES)}"
    named, longest = "TopicName", 256

    def create(self, given: Properties) -> str:
        name = self.named_by(given)
        attributes = {key: text(given[key]) for key in ATTRIBUTES if key in given}
        if given.get("FifoTopic"):
            attributes["FifoTopic"] = "true"
            if "TopicName" not in given:
                name = f"{name[: self.longest - 5]}.fifo"
        arn = self.arn(name)
        if "TopicName" in given and self.exists(
            lambda: self.reader.get_topic_attributes(TopicArn=arn)
        ):
            self.refuse_existing(arn)
        return self.client.create_topic(
            Name=name, Attributes=attributes, Tags=listed(pairs(given.get("Tags")))
        )["TopicArn"]

    def configure(self, physical: str, given: Properties, before: Properties) -> None:
        wanted, was = given.get("Subscription", []), before.get("Subscription", [])
        there = {(one["Protocol"], one["Endpoint"]): one for one in self._subscriptions(physical)}
        for one in removed(wanted, was):
            found = there.get((one["Protocol"], one["Endpoint"]))
            if found:
                self.client.unsubscribe(SubscriptionArn=found["SubscriptionArn"])
        for one in wanted:
            if one not in was:
                self.client.subscribe(
                    TopicArn=physical, Protocol=one["Protocol"], Endpoint=one["Endpoint"]
                )

    def update(self, physical: str, given: Properties, before: Properties) -> None:
        for key, default in ATTRIBUTES.items():
            if changed(given, before, key):
                value = text(given.get(key, default))
                self.client.set_topic_attributes(
                    TopicArn=physical, AttributeName=key, AttributeValue=value
                )
        self.retag(
            given,
            before,
            lambda keys: self.client.untag_resource(ResourceArn=physical, TagKeys=keys),
            lambda tags: self.client.tag_resource(ResourceArn=physical, Tags=listed(tags)),
        )
        self.configure(physical, given, before)

    def attributes(self, physical: str, given: Properties) -> dict[str, Any]:
        return {"TopicArn": physical, "TopicName": physical.rpartition(":")[2]}

    def read(self, physical: str, given: Properties) -> Properties:
        found = self.reader.get_topic_attributes(TopicArn=physical)["Attributes"]
        tags = self.reader.list_tags_for_resource(ResourceArn=physical)["Tags"]
        return {
            **ATTRIBUTES,
            **found,
            "TopicName": physical.rpartition(":")[2],
            "Tags": tags,
            "Subscription": self._subscriptions(physical),
        }

    def delete(self, physical: str, given: Properties) -> None:
        self.client.delete_topic(TopicArn=physical)

    def _subscriptions(self, topic: str) -> list[dict[str, str]]:
        pages = self.reader.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic)
        return [one for page in pages for one in page["Subscriptions"]]


class Subscription(Type):
    name = "AWS::SNS::Subscription"
    service = "sns"
    properties = f"TopicArn Protocol Endpoint {' '.join(SUBSCRIPTION)}"

    def create(self, given: Properties) -> str:
        self.reader.get_topic_attributes(TopicArn=given["TopicArn"])  # an error when it is none
        return self.client.subscribe(
            TopicArn=given["TopicArn"],
            Protocol=given["Protocol"],
            Endpoint=given.get("Endpoint", ""),
            ReturnSubscriptionArn=True,
            Attributes={key: _value(given[key]) for key in SUBSCRIPTION if key in given},
        )["SubscriptionArn"]

    def update(self, physical: str, given: Properties, before: Properties) -> None:
        for key, default in SUBSCRIPTION.items():
            if changed(given, before, key):
                self.client.set_subscription_attributes(
                    SubscriptionArn=physical,
                    AttributeName=key,
                    AttributeValue=_value(given.get(key, default)),
                )

    def attributes(self, physical: str, given: Properties) -> dict[str, Any]:
        return {"Arn": physical}

    def read(self, physical: str, given: Properties) -> Properties:
        found = self.reader.get_subscription_attributes(SubscriptionArn=physical)["Attributes"]
        return {**SUBSCRIPTION, **found}

    def delete(self, physical: str, given: Properties) -> None:
        self.client.unsubscribe(SubscriptionArn=physical)


class TopicPolicy(Type):
    name = "AWS::SNS::TopicPolicy"
    service = "sns"
    properties = "PolicyDocument Topics"

    def create(self, given: Properties) -> str:
        return self.made_up()

    def configure(self, physical: str, given: Properties, before: Properties) -> None:
        for topic in given["Topics"]:
            self._set(topic, document(given["PolicyDocument"]))
        for topic in removed(given["Topics"], before.get("Topics", ())):
            self._set(topic, self._default(topic))

    def attributes(self, physical: str, given: Properties) -> dict[str, Any]:
        return {"Id": physical}

    def read(self, physical: str, given: Properties) -> Properties:
        policies = [
            as_json(self.reader.get_topic_attributes(TopicArn=topic)["Attributes"].get("Policy"))
            for topic in given["Topics"]
        ]
        return {"Topics": given["Topics"], "PolicyDocument": first(policies)}

    def delete(self, physical: str, given: Properties) -> None:
        for topic in given["Topics"]:
            self._set(topic, self._default(topic))

    def _set(self, topic: str, policy: str) -> None:
        self.client.set_topic_attributes(
            TopicArn=topic, AttributeName="Policy", AttributeValue=policy
        )

    def _default(self, topic: str) -> str:
        """A topic is never without a policy: its owner may use it."""
        statement = {
            "Effect": "Allow",
            "Sid": "__default_statement_ID",
            "Principal": {"AWS": "*"},
            "Action": ["SNS:Publish", "SNS:Subscribe", "SNS:GetTopicAttributes"],
            "Resource": topic,
            "Condition": {"StringEquals": {"AWS:SourceOwner": self.place.account}},
        }
        return document({"Version": "2008-10-17", "Statement": [statement]})


def _value(value: Any) -> str:
    return document(value) if isinstance(value, dict) else text(value)
