"""The lessons of the course and the learner's copies of them. Standard library only.

A learner's work is never overwritten. A copy counts as *untouched* while its cells say what the
course's cells said when it was copied; having been run does not touch it, since outputs can be
made again. What each copy was made from is kept in `.lessons.json` beside them.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from enum import Enum
from pathlib import Path

from labs.commands import Problem
from labs.commands.folders import checkout

ORIGINS = ".lessons.json"


class Change(Enum):
    """What `bring_up_to_date` did with one lesson."""

    COPIED = "copied"
    REFRESHED = "refreshed"
    KEPT = "kept"  # the learner changed it, and the course has a newer one
    NOTHING = "nothing"


def lessons(course: Path | None = None) -> list[Path]:
    """The course's notebooks in the order of their numbers."""
    return sorted((course or checkout()).joinpath("notebooks").glob("[0-9][0-9]_*.ipynb"))


def number(lesson: Path) -> str:
    """The lesson's number, by which people call it.

    >>> number(Path("notebooks/31_pubsub_word_count.ipynb"))
    '31'
    """
    return lesson.name[:2]


def find(wanted: Iterable[str], among: list[Path]) -> list[Path]:
    """The lessons of these numbers or names, in the order asked for; all if none is asked for.

    Raises Problem for a lesson that does not exist, with a list of those that do.
    """
    by_name = {key: path for path in among for key in (number(path), path.stem, path.name)}
    found = []
    for name in wanted:
        key = Path(name).name
        if key not in by_name:
            listing = "\n".join(f"  {number(path)}  {path.stem}" for path in among) or "  (none)"
            raise Problem(f"There is no lesson {name!r}. The lessons are:\n{listing}")
        found.append(by_name[key])
    return list(dict.fromkeys(found)) or among


def bring_up_to_date(sources: Iterable[Path], folder: Path) -> dict[str, Change]:
    """Copy new lessons into `folder` and refresh untouched ones; file name -> what happened."""
    folder.mkdir(parents=True, exist_ok=True)
    origins = read_origins(folder)
    changes = {source.name: bring_one(source, folder, origins) for source in sources}
    write_origins(folder, origins)
    return changes


def bring_one(source: Path, folder: Path, origins: dict[str, str]) -> Change:
    """Decide about one lesson, act, and note in `origins` what its copy is made from."""
    copy = folder / source.name
    newest = fingerprint(source)
    if not copy.exists():
        place(source, copy)
        origins[source.name] = newest
        return Change.COPIED
    mine = fingerprint(copy)
    if mine == newest:
        origins[source.name] = newest
        return Change.NOTHING
    if origins.get(source.name) == newest:
        return Change.NOTHING  # the learner works on the newest version
    if origins.get(source.name) == mine:
        set_aside(copy)
        place(source, copy)
        origins[source.name] = newest
        return Change.REFRESHED
    return Change.KEPT


def reset(source: Path, folder: Path) -> Path | None:
    """Put a fresh copy of one lesson into `folder`; returns where the old one is now, if any."""
    folder.mkdir(parents=True, exist_ok=True)
    copy = folder / source.name
    old = set_aside(copy) if copy.exists() else None
    place(source, copy)
    origins = read_origins(folder)
    origins[source.name] = fingerprint(source)
    write_origins(folder, origins)
    return old


def set_aside(copy: Path) -> Path:
    """Rename a copy to one with the time in its name, which no earlier one has."""
    moment = datetime.now().astimezone()
    for extra in range(1000):
        tail = f"-{extra}" if extra else ""
        old = copy.with_name(f"{copy.stem}.{moment:%Y-%m-%d_%H%M%S}{tail}{copy.suffix}")
        if not old.exists():
            return copy.rename(old)
    raise Problem(f"Cannot find a free name for the old copy of {copy}: remove some of them.")


def place(source: Path, copy: Path) -> None:
    """Copy the content only: a read-only original must not make a read-only copy."""
    new = copy.with_name(f".{copy.name}.{os.getpid()}")
    shutil.copyfile(source, new)
    new.replace(copy)


def fingerprint(notebook: Path) -> str:
    """A hash of what the cells say, without outputs and counts; of the bytes if it is unreadable.

    JupyterLab rewrites a notebook when it saves one, so comparing bytes would call a lesson that
    was only run an edited one.
    """
    content = notebook.read_bytes()
    with suppress(ValueError, TypeError, KeyError, AttributeError):
        cells = json.loads(content)["cells"]
        said = [[cell["cell_type"], "".join(cell["source"])] for cell in cells]
        content = json.dumps(said).encode()
    return hashlib.sha256(content).hexdigest()


def read_origins(folder: Path) -> dict[str, str]:
    """File name -> fingerprint of the course's lesson that the copy was made from."""
    with suppress(OSError, ValueError):
        origins = json.loads((folder / ORIGINS).read_text(encoding="utf-8"))
        if isinstance(origins, dict):
            return {str(name): str(origin) for name, origin in origins.items()}
    return {}


def write_origins(folder: Path, origins: dict[str, str]) -> None:
    """Replace `.lessons.json` atomically."""
    new = folder / f"{ORIGINS}.{os.getpid()}"
    new.write_text(json.dumps(origins, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    new.replace(folder / ORIGINS)
