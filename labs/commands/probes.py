"""What `labs doctor` looks at. Each probe is a function without arguments that returns a Finding.

To add one, write it and put it into PROBES. Before the environment exists only the standard library
can be imported: a probe imports anything else inside itself.
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from labs.commands import environment_setup
from labs.commands.folders import environment_folder, personal_folder, writable

MOCK_CALL_SECONDS = 60  # a cold disk reads moto and botocore for a while
MOCK_CALL = """
from labs import cloud
with cloud.connect(lesson="doctor") as aws:
    print(aws.client("sts").get_caller_identity()["Arn"])
"""
MESSAGE = """
from labs import cloud
from labs.pubsub import deploy, slack
with cloud.connect(lesson="doctor") as aws:
    print(slack.post(deploy.deploy(aws.session, aws.name).url, "well").json()["text"])
"""


@dataclass(frozen=True)
class Finding:
    """One line of the report. `advice` says what to do when it is not well."""

    what: str
    found: str
    well: bool = True
    essential: bool = True  # without it no lesson runs
    advice: str = ""


def python() -> Finding:
    """Which Python this is. One that is too old never gets here."""
    version = ".".join(map(str, sys.version_info[:3]))
    bits = "64-bit" if sys.maxsize > 2**32 else "32-bit"
    advice = "Install a 64-bit Python: several packages exist only for that."
    return Finding("Python", f"{version}, {bits}, {sys.executable}", bits == "64-bit", True, advice)


def course_environment() -> Finding:
    """Is the environment there, complete, and of today's lock?"""
    running, own = Path(sys.prefix), environment_folder()
    for environment in (running, own):
        if environment_setup.ready(environment):
            return Finding("Environment", f"{environment}, as requirements.lock says")
    state = "out of date or half made" if own.exists() else "not made yet"
    advice = "python3 -m labs lab makes it anew (about a minute, needs the network)."
    return Finding("Environment", f"{own}: {state}", False, True, advice)


def jupyterlab() -> Finding:
    """Is JupyterLab installed where we run?"""
    from importlib import metadata

    try:
        return Finding("JupyterLab", metadata.version("jupyterlab"))
    except metadata.PackageNotFoundError:
        advice = "It comes with the environment: python3 -m labs lab"
        return Finding("JupyterLab", "not installed in this Python", False, True, advice)


def loopback() -> Finding:
    """Can a program here talk to another one on this machine?"""
    advice = "A firewall or security program blocks 127.0.0.1: allow Python to use it."
    try:
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
            with socket.create_connection(("127.0.0.1", port), timeout=5):
                return Finding("Ports", f"loopback answers (tried port {port})")
    except OSError as error:
        return Finding("Ports", f"loopback does not answer: {error}", False, True, advice)


def child_processes() -> Finding:
    """Can Python start Python?"""
    advice = "A security program may forbid Python to start processes: allow it."
    try:
        subprocess.run([sys.executable, "-c", ""], check=True, timeout=30)
    except (OSError, subprocess.SubprocessError) as error:
        return Finding("Child processes", str(error), False, True, advice)
    return Finding("Child processes", "Python can start Python")


def memory() -> Finding:
    """Is there enough memory for JupyterLab, one lesson and its mock?"""
    import psutil

    free = psutil.virtual_memory().available / 1e9
    advice = "Close other programs, or set LABS_SIZE=small. A lesson needs about 1 GB."
    return Finding("Memory", f"{free:.1f} GB free", free > 1.0, False, advice)


def temporary_disk() -> Finding:
    """Is there room for uploaded functions, logs and figures?"""
    folder = tempfile.gettempdir()
    free = shutil.disk_usage(folder).free / 1e9
    advice = "Make room, or set TMPDIR (on Windows TEMP) to a folder on another disk."
    return Finding("Temporary files", f"{free:.1f} GB free in {folder}", free > 0.5, True, advice)


def own_files() -> Finding:
    """Can the learner's copies be written?"""
    folder = personal_folder()
    there = next(parent for parent in (folder, *folder.parents) if parent.is_dir())
    advice = "Set LABS_HOME to a folder you can write to."
    return Finding("Your lessons", str(folder), writable(there), True, advice)


def size() -> Finding:
    """How big the experiments are on this machine."""
    ask = "from labs.cloud.settings import size; print(size().name)"
    try:
        name = answer_of(ask, seconds=MOCK_CALL_SECONDS)
    except (OSError, subprocess.SubprocessError) as error:
        advice = "LABS_SIZE takes small, default or full."
        return Finding("Size", last_words(error), False, True, advice)
    chosen = "LABS_SIZE says so" if os.environ.get("LABS_SIZE") else "chosen for this machine"
    return Finding("Size", f"{name} ({chosen})")


def mock_call() -> Finding:
    """One AWS call, answered by the mock, end to end in a process of its own."""
    advice = "If the rest is well, please report this with the output of `labs doctor`."
    try:
        arn = answer_of(MOCK_CALL, seconds=MOCK_CALL_SECONDS)
    except (OSError, subprocess.SubprocessError) as error:
        return Finding("Mock cloud", last_words(error), False, True, advice)
    return Finding("Mock cloud", f"answers as {arn}")


def whole_path() -> Finding:
    """One message through HTTPS, API Gateway, a Lambda sandbox and DynamoDB."""
    advice = (
        "A security program may stop Lambda sandboxes: try again with LABS_SANDBOX=spawn, "
        "and please report this with the output of `labs doctor`."
    )
    try:
        answer = answer_of(MESSAGE, seconds=2 * MOCK_CALL_SECONDS)
    except (OSError, subprocess.SubprocessError) as error:
        return Finding("One message", last_words(error), False, True, advice)
    expected = "well: 1"
    found = f"answered {answer!r}, expected {expected!r}" if answer != expected else "answered"
    return Finding("One message", f"{found}, over HTTPS", answer == expected, True, advice)


def answer_of(code: str, *, seconds: float) -> str:
    """What this code prints, in a new process in mock mode. Raises SubprocessError, OSError."""
    environ = {**os.environ, "LABS_MODE": "mock"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        timeout=seconds,
        env=environ,
    )
    return done.stdout.strip()


def last_words(error: Exception) -> str:
    """The last line that a failed process said, or the error itself."""
    said = (getattr(error, "stderr", None) or "").strip().splitlines()
    return said[-1] if said else str(error)


#: Looked at in this order, always.
PROBES: list[Callable[[], Finding]] = [
    python,
    course_environment,
    loopback,
    child_processes,
    temporary_disk,
    own_files,
]

#: Looked at only inside a ready environment.
PROBES_INSIDE: list[Callable[[], Finding]] = [
    jupyterlab,
    memory,
    size,
    mock_call,
    whole_path,
]
