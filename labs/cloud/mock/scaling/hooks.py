"""Where the mock reaches into moto's Auto Scaling. See `hooking`.

Refusals in AWS's words where users have reported them, else in our own.
Source: Amazon EC2 Auto Scaling API and User Guide.
"""

from __future__ import annotations

import functools
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from moto.autoscaling.exceptions import AutoscalingClientError
from moto.autoscaling.models import (
    Activity,
    AutoScalingBackend,
    FakeAutoScalingGroup,
    InstanceState,
    TerminateInstanceActivity,
)
from moto.core.responses import ActionResult, EmptyResult

from labs.cloud.mock import hooking
from labs.cloud.mock.hooking import Hook, Use
from labs.cloud.mock.scaling import groups
from labs.cloud.mock.scaling.motor import Scaling, in_grace

BY_USER = "was taken out of service in response to a user request"
SHRINKING = (
    "was taken out of service in response to a difference between desired and actual capacity"
)


def install(scaling: Scaling) -> None:
    """Put every hook in place. Once in a process, before Auto Scaling answers its first call."""
    hooking.install(HOOKS, scaling)


def refused(message: str, code: str = "ValidationError") -> AutoscalingClientError:
    return AutoscalingClientError(code, message)


def locked(maker: hooking.Maker) -> hooking.Maker:
    """Of a hook that changes groups: it and the motor take turns."""

    def make(original: Callable, scaling: Scaling) -> Callable:
        made = maker(original, scaling)

        @functools.wraps(original)
        def in_turn(*arguments: Any, **named: Any) -> Any:
            with groups.CHANGING:
                return made(*arguments, **named)

        return in_turn

    return make


# --- groups by name -----------------------------------------------------------------------------


class ByName(OrderedDict):
    """Groups by name; one that is not there is AWS's error, not Python's."""

    def __missing__(self, name: str) -> FakeAutoScalingGroup:
        raise refused(f"AutoScalingGroup name not found - AutoScalingGroup '{name}' not found")


def _backend(original: Callable, _scaling: Scaling) -> Callable:
    @functools.wraps(original)
    def init(self: AutoScalingBackend, region_name: str, account_id: str) -> None:
        original(self, region_name, account_id)
        self.autoscaling_groups = ByName()

    return init


def state_of(backend: AutoScalingBackend, instance_id: str) -> InstanceState:
    """Raises ValidationError for an instance of no group."""
    for group in backend.autoscaling_groups.values():
        for state in group.instance_states:
            if state.instance.id == instance_id:
                return state
    raise refused(
        f"Instance Id not found - No managed instance found for instance ID: {instance_id}"
    )


# --- what is asked for --------------------------------------------------------------------------


def check_capacity(desired: int, least: int, most: int) -> None:
    if not least <= desired <= most:
        raise refused(
            f"Desired capacity:{desired} must be between the specified min size:{least} "
            f"and max size:{most}"
        )


def check_attachments(
    backend: AutoScalingBackend, balancers: list[str], target_groups: list[str]
) -> None:
    for what, wanted, known in (
        ("Load Balancers", balancers, backend.elb_backend.load_balancers),
        ("Target Groups", target_groups, backend.elbv2_backend.target_groups),
    ):
        if missing := [one for one in wanted if one not in known]:
            raise refused(
                f"Provided {what} may not be valid. Please ensure they exist and try again. "
                f"(Not found: {', '.join(missing)})"
            )


def _create(original: Callable, scaling: Scaling) -> Callable:
    """moto replaces a group of that name, and gives a grace period to who asked for none."""

    @functools.wraps(original)
    def create(self: AutoScalingBackend, name: str, **given: Any) -> Any:
        if name in self.autoscaling_groups:
            raise refused(
                "AutoScalingGroup by this name already exists - A group with the name "
                f"{name} already exists",
                "AlreadyExists",
            )
        least, most = int(given["min_size"]), int(given["max_size"])
        desired = given.get("desired_capacity")
        if least > most:
            raise refused(f"Max bound, {most}, must be greater than or equal to min bound, {least}")
        check_capacity(least if desired is None else int(desired), least, most)
        balancers, arns = given.get("load_balancers") or [], given.get("target_group_arns") or []
        check_attachments(self, balancers, arns)
        group = original(self, name, **given)
        group.health_check_grace_period = int(given.get("health_check_period") or 0)
        group.from_the_start = {*balancers, *arns}
        scaling.wake()
        return group

    return create


def _update(original: Callable, _scaling: Scaling) -> Callable:
    """A group whose bounds move takes its desired capacity with it."""

    @functools.wraps(original)
    def update(self: AutoScalingBackend, name: str, **given: Any) -> Any:
        group = self.autoscaling_groups[name]
        least, most = (
            int(now if given.get(one) is None else given[one])
            for one, now in (("min_size", group.min_size), ("max_size", group.max_size))
        )
        if least > most:
            raise refused(f"Max bound, {most}, must be greater than or equal to min bound, {least}")
        desired = given.get("desired_capacity")
        if desired is None:
            desired = min(max(group.desired_capacity, least), most)
        check_capacity(int(desired), least, most)
        return original(self, name, **{**given, "desired_capacity": int(desired)})

    return update


def _ask_for_capacity(original: Callable, _scaling: Scaling) -> Callable:
    @functools.wraps(original)
    def set_desired_capacity(self: Any) -> ActionResult:
        wanted = self._get_int_param("DesiredCapacity")
        group = self.autoscaling_backend.autoscaling_groups[self._get_param("AutoScalingGroupName")]
        for beyond, kind, bound in (
            (wanted > group.max_size, "above max", group.max_size),
            (wanted < group.min_size, "below min", group.min_size),
        ):
            if beyond:
                raise refused(
                    f"New SetDesiredCapacity value {wanted} is {kind} value {bound} "
                    "for the AutoScalingGroup."
                )
        return original(self)

    return set_desired_capacity


def _ask_to_delete(original: Callable, _scaling: Scaling) -> Callable:
    @functools.wraps(original)
    def delete_auto_scaling_group(self: Any) -> ActionResult:
        group = self.autoscaling_backend.autoscaling_groups[self._get_param("AutoScalingGroupName")]
        if group.instance_states and not self._get_bool_param("ForceDelete", False):
            raise refused(
                "You cannot delete an AutoScalingGroup while there are instances or pending Spot "
                "instance request(s) still in the group.",
                "ResourceInUse",
            )
        return original(self)

    return delete_auto_scaling_group


def _delete(original: Callable, _scaling: Scaling) -> Callable:
    """With its instances, at once: nobody waits for them to drain."""

    @functools.wraps(original)
    def delete(self: AutoScalingBackend, group_name: str) -> None:
        group = self.autoscaling_groups[group_name]
        groups.finish(group, list(group.instance_states))
        original(self, group_name)

    return delete


# --- size ---------------------------------------------------------------------------------------


def _set_size(original: Callable, _scaling: Scaling) -> Callable:
    """moto ends instances at once. Here they drain first."""

    @functools.wraps(original)
    def set_desired_capacity(self: FakeAutoScalingGroup, new_capacity: int | None) -> None:
        if self.mixed_instances_policy:
            return original(self, new_capacity)
        wanted = self.min_size if new_capacity is None else new_capacity
        self.desired_capacity = wanted
        missing = wanted - len(self.active_instances())
        if missing > 0:
            self.replace_autoscaling_group_instances(missing, self.get_propagated_tags())
        elif missing < 0 and not groups.is_suspended(self, "Terminate"):
            groups.leave(self, groups.surplus(self, -missing), SHRINKING)
        groups.register(self)

    return set_desired_capacity


def _launch(original: Callable, _scaling: Scaling) -> Callable:
    """moto puts all instances into the first subnet."""

    @functools.wraps(original)
    def launch(
        self: FakeAutoScalingGroup, count_needed: int, propagated_tags: dict[str, str]
    ) -> None:
        groups.launch(self, count_needed, original, propagated_tags)

    return launch


def _terminated(original: Callable, _scaling: Scaling) -> Callable:
    """moto registers what takes the place of those that EC2 has ended with Classic ones only."""

    @functools.wraps(original)
    def notify_terminate_instances(self: AutoScalingBackend, instance_ids: list[str]) -> None:
        original(self, instance_ids)
        for group in self.autoscaling_groups.values():
            groups.register(group)

    return notify_terminate_instances


def _terminate(_original: Callable, _scaling: Scaling) -> Callable:
    """Source: API, TerminateInstanceInAutoScalingGroup."""

    def terminate_instance(
        self: AutoScalingBackend, instance_id: str, should_decrement: bool
    ) -> TerminateInstanceActivity:
        state = state_of(self, instance_id)
        group = state.auto_scaling_group
        before = group.desired_capacity
        if should_decrement and before <= group.min_size:
            raise refused(
                f"Currently, desiredSize equals minSize ({group.min_size}). Terminating instance "
                "without replacement will violate group's min size constraint. Either set "
                "shouldDecrementDesiredCapacity flag to false or lower group's min size."
            )
        groups.leave(group, [state], BY_USER)
        group.set_desired_capacity(before - 1 if should_decrement else before)
        return TerminateInstanceActivity(state.instance, before)

    return terminate_instance


def _detach_instances(original: Callable, _scaling: Scaling) -> Callable:
    """An instance that leaves the group leaves its balancers, too."""

    @functools.wraps(original)
    def detach_instances(
        self: AutoScalingBackend, group_name: str, instance_ids: list[str], should_decrement: bool
    ) -> list[Any]:
        groups.deregister(self.autoscaling_groups[group_name], instance_ids)
        return original(self, group_name, instance_ids, should_decrement)

    return detach_instances


def _standby(original: Callable, _scaling: Scaling) -> Callable:
    """An instance in standby gets no requests. Source: User Guide, "Temporarily remove"."""

    @functools.wraps(original)
    def enter_standby_instances(
        self: AutoScalingBackend, group_name: str, instance_ids: list[str], should_decrement: bool
    ) -> list[Any]:
        groups.deregister(self.autoscaling_groups[group_name], instance_ids)
        return original(self, group_name, instance_ids, should_decrement)

    return enter_standby_instances


def _set_health(_original: Callable, _scaling: Scaling) -> Callable:
    """The motor replaces what is unhealthy. Within the grace period nothing changes, by default."""

    def set_instance_health(self: Any) -> ActionResult:
        wanted = self._get_param("HealthStatus")
        state = state_of(self.autoscaling_backend, self._get_param("InstanceId"))
        if wanted not in ("Healthy", "Unhealthy"):
            raise refused(f"A health status is Healthy or Unhealthy, not {wanted}")
        respects = self._get_bool_param("ShouldRespectGracePeriod", True)
        if not (respects and in_grace(state.auto_scaling_group, state)):
            state.health_status = wanted
        return EmptyResult()

    return set_instance_health


# --- balancers ----------------------------------------------------------------------------------


def _register_all(_original: Callable, _scaling: Scaling) -> Callable:
    """moto takes other instances out of a Classic balancer, and registers those that leave."""

    def update_attached(self: AutoScalingBackend, group_name: str) -> None:
        groups.register(self.autoscaling_groups[group_name])

    return update_attached


def _attach_balancers(original: Callable, _scaling: Scaling) -> Callable:
    @functools.wraps(original)
    def attach(self: AutoScalingBackend, group_name: str, load_balancer_names: list[str]) -> None:
        if group_name in self.autoscaling_groups:
            check_attachments(self, load_balancer_names, [])
        original(self, group_name, load_balancer_names)

    return attach


def _attach_target_groups(original: Callable, _scaling: Scaling) -> Callable:
    @functools.wraps(original)
    def attach(self: AutoScalingBackend, group_name: str, target_group_arns: list[str]) -> None:
        if group_name in self.autoscaling_groups:
            check_attachments(self, [], target_group_arns)
        original(self, group_name, target_group_arns)

    return attach


def _detach_balancers(_original: Callable, _scaling: Scaling) -> Callable:
    """moto empties all of the group's balancers."""

    def detach(self: AutoScalingBackend, group_name: str, load_balancer_names: list[str]) -> None:
        group = self.autoscaling_groups[group_name]
        check_attached(group.load_balancer_names, load_balancer_names, "Load Balancer")
        ids = [state.instance.id for state in group.instance_states]
        for name in set(groups.classics(group)).intersection(load_balancer_names):
            groups.deregister_from_classic(group, name, ids)
        group.load_balancer_names = without(group.load_balancer_names, load_balancer_names)
        remember_detached(group, load_balancer_names, ids)

    return detach


def _detach_target_groups(_original: Callable, _scaling: Scaling) -> Callable:
    def detach(self: AutoScalingBackend, group_name: str, target_group_arns: list[str]) -> None:
        group = self.autoscaling_groups[group_name]
        ids = [state.instance.id for state in group.instance_states]
        check_attached(group.target_group_arns, target_group_arns, "Target Group")
        for target_group in groups.target_groups(group):
            if target_group.arn in target_group_arns:
                target_group.deregister([{"Id": one} for one in ids])
        group.target_group_arns = without(group.target_group_arns, target_group_arns)
        remember_detached(group, target_group_arns, ids)

    return detach


def check_attached(attached: list[str], wanted: list[str], what: str) -> None:
    if missing := without(wanted, attached):
        raise refused(f"Trying to remove {what}(s) that are not part of the group: {missing}")


def without(names: list[str], others: list[str]) -> list[str]:
    return [name for name in names if name not in others]


def remember_detached(group: FakeAutoScalingGroup, names: list[str], ids: list[str]) -> None:
    """They are shown as long as an instance drains there."""
    group.detached = {**getattr(group, "detached", {}), **dict.fromkeys(names, ids)}
    group.from_the_start = getattr(group, "from_the_start", set()) - set(names)


def _show_balancers(_original: Callable, scaling: Scaling) -> Callable:
    """Source: API, DescribeLoadBalancers; moto says Added, always."""

    def describe_load_balancers(self: Any) -> ActionResult:
        group = self.autoscaling_backend.autoscaling_groups[self._get_param("AutoScalingGroupName")]
        shown = states(
            scaling, group, group.load_balancer_names, lambda name: groups.health_name(group, name)
        )
        listed = [{"LoadBalancerName": name, "State": state} for name, state in shown.items()]
        return ActionResult({"LoadBalancers": listed})

    return describe_load_balancers


def _show_target_groups(_original: Callable, scaling: Scaling) -> Callable:
    """Source: API, DescribeLoadBalancerTargetGroups; moto says Added, always."""

    def describe_load_balancer_target_groups(self: Any) -> ActionResult:
        group = self.autoscaling_backend.autoscaling_groups[self._get_param("AutoScalingGroupName")]
        shown = states(scaling, group, group.target_group_arns, lambda arn: arn)
        listed = [
            {"LoadBalancerTargetGroupARN": arn, "State": state} for arn, state in shown.items()
        ]
        return ActionResult({"LoadBalancerTargetGroups": listed})

    return describe_load_balancer_target_groups


def states(
    scaling: Scaling,
    group: FakeAutoScalingGroup,
    attached: list[str],
    health_name: Callable[[str], str],
) -> dict[str, str]:
    """State of each attachment, and of those that were and still have an instance that drains."""
    from_the_start = getattr(group, "from_the_start", set())
    shown = {
        name: scaling.state(group, health_name(name), name in from_the_start) for name in attached
    }
    are_arns = health_name("arn:") == "arn:"
    for name, ids in getattr(group, "detached", {}).items():
        ours = name not in shown and name.startswith("arn:") == are_arns
        if ours and any(scaling.lingers(group, health_name(name), one) for one in ids):
            shown[name] = "Removing"
    return shown


def _activities(_original: Callable, _scaling: Scaling) -> Callable:
    """moto shows none. The newest first. Source: API, DescribeScalingActivities."""

    def describe_scaling_activities(self: Any) -> ActionResult:
        name = self._get_param("AutoScalingGroupName")
        known = self.autoscaling_backend.autoscaling_groups
        wanted = [known[name]] if name else list(known.values())
        found: list[Activity] = [
            activity for group in wanted for activity in getattr(group, "activities", [])
        ]
        ids = self._get_param("ActivityIds", [])
        found = [one for one in found if not ids or one.activity_id in ids]
        most = self._get_int_param("MaxRecords", groups.REMEMBERED)
        return ActionResult({"Activities": found[:most]})

    return describe_scaling_activities


def _of(owner: str, name: str, parameters: str, why: str, make: hooking.Maker) -> Hook:
    target = f"moto.autoscaling.{owner}.{name}"
    return Hook(target, ("self", *parameters.split()), why, locked(make))


_GROUP = "models:FakeAutoScalingGroup"
_BACKEND = "models:AutoScalingBackend"
_RESPONSE = "responses:AutoScalingResponse"

HOOKS = (
    _of(_BACKEND, "__init__", "region_name account_id", "a group that is not there", _backend),
    _of(
        _BACKEND,
        "create_auto_scaling_group",
        "name availability_zones desired_capacity max_size min_size launch_config_name "
        "launch_template vpc_zone_identifier default_cooldown health_check_period "
        "health_check_type load_balancers target_group_arns placement_group termination_policies "
        "tags capacity_rebalance new_instances_protected_from_scale_in instance_id "
        "mixed_instances_policy",
        "one group of a name; bounds; what does not exist",
        _create,
    ),
    _of(
        _BACKEND,
        "update_auto_scaling_group",
        "name availability_zones desired_capacity max_size min_size launch_config_name "
        "launch_template vpc_zone_identifier health_check_period health_check_type "
        "new_instances_protected_from_scale_in mixed_instances_policy",
        "bounds",
        _update,
    ),
    _of(_BACKEND, "delete_auto_scaling_group", "group_name", "ends its instances", _delete),
    _of(_BACKEND, "notify_terminate_instances", "instance_ids", "registers new ones", _terminated),
    _of(_BACKEND, "terminate_instance", "instance_id should_decrement", "drains", _terminate),
    _of(
        _BACKEND,
        "detach_instances",
        "group_name instance_ids should_decrement",
        "deregisters",
        _detach_instances,
    ),
    _of(
        _BACKEND,
        "enter_standby_instances",
        "group_name instance_ids should_decrement",
        "deregisters",
        _standby,
    ),
    _of(_BACKEND, "update_attached_elbs", "group_name", "leaves others alone", _register_all),
    _of(_BACKEND, "update_attached_target_groups", "group_name", "those in service", _register_all),
    _of(
        _BACKEND,
        "attach_load_balancers",
        "group_name load_balancer_names",
        "what does not exist",
        _attach_balancers,
    ),
    _of(
        _BACKEND,
        "attach_load_balancer_target_groups",
        "group_name target_group_arns",
        "what does not exist",
        _attach_target_groups,
    ),
    _of(
        _BACKEND,
        "detach_load_balancers",
        "group_name load_balancer_names",
        "these only",
        _detach_balancers,
    ),
    _of(
        _BACKEND,
        "detach_load_balancer_target_groups",
        "group_name target_group_arns",
        "what is not attached",
        _detach_target_groups,
    ),
    _of(_GROUP, "set_desired_capacity", "new_capacity", "drains what leaves", _set_size),
    _of(
        _GROUP,
        "replace_autoscaling_group_instances",
        "count_needed propagated_tags",
        "in all subnets; activities",
        _launch,
    ),
    _of(_RESPONSE, "set_desired_capacity", "", "bounds", _ask_for_capacity),
    _of(_RESPONSE, "delete_auto_scaling_group", "", "ForceDelete", _ask_to_delete),
    _of(_RESPONSE, "set_instance_health", "", "grace period", _set_health),
    _of(_RESPONSE, "describe_load_balancers", "", "true states", _show_balancers),
    _of(_RESPONSE, "describe_load_balancer_target_groups", "", "true states", _show_target_groups),
    _of(_RESPONSE, "describe_scaling_activities", "", "what has happened", _activities),
)

USES = (
    Use("moto.autoscaling.exceptions:AutoscalingClientError", "", "an AWS error"),
    Use("moto.autoscaling.models:autoscaling_backends", "", "in sys.modules"),
    Use(
        "moto.autoscaling.models:Activity",
        "description cause auto_scaling_group start_time status_code progress activity_id",
    ),
    Use(
        "moto.autoscaling.models:AutoScalingBackend",
        "autoscaling_groups elb_backend elbv2_backend",
    ),
    Use(
        "moto.autoscaling.models:FakeAutoScalingGroup",
        "_suspended_processes account_id active_instances autoscaling_backend availability_zones "
        "desired_capacity ec2_backend get_propagated_tags health_check_grace_period "
        "health_check_type instance_states load_balancer_names max_size min_size "
        "mixed_instances_policy region target_group_arns vpc_zone_identifier",
    ),
    Use(
        "moto.autoscaling.models:InstanceState",
        "auto_scaling_group availability_zone health_status instance lifecycle_state "
        "protected_from_scale_in",
    ),
    Use("moto.autoscaling.models:TerminateInstanceActivity", "", "instance, its group's size then"),
    Use("moto.core.responses:ActionResult"),
    Use("moto.core.responses:EmptyResult"),
    Use("moto.ec2.models:EC2Backend.terminate_instances", "instance_ids"),
    Use("moto.ec2.models:EC2Backend.get_subnet", "subnet_id"),
    Use(
        "moto.elb.models:ELBBackend.register_instances",
        "load_balancer_name instance_ids from_autoscaling",
    ),
    Use("moto.elbv2.models:ELBv2Backend.register_targets", "target_group_arn instances"),
    Use("moto.elbv2.models:FakeTargetGroup", "arn deregister port targets"),
)
