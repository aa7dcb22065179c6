"""Templates in few words, and what tests of stacks look at."""

from tests.cloud.mock.stacks.cases import resource

FAST = {"Delay": 0.05, "MaxAttempts": 400}
#: A queue that SQS refuses, and the schema does not.
BAD = resource("AWS::SQS::Queue", RedrivePolicy={"deadLetterTargetArn": "no", "maxReceiveCount": 0})
#: A queue that the schema refuses.
INVALID = resource("AWS::SQS::Queue", DelaySeconds=100_000)


def template(**resources):
    return {"Resources": resources}


def queue(**properties):
    return resource("AWS::SQS::Queue", **properties)


def topic(**properties):
    return resource("AWS::SNS::Topic", **properties)


def after(other, definition):
    return {**definition, "DependsOn": other}


def queues(deployed):
    return deployed.client("sqs").list_queues().get("QueueUrls", [])


def attribute(deployed, url, name):
    found = deployed.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=[name])
    return found["Attributes"][name]
