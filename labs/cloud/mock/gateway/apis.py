"""The APIs that exist now, read from moto's backends. The only file here that knows moto."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .address import host_name
from .integrations import Integration, MockResponse
from .throttle import ACCOUNT_BURST, ACCOUNT_RATE, Limit

_RESPONSE_HEADER = "method.response.header."
_REST_TIMEOUT = 29.0  # seconds; guide, "Quotas for configuring and running a REST API"


@dataclass(frozen=True)
class Method:
    """A method of a REST API's resource. verb may be "ANY"; path is the resource's template."""

    verb: str
    path: str
    resource_id: str
    authorization: str
    key_required: bool
    integration: Integration | None


@dataclass(frozen=True)
class RestStage:
    name: str
    deployment_id: str | None
    variables: Mapping[str, str]
    settings: Mapping[str, Mapping[str, Any]]

    def limit(self, method: Method) -> Limit | None:
        """The method's own limit, else the stage's default, each for every method by itself
        (guide, "Configuring API-level and stage-level throttling targets")."""
        own = f"{method.path.replace('/', '~1')}/{method.verb}"
        settings = self.settings.get(own) or self.settings.get("*/*")
        return _limit(settings or {})


@dataclass(frozen=True)
class RestApi:
    """A REST API, and the methods that its stages serve are in `Deployments`."""

    id: str
    account_id: str
    region: str
    stages: Mapping[str, RestStage]
    binary_types: tuple[str, ...]
    endpoint_disabled: bool


@dataclass(frozen=True)
class Route:
    """A route of an HTTP API: "GET /pets/{id}" or "$default"."""

    key: str
    authorization: str
    integration: Integration | None

    @property
    def verb(self) -> str:
        return self.key.partition(" ")[0]

    @property
    def path(self) -> str:
        return self.key.partition(" ")[2]


@dataclass(frozen=True)
class HttpStage:
    name: str
    variables: Mapping[str, str]
    default_settings: Mapping[str, Any]
    route_settings: Mapping[str, Mapping[str, Any]]

    def limit(self, route: Route) -> Limit | None:
        """Route settings over default route settings (guide, "Throttle requests to your HTTP
        APIs")."""
        return _limit({**self.default_settings, **self.route_settings.get(route.key, {})})


@dataclass(frozen=True)
class HttpApi:
    """An HTTP API. Its routes are live: moto cannot deploy, see `find_api`."""

    id: str
    account_id: str
    region: str
    stages: Mapping[str, HttpStage]
    routes: tuple[Route, ...]
    default_route: Route | None
    cors: Mapping[str, Any] | None
    endpoint_disabled: bool


@dataclass(frozen=True)
class WebSocketApi:
    """Exists, is not served."""

    id: str
    account_id: str
    region: str


Api = RestApi | HttpApi | WebSocketApi


def find_api(api_id: str) -> Api | None:
    """The API with this id in any account and region, or None.

    moto has no deployments of HTTP APIs, so a stage without `AutoDeploy` serves the routes as
    they are now; on AWS it would serve those of its last deployment.
    """
    for account_id, region, api in _moto_apis("moto.apigateway.models", "apigateway_backends"):
        if api.id == api_id:
            return _rest_api(account_id, region, api)
    for account_id, region, api in _moto_apis("moto.apigatewayv2.models", "apigatewayv2_backends"):
        if api.api_id == api_id:
            if api.protocol_type != "HTTP":
                return WebSocketApi(api_id, account_id, region)
            return _http_api(account_id, region, api)
    return None


def host_names() -> list[str]:
    """The public name of every API that exists now, sorted."""
    rest = _moto_apis("moto.apigateway.models", "apigateway_backends")
    http = _moto_apis("moto.apigatewayv2.models", "apigatewayv2_backends")
    names = [host_name(api.id, region) for _, region, api in rest]
    names += [host_name(api.api_id, region) for _, region, api in http]
    return sorted(names)


class Deployments:
    """What each deployment of a REST API froze.

    AWS serves the methods as they were when the stage's deployment was made (guide, "Deploy
    REST APIs in API Gateway"). moto keeps only a deployment's id and date, so the methods are
    copied here when a deployment is first seen: `observe()` is exact when it is called after
    every control-plane call, and late otherwise.
    """

    def __init__(self) -> None:
        self._frozen: dict[tuple[str, str], tuple[Method, ...]] = {}
        self._lock = threading.Lock()

    def observe(self) -> None:
        """Freeze the deployments that are new, forget those that are gone. Takes microseconds
        when there is nothing new."""
        with self._lock:
            present: dict[tuple[str, str], Any] = {}
            for _, _, api in _moto_apis("moto.apigateway.models", "apigateway_backends"):
                present.update(((api.id, name), api) for name in list(api.deployments))
            for gone in self._frozen.keys() - present.keys():
                del self._frozen[gone]
            for new in present.keys() - self._frozen.keys():
                self._frozen[new] = tuple(_methods(present[new]))

    def methods(self, api_id: str, deployment_id: str | None) -> tuple[Method, ...]:
        """The methods of this deployment; none if there is no such deployment."""
        with self._lock:
            return self._frozen.get((api_id, deployment_id or ""), ())

    def reset(self) -> None:
        with self._lock:
            self._frozen.clear()


def _moto_apis(module: str, backends: str) -> Iterator[tuple[str, str, Any]]:
    """Account, region and API of a moto backend, without loading it: a service that nobody
    used has no APIs, and costs no memory."""
    if module not in sys.modules:
        return
    for account_id, regions in list(getattr(sys.modules[module], backends).items()):
        for region, backend in list(regions.items()):
            for api in list(backend.apis.values()):
                yield account_id, region, api


def _rest_api(account_id: str, region: str, api: Any) -> RestApi:
    stages = {
        name: RestStage(name, stage.deployment_id, dict(stage.variables), stage.method_settings)
        for name, stage in list(api.stages.items())
    }
    return RestApi(
        api.id,
        account_id,
        region,
        stages,
        tuple(api.binaryMediaTypes),
        bool(api.disableExecuteApiEndpoint),
    )


def _methods(api: Any) -> Iterator[Method]:
    for resource in list(api.resources.values()):
        path = resource.get_path()
        for verb, method in list(resource.resource_methods.items()):
            yield Method(
                verb,
                path,
                resource.id,
                method.authorization_type or "NONE",
                bool(method.api_key_required) and str(method.api_key_required).lower() != "false",
                _rest_integration(method.method_integration),
            )


def _rest_integration(integration: Any) -> Integration | None:
    if integration is None:
        return None
    responses = (integration.integration_responses or {}).values()
    return Integration(
        kind=integration.integration_type,
        uri=integration.uri or "",
        method=integration.http_method or "",
        timeout=float(integration.timeout_in_millis or _REST_TIMEOUT * 1000) / 1000,
        parameters=dict(integration.request_parameters or {}),
        templates=dict(integration.request_templates or {}),
        responses=tuple(
            MockResponse(
                int(response.status_code),
                response.selection_pattern,
                dict(response.response_templates or {}),
                _literal_headers(response.response_parameters or {}),
            )
            for response in responses
        ),
    )


def _literal_headers(parameters: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """`method.response.header.X: "'value'"`: literals stand in single quotes (guide, "Parameter
    mapping examples for REST APIs"). MOCK has no headers of an integration to map from.
    """
    return tuple(
        (name.removeprefix(_RESPONSE_HEADER), value[1:-1])
        for name, value in parameters.items()
        if name.startswith(_RESPONSE_HEADER) and value[:1] == "'" == value[-1:] and len(value) > 1
    )


def _http_api(account_id: str, region: str, api: Any) -> HttpApi:
    integrations = {key: _http_integration(value) for key, value in list(api.integrations.items())}
    routes = [
        Route(
            route.route_key,
            route.authorization_type or "NONE",
            integrations.get((route.target or "").removeprefix("integrations/")),
        )
        for route in list(api.routes.values())
    ]
    stages = {
        name: HttpStage(
            name,
            dict(stage.stage_variables or {}),
            stage.default_route_settings or {},
            stage.route_settings or {},
        )
        for name, stage in list(api.stages.items())
    }
    return HttpApi(
        api.api_id,
        account_id,
        region,
        stages,
        tuple(route for route in routes if route.key != "$default"),
        next((route for route in routes if route.key == "$default"), None),
        api.cors_configuration,
        bool(api.disable_execute_api_endpoint),
    )


def _http_integration(integration: Any) -> Integration:
    kind = integration.integration_type
    if integration.integration_subtype:
        kind = f"{kind} {integration.integration_subtype}"
    return Integration(
        kind=kind,
        uri=integration.integration_uri or "",
        method=integration.integration_method or "ANY",
        timeout=integration.timeout_in_millis / 1000,
        payload_format=integration.payload_format_version or "1.0",
    )


def _limit(settings: Mapping[str, Any]) -> Limit | None:
    rate, burst = settings.get("throttlingRateLimit"), settings.get("throttlingBurstLimit")
    if rate is None and burst is None:
        return None
    return Limit(
        ACCOUNT_RATE if rate is None else float(rate),
        ACCOUNT_BURST if burst is None else int(burst),
    )
