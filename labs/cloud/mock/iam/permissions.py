"""Which permissions a call needs: IAM's actions, and the ARNs of what they are done to.

An action is mostly the operation's name and a resource mostly one ARN; the tables and functions
here are the exceptions. A call that they do not know needs "prefix:Operation" on "*", which only
a policy with Resource "*" grants.

Source: Service Authorization Reference, "Actions, resources, and condition keys" of each service,
and Amazon S3 User Guide, "Required permissions for Amazon S3 API operations".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from labs.cloud.mock.operations import Operation


@dataclass(frozen=True)
class Permission:
    """action: "dynamodb:PutItem". resource: an ARN, or "*" where the action has no resource."""

    action: str
    resource: str


@dataclass(frozen=True)
class _Call:
    """An operation in the caller's account, with short names for what ARNs are made of."""

    operation: Operation
    account: str
    partition: str

    @property
    def name(self) -> str:
        return self.operation.name

    def get(self, parameter: str) -> Any:
        return self.operation.parameters.get(parameter)

    def arn(self, resource: str) -> str:
        """An ARN of this service, region and account; a resource that is an ARN stays as it is."""
        if resource.startswith("arn:"):
            return resource
        region = self.operation.region or "us-east-1"
        return f"arn:{self.partition}:{self.operation.prefix}:{region}:{self.account}:{resource}"

    def global_arn(self, resource: str) -> str:
        """An ARN of a service that has no regions."""
        return f"arn:{self.partition}:{self.operation.prefix}::{self.account}:{resource}"

    def needs(self, *resources: str, action: str | None = None) -> list[Permission]:
        """The action, by default the operation's name, on each resource; on "*" without any."""
        full_name = f"{self.operation.prefix}:{action or self.name}"
        return [Permission(full_name, resource) for resource in resources or ("*",)]


def needed(operation: Operation, account: str, partition: str = "aws") -> list[Permission]:
    """The permissions that the caller must have, all of them. Never raises, never empty."""
    call = _Call(operation, account, partition)
    find = _FINDERS.get(operation.service, _by_parameter)
    try:
        found = find(call)
    except (AttributeError, KeyError, TypeError, ValueError):
        found = []  # parameters of the wrong shape: moto will refuse them, if IAM does not
    return [*(found or call.needs()), *_passed_role(call)]


# By service: the parameter that names the resource, and its part of the ARN. The first one that
# the call has counts. A value that is an ARN is taken as it is.
_RESOURCES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "acm": (("CertificateArn", "{}"),),
    "cloudformation": (("StackName", "stack/{}/*"),),
    "cloudwatch": (("AlarmName", "alarm:{}"), ("ResourceARN", "{}")),
    "elb": (("LoadBalancerName", "loadbalancer/{}"),),
    "elbv2": (
        ("RuleArn", "{}"),
        ("ListenerArn", "{}"),
        ("TargetGroupArn", "{}"),
        ("LoadBalancerArn", "{}"),
    ),
    "events": (("EventBusName", "event-bus/{}"), ("Name", "rule/{}")),
    "kinesis": (("StreamARN", "{}"), ("StreamName", "stream/{}")),
    "kms": (("KeyId", "key/{}"),),
    "secretsmanager": (("SecretId", "secret:{}"), ("Name", "secret:{}")),
    "sns": (
        ("TopicArn", "{}"),
        ("TargetArn", "{}"),
        ("ResourceArn", "{}"),
        ("Name", "{}"),
    ),
    "ssm": (("Name", "parameter/{}"),),
    "stepfunctions": (
        ("stateMachineArn", "{}"),
        ("executionArn", "{}"),
        ("activityArn", "{}"),
        ("name", "stateMachine:{}"),
    ),
}

# The batches of SQS and SNS are allowed by the action for one.
_BATCHES = (
    "SendMessageBatch",
    "DeleteMessageBatch",
    "ChangeMessageVisibilityBatch",
    "PublishBatch",
)


def _by_parameter(call: _Call) -> list[Permission]:
    action = call.name.removesuffix("Batch") if call.name in _BATCHES else None
    for parameter, template in _RESOURCES.get(call.operation.service, ()):
        value = call.get(parameter)
        if isinstance(value, str):
            resource = value if value.startswith("arn:") else template.format(value.lstrip("/"))
            return call.needs(call.arn(resource), action=action)
    return call.needs(action=action)


def _load_balancing(call: _Call) -> list[Permission]:
    return call.needs() if call.name.startswith("Describe") else _by_parameter(call)


def _api_gateway(call: _Call) -> list[Permission]:
    """The action is the HTTP method, the resource the path: apigateway:GET on .../restapis/ID.

    Source: API Gateway Developer Guide, "Control access for managing an API".
    """
    http = call.operation.model.http
    members = call.operation.model.input_shape.members if call.operation.model.input_shape else {}
    path = http["requestUri"].split("?")[0].removeprefix("/v2")
    for name, member in members.items():
        label = "{" + member.serialization.get("name", name) + "}"
        path = path.replace(label, quote(str(call.get(name)), safe=""))
    region = call.operation.region or "us-east-1"
    return [
        Permission(
            f"apigateway:{http['method']}", f"arn:{call.partition}:apigateway:{region}::{path}"
        )
    ]


def _codepipeline(call: _Call) -> list[Permission]:
    """A pipeline, or in it a stage or an action: PIPELINE/STAGE/ACTION."""
    pipeline = call.get("pipelineName") or call.get("name")
    if isinstance(call.get("pipeline"), dict):
        pipeline = call.get("pipeline").get("name")
    if not pipeline:
        return call.needs(*filter(None, [call.get("resourceArn")]))
    path = [pipeline, call.get("stageName"), call.get("actionName")]
    return call.needs(call.arn("/".join(filter(None, path))))


def _dynamodb(call: _Call) -> list[Permission]:
    if call.name in ("TransactGetItems", "TransactWriteItems"):
        return [
            permission
            for item in call.get("TransactItems")
            for action, values in item.items()
            for permission in call.needs(
                call.arn(_table(values["TableName"])), action=_TRANSACTION_ACTIONS[action]
            )
        ]
    if call.name in ("BatchGetItem", "BatchWriteItem"):
        return call.needs(*(call.arn(_table(name)) for name in call.get("RequestItems")))
    if table := call.get("TableName"):
        index = call.get("IndexName")
        return call.needs(call.arn(_table(table) + (f"/index/{index}" if index else "")))
    return call.needs(*filter(None, [call.get("ResourceArn") or call.get("StreamArn")]))


_TRANSACTION_ACTIONS = {
    "Get": "GetItem",
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
}


def _table(name: str) -> str:
    return name if name.startswith("arn:") else f"table/{name}"


def _ec2(call: _Call) -> list[Permission]:
    """Instances, groups and volumes by their ids; everything else, and all that describes, "*"."""
    if call.name.startswith("Describe"):
        return call.needs()
    for parameter, kind in _EC2_KINDS.items():
        value = call.get(parameter)
        if ids := value if isinstance(value, list) else [value] if value else []:
            return call.needs(*(call.arn(f"{kind}/{id_}") for id_ in ids))
    if call.name == "RunInstances":
        return call.needs(call.arn("instance/*"))
    return call.needs()


_EC2_KINDS = {
    "InstanceIds": "instance",
    "InstanceId": "instance",
    "GroupId": "security-group",
    "VolumeId": "volume",
    "SubnetId": "subnet",
    "VpcId": "vpc",
}


def _elastic_beanstalk(call: _Call) -> list[Permission]:
    application = call.get("ApplicationName") or "*"
    if environment := call.get("EnvironmentName"):
        return call.needs(call.arn(f"environment/{application}/{environment}"))
    if version := call.get("VersionLabel"):
        return call.needs(call.arn(f"applicationversion/{application}/{version}"))
    return call.needs(*([call.arn(f"application/{application}")] if application != "*" else []))


def _iam(call: _Call) -> list[Permission]:
    policy = call.get("PolicyArn")
    if policy and not call.name.startswith(("Attach", "Detach")):
        return call.needs(policy)
    for parameter, kind in _IAM_KINDS.items():
        if name := call.get(parameter):
            return call.needs(call.global_arn(f"{kind}{call.get('Path') or '/'}{name}"))
    return call.needs()


_IAM_KINDS = {
    "RoleName": "role",
    "UserName": "user",
    "GroupName": "group",
    "InstanceProfileName": "instance-profile",
    "PolicyName": "policy",
}


# arn:aws:lambda:REGION:ACCOUNT:function:NAME:QUALIFIER, or less of it, down to NAME.
_FUNCTION = re.compile(
    r"(?:arn:[^:]+:lambda:[^:]+:)?(?:\d{12}:)?(?:function:)?(?P<name>[^:]+)(?::(?P<qualifier>.+))?"
)


def _lambda(call: _Call) -> list[Permission]:
    action = "InvokeFunction" if call.name.startswith("Invoke") else None
    if call.name == "CreateEventSourceMapping":
        return call.needs()  # the function is a condition of it (lambda:FunctionArn)
    if function := call.get("FunctionName"):
        parts = _FUNCTION.fullmatch(function)
        qualifier = parts["qualifier"] or call.get("Qualifier")
        resource = f"function:{parts['name']}" + (f":{qualifier}" if qualifier else "")
        return call.needs(call.arn(resource), action=action)
    if layer := call.get("LayerName"):
        version = call.get("VersionNumber")
        return call.needs(call.arn(f"layer:{layer}" + (f":{version}" if version else "")))
    if mapping := call.get("UUID"):
        return call.needs(call.arn(f"event-source-mapping:{mapping}"))
    return call.needs(*filter(None, [call.get("Resource")]))


def _logs(call: _Call) -> list[Permission]:
    """Groups are checked as GROUP:log-stream:, so that GROUP:* matches and a bare GROUP does not.

    Seen in AWS's own messages; CloudWatch Logs User Guide, "Overview of managing access", asks for
    the ":*" at the end.
    """
    group = call.get("logGroupName") or call.get("logGroupNamePrefix") or ""
    group = (call.get("logGroupIdentifier") or group).removesuffix(":*").split(":log-group:")[-1]
    stream = call.get("logStreamName") or ""
    if not group and call.name != "DescribeLogGroups":
        return call.needs()
    return call.needs(call.arn(f"log-group:{group}:log-stream:{stream}"))


def _sqs(call: _Call) -> list[Permission]:
    action = call.name.removesuffix("Batch") if call.name in _BATCHES else None
    if url := call.get("QueueUrl"):
        account, name = urlsplit(url).path.rstrip("/").split("/")[-2:]
        region = call.operation.region or "us-east-1"
        arn = f"arn:{call.partition}:sqs:{region}:{account}:{name}"
        return call.needs(arn, action=action)
    if name := call.get("QueueName"):
        return call.needs(call.arn(name))
    return call.needs(*filter(None, [call.get("SourceArn")]))


def _sts(call: _Call) -> list[Permission]:
    return call.needs(*filter(None, [call.get("RoleArn")]))


def _s3(call: _Call) -> list[Permission]:
    bucket, key = call.get("Bucket"), call.get("Key")
    if not bucket:
        return call.needs(action=_S3_ACTIONS.get(call.name, call.name))
    if call.name == "DeleteObjects":
        return _s3_deletions(call, bucket)
    where = _s3_arn(call, bucket, key) if key else _s3_arn(call, bucket)
    versioned = call.name in _S3_VERSIONED and call.get("VersionId")
    action = _S3_ACTIONS.get(call.name, call.name)
    here = call.needs(where, action=_S3_VERSIONED[call.name] if versioned else action)
    return [*_s3_source(call), *here]


def _s3_arn(call: _Call, *path: str) -> str:
    return f"arn:{call.partition}:s3:::" + "/".join(path)


def _s3_source(call: _Call) -> list[Permission]:
    """CopyObject and UploadPartCopy read BUCKET/KEY, perhaps ?versionId=..., before they write."""
    source, _, version = (call.get("CopySource") or "").partition("?versionId=")
    if not source:
        return []
    path = unquote(source).lstrip("/")
    return call.needs(_s3_arn(call, path), action="GetObjectVersion" if version else "GetObject")


def _s3_deletions(call: _Call, bucket: str) -> list[Permission]:
    # AWS answers 200 with an error for each key that may not go; here one such key denies all.
    return [
        permission
        for item in call.get("Delete")["Objects"]
        for permission in call.needs(
            _s3_arn(call, bucket, item["Key"]),
            action="DeleteObjectVersion" if item.get("VersionId") else "DeleteObject",
        )
    ]


_S3_ACTIONS = {
    "CompleteMultipartUpload": "PutObject",
    "CopyObject": "PutObject",
    "CreateMultipartUpload": "PutObject",
    "DeleteBucketAnalyticsConfiguration": "PutAnalyticsConfiguration",
    "DeleteBucketCors": "PutBucketCORS",
    "DeleteBucketEncryption": "PutEncryptionConfiguration",
    "DeleteBucketIntelligentTieringConfiguration": "PutIntelligentTieringConfiguration",
    "DeleteBucketInventoryConfiguration": "PutInventoryConfiguration",
    "DeleteBucketLifecycle": "PutLifecycleConfiguration",
    "DeleteBucketMetricsConfiguration": "PutMetricsConfiguration",
    "DeleteBucketOwnershipControls": "PutBucketOwnershipControls",
    "DeleteBucketReplication": "PutReplicationConfiguration",
    "DeleteBucketTagging": "PutBucketTagging",
    "DeletePublicAccessBlock": "PutBucketPublicAccessBlock",
    "GetBucketAccelerateConfiguration": "GetAccelerateConfiguration",
    "GetBucketAnalyticsConfiguration": "GetAnalyticsConfiguration",
    "GetBucketCors": "GetBucketCORS",
    "GetBucketEncryption": "GetEncryptionConfiguration",
    "GetBucketIntelligentTieringConfiguration": "GetIntelligentTieringConfiguration",
    "GetBucketInventoryConfiguration": "GetInventoryConfiguration",
    "GetBucketLifecycle": "GetLifecycleConfiguration",
    "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
    "GetBucketMetricsConfiguration": "GetMetricsConfiguration",
    "GetBucketNotificationConfiguration": "GetBucketNotification",
    "GetBucketReplication": "GetReplicationConfiguration",
    "GetObjectLockConfiguration": "GetBucketObjectLockConfiguration",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "HeadBucket": "ListBucket",
    "HeadObject": "GetObject",
    "ListBuckets": "ListAllMyBuckets",
    "ListMultipartUploads": "ListBucketMultipartUploads",
    "ListObjectVersions": "ListBucketVersions",
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "ListParts": "ListMultipartUploadParts",
    "PutBucketAccelerateConfiguration": "PutAccelerateConfiguration",
    "PutBucketAnalyticsConfiguration": "PutAnalyticsConfiguration",
    "PutBucketCors": "PutBucketCORS",
    "PutBucketEncryption": "PutEncryptionConfiguration",
    "PutBucketIntelligentTieringConfiguration": "PutIntelligentTieringConfiguration",
    "PutBucketInventoryConfiguration": "PutInventoryConfiguration",
    "PutBucketLifecycle": "PutLifecycleConfiguration",
    "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
    "PutBucketMetricsConfiguration": "PutMetricsConfiguration",
    "PutBucketNotificationConfiguration": "PutBucketNotification",
    "PutBucketReplication": "PutReplicationConfiguration",
    "PutObjectLockConfiguration": "PutBucketObjectLockConfiguration",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
    "SelectObjectContent": "GetObject",
    "UploadPart": "PutObject",
    "UploadPartCopy": "PutObject",
}

# What the action becomes when the call names a version.
_S3_VERSIONED = {
    "DeleteObject": "DeleteObjectVersion",
    "DeleteObjectTagging": "DeleteObjectVersionTagging",
    "GetObject": "GetObjectVersion",
    "GetObjectAcl": "GetObjectVersionAcl",
    "GetObjectAttributes": "GetObjectVersionAttributes",
    "GetObjectTagging": "GetObjectVersionTagging",
    "HeadObject": "GetObjectVersion",
    "PutObjectAcl": "PutObjectVersionAcl",
    "PutObjectTagging": "PutObjectVersionTagging",
}


_FINDERS: Mapping[str, Callable[[_Call], list[Permission]]] = {
    "apigateway": _api_gateway,
    "apigatewayv2": _api_gateway,
    "codepipeline": _codepipeline,
    "dynamodb": _dynamodb,
    "ec2": _ec2,
    "elasticbeanstalk": _elastic_beanstalk,
    "elb": _load_balancing,
    "elbv2": _load_balancing,
    "iam": _iam,
    "lambda": _lambda,
    "logs": _logs,
    "s3": _s3,
    "sqs": _sqs,
    "sts": _sts,
}


# Whoever gives a role to a service must be allowed to pass it.
_ROLE_PARAMETERS = {"cloudformation": "RoleARN", "lambda": "Role", "stepfunctions": "roleArn"}


def _passed_role(call: _Call) -> Iterable[Permission]:
    """Source: IAM User Guide, "Grant a user permissions to pass a role to an AWS service"."""
    parameter = _ROLE_PARAMETERS.get(call.operation.service)
    role = call.get(parameter) if parameter else None
    if call.operation.service == "codepipeline" and isinstance(call.get("pipeline"), dict):
        role = call.get("pipeline").get("roleArn")
    return [Permission("iam:PassRole", role)] if isinstance(role, str) and role else []
