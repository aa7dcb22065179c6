"""Name, network, security groups and tags of the new balancer.

Sources: ELB API (2015-12-01), CreateLoadBalancer, Tag; ELB user guide, "Migrate your Classic Load
Balancer"; Classic Load Balancer guide, "Tag your Classic Load Balancer".
"""

from collections.abc import Iterator

from labs.loadbalancing.migration.names import faults
from labs.loadbalancing.migration.wanted import KINDS, Change, Problem, Wanted, words

AWS_TAGS = "aws:"  # the beginning of keys that only AWS may write


def tags(wanted: Wanted) -> list[dict[str, str]]:
    """Those that a person may write, as the API has them."""
    return [
        {"Key": key, "Value": value}
        for key, value in sorted(wanted.classic.tags.items())
        if not key.startswith(AWS_TAGS)
    ]


def problems(wanted: Wanted) -> Iterator[Problem]:
    """A name that elbv2 does not take, no VPC, fewer than two subnets."""
    classic = wanted.classic
    wrong = faults(classic.name)
    if wrong:
        yield Problem(
            f"elbv2 does not take the name '{classic.name}': {' and '.join(wrong)}.",
            "A balancer cannot be renamed: make a Classic balancer of another name with the same"
            " settings, and migrate that.",
        )
    there = classic.room.balancers.get(classic.name)
    if there:
        yield Problem(
            f"An elbv2 balancer named '{classic.name}' ({there}) is already in {classic.region}.",
            "If it is the new one of an earlier migration, you are done; otherwise delete it first:"
            " aws elbv2 delete-load-balancer.",
        )
    if not classic.vpc_id:
        yield Problem(
            "It is in EC2-Classic, the network of before 2013; new balancers need a VPC.",
            "Move the instances into a VPC first, behind a Classic balancer there.",
        )
    elif not classic.subnets or (wanted.kind == "application" and len(classic.subnets) < 2):
        least = "two, in two Availability Zones" if wanted.kind == "application" else "one"
        yield Problem(
            f"Its subnets: {words(classic.subnets)}. {KINDS[wanted.kind]}s need {least}.",
            "Give it one of another zone: aws elb attach-load-balancer-to-subnets.",
        )


def changes(wanted: Wanted) -> Iterator[Change]:
    """What the balancer is, where it stands, and its tags."""
    classic = wanted.classic
    yield Change("balancer", f"{classic.name} (classic)", f"{classic.name} ({wanted.kind})")
    yield Change("DNS name", classic.dns_name, "known when it is made")
    yield Change("scheme", classic.scheme, classic.scheme)
    yield Change("subnets", words(classic.subnets), words(classic.subnets))
    yield Change("security groups", words(classic.security_groups), words(classic.security_groups))
    for key, value in sorted(classic.tags.items()):
        if key.startswith(AWS_TAGS):
            yield Change(
                f"tag {key}", value, "none", f"Only AWS may write tags named {AWS_TAGS}..."
            )
        else:
            yield Change(f"tag {key}", value, value)
