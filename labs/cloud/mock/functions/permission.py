"""May this service invoke that function? Reads the function's resource policy.

Source: Lambda guide, "Using resource-based policies for Lambda"; Lambda API, AddPermission.
"""

import json
from collections.abc import Iterable, Mapping

from labs.cloud.mock.iam import policy

ACTION = "lambda:InvokeFunction"


def allows(
    statements: Iterable[Mapping], function_arn: str, service: str, source_arn: str, account: str
) -> bool:
    """Whether the policy admits `service` acting for `source_arn` in `account`.

    statements: as in a policy document; those for other principals do not count.
    """
    ours = [statement for statement in statements if _names(statement.get("Principal"), service)]
    document = json.dumps({"Version": "2012-10-17", "Statement": ours})
    context = {"aws:sourcearn": source_arn, "aws:sourceaccount": account}
    return policy.evaluate(policy.parse(document), ACTION, function_arn, context).allowed


def _names(principal: str | Mapping | None, service: str) -> bool:
    if isinstance(principal, Mapping):
        principal = principal.get("Service")
    return principal in (service, "*") or (isinstance(principal, list) and service in principal)
