"""Rules of EventBridge, with their targets."""

from __future__ import annotations

from typing import Any

from labs.cloud.mock.stacks.types.base import (
    Properties,
    Type,
    document,
    fit,
    removed,
    without,
)


class Rule(Type):
    name = "AWS::Events::Rule"
    service = "events"
    properties = (
        "Description EventBusName EventPattern Name RoleArn ScheduleExpression State Targets"
    )
    named = "Name"

    def create(self, given: Properties) -> str:
        name = self.named_by(given)
        if "Name" in given and self.exists(
            lambda: self.reader.describe_rule(Name=name, **_bus(given))
        ):
            self.refuse_existing(name)
        self._put(name, given)
        return name

    def configure(self, physical: str, given: Properties, before: Properties) -> None:
        ids = [one["Id"] for one in given.get("Targets", ())]
        old = [one["Id"] for one in before.get("Targets", ())]
        bus = _bus(given)
        if gone := removed(ids, old):
            self.client.remove_targets(Rule=physical, Ids=gone, **bus)
        if targets := given.get("Targets"):
            model = self.client.meta.service_model.operation_model("PutTargets")
            spelt = fit(targets, model.input_shape.members["Targets"], f"{self.name}/Targets")
            self.client.put_targets(Rule=physical, Targets=spelt, **bus)

    def update(self, physical: str, given: Properties, before: Properties) -> None:
        self._put(physical, given)
        self.configure(physical, given, before)

    def attributes(self, physical: str, given: Properties) -> dict[str, Any]:
        bus = given.get("EventBusName", "default")
        path = physical if bus == "default" else f"{bus}/{physical}"
        return {"Arn": self.arn(f"rule/{path}")}

    def read(self, physical: str, given: Properties) -> Properties:
        found = self.reader.describe_rule(Name=physical, **_bus(given))
        targets = self.reader.list_targets_by_rule(Rule=physical, **_bus(given))["Targets"]
        return {"Description": "", **found, "Targets": targets}

    def delete(self, physical: str, given: Properties) -> None:
        targets = self.reader.list_targets_by_rule(Rule=physical, **_bus(given))["Targets"]
        if targets:
            ids = [one["Id"] for one in targets]
            self.client.remove_targets(Rule=physical, Ids=ids, **_bus(given))
        self.client.delete_rule(Name=physical, **_bus(given))

    def _put(self, name: str, given: Properties) -> None:
        pattern = given.get("EventPattern")
        self.call(
            "put_rule",
            without(given, "EventPattern Name Targets"),
            Name=name,
            **({"EventPattern": document(pattern)} if pattern else {}),
        )


def _bus(given: Properties) -> dict[str, str]:
    return {"EventBusName": given["EventBusName"]} if "EventBusName" in given else {}
