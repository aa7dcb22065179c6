"""Roles, policies and instance profiles."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from labs.cloud.mock.stacks.types.base import (
    Properties,
    Type,
    changed,
    document,
    is_gone,
    listed,
    only,
    removed,
)


@contextlib.contextmanager
def gone_is_fine() -> Iterator[None]:
    """To take away what is not there any more is no failure."""
    try:
        yield
    except ClientError as error:
        if not is_gone(error):
            raise


class Role(Type):
    name = "AWS::IAM::Role"
    service = "iam"
    properties = (
        "AssumeRolePolicyDocument Description ManagedPolicyArns MaxSessionDuration Path "
        "PermissionsBoundary Policies RoleName Tags"
    )
    named = "RoleName"

    def create(self, given: Properties) -> str:
        return self.call(
            "create_role",
            only(given, "Description MaxSessionDuration Path PermissionsBoundary Tags"),
            RoleName=self.named_by(given),
            AssumeRolePolicyDocument=document(given["AssumeRolePolicyDocument"]),
        )["Role"]["RoleName"]

    def configure(self, physical: str, given: Properties, before: Properties) -> None:
        policies = {one["PolicyName"]: one["PolicyDocument"] for one in given.get("Policies", ())}
        old = {one["PolicyName"]: one["PolicyDocument"] for one in before.get("Policies", ())}
        for name in removed(policies, old):
            with gone_is_fine():
                self.client.delete_role_policy(RoleName=physical, PolicyName=name)
        for name, policy in policies.items():
            if old.get(name) != policy:
                self.client.put_role_policy(
                    RoleName=physical, PolicyName=name, PolicyDocument=document(policy)
                )
        attached, were = given.get("ManagedPolicyArns", []), before.get("ManagedPolicyArns", [])
        for arn in removed(attached, were):
            with gone_is_fine():
                self.client.detach_role_policy(RoleName=physical, PolicyArn=arn)
        for arn in removed(were, attached):
            self.client.attach_role_policy(RoleName=physical, PolicyArn=arn)

    def update(self, physical: str, given: Properties, before: Properties) -> None:
        if changed(given, before, "AssumeRolePolicyDocument"):
            self.client.update_assume_role_policy(
                RoleName=physical, PolicyDocument=document(given["AssumeRolePolicyDocument"])
            )
        if changed(given, before, "Description", "MaxSessionDuration"):
            self.client.update_role(
                RoleName=physical,
                Description=given.get("Description", ""),
                MaxSessionDuration=int(given.get("MaxSessionDuration", 3600)),
            )
        if changed(given, before, "PermissionsBoundary"):
            if "PermissionsBoundary" in given:
                self.client.put_role_permissions_boundary(
                    RoleName=physical, PermissionsBoundary=given["PermissionsBoundary"]
                )
            else:
                self.client.delete_role_permissions_boundary(RoleName=physical)
        self.retag(
            given,
            before,
            lambda keys: self.client.untag_role(RoleName=physical, TagKeys=keys),
            lambda tags: self.client.tag_role(RoleName=physical, Tags=listed(tags)),
        )
        self.configure(physical, given, before)

    def attributes(self, physical: str, given: Properties) -> dict[str, Any]:
        found = self.reader.get_role(RoleName=physical)["Role"]
        return {"Arn": found["Arn"], "RoleId": found["RoleId"]}

    def read(self, physical: str, given: Properties) -> Properties:
        found = self.reader.get_role(RoleName=physical)["Role"]
        policies = [
            {
                "PolicyName": name,
                "PolicyDocument": self.reader.get_role_policy(RoleName=physical, PolicyName=name)[
                    "PolicyDocument"
                ],
            }
            for name in self.reader.list_role_policies(RoleName=physical)["PolicyNames"]
        ]
        wanted = [one["PolicyName"] for one in given.get("Policies", ())]
        # What another resource, such as an AWS::IAM::Policy, has added is not this one's.
        policies = [one for one in policies if one["PolicyName"] in wanted]
        policies.sort(key=lambda one: wanted.index(one["PolicyName"]))
        attached = self.reader.list_attached_role_policies(RoleName=physical)["AttachedPolicies"]
        boundary = found.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")
        return {
            "Description": "",
            "Tags": [],
            **found,
            "Policies": policies,
            "ManagedPolicyArns": [one["PolicyArn"] for one in attached],
            **({"PermissionsBoundary": boundary} if boundary else {}),
        }

    def delete(self, physical: str, given: Properties) -> None:
        with gone_is_fine():
            for name in self.reader.list_role_policies(RoleName=physical)["PolicyNames"]:
                self.client.delete_role_policy(RoleName=physical, PolicyName=name)
            attached = self.reader.list_attached_role_policies(RoleName=physical)
            for one in attached["AttachedPolicies"]:
                self.client.detach_role_policy(RoleName=physical, PolicyArn=one["PolicyArn"])
            self.client.delete_role(RoleName=physical)


#: Whose policies: (property, the word in the operations, the parameter).
_HOLDERS = (
    ("Roles", "role", "RoleName"),
    ("Users", "user", "UserName"),
    ("Groups", "group", "GroupName"),
)


def _holders(given: Properties) -> list[tuple[str, str, str]]:
    """(word, parameter, name) of all that a policy is for."""
    return [
        (word, parameter, name) for key, word, parameter in _HOLDERS for name in given.get(key, ())
    ]


class Policy(Type):
    """An inline policy of roles, users and groups."""

    name = "AWS::IAM::Policy"
    service = "iam"
    properties = "Groups PolicyDocument PolicyName Roles Users"

    def create(self, given: Properties) -> str:
        return self.made_up()

    def configure(self, physical: str, given: Properties, before: Properties) -> None:
        name = given["PolicyName"]
        if before and before["PolicyName"] != name:
            self.delete(physical, before)
        else:
            for holder in removed(_holders(given), _holders(before)):
                self._delete(holder, name)
        for word, parameter, holder in _holders(given):
            getattr(self.client, f"put_{word}_policy")(
                **{parameter: holder},
                PolicyName=name,
                PolicyDocument=document(given["PolicyDocument"]),
            )

    def attributes(self, physical: str, given: Properties) -> dict[str, Any]:
        return {"Id": physical}

    def read(self, physical: str, given: Properties) -> Properties:
        found: dict[str, Any] = dict(given)
        for word, parameter, holder in _holders(given):
            policy = getattr(self.reader, f"get_{word}_policy")(
                **{parameter: holder}, PolicyName=given["PolicyName"]
            )
            if policy["PolicyDocument"] != given["PolicyDocument"]:
                found["PolicyDocument"] = policy["PolicyDocument"]
        return found

    def delete(self, physical: str, given: Properties) -> None:
        for holder in _holders(given):
            self._delete(holder, given["PolicyName"])

    def _delete(self, holder: tuple[str, str, str], name: str) -> None:
        word, parameter, its = holder
        with gone_is_fine():
            getattr(self.client, f"delete_{word}_policy")(**{parameter: its}, PolicyName=name)


class ManagedPolicy(Type):
    name = "AWS::IAM::ManagedPolicy"
    service = "iam"
    properties = "Description Groups ManagedPolicyName Path PolicyDocument Roles Users"
    named, longest = "ManagedPolicyName", 128

    def create(self, given: Properties) -> str:
        return self.call(
            "create_policy",
            only(given, "Description Path"),
            PolicyName=self.named_by(given),
            PolicyDocument=document(given["PolicyDocument"]),
        )["Policy"]["Arn"]

    def configure(self, physical: str, given: Properties, before: Properties) -> None:
        for word, parameter, holder in removed(_holders(given), _holders(before)):
            with gone_is_fine():
                getattr(self.client, f"detach_{word}_policy")(
                    **{parameter: holder}, PolicyArn=physical
                )
        for word, parameter, holder in removed(_holders(before), _holders(given)):
            getattr(self.client, f"attach_{word}_policy")(**{parameter: holder}, PolicyArn=physical)

    def update(self, physical: str, given: Properties, before: Properties) -> None:
        if changed(given, before, "PolicyDocument"):
            self._forget_versions(physical, keep=3)
            self.client.create_policy_version(
                PolicyArn=physical,
                PolicyDocument=document(given["PolicyDocument"]),
                SetAsDefault=True,
            )
        self.configure(physical, given, before)

    def attributes(self, physical: str, given: Properties) -> dict[str, Any]:
        found = self.reader.get_policy(PolicyArn=physical)["Policy"]
        return {
            "PolicyArn": physical,
            "AttachmentCount": str(found["AttachmentCount"]),
            "DefaultVersionId": found["DefaultVersionId"],
            "PolicyId": found["PolicyId"],
        }

    def read(self, physical: str, given: Properties) -> Properties:
        found = self.reader.get_policy(PolicyArn=physical)["Policy"]
        version = self.reader.get_policy_version(
            PolicyArn=physical, VersionId=found["DefaultVersionId"]
        )
        holders = self.reader.list_entities_for_policy(PolicyArn=physical)
        return {
            "Description": "",
            **found,
            "ManagedPolicyName": found["PolicyName"],
            "PolicyDocument": version["PolicyVersion"]["Document"],
            "Roles": [one["RoleName"] for one in holders["PolicyRoles"]],
            "Users": [one["UserName"] for one in holders["PolicyUsers"]],
            "Groups": [one["GroupName"] for one in holders["PolicyGroups"]],
        }

    def delete(self, physical: str, given: Properties) -> None:
        holders = self.reader.list_entities_for_policy(PolicyArn=physical)
        for key, word, parameter in _HOLDERS:
            for one in holders[f"Policy{key}"]:
                getattr(self.client, f"detach_{word}_policy")(
                    **{parameter: one[parameter]}, PolicyArn=physical
                )
        self._forget_versions(physical, keep=0)
        self.client.delete_policy(PolicyArn=physical)

    def _forget_versions(self, arn: str, keep: int) -> None:
        """A policy has five versions at most; the oldest go first."""
        versions = self.reader.list_policy_versions(PolicyArn=arn)["Versions"]
        others = sorted(
            (one for one in versions if not one["IsDefaultVersion"]),
            key=lambda one: int(one["VersionId"].removeprefix("v")),
        )
        for one in others[: max(0, len(others) - keep)]:
            self.client.delete_policy_version(PolicyArn=arn, VersionId=one["VersionId"])


class InstanceProfile(Type):
    name = "AWS::IAM::InstanceProfile"
    service = "iam"
    properties = "InstanceProfileName Path Roles"
    named, longest = "InstanceProfileName", 128

    def create(self, given: Properties) -> str:
        return self.call(
            "create_instance_profile",
            only(given, "Path"),
            InstanceProfileName=self.named_by(given),
        )["InstanceProfile"]["InstanceProfileName"]

    def configure(self, physical: str, given: Properties, before: Properties) -> None:
        for role in removed(given["Roles"], before.get("Roles", ())):
            with gone_is_fine():
                self.client.remove_role_from_instance_profile(
                    InstanceProfileName=physical, RoleName=role
                )
        for role in removed(before.get("Roles", ()), given["Roles"]):
            self.client.add_role_to_instance_profile(InstanceProfileName=physical, RoleName=role)

    def attributes(self, physical: str, given: Properties) -> dict[str, Any]:
        return {"Arn": self._found(physical)["Arn"]}

    def read(self, physical: str, given: Properties) -> Properties:
        found = self._found(physical)
        return {**found, "Roles": [role["RoleName"] for role in found["Roles"]]}

    def delete(self, physical: str, given: Properties) -> None:
        for role in self._found(physical)["Roles"]:
            self.client.remove_role_from_instance_profile(
                InstanceProfileName=physical, RoleName=role["RoleName"]
            )
        self.client.delete_instance_profile(InstanceProfileName=physical)

    def _found(self, name: str) -> dict[str, Any]:
        return self.reader.get_instance_profile(InstanceProfileName=name)["InstanceProfile"]
