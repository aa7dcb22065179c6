"""Put the word counter into an account: table, topic, roles, functions, subscriptions, REST API.

A second run changes nothing, and a run after a broken one ends in the same place (see `deploying`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import boto3

from labs.course import deploying
from labs.course.deploying import allow
from labs.course.packaging import package
from labs.pubsub import ensure

STAGE, PATH = "prod", "aws_advent"  # of the URL; the path is the article's
SETTINGS = {
    "Runtime": "python3.13",
    # Slack leaves after 3 s, but a function stopped half-way has counted half a message.
    "Timeout": 10,
    "MemorySize": 512,  # CPU comes with memory, and importing boto3 takes CPU
}


@dataclass(frozen=True)
class Deployment:
    """What `deploy` made or found.

    url: where to post a Slack form. functions: the name of each function in AWS, by its file's
    name without .py; its role has the same name.
    """

    url: str
    api_id: str
    table: str
    topic_arn: str
    functions: dict[str, str]


def deploy(
    session: boto3.Session,
    name: Callable[[str], str],
    *,
    table: str = "table",
    topic: str = "awsadvent",
) -> Deployment:
    """Deploy the three functions and what joins them; returns when they can be called.

    name:         makes a name of this account out of a plain one: `aws.name` in a lesson.
    table, topic: such plain names; the API is called like the topic.

    Each function gets a role of its own, which may do what that function does and no more. Raises
    RuntimeError for a table with another key, botocore's ClientError for what AWS refuses.
    """
    iam, functions, sns = map(session.client, ("iam", "lambda", "sns"))
    table, topic = name(table), name(topic)
    table_arn = ensure.table(session.client("dynamodb"), table)
    topic_arn = sns.create_topic(Name=topic)["TopicArn"]  # finds a topic of this name, too

    names, arns = {}, {}
    for module, needs in needs_of_functions(table, table_arn, topic_arn).items():
        names[module] = name(module)
        role_arn = deploying.role(iam, names[module], needs.statements)
        code = package(Path(__file__).with_name(f"{module}.py"))
        settings = SETTINGS | {
            "Handler": f"{module}.handler",
            "Role": role_arn,
            "Environment": {"Variables": needs.environment},
        }
        arns[module] = deploying.function(functions, names[module], code, settings)

    for consumer in ("sns_multiplier", "sns_logger"):
        deploying.subscription(sns, functions, topic_arn, arns[consumer])
    gateway = session.client("apigateway")
    api_id = ensure.api(gateway, functions, topic, PATH, STAGE, arns["word_counter"])
    url = f"https://{api_id}.execute-api.{session.region_name}.amazonaws.com/{STAGE}/{PATH}"
    return Deployment(url, api_id, table, topic_arn, names)


@dataclass(frozen=True)
class Needs:
    """What a function may do, besides writing its log, and the variables it is given."""

    statements: list[dict[str, str]]
    environment: dict[str, str]


def needs_of_functions(table: str, table_arn: str, topic_arn: str) -> dict[str, Needs]:
    """The needs of each function, by the name of its file."""
    update = allow("dynamodb:UpdateItem", table_arn)
    return {
        "word_counter": Needs(
            [update, allow("sns:Publish", topic_arn)],
            {"DYNAMO_TABLE": table, "SNS_TOPIC_ARN": topic_arn},
        ),
        "sns_multiplier": Needs([update], {"DYNAMO_TABLE": table}),
        "sns_logger": Needs([], {}),
    }
