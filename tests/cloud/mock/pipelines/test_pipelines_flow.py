"""How executions go through their stages, whatever the actions do."""

import threading

import pytest
from moto.core.exceptions import JsonRESTError

from labs.cloud.mock.pipelines.work import Done
from tests.cloud.mock.pipelines.declared import approval, function, pipeline

TWO = (("Test", approval("A")), ("Prod", approval("B")))


def refused(call, *arguments, **named):
    with pytest.raises(JsonRESTError) as caught:
        call(*arguments, **named)
    return caught.value.error_type


def status_of(play, execution):
    found = play.named("GetPipelineExecution", execution)["pipelineExecution"]
    return found["status"]


def stage_state(play, name):
    stages = play.call("GetPipelineState", name="release")["stageStates"]
    return next(stage for stage in stages if stage["stageName"] == name)


# Order


def test_stages_come_one_after_another(play):
    one = play.stage(*TWO).start()
    play.working(one, "A")
    assert stage_state(play, "Test")["latestExecution"]["status"] == "InProgress"
    assert "latestExecution" not in stage_state(play, "Prod")
    play.let(one, "A")
    play.let(one, "B")
    play.ended(one, "Succeeded")
    assert play.runs(one) == [("Object", "Succeeded"), ("A", "Succeeded"), ("B", "Succeeded")]
    assert set(one.stages.values()) == {"Succeeded"}


def test_actions_of_one_order_run_at_once_and_the_next_after_all_of_them(play):
    actions = [approval("A"), approval("B"), approval("C", runOrder=2)]
    one = play.stage(("Test", *actions)).start()
    play.working(one, "A")
    play.working(one, "B")
    play.let(one, "B")
    play.until(lambda: one.latest_run("Test", "B").status == "Succeeded")
    assert one.latest_run("Test", "C") is None
    play.let(one, "A")
    play.let(one, "C")
    play.ended(one, "Succeeded")


def test_a_failed_action_lets_its_neighbours_end_and_stops_the_rest(play):
    actions = [approval("A"), approval("B"), approval("C", runOrder=2)]
    one = play.stage(("Test", *actions), ("Prod", approval("D"))).start()
    play.working(one, "B")
    play.fail(one, "A", "broken")
    play.until(lambda: one.latest_run("Test", "A").status == "Failed")
    assert one.status == "InProgress"
    play.let(one, "B")
    play.ended(one, "Failed")
    assert one.stages == {"Source": "Succeeded", "Test": "Failed"}
    [shown] = [one for one in stage_state(play, "Test")["actionStates"] if one["actionName"] == "A"]
    assert shown["latestExecution"]["errorDetails"] == {"code": "JobFailed", "message": "broken"}


def test_a_crash_of_the_mock_is_a_stated_failure(play):
    one = play.stage(*TWO).start()
    play.let(one, "A", RuntimeError("a bug"))
    play.ended(one, "Failed")
    assert one.latest_run("Test", "A").error == (
        "InternalError",
        "The mock failed: RuntimeError: a bug",
    )


# Variables


def test_variables_go_from_action_to_action(play):
    first = approval("A", namespace="First")
    second = function("B", "f", "#{First.X}-#{codepipeline.PipelineExecutionId}-#{variables.V}")
    play.stage(
        ("Test", first),
        ("Prod", second),
        pipelineType="V2",
        variables=[{"name": "V", "defaultValue": "d"}],
    )
    one = play.start()
    play.let(one, "A", Done(variables={"X": "x"}))
    play.let(one, "B")
    play.ended(one, "Succeeded")
    assert one.latest_run("Prod", "B").configuration["UserParameters"] == f"x-{one.id}-d"


def test_a_variable_without_a_value_fails_its_action(play):
    play.stage(("Test", approval("A", namespace="N")), ("Prod", function("B", "f", "#{N.X}")))
    one = play.start()
    play.let(one, "A")
    play.ended(one, "Failed")
    code, message = one.latest_run("Prod", "B").error
    assert code == "ConfigurationError"
    assert "#{N.X}" in message


# Several executions


def test_a_newer_execution_supersedes_one_that_waits(play):
    play.stage(*TWO)
    one, two = play.start(), None
    play.working(one, "A")
    two = play.start()
    play.waits_at(two, "Test")
    assert stage_state(play, "Test")["inboundExecution"]["pipelineExecutionId"] == two.id
    three = play.start()
    play.ended(two, "Superseded")
    play.waits_at(three, "Test")
    assert one.status == "InProgress"
    play.let(one, "A")
    play.working(three, "A")
    play.working(one, "B")
    play.let(three, "A")
    play.waits_at(three, "Prod")
    play.let(one, "B")
    play.let(three, "B")
    for execution in (one, three):
        play.ended(execution, "Succeeded")


def test_a_queue_keeps_its_order_and_loses_nobody(play):
    play.stage(("Test", approval("A")), executionMode="QUEUED", pipelineType="V2")
    executions = []
    for _ in range(3):
        executions.append(play.start())
        play.until(
            lambda: (
                (executions[-1].id, "A") in play.actor.at_work
                or executions[-1] in play.pipeline.place("Test").waiting
            )
        )
    for execution in executions:
        play.let(execution, "A")
        play.ended(execution, "Succeeded")
    assert [who for who, name in play.actor.performed if name == "A"] == [
        execution.id for execution in executions
    ]


def test_parallel_executions_do_not_wait(play):
    play.stage(("Test", approval("A")), executionMode="PARALLEL", pipelineType="V2")
    executions = [play.start() for _ in range(3)]
    for execution in executions:
        play.working(execution, "A")
    for execution in reversed(executions):
        play.let(execution, "A")
        play.ended(execution, "Succeeded")


def test_the_queue_has_an_end(play):
    play.stage(("Test", approval("A")), executionMode="QUEUED", pipelineType="V2")
    for _ in range(50):
        play.call("StartPipelineExecution", name="release")
    code = refused(play.call, "StartPipelineExecution", name="release")
    assert code == "ConcurrentPipelineExecutionsLimitExceededException"


def test_one_token_starts_one_execution(play):
    play.stage(*TWO)
    first = play.call("StartPipelineExecution", name="release", clientRequestToken="t")
    assert play.call("StartPipelineExecution", name="release", clientRequestToken="t") == first
    assert play.call("StartPipelineExecution", name="release", clientRequestToken="u") != first


@pytest.mark.parametrize("mode", ["SUPERSEDED", "QUEUED", "PARALLEL"])
def test_many_at_once_all_come_to_an_end(play, mode):
    play.stage(*TWO, executionMode=mode, pipelineType="V2")
    for name in "AB":
        play.actor.always(name, Done())
    executions = []

    def start():
        for _ in range(10):
            executions.append(play.start())

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    play.until(lambda: all(one.is_over for one in executions))
    found = {one.status for one in executions}
    assert found <= ({"Succeeded", "Superseded"} if mode == "SUPERSEDED" else {"Succeeded"})
    assert max(executions, key=lambda one: one.started).status == "Succeeded"
    assert play.threads() == []
    assert not any(place.holder or place.waiting for place in play.pipeline.places.values())


# Transitions


def transition(play, what, stage="Test", kind="Inbound"):
    reason = {"reason": "not now"} if what == "Disable" else {}
    play.named(f"{what}StageTransition", stageName=stage, transitionType=kind, **reason)


@pytest.mark.parametrize(("stage", "kind"), [("Test", "Inbound"), ("Source", "Outbound")])
def test_a_closed_transition_holds_the_newest(play, stage, kind):
    play.stage(*TWO)
    transition(play, "Disable", stage, kind)
    one = play.start()
    play.waits_at(one, "Test")
    two = play.start()
    play.ended(one, "Superseded")
    play.waits_at(two, "Test")
    transition(play, "Enable", stage, kind)
    play.let(two, "A")
    play.let(two, "B")
    play.ended(two, "Succeeded")


def test_a_transition_says_who_closed_it_and_why(play):
    play.stage(*TWO)
    transition(play, "Disable")
    shown = stage_state(play, "Test")["inboundTransitionState"]
    assert shown.pop("lastChangedAt")
    assert shown == {
        "enabled": False,
        "lastChangedBy": "arn:aws:iam::1:user/me",
        "disabledReason": "not now",
    }
    transition(play, "Enable")
    assert stage_state(play, "Test")["inboundTransitionState"]["enabled"]


# Stop


def test_stop_and_wait(play):
    one = play.stage(("Test", approval("A"), approval("B", runOrder=2))).start()
    play.working(one, "A")
    play.named("StopPipelineExecution", one, reason="lunch")
    assert status_of(play, one) == "Stopping"
    assert stage_state(play, "Test")["latestExecution"]["status"] == "Stopping"
    again = refused(play.named, "StopPipelineExecution", one)
    assert again == "DuplicatedStopRequestException"
    play.let(one, "A")
    play.ended(one, "Stopped")
    assert play.runs(one)[1:] == [("A", "Succeeded")]
    assert one.stages["Test"] == "Stopped"
    summary, *_ = play.named("ListPipelineExecutions")["pipelineExecutionSummaries"]
    assert summary["stopTrigger"] == {"reason": "lunch"}


def test_stop_and_abandon_even_after_stop_and_wait(play):
    one = play.stage(*TWO).start()
    play.working(one, "A")
    play.named("StopPipelineExecution", one)
    play.named("StopPipelineExecution", one, abandon=True)
    play.ended(one, "Stopped")
    assert play.runs(one)[1:] == [("A", "Abandoned")]
    assert play.threads() == []
    again = refused(play.named, "StopPipelineExecution", one, abandon=True)
    assert again == "PipelineExecutionNotStoppableException"


def test_an_abandoned_stage_is_free(play):
    play.stage(*TWO)
    one = play.start()
    play.working(one, "A")
    two = play.start()
    play.waits_at(two, "Test")
    play.named("StopPipelineExecution", one, abandon=True)
    play.working(two, "A")


def test_what_waits_between_stages_stops_at_once(play):
    play.stage(*TWO)
    one = play.start()
    play.working(one, "A")
    two = play.start()
    play.waits_at(two, "Test")
    play.named("StopPipelineExecution", two)
    play.ended(two, "Stopped")
    assert status_of(play, one) == "InProgress"


# Retry


def retry(play, execution, mode="FAILED_ACTIONS", stage="Test"):
    return play.named("RetryStageExecution", execution, stageName=stage, retryMode=mode)


@pytest.mark.parametrize(
    ("mode", "again"), [("FAILED_ACTIONS", ["B"]), ("ALL_ACTIONS", ["A", "B"])]
)
def test_a_failed_stage_is_tried_again_and_goes_on(play, mode, again):
    one = play.stage(("Test", approval("A"), approval("B")), ("Prod", approval("C"))).start()
    play.let(one, "A")
    play.fail(one, "B")
    play.ended(one, "Failed")
    assert retry(play, one, mode) == {"pipelineExecutionId": one.id}
    for name in again:
        play.let(one, name)
    play.let(one, "C")
    play.ended(one, "Succeeded")
    assert [name for name, _ in play.runs(one)][3:] == [*again, "C"]
    assert stage_state(play, "Test")["retryStageMetadata"] == {
        "manualStageRetryAttempt": 1,
        "latestRetryTrigger": "ManualStageRetry",
    }


def test_a_stopped_stage_can_be_tried_again_though_its_old_action_still_works(play):
    one = play.stage(*TWO).start()
    play.working(one, "A")
    play.named("StopPipelineExecution", one, abandon=True)
    retry(play, one)
    play.let(one, "A")
    play.let(one, "B")
    play.ended(one, "Succeeded")
    assert play.runs(one)[1:] == [("A", "Abandoned"), ("A", "Succeeded"), ("B", "Succeeded")]


def test_what_cannot_be_tried_again(play):
    play.stage(*TWO)
    one = play.start()
    play.working(one, "A")
    assert refused(retry, play, one) == "StageNotRetryableException"
    assert refused(retry, play, one, stage="Prod") == "NotLatestPipelineExecutionException"
    play.fail(one, "A")
    play.ended(one, "Failed")
    two = play.start()
    play.working(two, "A")
    assert refused(retry, play, one) == "NotLatestPipelineExecutionException"
    play.fail(two, "A")
    play.ended(two, "Failed")
    play.call("UpdatePipeline", pipeline=pipeline(("Test", approval("A")), ("More", approval("M"))))
    assert refused(retry, play, two) == "StageNotRetryableException"
    assert refused(retry, play, two, stage="Nowhere") == "StageNotFoundException"


def test_a_stage_may_try_again_by_itself_once(play):
    definition = pipeline(("Test", approval("A")), pipelineType="V2")
    play.stage(("Test", approval("A")), pipelineType="V2", stages=definition["stages"])
    play.pipeline.definition["stages"][1]["onFailure"] = {"result": "RETRY"}
    one = play.start()
    play.fail(one, "A")
    play.until(lambda: len(one.runs) == 3)
    play.fail(one, "A")
    play.until(lambda: one.status == "Failed" and one.drive is None)
    assert one.retries == {"Test": {"AutomatedStageRetry": 1}}


# Rollback


def v2(play):
    play.stage(*TWO, pipelineType="V2")
    return play


def through(play, execution):
    for name in "AB":
        play.let(execution, name)
    play.ended(execution, "Succeeded")
    return execution


def roll_back(play, target, stage="Prod"):
    return play.named("RollbackStage", stageName=stage, targetPipelineExecutionId=target.id)


def test_a_stage_is_rolled_back_with_what_it_had(play):
    one = through(play, v2(play).start())
    two = play.start()
    play.let(two, "A")
    play.fail(two, "B")
    play.ended(two, "Failed")
    back = play.pipeline.executions[roll_back(play, one)["pipelineExecutionId"]]
    play.let(back, "B")
    play.ended(back, "Succeeded")
    assert back.artifacts == one.artifacts
    assert play.runs(back) == [("B", "Succeeded")]
    shown = play.named("GetPipelineExecution", back)["pipelineExecution"]
    assert shown["executionType"] == "ROLLBACK"
    assert shown["rollbackMetadata"] == {"rollbackTargetPipelineExecutionId": one.id}
    assert shown["trigger"]["triggerType"] == "ManualRollback"
    assert stage_state(play, "Prod")["latestExecution"]["type"] == "ROLLBACK"
    assert refused(roll_back, play, back) == "UnableToRollbackStageException"


def test_what_cannot_be_rolled_back(play):
    one = through(play, v2(play).start())
    assert refused(roll_back, play, one, "Source") == "UnableToRollbackStageException"
    two = play.start()
    play.working(two, "A")
    assert refused(roll_back, play, two) == "UnableToRollbackStageException"
    assert refused(roll_back, play, one, "Test") == "UnableToRollbackStageException"
    play.call("UpdatePipeline", pipeline=pipeline(("Test", approval("A")), pipelineType="V2"))
    assert refused(roll_back, play, one, "Test") == "PipelineExecutionOutdatedException"


def test_the_first_type_cannot_roll_back(play):
    one = through(play, play.stage(*TWO).start())
    assert refused(roll_back, play, one) == "UnableToRollbackStageException"


def test_a_stage_may_roll_back_by_itself(play):
    v2(play).pipeline.definition["stages"][2]["onFailure"] = {"result": "ROLLBACK"}
    one = through(play, play.start())
    two = play.start()
    play.let(two, "A")
    play.fail(two, "B")
    play.until(lambda: len(play.pipeline.executions) == 3)
    back = list(play.pipeline.executions.values())[-1]
    assert (back.rollback_of, back.trigger.kind) == (one.id, "AutomatedRollback")
    play.let(back, "B")
    play.ended(back, "Succeeded")
    assert two.status == "Failed"


# A pipeline that changes


def test_a_change_cancels_what_runs_but_lets_its_action_end(play):
    test, prod = ("Test", approval("A")), ("Prod", function("B", "deploy"))
    one = play.stage(test, prod).start()
    play.let(one, "A")
    play.working(one, "B")
    two = play.start()
    play.let(two, "A")
    play.waits_at(two, "Prod")
    changed = pipeline(test, ("New", approval("N")), prod)
    assert play.call("UpdatePipeline", pipeline=changed)["pipeline"]["version"] == 2
    play.ended(one, "Cancelled")
    play.ended(two, "Cancelled")
    three = play.start()
    assert three.version == 2
    play.let(three, "A")
    play.let(three, "N")
    play.waits_at(three, "Prod")
    assert play.pipeline.place("Prod").holder is one
    play.let(one, "B")
    play.working(three, "B")
    assert play.runs(one)[-1] == ("B", "Succeeded")


def test_an_action_that_changes_its_own_pipeline_succeeds(play):
    """As in a pipeline that updates itself: its stage is cancelled, the next run takes over."""
    update = function("Update", "f")
    play.stage(("Self", update), ("Prod", approval("B")))
    one = play.start()
    play.working(one, "Update")
    play.call("UpdatePipeline", pipeline=pipeline(("Self", update), ("More", approval("M"))))
    two = play.start()
    play.waits_at(two, "Self")
    play.let(one, "Update")
    play.until(lambda: one.stages["Self"] == "Cancelled")
    assert play.runs(one)[1:] == [("Update", "Succeeded")]
    assert one.status == "Cancelled"
    play.let(two, "Update")
    play.let(two, "M")
    play.ended(two, "Succeeded")


def test_an_approval_of_an_older_definition_is_abandoned(play):
    one = play.stage(*TWO).start()
    play.working(one, "A")
    play.call("UpdatePipeline", pipeline=pipeline(("Test", approval("A")), ("New", approval("N"))))
    play.until(lambda: play.pipeline.place("Test").holder is None)
    assert play.runs(one)[1:] == [("A", "Abandoned")]
    assert one.status == "Cancelled"


def test_the_same_definition_once_more_changes_nothing(play):
    one = play.stage(*TWO).start()
    play.working(one, "A")
    answer = play.call("UpdatePipeline", pipeline=pipeline(*TWO))
    assert answer["pipeline"]["version"] == 2
    play.let(one, "A")
    play.let(one, "B")
    play.ended(one, "Succeeded")


def test_versions_are_kept(play):
    play.stage(*TWO)
    play.call("UpdatePipeline", pipeline=pipeline(("Test", approval("A"))))
    get = {version: play.call("GetPipeline", name="release", version=version) for version in (1, 2)}
    assert [len(one["pipeline"]["stages"]) for one in get.values()] == [3, 2]
    assert play.call("GetPipeline", name="release")["pipeline"]["version"] == 2
    missing = refused(play.call, "GetPipeline", name="release", version=3)
    assert missing == "PipelineVersionNotFoundException"


def test_an_action_that_moves_loses_its_state(play):
    one = play.stage(*TWO).start()
    through(play, one)
    moved = pipeline(("Test", approval("B")), ("Prod", approval("A")))
    play.call("UpdatePipeline", pipeline=moved)
    assert "latestExecution" not in stage_state(play, "Test")["actionStates"][0]


# The end of it all


def test_deleting_ends_what_runs(play):
    one = play.stage(*TWO).start()
    play.working(one, "A")
    play.call("DeletePipeline", name="release")
    assert play.threads() == []
    assert one.is_over
    assert refused(play.call, "GetPipelineState", name="release") == "PipelineNotFoundException"
    assert play.call("DeletePipeline", name="release") == {}


def test_a_reset_ends_every_thread(play):
    before = threading.active_count()
    play.stage(("Test", *(approval(name) for name in "ABC")), executionMode="PARALLEL")
    executions = [play.start() for _ in range(3)]
    for execution in executions:
        play.working(execution, "C")
    play.motor.reset()
    assert threading.active_count() <= before


def test_history_is_paged_and_filtered(play):
    play.stage(*TWO)
    executions = [through(play, play.start()) for _ in range(3)]
    last = play.start()
    play.fail(last, "A")
    play.ended(last, "Failed")
    ids, token = [], {}
    while token is not None:
        answer = play.named("ListPipelineExecutions", maxResults=3, **token)
        ids += [one["pipelineExecutionId"] for one in answer["pipelineExecutionSummaries"]]
        token = {"nextToken": answer["nextToken"]} if "nextToken" in answer else None
    assert ids == [last.id, *(one.id for one in reversed(executions))]
    only = play.named("ListPipelineExecutions", filter={"succeededInStage": {"stageName": "Prod"}})[
        "pipelineExecutionSummaries"
    ]
    assert [one["pipelineExecutionId"] for one in only] == ids[1:]
    wrong = refused(play.named, "ListPipelineExecutions", nextToken="?")
    assert wrong == "InvalidNextTokenException"
    actions = play.named("ListActionExecutions", filter={"pipelineExecutionId": last.id})
    assert [one["actionName"] for one in actions["actionExecutionDetails"]] == ["A", "Object"]
