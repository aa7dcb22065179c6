"""Instances: registered in each target group with its port, or by their Auto Scaling group.

Sources: ELB API (2015-12-01), RegisterTargets, TargetDescription; Network Load Balancer guide,
"Register targets"; Amazon EC2 Auto Scaling API, AttachLoadBalancerTargetGroups.
"""

from collections.abc import Iterator

from labs.loadbalancing.migration.listeners import Group, groups
from labs.loadbalancing.migration.step import Arn, Step
from labs.loadbalancing.migration.wanted import Change, Wanted, words

GROUPS_OF_A_CALL = 10  # that AttachLoadBalancerTargetGroups takes
#: Families of instance types that a Network Load Balancer does not take by their ids.
OLD_FAMILIES = ("c1", "cc1", "cc2", "cg1", "cg2", "cr1", "cs1", "g1", "g2", "hi1", "hs1")
TOO_OLD = frozenset((*OLD_FAMILIES, "m1", "m2", "m3", "t1"))


def reason(instance: str, wanted: Wanted) -> str:
    """Why an instance cannot be registered; empty when it can."""
    type_ = wanted.classic.running.get(instance)
    if type_ is None:
        return "it does not run, and elbv2 registers only instances that do"
    if wanted.kind == "network" and type_.partition(".")[0] in TOO_OLD:
        return f"a Network Load Balancer does not take the type {type_} by its id"
    return ""


def of_groups(wanted: Wanted) -> set[str]:
    """The instances that come by their Auto Scaling groups."""
    return {each for group in wanted.classic.scaling_groups for each in group.instances}


def own(wanted: Wanted) -> list[str]:
    """The instances that no Auto Scaling group looks after."""
    return [each for each in wanted.classic.instances if each not in of_groups(wanted)]


def to_register(wanted: Wanted) -> list[str]:
    """Those of them that elbv2 takes."""
    return [each for each in own(wanted) if not reason(each, wanted)]


def targets(group: Group, wanted: Wanted) -> list[dict[str, object]]:
    """For RegisterTargets. The port is written down: an instance may be in several groups."""
    return [{"Id": instance, "Port": group.port} for instance in to_register(wanted)]


def plural(number: int, word: str) -> str:
    """
    >>> plural(1, "instance"), plural(2, "instance")
    ('1 instance', '2 instances')
    """
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def changes(wanted: Wanted) -> Iterator[Change]:
    """A line for the instances, one for each that stays behind, one for each Auto Scaling group."""
    names = list(groups(wanted).values())
    if not wanted.register_targets:
        yield Change(
            "instances",
            words(wanted.classic.instances),
            "none",
            "Not registered: --register-targets (register_targets=True in Python) does it.",
        )
        for group in wanted.classic.scaling_groups:
            note = "Attach the target groups to it, or migrate with --register-targets."
            yield Change(f"Auto Scaling group {group.name}", "attached", "not attached", note)
        return
    if own(wanted) or not wanted.classic.scaling_groups:
        yield Change("instances", words(own(wanted)), words(to_register(wanted)))
    for instance in own(wanted):
        if reason(instance, wanted):
            note = f"Left out: {reason(instance, wanted)}."
            yield Change(f"instance {instance}", "registered", "none", note)
    for group in wanted.classic.scaling_groups:
        yield Change(
            f"Auto Scaling group {group.name}",
            f"attached, with {words(sorted(group.instances))}",
            f"{', '.join(names)} attached",
            "It replaces instances that fail the new health checks, too."
            if "ELB" in group.health_check_type
            else "",
        )


def steps(wanted: Wanted) -> Iterator[Step]:
    """Calls that put the instances into the target groups."""
    names = groups(wanted)
    for group, name in names.items():
        instances = targets(group, wanted)
        if instances:
            yield Step(
                f"register {plural(len(instances), 'instance')} at port {group.port} in {name}",
                "elbv2",
                "register_targets",
                {"TargetGroupArn": Arn(f"group {name}"), "Targets": instances},
            )
    keys = [Arn(f"group {name}") for name in names.values()]
    for scaling_group in wanted.classic.scaling_groups:
        for start in range(0, len(keys), GROUPS_OF_A_CALL):
            some = keys[start : start + GROUPS_OF_A_CALL]
            yield Step(
                f"attach {plural(len(some), 'target group')} to Auto Scaling group"
                f" {scaling_group.name}",
                "autoscaling",
                "attach_load_balancer_target_groups",
                {"AutoScalingGroupName": scaling_group.name, "TargetGroupARNs": some},
            )
