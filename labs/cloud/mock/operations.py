"""Which AWS call an HTTP request is, before anything answers it.

The credential scope of the signature names the service; then each protocol has its own place for
the operation: a header (JSON), a form field (query, ec2), the path (RPC v2 CBOR), or method, path
and query string together (REST). Service models, the routing of REST requests and the parsers of
parameters are moto's, built from botocore's data: what is identified here is what moto will run.

Sources: Smithy's AWS protocol pages (awsJson1_0, awsQuery, ec2Query, restJson1, restXml,
smithyRpcV2Cbor); IAM User Guide, "Elements of an AWS API request signature".
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, unquote_plus

from botocore.exceptions import UnknownServiceError
from botocore.parsers import RpcV2CBORParser
from moto.core.model import OperationModel, ServiceModel
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import Request
from moto.core.routing import ProtocolRouter, get_router_class
from moto.core.utils import get_service_model
from werkzeug.exceptions import NotFound

logger = logging.getLogger(__name__)

CBOR = "smithy-rpc-v2-cbor"


@dataclass(frozen=True)
class Operation:
    """One AWS API call.

    service:    botocore's name: "elbv2", not the "elasticloadbalancing" of its signature.
    name:       the operation: "PutItem".
    parameters: the input by botocore's member names: {"TableName": "words", ...}. Parsed when
                first looked at; empty when the body does not parse.
    region:     of the signature; None for SigV4A, and for S3's old presigned URLs.
    access_key: None when the request is not signed.
    protocol:   how the client speaks, so that errors can answer in kind: "json", "query", "ec2",
                "rest-json", "rest-xml" or "smithy-rpc-v2-cbor".
    """

    service: str
    name: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    region: str | None = None
    access_key: str | None = None
    protocol: str = "json"

    @property
    def model(self) -> OperationModel:
        """botocore's description of the operation."""
        return get_service_model(self.service).operation_model(self.name)

    @property
    def prefix(self) -> str:
        """What IAM calls the service: "elasticloadbalancing" for elbv2, "states" for SFN."""
        signed_as = get_service_model(self.service).signing_name
        return _IAM_PREFIXES.get(signed_as, signed_as)


# A signing name that is not botocore's name for the service, or that several services share: the
# services to try, in this order. Only what moto implements; a test holds it against botocore.
SIGNED_AS: dict[str, tuple[str, ...]] = {
    "aidevops": ("devops-agent",),
    "aoss": ("opensearchserverless",),
    "apigateway": ("apigateway", "apigatewayv2"),
    "aps": ("amp",),
    "aws-marketplace": ("meteringmarketplace",),
    "bedrock": ("bedrock", "bedrock-agent", "bedrock-runtime"),
    "bedrock-agentcore": ("bedrock-agentcore", "bedrock-agentcore-control"),
    "cloudhsm": ("cloudhsmv2",),
    "connect-campaigns": ("connectcampaigns",),
    "dynamodb": ("dynamodb", "dynamodbstreams"),
    "elasticfilesystem": ("efs",),
    "elasticloadbalancing": ("elb", "elbv2"),
    "elasticmapreduce": ("emr",),
    "es": ("es", "opensearch"),
    "events": ("events", "eventbridgev2"),
    "execute-api": ("apigatewaymanagementapi",),
    "iotdata": ("iot-data",),
    "kinesisanalytics": ("kinesisanalyticsv2",),
    "kinesisvideo": ("kinesisvideo", "kinesis-video-archived-media"),
    "lex": ("lexv2-models",),
    "mediastore": ("mediastore", "mediastore-data"),
    "mobiletargeting": ("pinpoint",),
    "monitoring": ("cloudwatch",),
    "s3": ("s3", "s3control"),
    "sagemaker": ("sagemaker", "sagemaker-metrics", "sagemaker-runtime"),
    "servicecatalog": ("servicecatalog", "servicecatalog-appregistry"),
    "servicequotas": ("service-quotas",),
    "ses": ("ses", "sesv2"),
    "sso": ("sso-admin",),
    "states": ("stepfunctions",),
    "tagging": ("resourcegroupstaggingapi",),
    "timestream": ("timestream-query", "timestream-write"),
}

# Calls that the SDKs send unsigned: STS with a web identity or SAML, Cognito from a browser.
_UNSIGNED = ("sts", "cognito-identity", "cognito-idp")
_S3_HOST = re.compile(r"(?:^|\.)s3[.-]", re.IGNORECASE)

# Service Authorization Reference: the few prefixes that are not the signing name.
_IAM_PREFIXES = {"monitoring": "cloudwatch", "tagging": "tag"}

# AWS4-HMAC-SHA256 names a region in its scope; AWS4-ECDSA-P256-SHA256 (SigV4A) does not.
_SCOPE = re.compile(
    r"(?P<key>[^/\s,=]+)/\d{8}/(?:(?P<region>[^/\s,]+)/)?(?P<service>[^/\s,]+)/aws4_request"
)
_SIGV2 = re.compile(r"AWS (?P<key>[^:\s]+):")
_RPC_PATH = re.compile(r"/service/(?P<service>[^/]+)/operation/(?P<name>[^/]+)/?$")
_ACTION = re.compile(rb"(?:^|&)Action=([^&]*)")
_VERSION = re.compile(rb"(?:^|&)Version=([^&]*)")


@dataclass(frozen=True)
class _Caller:
    """Who signed, for which service: what the signature says of itself."""

    services: tuple[str, ...]
    region: str | None = None
    access_key: str | None = None


class _Parsed(Mapping[str, Any]):
    """A mapping that is parsed when first read: most requests are only named."""

    def __init__(self, parse: Callable[[], Mapping[str, Any]]) -> None:
        self._parse = parse
        self._values: Mapping[str, Any] | None = None

    def _read(self) -> Mapping[str, Any]:
        if self._values is None:
            try:
                self._values = self._parse()
            except Exception as error:  # whatever the parsers make of a hostile body
                logger.debug("parameters that do not parse: %r", error)
                self._values = {}
        return self._values

    def __getitem__(self, name: str) -> Any:
        return self._read()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._read())

    def __len__(self) -> int:
        return len(self._read())

    def __repr__(self) -> str:
        return repr(self._read())


def identify(environ: Mapping[str, Any], body: bytes) -> Operation | None:
    """The AWS call that a WSGI request is; None when it is none. Never raises.

    `environ` may carry RAW_URI, the path as it was sent; without it an encoded slash in a label
    cannot be told from a separator. Unsigned requests are identified where the SDKs send them
    unsigned (STS, Cognito) and, for S3, by host name.
    """
    try:
        return _identify(environ, body)
    except Exception as error:  # an odd request is for moto to refuse
        logger.debug("a request that cannot be identified: %r", error)
        return None


def _identify(environ: Mapping[str, Any], body: bytes) -> Operation | None:
    caller = _caller(environ)
    found = (
        _from_rpc_path(environ, body, caller)
        or _from_target(environ, body, caller)
        or _from_action(environ, body, caller)
        or _from_route(environ, body, caller)
    )
    if found is None:
        return None
    service, name, protocol, parse = found
    return Operation(service, name, _Parsed(parse), caller.region, caller.access_key, protocol)


_Found = tuple[str, str, str, Callable[[], Mapping[str, Any]]]


def _caller(environ: Mapping[str, Any]) -> _Caller:
    authorization = environ.get("HTTP_AUTHORIZATION", "")
    query = environ.get("QUERY_STRING", "")
    presigned = ""
    if "X-Amz-Credential=" in query:
        presigned = dict(parse_qsl(query))["X-Amz-Credential"]
    if scope := _SCOPE.search(authorization or presigned):
        return _Caller(services_signed_as(scope["service"]), scope["region"], scope["key"])
    if signed := _SIGV2.match(authorization):
        return _Caller(("s3",), None, signed["key"])
    if "AWSAccessKeyId=" in query:
        return _Caller(("s3",), None, dict(parse_qsl(query)).get("AWSAccessKeyId"))
    if _S3_HOST.search(environ.get("HTTP_HOST", "")):
        return _Caller(("s3",))
    return _Caller(_UNSIGNED)


def services_signed_as(signing_name: str) -> tuple[str, ...]:
    """botocore's services with this signing name, the likeliest first; () when there is none."""
    candidates = SIGNED_AS.get(signing_name.lower(), (signing_name.lower(),))
    return tuple(name for name in candidates if _model(name) is not None)


def _model(service: str) -> ServiceModel | None:
    # Not cached here: get_service_model keeps what exists, and what does not may be anything.
    if not re.fullmatch(r"[a-z0-9-]+", service):
        return None
    try:
        return get_service_model(service)
    except UnknownServiceError:
        return None


def _from_rpc_path(environ: Mapping[str, Any], body: bytes, caller: _Caller) -> _Found | None:
    if "HTTP_SMITHY_PROTOCOL" not in environ:
        return None
    path = _RPC_PATH.search(environ.get("PATH_INFO", ""))
    if path is None:
        return None
    service = _service_with_target(caller.services, path["service"], path["name"])
    return service and (service, path["name"], CBOR, lambda: _cbor(body))


def _from_target(environ: Mapping[str, Any], body: bytes, caller: _Caller) -> _Found | None:
    prefix, dot, name = environ.get("HTTP_X_AMZ_TARGET", "").rpartition(".")
    if not dot:
        return None
    service = _service_with_target(caller.services, prefix, name)
    return service and (service, name, "json", lambda: _json(body))


def _service_with_target(services: tuple[str, ...], prefix: str, name: str) -> str | None:
    for service in services:
        model = get_service_model(service)
        if model.metadata.get("targetPrefix") == prefix and name in _names(service):
            return service
    return None


def _from_action(environ: Mapping[str, Any], body: bytes, caller: _Caller) -> _Found | None:
    form = environ.get("QUERY_STRING", "").encode("latin-1")
    if environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"):
        form = body + b"&" + form if form else body
    action = _ACTION.search(form)
    if action is None:
        return None
    name = unquote_plus(action[1].decode())
    version = _VERSION.search(form)
    service = _service_with_action(caller.services, name, version[1].decode() if version else "")
    if service is None:
        return None
    protocol = "ec2" if get_service_model(service).protocol == "ec2" else "query"
    return service, name, protocol, lambda: _form(service, name, protocol, form)


def _service_with_action(services: tuple[str, ...], name: str, version: str) -> str | None:
    speaking = [
        service
        for service in services
        if {"query", "ec2", "json"} & set(_protocols(service)) and name in _names(service)
    ]
    same_version = [s for s in speaking if get_service_model(s).api_version == version]
    return next(iter(same_version or speaking), None)


def _from_route(environ: Mapping[str, Any], body: bytes, caller: _Caller) -> _Found | None:
    services = caller.services
    if "s3control" in services and "HTTP_X_AMZ_ACCOUNT_ID" in environ:
        services = ("s3control",)  # only S3 Control sends it; the paths would suit a bucket too
    request = Request(environ, populate_request=False)
    routed = (_routed(service, request, body) for service in services)
    return next((found for found in routed if found), None)


def _routed(service: str, request: Request, body: bytes) -> _Found | None:
    router = _router(service)
    if router is None:
        return None
    try:
        model, labels = router.match(request)
    except NotFound:
        return None
    protocol = get_service_model(service).protocol
    return service, model.name, protocol, lambda: _rest(model, protocol, request, labels, body)


@cache
def _names(service: str) -> frozenset[str]:
    return frozenset(get_service_model(service).operation_names)


@cache
def _protocols(service: str) -> tuple[str, ...]:
    model = get_service_model(service)
    return tuple(model.metadata.get("protocols", (model.protocol,)))


@cache
def _router(service: str) -> ProtocolRouter | None:
    model = get_service_model(service)
    if model.protocol not in ("rest-json", "rest-xml"):
        return None
    return get_router_class(service, model.protocol)(model)


def _json(body: bytes) -> Mapping[str, Any]:
    values = json.loads(body or b"{}")
    return values if isinstance(values, dict) else {}


def _cbor(body: bytes) -> Mapping[str, Any]:
    parser = RpcV2CBORParser()
    values = parser.parse_data_item(parser.get_peekable_stream_from_bytes(body)) if body else {}
    return values if isinstance(values, dict) else {}


def _form(service: str, name: str, protocol: str, form: bytes) -> Mapping[str, Any]:
    values = dict(parse_qsl(form.decode(), keep_blank_values=True))
    model = get_service_model(service).operation_model(name)
    return PROTOCOL_PARSERS[protocol](model).parse({"values": values})


def _rest(
    model: OperationModel, protocol: str, request: Request, labels: dict[str, Any], body: bytes
) -> Mapping[str, Any]:
    return PROTOCOL_PARSERS[protocol](model).parse(
        {
            "body": body,
            "headers": request.headers,
            "url_params": labels,
            "values": request.args,
        }
    )
