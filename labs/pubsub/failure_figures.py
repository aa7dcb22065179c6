"""The figure of lesson 33: what a limited consumer does to the backlog, and to who posts."""

from collections.abc import Mapping
from statistics import median

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from labs.course import figures
from labs.course.figures import BLUE, INK, ORANGE
from labs.pubsub.failures import Flood

COLOURS = (BLUE, ORANGE)


def backlogs(floods: Mapping[str, Flood], *, clients: int, pause: float) -> None:
    """Show two floods by name, the freer one first. `pause`: seconds the consumer takes."""
    messages = len(next(iter(floods.values())).posts_ms) + clients
    figures.show(
        draw_backlogs(floods),
        alt=f"Two charts. {' '.join(in_words(name, flood) for name, flood in floods.items())}",
        caption=f"Set: {messages} messages by {clients} posters;"
        f" the consumer takes {pause:g} s for each. Measured: messages still waiting for the"
        " consumer; milliseconds from post to answer, at the poster,"
        " without each poster's first.",
    )


def slowdown(floods: Mapping[str, Flood]) -> float:
    """How many times as long a poster waited in the second flood, by the medians."""
    free, limited = (median(flood.posts_ms) for flood in floods.values())
    return limited / free


def finding(floods: Mapping[str, Flood]) -> str:
    """What the two floods say, as ratios: seconds differ from machine to machine."""
    (freer, free), (tighter, limited) = floods.items()
    return (
        f"{tighter} against {freer}: the backlog lasted"
        f" {limited.drained_s / free.drained_s:.1f} times as long, a post {slowdown(floods):.1f}"
        " times"
    ).capitalize()


def in_words(name: str, flood: Flood) -> str:
    """A flood for who cannot see it."""
    return (
        f"{name}: at most {flood.most} messages waited, the last until {flood.drained_s:.1f} s;"
        f" a post took {median(flood.posts_ms):.0f} ms in the median."
    )


@rc_context(figures.STYLE)
def draw_backlogs(floods: Mapping[str, Flood]) -> Figure:
    """Left the backlog over time, right a point for each post, with the median as a bar."""
    figure = Figure(figsize=(9.6, 3.8), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(3, 2))
    figure.suptitle(finding(floods), x=0.01, ha="left", fontsize=13, weight="bold")
    for (name, flood), colour in zip(floods.items(), COLOURS, strict=True):
        draw_backlog(left, name, flood, colour)
    longest = max(flood.drained_s for flood in floods.values())
    left.set(
        xlabel="time since the first post (s)",
        ylabel="messages waiting",
        xlim=(0, longest * 1.05),
        ylim=(0, 1.25 * max(flood.most for flood in floods.values()) + 1),
    )
    for row, ((name, flood), colour) in enumerate(zip(floods.items(), COLOURS, strict=True)):
        draw_posts(right, row, name, flood, colour)
    right.set(
        xlabel="time from post to answer (ms)",
        xlim=(0, None),
        ylim=(-0.5, len(floods) - 0.3),
        yticks=range(len(floods)),
        yticklabels=list(floods),
    )
    return figure


def draw_backlog(axes: Axes, name: str, flood: Flood, colour: str) -> None:
    """One line, its name at its peak."""
    times, waiting = zip(*flood.backlog, strict=True)
    axes.step(times, waiting, where="post", color=colour, linewidth=2)
    peak = max(flood.backlog, key=lambda look: look[1])
    axes.annotate(
        name, peak, xytext=(4, 6), textcoords="offset points", color=colour, weight="bold"
    )


def draw_posts(axes: Axes, row: int, name: str, flood: Flood, colour: str) -> None:
    """One point a post."""
    heights = [row + (index % 5 - 2) * 0.07 for index in range(len(flood.posts_ms))]
    axes.scatter(flood.posts_ms, heights, color=colour, alpha=0.6, edgecolors="none", s=40)
    middle = median(flood.posts_ms)
    axes.plot([middle, middle], [row - 0.28, row + 0.28], color=INK, linewidth=2)
    axes.text(middle, row + 0.32, f" median {middle:.0f} ms", ha="left", fontsize=11)
