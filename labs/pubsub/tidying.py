"""A colleague who tidies up at night: what breaks the word counter in exercise 32.2."""

import json
from typing import Any


def tidy_up(iam: Any, role: str) -> str:
    """Take what speaks of SNS out of a role's inline policies. Says what a colleague would say.

    Read no further if you have exercise 32.2 before you.
    """
    for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        document = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        if "sns:" in json.dumps(document):
            iam.delete_role_policy(RoleName=role, PolicyName=name)
    return "I tidied up last night. Everything still answers, as far as I can see."
