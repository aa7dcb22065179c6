"""What happens to an Auto Scaling group: instances come, are registered, and leave.

moto's objects are changed in place. `CHANGING` is held by whoever does it, the motor's thread or an
API call's.
"""

from __future__ import annotations

import copy
import logging
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from labs.cloud.mock.balancing.snapshot import backends, classic_name

if TYPE_CHECKING:
    from moto.autoscaling.models import FakeAutoScalingGroup, InstanceState

CHANGING = threading.RLock()
#: Of an instance that is on its way out. Source: EC2 Auto Scaling User Guide, "Instance lifecycle".
LEAVING = "Terminating"
#: Activities that a group remembers. AWS keeps six weeks of them.
REMEMBERED = 100
#: Seconds after which a group that could not launch tries again. AWS waits longer each time.
RETRY = 2.0

log = logging.getLogger("labs.mock.scaling")


def groups() -> Iterator[FakeAutoScalingGroup]:
    """All Auto Scaling groups, of every account and region."""
    for _, _, backend in backends("moto.autoscaling.models", "autoscaling_backends"):
        yield from list(backend.autoscaling_groups.values())


def launch(group: FakeAutoScalingGroup, count: int, launcher: Any, tags: dict[str, str]) -> None:
    """Start instances, each where the group has fewest. launcher: moto's own, for one place.

    One that cannot be started is a failed activity, and the motor tries again (`is_off_size`).
    Sources: EC2 Auto Scaling User Guide, "Availability Zones" (balanced, as evenly as can be),
    "Suspend and resume processes" (what is launched meanwhile is added to no balancer later).
    """
    if is_suspended(group, "Launch"):
        return
    for _ in range(count):
        place = copy.copy(group)  # shares the list that the new instance is appended to
        before = len(group.instance_states)
        try:
            subnet, zone = emptiest(group)
            place.vpc_zone_identifier, place.availability_zones = subnet, [zone]
            launcher(place, 1, dict(tags))
        except Exception as error:
            log.warning("Group %s could not launch", group.name, exc_info=True)
            group.retry_at = time.monotonic() + RETRY
            why = f"could not be launched: {type(error).__name__} {error}"
            note(group, "Launching a new EC2 instance", why, status="Failed")
            return
        for state in group.instance_states[before:]:
            state.auto_scaling_group = state.instance.autoscaling_group = group
            state.since = time.monotonic()
            state.stays_out = is_suspended(group, "AddToLoadBalancer")
            note(group, f"Launching a new EC2 instance: {state.instance.id}", "was launched")


def is_suspended(group: FakeAutoScalingGroup, *processes: str) -> bool:
    """Is any of these processes?"""
    return not set(processes).isdisjoint(group._suspended_processes)


def is_off_size(group: FakeAutoScalingGroup) -> bool:
    """Has the group another size than it should, and may it do something about it now?"""
    missing = int(group.desired_capacity) - len(group.active_instances())
    if missing > 0:
        return not is_suspended(group, "Launch") and time.monotonic() > getattr(
            group, "retry_at", 0
        )
    return missing < 0 and not is_suspended(group, "Terminate") and bool(surplus(group, -missing))


def emptiest(group: FakeAutoScalingGroup) -> tuple[str | None, str]:
    """(subnet id or None, Availability Zone) in which the group has fewest instances."""
    busy = Counter(state.availability_zone for state in group.active_instances())
    if not group.vpc_zone_identifier:
        zones = group.availability_zones
        return None, min(zones, key=lambda zone: busy[zone])
    ids = [one.strip() for one in group.vpc_zone_identifier.split(",")]
    subnets = [group.ec2_backend.get_subnet(one) for one in ids]
    chosen = min(subnets, key=lambda subnet: busy[subnet.availability_zone])
    return chosen.id, chosen.availability_zone


def surplus(group: FakeAutoScalingGroup, count: int) -> list[InstanceState]:
    """Those that a smaller group does without: the oldest of the fullest zone, one after another.

    Source: EC2 Auto Scaling User Guide, "Default termination policy".
    """
    left = [state for state in group.active_instances() if not state.protected_from_scale_in]
    chosen: list[InstanceState] = []
    while left and len(chosen) < count:
        busy = Counter(state.availability_zone for state in left)
        fullest = max(busy, key=lambda zone: busy[zone])
        one = next(state for state in left if state.availability_zone == fullest)
        left.remove(one)
        chosen.append(one)
    return chosen


def leave(group: FakeAutoScalingGroup, states: Iterable[InstanceState], why: str) -> None:
    """Take instances out of service and out of all balancers; `finish` ends them when drained.

    Source: EC2 Auto Scaling User Guide, "Elastic Load Balancing and Amazon EC2 Auto Scaling".
    """
    leaving = list(states)
    for state in leaving:
        state.lifecycle_state = LEAVING
        state.left_at = time.monotonic()
        note(group, f"Terminating EC2 instance: {state.instance.id}", why)
    deregister(group, [state.instance.id for state in leaving])
    if not names_of_health(group):
        finish(group, leaving)


def finish(group: FakeAutoScalingGroup, states: Iterable[InstanceState]) -> None:
    """End instances, and forget them."""
    ending = list(states)
    ids = [state.instance.id for state in ending if state.instance.state != "terminated"]
    if ids:
        group.ec2_backend.terminate_instances(ids)
    group.instance_states = [one for one in group.instance_states if one not in ending]


def register(group: FakeAutoScalingGroup) -> None:
    """Have the instances in service behind every balancer and target group of the group."""
    ids = [
        state.instance.id
        for state in group.active_instances()
        if not getattr(state, "stays_out", False)
    ]
    backend = group.autoscaling_backend
    for name in classics(group):
        backend.elb_backend.register_instances(name, ids, from_autoscaling=True)
    for target_group in target_groups(group):
        known = {target["Id"] for target in target_group.targets.values()}
        new = [{"Id": one, "Port": target_group.port} for one in ids if one not in known]
        if new:
            backend.elbv2_backend.register_targets(target_group.arn, new)


def deregister(group: FakeAutoScalingGroup, ids: list[str]) -> None:
    """Take instances out of every balancer and target group of the group."""
    for name in classics(group):
        deregister_from_classic(group, name, ids)
    for target_group in target_groups(group):
        target_group.deregister([{"Id": one} for one in ids])


def deregister_from_classic(group: FakeAutoScalingGroup, name: str, ids: list[str]) -> None:
    """Whether Auto Scaling has registered them or somebody else: AWS does not tell them apart."""
    balancer = group.autoscaling_backend.elb_backend.load_balancers[name]
    for attribute in ("instance_sparse_ids", "instance_autoscaling_ids"):
        kept = [one for one in getattr(balancer, attribute) if one not in ids]
        setattr(balancer, attribute, kept)


def classics(group: FakeAutoScalingGroup) -> list[str]:
    """Names of the Classic balancers that are attached and still exist."""
    known = group.autoscaling_backend.elb_backend.load_balancers
    return [name for name in group.load_balancer_names if name in known]


def target_groups(group: FakeAutoScalingGroup) -> list[Any]:
    """The target groups that are attached and still exist."""
    known = group.autoscaling_backend.elbv2_backend.target_groups
    return [known[arn] for arn in group.target_group_arns if arn in known]


def names_of_health(group: FakeAutoScalingGroup) -> list[str]:
    """Under which names the data plane tells of the health of the group's instances."""
    return [
        *(health_name(group, name) for name in classics(group)),
        *(target_group.arn for target_group in target_groups(group)),
    ]


def registered(group: FakeAutoScalingGroup, name: str) -> set[str]:
    """Ids of the instances behind one of those; name: the data plane's."""
    backend = group.autoscaling_backend
    if name in backend.elbv2_backend.target_groups:
        targets = backend.elbv2_backend.target_groups[name].targets.values()
        return {target["Id"] for target in targets}
    balancer = backend.elb_backend.load_balancers.get(name.rpartition("/")[2])
    return set(balancer.instance_ids) if balancer else set()


def health_name(group: FakeAutoScalingGroup, classic: str) -> str:
    """The data plane's name of a Classic balancer."""
    return classic_name(group.account_id, group.region, classic)


def note(
    group: FakeAutoScalingGroup, description: str, why: str, status: str = "Successful"
) -> None:
    """Remember a scaling activity. why: what follows "At TIME an instance"."""
    from moto.autoscaling.models import Activity

    now = datetime.now(UTC)
    cause = f"At {now:%Y-%m-%dT%H:%M:%SZ} an instance {why}."
    activity = Activity(description, cause, group, start_time=now, status_code=status)
    activity.progress = 100
    group.activities = [activity, *getattr(group, "activities", [])][:REMEMBERED]
