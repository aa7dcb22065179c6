"""The mock's address book of Git repositories: which folder is OWNER/REPO on GitHub.

Actions with a GitHub source read from there. `aws.repositories` fills it; a reset empties it.
"""

from __future__ import annotations

import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path

#: Seconds that git may take.
PATIENCE = 60

#: Whoever owns the folder, and whatever its user has set.
_SETTINGS = ("-c", "safe.directory=*", "-c", "core.autocrlf=false")

_lock = threading.Lock()
_folders: dict[str, Path] = {}


class NotReadable(Exception):
    """The repository, branch or commit cannot be read; the message says why."""


@dataclass(frozen=True)
class Commit:
    id: str
    message: str
    authored: str
    committed: str


def add(name: str, folder: str) -> dict[str, str]:
    """OWNER/REPO is in this folder, from now on. Raises ValueError when that is no repository."""
    if name.count("/") != 1 or not all(name.split("/")):
        raise ValueError(f"A repository's name is OWNER/REPO; found {name!r}.")
    try:
        _git(Path(folder), "rev-parse", "--git-dir")
    except NotReadable as wrong:
        raise ValueError(f"{folder} is no Git repository: {wrong}") from None
    with _lock:
        _folders[name.lower()] = Path(folder)
    return listing()


def listing() -> dict[str, str]:
    """Folder by OWNER/REPO."""
    with _lock:
        return {name: str(folder) for name, folder in _folders.items()}


def reset() -> None:
    with _lock:
        _folders.clear()


def find(name: str) -> Path:
    """Raises NotReadable."""
    with _lock:
        if name.lower() in _folders:
            return _folders[name.lower()]
    raise NotReadable(
        f"the mock does not know {name}: aws.repositories({name!r}, folder) tells where it is"
    )


def head(folder: Path, branch: str) -> str:
    """The id of a branch's newest commit. Raises NotReadable."""
    return _git(folder, "rev-parse", "--verify", "--quiet", f"refs/heads/{branch}").decode().strip()


def commit(folder: Path, commit_id: str) -> Commit:
    """Raises NotReadable."""
    shown = _git(folder, "show", "--no-patch", "--format=%H%n%aI%n%cI%n%B", commit_id, "--")
    found, authored, committed, message = shown.decode(errors="replace").split("\n", 3)
    return Commit(found, message.strip(), authored, committed)


def archive(folder: Path, commit_id: str) -> bytes:
    """The files of a commit, as a zip. Raises NotReadable."""
    return _git(folder, "archive", "--format=zip", commit_id)


def _git(folder: Path, *arguments: str) -> bytes:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *_SETTINGS, *arguments],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=PATIENCE,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as wrong:
        raise NotReadable(f"git could not be run: {wrong}") from wrong
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip()
        raise NotReadable(said or f"git {arguments[0]} found nothing: {' '.join(arguments[1:])}")
    return done.stdout
