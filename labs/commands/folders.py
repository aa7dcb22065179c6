"""Where things are kept: the checkout, the learner's own files, what a run leaves behind.

Standard library only: `platformdirs` knows the user's data folder better, but the environment that
will hold it has to be made somewhere first. A test holds the two together.
"""

import os
import sys
import tempfile
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from pathlib import Path

NAME = "packets-to-pipelines"


def checkout() -> Path:
    """The folder that holds `labs/`, `notebooks/` and `requirements.lock`."""
    return Path(__file__).resolve().parents[2]


def data_folder(environ: Mapping[str, str] = os.environ, platform: str = sys.platform) -> Path:
    """The user's data folder for this course; `LABS_HOME` overrides it. It need not exist.

    Linux follows the XDG base directory specification, macOS and Windows their own guides, all as
    `platformdirs.user_data_path("packets-to-pipelines", appauthor=False)` does.
    """
    if environ.get("LABS_HOME"):
        return Path(environ["LABS_HOME"]).expanduser().absolute()
    if platform == "win32":
        local = environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
        return Path(local) / NAME
    xdg = environ.get("XDG_DATA_HOME", "").strip()
    if xdg and Path(xdg).is_absolute():
        return Path(xdg) / NAME
    if platform == "darwin":
        return Path.home() / "Library" / "Application Support" / NAME
    return Path.home() / ".local" / "share" / NAME


@cache
def writable(folder: Path) -> bool:
    """Can files be made here? Tried, since permission bits tell neither Windows nor a mount."""
    try:
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def workplace(course: Path | None = None) -> Path:
    """Where this checkout's generated files go: the checkout, or a data folder of its own."""
    course = course or checkout()
    if writable(course):
        return course
    return data_folder() / "checkouts" / sha256(bytes(course)).hexdigest()[:12]


def environment_folder() -> Path:
    """The Python environment of this checkout."""
    return workplace() / ".venv"


def personal_folder() -> Path:
    """The learner's copies of the lessons, which no command ever overwrites.

    In the data folder they do not depend on where the checkout lies: it may come from a
    read-only share that is mounted somewhere else tomorrow.
    """
    return (checkout() if writable(checkout()) else data_folder()) / "my-course"


def build_folder() -> Path:
    """What can be made again: executed notebooks, figures, screenshots."""
    return workplace() / "build"


def short_temporary_folder() -> Path:
    """A new private folder whose path leaves room for the names of Unix sockets.

    Such a path ends at 104 bytes on macOS and 108 on Linux, and `$TMPDIR` may use half of that.
    Source: the manual pages unix(4) of macOS and unix(7) of Linux.
    """
    base = tempfile.gettempdir()
    if os.name == "posix" and len(os.fsencode(base)) > 30:
        base = "/tmp"  # noqa: S108  mkdtemp makes a folder of our own in it
    return Path(tempfile.mkdtemp(prefix="labs-", dir=base))
