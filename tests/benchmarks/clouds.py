"""Mocks to measure, and what the measures put into them."""

import contextlib
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
from botocore.config import Config

from labs import cloud
from labs.course.packaging import package

#: The kinds of function that are measured, by what they need of boto3.
SOURCES = {
    "trivial": """
def handler(event, context):
    return event
""",
    "boto3": """
import boto3
table = boto3.client("dynamodb")

def handler(event, context):
    return event
""",
    "call": """
import boto3
table = boto3.client("dynamodb")

def handler(event, context):
    table.update_item(
        TableName="counts",
        Key={"name": {"S": event.get("name", "calls")}},
        UpdateExpression="ADD #count :one",
        ExpressionAttributeNames={"#count": "count"},
        ExpressionAttributeValues={":one": {"N": "1"}},
    )
    return event
""",
}
#: Has as many sandboxes at once as there are invocations: each waits for all the others.
MEET = """
import os, pathlib, time

def meet(event):
    folder = pathlib.Path(event["folder"])
    (folder / str(os.getpid())).touch()
    while len(list(folder.iterdir())) < event["n"]:
        time.sleep(0.02)
"""
PATIENT = Config(
    max_pool_connections=64, read_timeout=120, retries={"mode": "standard", "total_max_attempts": 9}
)


@contextlib.contextmanager
def mock(sandbox: str = "zygote") -> Iterator[cloud.Connection]:
    """A mock of its own. sandbox: how it starts sandboxes, "zygote" or "spawn"."""
    os.environ["LABS_SANDBOX"] = sandbox
    try:
        with cloud.connect(lesson="bench") as aws:
            yield aws
    finally:
        del os.environ["LABS_SANDBOX"]


def mock_process() -> psutil.Process:
    """The mock that this process started."""
    for child in psutil.Process().children():
        if "labs.cloud.mock" in child.cmdline():
            return child
    raise RuntimeError("There is no mock among the children of this process: connect first.")


def make_table(aws: cloud.Connection, name: str = "counts") -> None:
    aws.client("dynamodb").create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "name", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "name", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )


def make_role(aws: cloud.Connection) -> str:
    """The ARN of a role that may write its log and the tables."""
    iam = aws.client("iam")
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "lambda.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
    role = iam.create_role(RoleName="bench", AssumeRolePolicyDocument=json.dumps(trust))["Role"]
    for policy in ("service-role/AWSLambdaBasicExecutionRole", "AmazonDynamoDBFullAccess"):
        iam.attach_role_policy(RoleName="bench", PolicyArn=f"arn:aws:iam::aws:policy/{policy}")
    return role["Arn"]


def make_function(aws: cloud.Connection, name: str, source: str, role_arn: str) -> str:
    """The new function's ARN."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "function.py")
        file.write_text(source, encoding="utf-8")
        return aws.client("lambda").create_function(
            FunctionName=name,
            Runtime="python3.13",
            Role=role_arn,
            Handler="function.handler",
            Code={"ZipFile": package(file)},
            Timeout=60,
        )["FunctionArn"]


def invoke(functions: Any, name: str, event: Mapping[str, Any]) -> None:
    """Invoke and wait. Raises RuntimeError when the function fails."""
    answer = functions.invoke(FunctionName=name, Payload=json.dumps(event))
    payload = answer["Payload"].read()
    if "FunctionError" in answer:
        raise RuntimeError(f"The benchmark's function {name} failed: {payload.decode()}")


def fill_with_sandboxes(aws: cloud.Connection, kind: str, role_arn: str, count: int) -> None:
    """Leave `count` warm sandboxes of a function of this kind that have run once."""
    source = SOURCES[kind] + MEET + "\nrun = handler\n"
    source += "def handler(event, context):\n    run(event, context)\n    meet(event)\n"
    make_function(aws, f"many-{kind}", source, role_arn)
    functions = aws.client("lambda", config=PATIENT)
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(count) as clients:
        event = {"folder": folder, "n": count}
        list(clients.map(lambda _: invoke(functions, f"many-{kind}", event), range(count)))
