"""May CloudFormation assume a role? Source: User Guide, "CloudFormation service role"."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from labs.cloud.mock.stacks.errors import Refused
from labs.cloud.mock.stacks.types.base import as_json

PRINCIPAL = "cloudformation.amazonaws.com"


def check(arn: str, reader: Callable[[str], Any]) -> None:
    """Raises Refused when the role is not there, or does not trust CloudFormation."""
    parts = arn.split(":", 5)
    if len(parts) != 6 or parts[2] != "iam" or not parts[5].startswith("role/"):
        raise Refused(
            f"1 validation error detected: Value '{arn}' at 'roleARN' failed to satisfy "
            "constraint: it is not the ARN of a role"
        )
    try:
        role = reader("iam").get_role(RoleName=arn.rpartition("/")[2])["Role"]
    except ClientError:
        raise _refused(arn) from None
    if not trusts(role.get("AssumeRolePolicyDocument"), PRINCIPAL):
        raise _refused(arn)


def trusts(document: Any, service: str) -> bool:
    """Does a trust policy let a service assume the role?"""
    policy = as_json(document)
    statements = policy.get("Statement", []) if isinstance(policy, dict) else []
    for one in [statements] if isinstance(statements, dict) else statements:
        principal = one.get("Principal", {})
        services = principal.get("Service", []) if isinstance(principal, dict) else [principal]
        services = [services] if isinstance(services, str) else services
        if one.get("Effect") == "Allow" and (service in services or "*" in services):
            return True
    return False


def _refused(arn: str) -> Refused:
    return Refused(f"Role {arn} is invalid or cannot be assumed")
