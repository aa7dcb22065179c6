"""The text that a run leaves in its log: START, prints, END, REPORT; and AWS's error objects.

Source: Lambda guide, "Log and monitor Python Lambda functions" and "Troubleshoot invocation
issues".
"""

import signal
import time

TAIL_BYTES = 4096  # of LogResult. Source: Lambda API, Invoke, LogType=Tail
TIMED_OUT = "Sandbox.Timedout"
MAX_RESULT_BYTES = 6_291_556  # Source: Lambda API, quota named in Function.ResponseSizeTooLarge


def lines(
    request_id: str,
    version: str,
    printed: str,
    milliseconds: float,
    memory_size: int,
    memory_used: int,
    init_ms: float | None,
) -> list[str]:
    """One log event a line; a line's inner breaks are carriage returns in `printed`, as on AWS."""
    report = (
        f"REPORT RequestId: {request_id}\tDuration: {milliseconds:.2f} ms\t"
        f"Billed Duration: {billed(milliseconds, init_ms)} ms\tMemory Size: {memory_size} MB\t"
        f"Max Memory Used: {memory_used >> 20} MB\t"
    )
    if init_ms is not None:
        report += f"Init Duration: {init_ms:.2f} ms\t"
    return [
        f"START RequestId: {request_id} Version: {version}",
        *(line.replace("\r", "\n") for line in printed.split("\n") if line),
        f"END RequestId: {request_id}",
        report,
    ]


def billed(milliseconds: float, init_ms: float | None) -> int:
    """Whole milliseconds, INIT included (billed since August 2025: AWS Compute Blog)."""
    return -int(-(milliseconds + (init_ms or 0)) // 1)


def timed_out(request_id: str, seconds: float) -> dict:
    return failed(TIMED_OUT, request_id, f"Task timed out after {seconds:.2f} seconds")


def exited(request_id: str, code: int | None) -> dict:
    """The process ended: `code` is its exit status, negative for a signal, None if unknown."""
    if code is None or code == 0:
        how = "exited without providing a reason"
    elif code < 0:
        how = f"exited with error: signal: {signal_name(-code)}"
    else:
        how = f"exited with error: exit status {code}"
    return failed("Runtime.ExitError", request_id, f"Runtime {how}")


def failed(error_type: str, request_id: str, message: str) -> dict:
    """AWS's error object for a sandbox that could not finish, or not even start."""
    return {"errorType": error_type, "errorMessage": f"RequestId: {request_id} Error: {message}"}


def last_words(error: dict) -> str:
    """What the log says of a sandbox's end: one line, so one event."""
    head, _, message = error["errorMessage"].partition(" Error: ")
    if error["errorType"] == TIMED_OUT:
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())
        return f"{stamp} {head.removeprefix('RequestId: ')} {message}"
    return f"{error['errorMessage']}\r{error['errorType']}"


def too_large(size: int) -> dict:
    return {
        "errorType": "Function.ResponseSizeTooLarge",
        "errorMessage": f"Response payload size ({size} bytes) exceeded maximum allowed payload "
        f"size ({MAX_RESULT_BYTES} bytes).",
    }


def signal_name(number: int) -> str:
    """As AWS names it: "killed", "segmentation fault"."""
    try:
        name = signal.strsignal(number)
    except ValueError:
        name = None
    return (name or str(number)).partition(":")[0].lower()  # macOS says "Killed: 9"
