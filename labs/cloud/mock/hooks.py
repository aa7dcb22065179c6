"""Where the mock reaches into moto for Lambda, IAM, SNS, DynamoDB and the dispatcher.

See `hooking`. Motors that have a folder of their own keep their hooks there.
"""

import base64
import contextvars
import copy
import functools
import io
import json
import threading
import zipfile
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from moto.awslambda import urls as lambda_urls
from moto.awslambda.exceptions import LambdaClientError
from moto.awslambda.models import LambdaBackend, LambdaFunction
from moto.awslambda.responses import LambdaResponse
from moto.core.utils import iso_8601_datetime_with_nanoseconds

from labs.cloud.mock import hooking, topics
from labs.cloud.mock.functions import dead_letters
from labs.cloud.mock.functions.concurrency import KEPT_UNRESERVED
from labs.cloud.mock.functions.contract import Invocation, Throttled, TooLarge
from labs.cloud.mock.functions.report import TAIL_BYTES
from labs.cloud.mock.functions.service import (
    LambdaService,
    name_and_qualifier,
    qualified_arn,
    reserved_concurrency,
)
from labs.cloud.mock.hooking import Hook, Use
from labs.cloud.mock.iam import managed


def install(service: LambdaService) -> None:
    """Put every hook in place. Once in a process: there is no way back, and no need for one."""
    lambda_urls.url_paths.setdefault(
        r"{0}/(?P<api_version>[^/]+)/account-settings/?$", LambdaResponse.dispatch
    )
    LambdaResponse.get_account_settings = _get_account_settings(service)
    hooking.install(HOOKS, service)


# --- Lambda -------------------------------------------------------------------------------------


class TooManyRequests(LambdaClientError):
    """429 as Lambda words it. Source: Lambda API, TooManyRequestsException."""

    code = 429

    def __init__(self, reason: str) -> None:
        super().__init__("TooManyRequestsException", "Rate Exceeded.")
        self.description = json.dumps(
            {"Reason": reason, "Type": "User", "message": "Rate Exceeded."}
        )


class StatementExists(LambdaClientError):
    code = 409

    def __init__(self, statement_id: str) -> None:
        super().__init__(
            "ResourceConflictException",
            f"The statement id ({statement_id}) provided already exists. "
            "Please provide a new statement id, or remove the existing statement.",
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
        name, qualifier = name_and_qualifier(unquote(self.path.rsplit("/", 2)[-2]))
        qualifier = qualifier or self.querystring.get("Qualifier", [None])[0]
        function = self.backend.get_function(name, qualifier)
        event = self.body or b"{}"
        invocation = Invocation(event, qualified_arn(function, qualifier))
        kind = self.headers.get("X-Amz-Invocation-Type", "RequestResponse")
        headers = {
            "content-type": "application/json",
            "X-Amz-Executed-Version": function.version,
            "x-amzn-requestid": invocation.request_id,
        }
        try:
            json.loads(event)
            if kind == "DryRun":
                return 204, {**headers, "status": "204"}, ""
            if kind == "Event":
                service.invoke_later(function, invocation)
                return 202, {**headers, "status": "202"}, ""
            outcome = service.invoke(function, invocation)
        except (ValueError, RecursionError) as wrong:
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


def _leave_events_alone(original: Callable, _service: LambdaService) -> Callable:
    """moto decodes every body and looks for parameters in it: an event may have "&Action=..."."""

    @functools.wraps(original)
    def setup_class(
        self: LambdaResponse,
        request: Any,
        full_url: str | None = None,
        headers: Any = None,
        use_raw_body: bool | None = None,
    ) -> None:
        is_event = request.path.rstrip("/").endswith("/invocations")
        original(self, request, full_url, headers, use_raw_body=is_event or use_raw_body)

    return setup_class


def _service_invoke(_original: Callable, service: LambdaService) -> Callable:
    """moto's event sources (S3, streams, SQS) call this; SQS looks at the error header."""

    def invoke(
        self: LambdaFunction, body: str, request_headers: Any, response_headers: Any
    ) -> bytes:
        invocation = Invocation((body or "{}").encode(), self.function_arn)
        outcome = service.invoke(self, invocation)
        if outcome.error:
            response_headers["x-amz-function-error"] = outcome.error
        return outcome.payload

    return invoke


def _in_background(original: Callable, _service: LambdaService) -> Callable:
    """moto calls these while a table or a log is locked, and the function may write to both."""

    @functools.wraps(original)
    def send(*arguments: Any, **named: Any) -> bytes:
        there = contextvars.copy_context()  # it goes on with the chain of the call
        threading.Thread(
            target=there.run, args=(original, *arguments), kwargs=named, daemon=True
        ).start()
        return b""

    return send


def _set_code(original: Callable, _service: LambdaService) -> Callable:
    """Refuse what is no zip, as AWS does, and tell when the code changed, as moto does not."""

    @functools.wraps(original)
    def set_function_code(self: LambdaFunction, updated_spec: dict[str, Any]) -> None:
        original(self, updated_spec)
        if self.package_type == "Zip" and not zipfile.is_zipfile(io.BytesIO(self.code_bytes)):
            raise LambdaClientError(
                "InvalidParameterValueException",
                "Could not unzip uploaded file. Please check your file, then try to upload again.",
            )
        if not updated_spec.get("DryRun"):
            self.last_modified = iso_8601_datetime_with_nanoseconds()

    return set_function_code


def _remember_dead_letters(original: Callable, _service: LambdaService) -> Callable:
    """moto drops DeadLetterConfig when a function is made."""

    @functools.wraps(original)
    def init(self: LambdaFunction, account_id: str, spec: dict, *rest: Any, **named: Any) -> None:
        original(self, account_id, spec, *rest, **named)
        arn = spec.get("DeadLetterConfig", {}).get("TargetArn")
        setattr(self, dead_letters.ATTRIBUTE, arn or None)

    return init


def _update_configuration(original: Callable, _service: LambdaService) -> Callable:
    """... and when its configuration is updated; an empty ARN takes the queue away.

    LastModified is to change too: it retires the function's warm sandboxes.
    """

    @functools.wraps(original)
    def update_configuration(self: LambdaFunction, config_updates: dict[str, Any]) -> dict:
        if "DeadLetterConfig" in config_updates:
            arn = config_updates["DeadLetterConfig"].get("TargetArn")
            setattr(self, dead_letters.ATTRIBUTE, arn or None)
        self.last_modified = iso_8601_datetime_with_nanoseconds()
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


def _replace_event_invoke_config(original: Callable, _service: LambdaService) -> Callable:
    """Source: Lambda API, PutFunctionEventInvokeConfig: overwrites an existing configuration."""

    @functools.wraps(original)
    def put(self: LambdaBackend, function_name: str, config: dict[str, Any]) -> dict[str, Any]:
        answer = original(self, function_name, config)
        function = self.get_function(function_name)
        function.event_invoke_config = function.event_invoke_config[-1:]
        return answer

    return put


def _update_event_invoke_config(_original: Callable, _service: LambdaService) -> Callable:
    """Source: Lambda API, UpdateFunctionEventInvokeConfig: options not named stay as they are."""

    def update(self: LambdaBackend, function_name: str, config: dict[str, Any]) -> dict[str, Any]:
        self.get_function_event_invoke_config(function_name)  # an AWS error when there is none
        known = self.get_function(function_name).event_invoke_config[-1].config
        return self.put_function_event_invoke_config(function_name, {**known, **config})

    return update


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


def _one_statement_each(original: Callable, _service: LambdaService) -> Callable:
    """moto takes a second statement of the same id. Source: Lambda API, AddPermission, 409."""

    @functools.wraps(original)
    def add_permission(self: Any, function_name: str, qualifier: str, raw: str) -> dict[str, Any]:
        wanted = json.loads(raw).get("StatementId")
        policy = self.get_function(function_name, qualifier).policy
        if any(statement.get("Sid") == wanted for statement in policy.statements):
            raise StatementExists(wanted)
        return original(self, function_name, qualifier, raw)

    return add_permission


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


def _learner_of_iam(original: Callable, _service: LambdaService) -> Callable:
    """moto calls its nameless user arn:aws:sts::...:user/moto; users are of IAM."""

    @functools.wraps(original)
    def get_caller_identity(self: Any, access_key_id: str, region: str) -> tuple[str, str, str]:
        user_id, arn, account = original(self, access_key_id, region)
        if arn.endswith(":user/moto"):
            arn = arn.replace(":sts::", ":iam::").replace("user/moto", "user/learner")
        return user_id, arn, account

    return get_caller_identity


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
        matcher = self._filter_policy_matcher
        if matcher is not None and not matcher.matches(message_attributes, message):
            return topics.note_filtered(self, message_id)
        if self.protocol != "lambda":
            with topics.hop(self, message_id):
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
        if message_structure == "json":
            message = self._parse_message_structure(message, self.protocol)
        sns = topics.notification(self, message, message_id, subject, message_attributes)
        return topics.deliver(service, self, sns)

    return publish


# --- DynamoDB -----------------------------------------------------------------------------------

_items = threading.RLock()


def _one_writer(original: Callable, _service: LambdaService) -> Callable:
    """moto reads, changes and writes an item in three steps: two threads lose an update."""

    @functools.wraps(original)
    def write(*arguments: Any, **named: Any) -> Any:
        with _items:
            return original(*arguments, **named)

    return write


def _no_writer(original: Callable, _service: LambdaService) -> Callable:
    """moto makes a new item of its key and fills it then, and answers with the items themselves."""

    @functools.wraps(original)
    def read(self: Any) -> Any:
        with _items:
            return copy.deepcopy(original(self))

    return read


def _without_key(original: Callable, _service: LambdaService) -> Callable:
    """moto adds the key of a new item to UPDATED_NEW. Source: DynamoDB API, UpdateItem."""
    write = _one_writer(original, _service)

    @functools.wraps(original)
    def update_item(self: Any) -> Any:
        result = write(self)
        if self.body.get("ReturnValues") == "UPDATED_NEW":
            for name in self.body["Key"]:
                result.result.get("Attributes", {}).pop(name, None)
        return result

    return update_item


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


def _keep_request_id(original: Callable, _service: LambdaService) -> Callable:
    """Makes up an id for every answer. An invocation has one already, by which its log is found."""

    @functools.wraps(original)
    def enrich_response(headers: dict[str, str], body: Any) -> tuple[dict[str, str], Any]:
        own = headers.get("x-amzn-requestid")
        headers, body = original(headers, body)
        if own:
            headers["x-amzn-requestid"] = own
        return headers, body

    return staticmethod(enrich_response)


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
        "moto.awslambda.responses:LambdaResponse.setup_class",
        ("self", "request", "full_url", "headers", "use_raw_body"),
        "an event is bytes, not parameters",
        _leave_events_alone,
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
        "keep DeadLetterConfig, change LastModified",
        _update_configuration,
    ),
    Hook(
        "moto.awslambda.models:LambdaFunction._set_function_code",
        ("self", "updated_spec"),
        "refuse what is no zip, change LastModified",
        _set_code,
    ),
    Hook(
        "moto.awslambda.models:LambdaFunction.get_configuration",
        ("self", "on_create"),
        "show DeadLetterConfig",
        _show_dead_letters,
    ),
    Hook(
        "moto.awslambda.models:LambdaBackend.put_function_event_invoke_config",
        ("self", "function_name", "config"),
        "replace the configuration; moto keeps and shows the first",
        _replace_event_invoke_config,
    ),
    Hook(
        "moto.awslambda.models:LambdaBackend.update_function_event_invoke_config",
        ("self", "function_name", "config"),
        "keep what the update does not name",
        _update_event_invoke_config,
    ),
    Hook(
        "moto.awslambda.models:LambdaBackend.add_permission",
        ("self", "function_name", "qualifier", "raw"),
        "a statement id once",
        _one_statement_each,
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
        "moto.sts.models:STSBackend.get_caller_identity",
        ("self", "access_key_id", "region"),
        "the learner's ARN is one of IAM",
        _learner_of_iam,
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
            "delete_item",
            "batch_write_item",
            "transact_write_items",
            "execute_statement",
            "execute_transaction",
            "batch_execute_statement",
        )
    ),
    *(
        Hook(
            f"moto.dynamodb.responses:DynamoHandler.{operation}",
            ("self",),
            "no item that is half written",
            _no_writer,
        )
        for operation in ("get_item", "batch_get_item", "transact_get_items", "query", "scan")
    ),
    Hook(
        "moto.dynamodb.responses:DynamoHandler.update_item",
        ("self",),
        "no lost update; ReturnValues that belong to this update, and nothing else",
        _without_key,
    ),
    Hook("moto.backends:list_of_moto_modules", (), "speed", _list_modules_once),
    Hook(
        "moto.moto_server.werkzeug_app:DomainDispatcherApplication.get_backend_for_host",
        ("self", "host"),
        "speed",
        _remember_hosts,
    ),
    Hook(
        "moto.core.responses:BaseResponse._enrich_response",
        ("headers", "body"),
        "the request id of an invocation is that of its log",
        _keep_request_id,
    ),
    Hook("moto.core.responses:method_names_from_class", ("clazz",), "speed", _remember_methods),
)

USES = (
    # functions: what to run, and how
    Use(
        "moto.awslambda.models:LambdaFunction",
        "account_id code_bytes code_sha_256 code_size environment_vars event_invoke_config "
        "function_arn function_name handler last_modified logs_group_name memory_size "
        "package_type policy region reserved_concurrency role run_time timeout version",
        "moto's record of a function",
    ),
    Use("moto.awslambda.models:EventInvokeConfig", "config"),
    Use("moto.awslambda.policy:Policy", "statements"),
    Use("moto.awslambda.models:LambdaBackend.get_function", "function_name_or_arn qualifier"),
    Use("moto.awslambda.models:LambdaBackend.list_functions"),
    Use("moto.awslambda.models:LambdaBackend.get_function_event_invoke_config", "function_name"),
    Use("moto.awslambda.models:LambdaBackend", "", "where the hooks' methods are"),
    Use("moto.awslambda.models:lambda_backends", "", "by account and region"),
    Use("moto.awslambda.exceptions:UnknownFunctionException"),
    Use("moto.awslambda.exceptions:LambdaClientError", "error message", "base of Lambda's errors"),
    Use("moto.awslambda:urls", "url_paths", "a route for GetAccountSettings"),
    Use(
        "moto.awslambda.responses:LambdaResponse",
        "backend body dispatch headers path querystring",
        "the request that an operation answers",
    ),
    Use("moto.utilities.arns:parse_arn", "arn"),
    Use("moto.utilities.arns:Arn", "account region resource_id service"),
    # what functions leave: logs, dead letters, notifications, metrics
    Use("moto.logs.models:logs_backends"),
    Use("moto.logs.models:LogsBackend", "groups"),
    Use("moto.logs.models:LogsBackend.ensure_log_group", "log_group_name"),
    Use("moto.logs.models:LogsBackend.ensure_log_stream", "log_group_name log_stream_name"),
    Use("moto.logs.models:LogGroup.put_log_events", "log_stream_name log_events"),
    Use("moto.sqs.models:sqs_backends"),
    Use(
        "moto.sqs.models:SQSBackend.send_message",
        "queue_name message_body message_attributes",
        "dead letters",
    ),
    Use("moto.sns.models:sns_backends"),
    Use("moto.sns.models:SNSBackend.publish", "message arn message_attributes", "dead letters"),
    Use(
        "moto.sns.models:Subscription",
        "arn attributes endpoint protocol topic _filter_policy_matcher _parse_message_structure",
    ),
    Use("moto.sns.models:Topic", "arn name"),
    Use("moto.sns.utils:FilterPolicyMatcher.matches", "message_attributes message"),
    Use("moto.cloudwatch.models:cloudwatch_backends"),
    Use("moto.cloudwatch.models:CloudWatchBackend.put_metric_data", "namespace metric_data"),
    # iam: roles, their policies, their sessions
    Use("moto.iam.models:iam_backends"),
    Use("moto.iam.models:IAMBackend", "account_id aws_managed_policies managed_policies roles"),
    Use("moto.iam.models:Role", "managed_policies name permissions_boundary_arn policies"),
    Use("moto.iam.models:ManagedPolicy", "versions"),
    Use("moto.iam.models:PolicyVersion", "document is_default"),
    Use("moto.iam.models:AWSManagedPolicy", "arn"),
    Use(
        "moto.iam.models:AWSManagedPolicy.from_data",
        "name account_id region_name data",
        "AWS's own",
    ),
    Use("moto.iam.aws_managed_policies:aws_managed_policies_data"),
    Use("moto.sts.models:sts_backends"),
    Use(
        "moto.sts.models:AssumedRole",
        "access_key_id policy role_arn secret_access_key session_name session_token",
    ),
    Use(
        "moto.sts.models:STSBackend.assume_role",
        "region_name role_session_name role_arn policy duration external_id",
    ),
    Use("moto.sts.models:STSBackend.get_assumed_role_from_access_key", "access_key_id"),
    # transfers: the sizes of stored objects
    Use("moto.s3.models:s3_backends", "bucket_accounts"),
    Use("moto.s3.models:S3Backend.get_object", "bucket_name key_name"),
    Use("moto.s3.models:FakeKey", "metadata size"),
    # operations, errors, faults: AWS's service models
    Use(
        "moto.core.model:ServiceModel",
        "error_shapes metadata operation_model operation_names protocol resolved_protocol",
    ),
    Use("moto.core.model:OperationModel", "input_shape service_model"),
    Use("moto.core.parse:PROTOCOL_PARSERS"),
    Use("moto.core.routing:ProtocolRouter", "match"),
    Use("moto.core.routing:get_router_class", "service_name protocol"),
    Use("moto.core.utils:get_service_model", "service_name"),
    # gateway: APIs (found in sys.modules, so that nothing loads them)
    Use("moto.apigateway.models:apigateway_backends"),
    Use("moto.apigateway.models:APIGatewayBackend", "apis"),
    Use(
        "moto.apigateway.models:RestAPI",
        "binaryMediaTypes deployments disableExecuteApiEndpoint id resources stages",
    ),
    Use("moto.apigateway.models:Resource", "get_path id resource_methods"),
    Use("moto.apigateway.models:Method", "api_key_required authorization_type method_integration"),
    Use("moto.apigateway.models:Stage", "deployment_id method_settings variables"),
    Use(
        "moto.apigateway.models:Integration",
        "http_method integration_responses integration_type request_parameters "
        "request_templates timeout_in_millis uri",
    ),
    Use(
        "moto.apigateway.models:IntegrationResponse",
        "response_parameters response_templates selection_pattern status_code",
    ),
    Use("moto.apigatewayv2.models:apigatewayv2_backends"),
    Use("moto.apigatewayv2.models:ApiGatewayV2Backend", "apis"),
    Use(
        "moto.apigatewayv2.models:Api",
        "api_id cors_configuration disable_execute_api_endpoint integrations protocol_type "
        "routes stages",
    ),
    Use(
        "moto.apigatewayv2.models:Integration",
        "integration_method integration_subtype integration_type integration_uri "
        "payload_format_version timeout_in_millis",
    ),
    Use("moto.apigatewayv2.models:Route", "authorization_type route_key target"),
    Use("moto.apigatewayv2.models:Stage", "default_route_settings route_settings stage_variables"),
    # app, server: the WSGI app and what it wants to know of a request
    Use("moto.moto_server.werkzeug_app:DomainDispatcherApplication", "__call__"),
    Use("moto.moto_server.werkzeug_app:create_backend_app", "service"),
    Use("moto.core.request:Request", "args headers", "also the router's"),
    Use("moto.core.request:PRESERVED_HEADER_NAMES_ENVIRON_KEY"),
    Use("moto.core.request:environ_key_for_header"),
    Use("moto.core.request:should_preserve_original_header_name"),
    # times as moto writes them
    Use("moto.core.utils:iso_8601_datetime_with_milliseconds"),
    Use("moto.core.utils:iso_8601_datetime_with_nanoseconds"),
    Use("moto.core.utils:unix_time_millis"),
    Use("moto.core.utils:utcnow"),
    Use("moto.utilities.utils:get_partition", "region"),
)
