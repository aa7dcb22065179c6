"""Hosted zones and their records."""

from __future__ import annotations

import uuid
from typing import Any

from labs.cloud.mock.stacks.errors import Failed
from labs.cloud.mock.stacks.types.base import (
    Properties,
    Type,
    changed,
    first,
    fit,
    listed,
    pairs,
    removed,
)


class HostedZone(Type):
    name = "AWS::Route53::HostedZone"
    service = "route53"
    properties = "HostedZoneConfig HostedZoneTags Name VPCs"

    def create(self, given: Properties) -> str:
        more: dict[str, Any] = {}
        if config := given.get("HostedZoneConfig"):
            more["HostedZoneConfig"] = dict(config)
        if vpcs := given.get("VPCs"):
            more["VPC"] = dict(vpcs[0])
        made = self.client.create_hosted_zone(
            Name=given["Name"], CallerReference=str(uuid.uuid4()), **more
        )
        return made["HostedZone"]["Id"].rpartition("/")[2]

    def configure(self, physical: str, given: Properties, before: Properties) -> None:
        new, old = pairs(given.get("HostedZoneTags")), pairs(before.get("HostedZoneTags"))
        if new != old:
            gone = removed(new, old)
            self.client.change_tags_for_resource(
                ResourceType="hostedzone",
                ResourceId=physical,
                **({"AddTags": listed(new)} if new else {}),
                **({"RemoveTagKeys": gone} if gone else {}),
            )

    def update(self, physical: str, given: Properties, before: Properties) -> None:
        if changed(given, before, "HostedZoneConfig"):
            comment = given.get("HostedZoneConfig", {}).get("Comment", "")
            self.client.update_hosted_zone_comment(Id=physical, Comment=comment)
        vpcs, old = given.get("VPCs", []), before.get("VPCs", [])
        for vpc in removed(old, vpcs):
            self.client.associate_vpc_with_hosted_zone(HostedZoneId=physical, VPC=dict(vpc))
        for vpc in removed(vpcs, old):
            self.client.disassociate_vpc_from_hosted_zone(HostedZoneId=physical, VPC=dict(vpc))
        self.configure(physical, given, before)

    def attributes(self, physical: str, given: Properties) -> dict[str, Any]:
        found = self.reader.get_hosted_zone(Id=physical)
        servers = found.get("DelegationSet", {}).get("NameServers", [])
        return {"Id": physical, "NameServers": servers}

    def read(self, physical: str, given: Properties) -> Properties:
        found = self.reader.get_hosted_zone(Id=physical)
        tags = self.reader.list_tags_for_resource(ResourceType="hostedzone", ResourceId=physical)
        name = found["HostedZone"]["Name"]
        return {
            "Name": name if given["Name"].endswith(".") else name.rstrip("."),
            "HostedZoneConfig": found["HostedZone"].get("Config", {}),
            "VPCs": found.get("VPCs", []),
            "HostedZoneTags": tags["ResourceTagSet"].get("Tags", []),
        }

    def delete(self, physical: str, given: Properties) -> None:
        self.client.delete_hosted_zone(Id=physical)


_RECORD = (
    "AliasTarget Failover GeoLocation HealthCheckId MultiValueAnswer Name Region ResourceRecords "
    "SetIdentifier TTL Type Weight"
)


class RecordSet(Type):
    name = "AWS::Route53::RecordSet"
    service = "route53"
    properties = f"Comment HostedZoneId HostedZoneName {_RECORD}"
    unread = "Comment HostedZoneId HostedZoneName"

    def create(self, given: Properties) -> str:
        self._change("CREATE", given)
        return given["Name"].rstrip(".")

    def update(self, physical: str, given: Properties, before: Properties) -> None:
        key = ("Name", "Type", "SetIdentifier")
        if any(given.get(name) != before.get(name) for name in key):
            self._change("DELETE", before)
            self._change("CREATE", given)
        else:
            self._change("UPSERT", given)

    def read(self, physical: str, given: Properties) -> Properties:
        pages = self.reader.get_paginator("list_resource_record_sets").paginate(
            HostedZoneId=self._zone(given)
        )
        wanted = _full(given["Name"])
        found = first(
            one
            for page in pages
            for one in page["ResourceRecordSets"]
            if one["Name"] == wanted
            and one["Type"] == given["Type"]
            and one.get("SetIdentifier") == given.get("SetIdentifier")
        )
        seen = {
            "EvaluateTargetHealth": False,
            **found,
            "Name": given["Name"],
            "ResourceRecords": [one["Value"] for one in found.get("ResourceRecords", ())],
        }
        if alias := found.get("AliasTarget"):
            own = given.get("AliasTarget", {}).get("DNSName", "")
            same = _full(own) == _full(alias["DNSName"])
            seen["AliasTarget"] = {**alias, "DNSName": own if same else alias["DNSName"]}
        return seen

    def delete(self, physical: str, given: Properties) -> None:
        self._change("DELETE", given)

    def _change(self, action: str, given: Properties) -> None:
        model = self.client.meta.service_model.operation_model("ChangeResourceRecordSets")
        batch = model.input_shape.members["ChangeBatch"]
        record = {name: given[name] for name in _RECORD.split() if name in given}
        if "ResourceRecords" in record:
            record["ResourceRecords"] = [{"Value": value} for value in record["ResourceRecords"]]
        if "AliasTarget" in record:
            record["AliasTarget"] = {"EvaluateTargetHealth": False, **record["AliasTarget"]}
        change = {"Changes": [{"Action": action, "ResourceRecordSet": record}]}
        self.client.change_resource_record_sets(
            HostedZoneId=self._zone(given), ChangeBatch=fit(change, batch, self.name)
        )

    def _zone(self, given: Properties) -> str:
        if "HostedZoneId" in given:
            return given["HostedZoneId"]
        wanted = _full(given.get("HostedZoneName", ""))
        pages = self.reader.get_paginator("list_hosted_zones").paginate()
        found = [
            one["Id"] for page in pages for one in page["HostedZones"] if one["Name"] == wanted
        ]
        if len(found) != 1:
            raise Failed(f"{len(found)} hosted zones have the name {wanted}; expected one")
        return found[0].rpartition("/")[2]


def _full(name: str) -> str:
    return name.lower().rstrip(".") + "."
