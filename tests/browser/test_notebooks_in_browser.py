"""Run All in real JupyterLab: widgets, figures and the page itself, which nbclient cannot see."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from labs.commands.folders import checkout
from labs.commands.lessons import lessons
from tests.browser.lab import jupyterlab

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def test_smoke(tmp_path):
    """The harness itself: it sees outputs, and it would see an error."""
    notebooks = tmp_path / "two cells"
    notebooks.mkdir()
    cells = [new_markdown_cell("# Two cells"), new_code_cell("6 * 7"), new_code_cell("1 / 0")]
    kernel = {"name": "python3", "display_name": "Python 3 (ipykernel)"}
    notebook = new_notebook(cells=cells, metadata={"kernelspec": kernel})
    nbformat.write(notebook, notebooks / "smoke.ipynb")
    with jupyterlab(notebooks, tmp_path) as lab:
        lab.open_notebook("smoke.ipynb")
        cells = lab.run_all()
        assert lab.screenshot("smoke").stat().st_size > 10_000
        assert cells[1].outputs[0]["data"]["text/plain"] == "42"
        assert lab.errors(cells) == [f"cell 2 ({cells[2].id}): ZeroDivisionError: division by zero"]


@pytest.mark.parametrize("lesson", lessons(), ids=lambda lesson: lesson.stem)
def test_lesson(lesson, tmp_path):
    """A learner's first visit: open the lesson, Run All, no error, no request to elsewhere."""
    with jupyterlab(checkout() / "notebooks", tmp_path) as lab:
        lab.open_notebook(lesson.name)
        cells = lab.run_all()
        lab.screenshot(lesson.stem)
        assert lab.errors(cells) == []
