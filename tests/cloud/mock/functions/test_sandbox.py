"""Sandboxes, forked and spawned: what AWS's Python runtime does, one sandbox must do too."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from labs.cloud.mock.functions.contract import Invocation
from labs.cloud.mock.functions.sandbox import Sandbox, SandboxEnded
from labs.cloud.mock.functions.starters import RUNTIME, Spawner, Zygote

HANDLER = """
import os, sys, time, json, subprocess

def echo(event, context):
    print("got", json.dumps(event))
    left = context.get_remaining_time_in_millis()
    return {"event": event, "left": left, "id": context.aws_request_id}

def raises(event, context):
    raise ValueError("no such word")

def a_set(event, context):
    return {1, 2}

def leaves(event, context):
    os._exit(3)

def leaves_politely(event, context):
    sys.exit(4)

def sleeps(event, context):
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    print("before", flush=True)
    time.sleep(60)

def imports(event, context):
    __import__(event["name"])
    return "imported"

def environment(event, context):
    return dict(os.environ)

def logs(event, context):
    import logging
    logging.getLogger().error("broken")
    os.system("echo from a child")
    os.write(2, b"raw\\n")
"""


@pytest.fixture(scope="module", params=[Zygote, Spawner], ids=["zygote", "spawn"])
def starter(request):
    if request.param is Zygote and not hasattr(os, "fork"):
        pytest.skip("this system cannot fork")
    starter = request.param()
    yield starter
    starter.close()


@pytest.fixture
def root(tmp_path):
    (tmp_path / "app.py").write_text(HANDLER)
    return tmp_path


def environment(handler: str, root: Path) -> dict[str, str]:
    return {
        "_HANDLER": handler,
        "PATH": os.environ["PATH"],
        "AWS_LAMBDA_FUNCTION_NAME": "f",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
        "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/f",
        "AWS_LAMBDA_LOG_STREAM_NAME": "s",
        "LAMBDA_TASK_ROOT": str(root),
    }


@pytest.fixture
def make(starter, root):
    """make("app.echo") -> (sandbox, hello)."""
    made = []

    def make(handler):
        sandbox = Sandbox(starter, root, "s")
        made.append(sandbox)
        return sandbox, sandbox.load(environment(handler, root))

    yield make
    for sandbox in made:
        sandbox.close()


def call(sandbox, event=None, seconds=5.0):
    invocation = Invocation(json.dumps(event).encode(), "arn:f", "rid-1")
    return sandbox.invoke(invocation, "Root=1-0-0", seconds)


def gone(pid: int) -> bool:
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.01)
    return False


def test_result_context_and_print(make):
    sandbox, hello = make("app.echo")
    assert hello["error"] is None
    answer = call(sandbox, {"w": "naïve 🐍"})
    result = json.loads(answer.result)
    assert result["event"] == {"w": "naïve 🐍"}
    assert result["id"] == "rid-1"
    assert 0 < result["left"] <= 5000
    assert sandbox.take_log() == 'got {"w": "na\\u00efve \\ud83d\\udc0d"}\n'
    assert sandbox.take_log() == ""


def test_a_warm_sandbox_is_the_same_process(make):
    sandbox, _ = make("app.environment")
    assert call(sandbox).result == call(sandbox).result


def test_an_exception_is_reported_with_its_trace(make):
    sandbox, _ = make("app.raises")
    error = call(sandbox).error
    assert error["errorType"] == "ValueError"
    assert error["errorMessage"] == "no such word"
    assert error["requestId"] == "rid-1"
    assert len(error["stackTrace"]) == 1
    assert 'raise ValueError("no such word")' in error["stackTrace"][0]
    assert "[ERROR] ValueError: no such word\rTraceback" in sandbox.take_log()
    assert call(sandbox).error["errorType"] == "ValueError", "the sandbox lives on"


def test_a_result_that_is_no_json(make):
    sandbox, _ = make("app.a_set")
    error = call(sandbox).error
    assert error["errorType"] == "Runtime.MarshalError"
    assert error["errorMessage"] == (
        "Unable to marshal response: Object of type set is not JSON serializable"
    )


@pytest.mark.parametrize(
    ("handler", "kind", "message"),
    [
        ("nothere.f", "Runtime.ImportModuleError", "Unable to import module 'nothere': No module"),
        ("app.nothere", "Runtime.HandlerNotFound", "Handler 'nothere' missing on module 'app'"),
        ("app", "Runtime.MalformedHandlerName", "Bad handler 'app': not enough values"),
        ("broken.f", "Runtime.UserCodeSyntaxError", "Syntax error in module 'broken': "),
        ("fails.f", "ZeroDivisionError", "division by zero"),
    ],
)
def test_a_handler_that_cannot_be_loaded(make, root, handler, kind, message):
    (root / "broken.py").write_text("def f(:\n")
    (root / "fails.py").write_text("1 / 0\n")
    _, hello = make(handler)
    assert hello["error"]["errorType"] == kind
    assert hello["error"]["errorMessage"].startswith(message)


@pytest.mark.parametrize(("handler", "code"), [("app.leaves", 3), ("app.leaves_politely", 4)])
def test_the_exit_code_of_a_handler_that_leaves(make, handler, code):
    sandbox, _ = make(handler)
    with pytest.raises(SandboxEnded) as ended:
        call(sandbox)
    assert ended.value.code == code


def test_a_module_that_leaves_while_it_is_imported(make, root):
    (root / "exits.py").write_text("import os\nos._exit(7)\n")
    with pytest.raises(SandboxEnded) as ended:
        make("exits.f")
    assert ended.value.code == 7


def test_a_time_out_keeps_what_was_printed_and_ends_grandchildren(make):
    sandbox, _ = make("app.sleeps")
    with pytest.raises(TimeoutError):
        call(sandbox, seconds=1.0)
    children = psutil.Process(sandbox.pid).children()
    assert len(children) == 1
    assert sandbox.take_log() == "before\n"
    sandbox.close()
    assert gone(sandbox.pid)
    assert gone(children[0].pid)


@pytest.mark.parametrize("name", ["boto3", "urllib3", "sqlite3", "dateutil.tz"])
def test_what_aws_ships_can_be_imported(make, name):
    sandbox, _ = make("app.imports")
    assert call(sandbox, {"name": name}).error is None


@pytest.mark.parametrize("name", ["requests", "pandas", "labs", "frames"])
def test_what_aws_does_not_ship_cannot(make, name):
    sandbox, _ = make("app.imports")
    error = call(sandbox, {"name": name}).error
    assert error["errorMessage"] == f"No module named '{name}'"


def test_packages_of_the_zip_come_first(make, root):
    (root / "requests.py").write_text("x = 1\n")
    sandbox, _ = make("app.imports")
    assert call(sandbox, {"name": "requests"}).error is None


def test_only_its_own_environment(make, monkeypatch):
    sandbox, _ = make("app.environment")
    names = set(json.loads(call(sandbox).result))
    assert names - {"_X_AMZN_TRACE_ID", "LC_CTYPE"} == set(environment("x", Path()))


def test_everything_that_is_written_is_logged(make):
    sandbox, _ = make("app.logs")
    assert call(sandbox).error is None
    lines = sorted(sandbox.take_log().splitlines())
    assert lines[0].startswith("[ERROR]\t2")
    assert lines[0].endswith("Z\trid-1\tbroken")
    assert lines[1:] == ["from a child", "raw"]


def test_an_event_of_six_megabytes(make):
    sandbox, _ = make("app.echo")
    event = "x" * (6 << 20)
    assert json.loads(call(sandbox, event, seconds=20).result)["event"] == event


def test_a_killed_zygote_is_replaced(root):
    if not hasattr(os, "fork"):
        pytest.skip("this system cannot fork")
    zygote = Zygote()
    first = Sandbox(zygote, root, "s")
    first.load(environment("app.echo", root))
    zygote._process.kill()
    zygote._process.wait()
    second = Sandbox(zygote, root, "s")
    second.load(environment("app.echo", root))
    assert call(second, 1).error is None
    first.close()
    second.close()
    zygote.close()
    assert gone(first.pid)
    assert gone(second.pid)


def test_a_spawned_sandbox_ends_with_a_mock_that_was_killed(tmp_path):
    (tmp_path / "app.py").write_text("import time\ndef f(e, c):\n    time.sleep(60)\n")
    code = (
        "import sys, json; from pathlib import Path\n"
        "from labs.cloud.mock.functions.contract import Invocation\n"
        "from labs.cloud.mock.functions.sandbox import Sandbox\n"
        "from labs.cloud.mock.functions.starters import Spawner\n"
        f"environment = json.loads({json.dumps(environment('app.f', tmp_path))!r})\n"
        f"root = Path({str(tmp_path)!r})\n"
        "sandbox = Sandbox(Spawner(), root, 's')\n"
        "sandbox.load(environment)\n"
        "print(sandbox.pid, flush=True)\n"
        "sandbox.invoke(Invocation(b'1', 'arn:f'), 't', 60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as mock:
        pid = int(mock.stdout.readline())
        mock.kill()
    assert gone(pid)


def test_the_runtime_needs_nothing_but_the_standard_library():
    for program in RUNTIME.glob("*.py"):
        assert "labs" not in [line.split()[1] for line in program.read_text().splitlines()
                              if line.startswith(("import ", "from "))]  # fmt: skip
