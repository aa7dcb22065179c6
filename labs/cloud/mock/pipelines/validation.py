"""What CodePipeline refuses of a definition.

Texts of AWS's, seen in public: too few stages and the role (moto, from AWS), the first stage (e.g.
terraform users' reports), artifact counts (awsdocs/aws-cloudformation-user-guide pull 941), types
(aws-samples/aws-codepipeline-third-party-git-repositories issue 3), names of artifacts (cfn-lint
issue 1688 and reports of users), namespaces (aws-cdk issue 6111), required configuration (reports
of users). The other texts are ours. Rules: User Guide, "CodePipeline pipeline structure reference",
"Quotas in CodePipeline", "Rules for variables".
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from labs.cloud.mock.pipelines import catalogue, roles, variables
from labs.cloud.mock.pipelines.catalogue import ActionType
from labs.cloud.mock.pipelines.definition import Action, Definition, Stage, actions, in_order
from labs.cloud.mock.pipelines.refusals import refuse

MOST_STAGES, MOST_ACTIONS, MOST_IN_ALL = 50, 50, 500
STRUCTURE = "InvalidStructureException"
STAGE = "InvalidStageDeclarationException"
ACTION = "InvalidActionDeclarationException"


def check(definition: Definition, region: str) -> None:
    """Raises one of AWS's errors for a definition that CodePipeline does not take.

    definition: complete, with its secrets. region: the pipeline's.
    """
    _check_shape(definition)
    _check_stages(definition)
    _check_stores(definition, region)
    for stage, action in actions(definition):
        _check_action(stage, action, region)
    _check_artifacts(definition)
    _check_variables(definition)
    _check_role(definition["roleArn"])


def _check_shape(definition: Definition) -> None:
    stages = definition["stages"]
    if len(stages) < 2:
        refuse(
            STRUCTURE,
            f"Pipeline has only {len(stages)} stage(s). "
            "There should be a minimum of 2 stages in a pipeline",
        )
    if len(stages) > MOST_STAGES:
        refuse(
            STRUCTURE,
            f"Pipeline has {len(stages)} stage(s). "
            f"There should be a maximum of {MOST_STAGES} stages in a pipeline",
        )
    if sum(1 for _ in actions(definition)) > MOST_IN_ALL:
        refuse(STRUCTURE, f"Pipeline has more than {MOST_IN_ALL} actions")
    if definition["pipelineType"] == "V1":
        if definition["executionMode"] != "SUPERSEDED":
            mode = definition["executionMode"]
            refuse(STRUCTURE, f"Execution mode {mode} needs a pipeline of type V2")
        if definition.get("variables"):
            refuse(STRUCTURE, "Pipeline variables need a pipeline of type V2")
    if definition.get("triggers"):
        refuse(STRUCTURE, "This mock does not have triggers: start the pipeline, or poll")


def _check_stages(definition: Definition) -> None:
    first, *others = definition["stages"]
    if not first["actions"] or any(not _is_source(action) for action in first["actions"]):
        refuse(STRUCTURE, "Pipeline should start with a stage that only contains source actions")
    if twice := _repeated(stage["name"] for stage in definition["stages"]):
        refuse(STAGE, f"Stage name must be unique within the pipeline. {twice} is used twice")
    for stage in definition["stages"]:
        name = stage["name"]
        if not stage["actions"]:
            refuse(STAGE, f"Stage '{name}' must have at least one action")
        if len(stage["actions"]) > MOST_ACTIONS:
            refuse(STAGE, f"Stage '{name}' has more than {MOST_ACTIONS} actions")
        if twice := _repeated(action["name"] for action in stage["actions"]):
            refuse(
                ACTION,
                f"Action name must be unique within a stage. {twice} is used twice in {name}",
            )
        if stage.get("beforeEntry") or stage.get("onSuccess"):
            refuse(STAGE, f"This mock does not have conditions, which stage '{name}' wants")
        on_failure = stage.get("onFailure") or {}
        if on_failure.get("conditions") or on_failure.get("result") == "SKIP":
            refuse(STAGE, f"This mock does not have conditions, which stage '{name}' wants")
        if on_failure and definition["pipelineType"] == "V1":
            refuse(STAGE, f"Failure conditions, as of stage '{name}', need a pipeline of type V2")
        if on_failure.get("result") == "ROLLBACK" and definition["executionMode"] == "PARALLEL":
            refuse(STAGE, f"Stage '{name}' cannot be rolled back in a pipeline of mode PARALLEL")
    if first.get("onFailure", {}).get("result") == "ROLLBACK":
        refuse(STAGE, f"Stage '{first['name']}' has sources, and cannot be rolled back")
    for stage in others:
        if source := next(filter(_is_source, stage["actions"]), None):
            refuse(
                STRUCTURE,
                f"Only the first stage can contain source actions: '{source['name']}' is in "
                f"stage '{stage['name']}'",
            )


def _check_stores(definition: Definition, region: str) -> None:
    """Source: API, PipelineDeclaration: one of the two, not both."""
    one, many = definition.get("artifactStore"), definition.get("artifactStores")
    if bool(one) == bool(many):
        refuse(STRUCTURE, "Either artifactStore or artifactStores must be given, and not both")
    regions = {action.get("region") or region for _, action in actions(definition)} | {region}
    if one and regions != {region}:
        refuse(
            STRUCTURE,
            "artifactStores must be given for a pipeline with actions in other regions: "
            + ", ".join(sorted(regions - {region})),
        )
    if many and (missing := regions - set(many)):
        refuse(STRUCTURE, f"artifactStores lacks a store for {', '.join(sorted(missing))}")


def _check_action(stage: Stage, action: Action, region: str) -> None:
    identity, name = action["actionTypeId"], action["name"]
    kind = catalogue.find(action)
    if kind is None:
        place = (action.get("region") or region).upper().replace("-", "_")
        refuse(
            ACTION,
            f"ActionType (Category: '{identity['category']}', Provider: '{identity['provider']}', "
            f"Owner: '{identity['owner']}', Version: '{identity['version']}') in action '{name}' "
            f"is not available in region '{place}'",
        )
    _check_counts(action, kind)
    _check_configuration(action, kind)
    if action.get("timeoutInMinutes") and kind.category != "Approval":
        refuse(ACTION, f"Action {name} is no manual approval, and takes no timeoutInMinutes")
    if _is_source(action) and (action.get("region") or region) != region:
        refuse(ACTION, f"Source action {name} must be in the pipeline's region, {region}")


def _check_counts(action: Action, kind: ActionType) -> None:
    for what, (least, most) in (("input", kind.inputs), ("output", kind.outputs)):
        count = len(action[f"{what}Artifacts"])
        if count < least:
            limit = f"less than the minimum count ({least})"
        elif count > most:
            limit = f"more than the maximum count ({most})"
        else:
            continue
        refuse(
            ACTION, f"Action {action['name']} declares {count} {what} artifacts which is {limit}"
        )


def _check_configuration(action: Action, kind: ActionType) -> None:
    name, given = action["name"], action["configuration"]
    for key in kind.required:
        if not given.get(key):
            refuse(
                ACTION,
                f"Action configuration for action '{name}' is missing required configuration "
                f"'{key}'",
            )
    if kind.optional is None:
        return
    for key in given:
        if key not in kind.required and key not in kind.optional:
            refuse(
                ACTION,
                f"Action configuration for action '{name}' contains unknown configuration '{key}'",
            )


def _check_artifacts(definition: Definition) -> None:
    """Outputs have names of their own, inputs come from an action before."""
    outputs = [
        one["name"] for _, action in actions(definition) for one in action["outputArtifacts"]
    ]
    if twice := _repeated(outputs):
        refuse(
            ACTION,
            f"Output Artifact Bundle name must be unique within the pipeline. {twice} has been "
            "used more than once.",
        )
    made: set[str] = set()
    for stage in definition["stages"]:
        for group in in_order(stage):
            for action in group:
                for one in action["inputArtifacts"]:
                    if one["name"] not in made:
                        refuse(
                            ACTION,
                            f"Input Artifact Bundle {one['name']} in action {action['name']} is "
                            "not declared as Output Artifact Bundle in any of the preceding "
                            "actions",
                        )
            made |= {one["name"] for action in group for one in action["outputArtifacts"]}


def _check_variables(definition: Definition) -> None:
    named = [
        (stage["name"], action["name"], action["namespace"])
        for stage, action in actions(definition)
        if action.get("namespace")
    ]
    counts = Counter(namespace for _, _, namespace in named)
    for stage, action, namespace in named:
        place = f"StageName=[{stage}], ActionName=[{action}], Namespace=[{namespace}]"
        if counts[namespace] > 1:
            refuse(
                ACTION,
                "Namespaces must be unique across the pipeline definition. The following occur "
                f"more than once in the pipeline. {place}",
            )
        if namespace in variables.RESERVED:
            refuse(ACTION, f"The namespace is reserved for CodePipeline. {place}")
    declared = [one["name"] for one in definition.get("variables") or ()]
    if twice := _repeated(declared):
        refuse(STRUCTURE, f"Pipeline variable names must be unique. {twice} is used twice")
    _check_references(definition, set(declared))


def _check_references(definition: Definition, declared: set[str]) -> None:
    """A reference's action must run before the one that refers to it."""
    known = {"codepipeline"} | ({"variables"} if declared else set())
    for stage in definition["stages"]:
        for group in in_order(stage):
            for action in group:
                for key, value in action["configuration"].items():
                    for text, namespace, name in variables.references(value):
                        where = (
                            f"StageName=[{stage['name']}], ActionName=[{action['name']}], "
                            f"ActionConfigurationKey=[{key}], VariableReferenceText=[{text}]"
                        )
                        if namespace is None:
                            _bad_reference("are malformed", where)
                        if namespace not in known:
                            _bad_reference("are referencing a namespace that does not exist", where)
                        if namespace == "variables" and name not in declared:
                            _bad_reference("are not declared", where)
            known |= {action["namespace"] for action in group if action.get("namespace")}


def _bad_reference(what: str, where: str) -> None:
    refuse(
        ACTION,
        "Valid format for a pipeline execution variable reference is a namespace and a key "
        "separated by a period (.). The following pipeline execution variables "
        f"{what}. {where}",
    )


def _check_role(arn: str) -> None:
    if not roles.trusts_codepipeline(arn):
        refuse(STRUCTURE, f"CodePipeline is not authorized to perform AssumeRole on role {arn}")


def check_tags(tags: Iterable[dict[str, str]], already: dict[str, str], arn: str) -> None:
    """Texts: moto's, from AWS."""
    for tag in tags:
        if tag["key"].lower().startswith("aws:"):
            refuse(
                "InvalidTagsException",
                "Not allowed to modify system tags. System tags start with 'aws:'. msg=[Caller is "
                "an end user and not allowed to mutate system tags]",
            )
        if not re.fullmatch(r"[\w\s+\-=._:/@]*", tag["key"] + tag["value"]):
            refuse("InvalidTagsException", f"The tag {tag['key']} has characters that tags lack")
    if len({*already, *(tag["key"] for tag in tags)}) > 50:
        refuse("TooManyTagsException", f"Tag limit exceeded for resource [{arn}].")


def _is_source(action: Action) -> bool:
    return action["actionTypeId"]["category"] == "Source"


def _repeated(names: Iterable[str]) -> str | None:
    """A name that comes more than once."""
    return next((name for name, count in Counter(names).items() if count > 1), None)
