"""The processes behind functions: whose keys they hold, how many there are, how they end."""

import contextlib
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import boto3
import psutil
import pytest

from labs import cloud
from labs.cloud import connection
from tests.cloud.mock.lambda_account import HELD, Account, packed, until


def is_plane(process):
    with contextlib.suppress(psutil.NoSuchProcess):
        return "labs.cloud.mock.balancing.plane" in process.cmdline()
    return False


@pytest.fixture
def mock_tree(aws):
    """All living processes below the mock, but the load balancers' of tests that ran before."""
    mock = psutil.Process(connection._mock.pid)

    def tree():
        return [
            child for child in mock.children(recursive=True) if alive(child) and not is_plane(child)
        ]

    return tree


def alive(process):
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_sandbox_has_the_keys_of_its_role(account):
    account.function(
        "f",
        """
import boto3
def f(event, context):
    return boto3.client("sts").get_caller_identity()["Arn"]
""",
    )
    assert account.value("f") == "arn:aws:sts::123456789012:assumed-role/basic/f"


def test_a_denied_call_names_principal_action_and_resource(account):
    account.dynamodb.create_table(
        TableName="words",
        KeySchema=[{"AttributeName": "word", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "word", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    account.function(
        "f",
        """
import boto3
def f(event, context):
    boto3.client("dynamodb").put_item(TableName="words", Item={"word": {"S": "a"}})
""",
    )
    error = account.invoke("f")["value"]
    for part in (
        "(AccessDeniedException) when calling the PutItem operation",
        "assumed-role/basic/f is not authorized to perform: dynamodb:PutItem",
        "on resource: arn:aws:dynamodb:us-east-1:123456789012:table/words",
        "because no identity-based policy allows",
    ):
        assert part in error["errorMessage"]
    account.iam.attach_role_policy(
        RoleName="basic", PolicyArn="arn:aws:iam::aws:policy/AmazonDynamoDBFullAccess"
    )
    assert account.value("f") is None, "a new policy counts at once"


def test_a_zip_that_packs_its_own_sdk_gets_it(account):
    source = "import boto3\ndef f(event, context): return boto3.MINE"
    account.function("f", packed(source, **{"boto3/__init__.py": "MINE = 'of the zip'"}))
    assert [account.value("f") for _ in range(2)] == ["of the zip"] * 2


def test_sandboxes_are_capped(account, mock_tree):
    """60 functions once left 129 processes. The zygote counts as one more."""
    for number in range(60):
        account.function(f"f{number}", "def f(event, context): return event")
        assert account.value(f"f{number}", number) == number
    cap = account.lambda_.get_account_settings()["AccountLimit"]["ConcurrentExecutions"]
    until(lambda: len(mock_tree()) <= cap + cap // 2 + 1)
    assert account.value("f0", 0) == 0, "one that was evicted starts again"


def test_a_reset_ends_running_functions_and_forgets_events(account, gate, mock_tree):
    account.function("f", HELD, Timeout=60)
    with ThreadPoolExecutor() as threads:
        running = threads.submit(account.invoke, "f", gate.event)
        account.later("f", gate.event)
        gate.wait_for(2)
        cloud.connect(lesson="test")
        assert running.result(timeout=20)["FunctionError"] == "Unhandled"
    until(lambda: len(mock_tree()) <= 1)
    again = Account(account.aws)
    again.function("f", HELD, Timeout=60)
    assert again.lines("f") == []
    gate.open()
    assert again.value("f", gate.event)
    assert gate.started() == 3, "the event of before the reset has not run again"
    assert len(again.said("f", "REPORT")) == 1


def test_no_sandbox_is_reused_after_a_reset(account, mock_tree):
    source = "n = 0\ndef f(event, context):\n    global n\n    n += 1\n    return n"
    account.function("f", source)
    assert [account.value("f") for _ in range(2)] == [1, 2]
    cloud.connect(lesson="test")
    assert len(mock_tree()) <= 1, "the zygote alone"
    again = Account(account.aws)
    again.function("f", source)
    assert again.value("f") == 1


@pytest.mark.parametrize("how", ["time.sleep(60)", "os._exit(3)", "pass"])
def test_what_a_handler_started_ends_with_its_sandbox(account, how):
    account.function(
        "f",
        f"""
import os, subprocess, sys, time
def f(event, context):
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    print("child", child.pid, flush=True)
    {how}
""",
        Timeout=1,
    )
    account.invoke("f")
    child = int(account.said("f", "child")[0].split()[1])
    if how == "pass":
        assert psutil.pid_exists(child), "a warm sandbox keeps its children"
        account.lambda_.update_function_code(FunctionName="f", ZipFile=packed("def f(e, c): 1"))
        account.invoke("f")
    until(lambda: not psutil.pid_exists(child) or not alive(psutil.Process(child)))


def test_nothing_is_left_on_disk(account, tmp_path):
    account.function(
        "f",
        """
import os, tempfile
def f(event, context):
    open(os.path.join(tempfile.gettempdir(), "x"), "w").close()
    return tempfile.gettempdir()
""",
    )
    folder = account.value("f")
    assert os.path.exists(folder)  # noqa: PTH110
    account.lambda_.update_function_configuration(FunctionName="f", Timeout=5)
    account.invoke("f")
    assert not os.path.exists(folder)  # noqa: PTH110


# --- spawned --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def spawning(tmp_path_factory):
    """A mock of its own whose sandboxes are fresh interpreters, as on Windows."""
    code = """
import json, sys
from labs import cloud
aws = cloud.connect(lesson="spawn")
import os
print(os.environ["AWS_ENDPOINT_URL"], flush=True)
sys.stdin.read()
"""
    environment = {**os.environ, "LABS_SANDBOX": "spawn"}
    for name in list(environment):
        if name.startswith(("AWS_", "LABS_ADDRESS")):
            del environment[name]
    kernel = subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
        text=True,
    )
    url = kernel.stdout.readline().strip()
    session = boto3.Session("testing", "testing", region_name="us-east-1")
    yield SimpleNamespace(
        region="us-east-1",
        client=lambda name, **kw: session.client(name, endpoint_url=url, **kw),
        kernel=kernel,
    )
    kernel.stdin.close()
    kernel.wait(timeout=20)
    kernel.stdout.close()


def test_spawned_sandboxes(spawning):
    account = Account(spawning)
    account.function(
        "f",
        """
import boto3, os, sys, time
n = 0
def f(event, context):
    global n
    n += 1
    print("run", n)
    if event == "leave": os._exit(3)
    if event == "sleep": time.sleep(60)
    if event == "raise": raise KeyError("x")
    return [n, boto3.client("sts").get_caller_identity()["Arn"].rsplit("/")[-1]]
""",
        Timeout=5,
    )
    assert account.value("f") == [1, "f"]
    assert account.value("f") == [2, "f"]
    assert account.invoke("f", "raise")["value"]["errorType"] == "KeyError"
    assert account.invoke("f", "leave")["value"]["errorMessage"].endswith("exit status 3")
    assert account.value("f") == [1, "f"]
    account.lambda_.update_function_configuration(FunctionName="f", Timeout=1)
    assert account.invoke("f", "sleep")["value"]["errorType"] == "Sandbox.Timedout"
    with ThreadPoolExecutor() as threads:
        results = list(threads.map(lambda _: account.invoke("f", "raise"), range(4)))
    assert {result["value"]["errorType"] for result in results} == {"KeyError"}
    assert account.said("f", "run 1")
