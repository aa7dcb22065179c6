"""Every place where the mock reaches into moto, in one list. moto is pinned because of it.

`install` replaces each target by what a maker returns; a maker is given the original. A test
checks that each target still exists in moto and has the parameters written down here.
"""

import base64
import functools
import importlib
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from moto.awslambda import urls as lambda_urls
from moto.awslambda.exceptions import LambdaClientError
from moto.awslambda.models import LambdaFunction
from moto.awslambda.responses import LambdaResponse

from labs.cloud.mock import topics
from labs.cloud.mock.functions import dead_letters
from labs.cloud.mock.functions.concurrency import KEPT_UNRESERVED
from labs.cloud.mock.functions.contract import Throttled, TooLarge
from labs.cloud.mock.functions.report import TAIL_BYTES
from labs.cloud.mock.functions.service import LambdaService, reserved_concurrency
from labs.cloud.mock.iam import managed

Maker = Callable[[Callable, LambdaService], Callable]


@dataclass(frozen=True)
class Hook:
    """target: "module:name" or "module:Class.name". parameters: of the original, in order."""

    target: str
    parameters: tuple[str, ...]
    why: str
    make: Maker


def install(service: LambdaService) -> None:
    """Put every hook in place. Once in a process: there is no way back, and no need for one."""
    lambda_urls.url_paths.setdefault(
        r"{0}/(?P<api_version>[^/]+)/account-settings/?$", LambdaResponse.dispatch
    )
    LambdaResponse.get_account_settings = _get_account_settings(service)
    for hook in HOOKS:
        owner, name = locate(hook.target)
        setattr(owner, name, hook.make(getattr(owner, name), service))


def locate(target: str) -> tuple[Any, str]:
    """The object that holds a hook's target, and the target's name in it."""
    module, _, path = target.partition(":")
    *classes, name = path.split(".")
    return functools.reduce(getattr, classes, importlib.import_module(module)), name


# --- Lambda -------------------------------------------------------------------------------------


class TooManyRequests(LambdaClientError):
    """429 as Lambda words it. Source: Lambda API, TooManyRequestsException."""

    code = 429

    def __init__(self, reason: str) -> None:
        super().__init__("TooManyRequestsException", "Rate Exceeded.")
        self.description = json.dumps(
            {"Reason": reason, "Type": "User", "message": "Rate Exceeded."}
        )


class RequestTooLarge(LambdaClientError):
    code = 413

    def __init__(self, message: str) -> None:
        super().__init__("RequestTooLargeException", message)


class InvalidRequestContent(LambdaClientError):
    def __init__(self, message: str) -> None:
        super().__init__("InvalidRequestContentException", message)


def _api_invoke(_original: Callable, service: LambdaService) -> Callable:
    """The Invoke operation. Source: Lambda API, Invoke."""

    def invoke(self: LambdaResponse) -> tuple[int, dict[str, str], bytes | str]:
        name = unquote(self.path.rsplit("/", 2)[-2])
        function = self.backend.get_function(name, self._get_param("qualifier"))
        event = (self.body if isinstance(self.body, bytes) else self.body.encode()) or b"{}"
        kind = self.headers.get("X-Amz-Invocation-Type", "RequestResponse")
        headers = {"content-type": "application/json", "X-Amz-Executed-Version": function.version}
        try:
            json.loads(event)
            if kind == "DryRun":
                return 204, {**headers, "status": "204"}, ""
            if kind == "Event":
                service.invoke_later(function, event)
                return 202, {**headers, "status": "202"}, ""
            outcome = service.invoke(function, event)
        except ValueError as wrong:
            message = f"Could not parse request body into json: {wrong}"
            raise InvalidRequestContent(message) from None
        except Throttled as throttled:
            raise TooManyRequests(throttled.reason) from None
        except TooLarge as large:
            raise RequestTooLarge(str(large)) from None
        if outcome.error:
            headers["x-amz-function-error"] = outcome.error
        if self.headers.get("X-Amz-Log-Type") == "Tail":
            tail = outcome.log.encode()[-TAIL_BYTES:]
            headers["x-amz-log-result"] = base64.b64encode(tail).decode()
        return 200, headers, outcome.payload

    return invoke


def _service_invoke(_original: Callable, service: LambdaService) -> Callable:
    """moto's event sources (S3, streams, SQS) call this; SQS looks at the error header."""

    def invoke(
        self: LambdaFunction, body: str, request_headers: Any, response_headers: Any
    ) -> bytes:
        outcome = service.invoke(self, (body or "{}").encode())
        if outcome.error:
            response_headers["x-amz-function-error"] = outcome.error
        return outcome.payload

    return invoke


def _in_background(original: Callable, _service: LambdaService) -> Callable:
    """moto calls these while a table or a log is locked, and the function may write to both."""

    @functools.wraps(original)
    def send(*arguments: Any, **named: Any) -> bytes:
        threading.Thread(target=original, args=arguments, kwargs=named, daemon=True).start()
        return b""

    return send


def _remember_dead_letters(original: Callable, _service: LambdaService) -> Callable:
    """moto drops DeadLetterConfig when a function is made."""

    @functools.wraps(original)
    def init(self: LambdaFunction, account_id: str, spec: dict, *rest: Any, **named: Any) -> None:
        original(self, account_id, spec, *rest, **named)
        arn = spec.get("DeadLetterConfig", {}).get("TargetArn")
        setattr(self, dead_letters.ATTRIBUTE, arn or None)

    return init


def _update_dead_letters(original: Callable, _service: LambdaService) -> Callable:
    """... and when its configuration is updated; an empty ARN takes the queue away."""

    @functools.wraps(original)
    def update_configuration(self: LambdaFunction, config_updates: dict[str, Any]) -> dict:
        if "DeadLetterConfig" in config_updates:
            arn = config_updates["DeadLetterConfig"].get("TargetArn")
            setattr(self, dead_letters.ATTRIBUTE, arn or None)
        return original(self, config_updates)

    return update_configuration


def _show_dead_letters(original: Callable, _service: LambdaService) -> Callable:
    @functools.wraps(original)
    def get_configuration(self: LambdaFunction, on_create: bool = False) -> dict[str, Any]:
        configuration = original(self, on_create)
        if target := dead_letters.target_of(self):
            configuration["DeadLetterConfig"] = {"TargetArn": target}
        return configuration

    return get_configuration


def _reserve(original: Callable, service: LambdaService) -> Callable:
    """Refuse a reservation that leaves too little unreserved, as AWS does (it keeps 100)."""

    @functools.wraps(original)
    def put_function_concurrency(self: Any, function_name: str, reserved_concurrency_: Any) -> Any:
        function = self.get_function(function_name)
        reserved = {
            **reserved_concurrency(function),
            function.function_name: int(reserved_concurrency_),
        }
        if service.motor.concurrency.unreserved(reserved) < KEPT_UNRESERVED:
            raise LambdaClientError(
                "InvalidParameterValueException",
                "Specified ReservedConcurrentExecutions for function decreases account's "
                f"UnreservedConcurrentExecution below its minimum value of [{KEPT_UNRESERVED}].",
            )
        return original(self, function_name, reserved_concurrency_)

    return put_function_concurrency


def _get_account_settings(service: LambdaService) -> Callable:
    """An operation that moto lacks. Source: Lambda API, GetAccountSettings."""

    def get_account_settings(self: LambdaResponse) -> str:
        functions = list(self.backend.list_functions())
        reserved = reserved_concurrency(functions[0]) if functions else {}
        limit = service.motor.concurrency.account_limit
        return json.dumps(
            {
                "AccountLimit": {
                    "TotalCodeSize": 80_530_636_800,
                    "CodeSizeUnzipped": 262_144_000,
                    "CodeSizeZipped": 52_428_800,
                    "ConcurrentExecutions": limit,
                    "UnreservedConcurrentExecutions": limit - sum(reserved.values()),
                },
                "AccountUsage": {
                    "TotalCodeSize": sum(function.code_size for function in functions),
                    "FunctionCount": len(functions),
                },
            }
        )

    return get_account_settings


# --- IAM ----------------------------------------------------------------------------------------


def _with_aws_policies(original: Callable, _service: LambdaService) -> Callable:
    """moto knows AWS's managed policies only if it loads all of them, six times over."""
    return managed.providing(original)


# --- SNS ----------------------------------------------------------------------------------------


def _deliver(original: Callable, service: LambdaService) -> Callable:
    """Lambda subscriptions: filter and structure as moto does, then a true envelope, queued."""

    @functools.wraps(original)
    def publish(  # type: ignore[no-untyped-def]
        self,
        message,
        message_id,
        subject=None,
        message_attributes=None,
        group_id=None,
        deduplication_id=None,
        message_structure=None,
    ) -> None:
        if self.protocol != "lambda":
            return original(
                self,
                message,
                message_id,
                subject,
                message_attributes,
                group_id,
                deduplication_id,
                message_structure,
            )
        matcher = self._filter_policy_matcher
        if matcher is not None and not matcher.matches(message_attributes, message):
            return None
        if message_structure == "json":
            message = self._parse_message_structure(message, self.protocol)
        sns = topics.notification(self, message, message_id, subject, message_attributes)
        return topics.deliver(service, self, sns)

    return publish


# --- DynamoDB -----------------------------------------------------------------------------------

_writing = threading.RLock()


def _one_writer(original: Callable, _service: LambdaService) -> Callable:
    """moto reads, changes and writes an item in three steps: two threads lose an update."""

    @functools.wraps(original)
    def write(*arguments: Any, **named: Any) -> Any:
        with _writing:
            return original(*arguments, **named)

    return write


# --- moto's dispatcher --------------------------------------------------------------------------


def _list_modules_once(original: Callable, _service: LambdaService) -> Callable:
    """Lists moto's folder on every request. The folder does not change."""
    modules = frozenset(original())
    return lambda: modules


def _remember_hosts(original: Callable, _service: LambdaService) -> Callable:
    """Tries up to 183 regular expressions on every request, under a lock."""
    known: dict[str | None, Any] = {}

    @functools.wraps(original)
    def get_backend_for_host(self: Any, host: str | None) -> Any:
        if host not in known:
            if len(known) > 1000:  # names can come from outside
                known.clear()
            known[host] = original(self, host)
        return known[host]

    return get_backend_for_host


def _remember_methods(original: Callable, _service: LambdaService) -> Callable:
    """Runs inspect.getmembers on the response class on every request."""
    return functools.cache(lambda clazz: frozenset(original(clazz)))


HOOKS = (
    Hook(
        "moto.awslambda.responses:LambdaResponse.invoke",
        ("self",),
        "run the function in a sandbox; invocation types, errors, limits",
        _api_invoke,
    ),
    Hook(
        "moto.awslambda.models:LambdaFunction.invoke",
        ("self", "body", "request_headers", "response_headers"),
        "the same for moto's own event sources",
        _service_invoke,
    ),
    Hook(
        "moto.awslambda.models:LambdaFunction.__init__",
        ("self", "account_id", "spec", "region", "version"),
        "keep DeadLetterConfig",
        _remember_dead_letters,
    ),
    Hook(
        "moto.awslambda.models:LambdaFunction.update_configuration",
        ("self", "config_updates"),
        "keep DeadLetterConfig",
        _update_dead_letters,
    ),
    Hook(
        "moto.awslambda.models:LambdaFunction.get_configuration",
        ("self", "on_create"),
        "show DeadLetterConfig",
        _show_dead_letters,
    ),
    Hook(
        "moto.awslambda.models:LambdaBackend.put_function_concurrency",
        ("self", "function_name", "reserved_concurrency"),
        "keep something unreserved",
        _reserve,
    ),
    *(
        Hook(
            f"moto.iam.models:IAMBackend.{method}", parameters, "AWS's policies", _with_aws_policies
        )
        for method, parameters in zip(
            managed.METHODS,
            (
                ("self", "policy_arn", "group_name"),
                ("self", "policy_arn", "role_name"),
                ("self", "policy_arn", "user_name"),
                ("self", "policy_arn"),
            ),
            strict=True,
        )
    ),
    Hook(
        "moto.sns.models:Subscription.publish",
        (
            "self",
            "message",
            "message_id",
            "subject",
            "message_attributes",
            "group_id",
            "deduplication_id",
            "message_structure",
        ),
        "true envelope and asynchronous delivery to Lambda",
        _deliver,
    ),
    *(
        Hook(
            f"moto.awslambda.models:LambdaBackend.{name}", parameters, "no deadlock", _in_background
        )
        for name, parameters in (
            ("send_dynamodb_items", ("self", "function_arn", "items", "source")),
            (
                "send_log_event",
                (
                    "self",
                    "function_arn",
                    "filter_name",
                    "log_group_name",
                    "log_stream_name",
                    "log_events",
                ),
            ),
        )
    ),
    *(
        Hook(
            f"moto.dynamodb.responses:DynamoHandler.{operation}",
            ("self",),
            "no lost update, and ReturnValues that belong to this update",
            _one_writer,
        )
        for operation in (
            "create_table",
            "put_item",
            "update_item",
            "delete_item",
            "batch_write_item",
            "transact_write_items",
            "execute_statement",
            "execute_transaction",
            "batch_execute_statement",
        )
    ),
    Hook("moto.backends:list_of_moto_modules", (), "speed", _list_modules_once),
    Hook(
        "moto.moto_server.werkzeug_app:DomainDispatcherApplication.get_backend_for_host",
        ("self", "host"),
        "speed",
        _remember_hosts,
    ),
    Hook("moto.core.responses:method_names_from_class", ("clazz",), "speed", _remember_methods),
)
