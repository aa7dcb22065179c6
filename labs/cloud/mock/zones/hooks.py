"""Where the mock reaches into moto's Route 53. See `hooking`."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

from moto.core.responses import ActionResult
from moto.route53 import urls
from moto.route53.exceptions import Route53ClientError
from moto.route53.models import FakeZone, RecordSet, Route53Backend
from moto.route53.responses import Route53

from labs.cloud.mock import hooking
from labs.cloud.mock.balancing.snapshot import backends
from labs.cloud.mock.hooking import Hook, Use
from labs.cloud.mock.zones import batch, records
from labs.cloud.names import labs_names, labs_zones

#: AWS's names for load balancers end so, or have this in them: a network balancer's region is last.
_BALANCERS = ".elb."


def install() -> None:
    """Put every hook in place. Once in a process, before Route 53 answers its first call."""
    hooking.install(HOOKS, None)
    urls.url_paths.setdefault(r"{0}/(?P<api_version>[\d_-]+)/testdnsanswer$", Route53.dispatch)
    Route53.test_dns_answer = test_dns_answer


def _create_hosted_zone(original: Callable, _motor: None) -> Callable:
    """Names in lower case; InvalidDomainName, HostedZoneAlreadyExists.

    Source: Route 53 API, CreateHostedZone.
    """

    @functools.wraps(original)
    def create_hosted_zone(
        self: Route53Backend,
        name: str,
        private_zone: bool,
        caller_reference: str | None = None,
        **more: Any,
    ) -> FakeZone:
        if why := batch.fault_of(batch.stored(name)):
            raise Route53ClientError("InvalidDomainName", f"The domain name is not valid: {why}")
        if any(zone.caller_reference == caller_reference for zone in self.zones.values()):
            raise Route53ClientError(
                "HostedZoneAlreadyExists",
                "A hosted zone has already been created with the specified caller reference "
                f"{caller_reference!r}. Each new zone needs a reference of its own.",
            )
        zone = original(
            self, batch.stored(name), private_zone, caller_reference=caller_reference, **more
        )
        for one in zone.rrsets:  # moto keeps the SOA's value in a form that it cannot show
            one.records = [records.value_of(value) for value in one.records]
        return zone

    return create_hosted_zone


def _change_record_sets(_original: Callable, _motor: None) -> Callable:
    """moto does half a batch, deletes by set identifier whatever the name, and refuses little."""

    def change_resource_record_sets(
        self: Route53Backend, zoneid: str, change_list: list[dict[str, Any]]
    ) -> None:
        zone = self.get_hosted_zone(zoneid)
        held = [given(one) for one in zone.rrsets]
        known = {one.key: stored for one, stored in zip(held, zone.rrsets, strict=True)}

        def find_target(zone_id: str, name: str) -> Iterator[str]:
            return _why_no_alias(self, zone_id, name)

        try:
            after = batch.change(zone.name, held, change_list, find_target)
        except batch.InvalidInput as refusal:
            raise Route53ClientError("InvalidInput", str(refusal)) from None
        except batch.InvalidBatch as refusal:
            raise Route53ClientError("InvalidChangeBatch", str(refusal)) from None
        unchanged = {id(one) for one in held}
        zone.rrsets = [
            known[one.key] if id(one) in unchanged else RecordSet(_as_moto_keeps(one))
            for one in after
        ]

    return change_resource_record_sets


def given(one: RecordSet) -> batch.RecordSet:
    """moto's record set as the API has it."""
    members = {
        "Name": batch.stored(one.name),
        "Type": one.type,
        "TTL": one.ttl,
        "SetIdentifier": one.set_identifier,
        "Weight": one.weight,
        "Region": one.region,
        "Failover": one.failover,
        "GeoLocation": one.geo_location,
        "MultiValueAnswer": one.multi_value_answer,
        "AliasTarget": one.alias_target,
        "ResourceRecords": [{"Value": records.value_of(value)} for value in one.records],
    }
    return batch.RecordSet({name: value for name, value in members.items() if value is not None})


def _as_moto_keeps(one: batch.RecordSet) -> dict[str, Any]:
    if not one.values:
        return dict(one.given)
    return {**one.given, "ResourceRecords": one.values}


def _why_no_alias(backend: Route53Backend, zone_id: str, name: str) -> Iterator[str]:
    """Why an alias cannot lead to this name in this zone.

    A zone of the account's own must hold the name. A balancer's name belongs to its region's zone,
    whose id DescribeLoadBalancers gives. Names of other services are taken as they are.
    """
    lies_outside = "the alias target name does not lie within the target zone"
    not_found = "that target was not found"
    own = backend.zones.get(zone_id.rpartition("/")[2])
    if own is not None:
        if name != own.name and not name.endswith("." + own.name):
            yield lies_outside
        if all(batch.stored(one.name) != name for one in own.rrsets):
            yield not_found
    elif _BALANCERS in name:
        ids = zone_ids(records.target(name))
        if not ids or zone_id not in ids:
            if ids:
                yield lies_outside
            yield not_found


def zone_ids(name: str) -> set[str]:
    """The hosted zone's id that a balancer of this DNS name tells; none for an unknown name."""
    classic = {
        balancer.canonical_hosted_zone_name_id  # `balancing.refusals.classic` gives it one
        for _, _, backend in backends("moto.elb.models", "elb_backends")
        for balancer in list(backend.load_balancers.values())
        if balancer.dns_name.lower() == name
    }
    newer = {
        balancer.canonical_hosted_zone_id
        for _, _, backend in backends("moto.elbv2.models", "elbv2_backends")
        for balancer in list(backend.load_balancers.values())
        if balancer.dns_name.lower() == name
    }
    return classic | newer


def test_dns_answer(self: Route53) -> ActionResult:
    """An operation that moto lacks. Source: Route 53 API, TestDNSAnswer: public zones only.

    An alias is answered with the addresses that its target has; where the question comes from
    (ResolverIP, EDNS0ClientSubnetIP) changes nothing here.
    """
    zone = self.backend.get_hosted_zone(self._get_param("HostedZoneId"))
    name, kind = self._get_param("RecordName"), self._get_param("RecordType")
    if zone.private_zone:
        raise Route53ClientError(
            "InvalidInput", "TestDNSAnswer answers for public hosted zones, and this one is private"
        )
    try:
        code, data = "NOERROR", answer(zone, records.plain(name), kind)
    except labs_zones.NoAnswer as nothing:
        code, data = nothing.rcode, []
    return ActionResult(
        {
            "Nameserver": zone.delegation_set.name_servers[0],
            "RecordName": name,
            "RecordType": kind,
            "RecordData": data,
            "ResponseCode": code,
            "Protocol": "UDP",
        }
    )


def answer(zone: FakeZone, name: str, kind: str) -> list[str]:
    """What a name server of this zone says. Raises labs_zones.NoAnswer."""
    record = labs_zones.answer([records.entry(zone)], name, kind)
    if "alias" not in record:
        return record["values"]
    try:
        book, outside = records.book(), labs_names.is_outside_zones
        ends = labs_zones.resolve(book, record["alias"], is_outside=outside)
        return [address for end in ends for address in labs_names.gethostbyname_ex(end)[2]]
    except OSError:  # the balancer has gone
        raise labs_zones.NoAnswer("NOERROR", f"{record['alias']} has no address") from None


HOOKS = (
    Hook(
        "moto.route53.models:Route53Backend.create_hosted_zone",
        (
            "self",
            "name",
            "private_zone",
            "caller_reference",
            "vpcid",
            "vpcregion",
            "comment",
            "delegation_set_id",
        ),
        "one zone for one caller reference; names in lower case",
        _create_hosted_zone,
    ),
    Hook(
        "moto.route53.models:Route53Backend.change_resource_record_sets",
        ("self", "zoneid", "change_list"),
        "all changes or none; what AWS refuses",
        _change_record_sets,
    ),
)

USES = (
    Use("moto.core.responses:ActionResult"),
    Use("moto.route53:urls", "url_paths", "a path for TestDNSAnswer"),
    Use("moto.route53.exceptions:Route53ClientError", "", "an AWS error, by code and message"),
    Use("moto.route53.models:route53_backends", "", "by account and partition, in sys.modules"),
    Use("moto.route53.models:Route53Backend", "zones"),
    Use("moto.route53.models:Route53Backend.get_hosted_zone", "id_"),
    Use(
        "moto.route53.models:FakeZone",
        "caller_reference delegation_set name private_zone rrsets vpcs",
    ),
    Use("moto.route53.models:DelegationSet", "name_servers"),
    Use(
        "moto.route53.models:RecordSet",
        "alias_target failover geo_location multi_value_answer name records region "
        "set_identifier ttl type weight",
    ),
    Use("moto.route53.responses:Route53", "backend dispatch"),
    Use("moto.elb.models:elb_backends", "", "in sys.modules"),
    Use("moto.elb.models:LoadBalancer", "dns_name"),
    Use("moto.elbv2.models:elbv2_backends", "", "in sys.modules"),
    Use("moto.elbv2.models:FakeLoadBalancer", "canonical_hosted_zone_id dns_name"),
)
