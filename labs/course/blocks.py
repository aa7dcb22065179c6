"""How the course speaks below a cell: one block of text, the same words as HTML and as plain text.

A block says in words what colour and mark say too, keeps JupyterLab's own text colours, so that it
can be read on both themes, and is a status to a screen reader, which reads it out when it appears.
"""

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass

#: Mark and colour of the edge. The words of the headline carry the meaning, these only repeat it.
PASSED, FAILED, UNTRIED, NOTE = "✓", "✗", "○", "›"
EDGES = {PASSED: "#0072b2", FAILED: "#b34a00", UNTRIED: "#757575", NOTE: "#757575"}
BOX = (
    "border-left: 4px solid {edge}; padding: 4px 12px; margin: 4px 0; max-width: 60em;"
    " line-height: 1.5; font-size: var(--jp-content-font-size1, 14px)"
)


@dataclass(frozen=True)
class Block:
    """headline: one sentence. lines: pairs of a label, which may be empty, and a text.

    Text between backticks is shown as code. code: a source shown below, as it is.
    """

    mark: str
    headline: str
    lines: Sequence[tuple[str, str]] = ()
    code: str = ""

    def plain(self) -> str:
        """The block as lines of text."""
        texts = [f"{label}: {text}" if label else text for label, text in self.lines]
        code = ["", self.code.rstrip("\n")] if self.code else []
        return "\n".join([f"{self.mark} {self.headline}", *texts, *code])

    def html(self) -> str:
        """The block as HTML that needs no style sheet."""
        mark = f'<span aria-hidden="true">{self.mark}</span>'
        parts = [f'<div role="status" style="{BOX.format(edge=EDGES[self.mark])}">']
        parts.append(f"<div>{mark} <strong>{marked_up(self.headline)}</strong></div>")
        for label, text in self.lines:
            named = f"<strong>{html.escape(label)}:</strong> " if label else ""
            parts.append(f"<div>{named}{marked_up(text)}</div>")
        if self.code:
            parts.append(f"<pre>{html.escape(self.code.rstrip())}</pre>")
        return "".join([*parts, "</div>"])

    def __str__(self) -> str:
        return self.plain()

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        return {"text/plain": self.plain(), "text/html": self.html()}


def marked_up(text: str) -> str:
    """Plain text as HTML, what stands between backticks as code, line ends kept.

    >>> marked_up("a < `b`")
    'a &lt; <code>b</code>'
    """
    escaped = re.sub(r"`([^`\n]+)`", r"<code>\1</code>", html.escape(text))
    return escaped.replace("\n", "<br>")


def show(block: Block) -> None:
    """Show a block below the cell."""
    from IPython.display import display

    display(block)
