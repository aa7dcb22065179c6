"""Stacks in an empty account of a real mock."""

import json

import pytest
from botocore.exceptions import ClientError

from tests.cloud.mock.lambda_account import NO_RETRIES, until

CAPABILITIES = ["CAPABILITY_NAMED_IAM"]


class Deployed:
    """A CloudFormation client, and what tests ask of it in few words."""

    def __init__(self, aws):
        self.aws = aws
        self.api = aws.client("cloudformation", config=NO_RETRIES)

    def client(self, name):
        return self.aws.client(name, config=NO_RETRIES)

    def create(self, name, template, wait=True, **more):
        return self._ask(self.api.create_stack, name, template, wait, more)

    def update(self, name, template, wait=True, **more):
        return self._ask(self.api.update_stack, name, template, wait, more)

    def _ask(self, operation, name, template, wait, more):
        body = template if isinstance(template, str) else json.dumps(template)
        stack_id = operation(
            StackName=name, TemplateBody=body, **{"Capabilities": CAPABILITIES, **more}
        )["StackId"]
        return self.settled(stack_id) if wait else stack_id

    def delete(self, name, **more):
        stack_id = self.describe(name)["StackId"]
        self.api.delete_stack(StackName=name, **more)
        return self.settled(stack_id)

    def describe(self, name):
        return self.api.describe_stacks(StackName=name)["Stacks"][0]

    def settled(self, name, seconds=60):
        """The stack when nothing is in progress any more."""

        def look():
            stack = self.describe(name)
            return None if stack["StackStatus"].endswith("_IN_PROGRESS") else stack

        return until(look, seconds)

    def events(self, name):
        """(logical id, status, reason or ""), oldest first."""
        pages = self.api.get_paginator("describe_stack_events").paginate(StackName=name)
        found = [event for page in pages for event in page["StackEvents"]]
        return [
            (one["LogicalResourceId"], one["ResourceStatus"], one.get("ResourceStatusReason", ""))
            for one in reversed(found)
        ]

    def reason(self, name, logical, status):
        """Of the newest event of this resource and status."""
        found = [why for one, its, why in self.events(name) if (one, its) == (logical, status)]
        assert found, self.events(name)
        return found[-1]

    def why(self, name):
        """All reasons of failures, for the message of a failed test."""
        return [event for event in self.events(name) if "FAILED" in event[1]]

    def physical(self, name, logical):
        found = self.api.describe_stack_resource(StackName=name, LogicalResourceId=logical)
        return found["StackResourceDetail"]["PhysicalResourceId"]

    def outputs(self, name):
        found = self.describe(name).get("Outputs", [])
        return {one["OutputKey"]: one["OutputValue"] for one in found}

    def drift(self, name):
        """By logical id, (status, differences), of a detection made now."""
        detection = self.api.detect_stack_drift(StackName=name)["StackDriftDetectionId"]

        def look():
            found = self.api.describe_stack_drift_detection_status(StackDriftDetectionId=detection)
            return found if found["DetectionStatus"] != "DETECTION_IN_PROGRESS" else None

        told = until(look)
        assert told["DetectionStatus"] == "DETECTION_COMPLETE", told
        drifts = self.api.describe_stack_resource_drifts(StackName=name)["StackResourceDrifts"]
        return {
            one["LogicalResourceId"]: (
                one["StackResourceDriftStatus"],
                [
                    (diff["PropertyPath"], diff["ExpectedValue"], diff["ActualValue"])
                    for diff in one["PropertyDifferences"]
                ],
            )
            for one in drifts
        }

    def refused(self, operation, **named):
        """(code, message) of the error that a call ends in."""
        with pytest.raises(ClientError) as caught:
            getattr(self.api, operation)(**named)
        error = caught.value.response["Error"]
        return error["Code"], error["Message"]


@pytest.fixture
def deployed(aws):
    return Deployed(aws)
