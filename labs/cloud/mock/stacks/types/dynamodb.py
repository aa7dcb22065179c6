"""DynamoDB tables."""

from __future__ import annotations

from typing import Any

from labs.cloud.mock.stacks.errors import Unchangeable
from labs.cloud.mock.stacks.types.base import (
    Properties,
    Type,
    changed,
    listed,
    only,
)

_AT_CREATION = (
    "AttributeDefinitions DeletionProtectionEnabled GlobalSecondaryIndexes KeySchema "
    "LocalSecondaryIndexes ProvisionedThroughput SSESpecification TableClass Tags"
)


class Table(Type):
    name = "AWS::DynamoDB::Table"
    service = "dynamodb"
    properties = (
        f"BillingMode PointInTimeRecoverySpecification StreamSpecification TableName "
        f"TimeToLiveSpecification {_AT_CREATION}"
    )
    unread = "TableClass"
    named, longest = "TableName", 255

    @classmethod
    def replaces(cls, given: Properties, before: Properties) -> bool | None:
        """The schema says "perhaps" of the key schema."""
        return changed(given, before, "KeySchema", "LocalSecondaryIndexes", "TableName")

    def create(self, given: Properties) -> str:
        return self.call(
            "create_table",
            {**only(given, _AT_CREATION), **_encryption(given)},
            TableName=self.named_by(given),
            BillingMode=given.get("BillingMode", "PROVISIONED"),
            **_stream(given),
        )["TableDescription"]["TableName"]

    def configure(self, physical: str, given: Properties, before: Properties) -> None:
        if changed(given, before, "TimeToLiveSpecification"):
            self._set_time_to_live(physical, given, before)
        key = "PointInTimeRecoverySpecification"
        if changed(given, before, key):
            wanted = given.get(key, {"PointInTimeRecoveryEnabled": False})
            self.client.update_continuous_backups(
                TableName=physical, PointInTimeRecoverySpecification=dict(wanted)
            )

    def update(self, physical: str, given: Properties, before: Properties) -> None:
        if changed(given, before, "SSESpecification", "TableClass"):
            raise Unchangeable(f"{self.name}: a change of SSESpecification or TableClass")
        if changed(given, before, "BillingMode", "ProvisionedThroughput"):
            mode = given.get("BillingMode", "PROVISIONED")
            throughput = only(given, "ProvisionedThroughput") if mode == "PROVISIONED" else {}
            self.call("update_table", throughput, TableName=physical, BillingMode=mode)
        if changed(given, before, "StreamSpecification"):
            self.client.update_table(
                TableName=physical,
                **(_stream(given) or {"StreamSpecification": {"StreamEnabled": False}}),
            )
        if changed(given, before, "DeletionProtectionEnabled"):
            protected = bool(given.get("DeletionProtectionEnabled", False))
            self.client.update_table(TableName=physical, DeletionProtectionEnabled=protected)
        if changed(given, before, "GlobalSecondaryIndexes"):
            self._change_indexes(physical, given, before)
        arn = self.arn(f"table/{physical}")
        self.retag(
            given,
            before,
            lambda keys: self.client.untag_resource(ResourceArn=arn, TagKeys=keys),
            lambda tags: self._tag(arn, tags),
        )
        self.configure(physical, given, before)

    def attributes(self, physical: str, given: Properties) -> dict[str, Any]:
        found = self._found(physical)
        stream = found.get("LatestStreamArn")
        return {"Arn": found["TableArn"], **({"StreamArn": stream} if stream else {})}

    def read(self, physical: str, given: Properties) -> Properties:
        found = self._found(physical)
        lives = self.reader.describe_time_to_live(TableName=physical)["TimeToLiveDescription"]
        backups = self.reader.describe_continuous_backups(TableName=physical)
        recovery = backups["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
        tags = self.reader.list_tags_of_resource(ResourceArn=found["TableArn"])["Tags"]
        mode = found.get("BillingModeSummary", {}).get("BillingMode", "PROVISIONED")
        status = lives.get("TimeToLiveStatus", "DISABLED")
        encryption = found.get("SSEDescription", {}).get("Status") in ("ENABLED", "UPDATING")
        return {
            "DeletionProtectionEnabled": False,
            **found,
            "BillingMode": mode,
            "PointInTimeRecoverySpecification": {
                "PointInTimeRecoveryEnabled": recovery["PointInTimeRecoveryStatus"] == "ENABLED"
            },
            "SSESpecification": {"SSEEnabled": encryption},
            "Tags": tags,
            "TimeToLiveSpecification": {**lives, "Enabled": status in ("ENABLED", "ENABLING")},
        }

    def delete(self, physical: str, given: Properties) -> None:
        self.client.delete_table(TableName=physical)

    def _found(self, name: str) -> dict[str, Any]:
        return self.reader.describe_table(TableName=name)["Table"]

    def _tag(self, arn: str, tags: dict[str, str]) -> None:
        # moto adds a second tag of the same key, where DynamoDB changes the first.
        self.client.untag_resource(ResourceArn=arn, TagKeys=list(tags))
        self.client.tag_resource(ResourceArn=arn, Tags=listed(tags))

    def _set_time_to_live(self, table: str, given: Properties, before: Properties) -> None:
        key = "TimeToLiveSpecification"
        wanted = given.get(key) or {**before[key], "Enabled": False}
        was = before.get(key, {}).get("Enabled", False)
        if bool(wanted["Enabled"]) != was or "AttributeName" in wanted:
            self.client.update_time_to_live(
                TableName=table,
                TimeToLiveSpecification={
                    "Enabled": bool(wanted["Enabled"]),
                    "AttributeName": wanted.get("AttributeName", ""),
                },
            )

    def _change_indexes(self, table: str, given: Properties, before: Properties) -> None:
        """One call for each index, as DynamoDB wants it."""
        new = {one["IndexName"]: one for one in given.get("GlobalSecondaryIndexes", ())}
        old = {one["IndexName"]: one for one in before.get("GlobalSecondaryIndexes", ())}
        deleted = [{"Delete": {"IndexName": name}} for name in old if old[name] != new.get(name)]
        created = [{"Create": one} for name, one in new.items() if one != old.get(name)]
        for change in [*deleted, *created]:
            self.call(
                "update_table",
                {
                    "GlobalSecondaryIndexUpdates": [change],
                    "AttributeDefinitions": given["AttributeDefinitions"],
                },
                TableName=table,
            )


def _encryption(given: Properties) -> dict[str, Any]:
    """SSEEnabled in a template is Enabled in the API."""
    if "SSESpecification" not in given:
        return {}
    wanted = given["SSESpecification"]
    return {
        "SSESpecification": {
            ("Enabled" if name == "SSEEnabled" else name): value for name, value in wanted.items()
        }
    }


def _stream(given: Properties) -> dict[str, Any]:
    if "StreamSpecification" not in given:
        return {}
    view = only(given["StreamSpecification"], "StreamViewType")
    return {"StreamSpecification": {"StreamEnabled": True, **view}}
