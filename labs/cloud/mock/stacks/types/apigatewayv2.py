"""HTTP APIs of API Gateway."""

from __future__ import annotations

from typing import Any, ClassVar

from labs.cloud.mock.stacks.types.base import Properties, Type, without


class Api(Type):
    name = "AWS::ApiGatewayV2::Api"
    service = "apigatewayv2"
    properties = (
        "ApiKeySelectionExpression CorsConfiguration Description DisableExecuteApiEndpoint Name "
        "ProtocolType RouteKey RouteSelectionExpression Tags Target Version"
    )
    unread = "RouteKey Target"

    def create(self, given: Properties) -> str:
        return self.call("create_api", given)["ApiId"]

    def update(self, physical: str, given: Properties, before: Properties) -> None:
        settings = without(given, "ProtocolType Tags")
        self.call("update_api", {"Description": "", **settings}, ApiId=physical)
        arn = f"arn:{self.place.partition}:apigateway:{self.place.region}::/apis/{physical}"
        if before.get("CorsConfiguration") and not given.get("CorsConfiguration"):
            self.client.delete_cors_configuration(ApiId=physical)
        new, old = given.get("Tags") or {}, before.get("Tags") or {}
        if keys := [key for key in old if key not in new]:
            self.client.untag_resource(ResourceArn=arn, TagKeys=keys)
        if new and new != old:
            self.client.tag_resource(ResourceArn=arn, Tags=dict(new))

    def attributes(self, physical: str, given: Properties) -> dict[str, Any]:
        host = f"{physical}.execute-api.{self.place.region}.amazonaws.com"
        scheme = "wss" if given.get("ProtocolType") == "WEBSOCKET" else "https"
        return {"ApiId": physical, "ApiEndpoint": f"{scheme}://{host}"}

    def read(self, physical: str, given: Properties) -> Properties:
        found = self.reader.get_api(ApiId=physical)
        return {"Description": "", "DisableExecuteApiEndpoint": False, "Tags": {}, **found}

    def delete(self, physical: str, given: Properties) -> None:
        self.client.delete_api(ApiId=physical)


class _Part(Type):
    """Something of an API that has an id of its own. noun: in the names of the operations."""

    service = "apigatewayv2"
    noun: ClassVar[str] = ""

    @property
    def _id(self) -> str:
        return f"{self.noun.capitalize()}Id"

    def create(self, given: Properties) -> str:
        return self.call(f"create_{self.noun}", given)[self._id]

    def update(self, physical: str, given: Properties, before: Properties) -> None:
        self.call(f"update_{self.noun}", given, **{self._id: physical})

    def attributes(self, physical: str, given: Properties) -> dict[str, Any]:
        return {self._id: physical}

    def read(self, physical: str, given: Properties) -> Properties:
        look = getattr(self.reader, f"get_{self.noun}")
        return {"ApiId": given["ApiId"], **look(ApiId=given["ApiId"], **{self._id: physical})}

    def delete(self, physical: str, given: Properties) -> None:
        take_away = getattr(self.client, f"delete_{self.noun}")
        take_away(ApiId=given["ApiId"], **{self._id: physical})


class Integration(_Part):
    name = "AWS::ApiGatewayV2::Integration"
    noun = "integration"
    properties = (
        "ApiId ConnectionType Description IntegrationMethod IntegrationSubtype IntegrationType "
        "IntegrationUri PayloadFormatVersion RequestParameters TimeoutInMillis"
    )


class Route(_Part):
    name = "AWS::ApiGatewayV2::Route"
    noun = "route"
    properties = "ApiId ApiKeyRequired AuthorizationType OperationName RouteKey Target"


class Stage(Type):
    name = "AWS::ApiGatewayV2::Stage"
    service = "apigatewayv2"
    properties = (
        "ApiId AutoDeploy DefaultRouteSettings DeploymentId Description StageName StageVariables "
        "Tags"
    )
    unread = "DeploymentId"

    def create(self, given: Properties) -> str:
        self.call("create_stage", given)
        return given["StageName"]

    def update(self, physical: str, given: Properties, before: Properties) -> None:
        # moto has no UpdateStage: the stage is made again, under the same name and URL.
        self.delete(physical, before)
        self.create(given)

    def read(self, physical: str, given: Properties) -> Properties:
        found = self.reader.get_stage(ApiId=given["ApiId"], StageName=physical)
        return {
            "Description": "",
            "AutoDeploy": False,
            "StageVariables": {},
            "Tags": {},
            **found,
            "ApiId": given["ApiId"],
        }

    def delete(self, physical: str, given: Properties) -> None:
        self.client.delete_stage(ApiId=given["ApiId"], StageName=physical)
