"""Names that elbv2 takes: at most 32 letters, digits and hyphens, no hyphen at either end.

Source: ELB API (2015-12-01), CreateLoadBalancer, CreateTargetGroup.
"""

import re
from collections.abc import Collection

LONGEST = 32


def faults(name: str) -> list[str]:
    """What elbv2 would not take in the name of a balancer.

    >>> faults("internal-web"), faults("web")
    (['it begins with "internal-"'], [])
    """
    found = []
    if len(name) > LONGEST:
        found.append(f"it has {len(name)} characters, {LONGEST} are allowed")
    if not re.fullmatch(r"[A-Za-z0-9-]+", name):
        found.append("it has other characters than letters, digits and hyphens")
    if name.startswith("-") or name.endswith("-"):
        found.append("it begins or ends with a hyphen")
    if name.startswith("internal-"):
        found.append('it begins with "internal-"')
    return found


def free_name(balancer: str, ending: str, taken: Collection[str] = ()) -> str:
    """A target group's name that nobody has: the balancer's, cut so that the ending fits.

    The cut never leaves a hyphen in front of another. A name that is taken gets a number.

    >>> free_name("web", "http-80", ())
    'web-http-80'
    >>> free_name("web", "http-80", ["web-http-80"])
    'web-http-80-2'
    >>> free_name("a-name-with-a-hyphen-24-letters", "http-80")
    'a-name-with-a-hyphen-24-http-80'
    """
    number = 1
    while True:
        tail = f"-{ending}" if number == 1 else f"-{ending}-{number}"
        letters = re.sub(r"[^A-Za-z0-9-]+", "-", balancer)[: LONGEST - len(tail)]
        name = (letters.rstrip("-") + tail).strip("-")
        if name not in taken:
            return name
        number += 1
