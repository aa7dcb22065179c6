"""The text that a run leaves in its log: START, prints, END, REPORT; and AWS's error objects.

Source: Lambda guide, "Log and monitor Python Lambda functions" and "Troubleshoot invocation
issues".
"""

import signal

TAIL_BYTES = 4096  # of LogResult. Source: Lambda API, Invoke, LogType=Tail
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
    message = f"RequestId: {request_id} Error: Task timed out after {seconds:.2f} seconds"
    return {"errorType": "Sandbox.Timedout", "errorMessage": message}


def exited(request_id: str, code: int | None) -> dict:
    """The process ended: `code` is its exit status, negative for a signal, None if unknown."""
    if code is None or code == 0:
        how = "exited without providing a reason"
    elif code < 0:
        how = f"exited with error: signal: {signal_name(-code)}"
    else:
        how = f"exited with error: exit status {code}"
    return {
        "errorType": "Runtime.ExitError",
        "errorMessage": f"RequestId: {request_id} Error: Runtime {how}",
    }


def too_large(size: int) -> dict:
    return {
        "errorType": "Function.ResponseSizeTooLarge",
        "errorMessage": f"Response payload size ({size} bytes) exceeded maximum allowed payload "
        f"size ({MAX_RESULT_BYTES} bytes).",
    }


def signal_name(number: int) -> str:
    try:
        name = signal.strsignal(number)
    except ValueError:
        name = None
    return (name or str(number)).lower()
