"""What a batch of changes makes of a hosted zone: all of them are done, or none.

Sources: Route 53 API, ChangeResourceRecordSets, ResourceRecordSet and AliasTarget; Developer Guide,
"Values that you specify when you create or edit records", "Supported DNS record types". Where the
documentation has no words for a refusal, they are those that users of AWS have reported.
"""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from labs.cloud.mock.zones.records import WILDCARD

#: Members of a ResourceRecordSet that choose a routing policy.
ROUTING = (
    "Weight",
    "Region",
    "Failover",
    "GeoLocation",
    "MultiValueAnswer",
    "CidrRoutingConfig",
    "GeoProximityLocation",
)
MAX_WEIGHT = 255
LONGEST_LABEL, LONGEST_NAME = 63, 255
#: Types whose values can be told from nonsense without a parser of their own.
_ADDRESSES = {
    "A": (ipaddress.IPv4Address, "ARRDATAIllegalIPv4Address (Value is not a valid IPv4 address)"),
    "AAAA": (
        ipaddress.IPv6Address,
        "AAAARRDATAIllegalIPv6Address (Value is not a valid IPv6 address)",
    ),
}

#: (id of a hosted zone, name in it) -> why an alias cannot lead there; None if it can.
FindTarget = Callable[[str, str], Iterable[str]]


class InvalidInput(ValueError):
    """A change that says too little, or what excludes itself. The message is Route 53's."""


class InvalidBatch(ValueError):
    """Changes that this zone cannot have; `messages` has all of the reasons."""

    def __init__(self, messages: Iterable[str]) -> None:
        self.messages = list(messages)
        super().__init__(f"[{', '.join(self.messages)}]")


@dataclass(frozen=True)
class RecordSet:
    """A record set. given: as the API has it, with the name as it is stored."""

    given: Mapping[str, Any] = field(compare=False)

    @property
    def key(self) -> tuple[str, str, str | None]:
        """What tells it from others in its zone."""
        return self.name, self.type, self.set_identifier

    @property
    def name(self) -> str:
        return self.given["Name"]

    @property
    def type(self) -> str:
        return self.given["Type"]

    @property
    def set_identifier(self) -> str | None:
        return self.given.get("SetIdentifier")

    @property
    def policy(self) -> str:
        """The member that chooses its routing policy; "" for simple routing."""
        return next((name for name in ROUTING if self.given.get(name) is not None), "")

    @property
    def values(self) -> list[str]:
        return [record["Value"] for record in self.given.get("ResourceRecords") or ()]

    @property
    def alias(self) -> Mapping[str, Any] | None:
        return self.given.get("AliasTarget")

    def says(self) -> tuple[Any, ...]:
        """All that a DELETE has to repeat."""
        alias = self.alias and (
            self.alias["HostedZoneId"],
            stored(self.alias["DNSName"]),
            _is_true(self.alias.get("EvaluateTargetHealth")),
        )
        ttl = None if self.alias else int(self.given.get("TTL") or 0)
        chosen = str(self.given.get(self.policy, ""))
        return ttl, sorted(self.values), alias, self.policy, chosen

    def __str__(self) -> str:
        more = f", set identifier='{self.set_identifier}'" if self.set_identifier else ""
        return f"[name='{self.name}', type='{self.type}'{more}]"


def stored(name: str) -> str:
    """A name as Route 53 keeps and lists it: lower case, a final dot, \\052 for an asterisk."""
    return name.lower().removesuffix(".").replace("*", WILDCARD) + "."


def fault_of(name: str) -> str:
    """What DNS does not take in a stored name, in Route 53's words; "" when it is well.

    Source: Route 53 Developer Guide, "DNS domain name format"; RFC 1035, 2.3.4.
    """
    labels = name.removesuffix(".").replace(WILDCARD, "*").split(".")
    if not all(labels):
        return f"DomainLabelEmpty (Domain label is empty) encountered with '{name}'"
    if any(len(label) > LONGEST_LABEL for label in labels):
        return f"DomainLabelTooLong (Domain label is too long) encountered with '{name}'"
    if len(name) > LONGEST_NAME:
        return f"DomainNameTooLong (Domain name is too long) encountered with '{name}'"
    return ""


def change(
    zone: str,
    held: Iterable[RecordSet],
    changes: Iterable[Mapping[str, Any]],
    find_target: FindTarget,
) -> list[RecordSet]:
    """What the zone holds after the changes.

    zone: its name. held: its record sets. changes: [{"Action": ..., "ResourceRecordSet": {...}}].
    What is deleted goes first, wherever it stands in the batch; AWS does not say what it does.
    Raises InvalidInput and InvalidBatch.
    """
    zone = stored(zone)
    wanted = [(one["Action"], read(one)) for one in changes]
    messages = [*_twice(wanted)]
    sets = {one.key: one for one in held}
    for action, one in wanted:
        if action == "DELETE":
            messages += _cannot_go(zone, one, sets.pop(one.key, None))
    for action, one in wanted:
        if action != "DELETE":
            messages += _cannot_come(zone, one, sets, action == "CREATE")
            messages += _bad_values(one)
            if one.alias:
                target = one.alias["HostedZoneId"], stored(one.alias["DNSName"])
                messages += [
                    f"Tried to create an alias that targets {target[1]}, type {one.type} in zone "
                    f"{target[0]}, but {why}"
                    for why in find_target(*target)
                ]
            sets[one.key] = one
    if messages:
        raise InvalidBatch(messages)
    return list(sets.values())


def read(change: Mapping[str, Any]) -> RecordSet:
    """The record set of a change. Raises InvalidInput where it is not whole."""
    given = {**change["ResourceRecordSet"], "Name": stored(change["ResourceRecordSet"]["Name"])}
    one = RecordSet(given)
    where = (
        f"in Change with [Action={change['Action']}, Name={one.name}, Type={one.type}, "
        f"SetIdentifier={one.set_identifier or 'null'}]"
    )
    plain = given.get("TTL") is not None and bool(one.values)
    if bool(one.alias) == plain:
        raise InvalidInput(
            "Invalid request: Expected exactly one of [AliasTarget, all of [TTL, and "
            "ResourceRecords], or TrafficPolicyInstanceId], but found "
            f"{'more than one' if plain else 'none'} {where}"
        )
    if one.alias and (given.get("TTL") is not None or one.values):
        raise InvalidInput(f"Invalid request: an alias has no TTL and no ResourceRecords {where}")
    policies = [name for name in ROUTING if given.get(name) is not None]
    if policies and not one.set_identifier:
        raise InvalidInput(f"Invalid request: Missing field 'SetIdentifier' {where}")
    if one.set_identifier and len(policies) != 1:
        raise InvalidInput(
            f"Invalid request: Expected exactly one of [{', '.join(ROUTING)}], but found "
            f"{'more than one' if policies else 'none'} {where}"
        )
    weight = given.get("Weight")
    if weight is not None and not 0 <= int(weight) <= MAX_WEIGHT:
        raise InvalidInput(
            f"Invalid request: a Weight is an integer from 0 to {MAX_WEIGHT}, not {weight}, {where}"
        )
    return one


def _twice(wanted: list[tuple[str, RecordSet]]) -> Iterable[str]:
    counted = Counter((action == "DELETE", one.key) for action, one in wanted)
    for action, one in wanted:
        if counted[action == "DELETE", one.key] > 1:
            counted[action == "DELETE", one.key] = 0
            yield (
                "The request contains an invalid set of changes for a resource record set "
                f"'{one.type} {one.name}'"
            )


def _cannot_go(zone: str, one: RecordSet, known: RecordSet | None) -> Iterable[str]:
    if known is None:
        yield f"Tried to delete resource record set {one} but it was not found"
    elif known.says() != one.says():
        yield (
            f"Tried to delete resource record set {one} "
            "but the values provided do not match the current values"
        )
    if one.name == zone and one.type == "SOA":
        yield "A HostedZone must contain exactly one SOA record."
    if one.name == zone and one.type == "NS":
        yield "A HostedZone must contain at least one NS record for the zone itself."


def _cannot_come(
    zone: str, one: RecordSet, sets: Mapping[tuple, RecordSet], is_new: bool
) -> Iterable[str]:
    if one.name != zone and not one.name.endswith("." + zone):
        yield f"RRSet with DNS name {one.name} is not permitted in zone {zone}"
        return
    if one.type == "CNAME" and one.name == zone:
        yield (
            f"RRSet of type CNAME with DNS name {one.name} is not permitted at apex in zone {zone}"
        )
    if is_new and one.key in sets:
        yield f"Tried to create resource record set {one} but it already exists"
        return
    there = [other for other in sets.values() if other.name == one.name and other.key != one.key]
    if any("CNAME" in (one.type, other.type) and one.type != other.type for other in there):
        yield (
            f"RRSet of type {one.type} with DNS name {one.name} is not permitted as it conflicts "
            f"with other records with the same DNS name in zone {zone}"
        )
    same = [other for other in there if other.type == one.type]
    yield from _cannot_stand_beside(one, same)


def _cannot_stand_beside(one: RecordSet, same: list[RecordSet]) -> Iterable[str]:
    """Record sets of one name and type have one routing policy; weighted ones one TTL, too."""
    who = f"RRSet with DNS name {one.name}, type {one.type}"
    if not one.policy and same:
        yield f"{who} cannot be created as other RRSets exist with the same name and type."
    elif any(other.policy != one.policy for other in same):
        kind = "weighted" if one.policy == "Weight" else one.policy
        yield (
            f"{who}, SetIdentifier {one.set_identifier} cannot be created as a non-{kind} set "
            "exists with the same name and type."
        )
    elif one.policy == "Weight" and not one.alias:
        ttl = int(one.given["TTL"])
        if any(not other.alias and int(other.given["TTL"]) != ttl for other in same):
            yield (
                f"{who}, SetIdentifier {one.set_identifier} cannot be created as weighted sets "
                "must contain the same TTL."
            )


def _bad_values(one: RecordSet) -> Iterable[str]:
    if fault := fault_of(one.name):
        yield f"FATAL problem: {fault}"
    if one.type == "CNAME" and len(one.values) > 1:
        yield f"RRSet of type CNAME with DNS name {one.name} has more than one value"
    kind, problem = _ADDRESSES.get(one.type, (str, ""))
    for value in one.values:
        try:
            kind(value)
        except ValueError:
            yield f"Invalid Resource Record: 'FATAL problem: {problem} encountered with '{value}''"


def _is_true(value: Any) -> bool:
    return value is True or str(value).lower() == "true"
