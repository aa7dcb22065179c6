"""The figure of lesson 15: where requests went while weights were moved, beside what was set."""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from labs.course import figures
from labs.course.figures import BLUE, GREY, INK, ORANGE

if TYPE_CHECKING:
    from pandas import DataFrame, Series

#: Rows of the lower panel, from the top, and their colours.
ROWS = {"new": BLUE, "old": GREY, "failed": ORANGE}
ANSWERED = ("new", "old")
SURE = 1.96  # standard deviations that hold 95 % of what chance does


class Step(NamedTuple):
    """What became of a weight. begin, end: s since the start. share, off: of all answers, in %.

    off: how far chance alone may lead away from `percent`, in 95 of 100 such steps.
    """

    begin: float
    end: float
    percent: float
    requests: int
    share: float
    off: float


def shift(frame: "DataFrame", answered: "Series", set_at: Sequence[tuple[float, float]]) -> None:
    """Show which balancer answered, beside the weights.

    frame:    of `traffic`: a row a request, with `time` and `latency`.
    answered: "old", "new" or "failed", for the same requests.
    set_at:   (s since the start, weight of the new one in % of all), in order.
    """
    steps = measure(frame, answered, set_at)
    failed = int((answered == "failed").sum())
    figures.show(
        draw(frame.time, answered, steps),
        alt="Above, the share of the new balancer, measured beside the weight set: "
        + "; ".join(in_words(step) for step in steps)
        + ". Below, a point for each request in a row for who answered: "
        + ", ".join(f"{row} {int((answered == row).sum())}" for row in ROWS)
        + ".",
        caption=f"Set: {len(answered)} requests, each on a new connection, for which the name is"
        " looked up; weights as the line shows. Measured: who answered. Bars: where chance alone"
        f" leaves 95 of 100 shares. Failed requests: {failed}.",
    )


def measure(
    frame: "DataFrame", answered: "Series", set_at: Sequence[tuple[float, float]]
) -> list[Step]:
    """What was measured under each weight, by the requests that began and ended under it.

    For one that was under way when a weight was set, nobody knows which of the two it met.
    Raises ValueError where no request was answered.
    """
    done = frame.time + frame.latency
    ends = [*set_at, (float(done.max()), math.nan)]
    steps = []
    for (begin, percent), (end, _) in pairwise(ends):
        by = answered[(frame.time >= begin) & (done <= end) & answered.isin(ANSWERED)]
        if by.empty:
            raise ValueError(
                f"no request was answered between {begin:.1f} and {end:.1f} s, while the new"
                f" balancer's weight was {percent:g}: let more requests come, or look at the errors"
            )
        share = 100 * float((by == "new").mean())
        off = SURE * math.sqrt(percent * (100 - percent) / len(by))
        steps.append(Step(begin, end, percent, len(by), share, off))
    return steps


def in_words(step: Step) -> str:
    """A step for who cannot see it."""
    return f"{step.share:.0f} % at {step.percent:g} %"


def finding(answered: "Series", steps: Sequence[Step]) -> str:
    """What the figure says."""
    lost = int((answered == "failed").sum())
    off = max(abs(step.share - step.percent) for step in steps)
    return (
        f"Shares stay within {math.ceil(off)} points of the weights;"
        f" {lost or 'none'} of {len(answered)} requests failed"
    )


@rc_context(figures.STYLE)
def draw(times: "Series", answered: "Series", steps: Sequence[Step]) -> Figure:
    """Two panels over one axis of time: shares and weights, and each request."""
    figure = Figure(figsize=(9.6, 4.6), layout="constrained")
    figure.suptitle(finding(answered, steps), x=0.01, ha="left", fontsize=13, weight="bold")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(2.2, 1))
    draw_shares(above, steps)
    draw_requests(below, times, answered)
    return figure


def draw_shares(axes: Axes, steps: Sequence[Step]) -> None:
    """The weights as a line of steps, what was measured as a point in the middle of each."""
    edges = [step.begin for step in steps] + [steps[-1].end]
    axes.stairs([step.percent for step in steps], edges, baseline=None, color=INK, linewidth=1.5)
    for step in steps:
        middle = (step.begin + step.end) / 2
        axes.errorbar(
            middle, step.percent, yerr=step.off, color=GREY, capsize=5, linewidth=1.2, zorder=1
        )
        axes.plot(middle, step.share, "o", color=BLUE, markersize=8)
        beneath = step.share < step.percent or step.percent > 50  # on the point's side of the line
        axes.annotate(
            f"{step.share:.0f} %",
            (middle, step.share),
            xytext=(9, -13 if beneath else 6),
            textcoords="offset points",
            color=BLUE,
        )
    axes.set(ylim=(-8, 112), yticks=(0, 50, 100), ylabel="new balancer (%)")
    axes.set_title(
        "line: weight set; points: share of the answers; bars: what chance may do",
        fontsize=12,
        weight="normal",
    )


def draw_requests(axes: Axes, times: "Series", answered: "Series") -> None:
    """A point for each request, in the row of who answered it."""
    for row, (who, colour) in enumerate(ROWS.items()):
        at = times[answered == who]
        # Neighbours on different heights, or equal times would hide each other.
        heights = [row + (index % 5 - 2) * 0.13 for index in range(len(at))]
        axes.scatter(at, heights, color=colour, alpha=0.5, edgecolors="none", s=16)
    axes.set(
        ylim=(len(ROWS) - 0.4, -0.6),
        yticks=range(len(ROWS)),
        yticklabels=[*ROWS],
        xlabel="since the first request (s)",
    )
    axes.tick_params(axis="y", length=0)
