"""CodePipeline's API of definitions: create, read, update, delete, tags.

Each function takes the motor, the caller and the parameters, which have been checked against the
model, and returns the answer. Source: CodePipeline API, the operations of these names. Texts: moto
has those about pipelines that are not there from AWS; the others are ours.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from moto.codepipeline.models import codepipeline_backends

from labs.cloud.mock.pipelines import catalogue, validation, views
from labs.cloud.mock.pipelines.definition import complete, differs, masked, with_secrets_of
from labs.cloud.mock.pipelines.model import Pipeline, Trigger, now
from labs.cloud.mock.pipelines.motor import Pipelines
from labs.cloud.mock.pipelines.refusals import refuse

Parameters = dict[str, Any]
Answer = dict[str, Any]
Operation = Callable[[Pipelines, "Caller", Parameters], Answer]


@dataclass(frozen=True)
class Caller:
    """Whose account, where, and who: an ARN."""

    account: str
    region: str
    arn: str

    @property
    def pipelines(self) -> dict[str, Pipeline]:
        """By name. moto's backend holds them, so that its reset forgets them."""
        return codepipeline_backends[self.account][self.region].pipelines

    @property
    def partition(self) -> str:
        return codepipeline_backends[self.account][self.region].partition

    def pipeline(self, name: str) -> Pipeline:
        """Raises PipelineNotFoundException."""
        if name not in self.pipelines:
            refuse(
                "PipelineNotFoundException",
                f"Account '{self.account}' does not have a pipeline with name '{name}'",
            )
        return self.pipelines[name]


def create_pipeline(motor: Pipelines, caller: Caller, given: Parameters) -> Answer:
    """A new pipeline runs at once. Source: User Guide, "Create a pipeline"."""
    name, tags = given["pipeline"]["name"], given.get("tags") or []
    definition = with_secrets_of(None, complete(given["pipeline"], 1))
    with motor.changed:
        if name in caller.pipelines:
            refuse(
                "PipelineNameInUseException",
                f"A pipeline with the name '{name}' already exists in account '{caller.account}'",
            )
        validation.check(definition, caller.region)
        pipeline = Pipeline(caller.account, caller.region, caller.partition, {1: definition})
        validation.check_tags(tags, {}, pipeline.arn)
        pipeline.tags = {tag["key"]: tag["value"] for tag in tags}
        caller.pipelines[name] = pipeline
        motor.start(pipeline, Trigger("CreatePipeline", caller.arn))
        motor.watch.follow(pipeline)
        return {"pipeline": masked(definition), "tags": _tags(pipeline)}


def update_pipeline(motor: Pipelines, caller: Caller, given: Parameters) -> Answer:
    """What runs of another definition is cancelled, and nothing is started: see `flow`."""
    name = given["pipeline"]["name"]
    with motor.changed:
        pipeline = caller.pipelines.get(name) or _no_pipeline(caller, name)
        before = pipeline.definition
        definition = with_secrets_of(before, complete(given["pipeline"], pipeline.version + 1))
        validation.check(definition, caller.region)
        pipeline.versions[definition["version"]] = definition
        pipeline.updated = now()
        pipeline.arrange()
        if differs(before, definition):
            for execution in list(pipeline.executions.values()):
                if not execution.is_over:
                    motor.cancel(execution)
        motor.watch.follow(pipeline)
        return {"pipeline": masked(definition)}


def get_pipeline(motor: Pipelines, caller: Caller, given: Parameters) -> Answer:
    with motor.changed:
        pipeline = caller.pipeline(given["name"])
        version = given.get("version") or pipeline.version
        if version not in pipeline.versions:
            refuse(
                "PipelineVersionNotFoundException",
                f"Pipeline '{pipeline.name}' has no version {version}",
            )
        return {
            "pipeline": masked(pipeline.versions[version]),
            "metadata": {
                "pipelineArn": pipeline.arn,
                "created": pipeline.created,
                "updated": pipeline.updated,
            },
        }


def list_pipelines(motor: Pipelines, caller: Caller, given: Parameters) -> Answer:
    with motor.changed:
        found = sorted(caller.pipelines.values(), key=lambda pipeline: pipeline.name)
        return page("pipelines", [views.listed(one) for one in found], given, most=1000)


def delete_pipeline(motor: Pipelines, caller: Caller, given: Parameters) -> Answer:
    """One that is not there is deleted, too: so AWS answers, and moto."""
    with motor.changed:
        if pipeline := caller.pipelines.pop(given["name"], None):
            motor.delete(pipeline)
        return {}


def list_action_types(_motor: Pipelines, _caller: Caller, given: Parameters) -> Answer:
    owner = given.get("actionOwnerFilter")
    found = [one for one in catalogue.TYPES.values() if owner in (None, one.owner)]
    return page("actionTypes", [catalogue.shown(one) for one in found], given, most=1000)


def tag_resource(motor: Pipelines, caller: Caller, given: Parameters) -> Answer:
    with motor.changed:
        pipeline = _by_arn(caller, given["resourceArn"])
        validation.check_tags(given["tags"], pipeline.tags, pipeline.arn)
        pipeline.tags |= {tag["key"]: tag["value"] for tag in given["tags"]}
        return {}


def untag_resource(motor: Pipelines, caller: Caller, given: Parameters) -> Answer:
    with motor.changed:
        pipeline = _by_arn(caller, given["resourceArn"])
        for key in given["tagKeys"]:
            pipeline.tags.pop(key, None)
        return {}


def list_tags_for_resource(motor: Pipelines, caller: Caller, given: Parameters) -> Answer:
    with motor.changed:
        return page("tags", _tags(_by_arn(caller, given["resourceArn"])), given, most=100)


OPERATIONS: dict[str, Operation] = {
    "CreatePipeline": create_pipeline,
    "DeletePipeline": delete_pipeline,
    "GetPipeline": get_pipeline,
    "ListActionTypes": list_action_types,
    "ListPipelines": list_pipelines,
    "ListTagsForResource": list_tags_for_resource,
    "TagResource": tag_resource,
    "UntagResource": untag_resource,
    "UpdatePipeline": update_pipeline,
}


def page(name: str, items: Sequence[Any], given: Parameters, most: int = 100) -> Answer:
    """Some of the items, and the token of the next page if there is one.

    Raises InvalidNextTokenException.
    """
    begin, size = _offset(given.get("nextToken")), given.get("maxResults") or most
    answer: Answer = {name: list(items[begin : begin + size])}
    if begin + size < len(items):
        answer["nextToken"] = base64.urlsafe_b64encode(str(begin + size).encode()).decode()
    return answer


def _offset(token: str | None) -> int:
    if not token:
        return 0
    try:
        return int(base64.urlsafe_b64decode(token).decode())
    except (binascii.Error, ValueError):
        refuse("InvalidNextTokenException", "The next token was specified in an invalid format")


def _tags(pipeline: Pipeline) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in sorted(pipeline.tags.items())]


def _by_arn(caller: Caller, arn: str) -> Pipeline:
    parts = arn.split(":")
    if len(parts) != 6 or parts[0] != "arn" or parts[2] != "codepipeline":
        refuse("InvalidArnException", f"{arn} is not the ARN of a pipeline")
    name = parts[5]
    is_here = parts[3:5] == [caller.region, caller.account] and name in caller.pipelines
    return caller.pipelines[name] if is_here else _no_pipeline(caller, name)


def _no_pipeline(caller: Caller, name: str) -> Any:
    refuse(
        "ResourceNotFoundException",
        f"The account with id '{caller.account}' does not include a pipeline with the name "
        f"'{name}'",
    )
