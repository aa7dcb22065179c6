"""Pipelines, Beanstalk environments, stacks within stacks and custom resources as types."""

import json

import pytest

from tests.cloud.mock.beanstalk.shop import APP, packed
from tests.cloud.mock.lambda_account import until
from tests.cloud.mock.stacks.cases import att, policy, ref, resource, trust

S3 = {"Category": "Source", "Owner": "AWS", "Provider": "S3", "Version": "1"}
APPROVAL = {"Category": "Approval", "Owner": "AWS", "Provider": "Manual", "Version": "1"}


def pipeline(data="please", **more):
    """Of a source and an approval, with the buckets and the role that it needs."""
    source = {
        "Name": "Object",
        "ActionTypeId": S3,
        "Configuration": {
            "S3Bucket": ref("Sources"),
            "S3ObjectKey": "app.zip",
            "PollForSourceChanges": False,
        },
        "OutputArtifacts": [{"Name": "App"}],
    }
    approval = {
        "Name": "Approve",
        "ActionTypeId": APPROVAL,
        "Configuration": {"CustomData": data},
    }
    return {
        "Resources": {
            "Sources": resource("AWS::S3::Bucket", VersioningConfiguration={"Status": "Enabled"}),
            "Artifacts": resource("AWS::S3::Bucket"),
            "Role": resource(
                "AWS::IAM::Role",
                AssumeRolePolicyDocument=trust("codepipeline"),
                Policies=[{"PolicyName": "all", "PolicyDocument": policy("*")}],
            ),
            "It": resource(
                "AWS::CodePipeline::Pipeline",
                RoleArn=att("Role", "Arn"),
                ArtifactStore={"Type": "S3", "Location": ref("Artifacts")},
                Stages=[
                    {"Name": "Source", "Actions": [source]},
                    {"Name": "Wait", "Actions": [approval]},
                ],
                **more,
            ),
        }
    }


class Pipelines:
    def __init__(self, deployed):
        self.deployed = deployed
        self.api = deployed.client("codepipeline")

    @property
    def name(self):
        return self.deployed.physical("types", "It")

    def executions(self):
        found = self.api.list_pipeline_executions(pipelineName=self.name)
        return found["pipelineExecutionSummaries"]


def test_a_pipeline_is_made_changed_and_deleted(deployed):
    tags = [{"Key": "team", "Value": "blue"}]
    transitions = [{"StageName": "Wait", "Reason": "not now"}]
    template = pipeline(Tags=tags, DisableInboundStageTransitions=transitions)
    made = deployed.create("types", template)
    assert made["StackStatus"] == "CREATE_COMPLETE", deployed.why("types")
    assert deployed.drift("types")["It"] == ("IN_SYNC", [])
    pipelines = Pipelines(deployed)
    name = pipelines.name
    changed = deployed.update("types", pipeline("now", Tags=tags))
    assert changed["StackStatus"] == "UPDATE_COMPLETE", deployed.why("types")
    assert deployed.drift("types")["It"] == ("IN_SYNC", [])
    assert pipelines.name == name
    found = pipelines.api.get_pipeline(name=name)["pipeline"]
    assert found["version"] == 2
    assert found["stages"][1]["actions"][0]["configuration"] == {"CustomData": "now"}
    assert deployed.delete("types")["StackStatus"] == "DELETE_COMPLETE"


@pytest.mark.parametrize("restarts", [True, False])
def test_a_changed_pipeline_runs_again_if_it_is_to(deployed, restarts):
    deployed.create("types", pipeline(RestartExecutionOnUpdate=restarts))
    pipelines = Pipelines(deployed)
    assert len(pipelines.executions()) == 1
    deployed.update("types", pipeline("now", RestartExecutionOnUpdate=restarts))
    assert len(pipelines.executions()) == (2 if restarts else 1)


def test_a_roll_back_does_not_run_a_pipeline_again(deployed):
    deployed.create("types", pipeline(RestartExecutionOnUpdate=True))
    pipelines = Pipelines(deployed)
    broken = pipeline("now", RestartExecutionOnUpdate=True)
    broken["Resources"]["Bad"] = {
        **resource("AWS::SQS::Queue", DelaySeconds=100_000),
        "DependsOn": "It",
    }
    failed = deployed.update("types", broken)
    assert failed["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    found = pipelines.api.get_pipeline(name=pipelines.name)["pipeline"]
    assert found["stages"][1]["actions"][0]["configuration"] == {"CustomData": "please"}
    assert len(pipelines.executions()) == 2  # of the creation, and of the update that failed


# Elastic Beanstalk


def options(**values):
    namespaces = {
        "IamInstanceProfile": "aws:autoscaling:launchconfiguration",
        "EnvironmentType": "aws:elasticbeanstalk:environment",
        "COLOUR": "aws:elasticbeanstalk:application:environment",
    }
    return [
        {"Namespace": namespaces[name], "OptionName": name, "Value": value}
        for name, value in values.items()
    ]


class Site:
    """A template of an environment that serves a version by its key in the bucket."""

    def __init__(self, deployed):
        self.deployed = deployed
        api = deployed.client("elasticbeanstalk")
        stacks = api.list_available_solution_stacks()["SolutionStacks"]
        self.platform = next(one for one in stacks if "Python" in one)
        self.s3 = deployed.client("s3")
        self.s3.create_bucket(Bucket="bundles")

    def bundle(self, version, status="200 OK", source=None):
        text = source or f"{APP}VERSION, STATUS = {version!r}, {status!r}\n"
        self.s3.put_object(Bucket="bundles", Key=version, Body=packed(application__py=text))

    def template(self, version, colour="blue", description="d"):
        return {
            "Resources": {
                "Role": resource("AWS::IAM::Role", AssumeRolePolicyDocument=trust("ec2")),
                "Profile": resource("AWS::IAM::InstanceProfile", Roles=[ref("Role")]),
                "Shop": resource("AWS::ElasticBeanstalk::Application", Description=description),
                "Version": resource(
                    "AWS::ElasticBeanstalk::ApplicationVersion",
                    ApplicationName=ref("Shop"),
                    SourceBundle={"S3Bucket": "bundles", "S3Key": version},
                ),
                "Template": resource(
                    "AWS::ElasticBeanstalk::ConfigurationTemplate",
                    ApplicationName=ref("Shop"),
                    SolutionStackName=self.platform,
                    Description=description,
                    OptionSettings=options(
                        IamInstanceProfile=ref("Profile"), EnvironmentType="SingleInstance"
                    ),
                ),
                "It": resource(
                    "AWS::ElasticBeanstalk::Environment",
                    ApplicationName=ref("Shop"),
                    TemplateName=ref("Template"),
                    VersionLabel=ref("Version"),
                    OptionSettings=options(COLOUR=colour),
                    Tags=[{"Key": "team", "Value": "blue"}],
                ),
            },
            "Outputs": {"Url": {"Value": att("It", "EndpointURL")}},
        }


def test_an_environment_is_made_changed_and_deleted(deployed):
    site = Site(deployed)
    site.bundle("one")
    site.bundle("two")
    made = deployed.create("types", site.template("one"))
    assert made["StackStatus"] == "CREATE_COMPLETE", deployed.why("types")
    drift = deployed.drift("types")
    assert {found[0] for found in drift.values()} == {"IN_SYNC"}, drift
    assert deployed.outputs("types")["Url"]
    name = deployed.physical("types", "It")
    changed = deployed.update("types", site.template("two", "red", "e"))
    assert changed["StackStatus"] == "UPDATE_COMPLETE", deployed.why("types")
    drift = deployed.drift("types")
    assert {found[0] for found in drift.values()} == {"IN_SYNC"}, drift
    assert deployed.physical("types", "It") == name
    assert deployed.delete("types")["StackStatus"] == "DELETE_COMPLETE"


def test_a_version_that_does_not_start_leaves_the_old_one_in_place(deployed):
    site = Site(deployed)
    site.bundle("one")
    site.bundle("bad", source="raise RuntimeError('no')\n")
    deployed.create("types", site.template("one"))
    before = deployed.physical("types", "Version")
    failed = deployed.update("types", site.template("bad"))
    assert failed["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE", deployed.why("types")
    assert "Failed to deploy application" in deployed.reason("types", "It", "UPDATE_FAILED")
    [found] = deployed.client("elasticbeanstalk").describe_environments(
        EnvironmentNames=[deployed.physical("types", "It")]
    )["Environments"]
    assert found["VersionLabel"] == before == deployed.physical("types", "Version")


# Stacks within stacks


class Parent:
    def __init__(self, deployed):
        self.deployed = deployed
        self.s3 = deployed.client("s3")
        self.s3.create_bucket(Bucket="templates")

    def child(self, seconds=40, broken=False):
        queue = resource("AWS::SQS::Queue", VisibilityTimeout=seconds)
        resources = {"Queue": queue}
        if broken:
            resources["Bad"] = resource("AWS::SQS::Queue", DelaySeconds=100_000)
        template = {
            "Parameters": {"Delay": {"Type": "Number"}},
            "Resources": {
                name: {
                    **one,
                    "Properties": {"DelaySeconds": ref("Delay"), **one["Properties"]},
                }
                for name, one in resources.items()
            },
            "Outputs": {"Url": {"Value": ref("Queue")}},
        }
        self.s3.put_object(Bucket="templates", Key="c.json", Body=json.dumps(template).encode())

    def template(self, delay=5):
        return {
            "Resources": {
                "Child": resource(
                    "AWS::CloudFormation::Stack",
                    TemplateURL="https://templates.s3.amazonaws.com/c.json",
                    Parameters={"Delay": delay},
                ),
            },
            "Outputs": {"Url": {"Value": att("Child", "Outputs.Url")}},
        }

    def attribute(self, name):
        url = self.deployed.outputs("types")["Url"]
        sqs = self.deployed.client("sqs")
        return sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[name])["Attributes"][name]


def test_a_stack_within_a_stack_is_made_changed_and_deleted(deployed):
    parent = Parent(deployed)
    parent.child()
    made = deployed.create("types", parent.template())
    assert made["StackStatus"] == "CREATE_COMPLETE", deployed.why("types")
    child = deployed.describe(deployed.physical("types", "Child"))
    assert child["ParentId"] == child["RootId"] == made["StackId"]
    assert parent.attribute("DelaySeconds") == "5"
    parent.child(seconds=60)  # the parent's template is the same
    assert deployed.update("types", parent.template())["StackStatus"] == "UPDATE_COMPLETE"
    assert parent.attribute("VisibilityTimeout") == "60"
    assert deployed.update("types", parent.template(6))["StackStatus"] == "UPDATE_COMPLETE"
    assert parent.attribute("DelaySeconds") == "6"
    assert deployed.delete("types")["StackStatus"] == "DELETE_COMPLETE"
    assert deployed.describe(child["StackId"])["StackStatus"] == "DELETE_COMPLETE"
    assert not deployed.client("sqs").list_queues().get("QueueUrls")


def test_a_failing_stack_fails_the_one_around_it(deployed):
    parent = Parent(deployed)
    parent.child(broken=True)
    made = deployed.create("types", parent.template())
    assert made["StackStatus"] == "ROLLBACK_COMPLETE"
    reason = deployed.reason("types", "Child", "CREATE_FAILED")
    assert reason.startswith("Embedded stack arn:aws:cloudformation:")
    assert "was not successfully created: The following resource(s) failed to create" in reason
    assert not deployed.client("sqs").list_queues().get("QueueUrls")


def test_a_failing_change_of_a_stack_within_rolls_both_back(deployed):
    parent = Parent(deployed)
    parent.child()
    deployed.create("types", parent.template())
    parent.child(seconds=60, broken=True)
    failed = deployed.update("types", parent.template(6))
    assert failed["StackStatus"] == "UPDATE_ROLLBACK_FAILED"  # the child's template is still broken
    parent.child()
    deployed.api.continue_update_rollback(StackName="types")
    assert deployed.settled("types")["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert parent.attribute("DelaySeconds") == "5"


# Custom resources

ANSWERS = """
import json, urllib.request

def f(event, context):
    wanted = event["ResourceProperties"]
    print(json.dumps([event["RequestType"], event.get("PhysicalResourceId"), wanted]))
    status = "FAILED" if wanted.get("Fail") == event["RequestType"] else "SUCCESS"
    answer = {
        "Status": status, "Reason": "as asked", "PhysicalResourceId": "thing-" + wanted["Name"],
        "StackId": event["StackId"], "RequestId": event["RequestId"],
        "LogicalResourceId": event["LogicalResourceId"],
        "Data": {"Greeting": "hi " + wanted["Name"]},
    }
    request = urllib.request.Request(
        event["ResponseURL"], data=json.dumps(answer).encode(), method="PUT")
    urllib.request.urlopen(request).close()
"""


def custom(name, fail="", **more):
    properties = {
        "ServiceToken": {"Fn::Sub": "arn:aws:lambda:us-east-1:${AWS::AccountId}:function:maker"},
        "Name": name,
        "Number": 7,
        **more,
    }
    if fail:
        properties["Fail"] = fail
    return {
        "Resources": {"It": resource("Custom::Thing", **properties)},
        "Outputs": {"Said": {"Value": att("It", "Greeting")}},
    }


def requests(account):
    """(request type, physical id or None) in the order in which the function was asked."""
    said = account.said("maker", "[")
    return [tuple(json.loads(line)[:2]) for line in said if line.startswith('["')]


def test_a_custom_resource_is_made_changed_and_deleted(deployed, account):
    account.function("maker", ANSWERS)
    made = deployed.create("types", custom("ada"))
    assert made["StackStatus"] == "CREATE_COMPLETE", deployed.why("types")
    assert deployed.outputs("types")["Said"] == "hi ada"
    assert deployed.physical("types", "It") == "thing-ada"
    assert '"Number": "7"' in account.said("maker", "Create")[0]
    deployed.update("types", custom("ada", Number=8))
    assert deployed.physical("types", "It") == "thing-ada"
    deployed.update("types", custom("bob"))
    assert deployed.physical("types", "It") == "thing-bob"
    assert deployed.delete("types")["StackStatus"] == "DELETE_COMPLETE"
    assert requests(account) == [
        ("Create", None),
        ("Update", "thing-ada"),
        ("Update", "thing-ada"),
        ("Delete", "thing-ada"),
        ("Delete", "thing-bob"),
    ]


def test_a_custom_resource_says_why_it_failed(deployed, account):
    account.function("maker", ANSWERS)
    made = deployed.create("types", custom("ada", fail="Create"))
    assert made["StackStatus"] == "ROLLBACK_COMPLETE"
    reason = deployed.reason("types", "It", "CREATE_FAILED")
    assert reason.startswith(
        "Received response status [FAILED] from custom resource. Message returned: as asked"
    )


def test_a_function_that_never_answers_ends_in_a_stated_failure(deployed, account):
    account.function("maker", "def f(event, context): pass")
    made = deployed.create("types", custom("ada", ServiceTimeout=25))
    assert made["StackStatus"] in ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED")
    reason = deployed.reason("types", "It", "CREATE_FAILED")
    assert "did not receive a response from your Custom Resource" in reason


def test_inline_code_answers_with_the_module_that_comes_with_it(deployed):
    code = (
        "import cfnresponse\n"
        "def handler(event, context):\n"
        "    cfnresponse.send(event, context, cfnresponse.SUCCESS, {'Greeting': 'hello'}, 'me')\n"
    )
    template = {
        "Resources": {
            "Role": resource("AWS::IAM::Role", AssumeRolePolicyDocument=trust("lambda")),
            "Function": resource(
                "AWS::Lambda::Function",
                Code={"ZipFile": code},
                Handler="index.handler",
                Runtime="python3.13",
                Role=att("Role", "Arn"),
            ),
            "It": resource("Custom::Thing", ServiceToken=att("Function", "Arn")),
            "Handle": {"Type": "AWS::CloudFormation::WaitConditionHandle"},
        },
        "Outputs": {"Said": {"Value": att("It", "Greeting")}},
    }
    made = deployed.create("types", template)
    assert made["StackStatus"] == "CREATE_COMPLETE", deployed.why("types")
    assert deployed.outputs("types")["Said"] == "hello"
    until(lambda: deployed.physical("types", "It") == "me")
    assert deployed.delete("types")["StackStatus"] == "DELETE_COMPLETE"
