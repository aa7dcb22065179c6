"""AWS's own waits, with short ones: functions that do not report, approvals, changes of sources."""

import contextlib
import json
from types import SimpleNamespace

import pytest
from moto.core.exceptions import JsonRESTError

from labs.cloud.mock.pipelines import actions
from labs.cloud.mock.pipelines.actions import approval as approvals
from labs.cloud.mock.pipelines.actions import invoke
from labs.cloud.mock.pipelines.motor import DAY, MINUTE, Waits
from labs.cloud.mock.pipelines.work import ActionFailed, Done
from labs.cloud.settings import TIME_SCALE
from tests.cloud.mock.lambda_account import until
from tests.cloud.mock.pipelines.declared import approval, function
from tests.cloud.mock.pipelines.stage_play import Play


class Services:
    """Instead of `Inward`: Lambda takes events, STS gives keys, S3 has one object."""

    def __init__(self):
        self.events, self.version = [], "v1"
        self.heads, self.is_broken = 0, False

    def client(self, service, **_):
        return self

    def invoke(self, Payload, **_):
        self.events.append(json.loads(Payload)["CodePipeline.job"])

    def assume_role(self, **_):
        return {
            "Credentials": dict.fromkeys(("AccessKeyId", "SecretAccessKey", "SessionToken"), "")
        }

    def head_object(self, **_):
        self.heads += 1
        if self.is_broken:
            raise RuntimeError("S3 is broken")
        return {"VersionId": self.version}

    def reset(self):
        pass


@pytest.fixture
def stage(monkeypatch):
    """A pipeline whose functions and approvals are the motor's own, with short waits."""

    def perform(work):
        if work.run.name == "Object":
            work.found(play.motor.inward.version)
            return Done()
        category = work.action["actionTypeId"]["category"]
        return (invoke if category == "Invoke" else approvals).perform(work)

    monkeypatch.setattr(actions, "perform", perform)
    monkeypatch.setattr("labs.cloud.mock.pipelines.roles.trusts_codepipeline", lambda _: True)
    waits = Waits(reply=0.2, jobs=0.6, pause=0.01, approval=0.2, poll=0.02)
    play = Play(SimpleNamespace(always=lambda *_: None), waits)
    play.motor.inward = Services()
    yield play
    play.motor.close()


def error(execution):
    return execution.runs[-1].error


def events(play, count):
    """All events that a function got, once there are so many."""
    return until(lambda: len(play.motor.inward.events) >= count and play.motor.inward.events)


def test_aws_waits_are_divided():
    assert Waits().reply == 20 * 60 / TIME_SCALE
    assert Waits().approval == 7 * DAY == 7 * 24 * 60 * MINUTE


def test_a_function_that_never_reports_fails_its_action(stage):
    one = stage.stage(("Run", function("Run", "silent"))).start()
    stage.ended(one, "Failed")
    assert error(one) == (
        "TimeoutError",
        "The AWS Lambda function silent failed to return a result. Check the function to verify "
        "that it has permission to call the PutJobSuccessResult action and that it made a call to "
        "PutJobSuccessResult.",
    )
    [late] = stage.motor.jobs.values()
    assert late.state == "TimedOut"


def test_a_function_that_goes_on_for_ever_fails_its_action(stage):
    one = stage.stage(("Run", function("Run", "busy"))).start()
    while not one.is_over:
        newest = events(stage, 1)[-1]
        with contextlib.suppress(JsonRESTError):  # the time was up just now
            stage.call("PutJobSuccessResult", jobId=newest["id"], continuationToken="more")
        until(lambda seen=newest: one.is_over or events(stage, 1)[-1] is not seen)
    stage.ended(one, "Failed")
    assert error(one)[0] == "TimeoutError"
    assert "has not ended in 24 hours" in error(one)[1]
    tokens = [event["data"].get("continuationToken") for event in stage.motor.inward.events]
    assert set(tokens[1:]) == {"more"}
    assert tokens[0] is None


def test_an_approval_that_nobody_gives(stage):
    one = stage.stage(("Ask", approval())).start()
    stage.ended(one, "Failed")
    assert error(one) == ("TimeoutError", "Nobody has approved or rejected in time")


def test_an_approvals_own_time(stage):
    one = stage.stage(("Ask", approval(timeoutInMinutes=86_400))).start()
    stage.until(lambda: len(one.runs) == 2 and one.runs[1].token)
    with stage.motor.changed:
        stage.motor.changed.wait_for(lambda: one.is_over, 0.5)
    assert one.status == "InProgress"


def polling(stage):
    stage.stage(("Ask", approval(timeoutInMinutes=86_400)))
    stage.pipeline.definition["stages"][0]["actions"][0]["configuration"][
        "PollForSourceChanges"
    ] = "true"
    one = stage.start()
    stage.until(lambda: len(one.runs) == 2)
    with stage.motor.changed:
        stage.motor.watch.follow(stage.pipeline)
    return one


def looks(stage, more):
    """Wait for more looks at the source."""
    wanted = stage.motor.inward.heads + more
    until(lambda: stage.motor.inward.heads >= wanted)


def test_a_change_is_seen_once(stage):
    polling(stage)
    looks(stage, 3)
    assert len(stage.pipeline.executions) == 1
    stage.motor.inward.version = "v2"
    stage.until(lambda: len(stage.pipeline.executions) == 2)
    looks(stage, 3)
    assert len(stage.pipeline.executions) == 2
    assert list(stage.pipeline.executions.values())[1].trigger.kind == "PollForSourceChanges"


def test_a_deleted_pipeline_is_not_looked_at(stage):
    polling(stage)
    looks(stage, 1)
    stage.call("DeletePipeline", name="release")
    heads = stage.motor.inward.heads
    stage.motor.inward.version = "v2"
    with stage.motor.changed:
        stage.motor.changed.wait_for(lambda: False, 0.2)
    assert stage.motor.inward.heads <= heads + 1
    assert len(stage.pipeline.executions) == 1


def test_a_watch_that_meets_an_error_goes_on(stage, monkeypatch):
    polling(stage)
    stage.motor.inward.is_broken = True
    looks(stage, 2)
    stage.motor.inward.is_broken = False
    stage.motor.inward.version = "v2"
    stage.until(lambda: len(stage.pipeline.executions) == 2)


def test_the_reason_of_an_action_may_be_an_actions_own(stage, monkeypatch):
    def refuse(work):
        raise ActionFailed("ConfigurationError", "never")

    monkeypatch.setattr(actions, "perform", refuse)
    one = stage.stage(("Ask", approval())).start()
    stage.ended(one, "Failed")
    assert error(one) == ("ConfigurationError", "never")
