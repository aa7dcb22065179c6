"""Weighted records: a name that leads to one of two balancers, as often as its weights say.

Sources: Amazon Route 53 API, ChangeResourceRecordSets; developer guide, "Weighted routing", "Values
specific for weighted alias records".
"""

import time
from typing import Any, NamedTuple


class Site(NamedTuple):
    """A name in a hosted zone, and where it can lead.

    old, new: the `AliasTarget` of a record for the Classic and for the new balancer.
    """

    zone_id: str
    host: str
    old: dict[str, Any]
    new: dict[str, Any]

    @property
    def url(self) -> str:
        return f"http://{self.host}"


def zone(route53: Any, name: str) -> str:
    """The id of the hosted zone of this name."""
    found = route53.list_hosted_zones_by_name(DNSName=name, MaxItems="1")["HostedZones"]
    if found and found[0]["Name"].rstrip(".") == name:
        return found[0]["Id"]
    made = route53.create_hosted_zone(Name=name, CallerReference=f"{name} {time.time_ns()}")
    return made["HostedZone"]["Id"]


def classic_alias(elb: Any, name: str) -> dict[str, Any]:
    """The `AliasTarget` for a Classic balancer."""
    found = elb.describe_load_balancers(LoadBalancerNames=[name])["LoadBalancerDescriptions"][0]
    return target(found["CanonicalHostedZoneNameID"], found["DNSName"])


def alias(balancer: dict[str, Any]) -> dict[str, Any]:
    """The `AliasTarget` for a balancer as elbv2 describes it."""
    return target(balancer["CanonicalHostedZoneId"], balancer["DNSName"])


def target(zone_id: str, dns_name: str) -> dict[str, Any]:
    return {"HostedZoneId": zone_id, "DNSName": dns_name, "EvaluateTargetHealth": False}


def weighted(site: Site, which: str, weight: int) -> dict[str, Any]:
    """The change that gives a record of the site, "old" or "new", its weight."""
    record = {
        "Name": site.host,
        "Type": "A",
        "SetIdentifier": which,
        "Weight": weight,
        "AliasTarget": getattr(site, which),
    }
    return {"Action": "UPSERT", "ResourceRecordSet": record}


def records(route53: Any, site: Site) -> list[dict[str, Any]]:
    """The records of the site's name."""
    pages = route53.get_paginator("list_resource_record_sets").paginate(HostedZoneId=site.zone_id)
    return [
        record
        for page in pages
        for record in page["ResourceRecordSets"]
        if record["Name"].rstrip(".") == site.host
    ]


def weight_of(route53: Any, site: Site, which: str) -> int:
    """The weight with which the name leads to a balancer, "old" or "new"."""
    wanted = getattr(site, which)["DNSName"].rstrip(".").lower()
    return sum(
        record.get("Weight", 1)
        for record in records(route53, site)
        if leads_to(record).removeprefix("dualstack.") == wanted
    )


def leads_to(record: dict[str, Any]) -> str:
    """The name that a record leads to; "" for one with addresses."""
    values = [each["Value"] for each in record.get("ResourceRecords", ())]
    name = record.get("AliasTarget", {}).get("DNSName") or (values or [""])[0]
    return name.rstrip(".").lower()
