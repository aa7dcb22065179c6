"""Makes the Python environment of the course and goes on inside it. Standard library only.

An environment is *ready* when it holds a stamp that fits: the hash of `requirements.lock`,
`pyproject.toml`, the interpreter and the place. The stamp is written last, so an interrupted
installation has none and is made anew. conda and Binder make their environment themselves
(`environment.yml`, `postBuild`) and stamp it with `python -m labs.commands.environment_setup`.
"""

import hashlib
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from itertools import takewhile
from pathlib import Path

from labs.commands import Problem
from labs.commands.folders import checkout, environment_folder, writable
from labs.commands.locking import only_one

STAMP = "labs-stamp.txt"
Command = Sequence[str | Path]


def enter(argv: Sequence[str]) -> None:
    """Return inside a ready environment, or go on there with `python -m labs ARGV` (no return).

    Raises Problem when the environment cannot be made.
    """
    if ready(Path(sys.prefix)):
        return
    environment = environment_folder()
    if not ready(environment):
        make(environment)
    go_on(environment, argv)


def enter_if_ready(argv: Sequence[str]) -> None:
    """Like `enter`, but makes nothing: without a ready environment it returns where it is."""
    if not ready(Path(sys.prefix)) and ready(environment_folder()):
        go_on(environment_folder(), argv)


def ready(environment: Path) -> bool:
    """Is this environment complete, and made from today's lock by this Python?"""
    try:
        stamp = (environment / STAMP).read_text(encoding="utf-8")
    except OSError:
        return False
    return stamp == expected_stamp(environment) and python_of(environment).exists()


def expected_stamp(environment: Path, course: Path | None = None) -> str:
    """The stamp of an environment made here and now.

    The place counts because the scripts of an environment hold its path: a checkout that was moved
    or copied with its `.venv` needs a new one.
    """
    course = course or checkout()
    digest = hashlib.sha256()
    for name in ("requirements.lock", "pyproject.toml"):
        digest.update((course / name).read_bytes())
    for fact in (sys.version, platform.machine(), str(environment.resolve()), str(course)):
        digest.update(fact.encode())
    return digest.hexdigest()


def stamp(environment: Path) -> None:
    """Declare an environment ready. Replaced atomically, so a stamp is whole or not there."""
    new = environment / f"{STAMP}.{os.getpid()}"
    new.write_text(expected_stamp(environment), encoding="utf-8")
    new.replace(environment / STAMP)


def python_of(environment: Path) -> Path:
    """The interpreter of a virtual environment, whose layout Windows does its own way."""
    if os.name == "nt":
        return environment / "Scripts" / "python.exe"
    return environment / "bin" / "python"


def go_on(environment: Path, argv: Sequence[str]) -> None:
    """Continue this command with the environment's Python; the exit code is the command's."""
    command = [str(python_of(environment)), "-m", "labs", *argv]
    sys.stdout.flush()
    sys.stderr.flush()
    if os.name != "nt":
        os.execv(command[0], command)  # noqa: S606  our own interpreter, no shell
    child = subprocess.Popen(command)  # exec on Windows would return to the prompt at once
    while True:
        try:
            sys.exit(child.wait())
        except KeyboardInterrupt:
            continue  # Ctrl-C reached the child too, and the child decides what it means


def make(environment: Path) -> None:
    """Make the environment anew and stamp it; a second process waits and finds it done."""
    check_modules()
    lock = environment.with_name(f"{environment.name}.lock")
    with only_one(lock, waiting=lambda: say("another set-up is running here: waiting for it")):
        if ready(environment):
            return
        began = time.monotonic()
        say(f"making the environment {environment} (once, about a minute; needs the network)")
        remove(environment)
        run([base_python(), "-m", "venv", environment], "make a virtual environment")
        install_lock(environment)
        install_course(environment)
        stamp(environment)
        say(f"the environment is ready after {time.monotonic() - began:.0f} s")


def base_python() -> str:
    """The Python outside any virtual environment: we may be running in the one to be replaced."""
    return getattr(sys, "_base_executable", None) or sys.executable


def check_modules() -> None:
    """Debian and Ubuntu leave `venv` and `ensurepip` out of their python3 package."""
    missing = [name for name in ("venv", "ensurepip") if importlib.util.find_spec(name) is None]
    if missing:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        raise Problem(
            f"This Python {version} has no module {' and no module '.join(missing)}, and the "
            "course needs it to make an environment.\n"
            f"On Debian and Ubuntu: sudo apt install python{version}-venv\n"
            "Elsewhere: install Python from https://www.python.org/downloads/"
        )


def remove(environment: Path) -> None:
    """Remove a stale environment, by renaming first: half of one must not look like a whole."""
    if environment.exists():
        old = Path(tempfile.mkdtemp(prefix=f"{environment.name}-old-", dir=environment.parent))
        try:
            environment.rename(old / environment.name)
        except OSError as error:
            raise Problem(
                f"Cannot replace the out-of-date environment {environment}: {error}\n"
                "A program still uses it. Close JupyterLab and editors, leave the environment "
                "(`deactivate`), and try again."
            ) from error
    for old in environment.parent.glob(f"{environment.name}-old-*"):
        shutil.rmtree(old, ignore_errors=True)


def install_lock(environment: Path) -> None:
    """Install exactly what `requirements.lock` names, every file checked against its hash."""
    lock = checkout() / "requirements.lock"
    if put_uv_into(environment, lock):
        say("installing the packages of requirements.lock with uv")
        command = [python_of(environment), "-m", "uv", "pip", "install", "--quiet"]
        python = ["--python", python_of(environment)]
        options = [*python, "--require-hashes", "--requirement", lock]
        if subprocess.call([*command, *options], env=uv_variables(os.environ)) == 0:
            return
        say("uv did not succeed (see above): trying again with pip, which takes two minutes or so")
    else:
        say("uv cannot be had: installing with pip, which takes two minutes or so")
    pip = [python_of(environment), "-m", "pip", "install", "--quiet", "--require-hashes"]
    run([*pip, "--requirement", lock], "install the packages of requirements.lock", network=True)


def put_uv_into(environment: Path, lock: Path) -> bool:
    """Let pip install uv, in the version of the lock, checked against its hashes."""
    with tempfile.TemporaryDirectory(prefix="labs-") as folder:
        requirement = Path(folder, "uv.txt")
        requirement.write_text(entry_of("uv", lock.read_text(encoding="utf-8")), encoding="utf-8")
        pip = [python_of(environment), "-m", "pip", "install", "--quiet", "--no-deps"]
        options = ["--require-hashes", "--only-binary=:all:", "--requirement", requirement]
        return subprocess.call([*pip, *options], env=pip_variables(os.environ)) == 0


def entry_of(package: str, lock: str) -> str:
    """The lines of one package in a lock file: `name==version` and its hashes.

    >>> entry_of("uv", "tqdm==4\\nuv==1 \\\\\\n    --hash=sha256:00\\n    # via tests\\nyarl==2\\n")
    'uv==1 \\\\\\n    --hash=sha256:00\\n'
    """
    lines = iter(lock.splitlines(keepends=True))
    first = next((line for line in lines if line.startswith(f"{package}==")), "")
    return first + "".join(takewhile(lambda line: line.lstrip().startswith("--hash="), lines))


def pip_variables(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment in which pip runs: as it is, without its advice to upgrade itself."""
    return {**environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1"}


def uv_variables(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment in which uv runs: the machine's certificates, and pip's where pip has some.

    uv reads none of pip's settings. A mirror or certificate in the variables is handed on; one in
    pip's configuration file is not, and then `install_lock` falls back to pip.
    Source: uv's guide, "TLS certificates" (UV_NATIVE_TLS is the older name of UV_SYSTEM_CERTS).
    """
    variables = {"UV_SYSTEM_CERTS": "1", "UV_NATIVE_TLS": "1", "UV_NO_PROGRESS": "1", **environ}
    for ours, theirs in (("SSL_CERT_FILE", "PIP_CERT"), ("UV_DEFAULT_INDEX", "PIP_INDEX_URL")):
        if theirs in environ:
            variables.setdefault(ours, environ[theirs])
    return variables


def install_course(environment: Path) -> None:
    """Make `import labs` work in the environment from anywhere, without any dependency.

    Where the checkout cannot be written pip cannot build there, and a path file does the same.
    """
    if writable(checkout()):
        pip = [python_of(environment), "-m", "pip", "install", "--quiet", "--no-deps"]
        run([*pip, "--editable", checkout()], "install the course's own package", network=True)
        return
    ask = "import sysconfig; print(sysconfig.get_path('purelib'))"
    answer = subprocess.check_output([python_of(environment), "-c", ask], text=True)
    Path(answer.strip(), "packets-to-pipelines.pth").write_text(f"{checkout()}\n", encoding="utf-8")


def run(command: Command, purpose: str, *, network: bool = False) -> None:
    """Run one step of the set-up; Problem says which step failed and what to try."""
    code = subprocess.call(command, env=pip_variables(os.environ))
    if code == 0:
        return
    advice = "The lines above say why."
    if network:
        advice += (
            "\nIf they speak of a connection or a certificate: is this machine on line? Behind a\n"
            "company proxy set HTTPS_PROXY, for a mirror PIP_INDEX_URL, for a certificate PIP_CERT."
        )
    raise Problem(f"Could not {purpose} (exit code {code}). {advice}")


def say(text: str) -> None:
    """Progress goes to standard error: the output of a command stays its own."""
    print(f"labs: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    stamp(Path(sys.prefix))  # conda and Binder: see postBuild
