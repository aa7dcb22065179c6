"""A stack is changed, or is as it was."""

import json
from concurrent.futures import ThreadPoolExecutor

from botocore.exceptions import ClientError

from tests.cloud.mock.lambda_account import until
from tests.cloud.mock.stacks.cases import att, ref
from tests.cloud.mock.stacks.parts import (
    BAD,
    FAST,
    after,
    attribute,
    queue,
    queues,
    template,
    topic,
)


def test_an_update_changes_what_differs_and_touches_nothing_else(deployed):
    deployed.create("shop", template(Jobs=queue(VisibilityTimeout=40), News=topic()))
    before = deployed.physical("shop", "Jobs")
    deployed.client("sqs").send_message(QueueUrl=before, MessageBody="kept")
    done = deployed.update("shop", template(Jobs=queue(VisibilityTimeout=50), News=topic()))
    assert done["StackStatus"] == "UPDATE_COMPLETE"
    assert done["LastUpdatedTime"] > done["CreationTime"]
    assert attribute(deployed, before, "VisibilityTimeout") == "50"
    assert attribute(deployed, before, "ApproximateNumberOfMessages") == "1"
    updated = {name for name, status, _ in deployed.events("shop") if "UPDATE" in status}
    assert updated == {"Jobs", "shop"}
    deployed.api.get_waiter("stack_update_complete").wait(StackName="shop", WaiterConfig=FAST)


def test_an_update_adds_before_it_takes_away(deployed):
    deployed.create("shop", template(Old=queue()))
    deployed.update("shop", template(New=queue()))
    events = deployed.events("shop")[5:]
    assert [(name, status) for name, status, _ in events] == [
        ("shop", "UPDATE_IN_PROGRESS"),
        ("New", "CREATE_IN_PROGRESS"),
        ("New", "CREATE_IN_PROGRESS"),
        ("New", "CREATE_COMPLETE"),
        ("shop", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"),
        ("Old", "DELETE_IN_PROGRESS"),
        ("Old", "DELETE_COMPLETE"),
        ("shop", "UPDATE_COMPLETE"),
    ]
    assert queues(deployed) == [deployed.physical("shop", "New")]


def test_a_replacement_is_made_first_and_what_refers_to_it_follows(deployed):
    def of(name):
        dead = {"deadLetterTargetArn": att("Dead", "Arn"), "maxReceiveCount": 3}
        return template(Dead=queue(QueueName=name), Main=queue(RedrivePolicy=dead))

    deployed.create("shop", of("first"))
    main = deployed.physical("shop", "Main")
    deployed.update("shop", of("second"))
    events = deployed.events("shop")
    assert (
        "Dead",
        "UPDATE_IN_PROGRESS",
        "Requested update requires the creation of a new physical resource; hence creating one.",
    ) in events
    statuses = [(name, status) for name, status, _ in events]
    assert statuses.index(("Main", "UPDATE_COMPLETE")) < statuses.index(
        ("Dead", "DELETE_IN_PROGRESS")
    )
    assert deployed.physical("shop", "Dead").endswith("/second")
    assert deployed.physical("shop", "Main") == main
    assert "second" in attribute(deployed, main, "RedrivePolicy")
    assert len(queues(deployed)) == 2


def test_no_updates_are_to_be_performed(deployed):
    same = template(Jobs=queue(VisibilityTimeout="40"))
    deployed.create("shop", same)
    with_number = template(Jobs=queue(VisibilityTimeout=40))
    for body in (same, with_number):
        code, message = deployed.refused(
            "update_stack", StackName="shop", TemplateBody=json.dumps(body)
        )
        assert (code, message) == ("ValidationError", "No updates are to be performed.")
    with_output = {**same, "Outputs": {"Url": {"Value": ref("Jobs")}}}
    assert deployed.update("shop", with_output)["StackStatus"] == "UPDATE_COMPLETE"
    assert deployed.outputs("shop")["Url"]


def test_a_failed_update_leaves_all_as_it_was(deployed):
    old = template(
        Kept=queue(VisibilityTimeout=40),
        Changed=queue(VisibilityTimeout=40),
        Removed=queue(),
        Replaced=queue(QueueName="first"),
    )
    deployed.create("shop", old)
    urls = {name: deployed.physical("shop", name) for name in old["Resources"]}
    sqs = deployed.client("sqs")
    for url in urls.values():
        sqs.send_message(QueueUrl=url, MessageBody="kept")
    new = template(
        Kept=queue(VisibilityTimeout=40),
        Changed=queue(VisibilityTimeout=50),
        Replaced=queue(QueueName="second"),
        Added=queue(),
        Bad=after(["Changed", "Replaced", "Added"], BAD),
    )
    done = deployed.update("shop", new)
    assert done["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert sorted(queues(deployed)) == sorted(urls.values())
    assert {name: deployed.physical("shop", name) for name in urls} == urls
    assert {attribute(deployed, url, "ApproximateNumberOfMessages") for url in urls.values()} == {
        "1"
    }
    assert attribute(deployed, urls["Changed"], "VisibilityTimeout") == "40"
    in_force = deployed.api.get_template(StackName="shop")["TemplateBody"]
    assert json.loads(json.dumps(in_force)) == old
    assert {found[0] for found in deployed.drift("shop").values()} == {"IN_SYNC"}
    assert (
        deployed.reason("shop", "shop", "UPDATE_ROLLBACK_IN_PROGRESS")
        == "The following resource(s) failed to create: [Bad]."
    )
    statuses = [status for name, status, _ in deployed.events("shop") if name == "shop"]
    assert statuses[2:] == [
        "UPDATE_IN_PROGRESS",
        "UPDATE_ROLLBACK_IN_PROGRESS",
        "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
        "UPDATE_ROLLBACK_COMPLETE",
    ]
    assert deployed.update("shop", template(Kept=queue()))["StackStatus"] == "UPDATE_COMPLETE"
    assert len(queues(deployed)) == 1


def test_a_failed_update_says_what_could_not_be_changed(deployed):
    deployed.create("shop", template(Jobs=queue()))
    deployed.update("shop", template(Jobs=BAD))
    assert (
        deployed.reason("shop", "shop", "UPDATE_ROLLBACK_IN_PROGRESS")
        == "The following resource(s) failed to update: [Jobs]."
    )


def test_a_failed_update_can_stay_as_it_is_and_go_on_or_back(deployed):
    deployed.create("shop", template(Jobs=queue(VisibilityTimeout=40)))
    failed = template(Jobs=queue(VisibilityTimeout=50), Bad=after("Jobs", BAD))
    done = deployed.update("shop", failed, DisableRollback=True)
    assert done["StackStatus"] == "UPDATE_FAILED"
    url = deployed.physical("shop", "Jobs")
    assert attribute(deployed, url, "VisibilityTimeout") == "50"
    deployed.api.rollback_stack(StackName="shop")
    assert deployed.settled("shop")["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert attribute(deployed, url, "VisibilityTimeout") == "40"
    deployed.update("shop", failed, DisableRollback=True)
    mended = template(Jobs=queue(VisibilityTimeout=60), Bad=after("Jobs", queue()))
    assert deployed.update("shop", mended)["StackStatus"] == "UPDATE_COMPLETE"
    assert attribute(deployed, url, "VisibilityTimeout") == "60"
    assert len(queues(deployed)) == 2


def test_a_roll_back_that_fails_can_be_continued(deployed):
    deployed.create("shop", template(Jobs=queue(VisibilityTimeout=40), News=topic()))
    url = deployed.physical("shop", "Jobs")
    new = template(
        Jobs=queue(VisibilityTimeout=50),
        News=topic(DisplayName="x"),
        Bad=after(["Jobs", "News"], BAD),
    )
    fault = deployed.aws.faults("sqs", "CreateQueue", latency=1.5)
    deployed.update("shop", new, wait=False)
    until(lambda: attribute(deployed, url, "VisibilityTimeout") == "50")
    deployed.client("sqs").delete_queue(QueueUrl=url)  # somebody does, meanwhile
    fault.end()
    stuck = deployed.settled("shop")
    assert stuck["StackStatus"] == "UPDATE_ROLLBACK_FAILED"
    assert stuck["StackStatusReason"] == "The following resource(s) failed to update: [Jobs]."
    _, message = deployed.refused("update_stack", StackName="shop", TemplateBody=json.dumps(new))
    assert message.endswith("is in UPDATE_ROLLBACK_FAILED state and can not be updated.")
    deployed.api.continue_update_rollback(StackName="shop", ResourcesToSkip=["Jobs"])
    assert deployed.settled("shop")["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    drift = deployed.drift("shop")
    assert drift["Jobs"][0] == "DELETED"
    assert drift["News"][0] == "IN_SYNC"


def test_a_second_update_at_once_is_refused(deployed):
    deployed.create("shop", template(Jobs=queue()))
    bodies = [json.dumps(template(Jobs=queue(VisibilityTimeout=n))) for n in (40, 50, 60, 70)]

    def update(body):
        try:
            deployed.api.update_stack(StackName="shop", TemplateBody=body)
        except ClientError as error:
            return error.response["Error"]["Message"]
        return None

    with (
        deployed.aws.faults("sqs", "SetQueueAttributes", latency=0.5),
        ThreadPoolExecutor(4) as threads,
    ):
        answers = list(threads.map(update, bodies))
        assert answers.count(None) == 1
        [*refusals] = filter(None, answers)
        stack_id = deployed.describe("shop")["StackId"]
        assert set(refusals) == {
            f"Stack:{stack_id} is in UPDATE_IN_PROGRESS state and can not be updated."
        }
        _, message = deployed.refused("delete_stack", StackName="shop")
        assert message == "Stack [shop] cannot be deleted while in status UPDATE_IN_PROGRESS"
        assert deployed.settled("shop")["StackStatus"] == "UPDATE_COMPLETE"


def test_an_update_can_be_cancelled(deployed):
    deployed.create("shop", template(Jobs=queue(VisibilityTimeout=40)))
    _, message = deployed.refused("cancel_update_stack", StackName="shop")
    assert message == "CancelUpdateStack cannot be called from current stack status"
    new = template(
        Jobs=queue(VisibilityTimeout=50), Slow=after("Jobs", topic()), Later=after("Slow", topic())
    )
    with deployed.aws.faults("sns", "CreateTopic", latency=1.0):
        deployed.update("shop", new, wait=False)
        until(lambda: ("Slow", "CREATE_IN_PROGRESS", "") in deployed.events("shop"))
        deployed.api.cancel_update_stack(StackName="shop")
        done = deployed.settled("shop")
    assert done["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert attribute(deployed, deployed.physical("shop", "Jobs"), "VisibilityTimeout") == "40"
    assert deployed.client("sns").list_topics()["Topics"] == []
    assert not [event for event in deployed.events("shop") if event[0] == "Later"]


def test_a_custom_named_resource_cannot_be_replaced(deployed):
    deployed.create("shop", template(Jobs=queue(QueueName="jobs.fifo", FifoQueue=True)))
    done = deployed.update("shop", template(Jobs=queue(QueueName="jobs.fifo")))
    assert done["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    reason = deployed.reason("shop", "Jobs", "UPDATE_FAILED")
    assert reason.startswith(
        "CloudFormation cannot update a stack when a custom-named resource requires replacing. "
        "Rename "
    )


def test_another_type_for_a_logical_id_is_refused(deployed):
    deployed.create("shop", template(Thing=queue()))
    _, message = deployed.refused(
        "update_stack", StackName="shop", TemplateBody=json.dumps(template(Thing=topic()))
    )
    assert message == (
        "Update of resource type is not permitted. The new template modifies resource type of "
        "the following resources: [Thing]"
    )


def test_the_previous_template_and_values_can_be_used(deployed):
    body = {
        "Parameters": {"Seconds": {"Type": "Number"}, "Delay": {"Type": "Number", "Default": 0}},
        "Resources": {
            "Jobs": queue(VisibilityTimeout=ref("Seconds"), DelaySeconds=ref("Delay")),
        },
    }
    given = [{"ParameterKey": "Seconds", "ParameterValue": "40"}]
    deployed.create("shop", body, Parameters=given)
    deployed.api.update_stack(
        StackName="shop",
        UsePreviousTemplate=True,
        Parameters=[
            {"ParameterKey": "Seconds", "UsePreviousValue": True},
            {"ParameterKey": "Delay", "ParameterValue": "5"},
        ],
    )
    assert deployed.settled("shop")["StackStatus"] == "UPDATE_COMPLETE"
    url = deployed.physical("shop", "Jobs")
    assert attribute(deployed, url, "VisibilityTimeout") == "40"
    assert attribute(deployed, url, "DelaySeconds") == "5"
