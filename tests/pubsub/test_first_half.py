"""What lesson 32 starts from: no topic, no permission to publish, and it can be made twice."""

import json
from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws

from labs.pubsub import tidying
from labs.pubsub.first_half import deploy_first_half


@pytest.fixture
def session(shared_session) -> Iterator[boto3.Session]:
    """An empty account that has AWS's managed policies."""
    with mock_aws(config={"iam": {"load_aws_managed_policies": True}}):
        yield shared_session


def name(base: str) -> str:
    return f"ada-32-{base}"


def test_a_second_deployment_changes_nothing(session):
    assert deploy_first_half(session, name) == deploy_first_half(session, name)


def test_the_role_may_not_publish_yet_and_there_is_no_topic(session):
    half = deploy_first_half(session, name)
    assert session.client("sns").list_topics()["Topics"] == []
    settings = session.client("lambda").get_function_configuration(FunctionName=half.function)
    assert settings["Environment"]["Variables"] == {"DYNAMO_TABLE": half.table}
    iam = session.client("iam")
    (policy,) = iam.list_role_policies(RoleName=half.role)["PolicyNames"]
    document = iam.get_role_policy(RoleName=half.role, PolicyName=policy)["PolicyDocument"]
    assert [statement["Action"] for statement in document["Statement"]] == ["dynamodb:UpdateItem"]


def test_tidying_takes_what_speaks_of_sns_and_leaves_the_rest(session):
    half = deploy_first_half(session, name)
    iam = session.client("iam")
    before = iam.list_role_policies(RoleName=half.role)["PolicyNames"]
    publish = {"Effect": "Allow", "Action": "sns:Publish", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [publish]})
    iam.put_role_policy(RoleName=half.role, PolicyName="publish", PolicyDocument=document)
    tidying.tidy_up(iam, half.role)
    assert iam.list_role_policies(RoleName=half.role)["PolicyNames"] == before
