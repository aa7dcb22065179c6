"""Pipelines."""

from __future__ import annotations

from typing import Any

from labs.cloud.mock.stacks.types.base import (
    Properties,
    Type,
    fit,
    listed,
    pairs,
    removed,
    without,
)

#: Of the template's properties, those that are no part of a pipeline's definition.
_BESIDES = "DisableInboundStageTransitions RestartExecutionOnUpdate Tags"


class Pipeline(Type):
    name = "AWS::CodePipeline::Pipeline"
    service = "codepipeline"
    properties = (
        f"ArtifactStore ArtifactStores ExecutionMode Name PipelineType RoleArn Stages Triggers "
        f"Variables {_BESIDES}"
    )
    #: Secrets come back masked, and what was left out comes back as its default.
    unread = "RestartExecutionOnUpdate"
    named, longest = "Name", 100

    def create(self, given: Properties) -> str:
        name = self.named_by(given)
        self.client.create_pipeline(
            pipeline=self._definition(name, given), tags=_tags(pairs(given.get("Tags")))
        )
        return name

    def configure(self, physical: str, given: Properties, before: Properties) -> None:
        new = {one["StageName"]: one["Reason"] for one in _transitions(given)}
        old = {one["StageName"]: one["Reason"] for one in _transitions(before)}
        for stage in removed(new, old):
            self.client.enable_stage_transition(
                pipelineName=physical, stageName=stage, transitionType="Inbound"
            )
        for stage, reason in new.items():
            if old.get(stage) != reason:
                self.client.disable_stage_transition(
                    pipelineName=physical,
                    stageName=stage,
                    transitionType="Inbound",
                    reason=reason,
                )

    def update(self, physical: str, given: Properties, before: Properties) -> None:
        definition = self._definition(physical, given)
        is_new = definition != self._definition(physical, before)
        if is_new:
            self.client.update_pipeline(pipeline=definition)
        arn = self.arn(physical)
        self.retag(
            given,
            before,
            lambda keys: self.client.untag_resource(resourceArn=arn, tagKeys=keys),
            lambda tags: self.client.tag_resource(resourceArn=arn, tags=_tags(tags)),
        )
        self.configure(physical, given, before)
        # Not when a stack rolls back: a pipeline that updates its own stack, and fails in it,
        # would go round for ever.
        if is_new and given.get("RestartExecutionOnUpdate") and not self.rolling_back:
            self.client.start_pipeline_execution(name=physical)

    def attributes(self, physical: str, given: Properties) -> dict[str, Any]:
        found = self.reader.get_pipeline(name=physical)
        return {"Version": str(found["pipeline"]["version"])}

    def read(self, physical: str, given: Properties) -> Properties:
        found = dict(self.reader.get_pipeline(name=physical)["pipeline"])
        if "artifactStores" in found:
            found["artifactStores"] = [
                {"Region": region, "ArtifactStore": store}
                for region, store in found["artifactStores"].items()
            ]
        state = self.reader.get_pipeline_state(name=physical)
        disabled = [
            {
                "StageName": stage["stageName"],
                "Reason": stage["inboundTransitionState"].get("disabledReason"),
            }
            for stage in state["stageStates"]
            if not stage.get("inboundTransitionState", {}).get("enabled", True)
        ]
        tags = self.reader.list_tags_for_resource(resourceArn=self.arn(physical)).get("tags", [])
        return {
            **found,
            "DisableInboundStageTransitions": disabled,
            "Tags": [{"Key": one["key"], "Value": one["value"]} for one in tags],
        }

    def delete(self, physical: str, given: Properties) -> None:
        self.client.delete_pipeline(name=physical)

    def _definition(self, name: str, given: Properties) -> dict[str, Any]:
        """As CreatePipeline wants it: its spelling, stores by region, configuration as texts."""
        wanted = {**without(given, _BESIDES), "Name": name}
        if "ArtifactStores" in wanted:
            wanted["ArtifactStores"] = {
                one["Region"]: one["ArtifactStore"] for one in wanted["ArtifactStores"]
            }
        model = self.client.meta.service_model.operation_model("CreatePipeline")
        return fit(wanted, model.input_shape.members["pipeline"], self.name)


def _transitions(given: Properties) -> list[dict[str, str]]:
    return given.get("DisableInboundStageTransitions") or []


def _tags(tags: dict[str, str]) -> list[dict[str, str]]:
    return listed(tags, "key", "value")
