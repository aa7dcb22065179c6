"""The figures of lesson 21: who copied what when, speed-up against workers, and bars of ways.

`draw_*`: data in, figure out. `show_*` draw, and say in words what is seen: title, text for who
does not see it, what was set and what was measured. Frames are those of the ways of `copying`.
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


def lasted(frame: "DataFrame") -> float:
    """Seconds from the first start to the last end: without what a way prepares before."""
    return float(frame["end"].max() - frame["start"].min())


def faster(frame: "DataFrame", loop_s: float) -> float:
    """How many times as fast as the loop, which takes `loop_s` seconds for an object."""
    return len(frame) * loop_s / lasted(frame)


# Who copied what when


def show_gantt(frame: "DataFrame", *, loop_s: float, set_to: str) -> None:
    """Show a run. loop_s: seconds of the loop for an object. set_to: what was set, in words."""
    figures.show(
        draw_gantt(frame, gantt_finding(frame, loop_s)),
        alt=f"A bar for each copy, in lanes, over time. {gantt_finding(frame, loop_s)}. The last"
        f" copy ended after {frame['end'].max():.2f} s; a copy took {shortest_to_longest(frame)}.",
        caption=f"Set: {len(frame)} objects, {set_to}. Measured: start and end of each copy, its"
        " waits included.",
    )


def gantt_finding(frame: "DataFrame", loop_s: float) -> str:
    """What is seen, in a sentence of ratios; failures first."""
    if failed := int(frame["error"].notna().sum()):
        calls = frame["attempts"].mean()
        return f"{failed} of {len(frame)} objects failed, with {calls:.1f} tries for each"
    most = max(lanes(frame)) + 1
    return f"{most} copies under way at a time: {faster(frame, loop_s):.1f} times as fast as one"


def shortest_to_longest(frame: "DataFrame") -> str:
    """The range of the copies' seconds."""
    seconds = frame["end"] - frame["start"]
    return f"{seconds.min():.2f} to {seconds.max():.2f} s"


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


# Speed-up against workers


def show_speed_up(
    loop_s: float, runs: Mapping[str, Mapping[int, "DataFrame"]], model: Mapping[int, float]
) -> None:
    """Show how many times as fast as the loop each run was, and what the model says.

    runs: name -> {workers: frame}, three names at most. model: workers -> seconds.
    """
    number = len(next(iter(next(iter(runs.values())).values())))
    seconds = {
        name: {workers: lasted(frame) for workers, frame in frames.items()}
        for name, frames in runs.items()
    } | {"model": model}
    told = "; ".join(
        f"{name}: "
        + ", ".join(
            f"{n} workers {number * loop_s / took:.1f}" for n, took in sorted(times.items())
        )
        for name, times in seconds.items()
    )
    figures.show(
        draw_speed_up(number * loop_s, seconds, speed_up_finding(loop_s, runs)),
        alt=f"Lines: times as fast as the loop, against workers. {told}.",
        caption=f"Set: {number} objects, workers, bandwidth, connections. Measured: seconds from"
        f" the first start to the last end, against {number} times the loop's for an object. The"
        " model is fitted to the run with the most threads.",
    )


def speed_up_finding(loop_s: float, runs: Mapping[str, Mapping[int, "DataFrame"]]) -> str:
    """The gain of the most workers of the first and of the last run, in a sentence."""
    first, last = (
        (name, max(frames), faster(frames[max(frames)], loop_s))
        for name, frames in (next(iter(runs.items())), list(runs.items())[-1])
    )
    return (
        f"{first[1]} workers: {first[2]:.0f} times as fast as one ({first[0]}), or"
        f" {last[2]:.0f} times ({last[0]})"
    )


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
        gains = [loop_seconds / times[number] for number in numbers]
        axes.plot(numbers, gains, color=colour, marker=mark, linewidth=2, label=name)
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


# Bars of ways


def show_ways(frames: Mapping[str, "DataFrame"], *, loop_s: float, set_to: str) -> None:
    """Show how many times as fast as the loop each way was, with all that it prepares."""
    number = len(next(iter(frames.values())))
    seconds = {"loop": number * loop_s}
    seconds |= {way: float(frame["end"].max()) for way, frame in frames.items()}
    gains = speed_ups(seconds)
    told = ", ".join(f"{way} {gain:.1f}" for way, gain in gains.items())
    figures.show(
        draw_bars({"measured": seconds}, ways_finding(gains)),
        alt=f"Bars: times as fast as the loop. {told}.",
        caption=f"Set: {number} objects, {set_to}. Measured: seconds from the call to the last end,"
        " clients and processes made meanwhile included; of Lambda without its deployment.",
    )


def ways_finding(gains: Mapping[str, float]) -> str:
    """The best and the worst way, in a sentence."""
    best, worst = max(gains, key=gains.__getitem__), min(gains, key=gains.__getitem__)
    return (
        f"The same copies: {best} {gains[best]:.1f} times as fast as the loop,"
        f" {worst} {gains[worst]:.1f}"
    )


def show_article(seconds: Mapping[str, Mapping[str, float]], set_to: str) -> None:
    """Show the article's speed-ups beside others; `seconds` as for `draw_bars`."""
    gains = {source: max(speed_ups(ways).values()) for source, ways in seconds.items()}
    told = "; ".join(
        f"{source}: " + ", ".join(f"{way} {gain:.1f}" for way, gain in speed_ups(ways).items())
        for source, ways in seconds.items()
    )
    figures.show(
        draw_bars(
            seconds,
            "Times as fast as one by one, at best: "
            + ", ".join(f"{source} {gain:.0f}" for source, gain in gains.items()),
        ),
        alt=f"Bars: times as fast as one by one. {told}.",
        caption=f"Set: {set_to}. Measured: seconds from the first start to the last end.",
    )


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
    gains = {source: speed_ups(times) for source, times in seconds.items()}
    ways = list(dict.fromkeys(way for times in gains.values() for way in times))
    height = 0.8 / len(gains)
    colours = BARS if len(gains) > 1 else (BLUE,)
    for number, (source, colour) in enumerate(zip(gains, colours, strict=False)):
        there = [way for way in ways if way in gains[source]]
        heights = [ways.index(way) + (number - (len(gains) - 1) / 2) * height for way in there]
        values = [gains[source][way] for way in there]
        bars = axes.barh(heights, values, height * 0.9, color=colour, label=source)
        axes.bar_label(bars, [f"{value:.3g}×" for value in values], padding=4, color=INK)
    axes.set_yticks(range(len(ways)), ways)
    axes.invert_yaxis()
    axes.margins(x=0.12)
    axes.set(title=title, xlabel="times faster than one by one")
    if len(gains) > 1:
        figure.legend(loc="outside lower right", ncols=len(gains), frameon=False)
    return figure
