"""The figure of lesson 22: concurrency climbs to its limit, and the queue takes the rest."""

import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from labs.concurrency.functions.runs import concurrency
from labs.course import figures
from labs.course.figures import BLUE, GREY, ORANGE


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
