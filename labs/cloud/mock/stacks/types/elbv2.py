"""Application and Network Load Balancers, target groups, listeners and rules."""

from __future__ import annotations

from typing import Any

from labs.cloud.mock.stacks.types.base import (
    Properties,
    Type,
    changed,
    first,
    listed,
    only,
    removed,
    text,
    without,
)


class _Tagged(Type):
    service = "elbv2"

    def retagged(self, physical: str, given: Properties, before: Properties) -> None:
        self.retag(
            given,
            before,
            lambda keys: self.client.remove_tags(ResourceArns=[physical], TagKeys=keys),
            lambda tags: self.client.add_tags(ResourceArns=[physical], Tags=listed(tags)),
        )

    def tags(self, physical: str) -> list[dict[str, str]]:
        found = self.reader.describe_tags(ResourceArns=[physical])["TagDescriptions"]
        return first(found)["Tags"]


def _attributes(given: list[Properties]) -> list[dict[str, str]]:
    return [{"Key": one["Key"], "Value": text(one.get("Value", ""))} for one in given]


def _of_template(told: list[dict[str, str]], given: list[Properties]) -> list[dict[str, str]]:
    """Those attributes that a template gives, in its order."""
    values = {one["Key"]: one["Value"] for one in told}
    return [
        {"Key": one["Key"], "Value": values[one["Key"]]} for one in given if one["Key"] in values
    ]


class LoadBalancer(_Tagged):
    name = "AWS::ElasticLoadBalancingV2::LoadBalancer"
    properties = (
        "IpAddressType LoadBalancerAttributes Name Scheme SecurityGroups SubnetMappings Subnets "
        "Tags Type"
    )
    unread = "SubnetMappings"
    named, longest = "Name", 32

    def create(self, given: Properties) -> str:
        made = self.call(
            "create_load_balancer",
            without(given, "LoadBalancerAttributes Name"),
            Name=self.named_by(given),
        )
        return made["LoadBalancers"][0]["LoadBalancerArn"]

    def configure(self, physical: str, given: Properties, before: Properties) -> None:
        key = "LoadBalancerAttributes"
        if changed(given, before, key) and given.get(key):
            self.client.modify_load_balancer_attributes(
                LoadBalancerArn=physical, Attributes=_attributes(given[key])
            )

    def update(self, physical: str, given: Properties, before: Properties) -> None:
        if changed(given, before, "SecurityGroups"):
            self.client.set_security_groups(
                LoadBalancerArn=physical, SecurityGroups=given.get("SecurityGroups", [])
            )
        if changed(given, before, "Subnets", "SubnetMappings"):
            self.call(
                "set_subnets", only(given, "Subnets SubnetMappings"), LoadBalancerArn=physical
            )
        if changed(given, before, "IpAddressType"):
            self.client.set_ip_address_type(
                LoadBalancerArn=physical, IpAddressType=given.get("IpAddressType", "ipv4")
            )
        self.retagged(physical, given, before)
        self.configure(physical, given, before)

    def attributes(self, physical: str, given: Properties) -> dict[str, Any]:
        found = self._found(physical)
        return {
            "LoadBalancerArn": physical,
            "LoadBalancerFullName": physical.partition(":loadbalancer/")[2],
            "LoadBalancerName": found["LoadBalancerName"],
            "DNSName": found["DNSName"],
            "CanonicalHostedZoneID": found["CanonicalHostedZoneId"],
            "SecurityGroups": found.get("SecurityGroups", []),
        }

    def read(self, physical: str, given: Properties) -> Properties:
        found = self._found(physical)
        told = self.reader.describe_load_balancer_attributes(LoadBalancerArn=physical)
        return {
            **found,
            "Name": found["LoadBalancerName"],
            "Subnets": [zone["SubnetId"] for zone in found["AvailabilityZones"]],
            "LoadBalancerAttributes": _of_template(
                told["Attributes"], given.get("LoadBalancerAttributes", [])
            ),
            "Tags": self.tags(physical),
        }

    def delete(self, physical: str, given: Properties) -> None:
        self.client.delete_load_balancer(LoadBalancerArn=physical)

    def _found(self, arn: str) -> dict[str, Any]:
        return first(self.reader.describe_load_balancers(LoadBalancerArns=[arn])["LoadBalancers"])


_CHECKS = (
    "HealthCheckEnabled HealthCheckIntervalSeconds HealthCheckPath HealthCheckPort "
    "HealthCheckProtocol HealthCheckTimeoutSeconds HealthyThresholdCount Matcher "
    "UnhealthyThresholdCount"
)


class TargetGroup(_Tagged):
    name = "AWS::ElasticLoadBalancingV2::TargetGroup"
    properties = (
        f"IpAddressType Name Port Protocol ProtocolVersion Tags TargetGroupAttributes TargetType "
        f"Targets VpcId {_CHECKS}"
    )
    named, longest = "Name", 32

    def create(self, given: Properties) -> str:
        made = self.call(
            "create_target_group",
            without(given, "Name TargetGroupAttributes Targets"),
            Name=self.named_by(given),
        )
        return made["TargetGroups"][0]["TargetGroupArn"]

    def configure(self, physical: str, given: Properties, before: Properties) -> None:
        key = "TargetGroupAttributes"
        if changed(given, before, key) and given.get(key):
            self.client.modify_target_group_attributes(
                TargetGroupArn=physical, Attributes=_attributes(given[key])
            )
        targets, old = given.get("Targets") or [], before.get("Targets") or []
        if gone := removed(targets, old):
            self.call("deregister_targets", {"Targets": gone}, TargetGroupArn=physical)
        if new := removed(old, targets):
            self.call("register_targets", {"Targets": new}, TargetGroupArn=physical)

    def update(self, physical: str, given: Properties, before: Properties) -> None:
        if changed(given, before, *_CHECKS.split()):
            self.call("modify_target_group", only(given, _CHECKS), TargetGroupArn=physical)
        self.retagged(physical, given, before)
        self.configure(physical, given, before)

    def attributes(self, physical: str, given: Properties) -> dict[str, Any]:
        found = self._found(physical)
        return {
            "TargetGroupArn": physical,
            "TargetGroupFullName": physical.rpartition(":")[2],
            "TargetGroupName": found["TargetGroupName"],
            "LoadBalancerArns": found.get("LoadBalancerArns", []),
        }

    def read(self, physical: str, given: Properties) -> Properties:
        found = self._found(physical)
        told = self.reader.describe_target_group_attributes(TargetGroupArn=physical)
        health = self.reader.describe_target_health(TargetGroupArn=physical)
        targets = [
            one["Target"]
            for one in health["TargetHealthDescriptions"]
            if one["TargetHealth"]["State"] != "draining"
        ]
        wanted = [(one["Id"], one.get("Port")) for one in given.get("Targets") or ()]
        ids = [one for one, _ in wanted]
        # In the template's order; the port only where the template gives one.
        seen = [
            one
            if (one["Id"], one.get("Port")) in wanted or one["Id"] not in ids
            else {"Id": one["Id"]}
            for one in sorted(
                targets, key=lambda one: ids.index(one["Id"]) if one["Id"] in ids else len(ids)
            )
        ]
        return {
            **found,
            "Name": found["TargetGroupName"],
            "TargetGroupAttributes": _of_template(
                told["Attributes"], given.get("TargetGroupAttributes", [])
            ),
            "Targets": seen,
            "Tags": self.tags(physical),
        }

    def delete(self, physical: str, given: Properties) -> None:
        self.client.delete_target_group(TargetGroupArn=physical)

    def _found(self, arn: str) -> dict[str, Any]:
        return first(self.reader.describe_target_groups(TargetGroupArns=[arn])["TargetGroups"])


class Listener(Type):
    name = "AWS::ElasticLoadBalancingV2::Listener"
    service = "elbv2"
    properties = "AlpnPolicy Certificates DefaultActions LoadBalancerArn Port Protocol SslPolicy"

    def create(self, given: Properties) -> str:
        return self.call("create_listener", given)["Listeners"][0]["ListenerArn"]

    def update(self, physical: str, given: Properties, before: Properties) -> None:
        self.call("modify_listener", without(given, "LoadBalancerArn"), ListenerArn=physical)

    def attributes(self, physical: str, given: Properties) -> dict[str, Any]:
        return {"ListenerArn": physical}

    def read(self, physical: str, given: Properties) -> Properties:
        return first(self.reader.describe_listeners(ListenerArns=[physical])["Listeners"])

    def delete(self, physical: str, given: Properties) -> None:
        self.client.delete_listener(ListenerArn=physical)


class ListenerRule(Type):
    name = "AWS::ElasticLoadBalancingV2::ListenerRule"
    service = "elbv2"
    properties = "Actions Conditions ListenerArn Priority"

    def create(self, given: Properties) -> str:
        return self.call("create_rule", given)["Rules"][0]["RuleArn"]

    def update(self, physical: str, given: Properties, before: Properties) -> None:
        if changed(given, before, "Actions", "Conditions"):
            self.call("modify_rule", only(given, "Actions Conditions"), RuleArn=physical)
        if changed(given, before, "Priority"):
            priority = {"RuleArn": physical, "Priority": int(given["Priority"])}
            self.client.set_rule_priorities(RulePriorities=[priority])

    def attributes(self, physical: str, given: Properties) -> dict[str, Any]:
        return {"RuleArn": physical, "IsDefault": "false"}

    def read(self, physical: str, given: Properties) -> Properties:
        found = first(self.reader.describe_rules(RuleArns=[physical])["Rules"])
        return {**found, "ListenerArn": given["ListenerArn"]}

    def delete(self, physical: str, given: Properties) -> None:
        self.client.delete_rule(RuleArn=physical)
