"""The end of a stack, and what it leaves."""

import itertools

import pytest

from labs import cloud
from tests.cloud.mock.lambda_account import until
from tests.cloud.mock.stacks.cases import resource
from tests.cloud.mock.stacks.parts import BAD, FAST, after, queue, queues, template, topic


def test_a_deleted_stack_is_found_by_its_id_only(deployed):
    made = deployed.create("shop", template(Jobs=queue()))
    deployed.api.delete_stack(StackName="shop")
    deployed.api.get_waiter("stack_delete_complete").wait(
        StackName=made["StackId"], WaiterConfig=FAST
    )
    gone = deployed.describe(made["StackId"])
    assert gone["StackStatus"] == "DELETE_COMPLETE"
    assert gone["DeletionTime"]
    assert deployed.refused("describe_stacks", StackName="shop") == (
        "ValidationError",
        "Stack with id shop does not exist",
    )
    assert deployed.api.describe_stacks()["Stacks"] == []
    assert deployed.events(made["StackId"])[-1] == ("shop", "DELETE_COMPLETE", "")
    deployed.api.delete_stack(StackName="shop")  # there is nothing to delete, and no error
    assert deployed.create("shop", template(Jobs=queue()))["StackId"] != made["StackId"]


def test_a_deletion_that_fails_can_be_repeated_and_leave_something_behind(deployed):
    deployed.create("shop", template(Bucket=resource("AWS::S3::Bucket"), Jobs=queue()))
    bucket = deployed.physical("shop", "Bucket")
    s3 = deployed.client("s3")
    s3.put_object(Bucket=bucket, Key="kept", Body=b"x")
    failed = deployed.delete("shop")
    assert failed["StackStatus"] == "DELETE_FAILED"
    assert failed["StackStatusReason"] == "The following resource(s) failed to delete: [Bucket]."
    reason = deployed.reason("shop", "Bucket", "DELETE_FAILED")
    assert "The bucket you tried to delete is not empty" in reason
    assert queues(deployed) == []
    gone = deployed.delete("shop", RetainResources=["Bucket"])
    assert gone["StackStatus"] == "DELETE_COMPLETE"
    assert ("Bucket", "DELETE_SKIPPED", "") in deployed.events(gone["StackId"])
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 1


def test_what_is_to_be_retained_stays(deployed):
    kept = {**queue(), "DeletionPolicy": "Retain"}
    replaced = {**queue(QueueName="first"), "UpdateReplacePolicy": "Retain"}
    deployed.create("shop", template(Kept=kept, Replaced=replaced, Gone=queue()))
    url = deployed.physical("shop", "Kept")
    deployed.update(
        "shop",
        template(
            Replaced={**queue(QueueName="second"), "UpdateReplacePolicy": "Retain"}, Gone=queue()
        ),
    )
    assert ("Kept", "DELETE_SKIPPED", "") in deployed.events("shop")
    stack_id = deployed.delete("shop")["StackId"]
    left = [one.rpartition("/")[2] for one in queues(deployed)]
    assert sorted(left) == sorted([url.rpartition("/")[2], "first"])
    assert ("Gone", "DELETE_COMPLETE", "") in deployed.events(stack_id)


@pytest.mark.parametrize(("policy_", "left"), [("Retain", 1), ("RetainExceptOnCreate", 0)])
def test_a_roll_back_of_a_creation_retains_what_is_to_be(deployed, policy_, left):
    kept = {**queue(), "DeletionPolicy": policy_}
    deployed.create("shop", template(Kept=kept, Bad=after("Kept", BAD)))
    assert len(queues(deployed)) == left


def test_a_protected_stack_cannot_be_deleted(deployed):
    deployed.create("shop", template(Jobs=queue()), EnableTerminationProtection=True)
    assert deployed.refused("delete_stack", StackName="shop") == (
        "ValidationError",
        "Stack [shop] cannot be deleted while TerminationProtection is enabled",
    )
    deployed.api.update_termination_protection(StackName="shop", EnableTerminationProtection=False)
    assert deployed.delete("shop")["StackStatus"] == "DELETE_COMPLETE"


def test_a_stack_can_be_deleted_while_it_is_made(deployed):
    with deployed.aws.faults("sns", "CreateTopic", latency=1.0):
        stack_id = deployed.create(
            "shop", template(Slow=topic(), Later=after("Slow", queue())), wait=False
        )
        until(lambda: ("Slow", "CREATE_IN_PROGRESS", "") in deployed.events(stack_id))
        deployed.api.delete_stack(StackName="shop")
        assert deployed.settled(stack_id)["StackStatus"] == "DELETE_COMPLETE"
    assert deployed.client("sns").list_topics()["Topics"] == []
    assert queues(deployed) == []
    statuses = [status for name, status, _ in deployed.events(stack_id) if name == "shop"]
    assert statuses == ["CREATE_IN_PROGRESS", "DELETE_IN_PROGRESS", "DELETE_COMPLETE"]


def test_a_reset_ends_what_is_under_way_and_leaves_nothing(deployed):
    resources = {f"Queue{number:02}": queue() for number in range(30)}
    names = list(resources)
    for name, following in itertools.pairwise(names):
        resources[following] = after(name, queue())
    with deployed.aws.faults("sqs", "CreateQueue", latency=0.1):
        deployed.create("shop", template(**resources), wait=False)
        until(lambda: len(queues(deployed)) > 2)
        cloud.connect(lesson="test")  # resets
    assert deployed.api.describe_stacks()["Stacks"] == []
    deployed.create("shop", template(Jobs=queue()))  # long enough for what may still run
    assert queues(deployed) == [deployed.physical("shop", "Jobs")]
