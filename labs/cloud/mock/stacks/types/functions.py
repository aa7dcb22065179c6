"""Lambda functions, their versions and aliases, and who may invoke them."""

from __future__ import annotations

import io
import zipfile
from typing import Any

from labs.cloud.mock.stacks.errors import Failed
from labs.cloud.mock.stacks.types.base import (
    Gone,
    Properties,
    Type,
    as_json,
    changed,
    first,
    listed,
    only,
    pairs,
    without,
)

_SETTINGS = (
    "DeadLetterConfig Description Environment EphemeralStorage Handler Layers LoggingConfig "
    "MemorySize Role Runtime Timeout TracingConfig VpcConfig"
)
#: What an update sets where the template says nothing any more.
#: Source: Lambda API, CreateFunction, the defaults of each parameter.
_DEFAULTS: dict[str, Any] = {
    "DeadLetterConfig": {},
    "Description": "",
    "Environment": {"Variables": {}},
    "EphemeralStorage": {"Size": 512},
    "Layers": [],
    "MemorySize": 128,
    "Timeout": 3,
    "TracingConfig": {"Mode": "PassThrough"},
}


class Function(Type):
    name = "AWS::Lambda::Function"
    service = "lambda"
    properties = (
        f"Architectures Code FunctionName PackageType ReservedConcurrentExecutions Tags {_SETTINGS}"
    )
    unread = "Code"
    named = "FunctionName"

    def create(self, given: Properties) -> str:
        return self.call(
            "create_function",
            only(given, f"Architectures PackageType {_SETTINGS}"),
            FunctionName=self.named_by(given),
            Code=self._code(given),
            Tags=pairs(given.get("Tags")),
        )["FunctionName"]

    def configure(self, physical: str, given: Properties, before: Properties) -> None:
        key = "ReservedConcurrentExecutions"
        if not changed(given, before, key):
            return
        if key in given:
            self.client.put_function_concurrency(
                FunctionName=physical, ReservedConcurrentExecutions=given[key]
            )
        else:
            self.client.delete_function_concurrency(FunctionName=physical)

    def update(self, physical: str, given: Properties, before: Properties) -> None:
        if changed(given, before, "Code", "Runtime", "Architectures"):
            self.client.update_function_code(
                FunctionName=physical,
                **self._code(given),
                **only(given, "Architectures"),
            )
        names = [name for name in _SETTINGS.split() if changed(given, before, name)]
        if names:
            settings = {name: given.get(name, _DEFAULTS.get(name)) for name in names}
            self.call(
                "update_function_configuration",
                {name: value for name, value in settings.items() if value is not None},
                FunctionName=physical,
            )
        arn = self.arn(f"function:{physical}")
        self.retag(
            given,
            before,
            lambda keys: self.client.untag_resource(Resource=arn, TagKeys=keys),
            lambda tags: self.client.tag_resource(Resource=arn, Tags=tags),
        )
        self.configure(physical, given, before)

    def attributes(self, physical: str, given: Properties) -> dict[str, Any]:
        return {"Arn": self.arn(f"function:{physical}")}

    def read(self, physical: str, given: Properties) -> Properties:
        found = self.reader.get_function(FunctionName=physical)
        settings = found["Configuration"]
        concurrency = found.get("Concurrency", {})
        layers = [one["Arn"] for one in settings.get("Layers", ())]
        return {
            **_DEFAULTS,
            **settings,
            "Layers": layers,
            "Tags": listed(found.get("Tags", {})),
            **concurrency,
        }

    def delete(self, physical: str, given: Properties) -> None:
        self.client.delete_function(FunctionName=physical)

    def _code(self, given: Properties) -> dict[str, Any]:
        code = given["Code"]
        if "ZipFile" in code:
            return {"ZipFile": zipped(code["ZipFile"], given.get("Runtime", ""))}
        found = only(code, "S3Bucket S3Key S3ObjectVersion ImageUri")
        if "S3Bucket" in found:
            self._check_object(found)
        return found

    def _check_object(self, code: dict[str, Any]) -> None:
        """moto makes a function of an object that is not there. AWS's words by users' reports."""
        version = {"VersionId": code["S3ObjectVersion"]} if "S3ObjectVersion" in code else {}
        try:
            self.place.reader("s3").head_object(
                Bucket=code["S3Bucket"], Key=code["S3Key"], **version
            )
        except Exception as error:
            status = getattr(error, "response", {}).get("Error", {}).get("Code")
            if status not in ("404", "NoSuchKey", "NoSuchBucket", "NoSuchVersion"):
                raise
            raise Failed(
                'Resource handler returned message: "Error occurred while GetObject. S3 Error '
                "Code: NoSuchKey. S3 Error Message: The specified key does not exist. "
                '(Service: Lambda, Status Code: 400)" (HandlerErrorCode: InvalidRequest)'
            ) from None


def zipped(code: str, runtime: str) -> bytes:
    """Source code as a package: index.py or index.js, the same bytes for the same code.

    Source: Template Reference, AWS::Lambda::Function Code, ZipFile.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        name = "index.js" if runtime.startswith("nodejs") else "index.py"
        entry = zipfile.ZipInfo(name)
        entry.external_attr = 0o644 << 16
        archive.writestr(entry, code)
        if name == "index.py" and "cfnresponse" in code:
            module = zipfile.ZipInfo("cfnresponse.py")
            module.external_attr = 0o644 << 16
            archive.writestr(module, CFN_RESPONSE)
    return buffer.getvalue()


#: What AWS puts beside inline code, with the same names, so that a custom resource can answer.
#: Source: Template Reference, "cfn-response module".
CFN_RESPONSE = '''"""Answers CloudFormation in a custom resource's name."""
import json
import urllib.request

SUCCESS, FAILED = "SUCCESS", "FAILED"


def send(event, context, responseStatus, responseData, physicalResourceId=None, noEcho=False,
         reason=None):
    body = json.dumps({
        "Status": responseStatus,
        "Reason": reason or f"See the details in CloudWatch Log Stream: {context.log_stream_name}",
        "PhysicalResourceId": physicalResourceId or context.log_stream_name,
        "StackId": event["StackId"],
        "RequestId": event["RequestId"],
        "LogicalResourceId": event["LogicalResourceId"],
        "NoEcho": noEcho,
        "Data": responseData,
    }).encode()
    request = urllib.request.Request(
        event["ResponseURL"], data=body, method="PUT", headers={"Content-Type": ""}
    )
    urllib.request.urlopen(request).close()
'''


def split(function: str) -> dict[str, str]:
    """FunctionName, and Qualifier where a name or ARN has one."""
    parts = function.split(":")
    if function.startswith("arn:"):
        name, qualifier = ":".join(parts[:7]), parts[7:]
    else:
        name, qualifier = parts[0], parts[1:]
    return {"FunctionName": name, **({"Qualifier": qualifier[0]} if qualifier else {})}


class Permission(Type):
    name = "AWS::Lambda::Permission"
    service = "lambda"
    properties = (
        "Action EventSourceToken FunctionName FunctionUrlAuthType Principal PrincipalOrgID "
        "SourceAccount SourceArn"
    )

    def create(self, given: Properties) -> str:
        statement = self.made_up()
        self.call(
            "add_permission",
            without(given, "FunctionName"),
            StatementId=statement,
            **split(given["FunctionName"]),
        )
        return statement

    def attributes(self, physical: str, given: Properties) -> dict[str, Any]:
        return {"Id": physical}

    def read(self, physical: str, given: Properties) -> Properties:
        policy = as_json(self.reader.get_policy(**split(given["FunctionName"]))["Policy"])
        found = first(one for one in policy["Statement"] if one.get("Sid") == physical)
        principal = found["Principal"]
        condition = found.get("Condition", {})
        seen = {
            "Action": found["Action"],
            "FunctionName": given["FunctionName"],
            "Principal": next(iter(principal.values()))
            if isinstance(principal, dict)
            else principal,
        }
        conditions = {key: value for one in condition.values() for key, value in one.items()}
        for key, name in (("AWS:SourceArn", "SourceArn"), ("AWS:SourceAccount", "SourceAccount")):
            for found_key, value in conditions.items():
                if found_key.lower() == key.lower():
                    seen[name] = value
        return seen

    def delete(self, physical: str, given: Properties) -> None:
        self.client.remove_permission(StatementId=physical, **split(given["FunctionName"]))


class Version(Type):
    name = "AWS::Lambda::Version"
    service = "lambda"
    properties = "CodeSha256 Description FunctionName"
    unread = "CodeSha256"

    def create(self, given: Properties) -> str:
        versions = self.reader.get_paginator("list_versions_by_function").paginate(
            FunctionName=given["FunctionName"]
        )
        known = [one["Version"] for page in versions for one in page["Versions"]]
        made = self.call("publish_version", given)
        if made["Version"] in known:
            # The API gives the last version again when nothing has changed since.
            raise Failed(
                f"A version for this Lambda function exists ( {made['Version']} ). Modify the "
                "function to create a new version."
            )
        return made["FunctionArn"]

    def attributes(self, physical: str, given: Properties) -> dict[str, Any]:
        return {"FunctionArn": physical, "Version": physical.rpartition(":")[2]}

    def read(self, physical: str, given: Properties) -> Properties:
        found = self.reader.get_function_configuration(**split(physical))
        if found["Version"] != physical.rpartition(":")[2]:
            raise Gone
        # The function by the name that the template has: a name, or an ARN.
        return {**found, "FunctionName": given["FunctionName"]}

    def delete(self, physical: str, given: Properties) -> None:
        self.client.delete_function(**split(physical))


class Alias(Type):
    name = "AWS::Lambda::Alias"
    service = "lambda"
    properties = "Description FunctionName FunctionVersion Name RoutingConfig"

    def create(self, given: Properties) -> str:
        return self.call("create_alias", _alias(given))["AliasArn"]

    def update(self, physical: str, given: Properties, before: Properties) -> None:
        self.call("update_alias", {"Description": "", "RoutingConfig": {}, **_alias(given)})

    def attributes(self, physical: str, given: Properties) -> dict[str, Any]:
        return {"AliasArn": physical}

    def read(self, physical: str, given: Properties) -> Properties:
        found = self.reader.get_alias(FunctionName=given["FunctionName"], Name=given["Name"])
        weights = found.get("RoutingConfig", {}).get("AdditionalVersionWeights", {})
        return {
            "Description": "",
            **found,
            "FunctionName": given["FunctionName"],
            "RoutingConfig": {
                "AdditionalVersionWeights": [
                    {"FunctionVersion": version, "FunctionWeight": weight}
                    for version, weight in weights.items()
                ]
            },
        }

    def delete(self, physical: str, given: Properties) -> None:
        self.client.delete_alias(FunctionName=given["FunctionName"], Name=given["Name"])


def _alias(given: Properties) -> dict[str, Any]:
    """A template lists the weights of versions, the API maps them."""
    if "RoutingConfig" not in given:
        return dict(given)
    weights = {
        one["FunctionVersion"]: one["FunctionWeight"]
        for one in given["RoutingConfig"]["AdditionalVersionWeights"]
    }
    return {**given, "RoutingConfig": {"AdditionalVersionWeights": weights}}


class EventInvokeConfig(Type):
    name = "AWS::Lambda::EventInvokeConfig"
    service = "lambda"
    properties = (
        "DestinationConfig FunctionName MaximumEventAgeInSeconds MaximumRetryAttempts Qualifier"
    )

    def create(self, given: Properties) -> str:
        self._put(given)
        return f"{given['FunctionName']}|{given['Qualifier']}"

    def update(self, physical: str, given: Properties, before: Properties) -> None:
        self._put(given)

    def read(self, physical: str, given: Properties) -> Properties:
        found = self.reader.get_function_event_invoke_config(**_qualified(given))
        return {**found, **only(given, "FunctionName Qualifier")}

    def delete(self, physical: str, given: Properties) -> None:
        self.client.delete_function_event_invoke_config(**_qualified(given))

    def _put(self, given: Properties) -> None:
        self.call(
            "put_function_event_invoke_config",
            without(given, "FunctionName Qualifier"),
            **_qualified(given),
        )


def _qualified(given: Properties) -> dict[str, str]:
    found = {"FunctionName": given["FunctionName"]}
    if given["Qualifier"] != "$LATEST":
        found["Qualifier"] = given["Qualifier"]
    return found


class EventSourceMapping(Type):
    name = "AWS::Lambda::EventSourceMapping"
    service = "lambda"
    properties = (
        "BatchSize Enabled EventSourceArn FunctionName MaximumBatchingWindowInSeconds "
        "StartingPosition"
    )
    unread = "StartingPosition MaximumBatchingWindowInSeconds"

    def create(self, given: Properties) -> str:
        return self.call("create_event_source_mapping", given)["UUID"]

    def update(self, physical: str, given: Properties, before: Properties) -> None:
        settings = without(given, "EventSourceArn StartingPosition")
        self.call(
            "update_event_source_mapping",
            {"Enabled": True, "BatchSize": 10, **settings},
            UUID=physical,
        )

    def attributes(self, physical: str, given: Properties) -> dict[str, Any]:
        return {
            "Id": physical,
            "EventSourceMappingArn": self.arn(f"event-source-mapping:{physical}"),
        }

    def read(self, physical: str, given: Properties) -> Properties:
        found = self.reader.get_event_source_mapping(UUID=physical)
        return {
            **found,
            "Enabled": found["State"] in ("Enabled", "Enabling", "Creating"),
            "FunctionName": given["FunctionName"]
            if found["FunctionArn"].split(":")[6] in given["FunctionName"]
            else found["FunctionArn"],
        }

    def delete(self, physical: str, given: Properties) -> None:
        self.client.delete_event_source_mapping(UUID=physical)
