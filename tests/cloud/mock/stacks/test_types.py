"""Every type that the mock makes: as the template says straight after, after a change, and gone."""

import fnmatch
import json
import os

import pytest
import requests

from labs.cloud.mock.iam.permissions import needed
from labs.cloud.mock.operations import Operation
from labs.cloud.mock.stacks import schemas
from tests.cloud.mock.stacks.cases import CASES, policy, trust


def template(case, properties, attributes=False):
    outputs = {"Ref": {"Value": {"Ref": "It"}}}
    if attributes:
        outputs |= {
            name.replace(".", ""): {"Value": {"Fn::GetAtt": ["It", name]}}
            for name in case.attributes.split()
        }
    it = {"Type": case.type, "Properties": properties, "DependsOn": list(case.depends)}
    return {"Resources": {**case.others, "It": it}, "Outputs": outputs}


def check_in_sync(deployed):
    drift = deployed.drift("types")
    assert drift["It"][0] in ("IN_SYNC", "NOT_CHECKED"), drift["It"]
    others = {
        name: found for name, found in drift.items() if found[0] not in ("IN_SYNC", "NOT_CHECKED")
    }
    assert not others


@pytest.fixture
def role(deployed):
    """The ARN of a role that may do everything, whose calls the trace tells from others."""
    iam = deployed.client("iam")
    made = iam.create_role(
        RoleName="deployer", AssumeRolePolicyDocument=json.dumps(trust("cloudformation"))
    )
    iam.put_role_policy(
        RoleName="deployer", PolicyName="all", PolicyDocument=json.dumps(policy("*"))
    )
    return made["Role"]["Arn"]


def used_actions():
    """What has been done under the stack's role, as IAM calls it."""
    calls = requests.get(f"{os.environ['AWS_ENDPOINT_URL']}/_labs/calls?last=5000", timeout=20)
    return {
        permission.action
        for call in calls.json()
        if call["caller"] == "AWSCloudFormation"
        for permission in needed(Operation(call["service"], call["operation"]), "1")
    }


def granted(types):
    """The permissions that AWS's own handlers of these types ask for."""
    return {
        action
        for name in types
        for handler in schemas.schema(name).get("handlers", {}).values()
        for action in handler.get("permissions", ())
    }


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_a_type_is_made_changed_and_deleted(deployed, role, case):
    made = deployed.create("types", template(case, case.properties, attributes=True), RoleARN=role)
    assert made["StackStatus"] == "CREATE_COMPLETE", deployed.why("types")
    outputs = deployed.outputs("types")
    assert all(outputs.values()), outputs
    check_in_sync(deployed)
    physical = deployed.physical("types", "It")
    if case.changed is not None:
        changed = deployed.update("types", template(case, case.changed))
        assert changed["StackStatus"] == "UPDATE_COMPLETE", deployed.why("types")
        assert not deployed.why("types")
        assert deployed.physical("types", "It") == physical
        check_in_sync(deployed)
        back = deployed.update("types", template(case, case.properties))
        assert back["StackStatus"] == "UPDATE_COMPLETE", deployed.why("types")
        check_in_sync(deployed)
    if case.replaced is not None:
        replaced = deployed.update("types", template(case, case.replaced))
        assert replaced["StackStatus"] == "UPDATE_COMPLETE", deployed.why("types")
        assert deployed.physical("types", "It") != physical
        check_in_sync(deployed)
    gone = deployed.delete("types")
    assert gone["StackStatus"] == "DELETE_COMPLETE", deployed.why(gone["StackId"])
    assert not [event for event in deployed.events(gone["StackId"]) if "FAILED" in event[1]]
    # A role that is enough for AWS's handlers is enough here.
    types = {one["Type"] for one in case.others.values()} | {case.type}
    allowed = [action.lower() for action in granted(types)]
    outside = {
        action
        for action in used_actions()
        if not any(fnmatch.fnmatch(action.lower(), one) for one in allowed)
    }
    assert not outside
