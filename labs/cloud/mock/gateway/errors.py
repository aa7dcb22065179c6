"""What the two kinds of API answer when they answer by themselves.

Sources: API Gateway guide, "Gateway response types for API Gateway" (REST statuses), "Create
routes for HTTP APIs" (404 of HTTP APIs); Lambda guide, "Handling Lambda errors with an API Gateway
API" (500 when Lambda refuses, 502 when the function fails); AWS knowledge center, "How do I
troubleshoot HTTP 403 errors from API Gateway?" (`x-amzn-ErrorType`). HTTP APIs answer 500 for
all of these ("Troubleshooting issues with HTTP API Lambda integrations"; the bodies are as in AWS's
own emulator, aws/aws-lambda-dotnet, LambdaTestTool-v2).
"""

from __future__ import annotations

import json

from labs.cloud.mock.functions.contract import (
    NoSuchFunction,
    NotPermitted,
    Refused,
    Throttled,
    TooLarge,
)

from .messages import PAYLOAD_LIMIT, GatewayError, Reply

_UPSTREAM_SILENT = "Network error communicating with endpoint"


def error_reply(error: GatewayError) -> Reply:
    """The error as the client sees it: `{"message": ...}`."""
    text = json.dumps({"message": error.message}, separators=(",", ":"))
    headers = (("Content-Type", "application/json"),)
    if error.error_type:
        headers += (("x-amzn-ErrorType", error.error_type),)
    return Reply(error.status, headers, text.encode())


def forbidden(reason: str) -> GatewayError:
    """No such API or stage. (A REST API's answer; unknown ids on AWS give the same.)"""
    return GatewayError(403, "Forbidden", "ForbiddenException", reason)


def not_emulated(what: str) -> GatewayError:
    """The mock knows that AWS does this and does not do it itself."""
    message = f"The mock does not emulate this: {what}"
    return GatewayError(501, message, "NotImplementedException", what)


class RestErrors:
    """Answers of REST APIs."""

    @staticmethod
    def no_route(reason: str) -> GatewayError:
        """Nothing deployed under this method and path; also a missing signature."""
        kind = "MissingAuthenticationTokenException"
        return GatewayError(403, "Missing Authentication Token", kind, reason)

    @staticmethod
    def no_stage(reason: str) -> GatewayError:
        return forbidden(reason)

    @staticmethod
    def throttled(reason: str) -> GatewayError:
        return GatewayError(429, "Too Many Requests", "TooManyRequestsException", reason)

    @staticmethod
    def body_too_large(reason: str) -> GatewayError:
        message = f"HTTP content length exceeded {PAYLOAD_LIMIT} bytes."
        return GatewayError(413, message, "RequestTooLargeException", reason)

    @staticmethod
    def misconfigured(reason: str) -> GatewayError:
        return GatewayError(500, "Internal server error", "InternalServerErrorException", reason)

    @staticmethod
    def bad_answer(reason: str) -> GatewayError:
        """The function failed or its answer is malformed."""
        return GatewayError(502, "Internal server error", "InternalServerErrorException", reason)

    @staticmethod
    def timed_out(reason: str) -> GatewayError:
        kind = "InternalServerErrorException"
        return GatewayError(504, "Endpoint request timed out", kind, reason)

    @staticmethod
    def unreachable(reason: str) -> GatewayError:
        """An HTTP integration without an answer: INTEGRATION_FAILURE."""
        return GatewayError(504, _UPSTREAM_SILENT, "InternalServerErrorException", reason)

    @classmethod
    def refused(cls, refusal: Refused) -> GatewayError:
        """Lambda did not run the function. A throttle too is 500, and hidden from the client."""
        if isinstance(refusal, TooLarge):
            kind = "RequestTooLargeException"
            return GatewayError(413, "Request Too Long", kind, explain(refusal))
        return cls.misconfigured(explain(refusal))


class HttpErrors:
    """Answers of HTTP APIs. They have no `x-amzn-ErrorType`."""

    @staticmethod
    def no_route(reason: str) -> GatewayError:
        return GatewayError(404, "Not Found", reason=reason)

    @staticmethod
    def no_stage(reason: str) -> GatewayError:
        return GatewayError(404, "Not Found", reason=reason)

    @staticmethod
    def unsigned(reason: str) -> GatewayError:
        return GatewayError(403, "Forbidden", reason=reason)

    @staticmethod
    def throttled(reason: str) -> GatewayError:
        return GatewayError(429, "Too Many Requests", reason=reason)

    @staticmethod
    def body_too_large(reason: str) -> GatewayError:
        """413 is documented ("HTTP API quotas"); the text of the body is not: unconfirmed."""
        return GatewayError(413, "Request Entity Too Large", reason=reason)

    @staticmethod
    def misconfigured(reason: str) -> GatewayError:
        return GatewayError(500, "Internal Server Error", reason=reason)

    @staticmethod
    def bad_answer(reason: str) -> GatewayError:
        return GatewayError(500, "Internal Server Error", reason=reason)

    @staticmethod
    def timed_out(reason: str) -> GatewayError:
        """503, as seen in serverless/serverless issue 11222 and anomalyco/sst issue 2232; the
        knowledge center ("HTTP 504 timeout errors") says 504 of all kinds of API."""
        return GatewayError(503, "Service Unavailable", reason=reason)

    @staticmethod
    def unreachable(reason: str) -> GatewayError:
        return GatewayError(503, "Service Unavailable", reason=reason)

    @classmethod
    def refused(cls, refusal: Refused) -> GatewayError:
        """Lambda did not run the function. No AWS page says what a throttled function gives:
        503 is what people report, unconfirmed."""
        if isinstance(refusal, TooLarge):
            return cls.body_too_large(explain(refusal))
        if isinstance(refusal, Throttled):
            return GatewayError(503, "Service Unavailable", reason=explain(refusal))
        return cls.misconfigured(explain(refusal))


def explain(refusal: Refused) -> str:
    """The true reason in words for the log, with what to look at."""
    if isinstance(refusal, Throttled):
        return f"Lambda throttled the function ({refusal.reason}): raise its concurrency or retry"
    if isinstance(refusal, NotPermitted):
        return (
            f"Invalid permissions on Lambda function: {refusal}. Its resource policy must let "
            "apigateway.amazonaws.com invoke it for this source ARN (lambda add-permission)"
        )
    if isinstance(refusal, NoSuchFunction):
        return f"the integration names a function that does not exist: {refusal}"
    return f"{type(refusal).__name__}: {refusal}"
