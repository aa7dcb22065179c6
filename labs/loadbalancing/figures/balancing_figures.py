"""The figures of lesson 12: who gets the requests, what a slow server does, what reading costs."""

from collections.abc import Mapping
from textwrap import fill
from typing import TYPE_CHECKING

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from labs.course import figures
from labs.course.figures import BLUE, INK, ORANGE, PAPER
from labs.loadbalancing.cost import Costs

if TYPE_CHECKING:
    from pandas import DataFrame, Series

#: By the names of balancers or algorithms. The frames are those of `traffic`: a row a request.
Frames = Mapping[str, "DataFrame"]


def answered(frame: "DataFrame") -> "DataFrame":
    """The rows of requests that were answered well. Raises ValueError when there are none."""
    well = frame[frame.status == 200]
    if well.empty:
        statuses = ", ".join(map(str, sorted(frame.status.unique())))
        errors = "; ".join(filter(None, frame.error.unique()[:3]))
        raise ValueError(
            f"none of {len(frame)} requests was answered with status 200, but with {statuses}"
            f" (0: not at all). {errors}".rstrip()
        )
    return well


# Who gets the requests


def spreads(frames: Frames) -> None:
    """Show how many requests each server got, of whom, for each balancer by its name."""
    sent = next(iter(frames.values())).client.value_counts().sort_index()
    failed = {name: int((frame.status != 200).sum()) for name, frame in frames.items()}
    figures.show(
        draw_spreads(frames),
        alt="Bar charts, a bar for each server, the busiest first. "
        + " ".join(f"{name}: {spread_in_words(frame)}" for name, frame in frames.items()),
        caption=f"Set: {len(sent)} browsers, each with one connection, send"
        f" {', '.join(map(str, sent))} requests. Measured: requests that each server answered,"
        " a piece of the bar for each browser."
        + "".join(f" Failed at {name}: {number}." for name, number in failed.items() if number),
    )


def busiest(frame: "DataFrame") -> int:
    """How many requests the busiest server answered."""
    return int(served(frame).sum(axis=1).max())


def served(frame: "DataFrame") -> "DataFrame":
    """Requests answered: a row for each server, the busiest first, a column for each client."""
    from pandas import crosstab  # here: a set-up cell should not wait for it

    well = answered(frame)
    counts = crosstab(well.target, well.client)
    return counts.loc[counts.sum(axis=1).sort_values(ascending=False, kind="stable").index]


def spread_in_words(frame: "DataFrame") -> str:
    """A balancer's bars for who cannot see them."""
    counts = served(frame)
    busy = int(counts.sum().idxmax())
    return (
        ", ".join(f"{server} {number}" for server, number in counts.sum(axis=1).items())
        + f" requests; of these from the busiest browser {', '.join(map(str, counts[busy]))}."
    )


def spread_finding(frames: Frames) -> str:
    """What the bars say, as shares."""
    shares = [
        f"{busiest(frame) / served(frame).to_numpy().sum():.0%} ({name})"
        for name, frame in frames.items()
    ]
    return f"The busiest server's share of the requests: {', '.join(shares)}"


@rc_context(figures.STYLE)
def draw_spreads(frames: Frames) -> Figure:
    """A panel for each balancer: a bar for each server, the busiest browser's part in orange."""
    figure = Figure(figsize=(9.6, 3.4), layout="constrained")
    panels = figure.subplots(1, len(frames), sharex=True, squeeze=False)[0]
    figure.suptitle(spread_finding(frames), x=0.01, ha="left", fontsize=13, weight="bold")
    for axes, (name, frame) in zip(panels, frames.items(), strict=True):
        draw_spread(axes, served(frame))
        axes.set_title(name, fontsize=12, weight="normal")
    panels[0].set_xlim(0, 1.14 * max(map(busiest, frames.values())))
    panels[0].set_ylabel("server")
    return figure


def draw_spread(axes: Axes, counts: "DataFrame") -> None:
    """One bar a server, made of a piece for each browser; how much it is, behind it."""
    busy = counts.sum().idxmax()
    ends = counts.sum(axis=1) * 0
    order = [busy, *(client for client in counts.columns if client != busy)]
    for client in order:
        colour = ORANGE if client == busy else BLUE
        axes.barh(counts.index, counts[client], left=ends, color=colour, edgecolor=PAPER)
        ends = ends + counts[client]
    for row, total in enumerate(ends):
        axes.annotate(
            f"{total}", (total, row), xytext=(5, 0), textcoords="offset points", va="center"
        )
    axes.invert_yaxis()
    axes.set_xlabel("requests (orange: the busiest browser's)")
    axes.tick_params(axis="y", length=0)


# What a slow server does


def latencies(frames: Frames, *, slow: str, rate: float) -> None:
    """Show how long requests took under each algorithm, by its name; the worse one first.

    slow: the server that is slow. rate: requests a second that were sent.
    """
    figures.show(
        draw_latencies(frames),
        alt="Points on a scale of milliseconds. "
        + " ".join(latency_in_words(name, frame, slow) for name, frame in frames.items()),
        caption=f"Set: {rate:g} requests a second, whether or not earlier ones are answered; three"
        " servers take 10 ms for each, one takes 200. Measured: milliseconds from when a request"
        " was due until its answer was there. "
        + " ".join(
            f"{name}: {share(frame, slow):.0%} to {slow}." for name, frame in frames.items()
        ),
    )


def milliseconds(frame: "DataFrame") -> "Series":
    """How long the requests took that were answered."""
    return answered(frame).latency * 1000


def share(frame: "DataFrame", server: str) -> float:
    """The part of the requests that a server answered, between 0 and 1."""
    return float((answered(frame).target == server).mean())


def latency_in_words(name: str, frame: "DataFrame", slow: str) -> str:
    """One algorithm's points for who cannot see them."""
    middle, most = milliseconds(frame).quantile([0.5, 0.9])
    return (
        f"{name}, {len(frame)} requests, {share(frame, slow):.0%} of them to {slow}: half within"
        f" {middle:.0f} ms, nine of ten within {most:.0f} ms."
    )


def latency_finding(frames: Frames) -> str:
    """What p90 says, as a ratio: milliseconds differ from machine to machine."""
    (one, worse), (other, better) = frames.items()
    ratio = milliseconds(worse).quantile(0.9) / milliseconds(better).quantile(0.9)
    return f"The p90 of {plain(one)} is {ratio:.0f} times that of {plain(other)}"


def plain(name: str) -> str:
    """An algorithm's name as words."""
    return name.replace("_", " ")


@rc_context(figures.STYLE)
def draw_latencies(frames: Frames) -> Figure:
    """A row for each algorithm, a point for each request, bars at p50 and p90."""
    figure = Figure(figsize=(9.6, 3.4), layout="constrained")
    figure.suptitle(latency_finding(frames), x=0.01, ha="left", fontsize=13, weight="bold")
    axes = figure.subplots()
    end = 1.12 * max(milliseconds(frame).max() for frame in frames.values())
    rows = range(len(frames))
    for row, frame, colour in zip(rows, frames.values(), (ORANGE, BLUE), strict=True):
        times = milliseconds(frame)
        # Neighbours on different heights, or equal times would hide each other.
        heights = [row + (index % 9 - 4) * 0.035 for index in range(len(times))]
        axes.scatter(times, heights, color=colour, alpha=0.35, edgecolors="none", s=30)
        for quantile, up in ((0.5, -1), (0.9, 1)):
            at = times.quantile(quantile)
            axes.plot([at, at], [row - 0.24, row + 0.24], color=INK, linewidth=2)
            axes.text(
                at,
                row + up * 0.3,
                f"p{quantile * 100:.0f}: {at:.0f} ms",
                ha="right" if at > end / 2 else "left",
                va="top" if up > 0 else "bottom",
            )
    axes.set(
        xlabel="from when a request was due until its answer was there (ms)",
        xlim=(0, end),
        ylim=(len(frames) - 0.4, -0.6),
        yticks=list(rows),
        yticklabels=[fill(plain(name), 12) for name in frames],
    )
    return figure


# What a request costs


def costs(columns: Mapping[str, Costs]) -> None:
    """Show what a request costs at both layers, in microseconds, for each proxy by its name."""
    figures.show(
        draw_costs(columns),
        alt="Pairs of bars, microseconds of processor time for a request. "
        + " ".join(cost_in_words(name, cost) for name, cost in columns.items()),
        caption="Set: connections are kept, logs are off. Measured: processor time, user and"
        " system, of the proxy's process, by request. "
        + " ".join(f"{name}: {cost.source}." for name, cost in columns.items()),
    )


def cost_in_words(name: str, cost: Costs) -> str:
    """A pair of bars for who cannot see it."""
    return (
        f"{name}: layer 4 {cost.layer4:.0f}, layer 7 {cost.layer7:.0f}, that is {cost.ratio:.1f}"
        " times as much."
    )


def cost_finding(columns: Mapping[str, Costs]) -> str:
    """What the pairs say, as ratios."""
    ratios = ", ".join(f"{cost.ratio:.1f}" for cost in columns.values())
    return f"What layer 7 costs, in times of layer 4, from the top: {ratios}"


@rc_context(figures.STYLE)
def draw_costs(columns: Mapping[str, Costs]) -> Figure:
    """Two bars for each proxy: layer 4, layer 7."""
    figure = Figure(figsize=(9.6, 0.9 + 1.1 * len(columns)), layout="constrained")
    figure.suptitle(cost_finding(columns), x=0.01, ha="left", fontsize=13, weight="bold")
    axes = figure.subplots()
    for row, cost in enumerate(columns.values()):
        for offset, value, colour, layer in (
            (-0.19, cost.layer4, BLUE, "layer 4"),
            (0.19, cost.layer7, ORANGE, "layer 7"),
        ):
            axes.barh(row + offset, value, height=0.36, color=colour)
            axes.annotate(
                f"{layer}: {value:.0f} µs",
                (value, row + offset),
                xytext=(5, 0),
                textcoords="offset points",
                va="center",
            )
    axes.set(
        xlabel="processor time for a request (µs)",
        yticks=range(len(columns)),
        yticklabels=list(columns),
        xlim=(0, 1.25 * max(cost.layer7 for cost in columns.values())),
    )
    axes.invert_yaxis()
    axes.tick_params(axis="y", length=0)
    return figure
