"""moto's load balancers, target groups and instances as plain data: see `shapes`.

Reads all accounts and regions that are in use, and loads no backend that is not.
"""

from __future__ import annotations

import contextlib
import json
import logging
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from labs.cloud.mock.balancing import certificates
from labs.cloud.mock.balancing.addresses import Addresses
from labs.cloud.mock.balancing.shapes import (
    Balancer,
    Certificate,
    Check,
    Group,
    Instance,
    Listener,
    Open,
    Snapshot,
    Target,
)
from labs.cloud.mock.instances import records
from labs.cloud.mock.instances.groups import open_to
from labs.loadbalancing.rules import group_weights

log = logging.getLogger("labs.mock.balancing")

SERVED = ("application", "network")
EVERYBODY = ["0.0.0.0/0", "::/0"]
#: The group that ELB makes for a Classic balancer that was given none; it opens its listeners.
#: Source: Classic Load Balancer guide, "Configure security groups".
CLASSICS_OWN = "default_elb_"
#: A Classic balancer's check where none is configured. Source: Classic guide, "Health checks".
CLASSIC_CHECK = {"interval": 30, "timeout": 5, "healthy": 10, "unhealthy": 2}


class Reader:
    """Makes snapshots.

    addresses: of balancers. issue: certificates as Amazon issues them. secret: for cookies.
    """

    def __init__(self, addresses: Addresses, issue: certificates.Issue, secret: str) -> None:
        self._addresses, self._issue, self._secret = addresses, issue, secret
        self._seen: set[tuple[str, str]] = set()

    def read(
        self,
        listening: Mapping[str, Mapping[int, int]],
        callers: Mapping[str, Mapping[str, Any]],
    ) -> Snapshot:
        """listening: loopback ports by instance and port. callers: as the address book's."""
        self._seen = set()
        balancers: dict[str, Balancer] = {}
        groups: dict[str, Group] = {}
        for account, region, backend in backends("moto.elbv2.models", "elbv2_backends"):
            for group in list(backend.target_groups.values()):
                with skipping(group.arn):
                    groups[group.arn] = target_group(group)
            for balancer in list(backend.load_balancers.values()):
                if balancer.type in SERVED:
                    with skipping(balancer.arn):
                        balancers[balancer.arn] = self._balancer(balancer, account, region)
        for account, region, backend in backends("moto.elb.models", "elb_backends"):
            for balancer in list(backend.load_balancers.values()):
                name = classic_name(account, region, balancer.name)
                with skipping(name):
                    balancers[name] = self._classic(name, balancer, account, region)
                    groups[name] = classic_group(balancer)
        tell_users(groups, balancers)
        self._addresses.keep(self._seen)
        return Snapshot(
            callers={name: dict(caller) for name, caller in callers.items()},
            instances=dict(instances(listening)),
            balancers=balancers,
            groups=groups,
            secret=self._secret,
        )

    def _places(self, name: str, subnets: list[Any], internal: bool) -> dict[str, Any]:
        """Addresses by zone."""
        self._seen.update((name, subnet.id) for subnet in subnets)
        return {
            "private": {s.availability_zone: self._addresses.private(name, s) for s in subnets},
            "public": {}
            if internal
            else {s.availability_zone: self._addresses.public(name, s) for s in subnets},
        }

    def _balancer(self, balancer: Any, account: str, region: str) -> Balancer:
        groups = list(balancer.security_groups or ())
        internal = balancer.scheme == "internal"
        return Balancer(
            kind=balancer.type,
            dns_name=balancer.dns_name,
            vpc=balancer.vpc_id or "",
            internal=internal,
            groups=groups,
            open=openings(account, region, groups) if groups or is_alb(balancer) else None,
            attributes=texts(balancer.attrs),
            listeners={
                listener.arn: self._listener(listener, balancer, account, region)
                for listener in list(balancer.listeners.values())
            },
            **self._places(balancer.arn, balancer.subnets, internal),
        )

    def _listener(self, listener: Any, balancer: Any, account: str, region: str) -> Listener:
        attributes = texts(balancer.attrs)
        idle = (
            attributes.get("idle_timeout.timeout_seconds", "60")
            if is_alb(balancer)
            else listener.attributes.get("tcp.idle_timeout.seconds", "350")
        )
        arns = list(dict.fromkeys(filter(None, [listener.certificate, *listener.certificates])))
        return Listener(
            protocol=listener.protocol,
            port=int(listener.port),
            certificates=self._certificates(arns, account, region),
            rules=[described(rule) for rule in listener.rules.values()],
            idle_seconds=float(idle),
        )

    def _certificates(self, arns: list[str], account: str, region: str) -> list[Certificate]:
        found = []
        for arn in arns:
            try:
                found.append(certificates.find(arn, account, region, self._issue))
            except ValueError as wrong:
                log.warning("%s: %s", arn, wrong)
        return [certificate for certificate in found if certificate]

    def _classic(self, name: str, balancer: Any, account: str, region: str) -> Balancer:
        internal = balancer.scheme == "internal"
        groups = list(balancer.security_groups)
        opened = openings(account, region, groups)
        if any(group.name.startswith(CLASSICS_OWN) for group in found(account, region, groups)):
            ports = [int(one.load_balancer_port) for one in balancer.listeners]
            opened = opened + [[port, port, EVERYBODY] for port in ports]
        return Balancer(
            kind="classic",
            dns_name=balancer.dns_name,
            vpc=balancer.vpc_id or "",
            internal=internal,
            groups=groups,
            open=opened,
            attributes={},
            listeners={
                str(listener.load_balancer_port): self._classic_listener(
                    listener, balancer, name, account, region
                )
                for listener in balancer.listeners
            },
            **self._places(name, classic_subnets(balancer, account, region), internal),
        )

    def _classic_listener(
        self, listener: Any, balancer: Any, name: str, account: str, region: str
    ) -> Listener:
        arns = [listener.ssl_certificate_id] if listener.ssl_certificate_id else []
        return Listener(
            protocol="TLS" if listener.protocol == "SSL" else listener.protocol,
            port=int(listener.load_balancer_port),
            certificates=self._certificates(arns, account, region),
            idle_seconds=float(attribute(balancer, "connection_settings", "idle_timeout", "60")),
            group=name,
            target_port=int(listener.instance_port),
            target_protocol=listener.instance_protocol,
            sticky=policy(listener, balancer),
            proxy_v1=speaks_proxy(listener, balancer),
        )


@contextlib.contextmanager
def skipping(name: str) -> Iterator[None]:
    """What cannot be read, such as a balancer whose subnet has gone, is left out by itself."""
    try:
        yield
    except Exception:
        log.exception("%s is not served", name)


def backends(module: str, name: str) -> Iterator[tuple[str, str, Any]]:
    """(account, region, backend) of those that are in use; none of a module nobody has loaded."""
    loaded = sys.modules.get(module)
    for account, regions in list(getattr(loaded, name, {}).items()):
        for region, backend in list(regions.items()):
            yield account, region, backend


def is_alb(balancer: Any) -> bool:
    """Has a balancer of elbv2 rules and security groups always?"""
    return balancer.type == "application"


def described(rule: Any) -> dict[str, Any]:
    """A rule as describe_rules gives it. Through JSON, so that equal rules compare equal."""
    return json.loads(
        json.dumps(
            {
                "RuleArn": rule.arn,
                "Priority": str(rule.priority),
                "Conditions": rule.conditions or [],
                "Actions": [action.data for action in rule.actions],
                "Transforms": getattr(rule, "transforms", None) or [],
            },
            default=str,
        )
    )


def texts(attributes: Mapping[str, Any]) -> dict[str, str]:
    """Attributes with values as the API writes them."""
    return {
        key: str(value).lower() if isinstance(value, bool) else str(value)
        for key, value in attributes.items()
    }


def target_group(group: Any) -> Group:
    """A target group. Who uses it is told later, see `tell_users`."""
    return Group(
        kind=group.target_type,
        layer="application" if group.protocol in (None, "HTTP", "HTTPS") else "network",
        protocol=group.protocol or "",
        attributes=texts(group.attributes),
        check=check(group),
        targets=[
            Target(id=one["Id"], port=int(one["Port"]) if one.get("Port") else None)
            for one in list(group.targets.values())
        ],
        users=[],
    )


def check(group: Any) -> Check:
    """A target group's health check. A fresh target needs one success, see `health.Health`."""
    port = str(group.health_check_port or "traffic-port")
    return Check(
        enabled=bool(group.health_check_enabled),
        protocol=group.health_check_protocol or "HTTP",
        port=int(port) if port.isdecimal() else None,
        path=group.health_check_path or "/",
        codes=str((getattr(group, "matcher", None) or {}).get("HttpCode") or "200"),
        interval=float(group.health_check_interval_seconds),
        timeout=float(group.health_check_timeout_seconds),
        first=1,
        healthy=int(group.healthy_threshold_count),
        unhealthy=int(group.unhealthy_threshold_count),
    )


def tell_users(groups: dict[str, Group], balancers: Mapping[str, Balancer]) -> None:
    """Which balancers forward to which groups."""
    for name, balancer in balancers.items():
        for arn in dict.fromkeys(forwarded_to(balancer)):
            if arn in groups:
                groups[arn]["users"].append(name)


def forwarded_to(balancer: Balancer) -> Iterator[str]:
    """The groups that a balancer's listeners name."""
    for listener in balancer["listeners"].values():
        if "group" in listener:
            yield listener["group"]
        for rule in listener.get("rules", ()):
            for action in rule["Actions"]:
                if action.get("Type") == "forward":
                    yield from group_weights(action)


# Classic


def classic_name(account: str, region: str, name: str) -> str:
    """What stands for a Classic balancer where the others have ARNs."""
    return f"classic/{account}/{region}/{name}"


def classic_subnets(balancer: Any, account: str, region: str) -> list[Any]:
    """Its subnets: named, or the default ones of its zones. Without any it has no addresses."""
    ec2 = sys.modules["moto.ec2.models"].ec2_backends[account][region]
    subnets = [ec2.get_subnet(subnet) for subnet in balancer.subnets or ()]
    by_zone = {subnet.availability_zone: subnet for subnet in subnets}
    for zone in balancer.availability_zones or ():
        if zone not in by_zone and (default := ec2.get_default_subnets().get(zone)):
            by_zone[zone] = default
    if balancer.availability_zones:  # a zone that was disabled leaves its subnet with moto
        by_zone = {zone: by_zone[zone] for zone in balancer.availability_zones if zone in by_zone}
    return list(by_zone.values())


def attribute(balancer: Any, name: str, part: str, default: str) -> str:
    """A part of a Classic balancer's attribute; moto spells it as the API does once it is set."""
    for key, value in balancer.attributes[name].items():
        if key.lower() == part.replace("_", "") or key == part:
            return str(value).lower()
    return default


def classic_group(balancer: Any) -> Group:
    """A Classic balancer's instances. Without connection draining they leave at once."""
    draining = attribute(balancer, "connection_draining", "enabled", "false") == "true"
    delay = attribute(balancer, "connection_draining", "timeout", "300") if draining else "0"
    return Group(
        kind="instance",
        layer="classic",
        protocol="",
        attributes={
            "load_balancing.algorithm.type": "least_outstanding_requests",
            "deregistration_delay.timeout_seconds": delay,
        },
        check=classic_check(balancer),
        targets=[Target(id=one, port=None) for one in dict.fromkeys(balancer.instance_ids)],
        users=[],
    )


def classic_check(balancer: Any) -> Check:
    """From "HTTP:80/index.html" or "TCP:80"; by default TCP to the first instance port.

    Source: ELB API (2012-06-01), HealthCheck.
    """
    found = balancer.health_check
    first_port = balancer.listeners[0].instance_port if balancer.listeners else 80
    protocol, _, rest = (found.target if found else f"TCP:{first_port}").partition(":")
    port, slash, path = rest.partition("/")
    settings = CLASSIC_CHECK
    if found:
        settings = {
            "interval": found.interval,
            "timeout": found.timeout,
            "healthy": found.healthy_threshold,
            "unhealthy": found.unhealthy_threshold,
        }
    return Check(
        enabled=True,
        protocol=protocol.upper(),
        port=int(port) if port.isdecimal() else int(first_port),
        path=f"{slash}{path}" or "/",
        codes="200",
        interval=float(settings["interval"]),
        timeout=float(settings["timeout"]),
        first=int(settings["healthy"]),
        healthy=int(settings["healthy"]),
        unhealthy=int(settings["unhealthy"]),
    )


def policy(listener: Any, balancer: Any) -> dict[str, Any] | None:
    """The listener's stickiness policy: see `shapes.Listener`."""
    for one in balancer.policies:
        if one.policy_name not in listener.policy_names:
            continue
        if one.policy_type_name == "LbCookieStickinessPolicy":
            period = one.cookie_expiration_period
            return {"cookie": None, "seconds": float(period) if period else None}
        if one.policy_type_name == "AppCookieStickinessPolicy":
            return {"cookie": one.cookie_name, "seconds": None}
    return None


def speaks_proxy(listener: Any, balancer: Any) -> bool:
    """Has the listener's instance port a policy that enables the PROXY protocol?"""
    names = [
        name
        for backend in balancer.backends
        if int(backend.instance_port) == int(listener.instance_port)
        for name in backend.policy_names
    ]
    enabled = {"AttributeName": "ProxyProtocol", "AttributeValue": "true"}
    return any(
        one.policy_type_name == "ProxyProtocolPolicyType"
        and enabled in one.policy_attribute_descriptions
        for one in balancer.policies
        if one.policy_name in names
    )


# EC2


def instances(
    listening: Mapping[str, Mapping[int, int]],
) -> Iterator[tuple[str, Instance]]:
    """All that are not terminated."""
    for _account, _region, backend in backends("moto.ec2.models", "ec2_backends"):
        for reservation in list(backend.reservations.values()):
            for instance in list(reservation.instances):
                if instance.state in ("terminated", "shutting-down"):
                    continue
                ports = listening.get(instance.id, {}) if instance.state == "running" else {}
                yield (
                    instance.id,
                    Instance(
                        address=instance.private_ip,
                        public=instance.public_ip or None,
                        state=instance.state,
                        zone=instance.availability_zone or "",
                        groups=[group.id for group in records.groups(instance)],
                        open=open_to(records.groups(instance)),
                        ports={str(port): real for port, real in ports.items()},
                    ),
                )


def openings(account: str, region: str, groups: list[str]) -> Open:
    """What these security groups let in."""
    return open_to(found(account, region, groups))


def found(account: str, region: str, groups: list[str]) -> list[Any]:
    """moto's security groups by id; those that have gone are left out."""
    ec2 = sys.modules["moto.ec2.models"].ec2_backends[account][region]
    every = (ec2.get_security_group_from_id(group) for group in groups)
    return [group for group in every if group]
