"""The steps of this deployment: each looks at what is there and makes what is missing.

Subjects of the course do not import each other: lesson 31 has its own. Sources: the API
references of the services called.
"""

import json
import time
from contextlib import suppress
from typing import Any

from botocore.exceptions import ClientError

BASIC_EXECUTION = "policy/service-role/AWSLambdaBasicExecutionRole"  # may write its log
ROLE_DEADLINE = 60.0  # seconds; a new role is there at once and known everywhere a little later


def allow(action: str, resource: str) -> dict[str, str]:
    """A policy statement that allows one action on one resource."""
    return {"Effect": "Allow", "Action": action, "Resource": resource}


def policy(statements: list[dict]) -> str:
    """The JSON of a policy document."""
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


TRUST = policy(
    [
        {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ]
)


def queue(sqs: Any, name: str) -> tuple[str, str]:
    """URL and ARN of the queue; create_queue finds one of the same name and attributes."""
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    return url, found["Attributes"]["QueueArn"]


def role(iam: Any, name: str, statements: list[dict]) -> str:
    """The ARN of a role that Lambda may take on, write a log with, and do `statements` with."""
    try:
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)
    except iam.exceptions.EntityAlreadyExistsException:
        iam.update_assume_role_policy(RoleName=name, PolicyDocument=TRUST)
    iam.get_waiter("role_exists").wait(RoleName=name)
    arn = iam.get_role(RoleName=name)["Role"]["Arn"]
    partition = arn.split(":")[1]
    iam.attach_role_policy(RoleName=name, PolicyArn=f"arn:{partition}:iam::aws:{BASIC_EXECUTION}")
    iam.put_role_policy(RoleName=name, PolicyName="copies", PolicyDocument=policy(statements))
    return arn


def function(functions: Any, name: str, code: bytes, settings: dict[str, Any]) -> str:
    """The ARN of the function `name`, ready, with this code (a zip) and these settings.

    Lambda does not know a new role at once and has no code of its own for that, only words (IAM
    guide, "Changes that I make are not always immediately visible"): tried again for a minute.
    """
    end = time.monotonic() + ROLE_DEADLINE
    while True:
        try:
            create_or_update(functions, name, code, settings)
            break
        except ClientError as error:
            unknown_role = "cannot be assumed by Lambda" in error.response["Error"]["Message"]
            if not unknown_role or time.monotonic() >= end:
                raise
        time.sleep(1)
    wait_until_ready(functions, name)
    return functions.get_function_configuration(FunctionName=name)["FunctionArn"]


def create_or_update(functions: Any, name: str, code: bytes, settings: dict[str, Any]) -> None:
    """One try. Raises ClientError."""
    try:
        functions.create_function(FunctionName=name, Code={"ZipFile": code}, **settings)
    except functions.exceptions.ResourceConflictException:  # there is one of this name
        wait_until_ready(functions, name)
        functions.update_function_configuration(FunctionName=name, **settings)
        wait_until_ready(functions, name)
        functions.update_function_code(FunctionName=name, ZipFile=code)


def wait_until_ready(functions: Any, name: str) -> None:
    """Wait until the function can be called and changed: Lambda takes one change at a time."""
    for state in ("function_active_v2", "function_updated_v2"):
        functions.get_waiter(state).wait(FunctionName=name)


def subscription(sns: Any, functions: Any, topic_arn: str, function_arn: str) -> None:
    """Have the topic invoke the function. The permission first: no message may come before it."""
    with suppress(functions.exceptions.ResourceConflictException):  # it is there
        functions.add_permission(
            FunctionName=function_arn,
            StatementId=f"topic-{topic_arn.rsplit(':', 1)[1]}",  # the id says what it allows
            Action="lambda:InvokeFunction",
            Principal="sns.amazonaws.com",
            SourceArn=topic_arn,
        )
    sns.subscribe(TopicArn=topic_arn, Protocol="lambda", Endpoint=function_arn)
