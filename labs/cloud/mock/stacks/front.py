"""CloudFormation's calls as WSGI sees them: from an operation to an answer in its protocol."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from moto.core.serialize import SerializationContext, get_serializer_class

from labs.cloud.mock import errors
from labs.cloud.mock.hooking import Use
from labs.cloud.mock.operations import Operation
from labs.cloud.mock.stacks.api import CloudFormation
from labs.cloud.mock.stacks.errors import Failed, Refused


class Front:
    """Answers in moto's place."""

    def __init__(self, api: CloudFormation) -> None:
        self._api = api

    def __call__(
        self, operation: Operation, environ: Mapping[str, Any]
    ) -> tuple[str, list[tuple[str, str]], Iterable[bytes]]:
        """Raises NotImplementedError for an operation that is not modelled."""
        account = environ.get("HTTP_X_MOTO_ACCOUNT_ID")
        try:
            output = self._api.answer(operation, account)
        except (Refused, Failed) as refusal:
            code = getattr(refusal, "code", "ValidationError")
            status = 404 if code == "ChangeSetNotFound" else 400
            line, headers, body = errors.render(operation, code, str(refusal), status)
            return line, headers, [body]
        serializer = get_serializer_class(operation.service, operation.protocol)
        context = SerializationContext(str(uuid.uuid4()))
        answered = serializer(operation.model, context).serialize(_present(output))
        content = answered["body"]
        body = content.encode() if isinstance(content, str) else content
        named = {str(name): str(value) for name, value in answered["headers"].items()}
        headers = [*named.items(), ("Content-Length", str(len(body)))]
        return f"{answered['status_code']} OK", headers, [body]


def _present(output: dict[str, Any] | None) -> dict[str, Any] | None:
    if output is None:
        return None
    return {name: value for name, value in output.items() if value is not None}


USES = (
    Use("moto.core.serialize:SerializationContext", "", "takes the id of a request"),
    Use("moto.core.serialize:get_serializer_class", "service_name protocol", "CloudFormation's"),
)
