"""Owns the threads in which executions run, and what they wait for."""

from __future__ import annotations

import contextvars
import logging
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from labs.cloud.mock import trace
from labs.cloud.mock.pipelines import repositories
from labs.cloud.mock.pipelines.definition import find_stage, stage_names
from labs.cloud.mock.pipelines.flow import Journey
from labs.cloud.mock.pipelines.jobs import Job
from labs.cloud.mock.pipelines.model import (
    ABANDONED,
    CANCELLED,
    FAILED,
    STOPPED,
    SUCCEEDED,
    Execution,
    Pipeline,
    Trigger,
)
from labs.cloud.mock.pipelines.watch import Watch
from labs.cloud.settings import TIME_SCALE

if TYPE_CHECKING:
    from labs.cloud.mock.inward import Inward

MINUTE = 60 / TIME_SCALE
HOUR, DAY = 60 * MINUTE, 24 * 60 * MINUTE
#: Seconds in which threads of executions that were ended must have noticed it.
PATIENCE = 5.0
log = logging.getLogger("labs.mock.pipelines")


@dataclass(frozen=True)
class Waits:
    """AWS's own waits, in seconds of the mock.

    reply: a function's, before its job fails; jobs: all of one action's; pause: before a function
    that answered with a continuation token is invoked again (AWS does not say how long: users
    report about 30 seconds). Source: User Guide, "Quotas in CodePipeline".
    """

    reply: float = 20 * MINUTE
    jobs: float = DAY
    pause: float = MINUTE / 2
    approval: float = 7 * DAY
    stack: float = 3 * DAY
    upload: float = 90 * MINUTE
    other: float = HOUR
    poll: float = MINUTE


class Pipelines:
    """The motor. `changed` guards all pipelines and executions, and is told of every change.

    inward: makes clients of the mock's own API.
    """

    def __init__(self, inward: Inward, waits: Waits | None = None) -> None:
        self.inward, self.waits = inward, waits or Waits()
        self.changed = threading.Condition()
        self.jobs: dict[str, Job] = {}
        self._journeys: dict[threading.Thread, Journey] = {}
        self.watch = Watch(self)

    # Called with `changed` held, from here...

    def start(
        self,
        pipeline: Pipeline,
        trigger: Trigger,
        *,
        variables: dict[str, str] | None = None,
        overrides: dict[str, tuple[str, str]] | None = None,
    ) -> Execution:
        """Begin an execution of the newest definition."""
        execution = Execution(
            pipeline,
            pipeline.definition,
            trigger,
            variables=variables or default_variables(pipeline),
            overrides=overrides or {},
        )
        pipeline.executions[execution.id] = execution
        self.go(Journey(self, execution, stage_names(execution.definition)[0]))
        return execution

    def roll_back(
        self, pipeline: Pipeline, stage: str, target: Execution, trigger: Trigger
    ) -> Execution:
        """Run one stage once more, with the artifacts and variables that `target` had.

        Source: User Guide, "Configuring stage rollback".
        """
        execution = Execution(
            pipeline,
            pipeline.definition,
            trigger,
            variables=dict(target.variables),
            rollback_of=target.id,
            artifacts=dict(target.artifacts),
            namespaces={name: dict(values) for name, values in target.namespaces.items()},
            revisions=list(target.revisions),
        )
        pipeline.executions[execution.id] = execution
        self.go(Journey(self, execution, stage, again=True, one_stage=True))
        return execution

    def retry(self, execution: Execution, stage: str, *, all_actions: bool, how: str) -> None:
        """Try a stage again, and go on. how: AWS's retry trigger."""
        counts = execution.retries.setdefault(stage, {})
        counts[how] = counts.get(how, 0) + 1
        execution.become("InProgress")
        execution.stop_reason = None
        only = bool(execution.rollback_of)
        self.go(Journey(self, execution, stage, again=True, kept=not all_actions, one_stage=only))

    def after_failure(self, execution: Execution) -> None:
        """What a stage wants done when it fails. Source: API, FailureConditions."""
        name = next((name for name, status in execution.stages.items() if status == FAILED), None)
        if name is None:
            return
        wanted = find_stage(execution.definition, name).get("onFailure") or {}
        if wanted.get("result") == "RETRY" and "AutomatedStageRetry" not in execution.retries.get(
            name, {}
        ):
            mode = (wanted.get("retryConfiguration") or {}).get("retryMode", "ALL_ACTIONS")
            everything = mode == "ALL_ACTIONS"
            self.retry(execution, name, all_actions=everything, how="AutomatedStageRetry")
            return
        target = last_success(execution.pipeline, name)
        if wanted.get("result") == "ROLLBACK" and target and not execution.rollback_of:
            trigger = Trigger("AutomatedRollback", execution.id)
            self.roll_back(execution.pipeline, name, target, trigger)

    def abandon(self, execution: Execution, status: str = STOPPED) -> None:
        """Wait for nothing of this execution any more: its stage is free at once."""
        for run in execution.in_progress():
            run.end(ABANDONED)
        for name, place in execution.pipeline.places.items():
            if place.holder is execution:
                place.holder = None
            if execution.stages.get(name) in ("InProgress", "Stopping"):
                execution.stages[name] = status
        execution.drive = None
        execution.become(status)
        self.changed.notify_all()

    def cancel(self, execution: Execution) -> None:
        """The definition has changed: no further action; approvals are not waited for.

        That a pending approval is abandoned is not confirmed by an AWS page.
        """
        execution.become(CANCELLED)
        for run in execution.in_progress():
            if run.declaration["actionTypeId"]["category"] == "Approval":
                run.end(ABANDONED)
        self.changed.notify_all()

    def delete(self, pipeline: Pipeline) -> None:
        """End all that a pipeline does."""
        pipeline.is_deleted = True
        for execution in pipeline.executions.values():
            if execution.drive is not None:
                self.abandon(execution)
        self.watch.forget(pipeline)

    def go(self, journey: Journey) -> None:
        """Begin a journey, in a thread of this motor's."""
        journey.execution.drive = journey
        cause = trace.cause()
        trace.expect(cause)

        def travel() -> None:
            try:
                journey.run()
            finally:
                trace.arrived(cause)
                with self.changed:
                    self._journeys.pop(threading.current_thread(), None)

        thread = threading.Thread(
            target=contextvars.copy_context().run, args=(travel,), name="pipeline", daemon=True
        )
        self._journeys[thread] = journey
        thread.start()

    # ... to here.

    def reset(self) -> None:
        """End every execution and forget it. Threads have ended when this returns."""
        repositories.reset()
        with self.changed:
            threads = list(self._journeys)
            for journey in self._journeys.values():
                journey.has_ended = True
            self.jobs.clear()
            self.watch.reset()
            self.changed.notify_all()
        deadline = time.monotonic() + PATIENCE
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
            if thread.is_alive():
                log.warning("an execution goes on after a reset")

    def close(self) -> None:
        """End every thread, for good."""
        self.reset()
        self.watch.close()


def default_variables(pipeline: Pipeline) -> dict[str, str]:
    """Of a pipeline of type V2."""
    declared = pipeline.definition.get("variables") or ()
    return {one["name"]: one["defaultValue"] for one in declared if one.get("defaultValue")}


def last_success(pipeline: Pipeline, stage: str) -> Execution | None:
    """The newest execution that succeeded in a stage, to which it may be rolled back."""
    for execution in reversed(pipeline.executions.values()):
        if (
            execution.stages.get(stage) == SUCCEEDED
            and execution.version == pipeline.version
            and not execution.rollback_of
        ):
            return execution
    return None
