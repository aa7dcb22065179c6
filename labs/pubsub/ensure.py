"""The steps of a deployment: each looks at what is there and makes what is missing.

Each can run again after any failure, its own included, and then ends in the same place.
Sources: the API references of the services called.
"""

import json
import time
from collections.abc import Callable
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


def table(dynamodb: Any, name: str) -> str:
    """The ARN of the table, active, with the string key `word`, paid by request.

    Raises RuntimeError when a table of this name has another key.
    """
    key = [{"AttributeName": "word", "KeyType": "HASH"}]
    columns = [{"AttributeName": "word", "AttributeType": "S"}]
    with suppress(dynamodb.exceptions.ResourceInUseException):  # it is there, or on its way
        dynamodb.create_table(
            TableName=name,
            KeySchema=key,
            AttributeDefinitions=columns,
            BillingMode="PAY_PER_REQUEST",
        )
    dynamodb.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 2})
    found = dynamodb.describe_table(TableName=name)["Table"]
    if found["KeySchema"] != key or found["AttributeDefinitions"] != columns:
        raise RuntimeError(
            f"The table {name} is there with the key {found['KeySchema']}"
            f" {found['AttributeDefinitions']}; the word counter needs the string key `word` alone."
            " Delete that table, or deploy under another name."
        )
    return found["TableArn"]


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
        iam.put_role_policy(
            RoleName=name, PolicyName="word-counter", PolicyDocument=policy(statements)
        )
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


def api(gateway: Any, functions: Any, name: str, path: str, stage: str, function_arn: str) -> str:
    """The id of a REST API whose stage `stage` passes POST /`path` on to the function."""
    api_id = (
        find_api(gateway, name)
        or gateway.create_rest_api(name=name, endpointConfiguration={"types": ["REGIONAL"]})["id"]
    )
    _, partition, _, region, account, *_ = function_arn.split(":")
    permission(
        functions,
        function_arn,
        f"api-{api_id}-{path}",
        "apigateway.amazonaws.com",
        f"arn:{partition}:execute-api:{region}:{account}:{api_id}/*/POST/{path}",
    )
    method = {
        "restApiId": api_id,
        "resourceId": resource(gateway, api_id, path),
        "httpMethod": "POST",
    }
    with suppress(gateway.exceptions.ConflictException):
        gateway.put_method(**method, authorizationType="NONE")  # "Open", as in the article
    gateway.put_integration(
        **method,
        type="AWS_PROXY",
        integrationHttpMethod="POST",  # how API Gateway calls Lambda, whatever the client sent
        uri=f"arn:{partition}:apigateway:{region}:lambda:path/2015-03-31/functions/"
        f"{function_arn}/invocations",
    )
    # A stage shows the API as it was when it was deployed; it comes last, so it shows the whole.
    stages = gateway.get_stages(restApiId=api_id)["item"]
    if stage not in {item["stageName"] for item in stages}:
        gateway.create_deployment(restApiId=api_id, stageName=stage)
    return api_id


def find_api(gateway: Any, name: str) -> str | None:
    """The id of the oldest API of this name, or None. AWS would make a second of the same name."""
    pages = gateway.get_paginator("get_rest_apis").paginate()
    found = [item for page in pages for item in page["items"] if item["name"] == name]
    return min(found, key=lambda item: item["createdDate"])["id"] if found else None


def resource(gateway: Any, api_id: str, path: str) -> str:
    """The id of the resource /`path`, made below the root if it is not there."""
    pages = gateway.get_paginator("get_resources").paginate(restApiId=api_id)
    ids = {item["path"]: item["id"] for page in pages for item in page["items"]}
    if f"/{path}" in ids:
        return ids[f"/{path}"]
    made = gateway.create_resource(restApiId=api_id, parentId=ids["/"], pathPart=path)
    return made["id"]
