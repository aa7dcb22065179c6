"""How an execution goes through the stages of its pipeline.

A stage lets in one execution at a time, and is locked while that is in it, until the last action
that runs there ends. Those that wait in front of it: in mode SUPERSEDED one, the newest; in mode
QUEUED all, in turn; in mode PARALLEL none waits. Source: User Guide, "How pipeline executions
work".

A definition that changes ends the executions of the old one: their actions that run go on to their
end and keep their stage locked so long, no further one begins, and the execution is Cancelled.
Source: API, PipelineExecution ("Cancelled: The pipeline's definition was updated before the
pipeline execution could be completed"); User Guide, "Edit a pipeline" ("that run will be stopped");
aws-cdk issue 9080, where the action that updates its pipeline ends as Succeeded.
"""

from __future__ import annotations

import contextvars
import logging
import threading
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from labs.cloud.mock import trace
from labs.cloud.mock.inward import Ended
from labs.cloud.mock.pipelines import actions, variables
from labs.cloud.mock.pipelines.definition import (
    Action,
    artifact_bucket,
    find_stage,
    in_order,
    masked_configuration,
    stage_names,
)
from labs.cloud.mock.pipelines.model import (
    CANCELLED,
    FAILED,
    IN_PROGRESS,
    STOPPED,
    STOPPING,
    SUCCEEDED,
    SUPERSEDED,
    ActionRun,
    Artifact,
    Execution,
    Place,
)
from labs.cloud.mock.pipelines.work import (
    CONFIGURATION,
    INTERNAL,
    ActionFailed,
    Done,
    Lost,
    Work,
    as_failure,
    check_role,
    new_key,
)

if TYPE_CHECKING:
    from labs.cloud.mock.pipelines.motor import Pipelines

#: How a stage ends, by the status of an execution that may not go on.
_INTERRUPTED = {STOPPING: STOPPED, CANCELLED: CANCELLED}
log = logging.getLogger("labs.mock.pipelines")


class Journey:
    """Takes one execution from a stage on to its end. Runs in a thread of its own.

    first:    the stage to begin with; it is entered ahead of all that wait there if `again`.
    again:    the stage is tried again (or rolled back): what waits there is not superseded.
    kept:     actions of the first stage that have succeeded are not run again.
    one_stage: end after the first stage, as a rollback does.
    """

    def __init__(
        self,
        motor: Pipelines,
        execution: Execution,
        first: str,
        *,
        again: bool = False,
        kept: bool = False,
        one_stage: bool = False,
    ) -> None:
        self._motor, self.execution = motor, execution
        self._changed = motor.changed
        names = stage_names(execution.definition)
        self._stages = names[names.index(first) :][: 1 if one_stage else None]
        self._again, self._kept = again, kept
        self.has_ended = False

    @property
    def is_current(self) -> bool:
        """False once the execution was abandoned, or goes on in another journey."""
        return self.execution.drive is self and not self.has_ended

    def run(self) -> None:
        """Returns when the execution is over, or lost to this journey."""
        try:
            status = self._travel()
        except Lost:
            return
        except Exception:
            log.exception("the execution %s ended", self.execution.id)
            status = FAILED
            with self._changed:
                self.execution.summary = "The mock failed; its log says why"
        self._arrive(status)

    def _travel(self) -> str:
        for name in self._stages:
            status = self._enter(name)
            if status is None:
                try:
                    status = self._pass_through(name)
                except Exception:
                    self._leave(name, FAILED)
                    raise
                self._leave(name, status)
            if status != SUCCEEDED:
                return status
        return SUCCEEDED

    # --- from stage to stage --------------------------------------------------------------------

    def _enter(self, name: str) -> str | None:
        """Wait until the stage lets the execution in: None. Else: how the execution ended."""
        execution, place = self.execution, self.execution.pipeline.place(name)
        ahead = self._again and name == self._stages[0]
        with self._changed:
            self._queue(place, ahead)
            try:
                self._changed.wait_for(
                    lambda: (
                        not self.is_current
                        or execution.status != IN_PROGRESS
                        or self._may_enter(name, place, ahead)
                    )
                )
            finally:
                place.waiting.remove(execution)
            if not self.is_current:
                raise Lost
            if execution.status != IN_PROGRESS:
                return _INTERRUPTED.get(execution.status, execution.status)
            if execution.mode != "PARALLEL":
                place.holder = execution
            place.latest = execution
            execution.stages[name] = IN_PROGRESS
            execution.become(IN_PROGRESS)
            self._changed.notify_all()
        return None

    def _queue(self, place: Place, ahead: bool) -> None:
        """Source: User Guide, "Waiting executions are superseded by more recent executions"."""
        if ahead:
            place.waiting.insert(0, self.execution)
            return
        if self.execution.mode == "SUPERSEDED":
            for older in place.waiting:
                older.become(SUPERSEDED)
        place.waiting.append(self.execution)
        self._changed.notify_all()

    def _may_enter(self, name: str, place: Place, ahead: bool) -> bool:
        if place.holder is not None:
            return False
        if ahead:
            return True
        first_in_line = next(one for one in place.waiting if one.status == IN_PROGRESS)
        if self.execution.mode != "PARALLEL" and first_in_line is not self.execution:
            return False
        return place.inbound.is_open and self._way_out_is_open(name)

    def _way_out_is_open(self, name: str) -> bool:
        names = stage_names(self.execution.definition)
        before = names.index(name) - 1
        return before < 0 or self.execution.pipeline.place(names[before]).outbound.is_open

    def _leave(self, name: str, status: str) -> None:
        with self._changed:
            if not self.is_current:
                raise Lost
            place = self.execution.pipeline.place(name)
            if place.holder is self.execution:
                place.holder = None
            self.execution.stages[name] = status
            self._changed.notify_all()

    def _arrive(self, status: str) -> None:
        with self._changed:
            if not self.is_current:
                return
            self.execution.drive = None
            if not self.execution.is_over:
                self.execution.become(status)
            self._changed.notify_all()
            if status == FAILED:
                self._motor.after_failure(self.execution)

    # --- in a stage -----------------------------------------------------------------------------

    def _pass_through(self, name: str) -> str:
        stage = find_stage(self.execution.definition, name)
        kept = self._kept and name == self._stages[0]
        for group in in_order(stage):
            with self._changed:
                if not self.is_current:
                    raise Lost
                if self.execution.status != IN_PROGRESS:
                    return _INTERRUPTED[self.execution.status]
                runs = [
                    self._begin(name, action)
                    for action in group
                    if not (kept and self._has_succeeded(name, action))
                ]
                self._changed.notify_all()
            self._act_together(runs)
            with self._changed:
                if not self.is_current:
                    raise Lost
                if self.execution.status != IN_PROGRESS:
                    return _INTERRUPTED[self.execution.status]
                if any(run.status != SUCCEEDED for run in runs):
                    return FAILED
        return SUCCEEDED

    def _has_succeeded(self, stage: str, action: Action) -> bool:
        run = self.execution.latest_run(stage, action["name"])
        return run is not None and run.status == SUCCEEDED

    def _begin(self, stage: str, action: Action) -> ActionRun:
        execution = self.execution
        pipeline, region = execution.pipeline, action.get("region") or execution.pipeline.region
        bucket = artifact_bucket(execution.definition, region)
        identity = action["actionTypeId"]
        is_source = identity["category"] == "Source"
        extension = ".zip" if is_source and identity["provider"] in ("S3", "GitHub") else ""
        run = ActionRun(
            execution,
            stage,
            action,
            role=action.get("roleArn") or execution.definition["roleArn"],
            region=region,
            configuration=masked_configuration(action),
            inputs=[
                execution.artifacts[one["name"]]
                for one in action["inputArtifacts"]
                if one["name"] in execution.artifacts
            ],
            outputs=[
                Artifact(one["name"], bucket, new_key(pipeline.name, one["name"], extension))
                for one in action["outputArtifacts"]
            ],
        )
        execution.runs.append(run)
        pipeline.last_runs[stage, run.name] = run
        return run

    def _act_together(self, runs: list[ActionRun]) -> None:
        """All at once: the first in this thread, the others in theirs."""
        others = [
            threading.Thread(
                target=contextvars.copy_context().run,
                args=(self._act, run),
                name=f"action-{run.name}",
                daemon=True,
            )
            for run in runs[1:]
        ]
        for thread in others:
            thread.start()
        for run in runs[:1]:
            self._act(run)
        for thread in others:
            thread.join()

    def _act(self, run: ActionRun) -> None:
        work = Work(self._motor, self, run)
        pipeline = self.execution.pipeline.name
        try:
            with trace.hop("codepipeline", "act", f"{pipeline}/{run.stage}/{run.name}"):
                check_role(run)
                self._configure(work)
                done = actions.perform(work)
            self._finish(run, done)
        except (Lost, Ended):
            return
        except ActionFailed as failed:
            self._fail(run, failed)
        except ClientError as refused:
            self._fail(run, as_failure(refused))
        except Exception as fault:
            log.exception("the action %s failed", run.name)
            self._fail(
                run, ActionFailed(INTERNAL, f"The mock failed: {type(fault).__name__}: {fault}")
            )

    def _configure(self, work: Work) -> None:
        """Resolve variables, and see that what the action needs has been made."""
        run, execution = work.run, self.execution
        missing = {one["name"] for one in work.action["inputArtifacts"]}
        missing -= {artifact.name for artifact in run.inputs}
        if missing:
            names = ", ".join(sorted(missing))
            raise ActionFailed(CONFIGURATION, f"There is no artifact {names} in this execution")
        namespaces = {
            "codepipeline": {"PipelineExecutionId": execution.id},
            "variables": execution.variables,
            **execution.namespaces,
        }
        try:
            work.configuration = {
                key: variables.resolve(value, namespaces)
                for key, value in work.action["configuration"].items()
            }
        except variables.Unresolved as unknown:
            raise ActionFailed(
                CONFIGURATION, f"The variable {unknown} could not be resolved: it has no value"
            ) from None
        shown = masked_configuration({**work.action, "configuration": work.configuration})
        with self._changed:
            run.configuration = shown

    def _finish(self, run: ActionRun, done: Done) -> None:
        with self._changed:
            if not (run.in_progress and self.is_current):
                return
            run.summary = done.summary or run.summary
            run.external_id = done.external_id or run.external_id
            run.url = done.url or run.url
            run.variables, run.revision = done.variables, done.revision
            if done.revision:
                run.outputs = [
                    Artifact(one.name, one.bucket, one.key, done.revision.id) for one in run.outputs
                ]
                mine = [one for one in self.execution.revisions if one.action != run.name]
                self.execution.revisions = [*mine, done.revision]
            self.execution.artifacts.update({one.name: one for one in run.outputs})
            if namespace := run.declaration.get("namespace"):
                self.execution.namespaces[namespace] = dict(done.variables)
            run.end(SUCCEEDED)
            self.execution.become(self.execution.status)
            self._changed.notify_all()

    def _fail(self, run: ActionRun, failed: ActionFailed) -> None:
        with self._changed:
            if not (run.in_progress and self.is_current):
                return
            run.error = (failed.code, failed.message) if failed.code else None
            run.summary = run.summary or failed.message
            run.end(FAILED)
            self.execution.become(self.execution.status)
            self._changed.notify_all()
