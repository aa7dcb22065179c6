"""The live figure of lesson 32: a word's count in the table, while messages come in."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from matplotlib import rc_context
from matplotlib.figure import Figure

from labs.course import figures
from labs.course.figures import BLUE, GREY, ORANGE, Screen

if TYPE_CHECKING:
    from pandas import DataFrame

EACH = 11  # what a word is worth in the end: 1 from the word counter, 10 from the multiplier

#: (seconds since the first message, times the word was said so far, its count in the table)
Sample = tuple[float, int, int]


def show(screen: Screen, word: str, samples: Sequence[Sample]) -> None:
    """Put the figure as it stands now on a live screen."""
    screen.show(
        draw(word, samples),
        alt=in_words(word, samples),
        caption=f"Set: messages in a seeded order, the word said {samples[-1][1]} times, posted as"
        f" fast as answers come. Measured: the count of {word} in the table, after each answer.",
    )


def frame(samples: Sequence[Sample]) -> "DataFrame":
    """The samples as a frame: `seconds`, `said`, `count`."""
    from pandas import DataFrame  # here: a set-up cell should not wait for it

    return DataFrame(samples, columns=["seconds", "said", "count"])


def looks(samples: Sequence[Sample]) -> tuple[int, int]:
    """(how many looks right after an answer found less than 11 for each, how many there were).

    Counted are the answers to messages with the word in them: there alone a ten can be missing.
    """
    before = [0, *(said for _, said, _ in samples)]
    after_word = [
        sample for sample, earlier in zip(samples, before, strict=False) if sample[1] > earlier
    ]
    return sum(count < EACH * said for _, said, count in after_word), len(after_word)


def finding(samples: Sequence[Sample]) -> str:
    """What the looks found, as numbers of looks: seconds differ from machine to machine."""
    behind, all_looks = looks(samples)
    _, said, count = samples[-1]
    end = "in the end: none" if count == EACH * said else f"in the table so far: {count}"
    return f"Tens missing right after an answer: {behind} of {all_looks} times; {end}"


def in_words(word: str, samples: Sequence[Sample]) -> str:
    """The figure for who cannot see it."""
    seconds, said, count = samples[-1]
    return (
        f"Line chart over {seconds:.1f} seconds. The word {word} was said {said} times; its count"
        f" in the table rises in steps to {count}, and {EACH} for each time is {EACH * said}."
        f" {finding(samples)}."
    )


@rc_context(figures.STYLE)
def draw(word: str, samples: Sequence[Sample]) -> Figure:
    """Steps for the table; dashed what it comes to in the end; thin what the answers added."""
    figure = Figure(figsize=(8.6, 4), layout="constrained")
    axes = figure.subplots()
    seconds, said, count = zip(*samples, strict=True)
    in_the_end = [EACH * times for times in said]
    axes.step(seconds, in_the_end, where="post", color=GREY, linestyle="dashed", linewidth=1.4)
    axes.step(seconds, count, where="post", color=BLUE, linewidth=2)
    axes.step(seconds, said, where="post", color=ORANGE, linewidth=2)
    end, top = seconds[-1], max(in_the_end[-1], count[-1], EACH)
    # The two upper lines end close together: one label above its line, one below.
    labels = [
        (in_the_end[-1], f"{EACH} for each: {in_the_end[-1]}", GREY, 0.04),
        (count[-1], f"in the table: {count[-1]}", BLUE, -0.04),
        (said[-1], f"times said: {said[-1]}", ORANGE, 0.0),
    ]
    for height, text, colour, shift in labels:
        axes.text(end * 1.02, height + shift * top, text, color=colour, va="center", weight="bold")
    axes.set(
        title=finding(samples),
        xlabel="time since the first message (s)",
        ylabel=f"count of {word}",
        xlim=(0, end * 1.38),  # the labels stand beyond the last sample
        ylim=(0, top * 1.12),
    )
    axes.set_xticks([tick for tick in axes.get_xticks() if tick <= end])
    return figure
