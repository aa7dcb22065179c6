"""The figure of lesson 01: what it costs to read a table in many small pages."""

from collections.abc import Sequence
from statistics import linear_regression, median

from matplotlib import rc_context
from matplotlib.figure import Figure

from labs.course import figures
from labs.course.figures import BLUE, GREY, INK

Run = tuple[int, float]  # calls, and milliseconds for all of them


def pages_against_time(runs: Sequence[Run], items: int) -> None:
    """Show what reading the same items took, by the number of calls.

    runs:  (calls, milliseconds) of each time that all items were read.
    items: how many there were.
    """
    figures.show(
        draw_pages(runs),
        alt=f"Points, time over calls. {in_words(runs)} A straight line through them does not"
        f" begin at zero but at {fitted(runs)[1]:.0f} ms.",
        caption=f"Set: {items} items, read {len(runs)} times, in pages of {len(medians(runs))}"
        " sizes. Measured: calls, and milliseconds for all of them, at the client."
        " The line is the straight one with the least squares.",
    )


def times_as_long(runs: Sequence[Run]) -> float:
    """How much longer the most calls took than the fewest: a ratio of medians."""
    middle = medians(runs)
    return middle[max(middle)] / middle[min(middle)]


def finding(runs: Sequence[Run]) -> str:
    """What the medians say, as a ratio: milliseconds differ from machine to machine."""
    middle = medians(runs)
    return f"{max(middle)} calls took {times_as_long(runs):.1f} times as long as {min(middle)}"


def medians(runs: Sequence[Run]) -> dict[int, float]:
    """Number of calls -> median of the milliseconds, in the order of the calls."""
    return {
        calls: median(time_ms for number, time_ms in runs if number == calls)
        for calls in sorted({number for number, _ in runs})
    }


def fitted(runs: Sequence[Run]) -> tuple[float, float]:
    """(ms for each call, ms for the rest) of the straight line through all runs.

    Raises statistics.StatisticsError when all runs have the same number of calls.
    """
    calls, times_ms = zip(*runs, strict=True)
    slope, intercept = linear_regression(calls, times_ms)
    return slope, intercept


def in_words(runs: Sequence[Run]) -> str:
    """The points for who cannot see them."""
    rows = [f"{calls} calls: median {time_ms:.0f} ms" for calls, time_ms in medians(runs).items()]
    return "; ".join(rows) + "."


@rc_context(figures.STYLE)
def draw_pages(runs: Sequence[Run]) -> Figure:
    """One point a run, and the straight line through them."""
    figure = Figure(figsize=(8, 3.6), layout="constrained")
    axes = figure.subplots()
    calls, times_ms = zip(*runs, strict=True)
    axes.scatter(calls, times_ms, color=BLUE, alpha=0.6, edgecolors="none", s=45)
    slope, intercept = fitted(runs)
    end, top = max(calls) * 1.08, max(times_ms) * 1.25
    axes.plot([0, end], [intercept, intercept + slope * end], color=GREY, linewidth=1.2, zorder=0)
    for number, middle in ends(medians(runs)):
        left = number < end / 2
        # Above all points that the words would cover: they reach over a third of the axis.
        near = [time_ms for calls, time_ms in runs if abs(calls - number) < end / 3]
        axes.annotate(
            f"{number} calls: median {middle:.0f} ms",
            (number, max(near)),
            xytext=(-4 if left else 4, 10),
            textcoords="offset points",
            ha="left" if left else "right",
            color=INK,
        )
    axes.set(
        title=finding(runs),
        xlabel="calls for the same items",
        ylabel="time for all calls (ms)",
        xlim=(0, end),
        ylim=(0, top),
    )
    return figure


def ends(middle: dict[int, float]) -> list[tuple[int, float]]:
    """The fewest and the most calls, with their medians."""
    return [(number, middle[number]) for number in (min(middle), max(middle))]
