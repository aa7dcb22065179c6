"""The motor without a mock: actions do what a test says, and wait for it."""

import threading
import time

from labs.cloud.mock.pipelines import control, operations
from labs.cloud.mock.pipelines.definition import complete
from labs.cloud.mock.pipelines.model import Pipeline, Trigger
from labs.cloud.mock.pipelines.motor import Pipelines, Waits
from labs.cloud.mock.pipelines.work import ActionFailed, Done
from tests.cloud.mock.pipelines.declared import pipeline

SECONDS = 20


class Actor:
    """Instead of `actions.perform`: each action waits until a test lets it end."""

    def __init__(self):
        self._told = threading.Condition()
        self._outcomes = {}
        self.performed = []
        self.at_work = []

    def __call__(self, work):
        name = work.run.name
        with work.motor.changed:
            self.performed.append((work.execution.id, name))
            self.at_work.append((work.execution.id, name))
            work.motor.changed.notify_all()
        try:
            key = (work.execution.id, name)
            work.wait(lambda: key in self._outcomes or name in self._outcomes, SECONDS)
            with work.motor.changed:
                at_once = name in self._outcomes
                outcome = self._outcomes[name] if at_once else self._outcomes.pop(key)
        finally:
            with work.motor.changed:
                self.at_work.remove((work.execution.id, name))
                work.motor.changed.notify_all()
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def end(self, execution, name, outcome):
        self._outcomes[execution.id, name] = outcome

    def always(self, name, outcome):
        self._outcomes[name] = outcome


class Play:
    """A motor, and a pipeline whose actions an Actor plays. Sources succeed at once."""

    def __init__(self, actor, waits=None):
        self.motor, self.actor = Pipelines(None, waits or Waits()), actor
        actor.always("Object", Done(variables={"VersionId": "v1"}))
        self.caller = operations.Caller("123456789012", "eu-west-1", "arn:aws:iam::1:user/me")
        self.pipeline = None

    def stage(self, *stages, **more):
        definition = complete(pipeline(*stages, **more), 1)
        self.pipeline = Pipeline("123456789012", "eu-west-1", "aws", {1: definition})
        self.caller.pipelines[self.pipeline.name] = self.pipeline
        return self

    def start(self, **more):
        with self.motor.changed:
            return self.motor.start(self.pipeline, Trigger("StartPipelineExecution"), **more)

    def call(self, operation, **given):
        known = operations.OPERATIONS | control.OPERATIONS
        return known[operation](self.motor, self.caller, given)

    def named(self, operation, execution=None, **given):
        """An operation on this pipeline, and an execution of it."""
        if execution:
            given["pipelineExecutionId"] = execution.id
        return self.call(operation, pipelineName=self.pipeline.name, **given)

    def until(self, is_true):
        with self.motor.changed:
            assert self.motor.changed.wait_for(is_true, SECONDS), "it did not come to that"

    def working(self, execution, name):
        self.until(lambda: (execution.id, name) in self.actor.at_work)

    def let(self, execution, name, outcome=None):
        """Wait until an action works, and let it end."""
        self.working(execution, name)
        with self.motor.changed:
            self.actor.end(execution, name, outcome or Done())
            self.motor.changed.notify_all()

    def fail(self, execution, name, message="no"):
        self.let(execution, name, ActionFailed("JobFailed", message))

    def ended(self, execution, status):
        self.until(lambda: execution.is_over)
        assert execution.status == status, execution.summary

    def waits_at(self, execution, stage):
        self.until(lambda: execution in self.pipeline.place(stage).waiting)

    def runs(self, execution):
        """[(action, status), ...] in the order in which they began."""
        return [(run.name, run.status) for run in execution.runs]

    def threads(self):
        deadline = time.monotonic() + SECONDS
        while self.motor._journeys and time.monotonic() < deadline:
            time.sleep(0.01)
        return list(self.motor._journeys)
