"""API Gateway's data plane as a WSGI application: the edge where requests become invocations."""

from __future__ import annotations

import base64
import concurrent.futures
import contextlib
import contextvars
import json
import logging
import re
import secrets
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Protocol
from urllib.parse import unquote

from moto.utilities.utils import get_partition

from labs.cloud.mock import trace
from labs.cloud.mock.functions.contract import Outcome, Refused

from . import apis
from .address import Address, find_address, host_name
from .answers import Malformed, Undecodable, http_reply_v1, http_reply_v2, rest_reply
from .apis import Deployments, HttpApi, HttpStage, RestApi, RestStage, Route, WebSocketApi
from .cors import add_cors, is_preflight, preflight_reply
from .errors import HttpErrors, RestErrors, error_reply, forbidden, not_emulated
from .events import (
    Event,
    Ids,
    Place,
    decode_path,
    forwarded_headers,
    http_event_v1,
    http_event_v2,
    rest_event,
)
from .integrations import (
    Integration,
    Lookup,
    NotEmulated,
    Unreachable,
    Unusable,
    expand_stage_variables,
    forward,
    function_arn,
    http_target,
    mock_reply,
)
from .messages import GatewayError, Reply, Request, raw_path, read_body, request_headers
from .routing import route_http, route_rest
from .throttle import Limit, Throttle

log = logging.getLogger("labs.mock.gateway")

Errors = type[RestErrors] | type[HttpErrors]

_TRACE = re.compile(r"(^|;)Root=1-[0-9a-f]{8}-[0-9a-f]{24}(;|$)")
_BODILESS = {204, 304}


class Invoke(Protocol):
    """Runs a function and waits for it. Raises `contract.Refused` when Lambda will not."""

    def __call__(
        self, function_arn: str, event: bytes, *, service: str, source_arn: str
    ) -> Outcome: ...


def _no_names(name: str, port: int) -> None:
    return None


class Gateway:
    """Serves the REST and HTTP APIs that exist in moto's backends.

    invoke: runs a function, see `Invoke`.
    lookup: tells where a name of the mock's address book is, for HTTP_PROXY integrations; without
    it they reach loopback addresses only.
    workers: how many integrations may run at once; more wait.

    Use it in front of moto: `if gateway.serves(environ): return gateway(environ, start_response)`.
    Call `observe()` after every API call of the control plane (`host_names()` does it too), so that
    deployments of REST APIs freeze what they should.
    """

    def __init__(self, invoke: Invoke, *, lookup: Lookup = _no_names, workers: int = 256) -> None:
        self._invoke = invoke
        self._lookup = lookup
        self._deployments = Deployments()
        self._throttle = Throttle()
        self._workers = concurrent.futures.ThreadPoolExecutor(workers, "gateway-integration")

    def serves(self, environ: Mapping[str, Any]) -> bool:
        """Is this request for an API, by its Host or by one of the mock's path forms?"""
        return find_address(environ) is not None

    def host_names(self) -> list[str]:
        """The names of all APIs that exist now, for the mock's address book."""
        self.observe()
        return apis.host_names()

    def observe(self) -> None:
        """Take note of new deployments of REST APIs. Cheap; never loads a moto backend."""
        self._deployments.observe()

    def reset(self) -> None:
        """Forget deployments and throttling, as moto forgets the APIs."""
        self._deployments.reset()
        self._throttle.reset()

    def close(self) -> None:
        """End the worker threads once their integrations have ended; start nothing new."""
        self._workers.shutdown(wait=False, cancel_futures=True)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        reply = self._serve(environ)
        headers = [(name, value.encode().decode("latin-1")) for name, value in reply.headers]
        if reply.status not in _BODILESS:
            headers.append(("Content-Length", str(len(reply.body))))
        start_response(reply.status_line, headers)
        bodiless = reply.status in _BODILESS or environ["REQUEST_METHOD"] == "HEAD"
        return [] if bodiless else [reply.body]

    def _serve(self, environ: dict[str, Any]) -> Reply:
        address = find_address(environ) or Address("", raw_path(environ))
        self.observe()
        api = apis.find_api(address.api_id)
        is_http = isinstance(api, HttpApi)
        ids = new_ids(environ.get("HTTP_X_AMZN_TRACE_ID"))
        method, within = environ["REQUEST_METHOD"], trace.received(ids.trace_id)
        with trace.hop(trace.GATEWAY, method, address.path, within=within) as hop:
            try:
                request = _read(environ, HttpErrors if is_http else RestErrors)
                reply = self._answer(api, address, request, ids)
                hop.status = str(reply.status)
            except GatewayError as error:
                level = logging.WARNING if error.status >= 500 else logging.INFO
                what = f"{method} {address.api_id}{address.path}"
                log.log(level, "%s -> %s (request %s)", what, error, ids.request_id)
                reply = error_reply(error)
                hop.fail(str(error.status), error.error_type or error.message, error.reason)
            hop.message = ids.extended_id if is_http else ids.request_id
        if is_http:
            return reply.with_headers(("Apigw-Requestid", ids.extended_id))
        return reply.with_headers(
            ("x-amzn-RequestId", ids.request_id),
            ("x-amz-apigw-id", ids.extended_id),
            ("X-Amzn-Trace-Id", ids.trace_id),
        )

    def _answer(self, api: apis.Api | None, address: Address, request: Request, ids: Ids) -> Reply:
        match api:
            case RestApi():
                return self._rest(api, address.path, request, ids)
            case HttpApi():
                return self._http(api, address.path, request, ids)
            case WebSocketApi():
                raise not_emulated("WebSocket APIs")
        raise forbidden(f"there is no API with the id {address.api_id!r}")

    # REST APIs

    def _rest(self, api: RestApi, full_path: str, request: Request, ids: Ids) -> Reply:
        if api.endpoint_disabled:
            raise forbidden("the API's execute-api endpoint is disabled")
        first, _, rest = full_path[1:].partition("/")
        stage, path = api.stages.get(unquote(first)), f"/{rest}"
        if stage is None:
            raise RestErrors.no_stage(f"no stage {first!r}; there are {sorted(api.stages)}")
        methods = self._deployments.methods(api.id, stage.deployment_id)
        found = route_rest(methods, request.method, path)
        if found is None:
            raise RestErrors.no_route(
                f"the deployment of stage {stage.name!r} has no {request.method} {path}; it has "
                f"{sorted(f'{method.verb} {method.path}' for method in methods)}"
            )
        method, parameters = found
        _check_access(method.authorization, request, RestErrors.no_route)
        if method.key_required:
            raise not_emulated("API keys")
        key = (api.id, stage.name, method.verb, method.path)
        self._admit(key, stage.limit(method), RestErrors)
        place = Place(
            account_id=api.account_id,
            api_id=api.id,
            domain_name=host_name(api.id, api.region),
            stage=stage.name,
            stage_variables=stage.variables,
            path=path,
            request_path=f"/{stage.name}{path}",
            resource=method.path,
            path_parameters=parameters,
            resource_id=method.resource_id,
            deployment_id=stage.deployment_id,
        )
        integration = _ready(method.integration, stage, RestErrors)
        with _as_gateway_errors(RestErrors):
            match integration.kind:
                case "MOCK":
                    return mock_reply(integration, request)
                case "HTTP_PROXY":
                    target = http_target(integration, "", parameters)
                    return self._forward(integration, target, request, ids)
                case "AWS_PROXY":
                    if integration.method != "POST":
                        raise Unusable(
                            "Lambda is invoked with POST: expected integrationHttpMethod POST, "
                            f"found {integration.method}"
                        )
                    event = rest_event(request, place, ids, api.binary_types)
                    source = _source_arn(api, stage.name, f"{request.method}{method.path}")
                    payload = self._run(integration, event, source, RestErrors)
                    return rest_reply(payload, request, api.binary_types)
                case kind:
                    raise NotEmulated(f"integrations of type {kind}")

    # HTTP APIs

    def _http(self, api: HttpApi, full_path: str, request: Request, ids: Ids) -> Reply:
        if api.endpoint_disabled:
            raise HttpErrors.no_stage("the API's execute-api endpoint is disabled")
        stage, path = _http_stage(api, full_path)
        if api.cors and is_preflight(request):
            return preflight_reply(api.cors, request)
        found = route_http(api.routes, api.default_route, request.method, path)
        if found is None:
            raise HttpErrors.no_route(
                f"no route for {request.method} {path}; there are "
                f"{sorted(route.key for route in api.routes)}"
            )
        route, parameters = found
        _check_access(route.authorization, request, HttpErrors.unsigned)
        self._admit((api.id, stage.name, route.key), stage.limit(route), HttpErrors)
        place = Place(
            account_id=api.account_id,
            api_id=api.id,
            domain_name=host_name(api.id, api.region),
            stage=stage.name,
            stage_variables=stage.variables,
            path=path,
            request_path=decode_path(full_path),
            resource=route.key,
            path_parameters=parameters,
        )
        integration = _ready(route.integration, stage, HttpErrors)
        with _as_gateway_errors(HttpErrors):
            match integration.kind, integration.payload_format:
                case "HTTP_PROXY", _:
                    whole = path if route.key == "$default" else ""
                    target = http_target(integration, whole, parameters)
                    reply = self._forward(integration, target, request, ids)
                case "AWS_PROXY", "1.0":
                    event = http_event_v1(request, place, ids)
                    source = _route_arn(api, stage.name, request.method, route)
                    reply = http_reply_v1(self._run(integration, event, source, HttpErrors))
                case "AWS_PROXY", "2.0":
                    event = http_event_v2(request, place, ids)
                    source = _route_arn(api, stage.name, request.method, route)
                    reply = http_reply_v2(self._run(integration, event, source, HttpErrors))
                case kind, version:
                    raise NotEmulated(f"integrations of type {kind} with payload format {version}")
        return add_cors(api.cors, request, reply) if api.cors else reply

    # What both do

    def _admit(self, key: tuple[str, ...], limit: Limit | None, errors: Errors) -> None:
        if limit and not self._throttle.admit(key, limit):
            raise errors.throttled(f"over {limit.rate} a second, burst {limit.burst}")

    def _run(self, integration: Integration, event: Event, source: str, errors: Errors) -> bytes:
        """Invoke the function and wait for at most the integration's time-out.

        A function that takes longer runs on, as on AWS, and its answer is lost.
        """
        arn = function_arn(integration.uri)
        call = self._workers.submit(
            contextvars.copy_context().run,  # the invocation belongs to this request's chain
            self._invoke,
            arn,
            json.dumps(event).encode(),
            service="apigateway.amazonaws.com",
            source_arn=source,
        )
        done, _ = concurrent.futures.wait([call], integration.timeout)
        if not done:
            raise errors.timed_out(f"{arn} took over {integration.timeout} s")
        try:
            outcome = call.result()
        except Refused as refusal:
            raise errors.refused(refusal) from None
        if outcome.error:
            text = outcome.payload[:500].decode("utf-8", "replace")
            raise errors.bad_answer(f"{arn} failed ({outcome.error}): {text}")
        return outcome.payload

    def _forward(self, integration: Integration, url: str, request: Request, ids: Ids) -> Reply:
        method = request.method if integration.method == "ANY" else integration.method
        headers = forwarded_headers(request, ids)
        return forward(url, request, headers, method, integration.timeout, self._lookup)


def new_ids(client_trace: str | None = None) -> Ids:
    """Fresh ids for a request. A well-formed trace of the client's is kept (guide, "Trace user
    requests to REST APIs using X-Ray")."""
    trace = f"Root=1-{int(time.time()):08x}-{secrets.token_hex(12)}"
    if client_trace and _TRACE.search(client_trace):
        trace = client_trace
    return Ids(
        request_id=str(uuid.uuid4()),
        extended_id=base64.urlsafe_b64encode(secrets.token_bytes(11)).decode(),
        trace_id=trace,
        received=datetime.now(UTC),
    )


def _read(environ: Mapping[str, Any], errors: Errors) -> Request:
    try:
        body = read_body(environ)
    except ValueError as error:
        raise errors.body_too_large(str(error)) from None
    return Request(
        method=environ["REQUEST_METHOD"].upper(),
        path=raw_path(environ),
        query=environ.get("QUERY_STRING", ""),
        headers=request_headers(environ),
        body=body,
        source_ip=environ.get("REMOTE_ADDR") or "127.0.0.1",
        protocol=environ.get("SERVER_PROTOCOL") or "HTTP/1.1",
    )


def _http_stage(api: HttpApi, full_path: str) -> tuple[HttpStage, str]:
    """The stage that a path names, else `$default`; and the decoded path below it.

    Source: guide, "Create routes for HTTP APIs", "Routing API requests". Raises GatewayError.
    """
    first, _, rest = full_path[1:].partition("/")
    named = api.stages.get(unquote(first))
    if named and named.name != "$default":
        return named, decode_path(f"/{rest}")
    if "$default" in api.stages:
        return api.stages["$default"], decode_path(full_path)
    raise HttpErrors.no_stage(f"no stage {first!r} and no $default; there are {sorted(api.stages)}")


def _check_access(
    authorization: str, request: Request, unsigned: Callable[[str], GatewayError]
) -> None:
    """Signatures are asked for, not verified: the mock's callers have no secrets."""
    if authorization == "NONE":
        return
    if authorization != "AWS_IAM":
        raise not_emulated(f"authorizers ({authorization})")
    if not (request.header("authorization") or "").startswith("AWS4-HMAC-SHA256"):
        raise unsigned("the method wants a signed request (AWS_IAM) and this one is not")


def _ready(
    integration: Integration | None, stage: RestStage | HttpStage, errors: Errors
) -> Integration:
    """The integration with the stage's variables filled in."""
    if integration is None:
        raise errors.misconfigured(
            "no integration is set up: put_integration, or the route's target"
        )
    return replace(integration, uri=expand_stage_variables(integration.uri, stage.variables))


def _source_arn(api: RestApi | HttpApi, stage: str, route: str) -> str:
    """What a function's resource policy is asked about: method and path are those of the
    resource or route, not of the request ("GET/pets/{id}")."""
    partition = get_partition(api.region)
    return f"arn:{partition}:execute-api:{api.region}:{api.account_id}:{api.id}/{stage}/{route}"


def _route_arn(api: HttpApi, stage: str, verb: str, route: Route) -> str:
    return _source_arn(api, stage, f"{verb}{route.path}" if route.path else route.key)


@contextlib.contextmanager
def _as_gateway_errors(errors: Errors) -> Iterator[None]:
    """Say what the integration's trouble means to the client of this kind of API."""
    try:
        yield
    except Malformed as error:
        raise errors.bad_answer(str(error)) from None
    except (Undecodable, Unusable) as error:
        raise errors.misconfigured(str(error)) from None
    except NotEmulated as error:
        raise not_emulated(str(error)) from None
    except Unreachable as error:
        raise errors.unreachable(str(error)) from None
    except TimeoutError as error:
        raise errors.timed_out(str(error)) from None
