"""What lesson 31 ends with: table, role, word counter and URL. There is no topic yet."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import boto3

from labs.course import deploying
from labs.course.packaging import package
from labs.pubsub import ensure
from labs.pubsub.deploy import PATH, SETTINGS, STAGE


@dataclass(frozen=True)
class FirstHalf:
    """The names in AWS of what was made, and the URL where a Slack form can be posted."""

    url: str
    function: str
    role: str
    table: str
    table_arn: str


def deploy_first_half(session: boto3.Session, name: Callable[[str], str]) -> FirstHalf:
    """Deploy the word counter without a topic; a second run changes nothing.

    name: makes a name of this account out of a plain one: `aws.name` in a lesson.

    The function's role may add to the table and write a log. Raises as `deploy.deploy` does.
    """
    table, role = name("table"), name("aws_advent_lambda_dynamo")
    table_arn = ensure.table(session.client("dynamodb"), table)
    may = [deploying.allow("dynamodb:UpdateItem", table_arn)]
    settings = SETTINGS | {
        "Handler": "word_counter.handler",
        "Role": deploying.role(session.client("iam"), role, may),
        "Environment": {"Variables": {"DYNAMO_TABLE": table}},
    }
    functions, gateway = session.client("lambda"), session.client("apigateway")
    code = package(Path(__file__).with_name("word_counter.py"))
    function = name("aws_advent")
    function_arn = deploying.function(functions, function, code, settings)
    api_id = ensure.api(gateway, functions, function, PATH, STAGE, function_arn)
    url = f"https://{api_id}.execute-api.{session.region_name}.amazonaws.com/{STAGE}/{PATH}"
    return FirstHalf(url, function, role, table, table_arn)
