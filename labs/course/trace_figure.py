"""The path of a message as a figure: one row a hop, on a scale of milliseconds.

`aws.trace().figure()` loads this by name. It draws whatever has a hop's attributes (see
`labs.cloud.trace.Hop`) and needs nothing of `labs.cloud`.
"""

from collections.abc import Sequence
from typing import Any

from matplotlib import rc_context
from matplotlib.figure import Figure

from labs.course import figures
from labs.course.figures import BLUE, GREY, INK, ORANGE

#: More rows than these do not fit on a projector. The table has them all.
MOST_ROWS = 40


def show(hops: Sequence[Any]) -> None:
    """Show the figure below the cell, or a sentence when there is nothing to draw."""
    if not hops:
        print(
            "No message has travelled yet, so there is nothing to draw. Send one, then ask again."
        )
        return
    figures.show(draw(hops), alt=in_words(hops), caption=caption(hops))


@rc_context(figures.STYLE)
def draw(hops: Sequence[Any]) -> Figure:
    """A bar from begin to end of each hop, errors in another colour and in words."""
    rows = list(hops[:MOST_ROWS])
    figure = Figure(figsize=(9.6, 1.3 + 0.34 * len(rows)), layout="constrained")
    axes = figure.subplots()
    end = max(hop.time_ms + hop.duration_ms for hop in rows) or 1.0
    for row, hop in enumerate(rows):
        colour = ORANGE if hop.went_wrong else BLUE
        # What took no time is still to be seen.
        width = max(hop.duration_ms, end / 200)
        hatch = "///" if hop.went_wrong else None
        axes.barh(row, width, left=hop.time_ms, height=0.55, color=colour, hatch=hatch)
        axes.annotate(
            remark(hop),
            (hop.time_ms + width, row),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize=10,
            color=ORANGE if hop.went_wrong else INK,
        )
    axes.set(
        xlabel="time since the path began (ms)",
        xlim=(0, end * 1.45),  # room for the remark of a bar that ends last
        ylim=(len(rows) - 0.4, -0.6),
        yticks=range(len(rows)),
        yticklabels=[label(hop) for hop in rows],
    )
    axes.tick_params(axis="y", length=0, labelsize=10)
    for row_label in axes.get_yticklabels():
        row_label.set_horizontalalignment("left")
    axes.tick_params(axis="y", pad=10 + 5.8 * max(len(label(hop)) for hop in rows))
    figure.suptitle(finding(hops), x=0.01, ha="left", fontsize=13, weight="bold")
    axes.grid(axis="x", color=GREY, alpha=0.25)
    axes.set_axisbelow(True)
    return figure


def label(hop: Any) -> str:
    """ "DynamoDB UpdateItem words", indented below what set it off."""
    return "   " * hop.depth + " ".join(filter(None, [hop.step, hop.resource]))


def remark(hop: Any) -> str:
    """What stands at a bar's end: how long it took, and what went wrong."""
    took = f"{hop.duration_ms:.0f} ms" if hop.duration_ms >= 0.5 else ""
    if hop.went_wrong:
        return " ".join(filter(None, ["✗", hop.error or hop.status, took]))
    if hop.status.isdigit() or hop.status == "ok":
        return took or "under 1 ms"
    return ", ".join(filter(None, [hop.status, took]))


def finding(hops: Sequence[Any]) -> str:
    """The title: where it went wrong first, else how long the way was."""
    wrong = [hop for hop in hops if hop.went_wrong]
    paths = max(hop.chain for hop in hops)
    if wrong:
        # What goes wrong deep inside makes its callers fail too: the deepest is the cause.
        deepest = max(wrong, key=lambda hop: hop.depth)
        return f"{deepest.step} went wrong: {deepest.error or deepest.status}"
    end = max(hop.time_ms + hop.duration_ms for hop in hops)
    what = "The message's path" if paths == 1 else f"The longest path of {paths}"
    return f"{what} took {end:.0f} ms in all"


def caption(hops: Sequence[Any]) -> str:
    """What was measured, and what was left out."""
    text = "Measured: begin and end of each hop, by the mock."
    if len(hops) > MOST_ROWS:
        text += f" Not drawn: {len(hops) - MOST_ROWS} more hops; the table has them."
    return text


def in_words(hops: Sequence[Any]) -> str:
    """The figure for who cannot see it: each hop with its numbers."""
    sentences = [f"Timeline of {len(hops)} hops. {finding(hops)}."]
    for hop in hops[:MOST_ROWS]:
        what = " ".join(filter(None, [hop.step, hop.resource]))
        how = hop.error or hop.status
        sentences.append(
            f"At {hop.time_ms:.0f} ms {what}, by {hop.caller}, {hop.duration_ms:.0f} ms: {how}."
        )
    return " ".join(sentences)
