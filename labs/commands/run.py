"""`labs run [31 ...]`: execute lessons without a browser.

Writes executed pages and figures under build/, prints seconds and peak memory of each lesson, and
fails if a cell fails. Without a number it runs the whole course.
"""

import argparse
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from labs.commands import Problem, lessons
from labs.commands.endings import signals_as_ctrl_c
from labs.commands.folders import build_folder, short_temporary_folder


@dataclass(frozen=True)
class Row:
    """One lesson's line in the table."""

    lesson: str
    seconds: float
    peak_bytes: int
    failure: str  # empty when every cell succeeded


def parse(arguments: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python3 -m labs run", description=__doc__)
    parser.add_argument("lesson", nargs="*", help="number or name of a lesson, such as 31")
    parser.add_argument(
        "--timeout", type=float, default=120, metavar="SECONDS", help="for one cell (default 120)"
    )
    return parser.parse_args(arguments)


def run(options: argparse.Namespace) -> int:
    """Execute the lessons; returns 1 if one failed, raises Problem for one that does not exist."""
    from labs.commands.lab import mock_environment

    chosen = lessons.find(options.lesson, lessons.lessons())
    if not chosen:
        raise Problem("This checkout has no lessons (notebooks/*.ipynb). Is it complete?")
    with signals_as_ctrl_c(), mock_environment(os.environ) as (environ, _):
        rows = [run_one(lesson, environ, build_folder(), options.timeout) for lesson in chosen]
    print(table(rows))
    failed = [row for row in rows if row.failure]
    for row in failed:
        print(f"FAILED notebooks/{row.lesson}.ipynb, {row.failure}")
    print(f"Pages are in {build_folder() / 'run'}, figures in {build_folder() / 'figures'}")
    return 1 if failed else 0


def run_one(source: Path, environ: Mapping[str, str], build: Path, cell_seconds: float) -> Row:
    """Execute a copy of one lesson in an empty folder, and write its page and figures.

    The page is written when a cell fails too: it shows what came before.
    """
    from tqdm import tqdm  # these exist only in the course's environment

    from labs.commands import execution, pages

    folder = build / "run" / source.stem
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    copy = folder / source.name
    lessons.place(source, copy)
    sockets = short_temporary_folder()
    try:
        with tqdm(desc=source.stem, unit="cell", total=0) as bar:

            def progress(done: int, cells: int) -> None:
                bar.total = cells
                bar.update(done - bar.n)

            result = execution.execute(
                copy, environ, sockets, cell_seconds=cell_seconds, progress=progress
            )
    finally:
        shutil.rmtree(sockets, ignore_errors=True)
    pages.write_page(result.notebook, build / "run" / f"{source.stem}.html", source.stem)
    pages.write_figures(result.notebook, lessons.number(source), build / "figures")
    failure = str(result.failure) if result.failure else ""
    return Row(source.stem, result.seconds, result.peak_bytes, failure)


def table(rows: Sequence[Row]) -> str:
    """Lesson, seconds and peak memory, aligned, for people."""
    width = max(len("lesson"), *(len(row.lesson) for row in rows))
    lines = [f"{'lesson':<{width}}  {'seconds':>7}  {'peak MB':>7}  "]
    for row in rows:
        verdict = "FAILED" if row.failure else "ok"
        megabytes = row.peak_bytes / 1e6
        lines.append(f"{row.lesson:<{width}}  {row.seconds:>7.1f}  {megabytes:>7.0f}  {verdict}")
    return "\n".join(lines)
