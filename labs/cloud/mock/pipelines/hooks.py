"""Where the mock reaches into moto's CodePipeline. See `hooking`.

Every operation is the motor's own: moto's finish at once, and 33 of 44 it does not have. moto's
backend keeps the pipelines.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from moto.codepipeline.responses import CodePipelineResponse
from moto.core.responses import ActionResult
from moto.core.utils import camelcase_to_underscores

from labs.cloud.mock import hooking
from labs.cloud.mock.hooking import Hook, Use
from labs.cloud.mock.iam import principals
from labs.cloud.mock.pipelines import constraints, control, operations
from labs.cloud.mock.pipelines.motor import Pipelines
from labs.cloud.mock.pipelines.operations import Caller

OPERATIONS = operations.OPERATIONS | control.OPERATIONS
#: Those that moto has.
MOTOS = (
    "CreatePipeline",
    "DeletePipeline",
    "GetPipeline",
    "GetPipelineExecution",
    "ListPipelineExecutions",
    "ListPipelines",
    "ListTagsForResource",
    "StartPipelineExecution",
    "TagResource",
    "UntagResource",
    "UpdatePipeline",
)


def install(motor: Pipelines) -> None:
    """Put every operation in place. Once in a process."""
    hooking.install(HOOKS, motor)
    for name in OPERATIONS.keys() - set(MOTOS):
        setattr(CodePipelineResponse, method_name(name), respond(name, motor))


def method_name(operation: str) -> str:
    """As moto looks it up: GetPipelineState is get_pipeline_state."""
    return camelcase_to_underscores(operation)


def respond(name: str, motor: Pipelines) -> Callable[[CodePipelineResponse], ActionResult]:
    """The method of moto's response class for an operation."""

    def answer(self: CodePipelineResponse) -> ActionResult:
        given = json.loads(self.body or "{}")
        constraints.check(name, given)
        return ActionResult(OPERATIONS[name](motor, caller(self), given))

    return answer


def caller(response: CodePipelineResponse) -> Caller:
    account = response.current_account
    principal = principals.principal_of(response.access_key)
    arn = principal.arn if principal else f"arn:{response.partition}:iam::{account}:root"
    return Caller(account, response.region, arn)


def _hook(name: str) -> Hook:
    def make(_original: Callable, motor: Any) -> Callable:
        return respond(name, motor)

    target = f"moto.codepipeline.responses:CodePipelineResponse.{method_name(name)}"
    return Hook(target, ("self",), "pipelines that execute", make)


HOOKS = tuple(_hook(name) for name in MOTOS)

USES = (
    Use("moto.codepipeline.models:codepipeline_backends", "", "by account and region"),
    Use("moto.codepipeline.models:CodePipelineBackend", "partition pipelines"),
    Use(
        "moto.codepipeline.responses:CodePipelineResponse",
        "access_key body current_account partition region",
    ),
    Use("moto.core.exceptions:JsonRESTError", "", "an AWS error, by code and message"),
    Use("moto.core.responses:ActionResult"),
    Use("moto.core.utils:camelcase_to_underscores", "argument"),
    Use("moto.core.utils:get_service_model", "service_name"),
    Use("moto.iam.models:iam_backends", "", "by account and partition"),
    Use("moto.iam.models:Role", "arn assume_role_policy_document name"),
)
