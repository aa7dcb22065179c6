"""Buttons under a block, for front ends that have them; each does what a typed call does."""

from collections.abc import Callable, Mapping

from labs.course import notebook
from labs.course.blocks import Block

Answer = Callable[[], Block]


def offer(name: str, choices: Mapping[str, tuple[str, Answer]]) -> None:
    """Show buttons; a click shows the block that its function returns, below them.

    name:    what the group is called for who does not see it.
    choices: the call to type -> the button's label and its function.

    Nothing where there are no widgets: the block above names the calls.
    """
    if not notebook.is_in_notebook():
        return
    try:
        import ipywidgets
    except ImportError:
        return
    answer = ipywidgets.HTML()
    row = []
    for label, block_for in choices.values():
        button = ipywidgets.Button(description=label, tooltip=f"{label}: {name}")
        button.on_click(lambda _, block_for=block_for: show_in(answer, block_for))
        row.append(button)
    show_widget(
        ipywidgets.VBox([ipywidgets.HBox(row), answer]),
        "Type " + " or ".join(choices),
    )


def show_in(place, block_for: Answer) -> None:
    """Put a block into an HTML widget."""
    place.value = block_for().html()


def show_widget(widget, text: str) -> None:
    """Show a widget; `text` is what a front end without widgets, or an export, shows."""
    from IPython.display import display

    data = dict(widget._repr_mimebundle_())
    display({**data, "text/plain": text}, raw=True)
