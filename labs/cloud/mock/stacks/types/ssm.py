"""Parameters of Systems Manager."""

from __future__ import annotations

from typing import Any

from labs.cloud.mock.stacks.types.base import (
    Properties,
    Type,
    first,
    listed,
    removed,
    without,
)


class Parameter(Type):
    name = "AWS::SSM::Parameter"
    service = "ssm"
    properties = "AllowedPattern DataType Description Name Tags Tier Type Value"
    named, longest = "Name", 1011

    def create(self, given: Properties) -> str:
        name = self.named_by(given)
        self.call(
            "put_parameter",
            without(given, "Name Tags"),
            Name=name,
            Tags=listed(given.get("Tags") or {}),
        )
        return name

    def update(self, physical: str, given: Properties, before: Properties) -> None:
        self.call("put_parameter", without(given, "Name Tags"), Name=physical, Overwrite=True)
        new, old = given.get("Tags") or {}, before.get("Tags") or {}
        about = {"ResourceType": "Parameter", "ResourceId": physical}
        if keys := removed(new, old):
            self.client.remove_tags_from_resource(**about, TagKeys=keys)
        if new and new != old:
            self.client.add_tags_to_resource(**about, Tags=listed(new))

    def attributes(self, physical: str, given: Properties) -> dict[str, Any]:
        return {"Type": given["Type"], "Value": given["Value"]}

    def read(self, physical: str, given: Properties) -> Properties:
        found = self.reader.get_parameter(Name=physical)["Parameter"]
        about = first(
            self.reader.describe_parameters(
                ParameterFilters=[{"Key": "Name", "Option": "Equals", "Values": [physical]}]
            )["Parameters"]
        )
        tags = self.reader.list_tags_for_resource(ResourceType="Parameter", ResourceId=physical)
        return {
            "Tier": "Standard",
            "Description": "",
            **about,
            **found,
            "Tags": {tag["Key"]: tag["Value"] for tag in tags["TagList"]},
        }

    def delete(self, physical: str, given: Properties) -> None:
        self.client.delete_parameter(Name=physical)
