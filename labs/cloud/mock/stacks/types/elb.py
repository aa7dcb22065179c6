"""Classic Load Balancers."""

from __future__ import annotations

from typing import Any

from labs.cloud.mock.stacks.errors import NotInMock
from labs.cloud.mock.stacks.types.base import (
    Properties,
    Type,
    changed,
    first,
    listed,
    removed,
    without,
)


class LoadBalancer(Type):
    name = "AWS::ElasticLoadBalancing::LoadBalancer"
    service = "elb"
    properties = (
        "AvailabilityZones ConnectionDrainingPolicy ConnectionSettings CrossZone HealthCheck "
        "Instances Listeners LoadBalancerName Scheme SecurityGroups Subnets Tags"
    )
    named, longest = "LoadBalancerName", 32

    def create(self, given: Properties) -> str:
        name = self.named_by(given)
        if "LoadBalancerName" in given and self.exists(lambda: self._found(name)):
            self.refuse_existing(name)
        self.call(
            "create_load_balancer",
            {
                **without(
                    given,
                    "ConnectionDrainingPolicy ConnectionSettings CrossZone HealthCheck Instances "
                    "Listeners LoadBalancerName",
                ),
                "Listeners": _listeners(given),
            },
            LoadBalancerName=name,
        )
        return name

    def configure(self, physical: str, given: Properties, before: Properties) -> None:
        if changed(given, before, "HealthCheck") and "HealthCheck" in given:
            check = {"HealthCheck": given["HealthCheck"]}
            self.call("configure_health_check", check, LoadBalancerName=physical)
        if attributes := self._attributes(given, before):
            self.call(
                "modify_load_balancer_attributes",
                {"LoadBalancerAttributes": attributes},
                LoadBalancerName=physical,
            )
        new, old = given.get("Instances") or [], before.get("Instances") or []
        if gone := removed(new, old):
            self.client.deregister_instances_from_load_balancer(
                LoadBalancerName=physical, Instances=[{"InstanceId": one} for one in gone]
            )
        if more := removed(old, new):
            self.client.register_instances_with_load_balancer(
                LoadBalancerName=physical, Instances=[{"InstanceId": one} for one in more]
            )

    def update(self, physical: str, given: Properties, before: Properties) -> None:
        new, old = _listeners(given), _listeners(before)
        if gone := removed(new, old):
            self.client.delete_load_balancer_listeners(
                LoadBalancerName=physical,
                LoadBalancerPorts=[int(one["LoadBalancerPort"]) for one in gone],
            )
        if more := removed(old, new):
            self.call(
                "create_load_balancer_listeners", {"Listeners": more}, LoadBalancerName=physical
            )
        if changed(given, before, "SecurityGroups"):
            self.client.apply_security_groups_to_load_balancer(
                LoadBalancerName=physical, SecurityGroups=given.get("SecurityGroups", [])
            )
        self._move(physical, given, before)
        self.retag(
            given,
            before,
            lambda keys: self.client.remove_tags(
                LoadBalancerNames=[physical], Tags=[{"Key": key} for key in keys]
            ),
            lambda tags: self.client.add_tags(LoadBalancerNames=[physical], Tags=listed(tags)),
        )
        self.configure(physical, given, before)

    def attributes(self, physical: str, given: Properties) -> dict[str, Any]:
        found = self._found(physical)
        group = found.get("SourceSecurityGroup", {})
        return {
            "CanonicalHostedZoneName": found.get("CanonicalHostedZoneName", found["DNSName"]),
            "CanonicalHostedZoneNameID": found.get("CanonicalHostedZoneNameID", ""),
            "DNSName": found["DNSName"],
            "SourceSecurityGroup": group,
            "SourceSecurityGroup.GroupName": group.get("GroupName", ""),
            "SourceSecurityGroup.OwnerAlias": group.get("OwnerAlias", ""),
        }

    def read(self, physical: str, given: Properties) -> Properties:
        found = self._found(physical)
        told = self.reader.describe_load_balancer_attributes(LoadBalancerName=physical)
        attributes = told["LoadBalancerAttributes"]
        tags = self.reader.describe_tags(LoadBalancerNames=[physical])["TagDescriptions"]
        listeners = [one["Listener"] for one in found["ListenerDescriptions"]]
        ports = [str(one["LoadBalancerPort"]) for one in given.get("Listeners", ())]
        listeners.sort(
            key=lambda one: (
                ports.index(str(one["LoadBalancerPort"]))
                if str(one["LoadBalancerPort"]) in ports
                else len(ports)
            )
        )
        draining = attributes.get("ConnectionDraining", {})
        return {
            **found,
            "Instances": [one["InstanceId"] for one in found["Instances"]],
            "Listeners": listeners,
            "Tags": first(tags)["Tags"],
            "CrossZone": attributes.get("CrossZoneLoadBalancing", {}).get("Enabled", False),
            "ConnectionDrainingPolicy": draining,
            "ConnectionSettings": attributes.get("ConnectionSettings", {}),
        }

    def delete(self, physical: str, given: Properties) -> None:
        self.client.delete_load_balancer(LoadBalancerName=physical)

    def _found(self, name: str) -> dict[str, Any]:
        found = self.reader.describe_load_balancers(LoadBalancerNames=[name])
        return first(found["LoadBalancerDescriptions"])

    @staticmethod
    def _attributes(given: Properties, before: Properties) -> dict[str, Any]:
        found: dict[str, Any] = {}
        if changed(given, before, "CrossZone"):
            found["CrossZoneLoadBalancing"] = {"Enabled": given.get("CrossZone", False)}
        if changed(given, before, "ConnectionDrainingPolicy"):
            found["ConnectionDraining"] = given.get("ConnectionDrainingPolicy") or {
                "Enabled": False
            }
        if changed(given, before, "ConnectionSettings"):
            found["ConnectionSettings"] = given.get("ConnectionSettings") or {"IdleTimeout": 60}
        return found

    def _move(self, physical: str, given: Properties, before: Properties) -> None:
        """To other subnets or zones: first the new ones, so that it is always somewhere."""
        for key, attach, detach in (
            (
                "Subnets",
                "attach_load_balancer_to_subnets",
                "detach_load_balancer_from_subnets",
            ),
            (
                "AvailabilityZones",
                "enable_availability_zones_for_load_balancer",
                "disable_availability_zones_for_load_balancer",
            ),
        ):
            if not changed(given, before, key):
                continue
            new, old = given.get(key) or [], before.get(key) or []
            if more := removed(old, new):
                getattr(self.client, attach)(LoadBalancerName=physical, **{key: more})
            if gone := removed(new, old):
                getattr(self.client, detach)(LoadBalancerName=physical, **{key: gone})


def _listeners(given: Properties) -> list[dict[str, Any]]:
    found = []
    for one in given.get("Listeners", ()):
        if "PolicyNames" in one:
            raise NotInMock("AWS::ElasticLoadBalancing::LoadBalancer/Listeners/PolicyNames")
        found.append(
            {
                # A listener without one speaks the same to both sides. Source: API, Listener.
                "InstanceProtocol": one["Protocol"],
                **one,
            }
        )
    return found
