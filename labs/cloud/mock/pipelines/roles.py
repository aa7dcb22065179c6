"""Whom a role trusts. Source: IAM User Guide, "Roles terms and concepts" (trust policy)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from moto.iam.models import Role, iam_backends

from labs.cloud.mock.iam import guard
from labs.cloud.mock.iam.principals import Principal

SERVICE = "codepipeline.amazonaws.com"


def find(arn: str) -> Role | None:
    """moto's record of a role."""
    parts = arn.split(":")
    roles = iam_backends[parts[4]][parts[1]].roles
    return next((role for role in list(roles.values()) if role.arn == arn), None)


def trusts_codepipeline(arn: str) -> bool:
    """May CodePipeline take this role? False for one that does not exist."""
    role = find(arn)
    return role is not None and SERVICE in set(_trusted(role, "Service"))


def may_assume(pipeline_role: str, action_role: str) -> bool:
    """May the pipeline's role take the action's: by its own policies, and the other's trust?"""
    role = find(action_role)
    if role is None:
        return False
    account = pipeline_role.split(":")[4]
    root = pipeline_role.split(":role/")[0] + ":root"
    trusted = set(_trusted(role, "AWS"))
    if trusted.isdisjoint({"*", account, root, pipeline_role}):
        return False
    principal = Principal(pipeline_role, "codepipeline")
    return guard.is_allowed(principal, "sts:AssumeRole", action_role)


def _trusted(role: Role, kind: str) -> Iterator[str]:
    """Principals of one kind that may assume the role; conditions are not looked at."""
    try:
        document = role.assume_role_policy_document
        policy = json.loads(document) if isinstance(document, str) else document
    except ValueError:
        return
    for statement in _listed(policy.get("Statement", [])):
        if statement.get("Effect") != "Allow":
            continue
        principal = statement.get("Principal", {})
        if principal == "*":
            yield "*"
        elif isinstance(principal, dict):
            yield from map(str, _listed(principal.get(kind, [])))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
