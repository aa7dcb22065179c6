"""How many invocations run at once, and who is refused. Source: Lambda guide, "Scaling"."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.config import Config

from tests.cloud.mock.lambda_account import HELD, until

RESERVED = "ReservedFunctionConcurrentInvocationLimitExceeded"
ACCOUNT = "ConcurrentInvocationLimitExceeded"


@pytest.fixture
def threads():
    with ThreadPoolExecutor(40) as threads:
        yield threads


def limits(account):
    return account.lambda_.get_account_settings()["AccountLimit"]


def reserve(account, name, count):
    account.lambda_.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=count)


def refusal(account, name, event=None):
    with pytest.raises(account.lambda_.exceptions.TooManyRequestsException) as throttled:
        account.invoke(name, event)
    return throttled.value.response


def test_reserved_concurrency_is_a_ceiling(account, gate, threads):
    account.function("one", HELD, Timeout=30)
    account.function("other", "def f(event, context): return 1")
    reserve(account, "one", 1)
    running = threads.submit(account.value, "one", gate.event)
    gate.wait_for(1)
    response = refusal(account, "one", gate.event)
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 429
    assert response["Reason"] == RESERVED
    assert response["Error"]["Message"] == "Rate Exceeded."
    assert account.value("other") == 1, "others have room of their own"
    gate.open()
    running.result()
    assert account.value("one", gate.event)
    assert gate.started() == 2, "what was refused has not run"


def test_reserved_concurrency_is_a_guarantee(account, gate, threads):
    account.function("mine", "def f(event, context): return 1")
    account.function("rest", HELD, Timeout=30)
    account.function("hog", "")
    reserve(account, "mine", 1)
    reserve(account, "hog", limits(account)["UnreservedConcurrentExecutions"] - 1)
    running = threads.submit(account.value, "rest", gate.event)
    gate.wait_for(1)
    assert refusal(account, "rest", gate.event)["Reason"] == ACCOUNT
    assert account.value("mine") == 1
    gate.open()
    running.result()


def test_none_reserved_stops_a_function(account):
    account.function("f", "def f(event, context): return 1")
    reserve(account, "f", 0)
    shown = account.lambda_.get_function_concurrency(FunctionName="f")
    assert shown["ReservedConcurrentExecutions"] == 0
    assert refusal(account, "f")["Reason"] == RESERVED
    account.lambda_.delete_function_concurrency(FunctionName="f")
    assert account.value("f") == 1


def test_the_account_limit(account, gate, threads):
    limit = limits(account)["ConcurrentExecutions"]
    for name in ("a", "b"):
        account.function(name, HELD, Timeout=60)
    running = [
        threads.submit(account.value, "ab"[number % 2], gate.event) for number in range(limit)
    ]
    gate.wait_for(limit)
    assert refusal(account, "a", gate.event)["Reason"] == ACCOUNT
    gate.open()
    pids = [future.result() for future in running]
    assert len(set(pids)) == limit, "two invocations never share a sandbox at once"


def test_retries_of_the_sdk_get_through(account, gate, threads):
    account.function("one", HELD, Timeout=30)
    reserve(account, "one", 1)
    threads.submit(account.value, "one", gate.event)
    gate.wait_for(1)
    config = Config(retries={"mode": "standard", "total_max_attempts": 8})
    patient = account.aws.client("lambda", config=config)
    refused = []
    patient.meta.events.register("needs-retry.lambda.Invoke", lambda **kw: refused.append(kw))
    event = json.dumps(gate.event)
    waiting = threads.submit(patient.invoke, FunctionName="one", Payload=event)
    until(lambda: refused)
    gate.open()
    assert waiting.result()["ResponseMetadata"]["RetryAttempts"] >= 1


def test_something_stays_unreserved(account):
    before = limits(account)
    assert before["UnreservedConcurrentExecutions"] == before["ConcurrentExecutions"]
    account.function("f", "")
    wrong = account.lambda_.exceptions.InvalidParameterValueException
    with pytest.raises(wrong, match=r"below its minimum value of \[1\]"):
        reserve(account, "f", before["ConcurrentExecutions"])
    reserve(account, "f", before["ConcurrentExecutions"] - 1)
    assert limits(account)["UnreservedConcurrentExecutions"] == 1
    account.function("g", "")
    with pytest.raises(wrong):
        reserve(account, "g", 1)
    reserve(account, "f", 2)  # its own reservation does not stand in its way
    settings = account.lambda_.get_account_settings()
    assert settings["AccountLimit"]["UnreservedConcurrentExecutions"] == (
        before["ConcurrentExecutions"] - 2
    )
    assert settings["AccountUsage"]["FunctionCount"] == 2


def test_a_function_that_invokes_functions(account, threads):
    """Eight at once, each with one below it: sixteen sandboxes, and no deadlock."""
    account.role(
        "caller",
        statements=[{"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": "*"}],
    )
    account.function("inner", "def f(event, context): return event * 2")
    account.function(
        "outer",
        """
import boto3, json
client = boto3.client("lambda")
def f(event, context):
    answer = client.invoke(FunctionName="inner", Payload=json.dumps(event))
    return json.load(answer["Payload"])
""",
        Role="arn:aws:iam::123456789012:role/caller",
        Timeout=30,
    )
    at_once = min(8, limits(account)["ConcurrentExecutions"] // 2)
    doubled = list(threads.map(lambda n: account.value("outer", n), range(at_once)))
    assert doubled == [2 * n for n in range(at_once)]
