"""The figures of lesson 22: runs at once, what waits meanwhile, and what a limit costs in time."""

from collections.abc import Mapping

import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from labs.concurrency.functions.runs import concurrency
from labs.course import figures
from labs.course.figures import BLUE, GREY, INK, ORANGE

# At the limit: concurrency climbs, and the queue takes the rest


def show_climb(runs: pd.DataFrame, queue: pd.DataFrame, *, limit: int, copy_s: float) -> None:
    """Show one publication: its runs, and Lambda's queue meanwhile.

    limit: the concurrency that the function may have. copy_s: seconds that a copy takes, as set.
    The other arguments, and errors, as in `from_first_event`.
    """
    running, queue = from_first_event(runs, queue)
    figures.show(
        draw_climb(running, queue, limit),
        alt=in_words(running, queue, limit),
        caption=f"Set: {len(runs)} messages, {copy_s:g} s for a copy, at most {limit} at once."
        " Measured: runs at once, from the copier's log; the age of the oldest event that waits,"
        " and throttles, from the mock.",
    )


def since(queue: pd.DataFrame, moment: float) -> pd.DataFrame:
    """What a queue did after a moment, in seconds since 1970; throttles are counted from there."""
    before = queue[queue["time"] < moment]
    throttles = queue["throttles"] - (before["throttles"].iloc[-1] if len(before) else 0)
    return queue.assign(throttles=throttles)[queue["time"] >= moment].reset_index(drop=True)


def from_first_event(runs: pd.DataFrame, queue: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(running, queue), both with a time in seconds since the first event came.

    runs: as `functions.runs` gives them; queue: as `aws.trace.queue` does. Raises ValueError when
    one of them is empty.
    """
    if runs.empty or queue.empty:
        raise ValueError(
            f"There are {len(runs)} runs and {len(queue)} changes of the queue; a figure needs"
            " both. Publish something, and wait until the copier has run."
        )
    first = queue["time"].min()
    running = concurrency(runs)
    return (
        running.assign(time=running["time"] + runs["start"].min() - first),
        queue.assign(time=queue["time"] - first),
    )


def finding(running: pd.DataFrame, queue: pd.DataFrame, limit: int) -> str:
    """What is seen, in a sentence."""
    most, throttles = running["running"].max(), queue["throttles"].iloc[-1]
    reached = "the limit" if most >= limit else f"not to the limit of {limit}"
    waits = "the rest waits in the queue" if throttles else "nothing was throttled"
    return f"Concurrency climbs to {most}, {reached}; {waits}"


def in_words(running: pd.DataFrame, queue: pd.DataFrame, limit: int) -> str:
    """The figure for who cannot see it."""
    return (
        f"Two charts over time. At most {running['running'].max()} runs at once, the limit is"
        f" {limit}; the last ended after {running['time'].iloc[-1]:.1f} s. At most"
        f" {queue['waiting'].max()} events waited, the oldest of them for"
        f" {queue['oldest_s'].max():.1f} s. {queue['throttles'].iloc[-1]} throttles."
    )


@rc_context(figures.STYLE)
def draw_climb(running: pd.DataFrame, queue: pd.DataFrame, limit: int) -> Figure:
    """Above, runs at once and the limit; below, the age of the oldest event and each throttle.

    running: (time, running); queue: (time, waiting, oldest_s, throttles), times as
    `from_first_event` gives them. limit: the concurrency that the function may have.
    """
    figure = Figure(figsize=(9.6, 5.4), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    figure.suptitle(finding(running, queue, limit), x=0.01, ha="left", fontsize=13, weight="bold")
    draw_running(above, running, limit)
    draw_queue(below, queue)
    end = max(running["time"].iloc[-1], queue["time"].iloc[-1])
    below.set(xlabel="time since the first event (s)", xlim=(0, end * 1.02))
    return figure


def draw_running(axes: Axes, running: pd.DataFrame, limit: int) -> None:
    """Steps, and the limit as a line with its name at its end."""
    axes.step(running["time"], running["running"], where="post", color=BLUE, linewidth=2)
    axes.fill_between(running["time"], running["running"], step="post", color=BLUE, alpha=0.15)
    axes.axhline(limit, color=GREY, linestyle="--", linewidth=1.2)
    axes.annotate(
        f"limit {limit}",
        (1, limit),
        xycoords=("axes fraction", "data"),
        xytext=(-4, 4),
        textcoords="offset points",
        ha="right",
        color=GREY,
    )
    axes.set(ylabel="runs at once", ylim=(0, 1.2 * max(limit, running["running"].max())))


def draw_queue(axes: Axes, queue: pd.DataFrame) -> None:
    """The age of the oldest event, and a tick below for each throttle."""
    oldest = max(queue["oldest_s"].max(), 0.1)
    axes.plot(queue["time"], queue["oldest_s"], color=ORANGE, linewidth=2)
    refused = queue["time"][queue["throttles"].diff().fillna(queue["throttles"]) > 0]
    axes.plot(refused, [-0.12 * oldest] * len(refused), "|", color=ORANGE, alpha=0.7, markersize=9)
    axes.text(
        0.995,
        0.02,
        f"| a throttle ({queue['throttles'].iloc[-1]} in all)",
        transform=axes.transAxes,
        ha="right",
        va="bottom",
        color=ORANGE,
        fontsize=11,
    )
    axes.set(
        ylabel="oldest event (s)",
        yticks=[tick for tick in axes.get_yticks() if tick >= 0],
        ylim=(-0.35 * oldest, 1.15 * oldest),
    )


# The dial: the same copies with more and with less concurrency


def show_dial(measured: Mapping[int, float], model: Mapping[int, float], *, set_to: str) -> None:
    """Show how long a publication took, by reserved concurrency.

    measured, model: reserved concurrency -> seconds. set_to: what was set, in words.
    """
    figures.show(
        draw_dial(measured, model),
        alt=dial_in_words(measured, model),
        caption=f"Set: {set_to}, reserved concurrency. Measured: seconds from the first start to"
        " the last end, from the copier's log. Model: the same with nothing but copies.",
    )


def dial_finding(measured: Mapping[int, float]) -> str:
    """What is seen, in a sentence of ratios."""
    least, most = min(measured), max(measured)
    faster = measured[least] / measured[most]
    return f"{most / least:.1f} times the concurrency: {faster:.1f} times as fast"


def dial_in_words(measured: Mapping[int, float], model: Mapping[int, float]) -> str:
    """The figure for who cannot see it."""
    points = "; ".join(
        f"reserved {reserved}: {seconds:.1f} s, by the model {model[reserved]:.1f} s"
        for reserved, seconds in sorted(measured.items())
    )
    return f"Seconds against reserved concurrency. {points}."


@rc_context(figures.STYLE)
def draw_dial(measured: Mapping[int, float], model: Mapping[int, float]) -> Figure:
    """Points for what was measured, a line for the model."""
    figure = Figure(figsize=(9.6, 4.2), layout="constrained")
    axes = figure.subplots()
    line = sorted(model.items())
    axes.plot(*zip(*line, strict=True), color=GREY, linestyle="--", linewidth=1.5)
    axes.annotate(
        "model",
        line[0],
        xytext=(-8, 0),
        textcoords="offset points",
        ha="right",
        va="center",
        color=GREY,
    )
    points = sorted(measured.items())
    axes.plot(*zip(*points, strict=True), "o", color=BLUE, markersize=9)
    for reserved, seconds in points:
        axes.annotate(
            f"{seconds:.1f} s",
            (reserved, seconds),
            xytext=(8, 8),
            textcoords="offset points",
            color=BLUE,
            weight="bold",
        )
    axes.set(
        title=dial_finding(measured),
        xlabel="reserved concurrency",
        ylabel="first start to last end (s)",
        xlim=(0, 1.12 * max(measured)),
        ylim=(0, 1.2 * max(*measured.values(), *model.values())),
        xticks=sorted(measured),
    )
    return figure


# Three stories that end at the same time


def show_stories(stories: Mapping[str, pd.DataFrame], *, measured_s: float) -> None:
    """Show runs at once over time, one story below the other.

    stories: name -> frame of a prediction (start, end). measured_s: the time that all explain.
    """
    figures.show(
        draw_stories(stories, measured_s),
        alt=stories_in_words(stories),
        caption="Set: one number in each story, chosen so that it ends at the article's time."
        " Nothing here is measured: this is the model.",
    )


def stories_in_words(stories: Mapping[str, pd.DataFrame]) -> str:
    """The figure for who cannot see it."""
    told = []
    for name, frame in stories.items():
        running = concurrency(frame)
        told.append(
            f"{name}: at most {running['running'].max()} at once, {frame['start'].nunique()}"
            f" different moments of start, the last copy ends at {frame['end'].max():.0f} s."
        )
    return f"{len(stories)} charts of runs at once over time. {' '.join(told)}"


@rc_context(figures.STYLE)
def draw_stories(stories: Mapping[str, pd.DataFrame], measured_s: float) -> Figure:
    """Runs at once, a chart a story, and the article's time as a line through all."""
    figure = Figure(figsize=(9.6, 1.9 * len(stories) + 0.9), layout="constrained")
    charts = figure.subplots(len(stories), 1, sharex=True, sharey=True, squeeze=False)[:, 0]
    figure.suptitle(
        f"Stories that end near {measured_s:g} s: the starts tell them apart",
        x=0.01,
        ha="left",
        fontsize=13,
        weight="bold",
    )
    for axes, (name, frame) in zip(charts, stories.items(), strict=True):
        running = concurrency(frame)
        axes.step(running["time"], running["running"], where="post", color=BLUE, linewidth=2)
        axes.fill_between(running["time"], running["running"], step="post", color=BLUE, alpha=0.15)
        axes.axvline(measured_s, color=ORANGE, linestyle="--", linewidth=1.5)
        axes.set_title(name, fontsize=12, weight="normal", color=INK, pad=6)
        axes.set(ylabel="at once", ylim=(0, None))
    charts[-1].set(xlabel="time since the first start (s)", xlim=(0, 1.12 * measured_s))
    return figure
