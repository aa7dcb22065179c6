"""Auto Scaling groups. Their UpdatePolicy is taken and not acted upon: instances stay."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from labs.cloud.mock.stacks.types.base import (
    Properties,
    Type,
    changed,
    first,
    only,
    removed,
    without,
)

_SETTINGS = (
    "AvailabilityZones Cooldown DesiredCapacity HealthCheckGracePeriod "
    "HealthCheckType LaunchConfigurationName LaunchTemplate MaxSize MinSize "
    "NewInstancesProtectedFromScaleIn TerminationPolicies"
)


class AutoScalingGroup(Type):
    name = "AWS::AutoScaling::AutoScalingGroup"
    service = "autoscaling"
    properties = (
        f"AutoScalingGroupName LoadBalancerNames Tags TargetGroupARNs VPCZoneIdentifier {_SETTINGS}"
    )
    named, longest = "AutoScalingGroupName", 255
    tag_extras: ClassVar[Mapping[str, Any]] = {"PropagateAtLaunch": True}

    def create(self, given: Properties) -> str:
        name = self.named_by(given)
        self.call(
            "create_auto_scaling_group",
            {
                **self._settings(given),
                **only(given, "LoadBalancerNames TargetGroupARNs"),
                "Tags": _tags(name, given),
            },
            AutoScalingGroupName=name,
        )
        return name

    def update(self, physical: str, given: Properties, before: Properties) -> None:
        if changed(given, before, *_SETTINGS.split(), "VPCZoneIdentifier"):
            self.call(
                "update_auto_scaling_group",
                self._settings(given),
                AutoScalingGroupName=physical,
            )
        about = {"AutoScalingGroupName": physical}
        for key, attach, detach in (
            (
                "TargetGroupARNs",
                "attach_load_balancer_target_groups",
                "detach_load_balancer_target_groups",
            ),
            ("LoadBalancerNames", "attach_load_balancers", "detach_load_balancers"),
        ):
            new, old = given.get(key) or [], before.get(key) or []
            if gone := removed(new, old):
                getattr(self.client, detach)(**about, **{key: gone})
            if more := removed(old, new):
                getattr(self.client, attach)(**about, **{key: more})
        self._retag(physical, given, before)

    def attributes(self, physical: str, given: Properties) -> dict[str, Any]:
        return {"AutoScalingGroupARN": self._found(physical)["AutoScalingGroupARN"]}

    def read(self, physical: str, given: Properties) -> Properties:
        found = self._found(physical)
        zones = [one for one in found.get("VPCZoneIdentifier", "").split(",") if one]
        return {
            **found,
            "Cooldown": found.get("DefaultCooldown"),
            "VPCZoneIdentifier": zones,
            "Tags": [only(tag, "Key Value PropagateAtLaunch") for tag in found["Tags"]],
        }

    def delete(self, physical: str, given: Properties) -> None:
        self.client.delete_auto_scaling_group(AutoScalingGroupName=physical, ForceDelete=True)

    @staticmethod
    def _settings(given: Properties) -> dict[str, Any]:
        found = only(given, _SETTINGS)
        if "Cooldown" in found:
            found["DefaultCooldown"] = found.pop("Cooldown")
        if "VPCZoneIdentifier" in given:
            found["VPCZoneIdentifier"] = ",".join(given["VPCZoneIdentifier"])
        return found

    def _retag(self, name: str, given: Properties, before: Properties) -> None:
        new, old = _tags(name, given), _tags(name, before)
        kept = {tag["Key"] for tag in new}
        if gone := [tag for tag in old if tag["Key"] not in kept]:
            self.client.delete_tags(Tags=[without(tag, "Value PropagateAtLaunch") for tag in gone])
        if new != old and new:
            self.client.create_or_update_tags(Tags=new)

    def _found(self, name: str) -> dict[str, Any]:
        found = self.reader.describe_auto_scaling_groups(AutoScalingGroupNames=[name])
        return first(found["AutoScalingGroups"])


def _tags(name: str, given: Properties) -> list[dict[str, Any]]:
    return [
        {"ResourceId": name, "ResourceType": "auto-scaling-group", **tag}
        for tag in given.get("Tags") or ()
    ]
