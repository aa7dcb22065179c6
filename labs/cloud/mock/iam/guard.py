"""May this call be made? The role's policies as they are now, evaluated before moto answers.

Checked: the identity policies of a role (inline, managed, AWS managed), its permissions boundary
and a session policy. Not modelled: policies of resources, which on AWS could also allow a call
within the account, trust policies of assumed roles, organizations. A changed policy counts from
the next call on; AWS takes some seconds.

Source: IAM User Guide, "Policy evaluation logic", "Troubleshoot access denied error messages".
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from moto.iam.models import ManagedPolicy, Role, iam_backends

from labs.cloud.mock.iam import policy
from labs.cloud.mock.iam.permissions import Permission, needed
from labs.cloud.mock.iam.principals import Principal, principal_of
from labs.cloud.mock.operations import Operation

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Denial:
    """Why a call is refused, ready for `errors.render(operation, code, message, status)`.

    statement: the Sid, or "#2", of the Deny that matched; None when nothing allowed the call.
    """

    code: str
    status: int
    message: str
    principal: str
    action: str
    resource: str
    statement: str | None = None


@dataclass(frozen=True)
class _Layer:
    """One kind of policy. All layers must allow; within one, any policy may."""

    name: str
    article: str
    policies: tuple[tuple[str, str], ...]  # (name or ARN, document)


def check(operation: Operation) -> Denial | None:
    """None when the caller may make this call; why not otherwise.

    The learner (any key that is not a role's) may do everything, and everyone may ask
    GetCallerIdentity.
    """
    principal = principal_of(operation.access_key)
    if principal is None or (operation.service, operation.name) == ("sts", "GetCallerIdentity"):
        return None
    context = _context(principal, operation)
    for permission in needed(operation, principal.account, principal.partition):
        if refusal := _refusal(principal, permission, context):
            reason, statement = refusal
            return _denial(principal, permission, operation, reason, statement)
    return None


def is_allowed(principal: Principal, action: str, resource: str) -> bool:
    """May a role do this? For what a motor does in a function's name, such as writing its log."""
    context = _context(principal, None)
    return _refusal(principal, Permission(action, resource), context) is None


def _refusal(
    principal: Principal, permission: Permission, context: policy.Context
) -> tuple[str, str | None] | None:
    """(the end of AWS's sentence, the statement that denies); None when it is allowed."""
    role = _role(principal)
    if role is None:
        return f"because its role {principal.role_arn} does not exist; create it again", None
    missing = None
    for layer in _layers(role, principal):
        allowed = False
        for name, document in layer.policies:
            statements = _statements(name, document)
            decision = policy.evaluate(statements, permission.action, permission.resource, context)
            if decision.effect == "explicit deny":
                where = f": {name}" if name.startswith("arn:") else ""
                reason = f"with an explicit deny in {layer.article} {layer.name}{where}"
                return reason, decision.statement.sid
            allowed = allowed or decision.allowed
        if not allowed and missing is None:
            missing = f"because no {layer.name} allows the {permission.action} action", None
    return missing


def _role(principal: Principal) -> Role | None:
    roles = iam_backends[principal.account][principal.partition].roles
    return next((role for role in list(roles.values()) if role.name == principal.role_name), None)


def _layers(role: Role, principal: Principal) -> Iterator[_Layer]:
    yield _Layer("identity-based policy", "an", tuple(_identity_policies(role)))
    if arn := role.permissions_boundary_arn:
        known = iam_backends[principal.account][principal.partition].managed_policies
        boundary = ((arn, _default_document(known[arn])),) if arn in known else ()
        yield _Layer("permissions boundary", "a", boundary)
    if principal.session_policy:
        session = (("session policy", principal.session_policy),)
        yield _Layer("session policy", "a", session)


def _identity_policies(role: Role) -> Iterator[tuple[str, str]]:
    for name, document in list(role.policies.items()):
        yield name, _text(document)
    for arn, attached in list(role.managed_policies.items()):
        yield arn, _default_document(attached)


def _default_document(attached: ManagedPolicy) -> str:
    return next((_text(v.document) for v in list(attached.versions) if v.is_default), "{}")


def _text(document: Any) -> str:
    # CloudFormation leaves a role's inline policies as the template's objects.
    return document if isinstance(document, str) else json.dumps(document, default=str)


def _statements(name: str, document: str) -> Iterable[policy.Statement]:
    try:
        return policy.parse(document)
    except policy.PolicyError as error:
        logger.warning("Policy %s says nothing, since it cannot be read: %s", name, error)
        return ()


def _context(principal: Principal, operation: Operation | None) -> policy.Context:
    """The condition keys of a request, lower case.

    Source: IAM User Guide, "AWS global condition context keys"; Service Authorization Reference.
    """
    context = {
        "aws:principalaccount": principal.account,
        "aws:principalarn": principal.role_arn,
        "aws:principaltype": "AssumedRole",
    }
    if operation is None:
        return context
    if operation.region:
        context["aws:requestedregion"] = operation.region
    for key, (service, parameter) in _SERVICE_KEYS.items():
        if service == operation.service:
            value = operation.parameters.get(parameter)
            if isinstance(value, str):
                context[key] = value
    return context


_SERVICE_KEYS = {
    "s3:prefix": ("s3", "Prefix"),
    "s3:delimiter": ("s3", "Delimiter"),
    "sns:protocol": ("sns", "Protocol"),
    "sns:endpoint": ("sns", "Endpoint"),
    "iam:policyarn": ("iam", "PolicyArn"),
    "sts:externalid": ("sts", "ExternalId"),
}


def _denial(
    principal: Principal,
    permission: Permission,
    operation: Operation,
    reason: str,
    statement: str | None,
) -> Denial:
    code, status = _code(operation)
    # S3 alone puts the ARN in quotation marks.
    resource = f'"{permission.resource}"' if operation.service == "s3" else permission.resource
    sentence = (
        f"User: {principal.arn} is not authorized to perform: {permission.action} "
        f"on resource: {resource} {reason}"
    )
    if operation.service == "ec2":
        sentence = f"You are not authorized to perform this operation. {sentence}"
    return Denial(
        code, status, sentence, principal.arn, permission.action, permission.resource, statement
    )


def _code(operation: Operation) -> tuple[str, int]:
    """The service's code for "access denied", and its HTTP status.

    SNS's is in its API reference ("AuthorizationError"), EC2's in "Error codes for the Amazon EC2
    API"; the rest follows the protocol ("Common errors" of each service's API reference).
    """
    if operation.service in _CODES:
        return _CODES[operation.service]
    model_metadata = operation.model.service_model.metadata
    if "awsQueryCompatible" in model_metadata or operation.protocol in ("query", "rest-xml"):
        return "AccessDenied", 403
    return "AccessDeniedException", 403 if operation.protocol == "rest-json" else 400


_CODES = {
    "ec2": ("UnauthorizedOperation", 403),
    "sns": ("AuthorizationError", 403),
}
