"""What the tests of functions and topics deploy, in few words."""

import base64
import io
import json
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from botocore.config import Config

NO_RETRIES = Config(retries={"total_max_attempts": 1})
BASIC = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"


def packed(source: str, **more: str) -> bytes:
    """A zip with app.py, and with other files by their path."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in {"app.py": source, **more}.items():
            archive.writestr(name, text)
    return buffer.getvalue()


def until(condition: Callable[[], Any], seconds: float = 20.0) -> Any:
    """The first true value of `condition()`. Fails when there is none in time."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {condition}"
        time.sleep(0.02)
    return value


class Account:
    """Clients that never retry, and functions whose handler is app.f."""

    def __init__(self, aws: Any) -> None:
        self.aws = aws
        for name in ("lambda", "logs", "iam", "sns", "sqs", "dynamodb", "cloudwatch"):
            setattr(self, name.replace("lambda", "lambda_"), aws.client(name, config=NO_RETRIES))
        self.role("basic", BASIC)

    def role(self, name: str, *policy_arns: str, statements: list[dict] | None = None) -> str:
        role = self.iam.create_role(RoleName=name, AssumeRolePolicyDocument="{}")["Role"]
        for arn in policy_arns:
            self.iam.attach_role_policy(RoleName=name, PolicyArn=arn)
        if statements:
            document = json.dumps({"Version": "2012-10-17", "Statement": statements})
            self.iam.put_role_policy(RoleName=name, PolicyName="inline", PolicyDocument=document)
        return role["Arn"]

    def function(self, name: str, code: str | bytes, **settings: Any) -> str:
        """Create it; its ARN."""
        return self.lambda_.create_function(
            **{
                "FunctionName": name,
                "Runtime": "python3.13",
                "Role": "arn:aws:iam::123456789012:role/basic",
                "Handler": "app.f",
                "Code": {"ZipFile": packed(code) if isinstance(code, str) else code},
                **settings,
            }
        )["FunctionArn"]

    def invoke(self, name: str, event: Any = None, **more: Any) -> dict:
        """Invoke's answer with its payload read: `value` if there is one, and its `log`."""
        payload = {} if event is None else {"Payload": json.dumps(event)}
        answer = self.lambda_.invoke(FunctionName=name, LogType="Tail", **payload, **more)
        body = answer["Payload"].read()
        answer["value"] = json.loads(body) if body else None
        answer["log"] = base64.b64decode(answer.get("LogResult", "")).decode()
        return answer

    def value(self, name: str, event: Any = None, **more: Any) -> Any:
        """What the function returned."""
        answer = self.invoke(name, event, **more)
        assert "FunctionError" not in answer, answer["value"]
        return answer["value"]

    def later(self, name: str, event: Any = None) -> dict:
        return self.lambda_.invoke(
            FunctionName=name, InvocationType="Event", Payload=json.dumps(event)
        )

    def lines(self, name: str) -> list[str]:
        """Everything in a function's log, or nothing if it has none."""
        try:
            pages = self.logs.get_paginator("filter_log_events").paginate(
                logGroupName=f"/aws/lambda/{name}"
            )
            return [event["message"] for page in pages for event in page["events"]]
        except self.logs.exceptions.ResourceNotFoundException:
            return []

    def said(self, name: str, text: str) -> list[str]:
        """The lines of a function's log that contain a text."""
        return [line for line in self.lines(name) if text in line]

    def queue(self, name: str) -> tuple[str, str]:
        """(URL, ARN) of a new SQS queue."""
        url = self.sqs.create_queue(QueueName=name)["QueueUrl"]
        attributes = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        return url, attributes["Attributes"]["QueueArn"]

    def message(self, url: str, seconds: float = 20.0) -> dict:
        """The next message of a queue, with its attributes' values."""

        def receive() -> dict | None:
            got = self.sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"])
            return next(iter(got.get("Messages", [])), None)

        return until(receive, seconds)


#: A handler that says that it runs, and runs until it is let go.
HELD = """
import os, pathlib, time

def f(event, context):
    folder = pathlib.Path(event["folder"])
    (folder / f"started-{context.aws_request_id}-{os.getpid()}").touch()
    while not (folder / "go").exists():
        time.sleep(0.01)
    return os.getpid()
"""


class Gate:
    """Invocations of functions made of HELD, which run until `open`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.event = {"folder": str(folder)}

    def started(self) -> int:
        """How many invocations have begun so far."""
        return len(list(self._folder.glob("started-*")))

    def wait_for(self, count: int) -> None:
        until(lambda: self.started() >= count)

    def open(self) -> None:
        (self._folder / "go").touch()
