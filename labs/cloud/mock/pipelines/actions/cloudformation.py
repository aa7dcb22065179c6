"""The CloudFormation deploy action: stacks and change sets.

Sources: User Guide, "AWS CloudFormation deploy action reference"; CloudFormation User Guide,
"Configuration properties reference", "CloudFormation artifacts", "Using parameter override
functions". Texts of failed stacks: as users quote them (aws-solutions-library-samples/
data-lakes-on-aws issue 245, aws-samples/immutable-server-pipeline issue 4). That a stack or change
set without changes counts as a success is what users of pipelines see; no AWS page says so.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from labs.cloud.mock.pipelines.actions.parameters import Parameters, read_parameters
from labs.cloud.mock.pipelines.work import (
    CONFIGURATION,
    JOB_FAILED,
    TIMEOUT,
    ActionFailed,
    Done,
    Work,
    as_failure,
    is_denial,
    new_key,
    zipped,
)

#: Of a stack that REPLACE_ON_FAILURE deletes. Source: the action's reference; CloudFormation's list
#: of the action's properties adds ROLLBACK_COMPLETE.
FAILED_STATES = frozenset(
    {
        "CREATE_FAILED",
        "DELETE_FAILED",
        "ROLLBACK_COMPLETE",
        "ROLLBACK_FAILED",
        "UPDATE_ROLLBACK_FAILED",
    }
)
GOOD_STATES = frozenset({"CREATE_COMPLETE", "IMPORT_COMPLETE", "UPDATE_COMPLETE"})
#: Bytes of a template that a call takes; larger ones are left in the bucket of artifacts.
LONGEST_BODY = 51_200


def perform(work: Work) -> Done:
    mode = work.configuration["ActionMode"]
    if mode not in _MODES:
        raise ActionFailed(CONFIGURATION, f"'{mode}' is no ActionMode: {', '.join(_MODES)}")
    return _MODES[mode](Deployment(work))


class Deployment:
    """One stack, as an action of a pipeline deals with it."""

    def __init__(self, work: Work) -> None:
        self.work, self.given = work, work.configuration
        self.name = self.given["StackName"]

    @property
    def api(self) -> Any:
        return self.work.client("cloudformation")

    def stack(self, name: str = "") -> dict[str, Any] | None:
        """The stack as it is now; None when there is none."""
        try:
            return self.api.describe_stacks(StackName=name or self.name)["Stacks"][0]
        except ClientError as refused:
            if "does not exist" in str(refused):
                return None
            raise

    def required(self, key: str) -> str:
        if not self.given.get(key):
            mode = self.given["ActionMode"]
            raise ActionFailed(CONFIGURATION, f"{key} is required for the ActionMode {mode}")
        return self.given[key]

    def template(self) -> dict[str, Any]:
        """TemplateBody or TemplateURL, parameters, capabilities, tags and role, for a call."""
        content = self.work.file(self.required("TemplatePath"))
        wanted = read_parameters(self.work)
        call: dict[str, Any] = {
            "StackName": self.name,
            "RoleARN": self.required("RoleArn"),
            "Parameters": [
                {"ParameterKey": key, "ParameterValue": value}
                for key, value in wanted.values.items()
            ],
            "Capabilities": self.capabilities(),
            **_tags_and_policy(wanted),
        }
        if len(content) <= LONGEST_BODY:
            return {**call, "TemplateBody": _text(content)}
        [bucket] = {one.bucket for one in self.work.run.inputs[:1]}
        key = new_key(self.work.execution.pipeline.name, "template")
        self.work.client("s3").put_object(Bucket=bucket, Key=key, Body=content)
        return {
            **call,
            "TemplateURL": f"https://s3.{self.work.run.region}.amazonaws.com/{bucket}/{key}",
        }

    def capabilities(self) -> list[str]:
        listed = self.given.get("Capabilities", "").split(",")
        return [one.strip() for one in listed if one.strip()]

    def settled(self, stack_id: str) -> dict[str, Any] | None:
        """The stack, when nothing is in progress any more."""
        self.work.show(external_id=stack_id)

        def look() -> dict[str, Any] | None:
            stack = self.stack(stack_id)
            if stack is None:
                return {"StackStatus": "DELETE_COMPLETE", "StackId": stack_id}
            return stack if not stack["StackStatus"].endswith("_IN_PROGRESS") else None

        stack = self.work.look(look, self.work.motor.waits.stack)
        if stack is None:
            raise ActionFailed(TIMEOUT, f"Stack {self.name} has not come to rest in 3 days")
        return stack

    def deployed(self, stack_id: str, what: str) -> Done:
        """Wait, and tell what came out. what: "create stack" and the like, for the failure."""
        stack = self.settled(stack_id)
        if stack["StackStatus"] not in GOOD_STATES:
            status = stack["StackStatus"]
            raise ActionFailed(
                JOB_FAILED, f"Failed to {what}. Current stack status: {status}. {self.why(stack)}"
            )
        return self.outputs(stack, f"Stack {self.name} is {stack['StackStatus']}")

    def outputs(self, stack: dict[str, Any], summary: str) -> Done:
        """Success: with the stack's outputs as variables, and as a file if one is wanted."""
        values = {one["OutputKey"]: one["OutputValue"] for one in stack.get("Outputs", ())}
        file_name = self.given.get("OutputFileName")
        if self.work.run.outputs:
            [output] = self.work.run.outputs
            content = json.dumps(values, indent=2).encode()
            self.work.write(output, zipped({file_name: content} if file_name else {}))
        return Done(summary, stack["StackId"], variables=values)

    def why(self, stack: dict[str, Any]) -> str:
        """What went wrong first, since the stack's last beginning."""
        try:
            events = self.api.describe_stack_events(StackName=stack["StackId"])["StackEvents"]
        except ClientError as refused:
            if is_denial(refused):
                return (
                    "Status reason is not available because IAM role associated with the action "
                    "does not have CloudFormation DescribeStackEvents permission"
                )
            raise
        reason = ""
        for event in events:  # the newest first
            is_stack = event.get("PhysicalResourceId") == event.get("StackId")
            status, text = event.get("ResourceStatus", ""), event.get("ResourceStatusReason", "")
            if status.endswith("_FAILED") and "cancelled" not in text.lower():
                reason = text or reason
            if is_stack and status in ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS"):
                break
        reason = reason or stack.get("StackStatusReason", "")
        return f"Reason: {reason or 'No reason was provided.'}"


# --- modes --------------------------------------------------------------------------------------


def create_update(deployment: Deployment) -> Done:
    call, stack = deployment.template(), deployment.stack()
    if stack is None:
        return _create(deployment, call)
    return _update(deployment, call, stack)


def replace_on_failure(deployment: Deployment) -> Done:
    call, stack = deployment.template(), deployment.stack()
    if stack and stack["StackStatus"] in FAILED_STATES:
        _delete(deployment, stack)
        stack = None
    if stack is None:
        return _create(deployment, call)
    return _update(deployment, call, stack)


def delete_only(deployment: Deployment) -> Done:
    stack = deployment.stack()
    if stack is None:
        return Done(f"Stack {deployment.name} does not exist")
    _delete(deployment, stack)
    return Done(f"Stack {deployment.name} is deleted", stack["StackId"])


def change_set_replace(deployment: Deployment) -> Done:
    call, name, stack = (
        deployment.template(),
        deployment.required("ChangeSetName"),
        deployment.stack(),
    )
    api = deployment.api
    is_new = stack is None or stack["StackStatus"] == "REVIEW_IN_PROGRESS"
    if stack is not None:
        api.delete_change_set(StackName=deployment.name, ChangeSetName=name)
        deployment.work.look(
            lambda: _change_set(deployment, name) is None, deployment.work.motor.waits.other
        )
    call.pop("StackPolicyBody", None)  # a change set takes none
    made = api.create_change_set(
        ChangeSetName=name, ChangeSetType="CREATE" if is_new else "UPDATE", **call
    )
    deployment.work.show(external_id=made["Id"])

    def look() -> dict[str, Any] | None:
        found = _change_set(deployment, name)
        return found if found and found["Status"] in ("CREATE_COMPLETE", "FAILED") else None

    found = deployment.work.look(look, deployment.work.motor.waits.other)
    if found is None:
        raise ActionFailed(TIMEOUT, f"Change set {name} has not been created in time")
    if found["Status"] == "FAILED" and not _is_empty(found):
        reason = found.get("StatusReason", "No reason was provided.")
        raise ActionFailed(JOB_FAILED, f"Failed to create change set {name}. Reason: {reason}")
    summary = "has no changes" if _is_empty(found) else "was created"
    return Done(f"Change set {name} {summary}", made["Id"])


def change_set_execute(deployment: Deployment) -> Done:
    name = deployment.required("ChangeSetName")
    stack, found = deployment.stack(), _change_set(deployment, name)
    if stack is None or found is None:
        raise ActionFailed(
            CONFIGURATION, f"Change set {name} of stack {deployment.name} does not exist"
        )
    if _is_empty(found):
        return deployment.outputs(stack, f"Change set {name} has no changes")
    deployment.api.execute_change_set(StackName=deployment.name, ChangeSetName=name)
    return deployment.deployed(stack["StackId"], "execute change set")


_MODES: dict[str, Callable[[Deployment], Done]] = {
    "CREATE_UPDATE": create_update,
    "CHANGE_SET_REPLACE": change_set_replace,
    "CHANGE_SET_EXECUTE": change_set_execute,
    "DELETE_ONLY": delete_only,
    "REPLACE_ON_FAILURE": replace_on_failure,
}


def _create(deployment: Deployment, call: dict[str, Any]) -> Done:
    stack_id = deployment.api.create_stack(**call)["StackId"]
    return deployment.deployed(stack_id, "create stack")


def _update(deployment: Deployment, call: dict[str, Any], stack: dict[str, Any]) -> Done:
    try:
        deployment.api.update_stack(**call)
    except ClientError as refused:
        if "No updates are to be performed" in str(refused):
            return deployment.outputs(stack, f"Stack {deployment.name} has no updates to perform")
        raise as_failure(refused) from refused
    return deployment.deployed(stack["StackId"], "update stack")


def _delete(deployment: Deployment, stack: dict[str, Any]) -> None:
    deployment.api.delete_stack(StackName=deployment.name, RoleARN=deployment.required("RoleArn"))
    after = deployment.settled(stack["StackId"])
    if after["StackStatus"] != "DELETE_COMPLETE":
        status = after["StackStatus"]
        raise ActionFailed(
            JOB_FAILED,
            f"Failed to delete stack. Current stack status: {status}. {deployment.why(after)}",
        )


def _change_set(deployment: Deployment, name: str) -> dict[str, Any] | None:
    try:
        return deployment.api.describe_change_set(StackName=deployment.name, ChangeSetName=name)
    except ClientError as refused:
        if is_denial(refused):
            raise
        return None


def _is_empty(change_set: dict[str, Any]) -> bool:
    """Source of the reasons: CloudFormation's own answers."""
    reason = change_set.get("StatusReason") or ""
    said = ("didn't contain changes", "No updates are to be performed")
    return change_set["Status"] == "FAILED" and any(text in reason for text in said)


def _tags_and_policy(wanted: Parameters) -> dict[str, Any]:
    more: dict[str, Any] = {}
    if wanted.tags:
        more["Tags"] = [{"Key": key, "Value": value} for key, value in wanted.tags.items()]
    if wanted.stack_policy is not None:
        more["StackPolicyBody"] = json.dumps(wanted.stack_policy)
    return more


def _text(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise ActionFailed(CONFIGURATION, "The template is not text in UTF-8") from None
