"""Starts the mock as a process of its own and ends it with this one."""

import atexit
import contextlib
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import requests

from labs.cloud.mock.functions.starters import new_process_group

START_SECONDS = 60


class MockFailed(RuntimeError):
    """The mock did not start, or has gone. The message ends with the last lines of its log."""


class MockProcess:
    """A running mock that belongs to this process.

    endpoint_url: where the AWS API is; known to be ours, since the mock itself told it.
    """

    def __init__(self, folder: Path) -> None:
        """Start it and wait until it answers. Raises MockFailed."""
        self._log = folder / "mock.log"
        self._owner = os.getpid()
        me = psutil.Process()
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "labs.cloud.mock",
                    f"--parent={me.pid}:{me.create_time()}",
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                **new_process_group(),
            )
        atexit.register(self.stop)
        self._hello = self._first_line()
        self.endpoint_url: str = self._hello["endpoint_url"]
        self.pid = self._process.pid

    def _first_line(self) -> dict[str, str]:
        watchdog = threading.Timer(START_SECONDS, self._process.kill)
        watchdog.start()
        try:
            return json.loads(self._process.stdout.readline())
        except ValueError:
            raise MockFailed(f"The mock cloud did not start.\n{self._last_words()}") from None
        finally:
            watchdog.cancel()

    def is_running(self) -> bool:
        return self._process.poll() is None

    def reset(self) -> None:
        """An empty account again. Raises MockFailed."""
        try:
            requests.post(f"{self.endpoint_url}/moto-api/reset", timeout=30).raise_for_status()
        except requests.RequestException as wrong:
            raise MockFailed(
                f"The mock cloud does not answer: {wrong}\n{self._last_words()}"
            ) from None

    def stop(self) -> None:
        """End it and everything it started. A forked child leaves its parent's mock alone."""
        if os.getpid() != self._owner:
            return
        atexit.unregister(self.stop)
        self._process.terminate()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                pipe.close()

    def _last_words(self) -> str:
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-15:])
