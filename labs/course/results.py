"""What an experiment measured, kept with where and how, so that machines can be compared."""

import io
import json
import platform
from dataclasses import dataclass
from typing import Any

import pandas

from labs.course import events

MOST_ROWS = 10_000


@dataclass(frozen=True)
class Result:
    """One run of a lesson's experiment.

    frame:    what was measured.       settings: what was set.
    machine:  system, processor, Python and cores.       size: small, default or full.
    saved:    date and time, UTC, ISO 8601.
    """

    lesson: str
    frame: pandas.DataFrame
    settings: dict[str, Any]
    machine: dict[str, Any]
    size: str
    saved: str


def save(lesson: str, frame: pandas.DataFrame, **settings: Any) -> None:
    """Keep what a lesson's experiment measured. `settings` is what was set: numbers, texts, lists.

    Raises ValueError for more than 10,000 rows, TypeError for settings that are no JSON.
    """
    from labs.cloud.settings import size, usable_cores

    if len(frame) > MOST_ROWS:
        raise ValueError(
            f"{len(frame)} rows; at most {MOST_ROWS} are kept. Save a summary: a row a group."
        )
    events.record(
        "result",
        lesson=lesson,
        frame=frame.to_json(orient="table", index=False),
        settings=json.loads(json.dumps(settings, default=without_numpy)),
        machine={
            "system": f"{platform.system()} {platform.machine()}",
            "python": platform.python_version(),
            "cores": usable_cores(),
        },
        size=size().name,
    )


def without_numpy(value: Any) -> Any:
    """A number or an array of numpy's as Python's own. Raises TypeError for anything else."""
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"A setting is {type(value).__name__}; it must be a number, text or list.")


def load(lesson: str) -> list[Result]:
    """Every run kept for a lesson, oldest first; those that cannot be read are left out."""
    kept = []
    for event in events.read("result"):
        if event.get("lesson") != lesson:
            continue
        try:
            frame = pandas.read_json(io.StringIO(event["frame"]), orient="table")
            kept.append(
                Result(
                    lesson,
                    frame,
                    dict(event["settings"]),
                    dict(event["machine"]),
                    event["size"],
                    event["time"],
                )
            )
        except (KeyError, TypeError, ValueError):
            continue
    return kept
