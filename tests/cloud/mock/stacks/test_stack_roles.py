"""Whose permissions count."""

import json

from tests.cloud.mock.stacks.cases import policy, trust
from tests.cloud.mock.stacks.parts import after, queue, queues, template, topic


def role_of(deployed, *actions, service="cloudformation"):
    iam = deployed.client("iam")
    role = iam.create_role(
        RoleName="deployer", AssumeRolePolicyDocument=json.dumps(trust(service))
    )["Role"]
    if actions:
        iam.put_role_policy(
            RoleName="deployer",
            PolicyName="may",
            PolicyDocument=json.dumps(policy(list(actions))),
        )
    return role["Arn"]


def test_a_role_without_a_permission_ends_in_a_roll_back_that_says_which(deployed):
    role = role_of(deployed, "sqs:*")
    body = template(Jobs=queue(), News=after("Jobs", topic()))
    made = deployed.create("shop", body, RoleARN=role)
    assert made["StackStatus"] == "ROLLBACK_COMPLETE"
    assert made["RoleARN"] == role
    reason = deployed.reason("shop", "News", "CREATE_FAILED")
    assert (
        "User: arn:aws:sts::123456789012:assumed-role/deployer/AWSCloudFormation is not "
        "authorized to perform: SNS:CreateTopic"
        in reason
        or "assumed-role/deployer/AWSCloudFormation is not authorized to perform: sns:CreateTopic"
        in reason
    )
    assert "HandlerErrorCode: AccessDenied" in reason
    assert queues(deployed) == []


def test_the_role_is_used_again_for_what_comes_later(deployed):
    role = role_of(deployed, "sqs:*")
    deployed.create("shop", template(Jobs=queue()), RoleARN=role)
    done = deployed.update("shop", template(Jobs=queue(), News=topic()))
    assert done["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert "AWSCloudFormation is not authorized" in deployed.reason("shop", "News", "CREATE_FAILED")
    assert deployed.delete("shop")["StackStatus"] == "DELETE_COMPLETE"


def test_a_role_that_does_not_trust_cloudformation_is_refused(deployed):
    role = role_of(deployed, "*", service="lambda")
    code, message = deployed.refused(
        "create_stack",
        StackName="shop",
        TemplateBody=json.dumps(template(Jobs=queue())),
        RoleARN=role,
    )
    assert (code, message) == ("ValidationError", f"Role {role} is invalid or cannot be assumed")


def test_without_a_role_a_functions_permissions_count(deployed, account):
    role = account.role(
        "maker", statements=[{"Effect": "Allow", "Action": "cloudformation:*", "Resource": "*"}]
    )
    code = (
        "import boto3, json\n"
        "def f(event, context):\n"
        "    body = json.dumps({'Resources': {'Jobs': {'Type': 'AWS::SQS::Queue'}}})\n"
        "    return boto3.client('cloudformation').create_stack(\n"
        "        StackName='shop', TemplateBody=body)['StackId']\n"
    )
    account.function("maker", code, Role=role, Timeout=30)
    made = deployed.settled(account.value("maker"))
    assert made["StackStatus"] == "ROLLBACK_COMPLETE"
    reason = deployed.reason("shop", "Jobs", "CREATE_FAILED")
    assert "assumed-role/maker/maker is not authorized to perform: sqs:CreateQueue" in reason
