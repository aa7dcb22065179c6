"""CloudFormation actions, and the pipeline that updates itself."""

import json

import pytest

from tests.cloud.mock.lambda_account import until
from tests.cloud.mock.pipelines.declared import (
    ROLE,
    approval,
    function,
    pipeline,
    source,
    stack,
    unzipped,
)
from tests.cloud.mock.pipelines.delivery import ALL, trust


def template(**topics):
    """A template with a topic by each name, whose display name is a parameter."""
    return {
        "Parameters": {"Display": {"Type": "String", "Default": "plain"}},
        "Resources": {
            name: {
                "Type": "AWS::SNS::Topic",
                "Properties": {"TopicName": value, "DisplayName": {"Ref": "Display"}},
            }
            for name, value in topics.items()
        },
        "Outputs": {"Topic": {"Value": {"Ref": next(iter(topics))}}},
    }


GOOD = template(First="first")
#: A topic that cannot be made: SNS refuses its name.
BAD = template(First="first", Second="not a name!")


def deploy(mode="CREATE_UPDATE", **configuration):
    return pipeline(("Deploy", stack("Stack", mode, configuration=configuration)))


def status(delivery, name="stack"):
    return delivery.cloudformation.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]


def test_a_stack_is_made_kept_and_changed(delivery):
    config = {"Parameters": {"Display": "from the file"}, "Tags": {"team": "a"}}
    delivery.put(template__json=GOOD, config__json=config)
    made = pipeline(
        (
            "Deploy",
            stack(
                "Stack",
                configuration={
                    "TemplateConfiguration": "App::config.json",
                    "OutputFileName": "out.json",
                },
                gives=["Out"],
                namespace="Made",
            ),
        ),
        ("Ask", approval(configuration={"CustomData": "#{Made.Topic}"})),
    )
    first = delivery.create(made)
    delivery.token()
    run = delivery.actions(first)["Stack"]
    arn = run["output"]["outputVariables"]["Topic"]
    assert arn.endswith(":first")
    [out] = run["output"]["outputArtifacts"]
    assert json.loads(unzipped(delivery.object(out))["out.json"]) == {"Topic": arn}
    asked = delivery.actions(first)["Approve"]["input"]
    assert asked["resolvedConfiguration"] == {"CustomData": arn}
    attributes = delivery.account.sns.get_topic_attributes(TopicArn=arn)["Attributes"]
    assert attributes["DisplayName"] == "from the file"
    [stack_shown] = delivery.cloudformation.describe_stacks(StackName="stack")["Stacks"]
    assert stack_shown["Tags"] == [{"Key": "team", "Value": "a"}]
    assert stack_shown["RoleARN"] == ROLE
    delivery.answer("Approved", delivery.token())
    delivery.end(first)

    second = delivery.start()
    delivery.answer("Approved", delivery.token())
    same = delivery.end(second)["Stack"]["output"]
    assert "no updates" in same["executionResult"]["externalExecutionSummary"]
    assert same["outputVariables"] == {"Topic": arn}

    delivery.put(template__json=template(First="first", Second="second"), config__json=config)
    third = delivery.start()
    delivery.answer("Approved", delivery.token())
    delivery.end(third)
    assert status(delivery) == "UPDATE_COMPLETE"


@pytest.mark.parametrize(
    ("files", "code", "said"),
    [
        ({"template__json": BAD}, "JobFailed", "Failed to create stack. Current stack status: "),
        ({"template__json": "{"}, "JobFailed", "Template"),
        (
            {"template__json": {"Resources": {"A": {"Type": "AWS::No::Such"}}}},
            "JobFailed",
            "AWS::No",
        ),
        (
            {"other": "x"},
            "ConfigurationError",
            "File [template.json] does not exist in artifact [App]",
        ),
    ],
)
def test_templates_that_fail(delivery, files, code, said):
    delivery.put(**files)
    found = delivery.failure(delivery.create(deploy()), "Stack")
    assert found[0] == code
    assert said in found[1]


def test_the_reason_of_a_failure_is_the_first_resources(delivery):
    delivery.put(template__json=BAD)
    _, message = delivery.failure(delivery.create(deploy()), "Stack")
    assert "ROLLBACK_COMPLETE. Reason: " in message
    assert "cancelled" not in message
    assert "name" in message.lower()


def test_a_failed_update_leaves_the_old_stack(delivery):
    delivery.put(template__json=GOOD)
    delivery.end(delivery.create(deploy()))
    delivery.put(template__json=BAD)
    code, message = delivery.failure(delivery.start(), "Stack")
    assert (code, status(delivery)) == ("JobFailed", "UPDATE_ROLLBACK_COMPLETE")
    assert "Failed to update stack. Current stack status: UPDATE_ROLLBACK_COMPLETE." in message


@pytest.mark.parametrize(
    ("configuration", "said"),
    [
        ({"ActionMode": "CREATE"}, "'CREATE' is no ActionMode"),
        ({"RoleArn": None}, "RoleArn is required for the ActionMode CREATE_UPDATE"),
        ({"TemplatePath": None}, "TemplatePath is required"),
        ({"TemplatePath": "Other::t"}, "Artifact [Other] is not an input artifact"),
        ({"ParameterOverrides": "{"}, "ParameterOverrides is not JSON"),
    ],
)
def test_configurations_that_fail(delivery, configuration, said):
    delivery.put(template__json=GOOD)
    code, message = delivery.failure(delivery.create(deploy(**configuration)), "Stack")
    assert code == "ConfigurationError"
    assert said in message


def test_capabilities_and_overrides(delivery):
    role = {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "RoleName": {"Ref": "Name"},
            "AssumeRolePolicyDocument": json.loads(trust("lambda.amazonaws.com")),
        },
    }
    made = {"Parameters": {"Name": {"Type": "String"}}, "Resources": {"Role": role}}
    delivery.put(template__json=made, names__json={"name": "from-artifact"})
    overrides = json.dumps({"Name": {"Fn::GetParam": ["App", "names.json", "name"]}})
    _, message = delivery.failure(delivery.create(deploy(ParameterOverrides=overrides)), "Stack")
    assert "CAPABILITY_NAMED_IAM" in message
    definition = deploy(ParameterOverrides=overrides, Capabilities="CAPABILITY_NAMED_IAM")
    delivery.api.update_pipeline(pipeline=definition)
    delivery.end(delivery.start())
    assert delivery.account.iam.get_role(RoleName="from-artifact")


def test_the_stacks_role_counts(delivery):
    delivery.role("deployer", {**ALL, "Action": "sns:List*"})
    delivery.put(template__json=GOOD)
    made = deploy(RoleArn=ROLE.replace("pipeline", "deployer"))
    code, message = delivery.failure(delivery.create(made), "Stack")
    assert code == "JobFailed"
    assert "sns:CreateTopic" in message


def test_the_pipelines_role_counts(delivery):
    delivery.put(template__json=GOOD)
    delivery.allow("pipeline", {**ALL, "Action": "s3:*"})
    code, message = delivery.failure(delivery.create(deploy()), "Stack")
    assert code == "PermissionError"
    assert "cloudformation:DescribeStacks" in message


def change_sets():
    names = {"ChangeSetName": "changes"}
    execute = {**names, "RoleArn": None, "TemplatePath": None}
    return pipeline(
        ("Prepare", stack("Prepare", "CHANGE_SET_REPLACE", configuration=names)),
        ("Ask", approval()),
        (
            "Execute",
            stack(
                "Execute", "CHANGE_SET_EXECUTE", configuration=execute, takes=[], namespace="Made"
            ),
        ),
    )


def test_change_sets(delivery):
    delivery.put(template__json=GOOD)
    first = delivery.create(change_sets())
    token = delivery.token()
    assert status(delivery) == "REVIEW_IN_PROGRESS"
    delivery.answer("Approved", token)
    done = delivery.end(first)["Execute"]
    assert done["output"]["outputVariables"]["Topic"].endswith(":first")
    assert status(delivery) == "CREATE_COMPLETE"

    second = delivery.start()  # nothing has changed
    delivery.answer("Approved", delivery.token())
    actions = delivery.end(second)
    for name in ("Prepare", "Execute"):
        said = actions[name]["output"]["executionResult"]["externalExecutionSummary"]
        assert said == "Change set changes has no changes"

    delivery.put(template__json=template(First="first", Second="second"))
    third = delivery.start()
    token = delivery.token()
    shown = delivery.cloudformation.describe_change_set(StackName="stack", ChangeSetName="changes")
    assert [one["ResourceChange"]["Action"] for one in shown["Changes"]] == ["Add"]
    delivery.answer("Approved", token)
    delivery.end(third)
    assert status(delivery) == "UPDATE_COMPLETE"


def test_a_change_set_that_is_not_there(delivery):
    delivery.put(template__json=GOOD)
    execute = {"ChangeSetName": "no", "RoleArn": None, "TemplatePath": None}
    made = pipeline(("Run", stack("Run", "CHANGE_SET_EXECUTE", configuration=execute, takes=[])))
    code, message = delivery.failure(delivery.create(made), "Run")
    assert code == "ConfigurationError"
    assert "Change set no of stack stack does not exist" in message


def test_a_stack_is_deleted_even_if_it_is_not_there(delivery):
    delivery.put(template__json=GOOD)
    delete = stack("Delete", "DELETE_ONLY", configuration={"TemplatePath": None}, takes=[])
    delivery.end(delivery.create(pipeline(("Deploy", stack("Stack")), ("Delete", delete))))
    assert delivery.account.sns.list_topics()["Topics"] == []
    delivery.api.update_pipeline(pipeline=pipeline(("Delete", delete)))
    delivery.end(delivery.start())


def test_a_failed_stack_is_replaced(delivery):
    delivery.put(template__json=BAD)
    delivery.failure(delivery.create(deploy("REPLACE_ON_FAILURE")), "Stack")
    delivery.put(template__json=GOOD)
    delivery.end(delivery.start())
    assert status(delivery) == "CREATE_COMPLETE"


# A pipeline that updates itself


def capitalised(value):
    """A declaration of the API as CloudFormation has it."""
    if isinstance(value, dict):
        return {
            key if key[0].isupper() else key[0].upper() + key[1:]: capitalised(one)
            for key, one in value.items()
        }
    return [capitalised(one) for one in value] if isinstance(value, list) else value


def itself(*stages):
    """The template of a pipeline whose second stage deploys this template."""
    update = stack("Update", configuration={"StackName": "self"})
    definition = pipeline(("Self", update), *stages)
    return {
        "Resources": {
            "Pipeline": {
                "Type": "AWS::CodePipeline::Pipeline",
                "Properties": {**capitalised(definition), "RestartExecutionOnUpdate": True},
            }
        }
    }


def begin(delivery, made):
    """Make the stack by hand, as one does once; the execution that begins with it."""
    delivery.put(template__json=made)
    delivery.cloudformation.create_stack(
        StackName="self", TemplateBody=json.dumps(made), RoleARN=ROLE
    )
    until(lambda: status(delivery, "self") == "CREATE_COMPLETE")
    return delivery.newest()


def test_a_pipeline_changes_itself_and_runs_again(delivery):
    delivery.reporter()
    delivery.end(begin(delivery, itself(("Test", function("One", "reporter")))))
    changed = itself(("Test", function("One", "reporter")), ("More", function("Two", "reporter")))
    version = delivery.put(template__json=changed)
    first = delivery.start()
    until(lambda: delivery.newest() != first)
    again = delivery.newest()
    actions = delivery.end(first, "Cancelled")
    until(lambda: delivery.actions(first)["Update"]["status"] == "Succeeded")
    assert set(actions) == {"Object", "Update"}
    actions = delivery.end(again)
    assert set(actions) == {"Object", "Update", "One", "Two"}
    assert actions["Object"]["output"]["outputVariables"]["VersionId"] == version
    assert len(delivery.executions()) == 3
    assert delivery.api.get_pipeline(name="release")["pipeline"]["version"] == 2


@pytest.mark.parametrize(
    "broken",
    [
        itself(("Test", function("One", ""))),
        itself(("Test", function("One", "#{No.such}"))),
        "no template",
    ],
    ids=["configuration", "variable", "template"],
)
def test_a_broken_change_of_itself_fails_and_changes_nothing(delivery, broken):
    delivery.reporter()
    delivery.end(begin(delivery, itself(("Test", function("One", "reporter")))))
    before = delivery.api.get_pipeline(name="release")["pipeline"]["stages"]
    delivery.put(template__json=broken)
    execution = delivery.start()
    code, _ = delivery.failure(execution, "Update")
    assert code == "JobFailed"
    assert delivery.api.get_pipeline(name="release")["pipeline"]["stages"] == before
    assert delivery.newest() == execution
    delivery.put(template__json=itself(("Test", function("One", "reporter"))))
    delivery.end(delivery.start())


def test_a_change_that_is_rolled_back_comes_to_an_end(delivery):
    delivery.reporter()
    delivery.end(begin(delivery, itself(("Test", function("One", "reporter")))))
    changed = itself(("More", function("Two", "reporter")))
    changed["Resources"]["Topic"] = {
        "Type": "AWS::SNS::Topic",
        "DependsOn": "Pipeline",
        "Properties": {"TopicName": "not a name!"},
    }
    delivery.put(template__json=changed)
    first = delivery.start()
    until(lambda: delivery.actions(first).get("Update", {}).get("status") == "Failed", 60)
    assert delivery.execution(first)["status"] == "Cancelled"
    until(lambda: all(one["status"] != "InProgress" for one in delivery.executions()), 60)
    stages = delivery.api.get_pipeline(name="release")["pipeline"]["stages"]
    assert [one["name"] for one in stages] == ["Source", "Self", "Test"]


def test_a_source_of_a_pipeline_in_a_stack_polls_by_default(delivery):
    made = itself(("Ask", approval()))
    stages = made["Resources"]["Pipeline"]["Properties"]["Stages"]
    polling = source()
    del polling["configuration"]["PollForSourceChanges"]
    stages[0]["Actions"] = capitalised([polling])
    begin(delivery, made)
    delivery.token()
    delivery.put(template__json=made, more="x")
    until(lambda: len(delivery.executions()) == 2)
