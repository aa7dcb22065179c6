"""The figure of lesson 34: three systems told in series, and at the same time."""

from collections.abc import Mapping, Sequence

from matplotlib import rc_context
from matplotlib.figure import Figure

from labs.course import figures
from labs.course.figures import BLUE, ORANGE
from labs.pubsub.workflows import Told, seconds

COLOURS = (ORANGE, BLUE)


def timelines(workflows: Mapping[str, Sequence[Told]], took: Mapping[str, str]) -> None:
    """Show two workflows by name, the slower first: a bar for each system, from begin to end.

    took: the seconds that each system was set to take.
    """
    ordered = {
        name: sorted(notes, key=lambda note: [*took].index(note.system))
        for name, notes in workflows.items()
    }
    set_to = ", ".join(f"{system} {length} s" for system, length in took.items())
    figures.show(
        draw_timelines(ordered),
        alt=f"Chart of bars over time. {' '.join(map(in_words, ordered, ordered.values()))}",
        caption=f"Set: how long it takes to tell a system ({set_to}). Measured: when each began"
        " and ended, by the clock of the function that told it.",
    )


def ratio(workflows: Mapping[str, Sequence[Told]]) -> float:
    """How many times as long the first workflow took as the second."""
    slow, fast = map(seconds, workflows.values())
    return slow / fast


def finding(workflows: Mapping[str, Sequence[Told]]) -> str:
    """What the two workflows say, as a ratio."""
    slow, fast = workflows
    return f"Telling them {slow} took {ratio(workflows):.1f} times as long as {fast}"


def in_words(name: str, notes: Sequence[Told]) -> str:
    """A workflow for who cannot see it."""
    steps = ", ".join(f"{note.system} {note.begun:.1f} to {note.ended:.1f} s" for note in notes)
    return f"{name}: {steps}."


@rc_context(figures.STYLE)
def draw_timelines(workflows: Mapping[str, Sequence[Told]]) -> Figure:
    """One row a system, one group a workflow."""
    figure = Figure(figsize=(8.6, 3.8), layout="constrained")
    axes = figure.subplots()
    rows, labels = [], []
    for (name, notes), colour in zip(workflows.items(), COLOURS, strict=True):
        first = len(labels) + bool(labels)  # an empty row between the groups
        for row, note in enumerate(notes, first):
            axes.barh(row, note.ended - note.begun, left=note.begun, color=colour, height=0.7)
            rows.append(row)
            labels.append(note.system)
        last = max(range(len(notes)), key=lambda index: notes[index].ended)
        axes.text(
            notes[last].ended,
            first + last,
            f"  {name}",
            color=colour,
            va="center",
            weight="bold",
        )
    axes.set(
        title=finding(workflows),
        xlabel="time since the first system began (s)",
        xlim=(0, 1.3 * max(map(seconds, workflows.values()))),
        yticks=rows,
        yticklabels=labels,
    )
    axes.invert_yaxis()
    return figure
