"""REST APIs of API Gateway."""

from __future__ import annotations

from typing import Any

from labs.cloud.mock.stacks.errors import Unchangeable
from labs.cloud.mock.stacks.types.base import (
    Properties,
    Type,
    changed,
    first,
    only,
    removed,
    text,
    without,
)

Patch = dict[str, str]


def patches(given: Properties, before: Properties, paths: dict[str, str]) -> list[Patch]:
    """Operations that make properties what they are to be. paths: of each property, as patched."""
    return [
        {"op": "replace", "path": path, "value": text(given.get(name, ""))}
        for name, path in paths.items()
        if changed(given, before, name)
    ]


def variables(given: Properties, before: Properties) -> list[Patch]:
    new, old = given.get("Variables") or {}, before.get("Variables") or {}
    gone = [{"op": "remove", "path": f"/variables/{name}"} for name in old if name not in new]
    return gone + [
        {"op": "replace", "path": f"/variables/{name}", "value": text(value)}
        for name, value in new.items()
        if old.get(name) != value
    ]


def _media_types(operation: str, names: list[str]) -> list[Patch]:
    # AWS reads the path, moto the value.
    return [
        {"op": operation, "path": f"/binaryMediaTypes/{name.replace('/', '~1')}", "value": name}
        for name in names
    ]


class RestApi(Type):
    name = "AWS::ApiGateway::RestApi"
    service = "apigateway"
    properties = (
        "ApiKeySourceType BinaryMediaTypes Description DisableExecuteApiEndpoint "
        "EndpointConfiguration MinimumCompressionSize Name Tags"
    )
    unread = "EndpointConfiguration"

    def create(self, given: Properties) -> str:
        settings = dict(given)
        if "ApiKeySourceType" in settings:
            settings["ApiKeySource"] = settings.pop("ApiKeySourceType")
        return self.call("create_rest_api", settings)["id"]

    def configure(self, physical: str, given: Properties, before: Properties) -> None:
        """moto drops the binary media types of a creation."""
        known = self.reader.get_rest_api(restApiId=physical).get("binaryMediaTypes") or []
        if not before and (missing := removed(known, given.get("BinaryMediaTypes") or ())):
            self.client.update_rest_api(
                restApiId=physical, patchOperations=_media_types("add", missing)
            )

    def update(self, physical: str, given: Properties, before: Properties) -> None:
        if changed(given, before, "Tags"):
            raise Unchangeable(f"{self.name}: a change of its Tags")
        operations = patches(
            given,
            before,
            {
                "Name": "/name",
                "Description": "/description",
                "ApiKeySourceType": "/apiKeySource",
                "DisableExecuteApiEndpoint": "/disableExecuteApiEndpoint",
                "MinimumCompressionSize": "/minimumCompressionSize",
            },
        )
        new, old = given.get("BinaryMediaTypes") or [], before.get("BinaryMediaTypes") or []
        operations += _media_types("remove", removed(new, old))
        operations += _media_types("add", removed(old, new))
        if operations:
            self.client.update_rest_api(restApiId=physical, patchOperations=operations)

    def attributes(self, physical: str, given: Properties) -> dict[str, Any]:
        resources = self.reader.get_resources(restApiId=physical)["items"]
        root = first(one for one in resources if one["path"] == "/")
        return {"RestApiId": physical, "RootResourceId": root["id"]}

    def read(self, physical: str, given: Properties) -> Properties:
        found = self.reader.get_rest_api(restApiId=physical)
        tags = found.pop("tags", None) or {}
        return {
            "Description": "",
            "BinaryMediaTypes": [],
            "ApiKeySourceType": found.get("apiKeySource", "HEADER"),
            **found,
            "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
        }

    def delete(self, physical: str, given: Properties) -> None:
        self.client.delete_rest_api(restApiId=physical)


class Resource(Type):
    name = "AWS::ApiGateway::Resource"
    service = "apigateway"
    properties = "ParentId PathPart RestApiId"

    def create(self, given: Properties) -> str:
        return self.call("create_resource", given)["id"]

    def attributes(self, physical: str, given: Properties) -> dict[str, Any]:
        return {"ResourceId": physical}

    def read(self, physical: str, given: Properties) -> Properties:
        api = given["RestApiId"]
        return {"RestApiId": api, **self.reader.get_resource(restApiId=api, resourceId=physical)}

    def delete(self, physical: str, given: Properties) -> None:
        self.client.delete_resource(restApiId=given["RestApiId"], resourceId=physical)


class Method(Type):
    """A method with its integration, and the responses of both: put anew by each change."""

    name = "AWS::ApiGateway::Method"
    service = "apigateway"
    properties = (
        "ApiKeyRequired AuthorizationScopes AuthorizationType AuthorizerId HttpMethod Integration "
        "MethodResponses OperationName RequestModels RequestParameters RequestValidatorId "
        "ResourceId RestApiId"
    )
    unread = "OperationName RequestValidatorId AuthorizationScopes"

    def create(self, given: Properties) -> str:
        self._put(given)
        return "|".join((given["RestApiId"], given["ResourceId"], given["HttpMethod"]))

    def update(self, physical: str, given: Properties, before: Properties) -> None:
        self.client.delete_method(**_where(before))
        self._put(given)

    def read(self, physical: str, given: Properties) -> Properties:
        found = self.reader.get_method(**_where(given))
        integration = found.get("methodIntegration", {})
        responses = list(integration.pop("integrationResponses", {}).values())
        return {
            "RequestParameters": {},
            "RequestModels": {},
            **found,
            **only(given, "RestApiId ResourceId"),
            "MethodResponses": list(found.get("methodResponses", {}).values()),
            "Integration": {
                **without(integration, "httpMethod"),
                "IntegrationHttpMethod": integration.get("httpMethod"),
                "IntegrationResponses": responses,
            },
        }

    def delete(self, physical: str, given: Properties) -> None:
        self.client.delete_method(**_where(given))

    def _put(self, given: Properties) -> None:
        where = _where(given)
        settings = without(given, "HttpMethod Integration MethodResponses ResourceId RestApiId")
        settings = {"AuthorizationType": "NONE", **settings}
        self.call("put_method", settings, **where)
        for one in given.get("MethodResponses", ()):
            self.call("put_method_response", one, **where)
        integration = given.get("Integration")
        if integration is None:
            return
        verb = only(integration, "IntegrationHttpMethod")
        self.call(
            "put_integration",
            without(integration, "IntegrationHttpMethod IntegrationResponses"),
            **where,
            **({"integrationHttpMethod": verb["IntegrationHttpMethod"]} if verb else {}),
        )
        for one in integration.get("IntegrationResponses", ()):
            self.call("put_integration_response", one, **where)


def _where(given: Properties) -> dict[str, str]:
    return {
        "restApiId": given["RestApiId"],
        "resourceId": given["ResourceId"],
        "httpMethod": given["HttpMethod"],
    }


class Deployment(Type):
    name = "AWS::ApiGateway::Deployment"
    service = "apigateway"
    properties = "Description RestApiId StageName"
    unread = "StageName"

    def create(self, given: Properties) -> str:
        return self.call("create_deployment", given)["id"]

    def update(self, physical: str, given: Properties, before: Properties) -> None:
        raise Unchangeable(f"{self.name}: a change of its Description")

    @classmethod
    def replaces(cls, given: Properties, before: Properties) -> bool | None:
        return changed(given, before, "RestApiId", "StageName")

    def attributes(self, physical: str, given: Properties) -> dict[str, Any]:
        return {"DeploymentId": physical}

    def read(self, physical: str, given: Properties) -> Properties:
        api = given["RestApiId"]
        found = self.reader.get_deployment(restApiId=api, deploymentId=physical)
        return {"Description": "", **found, "RestApiId": api}

    def delete(self, physical: str, given: Properties) -> None:
        api = given["RestApiId"]
        stages = self.reader.get_stages(restApiId=api, deploymentId=physical).get("item", [])
        # A stage that came with the deployment goes with it.
        for stage in stages:
            if stage["stageName"] == given.get("StageName"):
                self.client.delete_stage(restApiId=api, stageName=stage["stageName"])
        self.client.delete_deployment(restApiId=api, deploymentId=physical)


class Stage(Type):
    name = "AWS::ApiGateway::Stage"
    service = "apigateway"
    properties = "DeploymentId Description RestApiId StageName Tags TracingEnabled Variables"

    def create(self, given: Properties) -> str:
        self.call("create_stage", given)
        return given["StageName"]

    def update(self, physical: str, given: Properties, before: Properties) -> None:
        operations = patches(
            given,
            before,
            {
                "DeploymentId": "/deploymentId",
                "Description": "/description",
                "TracingEnabled": "/tracingEnabled",
            },
        )
        operations += variables(given, before)
        api = given["RestApiId"]
        if operations:
            self.client.update_stage(restApiId=api, stageName=physical, patchOperations=operations)
        place = self.place
        arn = f"arn:{place.partition}:apigateway:{place.region}::/restapis/{api}/stages/{physical}"
        self.retag(
            given,
            before,
            lambda keys: self.client.untag_resource(resourceArn=arn, tagKeys=keys),
            lambda tags: self.client.tag_resource(resourceArn=arn, tags=tags),
        )

    def read(self, physical: str, given: Properties) -> Properties:
        api = given["RestApiId"]
        found = self.reader.get_stage(restApiId=api, stageName=physical)
        tags = found.pop("tags", None) or {}
        return {
            "Description": "",
            "Variables": {},
            "TracingEnabled": False,
            **found,
            "RestApiId": api,
            "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
        }

    def delete(self, physical: str, given: Properties) -> None:
        self.client.delete_stage(restApiId=given["RestApiId"], stageName=physical)
