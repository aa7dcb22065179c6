"""Runs one event in a sandbox of the function: the road that every invocation takes.

Callers say which function (moto's record of it) and which event; where the event came from and
what happens to the result is theirs to decide.
"""

import json
import threading
import time
import uuid
import zipfile
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass

from moto.awslambda.models import LambdaFunction
from moto.core.utils import utcnow

from labs.cloud.mock import trace
from labs.cloud.mock.functions import report
from labs.cloud.mock.functions.code import CodeStore, brings_own_sdk
from labs.cloud.mock.functions.concurrency import Concurrency
from labs.cloud.mock.functions.contract import Invocation, Outcome
from labs.cloud.mock.functions.pool import Pool
from labs.cloud.mock.functions.sandbox import INIT_SECONDS, Sandbox, SandboxEnded
from labs.cloud.mock.functions.starters import Starter

CLOSE_SECONDS = 2.0

#: Writes lines into a log stream: (function, stream name, lines).
LogWriter = Callable[[LambdaFunction, str, list[str]], None]
#: The environment that a function's role gives it: credentials, region, endpoint, trust.
RoleEnvironment = Callable[[LambdaFunction], Mapping[str, str]]


@dataclass
class _Run:
    """What one invocation gathered on its way."""

    error: dict | None = None
    result: bytes = b""
    milliseconds: float = 0.0
    init_ms: float | None = None
    memory: int = 0
    printed: str = ""
    stream: str = ""
    survived: bool = False


class Motor:
    """Owns code folders and sandboxes. `starter` forks or spawns; `spawner` always spawns."""

    def __init__(
        self,
        starter: Starter,
        spawner: Starter,
        account_limit: int,
        role_environment: RoleEnvironment,
        write_log: LogWriter,
    ) -> None:
        self.concurrency = Concurrency(account_limit)
        self._starter, self._spawner = starter, spawner
        self._role_environment, self._write_log = role_environment, write_log
        self._code = CodeStore()
        # Half as many again as can be busy: two functions under load would evict each other.
        self._pool = Pool(most=account_limit + account_limit // 2)
        self._generation = 0
        self._busy: set[Sandbox] = set()
        self._changed = threading.Condition()

    def run(
        self, function: LambdaFunction, invocation: Invocation, reserved: dict[str, int]
    ) -> Outcome:
        """One invocation, from admission to its lines in the log.

        reserved: reserved concurrency by function name.
        Raises Throttled before anything has run.
        """
        generation = self._generation
        name = function.function_name
        with (
            self.concurrency.slot(name, reserved),
            trace.hop(
                "lambda",
                "run",
                name,
                within=invocation.cause,
                by=name,
                message=invocation.request_id,
            ) as hop,
        ):
            run = self._run(function, invocation, generation)
            if run.error is None and len(run.result) > report.MAX_RESULT_BYTES:
                run.error = report.too_large(len(run.result))
            tell(hop, run, invocation)
        lines = report.lines(
            invocation.request_id,
            str(function.version),
            run.printed,
            run.milliseconds,
            function.memory_size,
            run.memory,
            run.init_ms,
        )
        if generation == self._generation:  # a reset account keeps no lines of before
            self._write_log(function, run.stream, lines)
        return Outcome(
            payload=json.dumps(run.error).encode() if run.error else run.result,
            error="Unhandled" if run.error else None,
            log="\n".join(lines),
            version=str(function.version),
        )

    def _run(self, function: LambdaFunction, invocation: Invocation, generation: int) -> _Run:
        run, key = _Run(), settings_key(function)
        sandbox = self._pool.take(function.function_arn, key)
        cold = sandbox is None
        try:
            sandbox = sandbox or self._pool.make(lambda: self._start(function))
        except (OSError, RuntimeError, zipfile.BadZipFile) as wrong:  # RuntimeError: encrypted zip
            run.error = report.failed(
                "Runtime.InvalidEntrypoint", invocation.request_id, str(wrong)
            )
            run.stream, run.printed = new_stream(function), report.last_words(run.error)
            return run
        run.stream = sandbox.stream
        with self._changed:
            self._busy.add(sandbox)
            outdated = generation != self._generation
        try:
            if outdated:  # a reset has come between, and looked for busy sandboxes too early
                sandbox.kill()
            if cold:
                self._load(sandbox, function, invocation.request_id, run)
            if run.error is None:
                self._invoke(sandbox, function, invocation, run)
        finally:
            run.printed, run.memory = sandbox.take_log(), sandbox.measure()
            self._put_away(sandbox, function.function_arn, key, generation, run.survived)
        if run.error and "stackTrace" not in run.error:  # the sandbox could not tell it itself
            run.printed += f"\n{report.last_words(run.error)}"
        return run

    def _start(self, function: LambdaFunction) -> Sandbox:
        root = self._code.folder(function.code_sha_256, zip_of(function))
        starter = self._spawner if brings_own_sdk(root) else self._starter
        return Sandbox(starter, root, new_stream(function))

    def _load(self, sandbox: Sandbox, function: LambdaFunction, request_id: str, run: _Run) -> None:
        environment = {
            **function.environment_vars,
            **self._role_environment(function),
            **runtime_environment(function, sandbox),
        }
        try:
            hello = sandbox.load({name: str(value) for name, value in environment.items()})
            run.init_ms, run.error = hello["init_ms"], hello["error"]
            if run.error:
                run.error["requestId"] = request_id
        except TimeoutError:  # AWS tries once more, within the function's own time-out
            run.init_ms = INIT_SECONDS * 1000
            run.error = report.timed_out(request_id, INIT_SECONDS)
        except SandboxEnded as ended:
            run.error = report.exited(request_id, ended.code)

    @staticmethod
    def _invoke(
        sandbox: Sandbox, function: LambdaFunction, invocation: Invocation, run: _Run
    ) -> None:
        started, seconds = time.perf_counter(), float(function.timeout)
        try:
            answer = sandbox.invoke(invocation, trace.cause().header, seconds)
            run.error, run.result = answer.error, answer.result
            run.milliseconds, run.survived = answer.milliseconds, True
        except TimeoutError:
            run.milliseconds = seconds * 1000
            run.error = report.timed_out(invocation.request_id, seconds)
        except SandboxEnded as ended:
            run.milliseconds = (time.perf_counter() - started) * 1000
            run.error = report.exited(invocation.request_id, ended.code)

    def _put_away(
        self, sandbox: Sandbox, arn: str, key: Hashable, generation: int, survived: bool
    ) -> None:
        """Keep a sandbox for the next invocation, unless it or its world has ended."""
        with self._changed:
            if survived and generation == self._generation:
                self._busy.discard(sandbox)
                self._pool.give_back(arn, key, sandbox)
                return
        sandbox.close()
        self._pool.lost()
        with self._changed:
            self._busy.discard(sandbox)
            self._changed.notify_all()

    def reset(self) -> None:
        """Forget everything: running invocations end, their results go nowhere."""
        with self._changed:
            self._generation += 1
            busy = list(self._busy)
        for sandbox in busy:
            sandbox.kill()
        self._pool.close()
        self._code.clear()

    def close(self) -> None:
        """End all processes and remove all files."""
        self.reset()
        with self._changed:  # whose invocation was ended removes its own files
            self._changed.wait_for(lambda: not self._busy, timeout=CLOSE_SECONDS)
        self._starter.close()
        self._spawner.close()
        self._code.close()


def settings_key(function: LambdaFunction) -> Hashable:
    """What a warm sandbox must agree in with the function to be used again.

    Every update of code or configuration sets LastModified (see `hooks`), and a function that was
    deleted and made anew has another one.
    """
    return function.code_sha_256, function.last_modified


def zip_of(function: LambdaFunction) -> bytes:
    """The uploaded code. Raises OSError for a function that has none."""
    if function.package_type != "Zip":
        raise OSError(
            f"{function.function_name} is packed as {function.package_type}; the mock runs .zip "
            "packages only. Create it with Code={'ZipFile': ...} or from S3."
        )
    return function.code_bytes


def new_stream(function: LambdaFunction) -> str:
    """A log stream's name, one for each sandbox: date, version and something unique."""
    return f"{utcnow():%Y/%m/%d}/[{function.version}]{uuid.uuid4().hex}"


def runtime_environment(function: LambdaFunction, sandbox: Sandbox) -> dict[str, str]:
    """The reserved variables. Source: Lambda guide, "Defined runtime environment variables"."""
    return {
        "_HANDLER": function.handler or "",
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{function.run_time}",
        "AWS_LAMBDA_FUNCTION_NAME": function.function_name,
        "AWS_LAMBDA_FUNCTION_VERSION": str(function.version),
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_size),
        "AWS_LAMBDA_LOG_GROUP_NAME": function.logs_group_name,
        "AWS_LAMBDA_LOG_STREAM_NAME": sandbox.stream,
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "LAMBDA_TASK_ROOT": str(sandbox.root),
        "TMPDIR": str(sandbox.folder),
        "TZ": ":UTC",
    }


def tell(hop: trace.Hop, run: _Run, invocation: Invocation) -> None:
    """What the trace says of a run: cold or warm, which try, and its error."""
    start = "warm" if run.init_ms is None else f"cold start, {run.init_ms:.0f} ms to load"
    remarks = start if invocation.attempt == 1 else f"{start}, try {invocation.attempt}"
    if run.error:
        hop.fail("failed", run.error["errorType"], f"{run.error['errorMessage']} ({remarks})")
    else:
        hop.detail = remarks
