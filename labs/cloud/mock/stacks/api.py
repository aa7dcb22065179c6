"""CloudFormation's operations: what a request says, done by the motor and told in AWS's shapes.

moto's CloudFormation is never asked and never loaded: it would bring 35 services with it. Stack
sets, custom registry types, generated templates and stack refactoring are not modelled.

Source: CloudFormation API.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from labs.cloud.mock.iam import principals
from labs.cloud.mock.operations import Operation
from labs.cloud.mock.stacks import answers, checks, parameters, roles, sources
from labs.cloud.mock.stacks.errors import Refused
from labs.cloud.mock.stacks.motor import SERVICE, UPDATABLE, Stacks
from labs.cloud.mock.stacks.records import (
    USER,
    ChangeSet,
    Identity,
    Request,
    Settings,
    Stack,
    new_id,
)
from labs.cloud.mock.stacks.template import Template, parse

_CAPABILITIES = ("CAPABILITY_AUTO_EXPAND", "CAPABILITY_IAM", "CAPABILITY_NAMED_IAM")
_PAGE = 100

Answer = dict[str, Any] | None
_OPERATIONS: dict[str, Callable[[Api], Answer]] = {}


def operation(function: Callable[[Api], Answer]) -> Callable[[Api], Answer]:
    name = "".join(part.capitalize() for part in function.__name__.split("_"))
    _OPERATIONS[name] = function
    return function


@dataclass(frozen=True)
class Api:
    """One request. given: its parameters. endpoint: of the mock."""

    stacks: Stacks
    account: str
    region: str
    given: Mapping[str, Any]
    caller: principals.Principal | None
    endpoint: str

    # What requests share

    def stack(self, parameter: str = "StackName") -> Stack:
        return self.stacks.store.find(self.account, self.region, self.given.get(parameter))

    def identity(self, role: str | None) -> Identity:
        """Whose permissions count: the role's, else the caller's."""
        if role:
            roles.check(role, self.stacks.reader(self.account, self.region))
            return Identity(role)
        if self.caller:
            return Identity(self.caller.role_arn, self.caller.session_name)
        return Identity()

    def body(self, previous: str | None = None) -> str:
        caller = self.identity(None)
        s3 = self.stacks.as_identity(self.account, self.region, caller)
        return sources.body(self.given, lambda: s3("s3"), self.endpoint, previous)

    def parameters(self, before: Settings | None) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for one in self.given.get("Parameters") or ():
            key = one.get("ParameterKey")
            if not key:
                raise Refused("Parameter has a null ParameterKey")
            if one.get("UsePreviousValue"):
                if "ParameterValue" in one:
                    raise Refused(
                        f"Invalid input for parameter key {key}. Cannot specify usePreviousValue "
                        "as true and non empty value for a parameter"
                    )
                if before is None or key not in before.raw:
                    raise Refused(
                        f"Invalid input for parameter key {key}. Cannot specify usePreviousValue "
                        "as true for a parameter key not in the previous template"
                    )
                found[key] = before.raw[key]
            elif "ParameterValue" not in one:
                raise Refused(f"Invalid input for parameter key {key}. It needs a value")
            else:
                found[key] = one["ParameterValue"]
        return found

    def tags(self, before: Settings | None) -> dict[str, str]:
        given = self.given.get("Tags")
        if given is None:
            return dict(before.tags) if before else {}
        tags = {tag["Key"]: tag["Value"] for tag in given}
        if bad := [key for key in tags if key.lower().startswith("aws:")]:
            raise Refused(f"Tag keys that begin with aws: are AWS's own: {', '.join(bad)}")
        return tags

    def capabilities(self) -> list[str]:
        given = self.given.get("Capabilities") or []
        for one in given:
            if one not in _CAPABILITIES:
                raise Refused(
                    f"1 validation error detected: Value '[{one}]' at 'capabilities' failed to "
                    "satisfy constraint: Member must satisfy constraint: [Member must satisfy "
                    f"enum value set: [{', '.join(_CAPABILITIES)}]]"
                )
        return list(given)

    def settings(self, stack: Stack, before: Settings | None) -> Settings:
        """What the stack is to be made of. Raises Refused."""
        topics = self.given.get("NotificationARNs")
        if topics is None:
            topics = before.topics if before else []
        request = Request(
            self.body(before.template.body if before else None),
            self.parameters(before),
            self.capabilities(),
            self.tags(before),
            list(topics),
        )
        return self.stacks.check(stack, request)

    def page(self, items: list[Any], size: int = _PAGE) -> tuple[list[Any], str | None]:
        """(this page, the token of the next). Raises Refused."""
        token = self.given.get("NextToken")
        try:
            start = int(token) if token else 0
        except ValueError:
            raise Refused(f"Invalid NextToken {token}") from None
        end = start + size
        return items[start:end], str(end) if end < len(items) else None

    def new_stack(self, name: str) -> Stack:
        check_name(name)
        role = self.given.get("RoleARN")
        return Stack(
            self.account,
            self.region,
            name,
            new_id(self.region, self.account, "stack", name),
            role=role,
            identity=self.identity(role),
            token=self.given.get("ClientRequestToken"),
        )


class CloudFormation:
    """Answers CloudFormation's calls. endpoint: of the mock."""

    def __init__(self, stacks: Stacks, endpoint: str) -> None:
        self._stacks, self._endpoint = stacks, endpoint

    def answer(self, call: Operation, account: str | None) -> Answer:
        """Members of the output. Raises Refused, and NotImplementedError for what is not here."""
        found = _OPERATIONS.get(call.name)
        if found is None:
            raise NotImplementedError(f"{SERVICE} {call.name}")
        caller = principals.principal_of(call.access_key)
        account = account or (caller.account if caller else "123456789012")
        region = call.region or "us-east-1"
        api = Api(self._stacks, account, region, call.parameters, caller, self._endpoint)
        return found(api)


def check_name(name: Any, parameter: str = "stackName") -> None:
    """Source: API, CreateStack, StackName; CreateChangeSet, ChangeSetName. Raises Refused."""
    if not isinstance(name, str) or not re.fullmatch(r"[a-zA-Z][-a-zA-Z0-9]{0,127}", name):
        raise Refused(
            f"1 validation error detected: Value '{name}' at '{parameter}' failed to satisfy "
            "constraint: Member must satisfy regular expression pattern: "
            "[a-zA-Z][-a-zA-Z0-9]*"
        )


# --- stacks -------------------------------------------------------------------------------------


@operation
def create_stack(api: Api) -> Answer:
    stack = api.new_stack(api.given.get("StackName"))
    on_failure = api.given.get("OnFailure")
    if on_failure and "DisableRollback" in api.given:
        raise Refused("You can specify either DisableRollback or OnFailure, but not both.")
    if on_failure not in (None, "DO_NOTHING", "ROLLBACK", "DELETE"):
        raise Refused(
            f"1 validation error detected: Value '{on_failure}' at 'onFailure' failed to satisfy "
            "constraint: Member must satisfy enum value set: [ROLLBACK, DELETE, DO_NOTHING]"
        )
    stack.on_failure = on_failure or (
        "DO_NOTHING" if api.given.get("DisableRollback") else "ROLLBACK"
    )
    stack.protected = bool(api.given.get("EnableTerminationProtection"))
    stack.timeout = api.given.get("TimeoutInMinutes")
    stack.policy = api.given.get("StackPolicyBody")
    existing = api.stacks.store.named(api.account, api.region, stack.name)
    if existing is not None:
        raise Refused(f"Stack [{stack.name}] already exists", "AlreadyExistsException")
    stack.settings = api.settings(stack, None)
    api.stacks.create(stack)
    return {"StackId": stack.id}


@operation
def update_stack(api: Api) -> Answer:
    stack = api.stack()
    with stack.lock:
        if stack.is_gone or stack.settings is None or stack.status not in UPDATABLE:
            raise Refused(f"Stack:{stack.id} is in {stack.status} state and can not be updated.")
        settings = api.settings(stack, stack.settings)
        role = api.given.get("RoleARN") or stack.role
        identity = api.identity(role)
        was = stack.role, stack.identity, stack.token
        stack.role, stack.identity = role, identity
        stack.token = api.given.get("ClientRequestToken")
        try:
            api.stacks.update(stack, settings, bool(api.given.get("DisableRollback")))
        except Refused:
            stack.role, stack.identity, stack.token = was
            raise
    return {"StackId": stack.id}


@operation
def delete_stack(api: Api) -> Answer:
    try:
        stack = api.stack()
    except Refused:
        if not api.given.get("StackName"):
            raise
        return None  # AWS's answer to the deletion of what is not there
    with stack.lock:
        role = api.given.get("RoleARN") or stack.role
        identity = api.identity(role)
        was = stack.role, stack.identity
        stack.role, stack.identity = role, identity
        try:
            api.stacks.delete(stack, api.given.get("RetainResources") or ())
        except Refused:
            stack.role, stack.identity = was
            raise
    return None


@operation
def describe_stacks(api: Api) -> Answer:
    if api.given.get("StackName"):
        return {"Stacks": [answers.stack(api.stack())]}
    stacks = [one for one in api.stacks.store.all(api.account, api.region) if not one.is_gone]
    page, token = api.page(stacks)
    return {"Stacks": [answers.stack(one) for one in page], "NextToken": token}


@operation
def list_stacks(api: Api) -> Answer:
    wanted = api.given.get("StackStatusFilter") or ()
    stacks = [
        one
        for one in api.stacks.store.all(api.account, api.region)
        if not wanted or one.status in wanted
    ]
    page, token = api.page(stacks)
    return {"StackSummaries": [answers.summary(one) for one in page], "NextToken": token}


@operation
def describe_stack_events(api: Api) -> Answer:
    page, token = api.page(api.stack().events[::-1])
    return {"StackEvents": page, "NextToken": token}


@operation
def describe_stack_resource(api: Api) -> Answer:
    stack, name = api.stack(), api.given.get("LogicalResourceId")
    found = stack.resources.get(name or "")
    if found is None:
        raise Refused(f"Resource {name} does not exist for stack {stack.name}")
    return {"StackResourceDetail": answers.resource_detail(stack, found)}


@operation
def describe_stack_resources(api: Api) -> Answer:
    if physical := api.given.get("PhysicalResourceId"):
        for stack in api.stacks.store.all(api.account, api.region):
            if any(one.physical == physical for one in stack.resources.values()):
                break
        else:
            raise Refused(f"Stack for {physical} does not exist")
    else:
        stack = api.stack()
    name = api.given.get("LogicalResourceId")
    return {
        "StackResources": [
            answers.resource(stack, one)
            for one in stack.resources.values()
            if name in (None, one.logical)
        ]
    }


@operation
def list_stack_resources(api: Api) -> Answer:
    page, token = api.page(list(api.stack().resources.values()))
    return {
        "StackResourceSummaries": [answers.resource_summary(one) for one in page],
        "NextToken": token,
    }


@operation
def cancel_update_stack(api: Api) -> Answer:
    api.stacks.cancel_update(api.stack())
    return None


@operation
def continue_update_rollback(api: Api) -> Answer:
    api.stacks.continue_rollback(api.stack(), api.given.get("ResourcesToSkip") or ())
    return {}


@operation
def rollback_stack(api: Api) -> Answer:
    stack = api.stack()
    api.stacks.roll_back(stack)
    return {"StackId": stack.id}


@operation
def update_termination_protection(api: Api) -> Answer:
    stack = api.stack()
    if stack.parent:
        raise Refused(
            f"Termination protection cannot be changed on nested stack [{stack.id}]; change it on "
            "its root"
        )
    stack.protected = bool(api.given.get("EnableTerminationProtection"))
    return {"StackId": stack.id}


@operation
def set_stack_policy(api: Api) -> Answer:
    stack = api.stack()
    stack.policy = api.given.get("StackPolicyBody")
    return None


@operation
def get_stack_policy(api: Api) -> Answer:
    return {"StackPolicyBody": api.stack().policy}


# --- templates ----------------------------------------------------------------------------------


@operation
def get_template(api: Api) -> Answer:
    stack = api.stack()
    if name := api.given.get("ChangeSetName"):
        settings: Settings | None = find_change_set(stack, name).given
    else:
        settings = stack.settings
    body = settings.template.body if settings else ""
    return {"TemplateBody": body, "StagesAvailable": ["Original", "Processed"]}


@operation
def get_template_summary(api: Api) -> Answer:
    if api.given.get("StackName"):
        settings = api.stack().settings
        if settings is None:
            raise Refused(f"Stack with id {api.given['StackName']} has no template yet")
        template = settings.template
    else:
        template = checked(api)
    needed, reason = checks.needed_capabilities(template)
    return {
        "Parameters": [answers.declaration(name, one) for name, one in template.parameters.items()],
        "Description": template.description,
        "Capabilities": needed,
        "CapabilitiesReason": reason,
        "ResourceTypes": sorted({one["Type"] for one in template.resources.values()}),
        "Version": template.content.get("AWSTemplateFormatVersion"),
        "Metadata": answers.metadata(template),
        "DeclaredTransforms": [],
        "ResourceIdentifierSummaries": answers.identifiers(template),
    }


@operation
def validate_template(api: Api) -> Answer:
    template = checked(api)
    needed, reason = checks.needed_capabilities(template)
    return {
        "Parameters": [
            answers.template_parameter(name, one) for name, one in template.parameters.items()
        ],
        "Description": template.description,
        "Capabilities": needed,
        "CapabilitiesReason": reason,
        "DeclaredTransforms": [],
    }


def checked(api: Api) -> Template:
    """The template of the request: well formed, with references that lead somewhere."""
    template = parse(api.body())
    checks.check_functions(template)
    parameters.check_types(template)
    checks.check_conditions(template)
    checks.check_references(template)
    checks.check_known_types(template)
    checks.check_attributes(template)
    checks.check_order(template)
    return template


# --- exports ------------------------------------------------------------------------------------


@operation
def list_exports(api: Api) -> Answer:
    page, token = api.page(list(api.stacks.store.exports(api.account, api.region)))
    return {"Exports": page, "NextToken": token}


@operation
def list_imports(api: Api) -> Answer:
    name = api.given.get("ExportName") or ""
    found = api.stacks.store.importers(api.account, api.region, name)
    if not found:
        raise Refused(f"Export '{name}' is not imported by any stack.")
    page, token = api.page(found)
    return {"Imports": page, "NextToken": token}


# --- change sets --------------------------------------------------------------------------------


@operation
def create_change_set(api: Api) -> Answer:
    name, kind = api.given.get("ChangeSetName"), api.given.get("ChangeSetType") or "UPDATE"
    check_name(name, "changeSetName")
    if kind not in ("CREATE", "UPDATE"):
        raise Refused(f"This mock has no change sets of type {kind}; AWS has IMPORT, too.")
    stack_name = api.given.get("StackName") or ""
    short = stack_name.split("/")[1] if stack_name.startswith("arn:") else stack_name
    stack = api.stacks.store.named(api.account, api.region, short)
    if kind == "CREATE":
        if stack is not None and stack.settings is not None:
            raise Refused(
                f"Stack [{short}] already exists and cannot be created again with the changeSet "
                f"[{name}]."
            )
        return _change_set(api, stack, short, name, kind)
    if stack is None:
        raise Refused(f"Stack [{short}] does not exist")
    if stack.status not in UPDATABLE:
        raise Refused(f"Stack:{stack.id} is in {stack.status} state and can not be updated.")
    return _change_set(api, stack, short, name, kind)


def _change_set(api: Api, stack: Stack | None, short: str, name: str, kind: str) -> Answer:
    is_new = stack is None
    stack = stack or api.new_stack(short)
    settings = api.settings(stack, stack.settings)
    role = api.given.get("RoleARN") or stack.role
    change_set = ChangeSet(
        new_id(api.region, api.account, "changeSet", name),
        name,
        kind,
        settings,
        api.identity(role),
        role,
        [],
        api.given.get("Description"),
    )
    api.stacks.create_change_set(stack, change_set)
    if is_new:
        stack.on_failure = api.given.get("OnStackFailure") or "ROLLBACK"
        api.stacks.store.add(stack)
        stack.say("REVIEW_IN_PROGRESS", USER)
    return {"Id": change_set.id, "StackId": stack.id}


def find_change_set(stack: Stack, name: str) -> ChangeSet:
    """The newest of this name, or the one with this id. Raises Refused."""
    for one in reversed(list(stack.changes.values())):
        if name in (one.id, one.name):
            return one
    raise Refused(f"ChangeSet [{name}] does not exist", "ChangeSetNotFound")


def change_set_of(api: Api) -> tuple[Stack, ChangeSet]:
    name = api.given.get("ChangeSetName") or ""
    if api.given.get("StackName"):
        stack = api.stack()
        return stack, find_change_set(stack, name)
    for stack in api.stacks.store.all(api.account, api.region):
        if name in stack.changes:
            return stack, stack.changes[name]
    if not name.startswith("arn:"):
        raise Refused("StackName must be specified if ChangeSetName is not specified as an ARN.")
    raise Refused(f"ChangeSet [{name}] does not exist", "ChangeSetNotFound")


@operation
def describe_change_set(api: Api) -> Answer:
    stack, found = change_set_of(api)
    page, token = api.page(found.changes)
    return {**answers.change_set(stack, found), "Changes": page, "NextToken": token}


@operation
def list_change_sets(api: Api) -> Answer:
    stack = api.stack()
    page, token = api.page(
        [answers.change_set_summary(stack, one) for one in stack.changes.values()]
    )
    return {"Summaries": page, "NextToken": token}


@operation
def delete_change_set(api: Api) -> Answer:
    try:
        stack, found = change_set_of(api)
    except Refused as refusal:
        if refusal.code != "ChangeSetNotFound":
            raise
        return {}
    with stack.lock:
        del stack.changes[found.id]
    return {}


@operation
def execute_change_set(api: Api) -> Answer:
    stack, found = change_set_of(api)
    api.stacks.execute_change_set(stack, found, bool(api.given.get("DisableRollback")))
    return {}


# --- drift --------------------------------------------------------------------------------------


@operation
def detect_stack_drift(api: Api) -> Answer:
    return {"StackDriftDetectionId": api.stacks.detect_drift(api.stack())}


@operation
def describe_stack_drift_detection_status(api: Api) -> Answer:
    found = api.stacks.detections.get(api.given.get("StackDriftDetectionId") or "")
    if found is None:
        raise Refused(
            f"StackDriftDetection with id {api.given.get('StackDriftDetectionId')} does not exist"
        )
    return found


@operation
def detect_stack_resource_drift(api: Api) -> Answer:
    stack, name = api.stack(), api.given.get("LogicalResourceId") or ""
    found = stack.resources.get(name)
    if found is None or found.physical is None:
        raise Refused(f"Resource {name} does not exist for stack {stack.name}")
    api.stacks.look(stack, found)
    return {"StackResourceDrift": answers.resource_drift(stack, found)}


@operation
def describe_stack_resource_drifts(api: Api) -> Answer:
    stack, wanted = api.stack(), api.given.get("StackResourceDriftStatusFilters") or ()
    drifts = [
        answers.resource_drift(stack, one)
        for one in stack.resources.values()
        if one.checked is not None and (not wanted or one.drift in wanted)
    ]
    page, token = api.page(drifts)
    return {"StackResourceDrifts": page, "NextToken": token}
