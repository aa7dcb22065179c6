"""What an executed notebook leaves to look at: a page of HTML and its figures."""

import base64
from pathlib import Path

import nbformat
from nbconvert import HTMLExporter
from traitlets.config import Config

#: The `lab` template without its scripts, all of which would come from the network: RequireJS,
#: MathJax, Mermaid and the manager of widgets. The style sheets are inside the page anyway.
OFFLINE = """\
{%- extends 'lab/index.html.j2' -%}
{%- block html_head_js -%}{%- endblock -%}
{%- block html_head_js_mathjax -%}{%- endblock -%}
{%- block html_head_js_mermaidjs -%}{%- endblock -%}
{%- block jupyter_widgets -%}{%- endblock -%}
"""


def write_page(notebook: nbformat.NotebookNode, path: Path, title: str) -> None:
    """Write the notebook as one HTML file that asks the network for nothing.

    Formulas show their source and widgets their text, since both need scripts to be drawn.
    """
    exporter = HTMLExporter(raw_template=OFFLINE, embed_images=True, config=without_widgets())
    page, _ = exporter.from_notebook_node(notebook, resources={"metadata": {"name": title}})
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page, encoding="utf-8")


def without_widgets() -> Config:
    """nbconvert's order of preference among forms of one output, less those of widgets."""
    order = HTMLExporter().default_config.NbConvertBase.display_data_priority
    shown = [form for form in order if "jupyter.widget" not in form]
    return Config({"NbConvertBase": {"display_data_priority": shown}})


def write_figures(notebook: nbformat.NotebookNode, lesson: str, folder: Path) -> list[Path]:
    """Write each PNG output as `LESSON-CELLID-N.png`, N counting from 1 in its cell.

    Figures of an earlier run of this lesson are removed first.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob(f"{lesson}-*.png"):
        old.unlink()
    written = []
    for cell in notebook.cells:
        images = [
            output["data"]["image/png"]
            for output in cell.get("outputs", ())
            if "image/png" in output.get("data", {})
        ]
        for count, image in enumerate(images, start=1):
            path = folder / f"{lesson}-{cell.get('id', 'cell')}-{count}.png"
            path.write_bytes(base64.b64decode(image))
            written.append(path)
    return written
