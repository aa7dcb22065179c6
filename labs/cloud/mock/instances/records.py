"""What moto's records say of instances. Reads only, and loads nothing: EC2 takes 100 MB of moto."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from moto.ec2.models.instances import Instance
    from moto.ec2.models.security_groups import SecurityGroup

MODELS = "moto.ec2.models"


def backends() -> Iterator[Any]:
    """moto's EC2, by account and region; nothing before the first call of EC2."""
    if MODELS in sys.modules:
        for regions in list(getattr(sys.modules[MODELS], "ec2_backends", {}).values()):
            yield from list(regions.values())


def instances() -> Iterator[Instance]:
    """All that have a record, terminated ones too."""
    for backend in backends():
        for reservation in list(backend.reservations.values()):
            yield from list(reservation.instances)


def public_addresses() -> Iterator[str]:
    """Those that a network interface or an Elastic IP address has."""
    for backend in backends():
        yield from (eni.public_ip for eni in list(backend.enis.values()) if eni.public_ip)
        yield from (address.public_ip for address in list(backend.addresses))


def groups(instance: Instance) -> list[SecurityGroup]:
    """Its security groups. What was given to the instance counts; else its interface's."""
    return list(instance.security_groups or instance.nics[0].group_set)


def host_name(instance: Instance) -> str:
    """ip-172-31-0-5. Source: Amazon EC2 User Guide, "EC2 instance hostname types"."""
    return instance.private_dns_name.partition(".")[0]


def role_arn(instance: Instance) -> str | None:
    """Of the role in its instance profile, if it has one."""
    associations = instance.ec2_backend.iam_instance_profile_associations
    association = associations.get(instance.id)
    roles = association.iam_instance_profile.roles if association else []
    return roles[0].arn if roles else None


def metadata(instance: Instance) -> dict[str, str]:
    """What the metadata service tells of an instance, by path below "latest/".

    Source: Amazon EC2 User Guide, "Instance metadata categories". Credentials are not in it.
    """
    region = instance.region_name
    facts = {
        "ami-id": instance.image_id,
        "ami-launch-index": str(instance.ami_launch_index),
        "hostname": instance.private_dns_name,
        "instance-id": instance.id,
        "instance-type": instance.instance_type,
        "local-hostname": instance.private_dns_name,
        "local-ipv4": instance.private_ip,
        "mac": instance.nics[0].mac_address,
        "placement/availability-zone": instance.availability_zone,
        "placement/region": region,
        "public-hostname": instance.public_dns_name,
        "public-ipv4": instance.public_ip,
        "security-groups": "\n".join(group.name for group in groups(instance)),
    }
    identity = {
        "accountId": instance.owner_id,
        "architecture": instance.architecture,
        "availabilityZone": instance.availability_zone,
        "imageId": instance.image_id,
        "instanceId": instance.id,
        "instanceType": instance.instance_type,
        "pendingTime": instance.launch_time.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "privateIp": instance.private_ip,
        "region": region,
        "version": "2017-09-30",
    }
    return {
        **{f"meta-data/{path}": fact for path, fact in facts.items() if fact},
        "dynamic/instance-identity/document": json.dumps(identity, indent=2),
    }
