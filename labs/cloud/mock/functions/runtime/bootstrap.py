"""The inside of a Lambda sandbox: load the handler, then answer one event after another.

Forked by `zygote.py`, or started as `python bootstrap.py PORT TOKEN`. It knows nothing of the
mock but a socket. It sends its pid; then comes a frame with the settings (environment, folder of
the code, log file), answered when the handler is loaded; then for each invocation a frame with
the request's facts and one with the event. The answer is a frame with `error` (AWS's error object
or null) and one with the result as JSON.

Error types and texts are those of AWS's Python runtime, as its open-source runtime interface
client (PyPI: awslambdaric) produces them.
"""

import importlib
import importlib.machinery
import json
import logging
import os
import pathlib
import signal
import socket
import sys
import sysconfig
import threading
import time
import traceback

import frames

#: Python packages that AWS ships with its Python runtimes: the SDK and what it needs.
RUNTIME_LIBRARIES = frozenset(
    ["boto3", "botocore", "dateutil", "jmespath", "s3transfer", "six", "urllib3"]
)


class Context:
    """The handler's second argument. Source: Lambda guide, "Python context object"."""

    identity = None
    client_context = None

    def __init__(self, request: dict) -> None:
        self.aws_request_id = request["id"]
        self.invoked_function_arn = request["arn"]
        self._deadline = request["deadline"]
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = os.environ["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self._deadline - time.time()) * 1000))


class RuntimeLibraries:
    """Finds the packages that AWS ships, and hides the rest of this machine's from the function.

    A function that imports `requests` without packing it fails on AWS; so it must fail here.
    """

    def __init__(self, folders: list) -> None:
        self._folders = folders

    def find_spec(self, name, path=None, target=None):  # type: ignore[no-untyped-def]
        if name.partition(".")[0] in RUNTIME_LIBRARIES:
            return importlib.machinery.PathFinder.find_spec(name, path or self._folders)
        return None


def is_standard_library(entry: str) -> bool:
    """Whether an entry of sys.path has Python's own modules (compiled ones lie apart), no more."""
    standard = {os.path.realpath(sysconfig.get_path(kind)) for kind in ("stdlib", "platstdlib")}
    name = pathlib.Path(entry).name
    return (
        os.path.realpath(entry) in standard
        or name in ("lib-dynload", "DLLs")
        or (name.startswith("python") and name.endswith(".zip"))
    )


def use_lambda_import_path(root: str) -> None:
    """Import from the function's own folder, the standard library, and AWS's libraries only."""
    kept = [entry for entry in sys.path if is_standard_library(entry)]
    hidden = [entry for entry in sys.path if entry not in kept and entry]
    sys.path[:] = [root, *kept]
    for ours in ("bootstrap", "frames"):  # a function may have modules of these names
        sys.modules.pop(ours, None)
    standard = (
        importlib.machinery.BuiltinImporter,
        importlib.machinery.FrozenImporter,
        importlib.machinery.PathFinder,
    )
    sys.meta_path[:] = [finder for finder in sys.meta_path if finder in standard]
    sys.meta_path.append(RuntimeLibraries(hidden))


class LogHandler(logging.Handler):
    """`logging` in a function: a line with level, time and request id, as AWS formats it."""

    request_id = ""

    def emit(self, record: logging.LogRecord) -> None:
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        text = self.format(record).replace("\n", "\r")  # one event, however many lines
        print(f"[{record.levelname}]\t{stamp}.{int(record.msecs):03d}Z\t{self.request_id}\t{text}")


def error(kind: str, message: str, trace: list | None = None, request_id: str = "") -> dict:
    """AWS's error object for a failed invocation."""
    return {
        "errorMessage": message,
        "errorType": kind,
        "requestId": request_id,
        "stackTrace": trace or [],
    }


def load(name: str):  # type: ignore[no-untyped-def]
    """The handler function named "file.function", or AWS's error object saying why not."""
    try:
        module_name, function_name = name.rsplit(".", 1)
    except ValueError as wrong:
        return None, error("Runtime.MalformedHandlerName", f"Bad handler '{name}': {wrong}")
    try:
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as wrong:
        message = f"Unable to import module '{module_name}': {wrong}"
        return None, error("Runtime.ImportModuleError", message)
    except SyntaxError as wrong:
        where = f'  File "{wrong.filename}" Line {wrong.lineno}\n    {wrong.text}'
        message = f"Syntax error in module '{module_name}': {wrong}"
        return None, error("Runtime.UserCodeSyntaxError", message, [where])
    except Exception as wrong:
        return None, error(
            type(wrong).__name__, str(wrong), traceback.format_tb(wrong.__traceback__)
        )
    try:
        return getattr(module, function_name), None
    except AttributeError:
        message = f"Handler '{function_name}' missing on module '{module_name}'"
        return None, error("Runtime.HandlerNotFound", message)


def run(handler, event: bytes, request: dict):  # type: ignore[no-untyped-def]
    """(error object or None, result as JSON bytes). SystemExit passes: it ends the sandbox."""
    rid = request["id"]
    try:
        arguments = json.loads(event), Context(request)
    except ValueError as wrong:
        return error("Runtime.UnmarshalError", f"Unable to unmarshal input: {wrong}", [], rid), b""
    try:
        result = handler(*arguments)
    except Exception as wrong:
        trace = traceback.format_tb(wrong.__traceback__)[1:]  # without this file's own line
        return error(type(wrong).__name__, str(wrong), trace, rid), b""
    try:
        return None, to_json(result)
    except Exception as wrong:
        message = f"Unable to marshal response: {wrong}"
        return error("Runtime.MarshalError", message, [], rid), b""


def to_json(result) -> bytes:  # type: ignore[no-untyped-def]
    """As AWS's runtime does: numbers of DynamoDB (Decimal) too, and since 3.12 text unescaped."""
    escape = os.environ.get("AWS_EXECUTION_ENV") == "AWS_Lambda_python3.11"
    return json.dumps(result, default=number, ensure_ascii=escape).encode()


def number(value):  # type: ignore[no-untyped-def]
    """A Decimal as JSON's encoder wants it. Raises TypeError, worded as the encoder would."""
    decimal = sys.modules.get("decimal")  # who has a Decimal has imported it
    if decimal and isinstance(value, decimal.Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def tell(failure: dict) -> None:
    """Write an error to the log the way AWS does: one event, the trace below the message."""
    lines = [f"[ERROR] {failure['errorType']}: {failure['errorMessage']}"]
    if failure["stackTrace"]:
        lines += ["Traceback (most recent call last):", *failure["stackTrace"]]
    print("\r".join(line.rstrip("\n").replace("\n", "\r") for line in lines))


def redirect_output(path: str) -> None:
    """All that the function and its children write goes to the log file, none of it elsewhere."""
    log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    null = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((null, 0), (log, 1), (log, 2)):
        os.dup2(source, target)
    for descriptor in (log, null):
        if descriptor > 2:
            os.close(descriptor)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stdout = sys.stderr = open(  # noqa: SIM115
        1, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False
    )  # line by line: a time-out or os._exit must not lose what was printed before


def serve(connection: socket.socket) -> None:
    """Answer until the mock closes the connection. Never returns: ends the process."""
    try:
        frames.send(connection, str(os.getpid()).encode())
        settings = json.loads(frames.receive(connection))
        redirect_output(settings["log"])
        os.environ.clear()
        os.environ.update(settings["environment"])
        if hasattr(time, "tzset"):
            time.tzset()
        os.chdir(settings["root"])
        use_lambda_import_path(settings["root"])
        log_handler = LogHandler()
        logging.getLogger().addHandler(log_handler)
        started = time.perf_counter()
        handler, failure = load(os.environ["_HANDLER"])
        if failure:
            tell(failure)
        sys.stdout.flush()
        spent = (time.perf_counter() - started) * 1000
        hello = {"init_ms": spent, "error": failure}
        frames.send(connection, json.dumps(hello).encode())
        while True:
            request = json.loads(frames.receive(connection))
            event = frames.receive(connection)
            log_handler.request_id = request["id"]
            os.environ["_X_AMZN_TRACE_ID"] = request["trace"]
            started = time.perf_counter()
            failure, result = run(handler, event, request)
            if failure:
                tell(failure)
            sys.stdout.flush()
            answer = {"error": failure, "ms": (time.perf_counter() - started) * 1000}
            frames.send(connection, json.dumps(answer).encode(), result)
    except (EOFError, ConnectionError):
        os._exit(0)
    except SystemExit as leave:
        sys.stdout.flush()
        os._exit(leave.code if isinstance(leave.code, int) else int(leave.code is not None))


def end_with_the_mock(lifeline: int) -> None:
    """Wait for the end of a pipe that only the mock holds open, then take everything down.

    A handler in an endless loop would otherwise outlive a mock that was killed. The zygote does
    the same for the sandboxes that it forked.
    """
    while os.read(lifeline, 1):
        continue
    if hasattr(os, "killpg"):
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


def main(port: str, token: str) -> None:
    """Call the mock back: works where descriptors cannot be handed to a child (Windows)."""
    lifeline = os.dup(0)
    threading.Thread(target=end_with_the_mock, args=(lifeline,), daemon=True).start()
    connection = socket.create_connection(("127.0.0.1", int(port)), timeout=10)
    connection.settimeout(None)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    frames.send(connection, token.encode())
    serve(connection)


if __name__ == "__main__":
    main(*sys.argv[1:])
