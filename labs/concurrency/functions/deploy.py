"""Put publisher, topic and copier into an account.

A second run changes nothing, and a run after a broken one ends in the same place (see `deploying`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

from labs.course import deploying
from labs.course.deploying import allow
from labs.course.packaging import package

SETTINGS = {"Runtime": "python3.13", "MemorySize": 512}  # CPU comes with memory
PUBLISHER_TIMEOUT, COPIER_TIMEOUT = 120, 60  # seconds


@dataclass(frozen=True)
class Deployment:
    """What `deploy` made or found.

    publisher, batch_publisher, copier: names of functions, each with a role of the same name.
    lost_url: the queue where an event ends that the copier failed on to the last.
    """

    topic_arn: str
    publisher: str
    batch_publisher: str
    copier: str
    lost_url: str


def deploy(
    session: boto3.Session, name: Callable[[str], str], source: str, destination: str
) -> Deployment:
    """Deploy the pipeline from bucket to bucket, both of which are there already.

    name: makes a name of this account out of a plain one: `aws.name` in a lesson.

    Returns when the functions can be called. Each has a role of its own, which may do what that
    function does and no more. Raises botocore's ClientError for what AWS refuses.
    """
    iam, functions, sns, sqs = map(session.client, ("iam", "lambda", "sns", "sqs"))
    topic_arn = sns.create_topic(Name=name("copies"))["TopicArn"]  # finds one of this name, too
    partition = topic_arn.split(":")[1]
    lost_url, lost_arn = queue(sqs, name("copies-lost"))

    def function(module: str, plain: str, handler: str, statements: list[dict], **more: Any) -> str:
        role_arn = deploying.role(iam, name(plain), statements)
        code = package(Path(__file__).with_name(f"{module}.py"))
        settings = SETTINGS | {"Handler": f"{module}.{handler}", "Role": role_arn} | more
        return deploying.function(functions, name(plain), code, settings)

    publishing = {
        "statements": may_publish(partition, source, topic_arn),
        "Timeout": PUBLISHER_TIMEOUT,
        "Environment": {"Variables": {"SOURCE_BUCKET": source, "SNS_TOPIC_ARN": topic_arn}},
    }
    function("publisher", "publisher", "handler", **publishing)
    function("publisher", "batch-publisher", "batch_handler", **publishing)
    copier_arn = function(
        "copier",
        "copier",
        "handler",
        may_copy(partition, source, destination, lost_arn),
        Timeout=COPIER_TIMEOUT,
        DeadLetterConfig={"TargetArn": lost_arn},
        Environment={"Variables": {"SOURCE_BUCKET": source, "DESTINATION_BUCKET": destination}},
    )
    deploying.subscription(sns, functions, topic_arn, copier_arn)
    names = map(name, ("publisher", "batch-publisher", "copier"))
    return Deployment(topic_arn, *names, lost_url)


def may_publish(partition: str, source: str, topic_arn: str) -> list[dict[str, str]]:
    """What a publisher may do, besides writing its log."""
    return [
        allow("s3:ListBucket", f"arn:{partition}:s3:::{source}"),
        allow("sns:Publish", topic_arn),
    ]


def may_copy(partition: str, source: str, destination: str, lost_arn: str) -> list[dict[str, str]]:
    """What the copier may do, and Lambda in its name: the dead letter is sent by its role.

    Objects with tags need s3:GetObjectTagging and s3:PutObjectTagging as well (S3 API, CopyObject).
    """
    return [
        allow("s3:GetObject", f"arn:{partition}:s3:::{source}/*"),
        allow("s3:PutObject", f"arn:{partition}:s3:::{destination}/*"),
        allow("sqs:SendMessage", lost_arn),
    ]


def queue(sqs: Any, name: str) -> tuple[str, str]:
    """URL and ARN of the queue; create_queue finds one of the same name and attributes."""
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    return url, found["Attributes"]["QueueArn"]
