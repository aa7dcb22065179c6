"""Stacks within stacks, custom resources, and the handle that templates use as a placeholder."""

from __future__ import annotations

import json
import uuid
from typing import Any

from labs.cloud.mock.stacks import responses, sources
from labs.cloud.mock.stacks.errors import Failed, NotInMock
from labs.cloud.mock.stacks.records import Request
from labs.cloud.mock.stacks.types.base import Properties, Type, pairs, text, without
from labs.cloud.settings import TIME_SCALE

#: AWS's seconds. Source: Template Reference, AWS::CloudFormation::CustomResource, ServiceTimeout.
SERVICE_TIMEOUT = 3600


class Stack(Type):
    name = "AWS::CloudFormation::Stack"
    service = "cloudformation"
    properties = "NotificationARNs Parameters Tags TemplateURL"
    is_read = False
    is_always_updated = True
    longest = 128

    def create(self, given: Properties) -> str:
        return self.place.nested.create(self.made_up(), self._request(given))

    def configure(self, physical: str, given: Properties, before: Properties) -> None:
        if not before:
            self.place.nested.wait(physical, "CREATE_COMPLETE", "created")

    def update(self, physical: str, given: Properties, before: Properties) -> str | None:
        self.place.nested.update(physical, self._request(given))
        return None

    def attributes(self, physical: str, given: Properties) -> dict[str, Any]:
        outputs = self.place.nested.find(physical).outputs
        return {f"Outputs.{one['OutputKey']}": one["OutputValue"] for one in outputs}

    def delete(self, physical: str, given: Properties) -> None:
        self.place.nested.delete(physical)

    def _request(self, given: Properties) -> Request:
        s3 = self.place.client("s3")
        values = given.get("Parameters") or {}
        return Request(
            body=sources.fetch(given["TemplateURL"], lambda: s3, s3.meta.endpoint_url),
            given={
                name: ",".join(map(text, value)) if isinstance(value, list) else text(value)
                for name, value in values.items()
            },
            capabilities=[],
            tags=pairs(given.get("Tags")),
            topics=list(given.get("NotificationARNs") or ()),
        )


class WaitConditionHandle(Type):
    name = "AWS::CloudFormation::WaitConditionHandle"
    service = "cloudformation"
    is_read = False

    def create(self, given: Properties) -> str:
        endpoint = self.place.reader("s3").meta.endpoint_url
        return f"{endpoint}/_labs/{responses.NAME}/{uuid.uuid4().hex}"

    def delete(self, physical: str, given: Properties) -> None:
        """There is nothing behind it."""


class CustomResource(Type):
    """AWS::CloudFormation::CustomResource and Custom::ANYTHING, made by a Lambda function.

    Source: User Guide, "Custom resource reference".
    """

    name = "AWS::CloudFormation::CustomResource"
    service = "lambda"
    properties = "*"
    is_read = False

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._failure: Failed | None = None
        self._data: dict[str, Any] = {}

    def create(self, given: Properties) -> str:
        # A creation that failed is deleted, too: `configure` tells of the failure.
        try:
            response = self._ask("Create", given)
        except Failed as failure:
            self._failure = failure
            return self.made_up()
        return response.get("PhysicalResourceId") or self.made_up()

    def configure(self, physical: str, given: Properties, before: Properties) -> None:
        if self._failure:
            raise self._failure

    def update(self, physical: str, given: Properties, before: Properties) -> str | None:
        about = {
            "PhysicalResourceId": physical,
            "OldResourceProperties": _texts(before),
        }
        return self._ask("Update", given, **about).get("PhysicalResourceId") or physical

    def attributes(self, physical: str, given: Properties) -> dict[str, Any]:
        return self._data

    def delete(self, physical: str, given: Properties) -> None:
        self._ask("Delete", given, PhysicalResourceId=physical)

    def _ask(self, what: str, given: Properties, **more: Any) -> dict[str, Any]:
        """The function's response. Raises Failed."""
        token = given["ServiceToken"]
        if ":lambda:" not in token:
            raise NotInMock(f"a custom resource behind {token}, which is no Lambda function")
        key, request = responses.expect(), str(uuid.uuid4())
        endpoint = self.client.meta.endpoint_url
        event = {
            "RequestType": what,
            "ServiceToken": token,
            "ResponseURL": f"{endpoint}/_labs/{responses.NAME}/{key}",
            "StackId": self.place.stack_id,
            "RequestId": request,
            "LogicalResourceId": self.place.logical,
            "ResourceType": self.kind,
            "ResourceProperties": _texts(without(given, "ServiceTimeout")),
            **more,
        }
        self.client.invoke(
            FunctionName=token, InvocationType="Event", Payload=json.dumps(event).encode()
        )
        seconds = int(given.get("ServiceTimeout", SERVICE_TIMEOUT)) / TIME_SCALE
        response = responses.wait(key, seconds)
        if response is None:
            raise Failed(
                "CloudFormation did not receive a response from your Custom Resource. Please "
                f"check your logs for requestId [{request}]."
            )
        if response.get("Status") != "SUCCESS":
            raise Failed(
                "Received response status [FAILED] from custom resource. Message returned: "
                f"{response.get('Reason', '')} (RequestId: {request})"
            )
        self._data = response.get("Data") or {}
        return response


def _texts(value: Any) -> Any:
    """CloudFormation sends every scalar as text."""
    if isinstance(value, dict):
        return {key: _texts(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_texts(inner) for inner in value]
    return text(value)
