"""A loopback server: the gateway in front of moto's own backends, with make-believe functions."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.config import Config
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

from labs.cloud.mock.functions.contract import NoSuchFunction, Outcome
from labs.cloud.mock.gateway import RAW_HEADERS, Gateway

REGION, ACCOUNT = "eu-west-1", "123456789012"


@dataclass
class FakeLambda:
    """Functions by name: a callable of the event that returns what the handler would, or raises a
    `Refused`. `calls` keeps (function ARN, event, service, source ARN)."""

    functions: dict[str, Callable[[dict], Any]] = field(default_factory=dict)
    calls: list[tuple[str, dict, str, str]] = field(default_factory=list)

    def __call__(self, arn: str, event: bytes, *, service: str, source_arn: str) -> Outcome:
        self.calls.append((arn, json.loads(event), service, source_arn))
        handler = self.functions.get(arn.split(":")[6])
        if handler is None:
            raise NoSuchFunction(arn)
        result = handler(json.loads(event))
        if isinstance(result, Outcome):
            return result
        return Outcome(json.dumps(result).encode(), None, "", "$LATEST")

    @property
    def event(self) -> dict:
        """The last event."""
        return self.calls[-1][1]


@dataclass
class Answer:
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        return next((v for k, v in self.headers if k.lower() == name.lower()), None)

    def all(self, name: str) -> list[str]:
        return [v for k, v in self.headers if k.lower() == name.lower()]

    @property
    def message(self) -> str:
        return json.loads(self.body)["message"]


class Cloud:
    """boto3 clients, the gateway's functions, and requests to an API's name."""

    def __init__(self, port: int, gateway: Gateway, functions: FakeLambda) -> None:
        self.port, self.gateway, self.lambda_ = port, gateway, functions
        self.rest, self.http = (self._client(name) for name in ("apigateway", "apigatewayv2"))

    def emptied(self) -> Cloud:
        self.call("", "/moto-api/reset", "POST", host="127.0.0.1")
        self.gateway.reset()
        self.lambda_.functions.clear()
        self.lambda_.calls.clear()
        return self

    def _client(self, service: str) -> Any:
        return boto3.client(
            service,
            region_name=REGION,
            endpoint_url=f"http://127.0.0.1:{self.port}",
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(proxies={}),
        )

    def function(self, name: str, handler: Callable[[dict], Any]) -> str:
        self.lambda_.functions[name] = handler
        return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"

    def call(
        self,
        api_id: str,
        path: str,
        method: str = "GET",
        body: bytes = b"",
        headers: tuple[tuple[str, str], ...] = (),
        host: str | None = None,
    ) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            connection.putheader("Host", host or f"{api_id}.execute-api.{REGION}.amazonaws.com")
            for name, value in headers:
                connection.putheader(name, value)
            if body:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body or None)
            response = connection.getresponse()
            return Answer(response.status, response.getheaders(), response.read())
        finally:
            connection.close()

    def rest_api(
        self, *methods: tuple[str, str], handler: Callable, stage: str = "prod", **kw: Any
    ):
        """A deployed REST API whose methods ("GET", "/pets/{id}") all call one function."""
        arn = self.function("fn", handler)
        api_id = self.rest.create_rest_api(name="api")["id"]
        for verb, path in methods:
            resource = self.resource(api_id, path)
            self.put_lambda(api_id, resource, verb, arn, **kw)
        self.rest.create_deployment(restApiId=api_id, stageName=stage)
        self.gateway.observe()
        return SimpleNamespace(id=api_id, arn=arn)

    def put_lambda(self, api_id: str, resource: str, verb: str, arn: str, **kw: Any) -> None:
        where = {"restApiId": api_id, "resourceId": resource, "httpMethod": verb}
        self.rest.put_method(**where, authorizationType="NONE")
        uri = f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{arn}/invocations"
        self.rest.put_integration(
            **where, **{"type": "AWS_PROXY", "integrationHttpMethod": "POST", "uri": uri, **kw}
        )

    def resource(self, api_id: str, path: str) -> str:
        """The id of this resource; it and its parents are made if they are missing."""
        items = self.rest.get_resources(restApiId=api_id)["items"]
        known = {item["path"]: item["id"] for item in items}
        here = "/"
        for part in path.strip("/").split("/"):
            if not part:
                break
            below = f"{here.rstrip('/')}/{part}"
            if below not in known:
                made = self.rest.create_resource(
                    restApiId=api_id, parentId=known[here], pathPart=part
                )
                known[below] = made["id"]
            here = below
        return known[here]

    def http_api(
        self,
        *keys: str,
        handler: Callable,
        stage: str = "$default",
        version: str = "2.0",
        stage_settings: dict | None = None,
        integration: dict | None = None,
        **kw: Any,
    ):
        """An HTTP API whose routes all call one function."""
        arn = self.function("fn", handler)
        api_id = self.http.create_api(Name="api", ProtocolType="HTTP", **kw)["ApiId"]
        made = self.http.create_integration(
            ApiId=api_id,
            **{
                "IntegrationType": "AWS_PROXY",
                "IntegrationUri": arn,
                "PayloadFormatVersion": version,
                **(integration or {}),
            },
        )
        for key in keys:
            target = f"integrations/{made['IntegrationId']}"
            self.http.create_route(ApiId=api_id, RouteKey=key, Target=target)
        settings = {"AutoDeploy": True, **(stage_settings or {})}
        self.http.create_stage(ApiId=api_id, StageName=stage, **settings)
        return SimpleNamespace(id=api_id, arn=arn)


class RawHeaders(WSGIRequestHandler):
    """Hands the headers on as they came, as the mock's front may."""

    def make_environ(self) -> dict[str, Any]:
        return super().make_environ() | {RAW_HEADERS: self.headers.items()}

    def log(self, *_: Any) -> None:
        pass


class PlainHeaders(WSGIRequestHandler):
    def log(self, *_: Any) -> None:
        pass


def serve(handler: type[WSGIRequestHandler]) -> Iterator[Cloud]:
    functions = FakeLambda()
    gateway = Gateway(functions)
    moto = DomainDispatcherApplication(create_backend_app)

    def app(environ: dict[str, Any], start_response: Any) -> Any:
        chosen = gateway if gateway.serves(environ) else moto
        return chosen(environ, start_response)

    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield Cloud(server.server_port, gateway, functions)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
        gateway.close()


@pytest.fixture(scope="session")
def raw_server() -> Iterator[Cloud]:
    yield from serve(RawHeaders)


@pytest.fixture(scope="session")
def plain_server() -> Iterator[Cloud]:
    yield from serve(PlainHeaders)


@pytest.fixture
def cloud(raw_server: Cloud) -> Cloud:
    """An empty cloud behind a server that hands raw headers on."""
    return raw_server.emptied()


@pytest.fixture
def plain_cloud(plain_server: Cloud) -> Cloud:
    """An empty cloud behind a server that gives no raw headers."""
    return plain_server.emptied()
