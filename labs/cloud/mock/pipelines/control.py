"""CodePipeline's API of executions: start, stop, retry, roll back, approve, report, look.

As in `operations`. Texts of errors are those of the API Reference's descriptions where these are
sentences, else ours.
"""

from __future__ import annotations

from typing import NoReturn

from labs.cloud.mock.pipelines import jobs, views
from labs.cloud.mock.pipelines.definition import find_action, find_stage, stage_names
from labs.cloud.mock.pipelines.jobs import Answer as Report
from labs.cloud.mock.pipelines.jobs import Job
from labs.cloud.mock.pipelines.model import (
    FAILED,
    IN_PROGRESS,
    STOPPED,
    STOPPING,
    SUCCEEDED,
    Execution,
    Pipeline,
    Transition,
    Trigger,
    now,
)
from labs.cloud.mock.pipelines.motor import Pipelines, default_variables
from labs.cloud.mock.pipelines.operations import Answer, Caller, Operation, Parameters, page
from labs.cloud.mock.pipelines.refusals import refuse

#: Executions that wait or run in a pipeline that queues. Source: User Guide, "Quotas".
MOST_QUEUED = 50
#: Bytes of all variables of an action. Source: User Guide, "Quotas" (122,880 for a pipeline).
MOST_VARIABLES = 122_880
#: By kind of source revision, the providers that take it. Source: API, SourceRevisionOverride.
REVISIONS = {
    "COMMIT_ID": ("GitHub", "CodeStarSourceConnection"),
    "S3_OBJECT_VERSION_ID": ("S3",),
    "S3_OBJECT_KEY": ("S3",),
}


# --- the way of an execution --------------------------------------------------------------------


def start_pipeline_execution(motor: Pipelines, caller: Caller, given: Parameters) -> Answer:
    with motor.changed:
        pipeline = caller.pipeline(given["name"])
        token = given.get("clientRequestToken")
        if token in pipeline.tokens:
            return {"pipelineExecutionId": pipeline.tokens[token]}
        _check_queue(pipeline)
        execution = motor.start(
            pipeline,
            Trigger("StartPipelineExecution", caller.arn),
            variables=_variables(pipeline, given.get("variables") or []),
            overrides=_overrides(pipeline, given.get("sourceRevisions") or []),
        )
        if token:
            pipeline.tokens[token] = execution.id
        return {"pipelineExecutionId": execution.id}


def _check_queue(pipeline: Pipeline) -> None:
    running = [one for one in pipeline.executions.values() if not one.is_over]
    if pipeline.definition["executionMode"] != "SUPERSEDED" and len(running) >= MOST_QUEUED:
        refuse(
            "ConcurrentPipelineExecutionsLimitExceededException",
            "The pipeline has reached the limit for concurrent pipeline executions.",
        )


def _variables(pipeline: Pipeline, given: list[dict[str, str]]) -> dict[str, str]:
    declared = [one["name"] for one in pipeline.definition.get("variables") or ()]
    for one in given:
        if one["name"] not in declared:
            _invalid(f"Pipeline '{pipeline.name}' declares no variable '{one['name']}'")
    values = default_variables(pipeline) | {one["name"]: one["value"] for one in given}
    if missing := [name for name in declared if name not in values]:
        _invalid(f"Pipeline variables without a default need a value: {', '.join(missing)}")
    return values


def _overrides(pipeline: Pipeline, given: list[dict[str, str]]) -> dict[str, tuple[str, str]]:
    first = pipeline.definition["stages"][0]
    found = {}
    for one in given:
        action, kind = find_action(first, one["actionName"]), one["revisionType"]
        if action is None:
            _invalid(f"There is no source action '{one['actionName']}'")
        if action["actionTypeId"]["provider"] not in REVISIONS.get(kind, ()):
            _invalid(f"Source action '{action['name']}' takes no {kind}")
        allowed = action["configuration"].get("AllowOverrideForS3ObjectKey", "false")
        if kind == "S3_OBJECT_KEY" and allowed.lower() != "true":
            _invalid(
                f"Source action '{action['name']}' takes no S3_OBJECT_KEY: its "
                "AllowOverrideForS3ObjectKey is not true"
            )
        found[action["name"]] = (kind, one["revisionValue"])
    return found


def stop_pipeline_execution(motor: Pipelines, caller: Caller, given: Parameters) -> Answer:
    """Source: User Guide, "How pipeline executions are stopped"."""
    with motor.changed:
        pipeline = caller.pipeline(given["pipelineName"])
        execution = pipeline.executions.get(given["pipelineExecutionId"])
        if execution is None or execution.is_over:
            refuse(
                "PipelineExecutionNotStoppableException",
                "Unable to stop the pipeline execution. The execution might already be in a "
                "Stopped state, or it might no longer be in progress.",
            )
        if execution.status == STOPPING and not given.get("abandon"):
            refuse(
                "DuplicatedStopRequestException",
                "The pipeline execution is already in a Stopping state. If you already chose to "
                "stop and wait, you cannot make that request again. You can choose to stop and "
                "abandon now, but be aware that this option can lead to failed tasks or out of "
                "sequence tasks.",
            )
        execution.stop_reason = given.get("reason") or execution.stop_reason or ""
        if given.get("abandon") or not execution.in_progress():
            motor.abandon(execution)
        else:
            execution.become(STOPPING)
            motor.changed.notify_all()
        return {"pipelineExecutionId": execution.id}


def retry_stage_execution(motor: Pipelines, caller: Caller, given: Parameters) -> Answer:
    """A stage is retried when it is over. AWS also takes a retry while other actions still run.

    Source: User Guide, "Configure stage retry for a failed stage or failed actions".
    """
    with motor.changed:
        pipeline, stage = _stage(caller, given)
        execution = _execution(pipeline, given["pipelineExecutionId"], "StageNotRetryableException")
        if pipeline.place(stage).latest is not execution:
            refuse(
                "NotLatestPipelineExecutionException",
                "The stage has failed in a later run of the pipeline and the pipelineExecutionId "
                "associated with the request is out of date.",
            )
        is_stuck = execution.is_over and execution.stages.get(stage) in (FAILED, STOPPED)
        if not is_stuck or execution.version != pipeline.version:
            refuse(
                "StageNotRetryableException",
                "Unable to retry. The pipeline structure or stage state might have changed while "
                "actions awaited retry, or the stage contains no failed actions.",
            )
        everything = given["retryMode"] == "ALL_ACTIONS"
        motor.retry(execution, stage, all_actions=everything, how="ManualStageRetry")
        return {"pipelineExecutionId": execution.id}


def rollback_stage(motor: Pipelines, caller: Caller, given: Parameters) -> Answer:
    """Source: User Guide, "Configuring stage rollback" (considerations)."""
    with motor.changed:
        pipeline, stage = _stage(caller, given)
        target = _execution(
            pipeline, given["targetPipelineExecutionId"], "PipelineExecutionNotFoundException"
        )
        if target.version != pipeline.version:
            refuse(
                "PipelineExecutionOutdatedException",
                "The specified pipeline execution is outdated and cannot be used as a target "
                "pipeline execution for rollback.",
            )
        if why := _not_to_roll_back(pipeline, stage, target):
            refuse("UnableToRollbackStageException", f"Unable to roll back the stage. {why}")
        execution = motor.roll_back(pipeline, stage, target, Trigger("ManualRollback", caller.arn))
        return {"pipelineExecutionId": execution.id}


def _not_to_roll_back(pipeline: Pipeline, stage: str, target: Execution) -> str:
    if pipeline.definition["pipelineType"] == "V1":
        return "Only pipelines of type V2 can."
    if pipeline.definition["executionMode"] == "PARALLEL":
        return "Pipelines of mode PARALLEL cannot."
    if stage == stage_names(pipeline.definition)[0]:
        return "It has sources."
    if pipeline.place(stage).holder is not None:
        return "The stage is currently running."
    if target.rollback_of:
        return "The target is a rollback itself."
    if target.stages.get(stage) != SUCCEEDED:
        return f"The target has not succeeded in stage {stage}."
    return ""


# --- transitions and approvals ------------------------------------------------------------------


def disable_stage_transition(motor: Pipelines, caller: Caller, given: Parameters) -> Answer:
    return _set_transition(motor, caller, given, is_open=False, reason=given["reason"])


def enable_stage_transition(motor: Pipelines, caller: Caller, given: Parameters) -> Answer:
    return _set_transition(motor, caller, given, is_open=True, reason="")


def _set_transition(
    motor: Pipelines, caller: Caller, given: Parameters, *, is_open: bool, reason: str
) -> Answer:
    with motor.changed:
        pipeline, stage = _stage(caller, given)
        place = pipeline.place(stage)
        transition = Transition(is_open, reason, caller.arn, now())
        if given["transitionType"] == "Inbound":
            place.inbound = transition
        else:
            place.outbound = transition
        motor.changed.notify_all()
        return {}


def put_approval_result(motor: Pipelines, caller: Caller, given: Parameters) -> Answer:
    with motor.changed:
        pipeline, stage = _stage(caller, given)
        if find_action(find_stage(pipeline.definition, stage), given["actionName"]) is None:
            refuse(
                "ActionNotFoundException",
                f"Stage '{stage}' of pipeline '{pipeline.name}' has no action "
                f"'{given['actionName']}'",
            )
        run = pipeline.last_runs.get((stage, given["actionName"]))
        if run is None or not run.token or run.token != given["token"]:
            refuse(
                "InvalidApprovalTokenException",
                "The approval request already received a response or has expired.",
            )
        if not run.in_progress or run.verdict is not None:
            refuse(
                "ApprovalAlreadyCompletedException",
                "The approval action has already been approved or rejected.",
            )
        result = given["result"]
        run.verdict = (result["status"] == "Approved", result["summary"])
        run.updated_by = caller.arn
        motor.changed.notify_all()
        return {"approvedAt": now()}


# --- jobs ---------------------------------------------------------------------------------------


def put_job_success_result(motor: Pipelines, caller: Caller, given: Parameters) -> Answer:
    details, variables = given.get("executionDetails") or {}, given.get("outputVariables") or {}
    size = sum(len(text.encode()) for item in variables.items() for text in item)
    if size > MOST_VARIABLES:
        refuse(
            "OutputVariablesSizeExceededException",
            "Exceeded the total size limit for all variables in the pipeline.",
        )
    report = Report(
        token=given.get("continuationToken", ""),
        summary=details.get("summary", ""),
        external_id=details.get("externalExecutionId", ""),
        variables=variables,
    )
    with motor.changed:
        job = _open_job(motor, caller, given["jobId"])
        job.run.percent = details.get("percentComplete", job.run.percent)
        return _report(motor, job, report)


def put_job_failure_result(motor: Pipelines, caller: Caller, given: Parameters) -> Answer:
    details = given["failureDetails"]
    report = Report(
        failure=(details["type"], details["message"]),
        external_id=details.get("externalExecutionId", ""),
    )
    with motor.changed:
        return _report(motor, _open_job(motor, caller, given["jobId"]), report)


def _report(motor: Pipelines, job: Job, report: Report) -> Answer:
    job.answer = report
    job.run.external_id = report.external_id or job.run.external_id
    motor.changed.notify_all()
    return {}


def get_job_details(motor: Pipelines, caller: Caller, given: Parameters) -> Answer:
    """Without credentials, which a job worker gets when it polls, and a function in its event."""
    with motor.changed:
        return {"jobDetails": jobs.details(_job(motor, caller, given["jobId"]))}


def _job(motor: Pipelines, caller: Caller, job_id: str) -> Job:
    job = motor.jobs.get(job_id)
    pipeline = job and job.run.execution.pipeline
    if not pipeline or (pipeline.account, job.run.region) != (caller.account, caller.region):
        refuse("JobNotFoundException", f"No job with id '{job_id}' could be found")
    return job


def _open_job(motor: Pipelines, caller: Caller, job_id: str) -> Job:
    job = _job(motor, caller, job_id)
    state = job.state if job.run.in_progress or job.answer else "TimedOut"
    if state != IN_PROGRESS:
        refuse("InvalidJobStateException", f"Job '{job_id}' is in state {state}, not InProgress")
    return job


# --- what there is to see -----------------------------------------------------------------------


def get_pipeline_state(motor: Pipelines, caller: Caller, given: Parameters) -> Answer:
    with motor.changed:
        return views.state(caller.pipeline(given["name"]))


def get_pipeline_execution(motor: Pipelines, caller: Caller, given: Parameters) -> Answer:
    with motor.changed:
        pipeline = caller.pipeline(given["pipelineName"])
        execution = _execution(
            pipeline, given["pipelineExecutionId"], "PipelineExecutionNotFoundException"
        )
        return {"pipelineExecution": views.execution(execution)}


def list_pipeline_executions(motor: Pipelines, caller: Caller, given: Parameters) -> Answer:
    """The newest first."""
    wanted = ((given.get("filter") or {}).get("succeededInStage") or {}).get("stageName")
    with motor.changed:
        pipeline = caller.pipeline(given["pipelineName"])
        found = [
            views.summary(one)
            for one in reversed(pipeline.executions.values())
            if wanted is None or one.stages.get(wanted) == SUCCEEDED
        ]
    return page("pipelineExecutionSummaries", found, given)


def list_action_executions(motor: Pipelines, caller: Caller, given: Parameters) -> Answer:
    """The newest first."""
    wanted = given.get("filter") or {}
    latest = wanted.get("latestInPipelineExecution") or {}
    execution_id = wanted.get("pipelineExecutionId") or latest.get("pipelineExecutionId")
    with motor.changed:
        pipeline = caller.pipeline(given["pipelineName"])
        executions = list(pipeline.executions.values())
        if execution_id:
            executions = [_execution(pipeline, execution_id, "PipelineExecutionNotFoundException")]
        runs = [run for one in executions for run in one.runs]
        if latest.get("startTimeRange") == "Latest":
            runs = list({(run.stage, run.name): run for run in runs}.values())
        runs.sort(key=lambda run: run.started, reverse=True)
        found = [views.action_execution(run) for run in runs]
    return page("actionExecutionDetails", found, given)


OPERATIONS: dict[str, Operation] = {
    "DisableStageTransition": disable_stage_transition,
    "EnableStageTransition": enable_stage_transition,
    "GetJobDetails": get_job_details,
    "GetPipelineExecution": get_pipeline_execution,
    "GetPipelineState": get_pipeline_state,
    "ListActionExecutions": list_action_executions,
    "ListPipelineExecutions": list_pipeline_executions,
    "PutApprovalResult": put_approval_result,
    "PutJobFailureResult": put_job_failure_result,
    "PutJobSuccessResult": put_job_success_result,
    "RetryStageExecution": retry_stage_execution,
    "RollbackStage": rollback_stage,
    "StartPipelineExecution": start_pipeline_execution,
    "StopPipelineExecution": stop_pipeline_execution,
}


def _stage(caller: Caller, given: Parameters) -> tuple[Pipeline, str]:
    """Raises PipelineNotFoundException, StageNotFoundException."""
    pipeline = caller.pipeline(given["pipelineName"])
    name = given["stageName"]
    if find_stage(pipeline.definition, name) is None:
        refuse("StageNotFoundException", f"Pipeline '{pipeline.name}' has no stage '{name}'")
    return pipeline, name


def _execution(pipeline: Pipeline, execution_id: str, code: str) -> Execution:
    if execution_id not in pipeline.executions:
        refuse(
            code,
            f"Account '{pipeline.account}' does not have an execution with id '{execution_id}' for "
            f"pipeline '{pipeline.name}'",
        )
    return pipeline.executions[execution_id]


def _invalid(message: str) -> NoReturn:
    refuse("ValidationException", message)
