"""moto's hosted zones as plain data, for the address book. Reads only, and loads nothing."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from moto.route53.models import FakeZone, RecordSet

MODELS = "moto.route53.models"
#: How an asterisk that stands for any label is stored and listed.
#: Source: Route 53 Developer Guide, "DNS domain name format".
WILDCARD = "\\052"
#: What names a routing policy: moto's attribute, the policy.
POLICIES = {
    "region": "latency",
    "failover": "failover",
    "geo_location": "geolocation",
    "multi_value_answer": "multivalue",
}


def zones() -> Iterator[FakeZone]:
    """All hosted zones of all accounts, the oldest first; none before the first call of Route 53.

    moto's dictionaries keep the order in which zones were made.
    """
    if MODELS in sys.modules:
        for partitions in list(getattr(sys.modules[MODELS], "route53_backends", {}).values()):
            for backend in list(partitions.values()):
                yield from list(backend.zones.values())


def book() -> list[dict[str, Any]]:
    """The address book's "zones": see `labs_zones`."""
    return [entry(zone) for zone in zones()]


def entry(zone: FakeZone) -> dict[str, Any]:
    """One zone of the book."""
    vpcs = sorted(vpc["vpc_id"] for vpc in zone.vpcs if vpc.get("vpc_id"))
    return {
        "name": plain(zone.name),
        "vpcs": vpcs if zone.private_zone else None,
        "names": by_name(list(zone.rrsets)),
    }


def by_name(sets: Iterable[RecordSet]) -> dict[str, dict[str, list[dict[str, Any]]]]:
    """Record sets by name and type, in a fixed order."""
    found: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for record_set in sorted(sets, key=lambda one: str(one.set_identifier)):
        types = found.setdefault(plain(record_set.name), {})
        types.setdefault(record_set.type, []).append(described(record_set))
    return found


def described(record_set: RecordSet) -> dict[str, Any]:
    """One record set: its target or its values, and how it is chosen."""
    record: dict[str, Any] = {}
    if record_set.weight is not None:
        record["weight"] = int(record_set.weight)
    for attribute, policy in POLICIES.items():
        if getattr(record_set, attribute):
            record["policy"] = policy
    if record_set.alias_target:
        return {**record, "alias": target(record_set.alias_target["DNSName"])}
    return {**record, "values": [value_of(value) for value in record_set.records]}


def value_of(value: str | dict[str, str]) -> str:
    """CloudFormation's record sets keep what the API's do not: {"Value": ...}."""
    return value["Value"] if isinstance(value, dict) else value


def plain(name: str) -> str:
    """A name as one asks for it: lower case, no final dot, an asterisk as such."""
    return name.lower().rstrip(".").replace(WILDCARD, "*")


def target(name: str) -> str:
    """What an alias leads to. A balancer's name with "dualstack." before it is the same balancer's.

    Source: Route 53 Developer Guide, "Values for alias records: Value/route traffic to".
    """
    return plain(name).removeprefix("dualstack.")
