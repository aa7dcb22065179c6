"""Target groups as the plane runs them: who is in, who is well, whose turn it is.

A Classic balancer's instances are a pool too. A target that leaves drains: it gets nothing new,
and what it has may finish until the deregistration delay (divided by TIME_SCALE) is over.

Sources: Application Load Balancer guide, "Target groups" (routing algorithms, deregistration
delay, slow start, fail-open in "Target group health"); Network Load Balancer guide, "Target
groups"; Classic guide, "Configure connection draining".
"""

import asyncio
import random
from collections.abc import Callable, Iterable
from functools import partial
from itertools import count

from labs.cloud.mock.balancing import health
from labs.cloud.mock.balancing.health import Health, Status
from labs.cloud.mock.balancing.shapes import Balancer, Check, Group, Instance, Snapshot, target_key
from labs.cloud.settings import TIME_SCALE
from labs.loadbalancing.target import Target

#: Watches one member: runs its checks for ever. Cancelled when they are to end.
Watch = Callable[["Pool", "Member"], asyncio.Task]


class Member:
    """One target of a pool, from registration until it has drained.

    address: where its traffic goes; None for a function.
    """

    health: Health

    def __init__(self, key: str, target_id: str, port: int | None) -> None:
        self.key, self.id, self.port = key, target_id, port
        self.address: str | None = None
        self.zone: str | None = None
        self.fixed: Status | None = health.REGISTERING  # a state that checks do not decide
        self.in_flight = 0
        self.ramp_from: float | None = None
        self.watching: asyncio.Task | None = None
        self.drained: asyncio.TimerHandle | None = None
        self.when_idle: Callable[[], None] | None = None

    def release(self) -> None:
        """A request or connection of its has ended."""
        self.in_flight -= 1
        if self.in_flight == 0 and self.when_idle:
            self.when_idle()

    @property
    def status(self) -> Status:
        return self.fixed or self.health.status

    @property
    def usable(self) -> bool:
        """May it get traffic, if only because no target is well?"""
        return self.status.state in ("healthy", "initial", "unhealthy", "unavailable")

    @property
    def well(self) -> bool:
        return self.status.state in ("healthy", "unavailable")

    def stop_watching(self) -> None:
        if self.watching:
            self.watching.cancel()
            self.watching = None


class Pool:
    """The targets of one group.

    changed: called when the health of a target may have changed.
    left:    called with a member when its time to drain is over.
    failed:  called with a member that turned from healthy to unhealthy.
    """

    def __init__(
        self,
        name: str,
        watch: Watch,
        changed: Callable[["Pool"], None],
        left: Callable[["Pool", Member], None],
        failed: Callable[["Pool", Member], None],
    ) -> None:
        self.name = name
        self.group: Group
        self.members: dict[str, Member] = {}
        self.draining: dict[str, Member] = {}
        self.candidates: list[Member] = []
        self._watch, self._changed, self._left, self._failed = watch, changed, left, failed
        self._turn = count()

    # What a snapshot says

    def update(self, group: Group, snapshot: Snapshot) -> None:
        """Take in and let go what a snapshot says. Needs a running loop."""
        rechecked = not hasattr(self, "group") or self.group["check"] != group["check"]
        self.group = group
        wanted = {target_key(t["id"], t["port"]): t for t in group["targets"]}
        for key in self.members.keys() - wanted.keys():
            self._let_go(self.members.pop(key))
        for key, target in wanted.items():
            if key not in self.members:
                self.members[key] = self._welcome(key, target["id"], target["port"])
        users = [snapshot["balancers"][user] for user in group["users"]]
        for member in self.members.values():
            self._place(member, snapshot)
            self._settle(member, snapshot["instances"].get(member.id), users, rechecked)
        self.refresh()

    def close(self) -> None:
        """The group has gone, and its targets with it."""
        for member in [*self.members.values(), *self.draining.values()]:
            member.stop_watching()
            if member.drained:
                member.drained.cancel()
            self._left(self, member)
        self.members, self.draining, self.candidates = {}, {}, []

    def _welcome(self, key: str, target_id: str, port: int | None) -> Member:
        """A fresh member, or one that had not drained yet: what that has in flight goes on."""
        member = self.draining.pop(key, None) or Member(key, target_id, port)
        if member.drained:
            member.drained.cancel()
        member.when_idle = None
        member.health = _thresholds(self.group["check"])
        return member

    def _place(self, member: Member, snapshot: Snapshot) -> None:
        kind = self.group["kind"]
        if kind == "instance":
            instance = snapshot["instances"].get(member.id)
            member.address = instance["address"] if instance else None
            member.zone = instance["zone"] if instance else None
        elif kind == "ip":
            member.address = member.id
        elif kind == "alb":
            balancer = snapshot["balancers"].get(member.id)
            member.address = next(iter(balancer["private"].values()), None) if balancer else None

    def _settle(
        self,
        member: Member,
        instance: Instance | None,
        users: list[Balancer],
        rechecked: bool,
    ) -> None:
        """Which state it has if checks do not decide, and whether checks run."""
        member.fixed = self._decided(member, instance, users)
        if rechecked:
            self._rethink(member)
        if member.fixed is not None:
            member.stop_watching()
            if member.fixed.state == "unused":  # begins anew when it comes back
                member.health = _thresholds(self.group["check"])
                member.ramp_from = None
        elif member.watching is None or member.watching.done():
            member.watching = self._watch(self, member)

    def _rethink(self, member: Member) -> None:
        """New settings of the check hold for a target that keeps its state."""
        kept = member.health.status
        member.health = _thresholds(self.group["check"])
        member.health.status = kept
        member.stop_watching()

    def _decided(
        self, member: Member, instance: Instance | None, users: list[Balancer]
    ) -> Status | None:
        of_instances = self.group["kind"] == "instance"
        if not users:
            return health.NOT_IN_USE
        if of_instances and (instance is None or instance["state"] != "running"):
            return health.invalid(instance["state"] if instance else "terminated")
        if member.zone and not any(member.zone in user["private"] for user in users):
            return health.ZONE_NOT_ENABLED
        if self.group["kind"] == "ip" and any(
            member.id in user["private"].values() for user in users
        ):
            return health.IP_UNUSABLE
        return None if self.group["check"]["enabled"] else health.UNCHECKED

    # Leaving

    @property
    def delay(self) -> float:
        """AWS's seconds for draining."""
        return float(self.group["attributes"].get("deregistration_delay.timeout_seconds", 300))

    def _let_go(self, member: Member) -> None:
        member.stop_watching()
        if not member.in_flight and (
            member.status.state == "unused"
            or self.group["kind"] == "lambda"
            or self.group["layer"] == "classic"
        ):
            self._left(self, member)
            return
        member.fixed = health.DRAINING
        self.draining[member.key] = member
        leave = partial(self._drained, member)
        member.drained = asyncio.get_running_loop().call_later(self.delay / TIME_SCALE, leave)
        if self.group["layer"] == "classic":  # done when it has nothing left; others wait
            member.when_idle = leave

    def _drained(self, member: Member) -> None:
        if self.draining.get(member.key) is member:
            del self.draining[member.key]
            member.drained.cancel()
            member.when_idle = None
            self._left(self, member)
            self._changed(self)

    # Checks

    def record(self, member: Member, failure: Status | None) -> None:
        """The result of a check."""
        before = member.health.status
        member.health.record(failure)
        after = member.health.status
        if after == before:
            return
        if after.state == "healthy":
            member.ramp_from = self._ramp(member)
        elif before.state == "healthy":
            member.ramp_from = None
            self._failed(self, member)
        self.refresh()
        self._changed(self)

    def begin(self, member: Member) -> None:
        """Its first check goes out."""
        if member.health.status is health.REGISTERING:
            member.health.begin()
            self._changed(self)

    def refresh(self) -> None:
        """Who may get traffic. Without enough that are well, all who are registered: fail open."""
        usable = [member for member in self.members.values() if member.usable]
        well = [member for member in usable if member.well]
        self.candidates = well if len(well) >= self._enough(len(usable)) else usable

    def _enough(self, registered: int) -> float:
        prefix = "target_group_health.unhealthy_state_routing.minimum_healthy_targets."
        attributes = self.group["attributes"]
        least, percentage = attributes.get(f"{prefix}count"), attributes.get(f"{prefix}percentage")
        counted = float(least) if least and least != "off" else 1.0
        share = float(percentage) if percentage and percentage != "off" else 0.0
        return max(counted, share / 100 * registered)

    # Choosing, for requests

    def pick(self, now: float) -> Member | None:
        """The member that gets a request, by the group's algorithm; None without any.

        round_robin and weighted_random (whose weights are equal without anomaly mitigation), with
        slow start; least_outstanding_requests, of equals the one whose turn it is. Classic: the
        last one. Source: ELB API, TargetGroupAttribute; ELB guide, "How Elastic Load Balancing
        works", routing algorithm.
        """
        candidates = self.candidates
        if not candidates:
            return None
        algorithm = self.group["attributes"].get("load_balancing.algorithm.type", "round_robin")
        if algorithm == "weighted_random":
            return random.choice(candidates)
        start = next(self._turn) % len(candidates)
        if algorithm == "least_outstanding_requests":
            ordered = candidates[start:] + candidates[:start]
            return min(ordered, key=lambda member: member.in_flight)
        return self._in_turn(start, now)

    def _in_turn(self, start: int, now: float) -> Member:
        for member in self.candidates[start:] + self.candidates[:start]:
            if random.random() < self._share(member, now):
                return member
            next(self._turn)
        return self.candidates[start]

    def _share(self, member: Member, now: float) -> float:
        """The part of its share that a member gets: grows in a line while it starts slowly."""
        if member.ramp_from is None:
            return 1.0
        share = (now - member.ramp_from) / (self._slow_start / TIME_SCALE or 1e-9)
        if share >= 1:
            member.ramp_from = None
        return share

    def _ramp(self, member: Member) -> float | None:
        """When its slow start begins, if it has one: another must be well and not starting."""
        settled = (m for m in self.members.values() if m is not member and m.well)
        if not self._slow_start or all(other.ramp_from is not None for other in settled):
            return None
        return asyncio.get_running_loop().time()

    @property
    def _slow_start(self) -> float:
        return float(self.group["attributes"].get("slow_start.duration_seconds", 0))

    def statuses(self) -> dict[str, list[str | None]]:
        """The state of each target, those that drain included."""
        everyone: Iterable[Member] = [*self.draining.values(), *self.members.values()]
        return {member.key: list(member.status) for member in everyone}


def target_of(pool: Pool, member: Member, port: int | None = None) -> Target:
    """The member as the proxies know it: two groups' connections to one server stay apart.

    port: where a Classic listener says so; else the member's own.
    """
    host, number = member.address or "", port or member.port or 0
    return Target(f"{pool.name} {member.key}", host, number)


def _thresholds(settings: Check) -> Health:
    return Health(settings["first"], settings["healthy"], settings["unhealthy"])
