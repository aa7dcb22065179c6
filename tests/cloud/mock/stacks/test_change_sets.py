"""Change sets: what would change, read before it does."""

import json

from tests.cloud.mock.stacks.cases import att, ref, resource


def template(**resources):
    return {
        "Parameters": {"Seconds": {"Type": "Number", "Default": 40}},
        "Resources": resources,
    }


def queue(**properties):
    return resource("AWS::SQS::Queue", **properties)


class Planned:
    def __init__(self, deployed):
        self.deployed, self.api = deployed, deployed.api

    def __call__(self, body, name="plan", kind=None, **more):
        """The change set, described."""
        settings = {"ChangeSetType": kind} if kind else {}
        made = self.api.create_change_set(
            StackName="shop", ChangeSetName=name, TemplateBody=json.dumps(body), **settings, **more
        )
        return self.api.describe_change_set(ChangeSetName=made["Id"])

    def changes(self, body, **more):
        """By logical id: (action, replacement or None)."""
        found = [one["ResourceChange"] for one in self(body, **more)["Changes"]]
        return {one["LogicalResourceId"]: (one["Action"], one.get("Replacement")) for one in found}

    def details(self, body, logical, **more):
        """(property, needs recreation, evaluation, source, cause or None) of each detail."""
        found = [one["ResourceChange"] for one in self(body, **more)["Changes"]]
        [change] = [one for one in found if one["LogicalResourceId"] == logical]
        return [
            (
                one["Target"].get("Name"),
                one["Target"]["RequiresRecreation"],
                one["Evaluation"],
                one["ChangeSource"],
                one.get("CausingEntity"),
            )
            for one in change["Details"]
        ]


def test_a_change_set_says_what_is_added_changed_replaced_and_removed(deployed):
    deployed.create(
        "shop",
        template(Changed=queue(VisibilityTimeout=40), Replaced=queue(QueueName="a"), Gone=queue()),
    )
    planned = Planned(deployed)
    body = template(Changed=queue(VisibilityTimeout=50), Replaced=queue(QueueName="b"), New=queue())
    found = planned(body, Description="d")
    assert found["Status"] == "CREATE_COMPLETE"
    assert found["ExecutionStatus"] == "AVAILABLE"
    assert found["Description"] == "d"
    changes = {
        one["ResourceChange"]["LogicalResourceId"]: one["ResourceChange"]
        for one in found["Changes"]
    }
    assert {name: (one["Action"], one.get("Replacement")) for name, one in changes.items()} == {
        "Changed": ("Modify", "False"),
        "Replaced": ("Modify", "True"),
        "New": ("Add", None),
        "Gone": ("Remove", None),
    }
    assert changes["Gone"]["PhysicalResourceId"] == deployed.physical("shop", "Gone")
    assert changes["Replaced"]["PolicyAction"] == "ReplaceAndDelete"
    assert changes["Gone"]["PolicyAction"] == "Delete"
    assert changes["Changed"]["Scope"] == ["Properties"]
    assert changes["Changed"]["Details"] == [
        {
            "Target": {
                "Attribute": "Properties",
                "Name": "VisibilityTimeout",
                "RequiresRecreation": "Never",
            },
            "Evaluation": "Static",
            "ChangeSource": "DirectModification",
        }
    ]
    assert deployed.physical("shop", "Gone")  # nothing has happened yet
    assert [status for _, status, _ in deployed.events("shop")][-1] == "CREATE_COMPLETE"


def test_an_executed_change_set_is_what_happens(deployed):
    deployed.create("shop", template(Jobs=queue(VisibilityTimeout=40)))
    planned = Planned(deployed)
    other = planned(template(Jobs=queue(VisibilityTimeout=60)), name="other")
    plan = planned(template(Jobs=queue(VisibilityTimeout=50)))
    deployed.api.execute_change_set(ChangeSetName="plan", StackName="shop")
    done = deployed.settled("shop")
    assert done["StackStatus"] == "UPDATE_COMPLETE"
    assert done["ChangeSetId"] == plan["ChangeSetId"]
    assert deployed.drift("shop")["Jobs"] == ("IN_SYNC", [])
    described = deployed.api.describe_change_set(ChangeSetName=plan["ChangeSetId"])
    assert described["ExecutionStatus"] == "EXECUTE_COMPLETE"
    assert described["Status"] == "CREATE_COMPLETE"
    code, _ = deployed.refused("describe_change_set", ChangeSetName=other["ChangeSetId"])
    assert code == "ChangeSetNotFound"


def test_another_update_makes_a_change_set_obsolete(deployed):
    deployed.create("shop", template(Jobs=queue(VisibilityTimeout=40)))
    plan = Planned(deployed)(template(Jobs=queue(VisibilityTimeout=50)))
    deployed.update("shop", template(Jobs=queue(VisibilityTimeout=60)))
    assert deployed.refused("execute_change_set", ChangeSetName=plan["ChangeSetId"]) == (
        "InvalidChangeSetStatus",
        f"ChangeSet [{plan['ChangeSetId']}] cannot be executed in its current execution status "
        "of [OBSOLETE]",
    )


def test_a_parameter_is_named_as_the_cause(deployed):
    body = template(Jobs=queue(VisibilityTimeout=ref("Seconds")))
    deployed.create("shop", body)
    given = [{"ParameterKey": "Seconds", "ParameterValue": "50"}]
    assert Planned(deployed).details(body, "Jobs", Parameters=given) == [
        ("VisibilityTimeout", "Never", "Static", "ParameterReference", "Seconds"),
    ]


def test_what_refers_to_a_replaced_resource_changes_too(deployed):
    def of(name):
        dead = {"deadLetterTargetArn": att("Dead", "Arn"), "maxReceiveCount": 3}
        return template(Dead=queue(QueueName=name), Main=queue(RedrivePolicy=dead))

    deployed.create("shop", of("a"))
    planned = Planned(deployed)
    assert planned.changes(of("b"), name="c1") == {
        "Dead": ("Modify", "True"),
        "Main": ("Modify", "False"),
    }
    assert planned.details(of("b"), "Main", name="c2") == [
        ("RedrivePolicy", "Never", "Dynamic", "ResourceAttribute", "Dead.Arn")
    ]


def test_a_replacement_that_depends_on_another_is_conditional(deployed):
    def of(name):
        return template(
            Jobs=queue(QueueName=name),
            News=resource("AWS::SNS::Topic"),
            Sub=resource(
                "AWS::SNS::Subscription",
                TopicArn=ref("News"),
                Protocol="sqs",
                Endpoint=att("Jobs", "Arn"),
            ),
        )

    deployed.create("shop", of("a"))
    assert Planned(deployed).changes(of("b")) == {
        "Jobs": ("Modify", "True"),
        "Sub": ("Modify", "Conditional"),
    }


def test_tags_and_policies_are_scopes_of_their_own(deployed):
    deployed.create("shop", template(Jobs=queue()))
    planned = Planned(deployed)
    kept = {**queue(), "DeletionPolicy": "Retain"}
    [change] = planned(template(Jobs=kept))["Changes"]
    assert change["ResourceChange"]["Scope"] == ["DeletionPolicy"]
    assert change["ResourceChange"]["Replacement"] == "False"
    deployed.api.execute_change_set(ChangeSetName="plan", StackName="shop")
    assert deployed.settled("shop")["StackStatus"] == "UPDATE_COMPLETE"
    gone = deployed.delete("shop")
    assert ("Jobs", "DELETE_SKIPPED", "") in deployed.events(gone["StackId"])


def test_a_change_set_without_changes_fails_with_its_reason(deployed):
    body = template(Jobs=queue())
    deployed.create("shop", body)
    found = Planned(deployed)(body)
    assert found["Status"] == "FAILED"
    assert found["ExecutionStatus"] == "UNAVAILABLE"
    assert found["StatusReason"] == (
        "The submitted information didn't contain changes. Submit different information to "
        "create a change set."
    )
    code, message = deployed.refused("execute_change_set", ChangeSetName="plan", StackName="shop")
    assert code == "InvalidChangeSetStatus"
    assert message.endswith("cannot be executed in its current status of [FAILED]")
    deployed.api.delete_change_set(ChangeSetName="plan", StackName="shop")
    assert deployed.api.list_change_sets(StackName="shop")["Summaries"] == []


def test_a_change_set_can_create_a_stack(deployed):
    planned = Planned(deployed)
    code, message = deployed.refused(
        "create_change_set",
        StackName="shop",
        ChangeSetName="plan",
        TemplateBody=json.dumps(template(Jobs=queue())),
    )
    assert (code, message) == ("ValidationError", "Stack [shop] does not exist")
    found = planned(template(Jobs=queue()), kind="CREATE")
    assert [one["ResourceChange"]["Action"] for one in found["Changes"]] == ["Add"]
    assert deployed.describe("shop")["StackStatus"] == "REVIEW_IN_PROGRESS"
    assert "Jobs" not in str(deployed.api.list_stack_resources(StackName="shop"))
    deployed.api.execute_change_set(ChangeSetName="plan", StackName="shop")
    made = deployed.settled("shop")
    assert made["StackStatus"] == "CREATE_COMPLETE"
    assert [status for _, status, _ in deployed.events("shop")][:2] == [
        "REVIEW_IN_PROGRESS",
        "CREATE_IN_PROGRESS",
    ]
    code, message = deployed.refused(
        "create_change_set",
        StackName="shop",
        ChangeSetName="again",
        ChangeSetType="CREATE",
        TemplateBody=json.dumps(template(Jobs=queue())),
    )
    assert message.startswith("Stack [shop] already exists")


def test_a_stack_that_was_only_reviewed_can_be_deleted(deployed):
    Planned(deployed)(template(Jobs=queue()), kind="CREATE")
    stack_id = deployed.describe("shop")["StackId"]
    deployed.api.delete_stack(StackName="shop")
    assert deployed.settled(stack_id)["StackStatus"] == "DELETE_COMPLETE"


def test_two_change_sets_of_a_name_and_one_that_is_not_there_are_refused(deployed):
    deployed.create("shop", template(Jobs=queue()))
    planned = Planned(deployed)
    planned(template(Jobs=queue(VisibilityTimeout=50)))
    code, _ = deployed.refused(
        "create_change_set",
        StackName="shop",
        ChangeSetName="plan",
        TemplateBody=json.dumps(template(Jobs=queue(VisibilityTimeout=60))),
    )
    assert code == "AlreadyExistsException"
    assert deployed.refused("describe_change_set", StackName="shop", ChangeSetName="nope") == (
        "ChangeSetNotFound",
        "ChangeSet [nope] does not exist",
    )
    [summary] = deployed.api.list_change_sets(StackName="shop")["Summaries"]
    assert summary["ChangeSetName"] == "plan"
    body = deployed.api.get_template(StackName="shop", ChangeSetName="plan")["TemplateBody"]
    assert body["Resources"]["Jobs"]["Properties"] == {"VisibilityTimeout": 50}
    deployed.api.get_waiter("change_set_create_complete").wait(
        StackName="shop", ChangeSetName="plan"
    )


def test_a_failed_change_set_execution_rolls_back(deployed):
    deployed.create("shop", template(Jobs=queue(VisibilityTimeout=40)))
    bad = template(
        Jobs=queue(VisibilityTimeout=50),
        Bad={**queue(DelaySeconds=100_000), "DependsOn": "Jobs"},
    )
    Planned(deployed)(bad)
    deployed.api.execute_change_set(ChangeSetName="plan", StackName="shop")
    assert deployed.settled("shop")["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert deployed.drift("shop")["Jobs"] == ("IN_SYNC", [])
