"""Why a resource failed, in the words of a stack event.

Source: events as users report them: 'Resource handler returned message: "... (Service: Sqs, Status
Code: 403, Request ID: ...)" (RequestToken: ..., HandlerErrorCode: AccessDenied)'. The codes are
those of the CloudFormation CLI User Guide, "Handler error codes".
"""

from __future__ import annotations

import logging
import uuid

from botocore.exceptions import BotoCoreError, ClientError

from labs.cloud.mock.stacks.errors import Failed, Refused
from labs.cloud.mock.stacks.types.base import Gone, is_gone

#: As the SDK in AWS's handlers names services, where botocore's name would not become it.
_SERVICES = {
    "apigateway": "ApiGateway",
    "apigatewayv2": "ApiGatewayV2",
    "codepipeline": "CodePipeline",
    "dynamodb": "DynamoDb",
    "elasticbeanstalk": "ElasticBeanstalk",
    "elb": "ElasticLoadBalancing",
    "elbv2": "ElasticLoadBalancingV2",
    "events": "EventBridge",
    "logs": "CloudWatchLogs",
}
_CODES = (
    (("AlreadyExist", "EntityAlreadyExists", "QueueNameExists", "Duplicate"), "AlreadyExists"),
    (("AccessDenied", "Unauthorized", "AuthorizationError", "NotAuthorized"), "AccessDenied"),
    (("Throttl", "TooManyRequests", "RequestLimitExceeded", "SlowDown"), "Throttling"),
    (("LimitExceeded", "QuotaExceeded", "TooMany"), "ServiceLimitExceeded"),
    (("Conflict", "InUse", "DependencyViolation"), "ResourceConflict"),
    (("Validation", "Invalid", "Malformed", "BadRequest", "Missing"), "InvalidRequest"),
)

log = logging.getLogger("labs.mock.stacks")


def why(error: BaseException, service: str = "") -> str:
    """service: botocore's, whose handler it was."""
    if isinstance(error, Failed | Refused):
        return str(error)
    if isinstance(error, ClientError):
        return _handlers(error, service)
    if isinstance(error, Gone):
        return f"Resource of the service {service} was not found; somebody has deleted it"
    if isinstance(error, BotoCoreError):  # a value that the API does not take
        return f"Properties validation failed: {error}"
    log.error("a resource failed in a way that AWS's do not", exc_info=error)
    return f"Internal Failure (the mock failed: {type(error).__name__}: {error})"


def _handlers(error: ClientError, service: str) -> str:
    about = error.response["Error"]
    metadata = error.response.get("ResponseMetadata", {})
    status = metadata.get("HTTPStatusCode", 400)
    name = _SERVICES.get(service, service[:1].upper() + service[1:])
    said = (
        f"{about.get('Message', '')} (Service: {name}, Status Code: {status}, "
        f"Request ID: {metadata.get('RequestId') or uuid.uuid4()})"
    )
    return (
        f'Resource handler returned message: "{said}" '
        f"(RequestToken: {uuid.uuid4()}, HandlerErrorCode: {code(error)})"
    )


def code(error: ClientError) -> str:
    """HandlerErrorCode: "AccessDenied", "AlreadyExists", ..."""
    if is_gone(error):
        return "NotFound"
    found = error.response["Error"]["Code"]
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400)
    for parts, name in _CODES:
        if any(part in found for part in parts):
            return name
    return "AccessDenied" if status == 403 else "GeneralServiceException"
