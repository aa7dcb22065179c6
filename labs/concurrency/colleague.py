"""A morning on which a colleague has tightened a policy, and objects of a new kind come.

What breaks the copier in exercise 22.3. Read no further if you have it before you.
"""

from typing import Any

import boto3

from labs.concurrency.functions.deploy import may_copy
from labs.course.deploying import NEEDS, policy

DAILY = tuple(f"daily/monday-{number}.bin" for number in range(1, 7))
ARCHIVE = ("archive/june.bin", "archive/july.bin")
SIZE = 700_000_000  # bytes that each stands for


def monday(
    session: boto3.Session, role: str, source: str, destination: str, lost_url: str
) -> list[str]:
    """The keys of the objects that came this morning; none of them is in `destination`.

    role: the copier's. From now on it may write what has come every day so far, and no more.
    lost_url: its dead-letter queue, which it may go on writing to, and which is empty now.
    A second call begins the morning again.
    """
    iam, s3, sqs = map(session.client, ("iam", "s3", "sqs"))
    lost = sqs.get_queue_attributes(QueueUrl=lost_url, AttributeNames=["QueueArn"])["Attributes"]
    tightened = may_copy(
        lost["QueueArn"].split(":")[1], source, f"{destination}/daily", lost["QueueArn"]
    )
    for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        iam.delete_role_policy(RoleName=role, PolicyName=name)
    iam.put_role_policy(RoleName=role, PolicyName=NEEDS, PolicyDocument=policy(tightened))
    empty(sqs, lost_url)
    for key in (*DAILY, *ARCHIVE):
        s3.delete_object(Bucket=destination, Key=key)
        size = {"logical-size": str(SIZE)}
        s3.put_object(Bucket=source, Key=key, Body=key.encode(), Metadata=size)
    return [*DAILY, *ARCHIVE]


def empty(sqs: Any, queue_url: str) -> None:
    """Delete what is in the queue, letter by letter: PurgeQueue may be called once in 60 seconds.

    Source: SQS API, PurgeQueue.
    """
    while letters := sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10).get(
        "Messages"
    ):
        for letter in letters:
            sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=letter["ReceiptHandle"])
