"""Quotas: what the account may have, as DescribeAccountLimits says, not as constants of 2016.

Source: ELB API (2015-12-01), DescribeAccountLimits, Limit.
"""

from collections.abc import Iterator

from labs.loadbalancing.migration.listeners import groups
from labs.loadbalancing.migration.targets import of_groups, to_register
from labs.loadbalancing.migration.wanted import KINDS, Problem, Wanted


def needed(wanted: Wanted) -> dict[str, tuple[str, int]]:
    """Quota -> what it counts, in words, and how many there would be after the migration."""
    classic, kind = wanted.classic, KINDS[wanted.kind].replace(" ", "-").lower()
    same = [name for name, type_ in classic.room.balancers.items() if type_ == wanted.kind]
    number = len(groups(wanted))
    found = {
        f"{kind}s": (f"{KINDS[wanted.kind]}s in the region", len(same) + 1),
        f"listeners-per-{kind}": ("listeners", len(classic.listeners)),
        "target-groups": ("target groups in the region", len(classic.room.target_groups) + number),
        f"target-groups-per-{kind}": (
            "target groups, one for each instance protocol, port and stickiness",
            number,
        ),
    }
    if wanted.register_targets:
        instances = len(of_groups(wanted).union(to_register(wanted)))
        found[f"targets-per-{kind}"] = ("targets: each instance in each group", instances * number)
        found["targets-per-target-group"] = ("targets in a group", instances)
    return found


def problems(wanted: Wanted) -> Iterator[Problem]:
    """Each quota that would be exceeded. One that the API does not name is not checked."""
    for quota, (words, number) in needed(wanted).items():
        limit = wanted.classic.room.limits.get(quota)
        if limit is not None and number > limit:
            yield Problem(
                f"It needs {number:,} {words}; the account may have {limit:,} ({quota}).",
                "Ask AWS for more (Service Quotas, Elastic Load Balancing), or do with fewer.",
            )
