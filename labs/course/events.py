"""What the learner did, one JSON object a line, only ever appended to.

The file is `events.jsonl` in the user's data folder. Two notebooks may write at once: a line goes
out in one write to a file opened for appending. A line that a crash or a full disk has cut short
is skipped, and ends where the next one begins. Where nothing can be written (a read-only home),
events live as long as the kernel does.

Source: POSIX write(2) on O_APPEND: no other write comes between moving to the end and writing.
"""

import json
import os
from collections.abc import Iterator
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from labs.commands.folders import data_folder
from labs.commands.locking import only_one

Event = dict[str, Any]

_unsaved: list[Event] = []  # of this process, when the disk took them not


def path() -> Path:
    """Where events are kept; LABS_HOME moves it."""
    return data_folder() / "events.jsonl"


def record(kind: str, **what: Any) -> None:
    """Keep one event; `what` is JSON. Never fails for want of a place to write."""
    event = {"kind": kind, "time": datetime.now(UTC).isoformat(timespec="milliseconds"), **what}
    try:
        append(path(), event)
    except OSError:
        _unsaved.append(event)


def append(file: Path, event: Event) -> None:
    """Add one line. Raises OSError where that cannot be done."""
    # A line begins with a newline: what a crash cut short before it ends there.
    line = b"\n" + json.dumps(event, allow_nan=False).encode() + b"\n"
    file.parent.mkdir(parents=True, exist_ok=True)
    # Windows moves to the end and writes in two steps.
    alone = only_one(file.with_suffix(".lock")) if os.name == "nt" else nullcontext()
    with alone, file.open("ab", buffering=0) as out:
        written = out.write(line)
    if written != len(line):
        raise OSError(f"{file}: only {written} of {len(line)} bytes were written")


def read(*kinds: str) -> list[Event]:
    """All events of these kinds, oldest first."""
    try:
        content = path().read_bytes()
    except OSError:
        content = b""
    found = [event for event in parse(content) if event["kind"] in kinds]
    return found + [event for event in _unsaved if event["kind"] in kinds]


def parse(content: bytes) -> Iterator[Event]:
    """The events in a file's bytes, without what is no event."""
    for line in content.splitlines():
        try:
            event = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(event, dict) and isinstance(event.get("kind"), str):
            yield event
