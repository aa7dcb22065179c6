"""The figure of lesson 14: what a canary gets, against the weight that was set, and chance alone.

Each request's target group is drawn by itself, so of n requests a group of share p gets a number
with the binomial distribution. The frames are those of `traffic`: a row a request.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from labs.course import figures
from labs.course.figures import BLUE, GREY, ORANGE

if TYPE_CHECKING:
    from pandas import DataFrame

#: Weight of the new version, in percent -> the requests that were sent under it.
Frames = Mapping[int, "DataFrame"]

CONFIDENCE = 0.95
BAND = "#d9d9d9"


def canary(frames: Frames, *, new: str, weight: int, sizes: Sequence[int]) -> None:
    """Show the new version's share of each batch of requests, by weight and by size of batch.

    new:    the server of the new version.
    weight: the one for which batches of several sizes are shown.
    sizes:  requests of a batch; the left panel has the second.
    Raises ValueError when a request failed, or there are too few for one batch.
    """
    figures.show(
        draw(frames, new=new, weight=weight, sizes=sizes),
        alt="Two panels of points over grey bands. "
        + " ".join(in_words(frames[each], new, each, sizes[1]) for each in frames)
        + "".join(
            f" Batches of {size} at a weight of {weight}:"
            f" {spread_in_words(frames[weight], new, size)}."
            for size in sizes
        ),
        caption="Set: "
        + ", ".join(
            f"{len(frame):,} requests at a weight of {each}" for each, frame in frames.items()
        )
        + ", without cookies. Measured: the share of each batch that the new version answered, a"
        f" point each. Grey: where {CONFIDENCE:.0%} of batches are to be expected if each request"
        " is drawn by itself.",
    )


def counts(frame: "DataFrame", new: str, size: int) -> list[int]:
    """How many of each batch of `size` requests the new version answered; a rest is left out.

    Raises ValueError when a request failed, or there are too few for one batch.
    """
    failed = frame[frame.status != 200]
    if len(failed):
        raise ValueError(
            f"{len(failed)} of {len(frame)} requests were not answered with status 200, but with"
            f" {', '.join(map(str, sorted(failed.status.unique())))} (0: not at all);"
            " their target group is not known"
        )
    if len(frame) < size:
        raise ValueError(f"{len(frame)} requests are no batch of {size}")
    is_new = (frame.target == new).to_numpy()
    whole = len(frame) // size * size
    return is_new[:whole].reshape(-1, size).sum(axis=1).tolist()


def most(frame: "DataFrame", new: str, size: int) -> int:
    """How many requests the new version got of the batch in which it got most."""
    return max(counts(frame, new, size))


def summary(frames: Frames, new: str, size: int) -> "DataFrame":
    """A row for each batch: weight, requests, and how many of them the new version answered."""
    from pandas import DataFrame  # here: a set-up cell should not wait for it

    rows = [
        (weight, size, number)
        for weight, frame in frames.items()
        for number in counts(frame, new, size)
    ]
    return DataFrame(rows, columns=["weight", "requests", "new"])


def expected(requests: int, share: float, confidence: float = CONFIDENCE) -> tuple[int, int]:
    """The fewest and the most of n requests that a group gets by chance, by the binomial law.

    The tails left out have at most (1 - confidence) / 2 each, so the band holds at least
    `confidence` of all batches.

    >>> expected(100, 0.5)
    (40, 60)
    """
    tail = (1 - confidence) / 2
    low = outside(probabilities(requests, share), tail)
    high = requests - outside(probabilities(requests, 1 - share), tail)
    return low, high


def outside(chances: Iterator[float], tail: float) -> int:
    """How many of the first chances together are no more than `tail`."""
    total = 0.0
    for number, chance in enumerate(chances):
        total += chance
        if total > tail:
            return number
    return 0


def probabilities(requests: int, share: float) -> Iterator[float]:
    """The chance that a group of this share gets 0, 1, 2 ... of n requests."""
    for number in range(requests + 1):
        if share in (0, 1):
            yield float(number == requests * share)
            continue
        ways = math.lgamma(requests + 1) - math.lgamma(number + 1)
        ways -= math.lgamma(requests - number + 1)
        drawn = number * math.log(share) + (requests - number) * math.log1p(-share)
        yield math.exp(ways + drawn)  # logarithms: 0.5 to the power 2,000 is no float


def in_words(frame: "DataFrame", new: str, weight: int, size: int) -> str:
    """One weight's points for who cannot see them."""
    found, (low, high) = counts(frame, new, size), expected(size, weight / 100)
    return (
        f"Weight {weight}, {len(found)} batches of {size} requests: the new version got"
        f" {min(found)} to {max(found)} of a batch; the band is {low} to {high}."
    )


def spread_in_words(frame: "DataFrame", new: str, size: int) -> str:
    """How far the batches of one size lie apart, in percent."""
    found = counts(frame, new, size)
    return f"{100 * min(found) / size:.2g} to {100 * max(found) / size:.2g} %"


def finding(frames: Frames, new: str, weight: int, sizes: Sequence[int]) -> str:
    """What the right panel says."""
    first, last = sizes[0], sizes[-1]
    return (
        f"At a weight of {weight}, the new version got"
        f" {spread_in_words(frames[weight], new, first)} of {first} requests,"
        f" {spread_in_words(frames[weight], new, last)} of {last}"
    )


@rc_context(figures.STYLE)
def draw(frames: Frames, *, new: str, weight: int, sizes: Sequence[int]) -> Figure:
    """Left: the share of batches of one size by weight. Right: by size, at one weight."""
    figure = Figure(figsize=(9.6, 4.2), layout="constrained")
    figure.suptitle(
        finding(frames, new, weight, sizes), x=0.01, ha="left", fontsize=13, weight="bold"
    )
    by_weight, by_size = figure.subplots(1, 2, width_ratios=(1.15, 1))
    draw_by_weight(by_weight, frames, new, sizes[1])
    draw_by_size(by_size, frames[weight], new, weight, sizes)
    return figure


def draw_by_weight(axes: Axes, frames: Frames, new: str, size: int) -> None:
    """A column of points for each weight, over the band of all weights between."""
    weights = range(101)
    bands = [expected(size, weight / 100) for weight in weights]
    axes.fill_between(
        weights,
        *zip(*[(100 * a / size, 100 * b / size) for a, b in bands], strict=True),
        color=BAND,
    )
    axes.plot([0, 100], [0, 100], color=GREY, linewidth=1)
    for weight, frame in frames.items():
        points(axes, weight, 2, counts(frame, new, size), size, BLUE)
    axes.set(xlabel="weight of the new version (of 100)", ylabel="its share of a batch (%)")
    axes.set_title(f"batches of {size} requests", fontsize=12, weight="normal")


def draw_by_size(
    axes: Axes, frame: "DataFrame", new: str, weight: int, sizes: Sequence[int]
) -> None:
    """A column of points for each size of batch, over a band of its own."""
    for column, size in enumerate(sizes):
        low, high = expected(size, weight / 100)
        axes.bar(column, 100 * (high - low) / size, 0.7, 100 * low / size, color=BAND)
        points(axes, column, 0.25, counts(frame, new, size), size, ORANGE)
    axes.axhline(weight, color=GREY, linewidth=1)
    axes.set_xticks(range(len(sizes)), [f"{size:,}" for size in sizes])
    axes.set_ylim(bottom=-0.8)  # a point at 0 is whole
    axes.set(xlabel="requests of a batch", ylabel="its share of a batch (%)")
    axes.set_title(f"weight {weight} of 100", fontsize=12, weight="normal")


def points(
    axes: Axes, at: float, reach: float, found: Sequence[int], size: int, colour: str
) -> None:
    """A point for each batch; neighbours side by side, or equal shares would hide each other."""
    places = [at + (index % 7 - 3) / 3 * reach for index in range(len(found))]
    shares = [100 * number / size for number in found]
    axes.scatter(places, shares, color=colour, alpha=0.6, edgecolors="none", s=22)
