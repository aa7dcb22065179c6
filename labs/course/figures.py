"""How the course shows a figure: readable on both themes, and in words for who cannot see it.

A picture has a light surface of its own, so that one file serves JupyterLab's light and dark
theme. The words travel with it: JupyterLab takes no alternative text from a PNG's metadata, so the
picture is shown as HTML; the PNG is there beside it for exports.
"""

import base64
import html
import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from IPython.display import DisplayHandle, display
from matplotlib.figure import Figure

#: Two colours that every common kind of colour vision tells apart: Okabe and Ito's blue and their
#: vermilion, the latter darker, so that text in it can be read. Source: "Color Universal Design".
BLUE, ORANGE = "#0072b2", "#b34a00"
INK, GREY, PAPER = "#1f1f1f", "#595959", "#ffffff"

#: For `@matplotlib.rc_context(STYLE)`: large enough for a projector, nothing drawn without need.
STYLE = {
    "font.size": 12,
    "axes.titlesize": 13,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 14,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": GREY,
    "figure.facecolor": PAPER,
    "axes.facecolor": PAPER,
    **dict.fromkeys(["text.color", "axes.labelcolor", "xtick.color", "ytick.color"], INK),
}
DOTS_PER_INCH = 192  # two dots for each of CSS's pixels: sharp on today's screens


def show(figure: Figure, *, alt: str, caption: str = "") -> None:
    """Show a figure below the cell; arguments as in `bundle`."""
    data, metadata = bundle(figure, alt=alt, caption=caption)
    display(data, metadata=metadata, raw=True)


@contextmanager
def live() -> Iterator["Screen"]:
    """`with live() as screen:` one place below the cell, whose figure changes.

    What `screen.show` showed last stays when the block ends, so that an export has it.
    """
    yield Screen()


class Screen:
    """A place for one figure at a time. A screen reader is told of the last only, by its alt."""

    def __init__(self) -> None:
        self._handle: DisplayHandle | None = None

    def show(self, figure: Figure, *, alt: str, caption: str = "") -> None:
        """Put a figure into the place of the one before; arguments as in `bundle`."""
        data, metadata = bundle(figure, alt=alt, caption=caption)
        if self._handle is None:
            self._handle = DisplayHandle()
            self._handle.display(data, metadata=metadata, raw=True)
        else:
            self._handle.update(data, metadata=metadata, raw=True)


def bundle(
    figure: Figure, *, alt: str, caption: str = ""
) -> tuple[dict[str, str], dict[str, dict[str, Any]]]:
    """The figure as Jupyter's MIME bundle: data and metadata.

    alt:     what the figure says, numbers included, for a reader who does not see it.
    caption: shown below it, plain text.

    Raises ValueError without an `alt`.
    """
    if not alt.strip():
        raise ValueError("A figure needs alt text: say in a sentence what it shows, with numbers.")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=DOTS_PER_INCH)
    png = base64.b64encode(buffer.getvalue()).decode()
    width = round(figure.get_figwidth() * 96)  # CSS has 96 pixels an inch
    page = (
        f'<figure style="margin: 0"><img alt="{html.escape(alt)}" width="{width}"'
        f' style="max-width: 100%" src="data:image/png;base64,{png}">'
        f"<figcaption>{html.escape(caption)}</figcaption></figure>"
    )
    return (
        {"text/plain": alt, "text/html": page, "image/png": png},
        {"image/png": {"alt": alt, "width": width}},
    )
