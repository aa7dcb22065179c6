"""A pipeline's declaration, as CreatePipeline takes it: a dict with botocore's member names."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from labs.cloud.mock.pipelines import catalogue
from labs.cloud.mock.pipelines.refusals import refuse

Definition = dict[str, Any]
Stage = dict[str, Any]
Action = dict[str, Any]
#: What is shown of a secret. Source: User Guide, "Action structure requirements in CodePipeline".
MASK = "****"


def complete(given: Definition, version: int) -> Definition:
    """A copy with what AWS adds where nothing is said. Source: API, PipelineDeclaration."""
    whole = copy.deepcopy(given)
    whole["version"] = version
    whole.setdefault("executionMode", "SUPERSEDED")
    whole.setdefault("pipelineType", "V1")
    for _, action in actions(whole):
        action.setdefault("runOrder", 1)
        for name in ("inputArtifacts", "outputArtifacts"):
            action[name] = action.get(name) or []
        action["configuration"] = action.get("configuration") or {}
    return whole


def actions(definition: Definition) -> Iterator[tuple[Stage, Action]]:
    """Every action with its stage, in the order of the declaration."""
    for stage in definition["stages"]:
        for action in stage["actions"]:
            yield stage, action


def in_order(stage: Stage) -> list[list[Action]]:
    """A stage's actions in groups: those of one group run at the same time, the groups in turn."""

    def order(action: Action) -> int:
        return action.get("runOrder") or 1

    return [list(group) for _, group in groupby(sorted(stage["actions"], key=order), key=order)]


def stage_names(definition: Definition) -> list[str]:
    return [stage["name"] for stage in definition["stages"]]


def find_stage(definition: Definition, name: str) -> Stage | None:
    return next((stage for stage in definition["stages"] if stage["name"] == name), None)


def find_action(stage: Stage, name: str) -> Action | None:
    return next((action for action in stage["actions"] if action["name"] == name), None)


def artifact_bucket(definition: Definition, region: str) -> str:
    """Where an action of this region keeps its artifacts."""
    stores = definition.get("artifactStores") or {}
    store = stores.get(region) or definition.get("artifactStore")
    return (store or next(iter(stores.values())))["location"]


def differs(one: Definition, other: Definition) -> bool:
    """Are these two different pipelines, whatever their versions?"""
    return {**one, "version": None} != {**other, "version": None}


def masked(definition: Definition) -> Definition:
    """A copy in which secrets are not to be read."""
    shown = copy.deepcopy(definition)
    for _, action in actions(shown):
        action["configuration"] = masked_configuration(action)
    return shown


def masked_configuration(action: Action) -> dict[str, str]:
    """An action's configuration, without its secrets."""
    secret = _secrets(action)
    return {
        name: MASK if name in secret else value for name, value in action["configuration"].items()
    }


def with_secrets_of(old: Definition | None, new: Definition) -> Definition:
    """`new`, in which a masked secret is what it was in `old`, at the same stage and action.

    Raises InvalidActionDeclarationException where there was none.
    Source of the text: alantech/iasql issue 1594, which quotes AWS.
    """
    known = {
        (stage["name"], action["name"]): action["configuration"]
        for stage, action in (actions(old) if old else ())
    }
    for stage, action in actions(new):
        for name in _secrets(action):
            if action["configuration"].get(name) != MASK:
                continue
            before = known.get((stage["name"], action["name"]), {})
            if name not in before:
                refuse(
                    "InvalidActionDeclarationException",
                    f'Action configuration for the new action "{action["name"]}" contains an '
                    f'invalid configuration for the secret property "{name}". "{MASK}" may be '
                    "used in secret properties only when updating an existing action.",
                )
            action["configuration"][name] = before[name]
    return new


def _secrets(action: Action) -> tuple[str, ...]:
    kind = catalogue.find(action)
    return kind.secret if kind else ()
