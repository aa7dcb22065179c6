"""`labs lab`: open the course in JupyterLab, in the mock's environment.

No notebook, cell or terminal in it can reach a real AWS account. Other arguments go to JupyterLab.
"""

import argparse
import os
import shlex
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from labs.commands import Problem, jupyter, lessons, terminals
from labs.commands.endings import signals_as_ctrl_c
from labs.commands.folders import personal_folder
from labs.commands.lessons import Change

FIRST = "00_start_here.ipynb"


def parse(arguments: list[str]) -> argparse.Namespace:
    """Read the command line; what is not ours is kept for JupyterLab."""
    parser = argparse.ArgumentParser(
        prog="python3 -m labs lab",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--no-browser", action="store_true", help="print the address, open nothing")
    parser.add_argument(
        "--port", type=int, help="port to serve on (default 8888, or the next free)"
    )
    parser.add_argument(
        "--live",
        action="store_true",
        help="keep this machine's AWS settings: lessons may cost money",
    )
    options, options.jupyter = parser.parse_known_args(arguments)
    return options


def run(options: argparse.Namespace) -> int:
    """Serve until Ctrl-C; returns JupyterLab's exit code."""
    folder = personal_folder()
    report(lessons.bring_up_to_date(lessons.lessons(), folder), folder)
    surroundings = live_environment if options.live else mock_environment
    with signals_as_ctrl_c(), surroundings(os.environ) as (environ, extra):
        command = jupyter.options(folder, [*extra, *own_options(options, folder)])
        with jupyter.running(command, environ) as child:
            print(f"labs: your lessons are in {folder}; Ctrl-C ends the course", flush=True)
            try:
                return child.wait()
            except KeyboardInterrupt:
                print("\nlabs: ending JupyterLab and its kernels", flush=True)
        return child.returncode


def own_options(options: argparse.Namespace, folder: Path) -> list[str]:
    """What the command line asks of JupyterLab."""
    chosen = []
    if (folder / FIRST).exists():
        chosen.append(f"--LabApp.default_url=/lab/tree/{FIRST}")
    if options.no_browser:
        chosen.append("--no-browser")
    if options.port is not None:
        chosen.append(f"--ServerApp.port={options.port}")
    return [*chosen, *options.jupyter]


def report(changes: Mapping[str, Change], folder: Path) -> None:
    """Say what happened to the learner's copies, where something did."""
    if not changes:
        raise Problem("This checkout has no lessons (notebooks/*.ipynb). Is it complete?")
    copied = sum(change is Change.COPIED for change in changes.values())
    if copied:
        print(f"labs: {copied} new in {folder}")
    for name, change in changes.items():
        if change is Change.REFRESHED:
            print(f"labs: {name} is newer in the course, and you had not changed it: refreshed")
        if change is Change.KEPT:
            print(
                f"labs: {name} is newer in the course; you changed yours, so it stays. "
                f"For the new one: python3 -m labs reset {name[:2]}"
            )


@contextmanager
def live_environment(environ: Mapping[str, str]) -> Iterator[tuple[dict[str, str], list[str]]]:
    """This machine's own AWS settings, and lessons that use them."""
    yield {**environ, "LABS_MODE": "live"}, []


@contextmanager
def mock_environment(environ: Mapping[str, str]) -> Iterator[tuple[dict[str, str], list[str]]]:
    """The mock's environment, whose AWS endpoint is dead until a lesson's kernel has its mock.

    Yields the whole environment of JupyterLab and the options that keep its terminals in it.
    """
    before = dict(environ)  # importing labs.cloud changes this process's own
    from labs.cloud import environment  # works only in the course's environment

    folder = Path(tempfile.mkdtemp(prefix="labs-"))
    try:
        environment.furnish(folder)
        variables = environment.lab_variables(folder, environment.dead_endpoint_url(), before)
        shell = terminals.shell_command(folder, before, variables)
        yield variables, [f"--ServerApp.terminado_settings=shell_command={shlex.join(shell)}"]
    finally:
        shutil.rmtree(folder, ignore_errors=True)
