"""Looks at every Auto Scaling group again and again: replaces the unhealthy, ends the drained."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from labs.cloud.mock.scaling import groups
from labs.cloud.settings import TIME_SCALE

if TYPE_CHECKING:
    from moto.autoscaling.models import FakeAutoScalingGroup, InstanceState

#: Seconds between two looks.
INTERVAL = 0.2
#: Seconds in which the data plane must have told that an instance drains, if it does.
TOLD = 0.5
#: Processes without which nothing is replaced. Source: User Guide, "Suspend and resume processes".
REPLACING = ("HealthCheck", "ReplaceUnhealthy", "Terminate")

#: [state, reason, description] of a target group's or Classic balancer's targets, by key.
Health = Mapping[str, Sequence[str | None]]

log = logging.getLogger("labs.mock.scaling")


class Scaling:
    """Owns the thread that looks. It starts with the first group, and ends with `close`.

    health:  of a target group's ARN or a Classic balancer, what the data plane told last.
    changed: called in that thread when instances have come or gone: follow and publish.
    """

    def __init__(self, health: Callable[[str], Health], changed: Callable[[], None]) -> None:
        self._health, self._changed = health, changed
        self._thread: threading.Thread | None = None
        self._stopped = threading.Event()

    def wake(self) -> None:
        """There is a group: look from now on. Twice does no harm."""
        with groups.CHANGING:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="scaling", daemon=True)
                self._thread.start()

    def close(self) -> None:
        """End the thread, for good."""
        self._stopped.set()
        if self._thread:
            self._thread.join()

    def look(self) -> bool:
        """Do what is due in all groups; whether anything was."""
        with groups.CHANGING:
            done = [self._look_at(group) for group in groups.groups()]
        return any(done)

    def state(self, group: FakeAutoScalingGroup, name: str, from_the_start: bool) -> str:
        """Of an attachment. name: the data plane's. Source: API, LoadBalancerTargetGroupState."""
        health = self._health(name)
        ids = [state.instance.id for state in group.active_instances()]
        if any(not told(health, one) or is_registering(health, one) for one in ids):
            return "Adding"
        passed = any(state == "healthy" for one in ids for state, _, _ in told(health, one))
        by_elb = group.health_check_type == "ELB" and passed
        return "InService" if from_the_start or by_elb else "Added"

    def lingers(self, group: FakeAutoScalingGroup, name: str, instance_id: str) -> bool:
        """Is the instance still there, with requests to finish, though no longer registered?"""
        if instance_id in groups.registered(group, name):
            return False
        return bool(told(self._health(name), instance_id))

    def _run(self) -> None:
        while not self._stopped.wait(INTERVAL):
            try:
                if self.look():
                    self._changed()
            except Exception:
                log.exception("Auto Scaling failed to look at its groups")

    def _look_at(self, group: FakeAutoScalingGroup) -> bool:
        drained = [state for state in group.instance_states if self._has_drained(group, state)]
        groups.finish(group, drained)
        sick = [] if groups.is_suspended(group, *REPLACING) else list(self._sick(group))
        for state, why in sick:
            state.health_status = "Unhealthy"
            groups.leave(group, [state], why)
        off_size = groups.is_off_size(group)
        if sick or off_size:
            group.set_desired_capacity(group.desired_capacity)
        return bool(drained or sick or off_size)

    def _has_drained(self, group: FakeAutoScalingGroup, state: InstanceState) -> bool:
        if state.lifecycle_state != groups.LEAVING:
            return False
        if time.monotonic() < getattr(state, "left_at", 0) + TOLD:
            return False
        names = groups.names_of_health(group)
        return not any(self.lingers(group, name, state.instance.id) for name in names)

    def _sick(self, group: FakeAutoScalingGroup) -> Iterator[tuple[InstanceState, str]]:
        """Instances in service that have to go, and why.

        Source: EC2 Auto Scaling User Guide, "Health checks for instances in an Auto Scaling group"
        (an instance that is not running counts at once; others after the grace period).
        """
        for state in group.active_instances():
            out = "was taken out of service in response to"
            if state.instance.state != "running":
                yield state, f"{out} an EC2 health check that found it {state.instance.state}"
            elif state.health_status == "Unhealthy":
                yield state, f"{out} a user health-check"
            elif group.health_check_type == "ELB" and not in_grace(group, state):
                names = groups.names_of_health(group)
                seen = [told(self._health(name), state.instance.id) for name in names]
                if any(status == "unhealthy" for found in seen for status, _, _ in found):
                    yield state, f"{out} an ELB system health check failure"


def in_grace(group: FakeAutoScalingGroup, state: InstanceState) -> bool:
    """Is the instance so young that its health does not count? The period is in AWS's seconds."""
    if not hasattr(state, "since"):
        state.since = time.monotonic()
    grace = float(group.health_check_grace_period or 0) / TIME_SCALE
    return time.monotonic() < state.since + grace


def told(health: Health, instance_id: str) -> list[Sequence[str | None]]:
    """What is told of an instance, at each of its ports."""
    return [
        status
        for key, status in health.items()
        if key == instance_id or key.startswith(f"{instance_id}:")
    ]


def is_registering(health: Health, instance_id: str) -> bool:
    return any(why == "Elb.RegistrationInProgress" for _, why, _ in told(health, instance_id))
