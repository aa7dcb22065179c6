"""Where the mock reaches into moto's EC2. See `hooking`."""

from __future__ import annotations

import base64
import functools
from collections.abc import Callable
from typing import Any

from labs.cloud.mock import hooking
from labs.cloud.mock.hooking import Hook, Use
from labs.cloud.mock.instances import user_data
from labs.cloud.mock.instances.motor import Instances


def install(instances: Instances) -> None:
    """Put every hook in place. Once in a process, before EC2 answers its first call.

    Loads moto's EC2, which takes 0.6 s and 100 MB: not before somebody needs it.
    """
    hooking.install(HOOKS, instances)


def _run_instances(original: Callable, _instances: Instances) -> Callable:
    """moto without SubnetId is EC2-Classic, which has been gone since 2022: today it means the
    default subnet. moto says that IMDSv1 is on; images of today turn it off."""

    @functools.wraps(original)
    def run_instances(
        self: Any,
        image_id: str,
        count: int,
        user_data: Any,
        security_group_names: Any,
        **kwargs: Any,
    ) -> Any:
        _check(user_data)
        if not kwargs.get("subnet_id") and not any(map(_has_place, kwargs.get("nics") or ())):
            kwargs["subnet_id"] = _default_subnet(self, kwargs.get("placement"))
        kwargs.setdefault("associate_public_ip", None)  # what the subnet says
        given = kwargs.get("metadata_options") or {}
        kwargs["metadata_options"] = {"HttpTokens": "required", **given}
        return original(self, image_id, count, user_data, security_group_names, **kwargs)

    return run_instances


def _check(data: Any) -> None:
    """Raises EC2's InvalidParameterValue for more than 16 kB. Source: EC2 User Guide."""
    from moto.ec2.exceptions import InvalidParameterValue

    if len(user_data.content(data)) > user_data.LIMIT:
        raise InvalidParameterValue(f"User data is limited to {user_data.LIMIT} bytes")


def _has_place(nic: dict[str, Any]) -> bool:
    return bool(nic.get("SubnetId") or nic.get("NetworkInterfaceId"))


def _default_subnet(backend: Any, zone: str | None) -> str | None:
    """Of this zone, or of the first; None where somebody has deleted it: moto knows the error."""
    subnets = backend.get_default_subnets()
    chosen = subnets.get(zone) if zone else next((subnets[az] for az in sorted(subnets)), None)
    return chosen.id if chosen else None


def _reboot(original: Callable, instances: Instances) -> Callable:
    """moto's reboot changes nothing."""

    @functools.wraps(original)
    def reboot_instances(self: Any, instance_ids: list[str]) -> Any:
        rebooted = original(self, instance_ids)
        for instance in rebooted:
            instances.reboot(instance.id)
        return rebooted

    return reboot_instances


def _console(original: Callable, instances: Instances) -> Callable:
    """moto shows the boot of a Linux of 2005."""

    @functools.wraps(original)
    def get_console_output(self: Any) -> Any:
        from moto.core.types import Base64EncodedString

        answer = original(self)
        text = base64.b64encode(instances.console_output(answer.result["InstanceId"]))
        answer.result["Output"] = Base64EncodedString.from_encoded_bytes(text)
        return answer

    return get_console_output


def _create_security_group(original: Callable, _instances: Instances) -> Callable:
    """A VPC's default group lets its members in, which moto leaves out.

    Source: Amazon VPC User Guide, "Default security groups for your VPCs".
    """

    @functools.wraps(original)
    def create_security_group(self: Any, *args: Any, **kwargs: Any) -> Any:
        from moto.ec2.models.security_groups import SecurityGroupRule

        group = original(self, *args, **kwargs)
        if group.is_default:
            owner = self.account_id
            members = {"OwnerId": owner, "UserId": owner, "GroupId": group.id}
            rule = SecurityGroupRule(
                self, "-1", group.id, None, None, None, source_group=members, is_egress=False
            )
            group.add_ingress_rule(rule)
        return group

    return create_security_group


def _public_address(original: Callable, instances: Instances) -> Callable:
    """moto makes up addresses that belong to somebody, and may give one twice."""

    @functools.wraps(original)
    def random_ip() -> str:
        return instances.public_addresses.lend()

    return random_ip


HOOKS = (
    Hook(
        "moto.ec2.models.instances:InstanceBackend.run_instances",
        ("self", "image_id", "count", "user_data", "security_group_names", "kwargs"),
        "a limit to user data; the default subnet; IMDSv2",
        _run_instances,
    ),
    Hook(
        "moto.ec2.models.instances:InstanceBackend.reboot_instances",
        ("self", "instance_ids"),
        "a reboot runs the script anew",
        _reboot,
    ),
    Hook(
        "moto.ec2.responses.general:General.get_console_output",
        ("self",),
        "what the script wrote",
        _console,
    ),
    Hook(
        "moto.ec2.models.security_groups:SecurityGroupBackend.create_security_group",
        ("self", "name", "description", "vpc_id", "tags", "force", "is_default"),
        "the rule of a default group",
        _create_security_group,
    ),
    Hook(
        "moto.ec2.models.elastic_network_interfaces:random_public_ip",
        (),
        "addresses for documentation",
        _public_address,
    ),
    Hook(
        "moto.ec2.models.elastic_ip_addresses:random_ip",
        (),
        "addresses for documentation",
        _public_address,
    ),
)

USES = (
    Use("moto.ec2.models:ec2_backends", "", "by account and region, found in sys.modules"),
    Use("moto.ec2.models:EC2Backend", "addresses enis iam_instance_profile_associations"),
    Use("moto.ec2.models.instances:InstanceBackend", "reservations"),
    Use("moto.ec2.models.instances:Reservation", "instances"),
    Use(
        "moto.ec2.models.instances:Instance",
        "ami_launch_index architecture availability_zone ec2_backend id image_id instance_type "
        "launch_time metadata_options nics owner_id private_dns_name private_ip public_dns_name "
        "public_ip region_name security_groups state user_data vpc_id",
    ),
    Use("moto.ec2.models.instances:MetadataOptions", "http_endpoint http_tokens"),
    Use(
        "moto.ec2.models.elastic_network_interfaces:NetworkInterface",
        "group_set mac_address public_ip",
    ),
    Use("moto.ec2.models.elastic_ip_addresses:ElasticAddress", "public_ip"),
    Use(
        "moto.ec2.models.iam_instance_profile:IamInstanceProfileAssociation", "iam_instance_profile"
    ),
    Use("moto.iam.models:InstanceProfile", "roles"),
    Use("moto.ec2.models.subnets:SubnetBackend.get_default_subnets"),
    Use("moto.ec2.models.subnets:Subnet", "id"),
    Use(
        "moto.ec2.models.security_groups:SecurityGroup",
        "add_ingress_rule id ingress_rules is_default name",
    ),
    Use(
        "moto.ec2.models.security_groups:SecurityGroupRule",
        "cidr_ipv4 cidr_ipv6 from_port ip_protocol source_group to_port",
    ),
    Use("moto.ec2.exceptions:InvalidParameterValue", "", "EC2's error of that name"),
    Use("moto.core.types:Base64EncodedString.from_encoded_bytes", "raw_bytes"),
    Use("moto.core.types:Base64EncodedString"),
    Use("moto.core.responses:ActionResult", "result"),
)
