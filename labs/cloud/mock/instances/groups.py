"""Security groups of moto as the address book's "open" lists."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from moto.ec2.models.security_groups import SecurityGroup, SecurityGroupRule

#: [from_port, to_port, [CIDR or security group id, ...]]
Opening = list

_ALL_PORTS = (0, 65535)


def open_to(groups: Iterable[SecurityGroup]) -> list[Opening]:
    """What the inbound rules of these groups open to TCP; no group at all opens nothing.

    Rules add up; there is no rule that closes. Prefix lists are ignored (they name networks of
    AWS's that nobody here calls from). Sorted, so that equal rules make equal books.
    Source: Amazon VPC User Guide, "Security group rules".
    """
    sources: dict[tuple[int, int], set[str]] = {}
    for rule in (rule for group in groups for rule in group.ingress_rules):
        ports = _ports(rule)
        if ports and (source := _source(rule)):
            sources.setdefault(ports, set()).add(source)
    return [[*ports, sorted(found)] for ports, found in sorted(sources.items())]


def _ports(rule: SecurityGroupRule) -> tuple[int, int] | None:
    if rule.ip_protocol == "-1":
        return _ALL_PORTS
    if rule.ip_protocol != "tcp":
        return None
    first, last = rule.from_port, rule.to_port
    return _ALL_PORTS if first in (None, -1) else (first, last)


def _source(rule: SecurityGroupRule) -> str | None:
    return rule.cidr_ipv4 or rule.cidr_ipv6 or rule.source_group.get("GroupId")
