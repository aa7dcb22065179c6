"""The figures of lesson 13: a server that comes and goes under load, and one that dies."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from labs.course import figures
from labs.course.figures import BLUE, INK, ORANGE

if TYPE_CHECKING:
    from pandas import DataFrame, Series

UNANSWERED = "failed"  # the row of requests that no server answered


# A server that comes and goes


def come_and_go(frame: "DataFrame", moments: Mapping[str, float]) -> None:
    """Show which server answered each request, and when servers came and went.

    frame:   as `traffic` has it: a row for each request.
    moments: seconds on the frame's scale, by what was done then.
    """
    failed = int((frame.status != 200).sum())
    figures.show(
        draw_come_and_go(frame, moments),
        alt="Points on a scale of seconds, a row for each server. "
        + " ".join(stay_in_words(name, times) for name, times in answered(frame).items())
        + " "
        + ", ".join(f"{what} at {at:.1f} s" for what, at in moments.items())
        + f". Failed requests: {failed} of {len(frame)}.",
        caption=f"Set: {len(frame)} requests at equal distances; the vertical lines are calls to"
        " AWS. Measured: which server answered each, and when it was sent. Heights within a row"
        " mean nothing: they keep dots apart.",
    )


def answered(frame: "DataFrame") -> dict[str, "Series"]:
    """When requests were sent, by the server that answered; the last row: the failed ones."""
    well = frame[frame.status == 200]
    by_server = dict(iter(well.groupby("target").time))
    ordered = sorted(by_server.items(), key=lambda item: (item[1].min(), item[0]))
    failed = frame[frame.status != 200].time
    return dict(ordered) | ({UNANSWERED: failed} if len(failed) else {})


def stay_in_words(name: str, times: "Series") -> str:
    """A row for who cannot see it."""
    return f"{name}: {len(times)} requests, from {times.min():.1f} s to {times.max():.1f} s."


def coming_finding(frame: "DataFrame") -> str:
    """What the rows say."""
    failed = int((frame.status != 200).sum())
    servers = frame[frame.status == 200].target.nunique()
    return f"{servers} servers took {len(frame)} requests; {failed or 'none'} failed"


@rc_context(figures.STYLE)
def draw_come_and_go(frame: "DataFrame", moments: Mapping[str, float]) -> Figure:
    """A row for each server, a point for each request, a line for each moment."""
    by_server = answered(frame)
    figure = Figure(figsize=(9.6, 1.9 + 0.45 * len(by_server)), layout="constrained")
    axes = figure.subplots()
    figure.suptitle(coming_finding(frame), x=0.01, ha="left", fontsize=13, weight="bold")
    for row, (name, times) in enumerate(by_server.items()):
        draw_points(axes, row, times, ORANGE if name == UNANSWERED else BLUE)
    for what, at in moments.items():
        axes.axvline(at, color=INK, linewidth=1)
        axes.text(at, -0.75, f" {what}", va="center", fontsize=11)
    axes.set(
        xlabel="when a request was sent (s)",
        ylim=(len(by_server) - 0.5, -1.1),
        yticks=range(len(by_server)),
        yticklabels=list(by_server),
    )
    axes.tick_params(axis="y", length=0)
    return figure


def draw_points(axes: Axes, row: int, times: "Series", colour: str) -> None:
    """A point for each time; neighbours on different heights, or they would hide each other."""
    heights = [row + (index % 5 - 2) * 0.07 for index in range(len(times))]
    axes.scatter(times, heights, color=colour, alpha=0.6, edgecolors="none", s=26)


# A server that dies


def outages(
    frames: Mapping[int, "DataFrame"], *, failures_needed: int, rate: float, time_scale: float
) -> None:
    """Show which requests failed after a server died, for each interval of health checks.

    frames:          by the interval in seconds: a row for each request, as `traffic` has them.
    failures_needed: failed checks in a row after which a target counts as unhealthy.
    rate:            requests a second. time_scale: by what the mock divides AWS's waits.
    """
    since = {interval: since_death(frame, time_scale) for interval, frame in frames.items()}
    figures.show(
        draw_outages(since, failures_needed),
        alt="Points on a scale of mock seconds, a row for each interval between health checks. "
        + " ".join(outage_in_words(*item, failures_needed) for item in since.items()),
        caption=f"Set: {rate:g} requests a second; a target is unhealthy after"
        f" {failures_needed} failed checks in a row; one server of the group dies. A mock second"
        f" is 1/{time_scale:g} of a second: the mock's checks run that much faster. Measured:"
        " when requests were sent, and which failed (orange) or were answered (blue). Grey: where"
        " theory expects the last failure.",
    )


def since_death(frame: "DataFrame", time_scale: float) -> "DataFrame":
    """The same rows with `time` in mock seconds since the first failed request.

    Raises ValueError where no request failed: nothing died, or nothing was sent meanwhile.
    """
    failed = frame[frame.status != 200]
    if failed.empty:
        raise ValueError(f"all of {len(frame)} requests were answered: no server died under them")
    return frame.assign(time=(frame.time - failed.time.min()) * time_scale)


def outage(frame: "DataFrame") -> float:
    """Mock seconds from the first failed request to the last. frame: of `since_death`."""
    return float(frame[frame.status != 200].time.max())


def failures(frame: "DataFrame") -> int:
    """How many requests failed."""
    return int((frame.status != 200).sum())


def predicted(interval: int, failures_needed: int) -> tuple[int, int]:
    """From when until when, in mock seconds after the death, the balancer notices it.

    The first check that fails comes at most one interval later, the others at their distance.

    >>> predicted(30, 2)
    (30, 60)
    """
    return interval * (failures_needed - 1), interval * failures_needed


def outage_in_words(interval: int, frame: "DataFrame", failures_needed: int) -> str:
    """A row for who cannot see it."""
    least, most = predicted(interval, failures_needed)
    return (
        f"Every {interval} s: {failures(frame)} of {len(frame)} requests failed, the last"
        f" {outage(frame):.0f} mock seconds after the first; theory says {least} to {most}."
    )


def outage_finding(frames: Mapping[int, "DataFrame"]) -> str:
    """What the rows say, as a ratio."""
    slow, fast = max(frames), min(frames)
    ratio = failures(frames[slow]) / failures(frames[fast])
    return (
        f"Checked every {slow} s instead of every {fast} s, a dead server costs {ratio:.1f} times"
        " as many requests"
    )


@rc_context(figures.STYLE)
def draw_outages(frames: Mapping[int, "DataFrame"], failures_needed: int) -> Figure:
    """A row for each interval: failed requests in orange, answered ones in blue below them."""
    figure = Figure(figsize=(9.6, 1.7 + 0.9 * len(frames)), layout="constrained")
    axes = figure.subplots()
    figure.suptitle(outage_finding(frames), x=0.01, ha="left", fontsize=13, weight="bold")
    for row, (interval, frame) in enumerate(frames.items()):
        well = frame.status == 200
        draw_points(axes, row + 0.22, frame[well].time, BLUE)
        draw_points(axes, row - 0.22, frame[~well].time, ORANGE)
        least, most = predicted(interval, failures_needed)
        axes.barh(row - 0.22, most - least, left=least, height=0.4, color="#e4e4e4", zorder=0)
        axes.text(
            max(most, outage(frame)) + 1.5,
            row - 0.22,
            f"{failures(frame)} failed",
            color=ORANGE,
            va="center",
        )
    axes.set(
        xlabel="mock seconds since the first failed request",
        ylim=(len(frames) - 0.4, -0.6),
        yticks=range(len(frames)),
        yticklabels=[f"every {interval} s" for interval in frames],
    )
    axes.set_ylabel("health checks")
    axes.tick_params(axis="y", length=0)
    return figure
