"""Starts and ends the JupyterLab of the course."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

STOP_SECONDS = 20  # kernels get 5 s each to end by themselves, at the same time
CONFIGURATION = Path(__file__).with_name("jupyter_config")  # no news, no search for updates


def options(root: Path, more: Sequence[str] = ()) -> list[str]:
    """How the course runs JupyterLab: on loopback, quiet, rooted in one folder.

    An option in `more` replaces ours of the same name: Jupyter takes each only once.
    """
    chosen = [
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.root_dir={root}",
        "--LabApp.extension_manager=readonly",
        "--Application.log_level=WARN",
    ]
    if os.name == "posix":
        chosen.append("--KernelManager.transport=ipc")  # no kernel port that others could find
        if os.geteuid() == 0:
            chosen.append("--ServerApp.allow_root=True")  # containers; it listens on loopback only
    theirs = {option.partition("=")[0] for option in more}
    return [option for option in chosen if option.partition("=")[0] not in theirs] + [*more]


@contextmanager
def running(
    options: Sequence[str], environ: Mapping[str, str], output: IO[bytes] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """JupyterLab as a child that ends, with its kernels, when the block does.

    `environ` is its whole environment; `output` takes its log instead of this terminal. Its own
    session keeps Ctrl-C from it: the owner decides, and Jupyter need not ask on the terminal.
    """
    child = subprocess.Popen(
        [sys.executable, "-m", "labs.commands.server", *options],
        env={**environ, "JUPYTER_CONFIG_PATH": configuration_path(environ)},
        stdin=subprocess.PIPE,
        stdout=output,
        stderr=output,
        **own_group(),
    )
    try:
        yield child
    finally:
        stop(child)


def configuration_path(environ: Mapping[str, str]) -> str:
    """Our folder of defaults before the user's folders."""
    theirs = environ.get("JUPYTER_CONFIG_PATH", "").split(os.pathsep)
    return os.pathsep.join([str(CONFIGURATION), *filter(None, theirs)])


def own_group() -> dict:
    """Arguments of Popen that keep this terminal's Ctrl-C from the child."""
    if os.name == "nt":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"start_new_session": True}


def stop(child: subprocess.Popen[bytes]) -> None:
    """Close the child's pipe and wait; a child that does not go, or a second Ctrl-C, kills it."""
    child.stdin.close()
    try:
        child.wait(STOP_SECONDS)
    except BaseException as reason:
        child.kill()
        child.wait()
        if not isinstance(reason, subprocess.TimeoutExpired):
            raise
