"""Drift: what somebody has changed behind a stack's back."""

import pytest

from labs.cloud.mock.stacks import drift
from tests.cloud.mock.stacks.cases import att, resource, trust

TEMPLATE = {
    "Resources": {
        "Jobs": resource(
            "AWS::SQS::Queue",
            VisibilityTimeout=40,
            RedrivePolicy={"deadLetterTargetArn": att("Dead", "Arn"), "maxReceiveCount": 3},
            Tags=[{"Key": "team", "Value": "blue"}],
        ),
        "Dead": resource("AWS::SQS::Queue"),
        "Role": resource(
            "AWS::IAM::Role",
            AssumeRolePolicyDocument=trust("lambda"),
            ManagedPolicyArns=["arn:aws:iam::aws:policy/AmazonSQSFullAccess"],
        ),
        "Group": resource(
            "AWS::EC2::SecurityGroup",
            GroupDescription="g",
            SecurityGroupIngress=[
                {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "CidrIp": "0.0.0.0/0"}
            ],
        ),
    }
}


def test_drift_is_what_differs_from_the_template_and_goes_when_it_is_mended(deployed):
    deployed.create("shop", TEMPLATE)
    assert {found[0] for found in deployed.drift("shop").values()} == {"IN_SYNC"}
    assert deployed.describe("shop")["DriftInformation"]["StackDriftStatus"] == "IN_SYNC"
    sqs, url = deployed.client("sqs"), deployed.physical("shop", "Jobs")
    sqs.set_queue_attributes(
        QueueUrl=url, Attributes={"VisibilityTimeout": "99", "DelaySeconds": "7"}
    )
    sqs.tag_queue(QueueUrl=url, Tags={"team": "red"})
    found = deployed.drift("shop")
    assert found["Jobs"] == (
        "MODIFIED",
        [("/VisibilityTimeout", "40", "99"), ("/Tags/0/Value", "blue", "red")],
    )
    assert found["Dead"] == ("IN_SYNC", [])
    assert deployed.describe("shop")["DriftInformation"]["StackDriftStatus"] == "DRIFTED"
    summaries = deployed.api.list_stack_resources(StackName="shop")["StackResourceSummaries"]
    told = {one["LogicalResourceId"]: one["DriftInformation"] for one in summaries}
    assert told["Jobs"]["StackResourceDriftStatus"] == "MODIFIED"
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "40"})
    sqs.tag_queue(QueueUrl=url, Tags={"team": "blue"})
    assert deployed.drift("shop")["Jobs"] == ("IN_SYNC", [])


def test_what_was_taken_away_and_added_is_told(deployed):
    deployed.create("shop", TEMPLATE)
    deployed.client("sqs").set_queue_attributes(
        QueueUrl=deployed.physical("shop", "Jobs"), Attributes={"RedrivePolicy": ""}
    )
    deployed.client("iam").attach_role_policy(
        RoleName=deployed.physical("shop", "Role"),
        PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess",
    )
    deployed.client("ec2").authorize_security_group_ingress(
        GroupId=deployed.physical("shop", "Group"),
        IpPermissions=[
            {
                "IpProtocol": "tcp",
                "FromPort": 22,
                "ToPort": 22,
                "IpRanges": [{"CidrIp": "0.0.0.0/0"}],
            }
        ],
    )
    found = deployed.drift("shop")
    assert found["Jobs"][0] == "MODIFIED"
    assert found["Jobs"][1][0][0] == "/RedrivePolicy"
    [(path, expected, actual)] = found["Role"][1]
    assert path.startswith("/ManagedPolicyArns/")
    assert (expected, actual) == ("null", "arn:aws:iam::aws:policy/AdministratorAccess")
    [difference] = found["Group"][1]
    assert difference[0] == "/SecurityGroupIngress/1"
    assert '"FromPort": 22' in difference[2]


def test_what_was_deleted_is_told(deployed):
    deployed.create("shop", TEMPLATE)
    deployed.client("sqs").delete_queue(QueueUrl=deployed.physical("shop", "Jobs"))
    assert deployed.drift("shop")["Jobs"] == ("DELETED", [])
    drifts = deployed.api.describe_stack_resource_drifts(
        StackName="shop", StackResourceDriftStatusFilters=["DELETED"]
    )["StackResourceDrifts"]
    assert [one["LogicalResourceId"] for one in drifts] == ["Jobs"]
    assert "ActualProperties" not in drifts[0]


def test_one_resource_can_be_looked_at(deployed):
    deployed.create("shop", TEMPLATE)
    url = deployed.physical("shop", "Jobs")
    deployed.client("sqs").set_queue_attributes(
        QueueUrl=url, Attributes={"VisibilityTimeout": "99"}
    )
    found = deployed.api.detect_stack_resource_drift(StackName="shop", LogicalResourceId="Jobs")
    assert found["StackResourceDrift"]["StackResourceDriftStatus"] == "MODIFIED"


def test_detections_and_stacks_that_are_not_there_are_refused(deployed):
    code, message = deployed.refused(
        "describe_stack_drift_detection_status", StackDriftDetectionId="x" * 36
    )
    assert code == "ValidationError"
    assert "does not exist" in message
    code, _ = deployed.refused("detect_stack_drift", StackName="nope")
    assert code == "ValidationError"


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        (5, "5"),
        ("5", 5.0),
        (True, "true"),
        ({"a": [1]}, '{"a": [1]}'),
        (
            [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}],
            [{"Key": "b", "Value": "2"}, {"Key": "a", "Value": "1"}],
        ),
        ({"a": True, "b": "1"}, {"b": 1, "a": "true"}),
    ],
)
def test_the_same_in_other_words_is_no_difference(expected, actual):
    assert drift.same(expected, actual)


@pytest.mark.parametrize(
    ("expected", "actual"), [(5, 6), ("a", "b"), ({"a": 1}, {"a": 1, "b": 2}), ([1], [1, 2])]
)
def test_other_things_are_a_difference(expected, actual):
    assert not drift.same(expected, actual)
