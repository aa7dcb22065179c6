"""Networks, security groups and instances."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from typing import Any, ClassVar

from labs.cloud.mock.stacks.errors import NotInMock, Unchangeable
from labs.cloud.mock.stacks.types.base import (
    Gone,
    Properties,
    Type,
    changed,
    first,
    listed,
    only,
    pairs,
    removed,
    text,
    without,
)


class _Tagged(Type):
    """Something of EC2 that has an id. noun: in tag specifications."""

    service = "ec2"
    noun: ClassVar[str] = ""

    def tagged(self, given: Properties) -> dict[str, Any]:
        """TagSpecifications of a creation."""
        tags = listed(pairs(given.get("Tags")))
        if not tags:
            return {}
        return {"TagSpecifications": [{"ResourceType": self.noun, "Tags": tags}]}

    def update(self, physical: str, given: Properties, before: Properties) -> None:
        self.retag(
            given,
            before,
            lambda keys: self.client.delete_tags(
                Resources=[physical], Tags=[{"Key": key} for key in keys]
            ),
            lambda tags: self.client.create_tags(Resources=[physical], Tags=listed(tags)),
        )
        self.configure(physical, given, before)


class Vpc(_Tagged):
    name = "AWS::EC2::VPC"
    noun = "vpc"
    properties = "CidrBlock EnableDnsHostnames EnableDnsSupport InstanceTenancy Tags"

    def create(self, given: Properties) -> str:
        made = self.call(
            "create_vpc", only(given, "CidrBlock InstanceTenancy"), **self.tagged(given)
        )
        return made["Vpc"]["VpcId"]

    def configure(self, physical: str, given: Properties, before: Properties) -> None:
        for name, default in (("EnableDnsSupport", True), ("EnableDnsHostnames", False)):
            if changed(given, before, name):
                self.client.modify_vpc_attribute(
                    VpcId=physical, **{name: {"Value": given.get(name, default)}}
                )

    def attributes(self, physical: str, given: Properties) -> dict[str, Any]:
        found = self._found(physical)
        groups = self.reader.describe_security_groups(Filters=_of_vpc(physical))["SecurityGroups"]
        acls = self.reader.describe_network_acls(Filters=_of_vpc(physical))["NetworkAcls"]
        return {
            "VpcId": physical,
            "CidrBlock": found["CidrBlock"],
            "DefaultSecurityGroup": first(
                one["GroupId"] for one in groups if one["GroupName"] == "default"
            ),
            "DefaultNetworkAcl": first(one["NetworkAclId"] for one in acls if one["IsDefault"]),
            "CidrBlockAssociations": [
                one["AssociationId"] for one in found.get("CidrBlockAssociationSet", ())
            ],
        }

    def read(self, physical: str, given: Properties) -> Properties:
        found = dict(self._found(physical))
        for name in ("EnableDnsSupport", "EnableDnsHostnames"):
            attribute = name[0].lower() + name[1:]
            told = self.reader.describe_vpc_attribute(VpcId=physical, Attribute=attribute)
            found[name] = told[name]["Value"]
        return {"Tags": [], **found}

    def delete(self, physical: str, given: Properties) -> None:
        self.client.delete_vpc(VpcId=physical)

    def _found(self, vpc: str) -> dict[str, Any]:
        return first(self.reader.describe_vpcs(VpcIds=[vpc])["Vpcs"])


class Subnet(_Tagged):
    name = "AWS::EC2::Subnet"
    noun = "subnet"
    properties = "AvailabilityZone CidrBlock MapPublicIpOnLaunch Tags VpcId"

    def create(self, given: Properties) -> str:
        made = self.call(
            "create_subnet", only(given, "AvailabilityZone CidrBlock VpcId"), **self.tagged(given)
        )
        return made["Subnet"]["SubnetId"]

    def configure(self, physical: str, given: Properties, before: Properties) -> None:
        if changed(given, before, "MapPublicIpOnLaunch"):
            value = bool(given.get("MapPublicIpOnLaunch", False))
            self.client.modify_subnet_attribute(
                SubnetId=physical, MapPublicIpOnLaunch={"Value": value}
            )

    def attributes(self, physical: str, given: Properties) -> dict[str, Any]:
        found = self.read(physical, given)
        acls = self.reader.describe_network_acls(
            Filters=[{"Name": "association.subnet-id", "Values": [physical]}]
        )["NetworkAcls"]
        return {
            "SubnetId": physical,
            **only(found, "AvailabilityZone CidrBlock VpcId"),
            **({"NetworkAclAssociationId": acls[0]["NetworkAclId"]} if acls else {}),
        }

    def read(self, physical: str, given: Properties) -> Properties:
        return {
            "Tags": [],
            **first(self.reader.describe_subnets(SubnetIds=[physical])["Subnets"]),
        }

    def delete(self, physical: str, given: Properties) -> None:
        self.client.delete_subnet(SubnetId=physical)


class InternetGateway(_Tagged):
    name = "AWS::EC2::InternetGateway"
    noun = "internet-gateway"
    properties = "Tags"

    def create(self, given: Properties) -> str:
        made = self.client.create_internet_gateway(**self.tagged(given))
        return made["InternetGateway"]["InternetGatewayId"]

    def attributes(self, physical: str, given: Properties) -> dict[str, Any]:
        return {"InternetGatewayId": physical}

    def read(self, physical: str, given: Properties) -> Properties:
        found = self.reader.describe_internet_gateways(InternetGatewayIds=[physical])
        return {"Tags": [], **first(found["InternetGateways"])}

    def delete(self, physical: str, given: Properties) -> None:
        self.client.delete_internet_gateway(InternetGatewayId=physical)


class VpcGatewayAttachment(Type):
    name = "AWS::EC2::VPCGatewayAttachment"
    service = "ec2"
    properties = "InternetGatewayId VpcId"

    def create(self, given: Properties) -> str:
        if "InternetGatewayId" not in given:
            raise NotInMock(f"{self.name}/VpnGatewayId")
        self.call("attach_internet_gateway", given)
        return f"IGW|{given['VpcId']}"

    def update(self, physical: str, given: Properties, before: Properties) -> None:
        self.delete(physical, before)
        self.create(given)

    def attributes(self, physical: str, given: Properties) -> dict[str, Any]:
        return {"AttachmentType": "IGW"}

    def read(self, physical: str, given: Properties) -> Properties:
        gateway = given["InternetGatewayId"]
        found = self.reader.describe_internet_gateways(InternetGatewayIds=[gateway])
        attachments = first(found["InternetGateways"])["Attachments"]
        vpc = first(one["VpcId"] for one in attachments)
        return {"InternetGatewayId": gateway, "VpcId": vpc}

    def delete(self, physical: str, given: Properties) -> None:
        self.client.detach_internet_gateway(**only(given, "InternetGatewayId VpcId"))


class RouteTable(_Tagged):
    name = "AWS::EC2::RouteTable"
    noun = "route-table"
    properties = "Tags VpcId"

    def create(self, given: Properties) -> str:
        made = self.client.create_route_table(VpcId=given["VpcId"], **self.tagged(given))
        return made["RouteTable"]["RouteTableId"]

    def attributes(self, physical: str, given: Properties) -> dict[str, Any]:
        return {"RouteTableId": physical}

    def read(self, physical: str, given: Properties) -> Properties:
        found = self.reader.describe_route_tables(RouteTableIds=[physical])
        return {"Tags": [], **first(found["RouteTables"])}

    def delete(self, physical: str, given: Properties) -> None:
        self.client.delete_route_table(RouteTableId=physical)


class Route(Type):
    name = "AWS::EC2::Route"
    service = "ec2"
    properties = (
        "DestinationCidrBlock GatewayId InstanceId NatGatewayId NetworkInterfaceId RouteTableId "
        "TransitGatewayId VpcPeeringConnectionId"
    )

    def create(self, given: Properties) -> str:
        self.call("create_route", given)
        return f"{given['RouteTableId']}|{given['DestinationCidrBlock']}"

    def update(self, physical: str, given: Properties, before: Properties) -> None:
        self.call("replace_route", given)

    def attributes(self, physical: str, given: Properties) -> dict[str, Any]:
        return {"CidrBlock": given["DestinationCidrBlock"]}

    def read(self, physical: str, given: Properties) -> Properties:
        table = given["RouteTableId"]
        found = first(self.reader.describe_route_tables(RouteTableIds=[table])["RouteTables"])
        wanted = given["DestinationCidrBlock"]
        route = first(one for one in found["Routes"] if one.get("DestinationCidrBlock") == wanted)
        return {"RouteTableId": table, **route}

    def delete(self, physical: str, given: Properties) -> None:
        self.client.delete_route(**only(given, "RouteTableId DestinationCidrBlock"))


class SubnetRouteTableAssociation(Type):
    name = "AWS::EC2::SubnetRouteTableAssociation"
    service = "ec2"
    properties = "RouteTableId SubnetId"

    def create(self, given: Properties) -> str:
        return self.call("associate_route_table", given)["AssociationId"]

    def attributes(self, physical: str, given: Properties) -> dict[str, Any]:
        return {"Id": physical}

    def read(self, physical: str, given: Properties) -> Properties:
        pages = self.reader.get_paginator("describe_route_tables").paginate()
        associations = (
            one for page in pages for table in page["RouteTables"] for one in table["Associations"]
        )
        return first(one for one in associations if one.get("RouteTableAssociationId") == physical)

    def delete(self, physical: str, given: Properties) -> None:
        self.client.disassociate_route_table(AssociationId=physical)


# --- security groups ----------------------------------------------------------------------------

_SOURCES = "CidrIp CidrIpv6 SourceSecurityGroupId SourcePrefixListId SourceSecurityGroupName"
_TARGETS = "CidrIp CidrIpv6 DestinationSecurityGroupId DestinationPrefixListId"
#: What a new group lets out. Source: Amazon VPC User Guide, "Default security groups".
_ALL_OUT = {"IpProtocol": "-1", "CidrIp": "0.0.0.0/0"}


def permission(rule: Properties) -> dict[str, Any]:
    """A rule of a template as an IpPermission."""
    found: dict[str, Any] = {"IpProtocol": text(rule["IpProtocol"])}
    for name in ("FromPort", "ToPort"):
        if name in rule:
            found[name] = int(rule[name])
    description = {"Description": rule["Description"]} if "Description" in rule else {}
    if "CidrIp" in rule:
        found["IpRanges"] = [{"CidrIp": rule["CidrIp"], **description}]
    if "CidrIpv6" in rule:
        found["Ipv6Ranges"] = [{"CidrIpv6": rule["CidrIpv6"], **description}]
    for name in ("SourceSecurityGroupId", "DestinationSecurityGroupId"):
        if name in rule:
            found["UserIdGroupPairs"] = [{"GroupId": rule[name], **description}]
    for name in ("SourcePrefixListId", "DestinationPrefixListId"):
        if name in rule:
            found["PrefixListIds"] = [{"PrefixListId": rule[name], **description}]
    if "SourceSecurityGroupName" in rule:
        raise NotInMock("a security group's rule with SourceSecurityGroupName")
    return found


def rules(permissions: Iterable[Properties], group_key: str) -> list[dict[str, Any]]:
    """IpPermissions as rules of a template, one for each source."""
    found = []
    for one in permissions:
        base = only(one, "IpProtocol FromPort ToPort")
        sources = [
            *({"CidrIp": r["CidrIp"], **only(r, "Description")} for r in one.get("IpRanges", ())),
            *(
                {"CidrIpv6": r["CidrIpv6"], **only(r, "Description")}
                for r in one.get("Ipv6Ranges", ())
            ),
            *(
                {group_key: r["GroupId"], **only(r, "Description")}
                for r in one.get("UserIdGroupPairs", ())
            ),
        ]
        found += [{**base, **source} for source in sources]
    return found


def _key(rule: Properties) -> tuple[tuple[str, str], ...]:
    """Rules that are the same one, whoever describes them how."""
    return tuple(sorted((name, text(value)) for name, value in rule.items() if value is not None))


class SecurityGroup(_Tagged):
    name = "AWS::EC2::SecurityGroup"
    noun = "security-group"
    properties = "GroupDescription GroupName SecurityGroupEgress SecurityGroupIngress Tags VpcId"
    named, longest = "GroupName", 255

    def create(self, given: Properties) -> str:
        vpc = only(given, "VpcId")
        return self.client.create_security_group(
            GroupName=self.named_by(given),
            Description=given["GroupDescription"],
            **vpc,
            **self.tagged(given),
        )["GroupId"]

    def configure(self, physical: str, given: Properties, before: Properties) -> None:
        self._set(
            physical,
            "ingress",
            given.get("SecurityGroupIngress", []),
            before.get("SecurityGroupIngress", []),
        )
        default = [_ALL_OUT]
        self._set(
            physical,
            "egress",
            given.get("SecurityGroupEgress") or default,
            before.get("SecurityGroupEgress") or default,
        )

    def attributes(self, physical: str, given: Properties) -> dict[str, Any]:
        return {"GroupId": physical, "Id": physical, "VpcId": self._found(physical)["VpcId"]}

    def read(self, physical: str, given: Properties) -> Properties:
        found = self._found(physical)
        seen: dict[str, Any] = {
            "Tags": [],
            **found,
            "GroupDescription": found["Description"],
        }
        for name, permissions, group in (
            ("SecurityGroupIngress", "IpPermissions", "SourceSecurityGroupId"),
            ("SecurityGroupEgress", "IpPermissionsEgress", "DestinationSecurityGroupId"),
        ):
            seen[name] = self._as_given(rules(found[permissions], group), given.get(name, []))
        return seen

    def delete(self, physical: str, given: Properties) -> None:
        self.client.delete_security_group(GroupId=physical)

    @staticmethod
    def _as_given(there: list[dict[str, Any]], given: list[Properties]) -> list[Any]:
        """In the order and with the members of the template, as far as they are there."""
        left = {_key(one): one for one in there}
        found: list[Any] = []
        for rule in given:
            if rule.get("IpProtocol") == "-1":
                rule = without(rule, "FromPort ToPort")
            if left.pop(_key(rule), None) is not None:
                found.append(rule)
        return [*found, *left.values()]

    def _set(self, group: str, way: str, new: list[Any], old: list[Any]) -> None:
        if gone := [permission(rule) for rule in removed(new, old)]:
            getattr(self.client, f"revoke_security_group_{way}")(GroupId=group, IpPermissions=gone)
        if more := [permission(rule) for rule in removed(old, new)]:
            getattr(self.client, f"authorize_security_group_{way}")(
                GroupId=group, IpPermissions=more
            )

    def _found(self, group: str) -> dict[str, Any]:
        return first(self.reader.describe_security_groups(GroupIds=[group])["SecurityGroups"])


class _Rule(Type):
    """A rule of a group that is made by itself. way: "ingress" or "egress"."""

    service = "ec2"
    way: ClassVar[str] = ""
    other: ClassVar[str] = ""

    def create(self, given: Properties) -> str:
        answer = getattr(self.client, f"authorize_security_group_{self.way}")(
            GroupId=given["GroupId"], IpPermissions=[permission(without(given, "GroupId"))]
        )
        made = answer.get("SecurityGroupRules") or []
        return made[0]["SecurityGroupRuleId"] if made else self.made_up()

    def update(self, physical: str, given: Properties, before: Properties) -> None:
        if changed(given, before, "Description"):
            getattr(self.client, f"update_security_group_rule_descriptions_{self.way}")(
                GroupId=given["GroupId"], IpPermissions=[permission(without(given, "GroupId"))]
            )

    def attributes(self, physical: str, given: Properties) -> dict[str, Any]:
        return {"Id": physical}

    def read(self, physical: str, given: Properties) -> Properties:
        group = given["GroupId"]
        found = first(self.reader.describe_security_groups(GroupIds=[group])["SecurityGroups"])
        permissions = "IpPermissions" if self.way == "ingress" else "IpPermissionsEgress"
        wanted = without(given, "GroupId Description")
        if wanted.get("IpProtocol") == "-1":
            wanted = without(wanted, "FromPort ToPort")
        for rule in rules(found[permissions], self.other):
            if _key(without(rule, "Description")) == _key(wanted):
                return {**given, **rule}
        raise Gone

    def delete(self, physical: str, given: Properties) -> None:
        getattr(self.client, f"revoke_security_group_{self.way}")(
            GroupId=given["GroupId"], IpPermissions=[permission(without(given, "GroupId"))]
        )


class SecurityGroupIngress(_Rule):
    name = "AWS::EC2::SecurityGroupIngress"
    way = "ingress"
    other = "SourceSecurityGroupId"
    properties = f"Description FromPort GroupId IpProtocol ToPort {_SOURCES}"


class SecurityGroupEgress(_Rule):
    name = "AWS::EC2::SecurityGroupEgress"
    way = "egress"
    other = "DestinationSecurityGroupId"
    properties = f"Description FromPort GroupId IpProtocol ToPort {_TARGETS}"


# --- instances ----------------------------------------------------------------------------------

_INSTANCE = (
    "BlockDeviceMappings DisableApiTermination ImageId InstanceInitiatedShutdownBehavior "
    "InstanceType KeyName MetadataOptions NetworkInterfaces PrivateIpAddress SecurityGroupIds "
    "SecurityGroups SubnetId UserData"
)


class Instance(_Tagged):
    name = "AWS::EC2::Instance"
    noun = "instance"
    properties = f"AvailabilityZone IamInstanceProfile Monitoring Tags {_INSTANCE}"
    unread = (
        "BlockDeviceMappings InstanceInitiatedShutdownBehavior MetadataOptions NetworkInterfaces"
    )

    def create(self, given: Properties) -> str:
        more: dict[str, Any] = {}
        if "IamInstanceProfile" in given:
            more["IamInstanceProfile"] = {"Name": given["IamInstanceProfile"]}
        if "AvailabilityZone" in given:
            more["Placement"] = {"AvailabilityZone": given["AvailabilityZone"]}
        if "Monitoring" in given:
            more["Monitoring"] = {"Enabled": given["Monitoring"]}
        settings = only(given, _INSTANCE)
        if "UserData" in settings:
            more["UserData"] = _decoded(settings.pop("UserData"))
        if "InstanceType" not in settings:
            settings["InstanceType"] = "m1.small"
        made = self.call(
            "run_instances", settings, MinCount=1, MaxCount=1, **more, **self.tagged(given)
        )
        return made["Instances"][0]["InstanceId"]

    def update(self, physical: str, given: Properties, before: Properties) -> str | None:
        for name in ("IamInstanceProfile", "InstanceInitiatedShutdownBehavior", "MetadataOptions"):
            if changed(given, before, name):
                raise Unchangeable(f"{self.name}: a change of {name}")
        return super().update(physical, given, before)

    def configure(self, physical: str, given: Properties, before: Properties) -> None:
        if not before:
            return
        if changed(given, before, "SecurityGroupIds"):
            self.client.modify_instance_attribute(
                InstanceId=physical, Groups=list(given.get("SecurityGroupIds", ()))
            )
        if changed(given, before, "DisableApiTermination"):
            value = bool(given.get("DisableApiTermination", False))
            self.client.modify_instance_attribute(
                InstanceId=physical, DisableApiTermination={"Value": value}
            )
        if changed(given, before, "Monitoring"):
            verb = "monitor" if given.get("Monitoring") else "unmonitor"
            getattr(self.client, f"{verb}_instances")(InstanceIds=[physical])
        if changed(given, before, "InstanceType", "UserData"):
            self._change_stopped(physical, given, before)

    def _change_stopped(self, physical: str, given: Properties, before: Properties) -> None:
        """Source: Template Reference, AWS::EC2::Instance (EBS-backed: some interruptions)."""
        self.client.stop_instances(InstanceIds=[physical])
        if changed(given, before, "InstanceType"):
            self.client.modify_instance_attribute(
                InstanceId=physical, InstanceType={"Value": given.get("InstanceType", "m1.small")}
            )
        if changed(given, before, "UserData"):
            content = _decoded(given.get("UserData", "")).encode()
            self.client.modify_instance_attribute(InstanceId=physical, UserData={"Value": content})
        self.client.start_instances(InstanceIds=[physical])

    def attributes(self, physical: str, given: Properties) -> dict[str, Any]:
        found = self._found(physical)
        return {
            "InstanceId": physical,
            "AvailabilityZone": found["Placement"]["AvailabilityZone"],
            "PrivateDnsName": found.get("PrivateDnsName", ""),
            "PrivateIp": found.get("PrivateIpAddress", ""),
            "PublicDnsName": found.get("PublicDnsName", ""),
            "PublicIp": found.get("PublicIpAddress", ""),
            "VpcId": found.get("VpcId", ""),
        }

    def read(self, physical: str, given: Properties) -> Properties:
        found = self._found(physical)
        seen: dict[str, Any] = {
            "Tags": [],
            **found,
            "AvailabilityZone": found["Placement"]["AvailabilityZone"],
            "SecurityGroupIds": [one["GroupId"] for one in found["SecurityGroups"]],
            "SecurityGroups": [one["GroupName"] for one in found["SecurityGroups"]],
            "Monitoring": found.get("Monitoring", {}).get("State") in ("enabled", "pending"),
        }
        if profile := found.get("IamInstanceProfile"):
            seen["IamInstanceProfile"] = profile["Arn"].rpartition("/")[2]
        if "UserData" in given:
            told = self.reader.describe_instance_attribute(
                InstanceId=physical, Attribute="userData"
            )
            seen["UserData"] = told.get("UserData", {}).get("Value", "")
        if "DisableApiTermination" in given:
            told = self.reader.describe_instance_attribute(
                InstanceId=physical, Attribute="disableApiTermination"
            )
            seen["DisableApiTermination"] = told["DisableApiTermination"]["Value"]
        return seen

    def delete(self, physical: str, given: Properties) -> None:
        self.client.terminate_instances(InstanceIds=[physical])

    def _found(self, instance: str) -> dict[str, Any]:
        reservations = self.reader.describe_instances(InstanceIds=[instance])["Reservations"]
        found = first(one for reservation in reservations for one in reservation["Instances"])
        if found["State"]["Name"] == "terminated":
            raise Gone
        return found


def _decoded(user_data: str) -> str:
    """A template has user data in base64; botocore encodes what it is given."""
    try:
        return base64.b64decode(user_data, validate=True).decode()
    except (binascii.Error, ValueError):
        return user_data


class LaunchTemplate(Type):
    name = "AWS::EC2::LaunchTemplate"
    service = "ec2"
    properties = "LaunchTemplateData LaunchTemplateName TagSpecifications VersionDescription"
    unread = "TagSpecifications VersionDescription"
    named, longest = "LaunchTemplateName", 128

    def create(self, given: Properties) -> str:
        made = self.call(
            "create_launch_template",
            without(given, "LaunchTemplateName"),
            LaunchTemplateName=self.named_by(given),
        )
        return made["LaunchTemplate"]["LaunchTemplateId"]

    def update(self, physical: str, given: Properties, before: Properties) -> None:
        self.call(
            "create_launch_template_version",
            only(given, "LaunchTemplateData VersionDescription"),
            LaunchTemplateId=physical,
        )

    def attributes(self, physical: str, given: Properties) -> dict[str, Any]:
        found = first(
            self.reader.describe_launch_templates(LaunchTemplateIds=[physical])["LaunchTemplates"]
        )
        return {
            "LaunchTemplateId": physical,
            "DefaultVersionNumber": text(found["DefaultVersionNumber"]),
            "LatestVersionNumber": text(found["LatestVersionNumber"]),
        }

    def read(self, physical: str, given: Properties) -> Properties:
        found = self.reader.describe_launch_template_versions(
            LaunchTemplateId=physical, Versions=["$Latest"]
        )
        return first(found["LaunchTemplateVersions"])

    def delete(self, physical: str, given: Properties) -> None:
        self.client.delete_launch_template(LaunchTemplateId=physical)


def _of_vpc(vpc: str) -> list[dict[str, Any]]:
    return [{"Name": "vpc-id", "Values": [vpc]}]
