"""Pipelines and executions as the API shows them. All of it is read with the motor's lock held.

Source: CodePipeline API, the data types that the functions name; User Guide, "View pipeline
executions" (examples).
"""

from __future__ import annotations

from typing import Any

from labs.cloud.mock.pipelines.definition import masked_configuration
from labs.cloud.mock.pipelines.model import (
    STOPPING,
    ActionRun,
    Artifact,
    Execution,
    Pipeline,
    Revision,
    Transition,
)

Shown = dict[str, Any]


def without_nothing(shown: Shown) -> Shown:
    """Members that say something: AWS leaves the others out."""
    return {name: value for name, value in shown.items() if value not in (None, "", {})}


def state(pipeline: Pipeline) -> Shown:
    """GetPipelineState's answer."""
    definition = pipeline.definition
    return {
        "pipelineName": pipeline.name,
        "pipelineVersion": pipeline.version,
        "stageStates": [_stage_state(pipeline, stage) for stage in definition["stages"]],
        "created": pipeline.created,
        "updated": pipeline.updated,
    }


def _stage_state(pipeline: Pipeline, stage: Shown) -> Shown:
    name, place = stage["name"], pipeline.place(stage["name"])
    waiting = [_stage_execution(one, "InProgress") for one in place.waiting if not one.is_over]
    latest = place.latest
    return without_nothing(
        {
            "stageName": name,
            "inboundExecution": waiting[-1] if waiting else None,
            "inboundExecutions": waiting or None,
            "inboundTransitionState": _transition(place.inbound),
            "actionStates": [_action_state(pipeline, name, one) for one in stage["actions"]],
            "latestExecution": latest and _stage_execution(latest, _status(latest, name)),
            "retryStageMetadata": latest and _retries(latest, name),
        }
    )


def _status(execution: Execution, stage: str) -> str:
    """Of a stage, which is stopping as long as the execution in it is."""
    status = execution.stages[stage]
    return STOPPING if status == "InProgress" and execution.status == STOPPING else status


def _stage_execution(execution: Execution, status: str) -> Shown:
    return {"pipelineExecutionId": execution.id, "status": status, "type": execution.kind}


def _retries(execution: Execution, stage: str) -> Shown | None:
    counts = execution.retries.get(stage)
    if not counts:
        return None
    return without_nothing(
        {
            "autoStageRetryAttempt": counts.get("AutomatedStageRetry"),
            "manualStageRetryAttempt": counts.get("ManualStageRetry"),
            "latestRetryTrigger": list(counts)[-1],
        }
    )


def _transition(transition: Transition) -> Shown:
    return without_nothing(
        {
            "enabled": transition.is_open,
            "lastChangedBy": transition.changed_by,
            "lastChangedAt": transition.changed,
            "disabledReason": transition.reason,
        }
    )


def _action_state(pipeline: Pipeline, stage: str, action: Shown) -> Shown:
    """An action shows its newest run, of whatever execution that was, as on AWS."""
    shown: Shown = {"actionName": action["name"]}
    run = pipeline.last_runs.get((stage, action["name"]))
    if run is None:
        return shown
    shown["latestExecution"] = without_nothing(
        {
            "actionExecutionId": run.id,
            "status": run.status,
            "summary": run.summary,
            "lastStatusChange": run.updated,
            "token": run.token if run.in_progress else "",
            "lastUpdatedBy": run.updated_by,
            "externalExecutionId": run.external_id,
            "externalExecutionUrl": run.url,
            "percentComplete": run.percent,
            "errorDetails": _error(run),
        }
    )
    if run.revision:
        shown["currentRevision"] = {
            "revisionId": run.revision.id,
            "revisionChangeId": _change_id(run.revision),
            "created": run.revision.created,
        }
    return without_nothing(
        {
            **shown,
            "entityUrl": _console_url(pipeline),
            "revisionUrl": run.revision and run.revision.url,
        }
    )


def _console_url(pipeline: Pipeline) -> str:
    return (
        "https://console.aws.amazon.com/codesuite/codepipeline/pipelines/"
        f"{pipeline.name}/view?region={pipeline.region}"
    )


def _error(run: ActionRun) -> Shown | None:
    return {"code": run.error[0], "message": run.error[1]} if run.error else None


def execution(one: Execution) -> Shown:
    """PipelineExecution."""
    return without_nothing(
        {
            **_common(one),
            "pipelineName": one.pipeline.name,
            "pipelineVersion": one.version,
            "artifactRevisions": [_artifact_revision(revision) for revision in one.revisions],
            "variables": [
                {"name": name, "resolvedValue": value} for name, value in one.variables.items()
            ],
        }
    )


def summary(one: Execution) -> Shown:
    """PipelineExecutionSummary."""
    return without_nothing(
        {
            **_common(one),
            "startTime": one.started,
            "lastUpdateTime": one.updated,
            "sourceRevisions": [_source_revision(revision) for revision in one.revisions],
            "stopTrigger": None if one.stop_reason is None else {"reason": one.stop_reason},
        }
    )


def _common(one: Execution) -> Shown:
    target = one.rollback_of
    return {
        "pipelineExecutionId": one.id,
        "status": one.status,
        "statusSummary": one.summary,
        "trigger": {"triggerType": one.trigger.kind, "triggerDetail": one.trigger.detail},
        "executionMode": one.mode,
        "executionType": one.kind,
        "rollbackMetadata": {"rollbackTargetPipelineExecutionId": target} if target else None,
    }


def _artifact_revision(revision: Revision) -> Shown:
    return without_nothing(
        {
            "name": revision.artifact,
            "revisionId": revision.id,
            "revisionChangeIdentifier": _change_id(revision),
            "revisionSummary": revision.summary,
            "created": revision.created,
            "revisionUrl": revision.url,
        }
    )


def _change_id(revision: Revision) -> str:
    return f"{revision.created.timestamp():.3f}"


def _source_revision(revision: Revision) -> Shown:
    return without_nothing(
        {
            "actionName": revision.action,
            "revisionId": revision.id,
            "revisionSummary": revision.summary,
            "revisionUrl": revision.url,
        }
    )


def action_execution(run: ActionRun) -> Shown:
    """ActionExecutionDetail."""
    result = {
        "externalExecutionId": run.external_id,
        "externalExecutionSummary": run.summary,
        "externalExecutionUrl": run.url,
        "errorDetails": _error(run),
    }
    return without_nothing(
        {
            "pipelineExecutionId": run.execution.id,
            "actionExecutionId": run.id,
            "pipelineVersion": run.execution.version,
            "stageName": run.stage,
            "actionName": run.name,
            "startTime": run.started,
            "lastUpdateTime": run.updated,
            "updatedBy": run.updated_by,
            "status": run.status,
            "input": without_nothing(
                {
                    "actionTypeId": run.declaration["actionTypeId"],
                    "configuration": masked_configuration(run.declaration),
                    "resolvedConfiguration": run.configuration,
                    "roleArn": run.declaration.get("roleArn"),
                    "region": run.region,
                    "inputArtifacts": [_stored(one) for one in run.inputs],
                    "namespace": run.declaration.get("namespace"),
                }
            ),
            "output": {
                "outputArtifacts": [_stored(one) for one in run.outputs]
                if run.status == "Succeeded"
                else [],
                "executionResult": without_nothing(result),
                "outputVariables": run.variables,
            },
        }
    )


def _stored(artifact: Artifact) -> Shown:
    return {
        "name": artifact.name,
        "s3location": {"bucket": artifact.bucket, "key": artifact.key},
    }


def listed(pipeline: Pipeline) -> Shown:
    """PipelineSummary."""
    definition = pipeline.definition
    return {
        "name": pipeline.name,
        "version": pipeline.version,
        "pipelineType": definition["pipelineType"],
        "executionMode": definition["executionMode"],
        "created": pipeline.created,
        "updated": pipeline.updated,
    }
