"""Runs one event in a sandbox of the function: the road that every invocation takes.

Callers say which function (moto's record of it) and which event; where the event came from and
what happens to the result is theirs to decide.
"""

import json
import threading
import time
import uuid
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from moto.awslambda.models import LambdaFunction
from moto.core.utils import utcnow

from labs.cloud.mock.functions import report
from labs.cloud.mock.functions.code import CodeStore, brings_own_sdk
from labs.cloud.mock.functions.concurrency import Concurrency
from labs.cloud.mock.functions.contract import Outcome
from labs.cloud.mock.functions.pool import Pool
from labs.cloud.mock.functions.sandbox import INIT_SECONDS, Sandbox, SandboxEnded
from labs.cloud.mock.functions.starters import Starter

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
        self._pool = Pool(most=account_limit)
        self._generation = 0
        self._busy: set[Sandbox] = set()
        self._lock = threading.Lock()

    def run(self, function: LambdaFunction, event: bytes, reserved: dict[str, int]) -> Outcome:
        """One invocation, from admission to its lines in the log.

        event: JSON. reserved: reserved concurrency by function name.
        Raises Throttled before anything has run.
        """
        request_id = str(uuid.uuid4())
        generation = self._generation
        with self.concurrency.slot(function.function_name, reserved):
            run = self._run(function, event, request_id)
        if run.error is None and len(run.result) > report.MAX_RESULT_BYTES:
            run.error = report.too_large(len(run.result))
        lines = report.lines(
            request_id,
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

    def _run(self, function: LambdaFunction, event: bytes, request_id: str) -> _Run:
        run, key = _Run(), settings_key(function)
        try:
            sandbox = self._pool.take(function.function_arn, key) or self._pool.make(
                lambda: self._start(function, request_id, run)
            )
        except (OSError, zipfile.BadZipFile) as wrong:
            run.error = {
                "errorType": "Runtime.InvalidEntrypoint",
                "errorMessage": f"RequestId: {request_id} Error: {wrong}",
            }
            return run
        run.stream = sandbox.stream
        with self._lock:
            self._busy.add(sandbox)
        try:
            if run.error is None:
                self._invoke(sandbox, function, event, request_id, run)
        finally:
            with self._lock:
                self._busy.discard(sandbox)
            run.printed += sandbox.take_log()
            if run.survived:
                run.memory = sandbox.measure()
                self._pool.give_back(function.function_arn, key, sandbox)
            else:
                run.memory = sandbox.peak_memory
                sandbox.close()
                self._pool.lost()
        if run.error and not run.survived:
            run.printed += _last_words(run.error)
        return run

    def _start(self, function: LambdaFunction, request_id: str, run: _Run) -> Sandbox:
        root = self._code.folder(function.code_sha_256, function.code_bytes)
        sandbox = Sandbox(self._spawner if brings_own_sdk(root) else self._starter)
        sandbox.stream = f"{utcnow():%Y/%m/%d}/[{function.version}]{uuid.uuid4().hex}"
        environment = {
            **function.environment_vars,
            **self._role_environment(function),
            **runtime_environment(function, str(root), sandbox),
        }
        try:
            hello = sandbox.load({k: str(v) for k, v in environment.items()}, root)
            run.init_ms, run.error = hello["init_ms"], hello["error"]
            if run.error:
                run.error["requestId"] = request_id
        except TimeoutError:
            run.init_ms = INIT_SECONDS * 1000
            run.error = report.timed_out(request_id, INIT_SECONDS)
        except SandboxEnded as ended:
            run.error = report.exited(request_id, ended.code)
        return sandbox

    @staticmethod
    def _invoke(
        sandbox: Sandbox, function: LambdaFunction, event: bytes, request_id: str, run: _Run
    ) -> None:
        started = time.perf_counter()
        try:
            answer = sandbox.invoke(
                event, request_id, function.function_arn, trace_id(), float(function.timeout)
            )
            run.error, run.result = answer.error, answer.result
            run.milliseconds, run.survived = answer.milliseconds, True
        except TimeoutError:
            run.milliseconds = float(function.timeout) * 1000
            run.error = report.timed_out(request_id, float(function.timeout))
        except SandboxEnded as ended:
            run.milliseconds = (time.perf_counter() - started) * 1000
            run.error = report.exited(request_id, ended.code)

    def reset(self) -> None:
        """Forget everything: running invocations end, their results go nowhere."""
        self._generation += 1
        with self._lock:
            busy = list(self._busy)
        for sandbox in busy:
            sandbox.kill()
        self._pool.close()
        self._code.clear()

    def close(self) -> None:
        """End all processes and remove all files."""
        self.reset()
        self._starter.close()
        self._spawner.close()
        self._code.close()


def settings_key(function: LambdaFunction) -> tuple[Any, ...]:
    """What a warm sandbox must agree in with the function to be used again."""
    return (
        function.code_sha_256,
        function.handler,
        function.role,
        function.run_time,
        function.memory_size,
        function.timeout,
        tuple(sorted(function.environment_vars.items())),
    )


def runtime_environment(function: LambdaFunction, root: str, sandbox: Sandbox) -> dict[str, str]:
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
        "LAMBDA_TASK_ROOT": root,
        "TMPDIR": str(sandbox.folder),
        "TZ": ":UTC",
    }


def trace_id() -> str:
    """An X-Ray trace header's root. Source: X-Ray guide, "Tracing header"."""
    return f"Root=1-{int(time.time()):08x}-{uuid.uuid4().hex[:24]}"


def _last_words(error: dict) -> str:
    """What the log says of a sandbox that was stopped or ended by itself."""
    return "" if error.get("stackTrace") is not None else f"{error['errorMessage']}\n"
