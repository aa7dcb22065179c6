"""A single AWS API call, one after the other on one connection."""

from tests.benchmarks import clouds
from tests.benchmarks.rows import Row, milliseconds, spread

TIMES = 300


def measure() -> list[Row]:
    """api.*: milliseconds from the call of boto3 to its return."""
    with clouds.mock() as aws:
        sts, dynamodb, sns, s3 = map(aws.client, ("sts", "dynamodb", "sns", "s3"))
        clouds.make_table(aws)
        topic_arn = sns.create_topic(Name="bench")["TopicArn"]
        s3.create_bucket(Bucket="bench")
        calls = {
            "sts_get_caller_identity": sts.get_caller_identity,
            "dynamodb_update_item": lambda: dynamodb.update_item(
                TableName="counts",
                Key={"name": {"S": "calls"}},
                UpdateExpression="ADD #count :one",
                ExpressionAttributeNames={"#count": "count"},
                ExpressionAttributeValues={":one": {"N": "1"}},
            ),
            "sns_publish": lambda: sns.publish(TopicArn=topic_arn, Message="some words"),
            "s3_put_object": lambda: s3.put_object(Bucket="bench", Key="key", Body=b"x" * 10_000),
            "s3_head_object": lambda: s3.head_object(Bucket="bench", Key="key"),
        }
        rows = []
        for name, call in calls.items():
            for _ in range(5):
                call()
            times = [milliseconds(call) for _ in range(TIMES)]
            rows += spread(f"api.{name}", times, "ms")
        return rows
