"""The figure of lesson 11: what the bytes of a conversation are, layer by layer."""

from collections.abc import Sequence
from typing import NamedTuple

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from labs.course import figures
from labs.course.figures import BLUE, ORANGE, PAPER
from labs.loadbalancing.conversations import Weights

LETTER = 0.0142  # of a bar's length, that a letter of its labels takes at most
NARROWEST = 0.06  # of a bar's length, that gets a label


class Weighed(NamedTuple):
    """A conversation by "http" or "https", and what it weighed."""

    scheme: str
    weights: Weights


class Part(NamedTuple):
    """A part of a bar."""

    name: str
    size: int
    colour: str
    hatch: str


def shares(weighed: Sequence[Weighed]) -> None:
    """Show of what the conversations are made. The smallest body comes with each scheme."""
    schemes = " and ".join(dict.fromkeys(scheme.upper() for scheme, _ in weighed))
    figures.show(
        draw_shares(weighed),
        alt=f"Bars, each a conversation. {' '.join(map(in_words, weighed))}",
        caption=f"Set: bytes of the answer's body; {schemes}. Measured: bytes that crossed, both"
        " ways, from the first SYN to the last ACK. Payload is real; Ethernet, IP and TCP headers"
        " are synthetic, of the least sizes and with an ACK for each piece.",
    )


def times_its_weight(weights: Weights) -> float:
    """Bytes that cross for each byte of body. Raises ZeroDivisionError for an empty body."""
    return weights.total / weights.body


def finding(weighed: Sequence[Weighed]) -> str:
    """What the smallest and the largest body cost by the first scheme, as ratios."""
    first = [weights for scheme, weights in weighed if scheme == weighed[0].scheme]
    small, large = (end(first, key=lambda weights: weights.body) for end in (min, max))
    return (
        f"By {weighed[0].scheme.upper()}, an answer of {small.body} bytes costs"
        f" {times_its_weight(small):,.0f} times its size, one of {large.body:,} bytes"
        f" {times_its_weight(large):.2f} times"
    )


def in_words(one: Weighed) -> str:
    """A conversation for who cannot see its bar."""
    scheme, weights = one
    return (
        f"{scheme.upper()}, body of {weights.body:,} bytes: {weights.total:,} bytes crossed, of"
        f" which {weights.lower:,} headers of Ethernet, IP and TCP, and {weights.upper:,}"
        f" {parts(one)[1].name}."
    )


@rc_context(figures.STYLE)
def draw_shares(weighed: Sequence[Weighed]) -> Figure:
    """A bar for each conversation, all of one length; beside it what it weighed."""
    figure = Figure(figsize=(9.6, 1.5 + 0.5 * len(weighed)), layout="constrained")
    axes = figure.subplots()
    figure.suptitle(finding(weighed), x=0.01, ha="left", fontsize=13, weight="bold")
    for row, one in enumerate(weighed):
        draw_bar(axes, row, one)
    axes.set(
        xlim=(0, 1.22),
        ylim=(len(weighed) - 0.4, -0.6),
        xticks=[share / 4 for share in range(5)],
        xticklabels=[f"{share * 25} %" for share in range(5)],
        yticks=range(len(weighed)),
        yticklabels=[f"{one.scheme.upper()}, {one.weights.body:,} bytes" for one in weighed],
    )
    axes.set_xlabel("share of all bytes that crossed", loc="left")
    axes.set_ylabel("body of the answer")
    axes.spines["bottom"].set_bounds(0, 1)
    return figure


def draw_bar(axes: Axes, row: int, one: Weighed) -> None:
    """One conversation, its parts in the order of the layers."""
    total, left = one.weights.total, 0.0
    for part in parts(one):
        share = part.size / total
        bar = {"height": 0.6, "color": part.colour, "hatch": part.hatch, "edgecolor": PAPER}
        axes.barh(row, share, left=left, **bar)
        axes.text(
            left + share / 2,
            row,
            label(part.name, share),
            ha="center",
            va="center",
            fontsize=11,
            bbox={"facecolor": PAPER, "edgecolor": "none", "pad": 1.5},
        )
        left += share
    axes.text(1.02, row, f"{total:,} bytes", va="center", fontsize=11)


def parts(one: Weighed) -> list[Part]:
    """The parts of a bar, from the lowest layer up."""
    upper = "HTTP heads" if one.scheme == "http" else "TLS and HTTP heads"
    return [
        Part("Ethernet, IP, TCP", one.weights.lower, "#8c8c8c", ""),
        Part(upper, one.weights.upper, ORANGE, "//"),
        Part("body", one.weights.body, BLUE, ""),
    ]


def label(name: str, share: float) -> str:
    """As much as there is room for: name and percentage, percentage, nothing."""
    for text in (f"{name} {share:.0%}", f"{share:.0%}"):
        if max(NARROWEST, len(text) * LETTER) < share:
            return text
    return ""
