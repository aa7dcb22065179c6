"""The two figures of the word counter: the way of a message, and cold calls against warm ones."""

from collections.abc import Sequence
from statistics import median
from typing import TYPE_CHECKING

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from labs.course import figures
from labs.course.figures import BLUE, INK, ORANGE, PAPER

if TYPE_CHECKING:
    from pandas import DataFrame

WAY_ALT = (
    "Diagram of eight boxes. Solid arrows, while Slack waits: Slack posts to API Gateway, API"
    " Gateway invokes word_counter, word_counter adds 1 to each word in the DynamoDB table and"
    " publishes to the SNS topic, and its answer 1, 1, 1 goes back through API Gateway. Dashed"
    " arrows, without Slack waiting: the topic invokes sns_multiplier, which adds 10 to each word"
    " in the same table, and sns_logger, which prints to CloudWatch Logs."
)


def message_way() -> None:
    """Show the way of a message through the word counter."""
    figures.show(draw_way(), alt=WAY_ALT)


def cold_against_warm(cold_ms: Sequence[float], warm_ms: Sequence[float]) -> None:
    """Show what calls took, in milliseconds at the client, with the finding as the title."""
    figures.show(
        draw_calls(cold_ms, warm_ms),
        alt=f"Points on a scale of milliseconds. {in_words('Cold', cold_ms)}"
        f" {in_words('Warm', warm_ms)}",
        caption=f"Set: {len(cold_ms)} cold calls, each the first after a change of configuration;"
        f" {len(warm_ms)} warm calls, one after the other; every call counts one word."
        " Measured: milliseconds from call to answer, at the client.",
    )


def calls(cold_ms: Sequence[float], warm_ms: Sequence[float]) -> "DataFrame":
    """One row a call, in the order of the calls: `kind`, cold or warm, and `ms`."""
    from pandas import DataFrame  # here: a set-up cell should not wait for it

    rows = [("cold", ms) for ms in cold_ms] + [("warm", ms) for ms in warm_ms]
    return DataFrame(rows, columns=["kind", "ms"])


def finding(cold_ms: Sequence[float], warm_ms: Sequence[float]) -> str:
    """What the medians say, as a ratio: seconds differ from machine to machine."""
    ratio = median(cold_ms) / median(warm_ms)
    return f"A cold call took {ratio:.1f} times as long as a warm one"


def in_words(kind: str, times_ms: Sequence[float]) -> str:
    """A row of points for who cannot see it."""
    return (
        f"{kind}, {len(times_ms)} calls: median {median(times_ms):.0f} ms,"
        f" from {min(times_ms):.0f} to {max(times_ms):.0f} ms."
    )


@rc_context(figures.STYLE)
def draw_calls(cold_ms: Sequence[float], warm_ms: Sequence[float]) -> Figure:
    """One point a call, one row a kind, the median as a bar."""
    figure = Figure(figsize=(8, 3.2), layout="constrained")
    axes = figure.subplots()
    rows = [("warm", warm_ms, BLUE, 0), ("cold", cold_ms, ORANGE, 1)]
    end = max(*cold_ms, *warm_ms) * 1.15
    for kind, times_ms, colour, row in rows:
        # Neighbouring calls on different heights, or equal times would hide each other.
        heights = [row + (index % 5 - 2) * 0.07 for index in range(len(times_ms))]
        axes.scatter(times_ms, heights, color=colour, alpha=0.6, edgecolors="none", s=45)
        middle = median(times_ms)
        axes.plot([middle, middle], [row - 0.28, row + 0.28], color=INK, linewidth=2)
        towards_room = "right" if middle > end / 2 else "left"
        axes.text(middle, row + 0.32, f"{kind}: median {middle:.0f} ms", ha=towards_room)
    axes.set(
        title=finding(cold_ms, warm_ms),
        xlabel="time from call to answer at the client (ms)",
        xlim=(0, end),
        ylim=(-0.5, 1.6),
        yticks=[0, 1],
        yticklabels=["warm calls", "cold calls"],
    )
    return figure


@rc_context(figures.STYLE)
def draw_way() -> Figure:
    """Boxes and arrows; solid while Slack waits, dashed for what it does not wait for."""
    figure = Figure(figsize=(9.6, 4.2), layout="constrained")
    axes = figure.subplots()
    axes.set(
        xlim=(-0.1, 12.1),
        ylim=(0.9, 5.2),
        title="The answer does not wait for the topic's functions",
    )
    axes.axis("off")
    left, inner_left, inner_right, right = 1.1, 4.4, 7.7, 10.9
    top, bottom = 4.3, 1.7
    slack = box(axes, left, top, "Slack", "this notebook")
    gateway = box(axes, inner_left, top, "API Gateway", "a URL")
    counter = box(axes, inner_right, top, "word_counter", "Lambda")
    table = box(axes, right, top, "DynamoDB", "a table")
    logs = box(axes, left, bottom, "CloudWatch", "a log")
    logger = box(axes, inner_left, bottom, "sns_logger", "Lambda")
    topic = box(axes, inner_right, bottom, "SNS", "a topic")
    multiplier = box(axes, right, bottom, "sns_multiplier", "Lambda")

    waiting = {"color": BLUE, "linestyle": "solid"}
    arrow(axes, slack, gateway, "POST", rise=0.22, **waiting)
    arrow(axes, gateway, slack, "1, 1, 1", rise=-0.22, **waiting)
    arrow(axes, gateway, counter, "invoke", rise=0.22, **waiting)
    arrow(axes, counter, gateway, "answer", rise=-0.22, **waiting)
    arrow(axes, counter, table, "+1 each", **waiting)
    arrow(axes, counter, topic, "publish", **waiting)
    later = {"color": ORANGE, "linestyle": "dashed"}
    arrow(axes, topic, multiplier, "invoke", **later)
    arrow(axes, multiplier, table, "+10 each", **later)
    arrow(axes, topic, logger, "invoke", **later)
    arrow(axes, logger, logs, "print", **later)
    axes.text(0, 3.2, "solid: Slack waits", color=BLUE, weight="bold")
    axes.text(0, 2.7, "dashed: nobody waits", color=ORANGE, weight="bold")
    return figure


def box(axes: Axes, x: float, y: float, name: str, kind: str) -> FancyBboxPatch:
    """A box around (x, y) that says what stands there and what kind of thing it is."""
    width, height = 2.1, 1.0
    patch = FancyBboxPatch(
        (x - width / 2, y - height / 2),
        width,
        height,
        boxstyle="round,pad=0,rounding_size=0.12",
        facecolor=PAPER,
        edgecolor=INK,
        linewidth=1.2,
    )
    axes.add_patch(patch)
    axes.text(x, y + 0.18, name, ha="center", va="center", weight="bold")
    axes.text(x, y - 0.22, kind, ha="center", va="center", fontsize=11)
    return patch


def arrow(
    axes: Axes,
    start: FancyBboxPatch,
    end: FancyBboxPatch,
    label: str,
    *,
    color: str,
    linestyle: str,
    rise: float = 0,
) -> None:
    """An arrow from box to box, its label above, below (negative rise), or right of a vertical."""
    (x0, y0), (x1, y1) = middle_of(start), middle_of(end)
    axes.annotate(
        "",
        xy=(x1, y1 + rise),
        xytext=(x0, y0 + rise),
        arrowprops={
            "arrowstyle": "-|>",
            "patchA": start,
            "patchB": end,
            "color": color,
            "linestyle": linestyle,
            "linewidth": 1.6,
            "mutation_scale": 16,
            "shrinkA": 1,
            "shrinkB": 1,
        },
    )
    middle = ((x0 + x1) / 2, (y0 + y1) / 2 + rise)
    if x0 == x1:
        place = {"xytext": (6, 0), "ha": "left", "va": "center"}
    else:
        below = rise < 0
        place = {
            "xytext": (0, -5 if below else 5),
            "ha": "center",
            "va": "top" if below else "bottom",
        }
    axes.annotate(label, middle, textcoords="offset points", color=color, fontsize=11, **place)


def middle_of(patch: FancyBboxPatch) -> tuple[float, float]:
    """The middle of a box, in the axes' own units."""
    return patch.get_x() + patch.get_width() / 2, patch.get_y() + patch.get_height() / 2
