"""The figures of lesson 21: who copied what when, speed-up against workers, and the article's bars.

Data in, figure out. The caller shows them, and says in words what they show.
"""

import heapq
from collections.abc import Mapping
from typing import TYPE_CHECKING

from matplotlib import rc_context
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.ticker import ScalarFormatter

from labs.course import figures
from labs.course.figures import BLUE, GREY, INK, ORANGE, PAPER

if TYPE_CHECKING:
    from pandas import DataFrame

#: Marks beside colours: lines that lie close together stay apart in grey, too.
LINES = ((BLUE, "o"), (ORANGE, "s"), (INK, "^"), (GREY, "D"))
BARS = (GREY, BLUE, ORANGE)


def lanes(frame: "DataFrame") -> list[int]:
    """For each row, in order, the lowest lane that is free when it starts.

    So many lanes, so many copies at a time, also where each object has a thread of its own.
    """
    free: list[int] = []
    busy: list[tuple[float, int]] = []  # (end, lane)
    found: dict[int, int] = {}
    for index in frame["start"].argsort():
        start, end = frame["start"].iloc[index], frame["end"].iloc[index]
        while busy and busy[0][0] <= start:
            heapq.heappush(free, heapq.heappop(busy)[1])
        found[index] = heapq.heappop(free) if free else len(busy)
        heapq.heappush(busy, (end, found[index]))
    return [found[index] for index in range(len(frame))]


@rc_context(figures.STYLE)
def draw_gantt(frame: "DataFrame", title: str) -> Figure:
    """A bar for each copy, from start to end; in orange and higher what failed.

    frame: as a way of `copying` returns it. Raises ValueError when it has no rows.
    """
    if frame.empty:
        raise ValueError("The frame has no rows: nothing was copied. Is `keys` empty?")
    figure = Figure(figsize=(9.6, 4.4), layout="constrained")
    axes = figure.subplots()
    lane = lanes(frame)
    for failed, colour in ((False, BLUE), (True, ORANGE)):
        bars = [
            _bar(start, end, where, 0.5 if failed else 0.4)
            for start, end, error, where in zip(
                frame["start"], frame["end"], frame["error"], lane, strict=True
            )
            if isinstance(error, str) == failed
        ]
        if bars:
            name = f"{len(bars)} {'failed' if failed else 'copied'}"
            axes.add_collection(
                PolyCollection(bars, facecolor=colour, edgecolor=PAPER, linewidth=0.6, label=name)
            )
    axes.set(
        title=title,
        xlabel="time since the beginning (s)",
        ylabel="copies at a time",
        xlim=(0, frame["end"].max() * 1.02),
        ylim=(-0.6, max(lane) + 0.6),
    )
    ticks = sorted({0, max(lane) // 2, max(lane)})
    axes.set_yticks(ticks, [str(tick + 1) for tick in ticks])
    figure.legend(loc="outside lower right", ncols=2, frameon=False)
    return figure


def _bar(start: float, end: float, lane: int, half: float) -> list[tuple[float, float]]:
    below, above = lane - half, lane + half
    return [(start, below), (end, below), (end, above), (start, above)]


@rc_context(figures.STYLE)
def draw_speed_up(
    loop_seconds: float, runs: Mapping[str, Mapping[int, float]], title: str
) -> Figure:
    """How many times faster than the loop, against workers; dashed what would be ideal.

    runs: name -> {workers: seconds}, four at most. Raises ValueError for none or more.
    """
    if not 0 < len(runs) <= len(LINES):
        raise ValueError(f"Found {len(runs)} runs; a figure can tell 1 to {len(LINES)} apart.")
    figure = Figure(figsize=(9.6, 4.6), layout="constrained")
    axes = figure.subplots()
    workers = sorted({number for times in runs.values() for number in times})
    axes.plot(workers, workers, color=GREY, linestyle="dashed", label="ideal: as many as workers")
    for (name, times), (colour, mark) in zip(runs.items(), LINES, strict=False):
        numbers = sorted(times)
        faster = [loop_seconds / times[number] for number in numbers]
        axes.plot(numbers, faster, color=colour, marker=mark, linewidth=2, label=name)
    axes.set_xscale("log", base=2)
    axes.set_yscale("log", base=2)
    axes.set(title=title, xlabel="workers", ylabel="times faster than the loop")
    axes.set_xticks(workers)
    axes.xaxis.set_major_formatter(ScalarFormatter())
    axes.yaxis.set_major_formatter(ScalarFormatter())
    axes.minorticks_off()
    axes.grid(color=GREY, alpha=0.25)
    axes.legend(loc="upper left", frameon=False)
    return figure


def speed_ups(seconds: Mapping[str, float]) -> dict[str, float]:
    """{way: times faster than the first of them} of {way: seconds}."""
    slowest = next(iter(seconds.values()))
    return {way: slowest / took for way, took in seconds.items()}


@rc_context(figures.STYLE)
def draw_bars(seconds: Mapping[str, Mapping[str, float]], title: str) -> Figure:
    """Speed-up bars side by side: the article's, ours, the simulation's, each to its own loop.

    seconds: source -> {way: seconds}, three sources at most; the first way of each is the loop.
             A source may lack other ways. Raises ValueError for none or more.
    """
    if not 0 < len(seconds) <= len(BARS):
        raise ValueError(f"Found {len(seconds)} sources; a figure can tell 1 to {len(BARS)} apart.")
    figure = Figure(figsize=(9.6, 4.6), layout="constrained")
    axes = figure.subplots()
    faster = {source: speed_ups(times) for source, times in seconds.items()}
    ways = list(dict.fromkeys(way for times in faster.values() for way in times))
    height = 0.8 / len(faster)
    for number, (source, colour) in enumerate(zip(faster, BARS, strict=False)):
        there = [way for way in ways if way in faster[source]]
        heights = [ways.index(way) + (number - (len(faster) - 1) / 2) * height for way in there]
        values = [faster[source][way] for way in there]
        bars = axes.barh(heights, values, height * 0.9, color=colour, label=source)
        axes.bar_label(bars, [f"{value:.3g}×" for value in values], padding=4, color=INK)
    axes.set_yticks(range(len(ways)), ways)
    axes.invert_yaxis()
    axes.margins(x=0.12)
    axes.set(title=title, xlabel="times faster than one by one")
    figure.legend(loc="outside lower right", ncols=len(faster), frameon=False)
    return figure
