"""The motor without moto around it: what happens when things end or fail half-way."""

import io
import json
import os
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import psutil
import pytest

from labs.cloud.mock.functions.contract import Invocation
from labs.cloud.mock.functions.motor import Motor
from labs.cloud.mock.functions.starters import Spawner, Zygote


class World:
    """A motor, the log lines that it wrote, and the role's environment."""

    def __init__(self, starter, home):
        self.log, self.home = [], home
        self.role = {"PATH": os.environ["PATH"]}
        self.motor = Motor(
            starter=starter,
            spawner=Spawner(),
            account_limit=4,
            role_environment=lambda function: {**self.role},
            write_log=lambda function, stream, lines: self.log.append((stream, lines)),
        )

    def run(self, function, event=None):
        """(the outcome, its payload)."""
        invocation = Invocation(json.dumps(event).encode(), function.function_arn)
        outcome = self.motor.run(function, invocation, {})
        return outcome, json.loads(outcome.payload)

    def files(self):
        return [path.name for path in self.home.iterdir()]


def function(source="", **changes):
    """What the motor reads of moto's record."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("app.py", source)
    return SimpleNamespace(
        **{
            "function_name": "f",
            "function_arn": "arn:f",
            "version": "$LATEST",
            "handler": "app.f",
            "run_time": "python3.13",
            "timeout": 20,
            "memory_size": 128,
            "environment_vars": {},
            "logs_group_name": "/aws/lambda/f",
            "code_sha_256": source,
            "code_bytes": buffer.getvalue(),
            "last_modified": "1",
            "package_type": "Zip",
            **changes,
        }
    )


@pytest.fixture(params=["zygote", "spawn"])
def world(request, tmp_path, monkeypatch):
    if request.param == "zygote" and not hasattr(os, "fork"):
        pytest.skip("this system cannot fork")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    world = World(Zygote() if request.param == "zygote" else Spawner(), tmp_path)
    yield world
    world.motor.close()
    assert world.files() == [], "nothing is left on disk"


def until(condition, seconds=10.0):
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.005)
    return value


def alive(pid):
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_run_and_a_warm_run(world):
    counting = function("n = 0\ndef f(event, context):\n    global n\n    n += 1\n    return n")
    assert [world.run(counting)[1] for _ in range(2)] == [1, 2]
    (first, cold), (second, warm) = world.log
    assert first == second
    assert "Init Duration" in cold[-1]
    assert "Init Duration" not in warm[-1]


SLOW_IMPORT = """
import os, pathlib, time
(pathlib.Path(os.environ["MARK"]) / f"pid-{os.getpid()}").touch()
time.sleep(60)
"""
SLOW_HANDLER = "def f(event, context):\n    " + SLOW_IMPORT.strip().replace("\n", "\n    ")


@pytest.mark.parametrize("end", ["reset", "close"])
@pytest.mark.parametrize("source", [SLOW_IMPORT, SLOW_HANDLER], ids=["import", "handler"])
def test_what_runs_ends_with_its_world(world, tmp_path_factory, source, end):
    marks = tmp_path_factory.mktemp("marks")
    world.role["MARK"] = str(marks)
    with ThreadPoolExecutor() as threads:
        running = threads.submit(world.run, function(source))
        [mark] = until(lambda: list(marks.iterdir()))
        pid = int(mark.name.removeprefix("pid-"))
        started = time.monotonic()
        getattr(world.motor, end)()
        outcome, error = running.result(timeout=20)
    assert time.monotonic() - started < 8, "neither the import's ten seconds nor the time-out"
    assert outcome.error == "Unhandled"
    assert error["errorType"] == "Runtime.ExitError"
    until(lambda: not alive(pid))
    assert world.log == [], "an emptied account keeps no lines of before"


def test_a_reset_in_the_middle_leaves_no_warm_sandbox(world):
    """Invocations begin, run and end while resets rain down."""
    pid_of = function("import os\ndef f(event, context): return os.getpid()")
    seen = set()

    def invoke(_):
        outcome, value = world.run(pid_of)
        if outcome.error is None:
            seen.add(value)

    with ThreadPoolExecutor(4) as threads:
        for round_ in range(4):
            futures = [threads.submit(invoke, n) for n in range(8)]
            until(lambda futures=futures: sum(future.done() for future in futures) >= 2)
            world.motor.reset()
            for future in futures:
                future.exception()
            assert len([pid for pid in seen if alive(pid)]) <= 4, round_
    world.motor.reset()
    until(lambda: not any(alive(pid) for pid in seen))


def test_close_twice(world):
    world.run(function("def f(event, context): pass"))
    world.motor.close()
    world.motor.close()


def test_a_role_that_cannot_be_assumed_leaves_no_process(world):
    role, world.role = world.role, None
    with pytest.raises(TypeError):
        world.run(function("def f(event, context): pass"))
    world.role = role
    assert world.run(function("def f(event, context): return 1"))[1] == 1
    assert len([name for name in world.files() if name.startswith("labs-sandbox")]) == 1


def test_a_process_that_cannot_be_started(world, monkeypatch):
    def no_more():
        raise OSError("too many processes")

    monkeypatch.setattr(world.motor._starter, "start", no_more)
    outcome, error = world.run(function("def f(event, context): pass"))
    assert outcome.error == "Unhandled"
    assert error["errorType"] == "Runtime.InvalidEntrypoint"
    assert "too many processes" in error["errorMessage"]
    [(stream, lines)] = world.log
    assert stream, "it has a log stream all the same"
    assert "too many processes" in lines[1]
    monkeypatch.undo()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"package_type": "Image", "code_bytes": None}, "the mock runs .zip packages only"),
        ({"code_bytes": b"no zip"}, "File is not a zip file"),
    ],
)
def test_code_that_cannot_run(world, changes, message):
    outcome, error = world.run(function(**changes))
    assert outcome.error == "Unhandled"
    assert message in error["errorMessage"]


def test_an_import_of_more_than_ten_seconds(world, monkeypatch):
    monkeypatch.setattr("labs.cloud.mock.functions.sandbox.INIT_SECONDS", 0.5)
    outcome, error = world.run(function("print('loading')\nimport time\ntime.sleep(60)"))
    assert outcome.error == "Unhandled"
    assert error["errorType"] == "Sandbox.Timedout"
    assert "loading" in outcome.log
