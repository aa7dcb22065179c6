"""AWS's own policies, such as AWSLambdaBasicExecutionRole, taken from moto one at a time.

moto can load all 1,500 of them, six times over (once for each partition): 60 MB and a third of a
second for a course that uses three. It does not by default, and then attaching one fails.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from typing import Any

from moto.iam.aws_managed_policies import aws_managed_policies_data
from moto.iam.models import AWSManagedPolicy, IAMBackend

#: The methods of IAMBackend that look a policy up by ARN, to be wrapped with `providing`.
METHODS = (
    "attach_group_policy",
    "attach_role_policy",
    "attach_user_policy",
    "get_policy",
)


def provide(backend: IAMBackend, policy_arn: str) -> None:
    """Make an AWS managed policy known to the backend; nothing for any other ARN."""
    account_and_kind, _, path = policy_arn.partition(":policy/")
    if not account_and_kind.endswith(":iam::aws") or policy_arn in backend.managed_policies:
        return
    name = path.rsplit("/", 1)[-1]
    data = json.loads(aws_managed_policies_data).get(name)  # 30 ms, and nothing to keep
    if data is None:
        return
    policy = AWSManagedPolicy.from_data(name, backend.account_id, backend.region_name, data)
    if policy.arn == policy_arn:
        backend.aws_managed_policies.append(policy)
        backend.managed_policies[policy.arn] = policy


def providing(method: Callable[..., Any]) -> Callable[..., Any]:
    """A method of IAMBackend that takes a policy's ARN first, with AWS's policies in reach."""

    @functools.wraps(method)
    def wrapped(backend: IAMBackend, policy_arn: str, *args: Any, **named: Any) -> Any:
        provide(backend, policy_arn)
        return method(backend, policy_arn, *args, **named)

    return wrapped
