"""Invoke as boto3 sees it: results, errors, limits, versions and logs. Source: Lambda API."""

import json
import re

import pytest

from tests.cloud.mock.lambda_account import packed

SOURCE = """
import json, os, sys, time

count = 0

def f(event, context):
    global count
    count += 1
    return {"event": event, "count": count}

def facts(event, context):
    early = context.get_remaining_time_in_millis()
    time.sleep(0.05)
    return {
        "early": early, "late": context.get_remaining_time_in_millis(),
        "arn": context.invoked_function_arn, "id": context.aws_request_id,
        "name": context.function_name, "version": context.function_version,
        "memory": context.memory_limit_in_mb, "group": context.log_group_name,
        "stream": context.log_stream_name, "environment": dict(os.environ),
    }

def raises(event, context):
    print("about to fail")
    raise KeyError("wörd")

def sleeps(event, context):
    print("working")
    time.sleep(60)

def leaves(event, context):
    print("leaving")
    os._exit(event)

def exits(event, context):
    sys.exit(event)

def aborts(event, context):
    os.kill(os.getpid(), 9)

def a_set(event, context):
    return {1}

def decimals(event, context):
    from decimal import Decimal
    return {"whole": Decimal("3"), "part": Decimal("2.5"), "text": "wörd"}

def big(event, context):
    return "x" * event

def prints(event, context):
    for number in range(event):
        print("line", number)
    print("two\\nlines")
"""


def error_of(account, handler, event=None, **settings):
    account.function("broken", SOURCE, Handler=handler, **settings)
    answer = account.invoke("broken", event)
    assert answer["StatusCode"] == 200
    assert answer["FunctionError"] == "Unhandled"
    return answer


# --- invocation types ---------------------------------------------------------------------------


def test_request_response(account):
    account.function("f", SOURCE)
    answer = account.invoke("f", {"a": [1, "ü", None]})
    assert answer["StatusCode"] == 200
    assert "FunctionError" not in answer
    assert answer["value"] == {"event": {"a": [1, "ü", None]}, "count": 1}
    assert answer["ExecutedVersion"] == "$LATEST"


def test_what_looks_like_parameters_is_part_of_the_event(account):
    account.function("f", SOURCE)
    event = {"body": "a=1&Action=GetFunction&Qualifier=7&key=k", "Qualifier": "9", "Action": "No"}
    assert account.value("f", event)["event"] == event


def test_without_a_payload_the_event_is_empty(account):
    account.function("f", SOURCE)
    assert account.value("f")["event"] == {}


def test_event_answers_at_once_and_empty(account):
    account.function("slow", SOURCE, Handler="app.sleeps")
    answer = account.later("slow", {})
    assert answer["StatusCode"] == 202
    assert answer["Payload"].read() == b""


def test_dry_run_runs_nothing(account):
    account.function("f", SOURCE)
    answer = account.lambda_.invoke(FunctionName="f", InvocationType="DryRun")
    assert (answer["StatusCode"], answer["Payload"].read()) == (204, b"")
    assert account.value("f")["count"] == 1


def test_the_log_tail_comes_when_asked_for_and_has_four_kilobytes(account):
    account.function("f", SOURCE, Handler="app.prints")
    assert "LogResult" not in account.lambda_.invoke(FunctionName="f", Payload="1")
    log = account.invoke("f", 1000)["log"]
    assert len(log.encode()) == 4096
    assert "REPORT RequestId" in log.splitlines()[-1]


def test_the_request_id_is_the_one_in_context_and_log(account):
    account.function("f", SOURCE, Handler="app.facts")
    answer = account.invoke("f")
    assert answer["ResponseMetadata"]["RequestId"] == answer["value"]["id"]
    assert answer["log"].startswith(f"START RequestId: {answer['value']['id']} Version: $LATEST")


# --- function errors ----------------------------------------------------------------------------


def test_an_exception(account):
    answer = error_of(account, "app.raises")
    error = answer["value"]
    assert set(error) == {"errorMessage", "errorType", "requestId", "stackTrace"}
    assert error["errorType"] == "KeyError"
    assert error["errorMessage"] == "'wörd'"
    assert error["requestId"] == answer["ResponseMetadata"]["RequestId"]
    assert 'raise KeyError("wörd")' in error["stackTrace"][-1]
    [logged] = account.said("broken", "[ERROR]")
    assert logged.splitlines()[:2] == [
        "[ERROR] KeyError: 'wörd'",
        "Traceback (most recent call last):",
    ]


def test_a_time_out(account):
    answer = error_of(account, "app.sleeps", Timeout=1)
    request_id = answer["ResponseMetadata"]["RequestId"]
    assert answer["value"] == {
        "errorType": "Sandbox.Timedout",
        "errorMessage": f"RequestId: {request_id} Error: Task timed out after 1.00 seconds",
    }
    lines = account.lines("broken")
    assert lines[1] == "working"
    assert re.fullmatch(rf"\S+Z {request_id} Task timed out after 1.00 seconds", lines[2])
    assert "Duration: 1000.00 ms" in lines[-1]


@pytest.mark.parametrize(
    ("handler", "event", "how"),
    [
        ("app.leaves", 3, "exited with error: exit status 3"),
        ("app.leaves", 0, "exited without providing a reason"),
        ("app.exits", 4, "exited with error: exit status 4"),
        ("app.exits", 0, "exited without providing a reason"),
        ("app.exits", "no", "exited with error: exit status 1"),
        ("app.aborts", 0, "exited with error: signal: killed"),
    ],
)
def test_a_handler_that_ends_its_process(account, handler, event, how):
    answer = error_of(account, handler, event)
    request_id = answer["ResponseMetadata"]["RequestId"]
    assert answer["value"] == {
        "errorType": "Runtime.ExitError",
        "errorMessage": f"RequestId: {request_id} Error: Runtime {how}",
    }


def test_what_was_printed_before_the_end_is_logged(account):
    account.function("broken", SOURCE, Handler="app.leaves")
    account.invoke("broken", 3)
    assert account.said("broken", "leaving") == ["leaving"]
    [last] = account.said("broken", "exit status 3")
    assert last.splitlines()[1] == "Runtime.ExitError"


@pytest.mark.parametrize(
    ("handler", "kind", "message"),
    [
        ("nothere.f", "Runtime.ImportModuleError", "Unable to import module 'nothere': No module"),
        ("needs.f", "Runtime.ImportModuleError", "Unable to import module 'needs': No module"),
        ("app.nothere", "Runtime.HandlerNotFound", "Handler 'nothere' missing on module 'app'"),
        ("wrong.f", "Runtime.UserCodeSyntaxError", "Syntax error in module 'wrong'"),
        ("early.f", "ZeroDivisionError", "division by zero"),
    ],
)
def test_code_that_cannot_be_loaded(account, handler, kind, message):
    files = {"needs.py": "import requests", "wrong.py": "def f(:", "early.py": "1 / 0"}
    account.function("broken", packed(SOURCE, **files), Handler=handler)
    for _ in range(2):  # a warm sandbox must not hide it
        answer = account.invoke("broken")
        assert answer["FunctionError"] == "Unhandled"
        assert answer["value"]["errorType"] == kind
        assert answer["value"]["errorMessage"].startswith(message)


def test_a_module_that_ends_its_process(account):
    account.function("broken", "import os\nos._exit(5)")
    assert account.invoke("broken")["value"]["errorMessage"].endswith("exit status 5")


def test_a_result_that_is_no_json(account):
    error = error_of(account, "app.a_set")["value"]
    assert error["errorType"] == "Runtime.MarshalError"
    assert error["errorMessage"] == (
        "Unable to marshal response: Object of type set is not JSON serializable"
    )


def test_numbers_of_dynamodb_are_json_as_in_awss_runtime(account):
    account.function("f", SOURCE, Handler="app.decimals")
    answer = account.lambda_.invoke(FunctionName="f")
    assert answer["Payload"].read().decode() == '{"whole": 3, "part": 2.5, "text": "wörd"}'


# --- limits -------------------------------------------------------------------------------------


def test_a_result_may_be_as_large_as_on_aws(account):
    """moto refuses from 6,000,000 bytes on."""
    account.function("f", SOURCE, Handler="app.big", Timeout=20)
    for size in (6_000_000, 6_291_556 - 2):  # a JSON string has two quotation marks
        assert len(account.value("f", size)) == size


def test_a_result_that_is_too_large(account):
    error = error_of(account, "app.big", 6_291_555, Timeout=20)["value"]
    assert error["errorType"] == "Function.ResponseSizeTooLarge"
    assert "exceeded maximum allowed payload size (6291556 bytes)" in error["errorMessage"]


@pytest.mark.parametrize("payload", [b"{", b"no", b"\xff", b"[" * 100_000])
@pytest.mark.parametrize("kind", ["RequestResponse", "Event", "DryRun"])
def test_a_payload_that_is_no_json(account, kind, payload):
    account.function("f", SOURCE)
    with pytest.raises(account.lambda_.exceptions.InvalidRequestContentException) as refused:
        account.lambda_.invoke(FunctionName="f", InvocationType=kind, Payload=payload)
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


@pytest.mark.parametrize(("kind", "most"), [("RequestResponse", 6 << 20), ("Event", 1 << 20)])
def test_a_payload_that_is_too_large(account, kind, most):
    account.function("f", "def f(event, context): return len(event)", Timeout=20)
    most_letters = json.dumps("x" * (most - 2))
    account.lambda_.invoke(FunctionName="f", InvocationType=kind, Payload=most_letters)
    with pytest.raises(account.lambda_.exceptions.RequestTooLargeException) as refused:
        account.lambda_.invoke(FunctionName="f", InvocationType=kind, Payload=most_letters + " ")
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 413


def test_an_unknown_function(account):
    for name in ("nope", "nope:1"):
        with pytest.raises(account.lambda_.exceptions.ResourceNotFoundException):
            account.lambda_.invoke(FunctionName=name)
    account.function("f", SOURCE)
    with pytest.raises(account.lambda_.exceptions.ResourceNotFoundException):
        account.lambda_.invoke(FunctionName="f", Qualifier="9")


def test_code_that_is_no_zip_is_refused(account):
    wrong = account.lambda_.exceptions.InvalidParameterValueException
    with pytest.raises(wrong, match="Could not unzip"):
        account.function("f", b"no zip")
    account.function("f", SOURCE)
    with pytest.raises(wrong, match="Could not unzip"):
        account.lambda_.update_function_code(FunctionName="f", ZipFile=b"no zip")


def test_a_container_image_cannot_run_and_says_so(account):
    account.lambda_.create_function(
        FunctionName="image",
        PackageType="Image",
        Role="arn:aws:iam::123456789012:role/basic",
        Code={"ImageUri": "123456789012.dkr.ecr.us-east-1.amazonaws.com/app:1"},
    )
    answer = account.invoke("image")
    assert answer["FunctionError"] == "Unhandled"
    assert "the mock runs .zip packages only" in answer["value"]["errorMessage"]


# --- versions -----------------------------------------------------------------------------------


def test_versions_and_aliases(account):
    arn = account.function("f", "def f(e, c): return ['old', c.function_version]")
    account.lambda_.publish_version(FunctionName="f")
    account.lambda_.create_alias(FunctionName="f", Name="live", FunctionVersion="1")
    new = packed("def f(e, c): return ['new', c.function_version]")
    account.lambda_.update_function_code(FunctionName="f", ZipFile=new)
    for name in ("f", arn, "123456789012:function:f"):
        assert account.value(name) == ["new", "$LATEST"]
        for qualifier in ("1", "live"):
            assert account.value(name, Qualifier=qualifier) == ["old", "1"]
            assert account.value(f"{name}:{qualifier}") == ["old", "1"]
    assert account.invoke("f:live")["ExecutedVersion"] == "1"


def test_the_context_knows_by_which_arn_it_was_invoked(account):
    arn = account.function("f", "def f(e, c): return c.invoked_function_arn")
    account.lambda_.publish_version(FunctionName="f")
    account.lambda_.create_alias(FunctionName="f", Name="live", FunctionVersion="1")
    assert account.value("f") == arn
    assert account.value("f", Qualifier="live") == f"{arn}:live"
    assert account.value("f:1") == f"{arn}:1"


# --- environment, context, logs -----------------------------------------------------------------


def test_environment_and_context(account):
    variables = {"GREETING": "grüezi", "AWS_REGION": "not-yours"}
    account.function(
        "f",
        SOURCE,
        Handler="app.facts",
        Timeout=5,
        MemorySize=256,
        Environment={"Variables": variables},
    )
    facts = account.value("f")
    assert 3000 < facts["late"] < facts["early"] <= 5000
    assert (facts["name"], facts["version"], facts["memory"]) == ("f", "$LATEST", "256")
    assert facts["group"] == "/aws/lambda/f"
    assert re.fullmatch(r"\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}", facts["stream"])
    environment = facts["environment"]
    assert environment["GREETING"] == "grüezi"
    assert environment["AWS_REGION"] == account.aws.region, "reserved"
    assert environment["AWS_LAMBDA_FUNCTION_NAME"] == "f"
    assert environment["AWS_LAMBDA_LOG_STREAM_NAME"] == facts["stream"]
    assert environment["AWS_EXECUTION_ENV"] == "AWS_Lambda_python3.13"
    assert environment["_HANDLER"] == "app.facts"
    assert environment["_X_AMZN_TRACE_ID"].startswith("Root=1-")
    assert "HOME" not in environment, "nothing of the learner's own environment"


def test_the_log_of_a_cold_and_a_warm_invocation(account):
    account.function("f", SOURCE, Handler="app.prints")
    first = account.invoke("f", 2)["ResponseMetadata"]["RequestId"]
    second = account.invoke("f", 0)["ResponseMetadata"]["RequestId"]
    lines = account.lines("f")
    assert lines[:6] == [
        f"START RequestId: {first} Version: $LATEST",
        "line 0",
        "line 1",
        "two",
        "lines",
        f"END RequestId: {first}",
    ]
    cold, warm = (line for line in lines if line.startswith("REPORT"))
    number = r"\d+\.\d\d ms"
    common = (
        rf"REPORT RequestId: {{}}\tDuration: {number}\tBilled Duration: \d+ ms\t"
        r"Memory Size: 128 MB\tMax Memory Used: [1-9]\d* MB\t"
    )
    assert re.fullmatch(common.format(first) + rf"Init Duration: {number}\t", cold)
    assert re.fullmatch(common.format(second), warm)
    streams = account.logs.describe_log_streams(logGroupName="/aws/lambda/f")["logStreams"]
    assert len(streams) == 1, "a sandbox writes to one stream"


def test_a_role_without_permission_leaves_no_log(account):
    account.role("mute")
    account.function("f", SOURCE, Role="arn:aws:iam::123456789012:role/mute")
    assert account.value("f")["count"] == 1
    assert account.lines("f") == []


# --- warm sandboxes -----------------------------------------------------------------------------


def test_a_warm_sandbox_keeps_its_globals_until_an_update(account):
    account.function("f", SOURCE)
    assert [account.value("f")["count"] for _ in range(2)] == [1, 2]
    account.lambda_.update_function_configuration(FunctionName="f", Timeout=9)
    assert [account.value("f")["count"] for _ in range(2)] == [1, 2]
    account.lambda_.update_function_code(FunctionName="f", ZipFile=packed(SOURCE + "\n# new"))
    assert [account.value("f")["count"] for _ in range(2)] == [1, 2]
    account.lambda_.update_function_code(FunctionName="f", ZipFile=packed("f = 1"), DryRun=True)
    assert account.value("f")["count"] == 3


def test_a_function_that_was_made_anew_starts_anew(account):
    for _ in range(2):
        account.function("f", SOURCE)
        assert account.value("f")["count"] == 1
        account.lambda_.delete_function(FunctionName="f")


def test_an_exception_keeps_the_sandbox_and_a_time_out_does_not(account):
    source = """
import time
count = 0
def f(event, context):
    global count
    count += 1
    if event == "raise": 1 / 0
    if event == "sleep": time.sleep(9)
    return count
"""
    account.function("f", source, Timeout=1)
    account.invoke("f", "raise")
    assert account.value("f") == 2
    account.invoke("f", "sleep")
    assert account.value("f") == 1


def test_a_statement_id_is_taken_once(account):
    account.function("f", "def f(event, context): return event")
    permission = {
        "FunctionName": "f",
        "StatementId": "topic",
        "Action": "lambda:InvokeFunction",
        "Principal": "sns.amazonaws.com",
    }
    account.lambda_.add_permission(**permission)
    with pytest.raises(account.lambda_.exceptions.ResourceConflictException):
        account.lambda_.add_permission(**permission)
    account.lambda_.remove_permission(FunctionName="f", StatementId="topic")
    account.lambda_.add_permission(**permission)
