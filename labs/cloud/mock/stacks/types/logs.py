"""Log groups."""

from __future__ import annotations

from typing import Any

from labs.cloud.mock.stacks.errors import Unchangeable
from labs.cloud.mock.stacks.types.base import (
    Properties,
    Type,
    changed,
    first,
    only,
    pairs,
)


class LogGroup(Type):
    name = "AWS::Logs::LogGroup"
    service = "logs"
    unread = "LogGroupClass"
    properties = "KmsKeyId LogGroupClass LogGroupName RetentionInDays Tags"
    named, longest = "LogGroupName", 512

    def create(self, given: Properties) -> str:
        name = self.named_by(given)
        self.call(
            "create_log_group",
            only(given, "KmsKeyId LogGroupClass"),
            logGroupName=name,
            tags=pairs(given.get("Tags")),
        )
        return name

    def configure(self, physical: str, given: Properties, before: Properties) -> None:
        if not changed(given, before, "RetentionInDays"):
            return
        if "RetentionInDays" in given:
            self.client.put_retention_policy(
                logGroupName=physical, retentionInDays=given["RetentionInDays"]
            )
        else:
            self.client.delete_retention_policy(logGroupName=physical)

    def update(self, physical: str, given: Properties, before: Properties) -> None:
        if changed(given, before, "KmsKeyId", "LogGroupClass"):
            raise Unchangeable(f"{self.name}: a change of KmsKeyId or LogGroupClass")
        arn = self.arn(f"log-group:{physical}")
        self.retag(
            given,
            before,
            lambda keys: self.client.untag_resource(resourceArn=arn, tagKeys=keys),
            lambda tags: self.client.tag_resource(resourceArn=arn, tags=tags),
        )
        self.configure(physical, given, before)

    def attributes(self, physical: str, given: Properties) -> dict[str, Any]:
        return {"Arn": self.arn(f"log-group:{physical}:*")}

    def read(self, physical: str, given: Properties) -> Properties:
        pages = self.reader.get_paginator("describe_log_groups").paginate(
            logGroupNamePrefix=physical
        )
        groups = (one for page in pages for one in page["logGroups"])
        found = first(one for one in groups if one["logGroupName"] == physical)
        arn = self.arn(f"log-group:{physical}")
        tags = self.reader.list_tags_for_resource(resourceArn=arn).get("tags", {})
        return {**found, "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}

    def delete(self, physical: str, given: Properties) -> None:
        self.client.delete_log_group(logGroupName=physical)
