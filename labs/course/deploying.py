"""Steps of a deployment, for subjects to share: each makes what is missing, and can run again.

It ends in the same place after any failure, its own included. Sources: the API references of IAM,
Lambda and SNS.
"""

import json
import time
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

BASIC_EXECUTION = "policy/service-role/AWSLambdaBasicExecutionRole"  # may write its log
NEEDS = "needs"  # the name of the policy that says what else a function may do
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
    if statements:
        iam.put_role_policy(RoleName=name, PolicyName=NEEDS, PolicyDocument=policy(statements))
    return arn


def function(functions: Any, name: str, code: bytes, settings: dict[str, Any]) -> str:
    """The ARN of the function `name`, ready, with this code (a zip) and these settings."""

    def create_or_update() -> None:
        try:
            functions.create_function(FunctionName=name, Code={"ZipFile": code}, **settings)
        except functions.exceptions.ResourceConflictException:  # there is one of this name
            wait_until_ready(functions, name)
            functions.update_function_configuration(FunctionName=name, **settings)
            wait_until_ready(functions, name)
            functions.update_function_code(FunctionName=name, ZipFile=code)

    when_role_is_known(create_or_update)
    wait_until_ready(functions, name)
    return functions.get_function_configuration(FunctionName=name)["FunctionArn"]


def wait_until_ready(functions: Any, name: str) -> None:
    """Wait until the function can be called and changed: Lambda takes one change at a time."""
    for state in ("function_active_v2", "function_updated_v2"):
        functions.get_waiter(state).wait(FunctionName=name)


def when_role_is_known(call: Callable[[], None], deadline: float = ROLE_DEADLINE) -> None:
    """Call, and again each second while Lambda does not know the new role, for `deadline` seconds.

    IAM is eventually consistent (IAM guide, "Changes that I make are not always immediately
    visible"); Lambda has no code of its own for this refusal, only these words.
    """
    end = time.monotonic() + deadline
    while True:
        try:
            return call()
        except ClientError as error:
            unknown_role = "cannot be assumed by Lambda" in error.response["Error"]["Message"]
            if not unknown_role or time.monotonic() >= end:
                raise
        time.sleep(1)


def permission(
    functions: Any, function_arn: str, statement: str, service: str, source_arn: str
) -> None:
    """Let `service` invoke the function, for `source_arn` only."""
    if statement in statements(functions, function_arn):
        return  # the id says what it allows
    functions.add_permission(
        FunctionName=function_arn,
        StatementId=statement,
        Action="lambda:InvokeFunction",
        Principal=service,
        SourceArn=source_arn,
    )


def statements(functions: Any, function_arn: str) -> set[str]:
    """The ids of the statements that say who may invoke the function."""
    try:
        text = functions.get_policy(FunctionName=function_arn)["Policy"]
    except functions.exceptions.ResourceNotFoundException:  # nobody yet
        return set()
    return {statement["Sid"] for statement in json.loads(text)["Statement"]}


def subscription(sns: Any, functions: Any, topic_arn: str, function_arn: str) -> None:
    """Have the topic invoke the function. The permission first: no message may come before it."""
    statement = f"topic-{topic_arn.rsplit(':', 1)[1]}"
    permission(functions, function_arn, statement, "sns.amazonaws.com", topic_arn)
    sns.subscribe(TopicArn=topic_arn, Protocol="lambda", Endpoint=function_arn)
