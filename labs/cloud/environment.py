"""Mock mode's environment: what it sets, what it removes, and the folder that holds its files.

Who gets a folder of its own:

* A Jupyter kernel, always: two kernels never meet, not even one started from inside another.
* Any other process whose environment names no address book, such as a script in a terminal or
  the mock started by hand.
* A plain child of either (`!python script.py`, a sandbox, a worker) *joins*: it keeps the folder
  and the endpoint it inherited. A Python child does so without importing this module, by the
  `sitecustomize` of `labs.cloud.names`.

The folder is private (0700) and goes with the process that made it.
"""

import atexit
import os
import shlex
import shutil
import sys
import sysconfig
import tempfile
from collections.abc import Mapping, MutableMapping
from pathlib import Path

from labs.cloud import names

REGION = "us-east-1"
#: No key of AWS looks like this, so a leak of it tells nobody anything.
ACCESS_KEY_ID = "MOCKMODENOTAREALKEY0"
SECRET_ACCESS_KEY = "mock-mode-this-is-not-a-real-secret-key"  # noqa: S105

#: Prefixes, and names, of what tells AWS's tools where to go and who they are.
FOREIGN_PREFIXES = ("AWS_", "BOTO")
FOREIGN_NAMES = ("ECS_CONTAINER_METADATA_URI", "ECS_CONTAINER_METADATA_URI_V4")
#: What defeats AWS_ENDPOINT_URL; a child that joins drops these, and keeps the rest of its own
#: (a function's role, keys that the learner made), as it drops each AWS_ENDPOINT_URL_SERVICE.
#: Source: AWS SDKs and Tools Reference Guide, "Service-specific endpoints".
DEFEATING = (
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    "AWS_USE_FIPS_ENDPOINT",
    "AWS_USE_DUALSTACK_ENDPOINT",
)
#: Only a process with a mock behind it can use these; JupyterLab's server and terminals cannot.
NEED_A_MOCK = (
    "LABS_ADDRESS_BOOK",
    "CURL_HOME",
    "SSL_CERT_FILE",
    "REQUESTS_CA_BUNDLE",
    "AWS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
)

_folder: Path | None = None
_owner: int | None = None  # the process that made the folder
_original: dict[str, str] | None = None


def variables(folder: Path, endpoint_url: str, environ: Mapping[str, str]) -> dict[str, str]:
    """All that mock mode sets, for a folder and an endpoint, over this environment."""
    bundle = str(folder / "bundle.pem")
    no_proxy = _no_proxy(environ)
    return {
        "LABS_MODE": "mock",
        "LABS_ADDRESS_BOOK": str(folder / "book.json"),
        "PYTHONPATH": os.pathsep.join([str(names.FOLDER), *_python_path(environ)]),
        "PATH": _path(environ),
        "AWS_ENDPOINT_URL": endpoint_url,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY_ID,
        "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_CONFIG_FILE": str(folder / "aws-config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(folder / "aws-credentials"),
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_RETRY_MODE": "standard",
        "AWS_MAX_ATTEMPTS": "3",
        "AWS_PAGER": "",
        "SSL_CERT_FILE": bundle,
        "REQUESTS_CA_BUNDLE": bundle,
        "AWS_CA_BUNDLE": bundle,
        "CURL_CA_BUNDLE": bundle,
        "CURL_HOME": str(folder),
        "NO_PROXY": no_proxy,
        "no_proxy": no_proxy,
    }


def foreign(environ: Mapping[str, str]) -> list[str]:
    """The variables that mock mode removes: each that names an account, a profile or a place."""
    ours = variables(Path(), "", {})
    return sorted(
        name
        for name in environ
        if name.upper().startswith(FOREIGN_PREFIXES) or name in FOREIGN_NAMES
        if name not in ours
    )


def _python_path(environ: Mapping[str, str]) -> list[str]:
    """Their PYTHONPATH without our folder, so that ours can come first and once."""
    theirs = environ.get("PYTHONPATH", "")
    return [entry for entry in theirs.split(os.pathsep) if entry and entry != str(names.FOLDER)]


def _path(environ: Mapping[str, str]) -> str:
    """Their PATH behind our scripts, so that `aws` is the course's and not another install's."""
    scripts = sysconfig.get_path("scripts")
    theirs = environ.get("PATH", "").split(os.pathsep)
    return os.pathsep.join([scripts, *(entry for entry in theirs if entry != scripts)])


def _no_proxy(environ: Mapping[str, str]) -> str:
    """Their hosts that no proxy serves, then ours. A lone * (all of them) stays alone."""
    theirs = [environ.get("NO_PROXY", ""), environ.get("no_proxy", "")]
    hosts = [host.strip() for value in theirs for host in value.split(",")]
    if "*" in hosts:
        return "*"
    networks = ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")
    ours = ("localhost", "127.0.0.1", "::1", *names.AWS_DOMAINS, *names.METADATA, *networks)
    return ",".join(dict.fromkeys([*filter(None, hosts), *ours]))


def lab_variables(
    folder: Path, dead_endpoint_url: str, environ: Mapping[str, str]
) -> dict[str, str]:
    """The complete environment of JupyterLab's server, and so of its terminals and new kernels.

    AWS's tools end at the dead endpoint, with keys that are nobody's. Nothing else is led astray:
    without a mock there is no address book, and no authority to trust. A kernel started here
    finds no book and makes a folder of its own.

    folder: has the empty `aws-config` and `aws-credentials` (`furnish`, or `folder()`).
    environ: as the user's shell left it; `original()` when `enter()` has run in this process.
    """
    removed = {*foreign(environ), "LABS_ADDRESS_BOOK"}
    kept = {name: value for name, value in environ.items() if name not in removed}
    ours = variables(folder, dead_endpoint_url, environ)
    for name in (*NEED_A_MOCK, "PYTHONPATH"):
        del ours[name]
    return {**kept, **ours}


def enter() -> Path:
    """Put this process into mock mode; its folder. The second call does nothing.

    The endpoint is dead, refused at once, until `aim_at` has the mock's. Other modules must not
    have made AWS clients or TLS contexts yet: those keep what they read before.
    """
    global _folder, _owner, _original
    if _folder is None:
        _original = dict(os.environ)
        parents = None if _is_kernel() else _inherited(os.environ)
        if parents:
            _folder = join(parents, os.environ)
        else:
            _folder, _owner = take_over(os.environ), os.getpid()
        names.install()
    return _folder


def take_over(environ: MutableMapping[str, str]) -> Path:
    """A new folder, with files, for this process; the environment aims at a dead endpoint."""
    folder = Path(tempfile.mkdtemp(prefix="labs-"))
    atexit.register(_remove, folder, os.getpid())
    _make_files(folder, environ)
    for name in foreign(environ):
        del environ[name]
    environ.update(variables(folder, dead_endpoint_url(), environ))
    return folder


def join(folder: Path, environ: MutableMapping[str, str]) -> Path:
    """Stay with the parent's mock, whatever a login shell in between has exported again."""
    for name in list(environ):
        if name in DEFEATING or name.startswith("AWS_ENDPOINT_URL_"):
            del environ[name]
    environ.setdefault("AWS_ENDPOINT_URL", dead_endpoint_url())
    return folder


def aim_at(endpoint_url: str) -> None:
    """The mock is up: AWS clients made from now on, and children, find it there."""
    os.environ["AWS_ENDPOINT_URL"] = endpoint_url


def folder() -> Path:
    """The folder of this process's mock. Raises RuntimeError before `enter`."""
    if _folder is None:
        raise RuntimeError("Not in mock mode: environment.enter() has not run in this process.")
    return _folder


def owns_folder() -> bool:
    """Did this process make its folder? If not, the mock is its parent's: do not start another."""
    return _owner == os.getpid()


def is_mock() -> bool:
    """Has this process entered mock mode? There is no way back: live mode needs a fresh one."""
    return _folder is not None


def shell_lines(endpoint_url: str | None = None) -> list[str]:
    """Commands that join a terminal to this mock: POSIX shell's, or PowerShell's on Windows.

    endpoint_url: this process's by default. Raises RuntimeError before `enter`.
    """
    url = endpoint_url or os.environ["AWS_ENDPOINT_URL"]
    wanted = variables(folder(), url, os.environ)
    del wanted["PATH"]  # the terminal's own stays, behind our scripts
    scripts = sysconfig.get_path("scripts")
    removed = sorted({*DEFEATING, "AWS_SESSION_TOKEN", *foreign(original())})
    if sys.platform == "win32":
        quoted = {name: value.replace("'", "''") for name, value in wanted.items()}
        cleared = [f"Remove-Item Env:{name} -ErrorAction SilentlyContinue" for name in removed]
        path = f"$env:PATH = '{scripts};' + $env:PATH"
        return [*cleared, *(f"$env:{name} = '{value}'" for name, value in quoted.items()), path]
    exported = [f"export {name}={shlex.quote(value)}" for name, value in wanted.items()]
    path = f'export PATH={shlex.quote(scripts)}:"$PATH"'
    return ["unset " + " ".join(removed), *exported, path]


def original() -> dict[str, str]:
    """The environment as it was before `enter` changed it."""
    return dict(os.environ if _original is None else _original)


def dead_endpoint_url() -> str:
    """A URL at which this process, as long as it lives, has every connection refused."""
    return f"http://127.0.0.1:{names.refusing_port()}"


def furnish(folder: Path) -> None:
    """Write the empty configuration and credentials files that AWS's tools are shown."""
    for name in ("aws-config", "aws-credentials"):
        (folder / name).touch(mode=0o600)


def _make_files(folder: Path, environ: Mapping[str, str]) -> None:
    from labs.cloud import trust  # 0.1 s, which a child that joins does not pay
    from labs.cloud.mock.book import Book

    furnish(folder)
    ca = trust.make_ca(folder)
    (folder / "bundle.pem").write_bytes(trust.bundle(ca.cert_pem.bytes(), environ))
    Book(folder).replace(endpoints={}, hosts={})


def _is_kernel() -> bool:
    """Is this process a Jupyter kernel, and not only one that has ipykernel installed?"""
    application = sys.modules.get("ipykernel.kernelapp")
    return application is not None and application.IPKernelApp.initialized()


def _inherited(environ: Mapping[str, str]) -> Path | None:
    """The folder of the process that started this one, if there is one and it still lives."""
    book = environ.get("LABS_ADDRESS_BOOK")
    folder = Path(book).parent if book else None
    return folder if folder and folder.is_dir() else None


def _remove(folder: Path, owner: int) -> None:
    if os.getpid() == owner:  # a fork inherits the exit handler, but not the folder
        shutil.rmtree(folder, ignore_errors=True)
