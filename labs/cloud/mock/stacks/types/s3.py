"""Buckets, and who may use them."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from labs.cloud.mock.stacks.errors import NotInMock
from labs.cloud.mock.stacks.types.base import (
    Properties,
    Type,
    changed,
    document,
    fit,
    is_gone,
    listed,
    pairs,
    without,
)


class Bucket(Type):
    name = "AWS::S3::Bucket"
    service = "s3"
    properties = (
        "BucketName BucketEncryption CorsConfiguration LifecycleConfiguration "
        "NotificationConfiguration OwnershipControls PublicAccessBlockConfiguration Tags "
        "VersioningConfiguration WebsiteConfiguration"
    )
    named, longest = "BucketName", 63

    def create(self, given: Properties) -> str:
        name = given.get("BucketName") or self.made_up().lower()
        if "BucketName" in given and self.exists(lambda: self.reader.head_bucket(Bucket=name)):
            self.refuse_existing(name)
        place: dict[str, Any] = {}
        if self.place.region != "us-east-1":
            place["CreateBucketConfiguration"] = {"LocationConstraint": self.place.region}
        self.client.create_bucket(Bucket=name, **place)
        return name

    def configure(self, physical: str, given: Properties, before: Properties) -> None:
        for key, (put, member, delete) in _PARTS.items():
            if not changed(given, before, key):
                continue
            if key in given:
                self._put(physical, put, member, _as_api(key, given[key]))
            elif delete:
                getattr(self.client, delete)(Bucket=physical)
            else:
                self._put(physical, put, member, _EMPTY[key])

    def attributes(self, physical: str, given: Properties) -> dict[str, Any]:
        """Source: Template Reference, AWS::S3::Bucket, "Return values"."""
        region = self.place.region
        return {
            "Arn": f"arn:{self.place.partition}:s3:::{physical}",
            "DomainName": f"{physical}.s3.amazonaws.com",
            "DualStackDomainName": f"{physical}.s3.dualstack.{region}.amazonaws.com",
            "RegionalDomainName": f"{physical}.s3.{region}.amazonaws.com",
            "WebsiteURL": f"http://{physical}.s3-website-{region}.amazonaws.com",
        }

    def read(self, physical: str, given: Properties) -> Properties:
        self.reader.head_bucket(Bucket=physical)
        found: dict[str, Any] = {"BucketName": physical}
        for key, reading in _READING.items():
            if key in given:
                seen = self._part(reading, physical)
                if seen is not None:
                    found[key] = _as_template(key, seen)
        return found

    def delete(self, physical: str, given: Properties) -> None:
        self.client.delete_bucket(Bucket=physical)

    def _put(self, bucket: str, operation: str, member: str, value: Any) -> None:
        model = self.client.meta.service_model.operation_model(
            self.client.meta.method_to_api_mapping[operation]
        )
        shape = model.input_shape.members[member]
        spelt = fit(value, shape, f"{self.name}/{member}")
        getattr(self.client, operation)(Bucket=bucket, **{member: spelt})

    def _part(self, reading: str, bucket: str) -> Any:
        try:
            return getattr(self.reader, reading)(Bucket=bucket)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if is_gone(error) or code.startswith("NoSuch") or code.endswith("NotFoundError"):
                if code == "NoSuchBucket":
                    raise
                return None
            raise


class BucketPolicy(Type):
    name = "AWS::S3::BucketPolicy"
    service = "s3"
    properties = "Bucket PolicyDocument"

    def create(self, given: Properties) -> str:
        return given["Bucket"]

    def configure(self, physical: str, given: Properties, before: Properties) -> None:
        self.client.put_bucket_policy(Bucket=physical, Policy=document(given["PolicyDocument"]))

    def read(self, physical: str, given: Properties) -> Properties:
        policy = self.reader.get_bucket_policy(Bucket=physical)["Policy"]
        return {"Bucket": physical, "PolicyDocument": policy}

    def delete(self, physical: str, given: Properties) -> None:
        self.client.delete_bucket_policy(Bucket=physical)


#: By property: (what sets it, the member for it, what takes it away if anything does).
_PARTS: dict[str, tuple[str, str, str | None]] = {
    "VersioningConfiguration": ("put_bucket_versioning", "VersioningConfiguration", None),
    "Tags": ("put_bucket_tagging", "Tagging", "delete_bucket_tagging"),
    "PublicAccessBlockConfiguration": (
        "put_public_access_block",
        "PublicAccessBlockConfiguration",
        "delete_public_access_block",
    ),
    "OwnershipControls": (
        "put_bucket_ownership_controls",
        "OwnershipControls",
        "delete_bucket_ownership_controls",
    ),
    "BucketEncryption": (
        "put_bucket_encryption",
        "ServerSideEncryptionConfiguration",
        "delete_bucket_encryption",
    ),
    "CorsConfiguration": ("put_bucket_cors", "CORSConfiguration", "delete_bucket_cors"),
    "WebsiteConfiguration": ("put_bucket_website", "WebsiteConfiguration", "delete_bucket_website"),
    "LifecycleConfiguration": (
        "put_bucket_lifecycle_configuration",
        "LifecycleConfiguration",
        "delete_bucket_lifecycle",
    ),
    "NotificationConfiguration": (
        "put_bucket_notification_configuration",
        "NotificationConfiguration",
        None,
    ),
}
_EMPTY = {
    "VersioningConfiguration": {"Status": "Suspended"},
    "NotificationConfiguration": {},
}
_READING = {
    "VersioningConfiguration": "get_bucket_versioning",
    "Tags": "get_bucket_tagging",
    "PublicAccessBlockConfiguration": "get_public_access_block",
    "OwnershipControls": "get_bucket_ownership_controls",
    "BucketEncryption": "get_bucket_encryption",
    "CorsConfiguration": "get_bucket_cors",
    "WebsiteConfiguration": "get_bucket_website",
    "LifecycleConfiguration": "get_bucket_lifecycle_configuration",
    "NotificationConfiguration": "get_bucket_notification_configuration",
}
#: In a template and in the API: what is told, and by which member.
_NOTIFIED = {
    "LambdaConfigurations": ("LambdaFunctionConfigurations", "Function", "LambdaFunctionArn"),
    "QueueConfigurations": ("QueueConfigurations", "Queue", "QueueArn"),
    "TopicConfigurations": ("TopicConfigurations", "Topic", "TopicArn"),
}
_LIFECYCLE = (
    "AbortIncompleteMultipartUpload ExpirationInDays Id NoncurrentVersionExpiration Prefix Status"
)
_CORS = {
    "AllowedHeaders": "AllowedHeaders",
    "AllowedMethods": "AllowedMethods",
    "AllowedOrigins": "AllowedOrigins",
    "ExposedHeaders": "ExposeHeaders",
    "Id": "ID",
    "MaxAge": "MaxAgeSeconds",
}


def _as_api(key: str, value: Any) -> Any:
    if key == "Tags":
        return {"TagSet": listed(pairs(value))}
    if key == "BucketEncryption":
        rules = [
            {
                "ApplyServerSideEncryptionByDefault" if name.startswith("ServerSide") else name: one
                for name, one in rule.items()
            }
            for rule in value["ServerSideEncryptionConfiguration"]
        ]
        return {"Rules": rules}
    if key == "CorsConfiguration":
        rules = [{_CORS[name]: one for name, one in rule.items()} for rule in value["CorsRules"]]
        return {"CORSRules": rules}
    if key == "NotificationConfiguration":
        return _notification(value)
    if key == "WebsiteConfiguration":
        return _website(value)
    if key == "LifecycleConfiguration":
        return {"Rules": [_lifecycle(rule) for rule in value["Rules"]]}
    return value


def _as_template(key: str, seen: Any) -> Any:
    if key == "Tags":
        return seen["TagSet"]
    if key == "VersioningConfiguration":
        return {"Status": seen.get("Status", "Suspended")}
    if key == "BucketEncryption":
        rules = seen["ServerSideEncryptionConfiguration"]["Rules"]
        return {
            "ServerSideEncryptionConfiguration": [
                {
                    "ServerSideEncryptionByDefault" if name.startswith("Apply") else name: one
                    for name, one in rule.items()
                }
                for rule in rules
            ]
        }
    if key == "CorsConfiguration":
        back = {api: name for name, api in _CORS.items()}
        return {
            "CorsRules": [
                {back[name]: one for name, one in rule.items()} for rule in seen["CORSRules"]
            ]
        }
    if key == "NotificationConfiguration":
        return _notification_back(seen)
    if key == "WebsiteConfiguration":
        return {
            **seen,
            "IndexDocument": seen.get("IndexDocument", {}).get("Suffix"),
            "ErrorDocument": seen.get("ErrorDocument", {}).get("Key"),
        }
    if key == "LifecycleConfiguration":
        return {"Rules": [_lifecycle_back(rule) for rule in seen["Rules"]]}
    return seen.get(key, seen)


def _website(value: Any) -> dict[str, Any]:
    if "RoutingRules" in value:
        raise NotInMock("AWS::S3::Bucket/WebsiteConfiguration/RoutingRules")
    found = dict(value)
    if "IndexDocument" in value:
        found["IndexDocument"] = {"Suffix": value["IndexDocument"]}
    if "ErrorDocument" in value:
        found["ErrorDocument"] = {"Key": value["ErrorDocument"]}
    return found


def _notification(value: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, configurations in value.items():
        if name not in _NOTIFIED:
            raise NotInMock(f"AWS::S3::Bucket/NotificationConfiguration/{name}")
        api, target, arn = _NOTIFIED[name]
        found[api] = [
            {
                arn: one[target],
                "Events": [one["Event"]],
                **(
                    {"Filter": {"Key": {"FilterRules": one["Filter"]["S3Key"]["Rules"]}}}
                    if "Filter" in one
                    else {}
                ),
            }
            for one in configurations
        ]
    return found


def _notification_back(seen: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, (api, target, arn) in _NOTIFIED.items():
        found[name] = [
            {
                target: one[arn],
                "Event": event,
                **(
                    {"Filter": {"S3Key": {"Rules": one["Filter"]["Key"]["FilterRules"]}}}
                    if "Filter" in one
                    else {}
                ),
            }
            for one in seen.get(api, [])
            for event in one["Events"]
        ]
    return found


def _lifecycle(rule: Any) -> dict[str, Any]:
    if others := without(rule, _LIFECYCLE):
        raise NotInMock(f"AWS::S3::Bucket/LifecycleConfiguration/Rules/{next(iter(others))}")
    found = {
        "Status": rule["Status"],
        "Filter": {"Prefix": rule.get("Prefix", "")},
        **({"ID": rule["Id"]} if "Id" in rule else {}),
        **without(rule, "Id Status Prefix ExpirationInDays"),
    }
    if "ExpirationInDays" in rule:
        found["Expiration"] = {"Days": rule["ExpirationInDays"]}
    return found


def _lifecycle_back(seen: Any) -> dict[str, Any]:
    found = {
        "Id": seen.get("ID"),
        "Status": seen["Status"],
        "Prefix": seen.get("Filter", {}).get("Prefix", seen.get("Prefix", "")),
        **without(seen, "ID Status Filter Prefix Expiration"),
    }
    if "Expiration" in seen:
        found["ExpirationInDays"] = seen["Expiration"].get("Days")
    return found
