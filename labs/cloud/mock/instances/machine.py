"""One instance's software: its user data as a process, started and ended as often as EC2 says.

cloud-init runs user data once, at the first boot. The mock runs it at every boot: what a reboot
ends on AWS comes back because somebody made a service of it (systemd), or told cloud-init to run
scripts always; a script of 60 lines has neither, and would be gone.
Source: Amazon EC2 User Guide, "Run commands when you launch an EC2 instance with user data input";
cloud-init's documentation, module "Scripts User" (frequency: once per instance).
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil

from labs.cloud import names
from labs.cloud.mock.functions.starters import kill_tree, new_process_group
from labs.cloud.mock.instances import user_data

#: Bytes of console output that are kept. Source: EC2 API, GetConsoleOutput.
CONSOLE_BYTES = 65_536
#: Seconds between asking the script's processes to end and ending them.
GRACE = 2.0
#: What a process gets of this machine's environment: how to find programs and libraries.
_KEPT = ("LD_LIBRARY_PATH", "SYSTEMROOT")
#: What it gets of mock mode: where names lead, and whom to trust.
_OURS = ("LABS_ADDRESS_BOOK", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "AWS_CA_BUNDLE")


class Console:
    """What an instance wrote, and what the mock says of it: the latest 64 kB."""

    def __init__(self) -> None:
        self._text = b""
        self._lock = threading.Lock()

    def write(self, data: bytes) -> None:
        with self._lock:
            self._text = (self._text + data)[-CONSOLE_BYTES:]

    def note(self, text: str) -> None:
        """A line of the mock's own."""
        self.write(f"[mock] {text}\n".encode())

    def read(self) -> bytes:
        return self._text


class Machine:
    """Boots and shuts down in the background, in the order of the calls.

    identity: what `labs_instance` wants in LABS_INSTANCE.
    changed:  called when its script has ended.
    hang_up:  ends those of its processes that left the script's group.
    """

    def __init__(
        self,
        instance_id: str,
        identity: Mapping[str, Any],
        environ: Mapping[str, str],
        changed: Callable[[], None],
        hang_up: Callable[[], None],
    ) -> None:
        self.console = Console()
        self._id, self._changed, self._hang_up = instance_id, changed, hang_up
        self._folder = Path(tempfile.mkdtemp(prefix=f"{instance_id}-"))
        for name in ("root", "tmp"):
            (self._folder / name).mkdir()
        self._environ = environment(instance_id, identity, environ, self._folder)
        self._process: subprocess.Popen | None = None
        self._jobs = ThreadPoolExecutor(1, thread_name_prefix=instance_id)
        self._hurry = threading.Event()
        self._lock = threading.Lock()

    def boot(self, data: bytes) -> None:
        """Run this user data, if it is a Python script."""
        self._jobs.submit(self._boot, data)

    def shut_down(self) -> None:
        """End what runs: asked first, then made to."""
        self._jobs.submit(self._end)

    def retire(self) -> None:
        """Shut down, wait for it, and remove its files."""
        self.shut_down()
        self._jobs.shutdown()
        shutil.rmtree(self._folder, ignore_errors=True)

    def close(self) -> None:
        """End what runs at once, and remove its files. Twice does no harm."""
        self._hurry.set()
        self._jobs.shutdown(cancel_futures=True)
        self._end()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _boot(self, data: bytes) -> None:
        if reason := user_data.why_not(data):
            self.console.note(f"{reason}, so nothing was executed. The instance is running.")
            return
        with self._lock:
            if self._hurry.is_set():
                return
            script = self._folder / "user-data"
            script.write_bytes(data)
            self._process = subprocess.Popen(
                [sys.executable, str(script)],
                cwd=self._folder / "root",
                env=self._environ,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                **new_process_group(),
            )
        threading.Thread(
            target=self._watch, args=(self._process,), name=f"{self._id}-console", daemon=True
        ).start()

    def _watch(self, process: subprocess.Popen) -> None:
        """Keep what the script and its children write, until all of them have ended."""
        with process.stdout as output:
            while data := output.read1(CONSOLE_BYTES):
                self.console.write(data)
        code = process.wait()
        if code < 0:
            self.console.note(f"The user data's processes were ended (signal {-code}).")
        else:
            self.console.note(f"The user data's processes have ended (exit code {code}).")
        self._changed()

    def _end(self) -> None:
        with self._lock:
            process, self._process = self._process, None
        if process is None:
            return
        if os.name == "posix":
            signal_group(process, signal.SIGTERM)
            waiting = GRACE
            while waiting > 0 and process.poll() is None and not self._hurry.wait(0.02):
                waiting -= 0.02
            signal_group(process, signal.SIGKILL)
        else:
            kill_tree(process.pid)
        process.wait()
        self._hang_up()


def signal_group(process: subprocess.Popen, number: int) -> None:
    """Send a signal to a group leader and its group, whether or not the leader still lives.

    A number that a group still uses is no new process's. So where the leader has been waited for
    and its number is a process's all the same, the group has ended and the number is another's.
    """
    if process.poll() is not None and psutil.pid_exists(process.pid):
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def environment(
    instance_id: str, identity: Mapping[str, Any], environ: Mapping[str, str], folder: Path
) -> dict[str, str]:
    """The environment of an instance's processes: its own, and little of this machine's.

    No AWS_ variable: keys come from the metadata service, if there is an instance profile, and
    AWS's names lead to the mock.
    """
    home, temporary = str(folder / "root"), str(folder / "tmp")
    return {
        **{name: os.environ[name] for name in _KEPT if name in os.environ},
        **{name: environ[name] for name in _OURS if name in environ},
        "PATH": os.pathsep.join([sysconfig.get_path("scripts"), os.defpath]),
        "LANG": "C.UTF-8",
        "HOME": home,
        "USERPROFILE": home,
        "TMPDIR": temporary,
        "TEMP": temporary,
        "PYTHONPATH": str(names.FOLDER),
        "PYTHONUNBUFFERED": "1",  # or the console shows prints when the script has ended
        "PYTHONIOENCODING": "utf-8:backslashreplace",
        "LABS_CALLER": instance_id,
        "LABS_INSTANCE": json.dumps(identity),
    }
