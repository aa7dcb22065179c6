"""Solution stacks and platform ARNs: two names for what an environment runs on.

Which there are: moto's list, and the newer Python ones. Each runs on the Python of this machine.
Source: Beanstalk guide, "Elastic Beanstalk supported platforms"; API, ListAvailableSolutionStacks.
"""

from __future__ import annotations

import re

from moto.elasticbeanstalk.exceptions import ElasticBeanstalkException
from moto.elasticbeanstalk.responses import SOLUTION_STACK_DETAILS

#: Platform versions of Python on Amazon Linux 2023 that users have reported since moto's list.
NEWER = ("4.9.0", "4.12.0")
PYTHONS = ("3.9", "3.11", "3.12", "3.13")
STACKS: tuple[str, ...] = (
    *(
        f"64bit Amazon Linux 2023 v{version} running Python {python}"
        for version in reversed(NEWER)
        for python in reversed(PYTHONS)
    ),
    *(one["SolutionStackName"] for one in SOLUTION_STACK_DETAILS),
)
_STACK = re.compile(r"(?P<system>64bit .+) v(?P<version>[\d.]+) running (?P<branch>.+)")
_ARN = re.compile(r"arn:[^:]+:elasticbeanstalk:[^:]*::platform/(?P<name>.+)/(?P<version>[\d.]+)")


def arn_of(stack: str, region: str) -> str:
    """The platform ARN of a solution stack."""
    found = _STACK.fullmatch(stack)
    if not found:
        return ""
    name = f"{found['branch']} running on {found['system']}"
    return f"arn:aws:elasticbeanstalk:{region}::platform/{name}/{found['version']}"


def stack_of(arn: str) -> str | None:
    """The solution stack of a platform ARN, if there is one."""
    found = _ARN.fullmatch(arn)
    branch, on, system = (found["name"] if found else "").partition(" running on ")
    stack = f"{system} v{found['version']} running {branch}" if on else ""
    return stack if stack in STACKS else None


def runs(stack: str) -> bool:
    """Can the mock run its applications?"""
    return " running Python 3." in stack


def chosen(stack: str | None, arn: str | None) -> str:
    """The solution stack that a call names, in one way or the other. Raises AWS's refusal."""
    if not (stack or arn):
        raise ElasticBeanstalkException(
            "InvalidParameterValue",
            "Unable to determine base for template pack (no solution stack)",
        )
    found = stack or stack_of(arn)
    if found not in STACKS:
        raise ElasticBeanstalkException(
            "InvalidParameterValue",
            f"No Solution Stack named '{stack}' found."
            if stack
            else f"No platform with ARN '{arn}' found.",
        )
    if not runs(found):
        raise ElasticBeanstalkException(
            "InvalidParameterValue", f"The mock runs Python platforms only, not {found}."
        )
    return found
