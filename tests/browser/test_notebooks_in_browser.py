"""Lessons in real JupyterLab: widgets, figures and the page itself, which a bare kernel cannot see.

Light theme; both with `--all`.
"""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from playwright.sync_api import expect

from labs.commands.folders import checkout
from labs.commands.lessons import lessons
from labs.course import quizzes
from tests.browser.lab import THEMES, jupyterlab
from tests.notebooks.passes import Lesson, exercise_of

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
#: A check posts messages, waits for logs, and may look again until its deadline.
ANSWER_MILLISECONDS = 30_000


def pytest_generate_tests(metafunc):
    if "theme" in metafunc.fixturenames:
        themes = THEMES if metafunc.config.getoption("--all") else THEMES[:1]
        metafunc.parametrize("theme", themes, ids=[theme.split()[-1] for theme in themes])


def test_smoke(tmp_path):
    """The harness itself: it sees outputs, and it would see an error and what axe objects to."""
    notebooks = tmp_path / "two cells"
    notebooks.mkdir()
    cells = [new_markdown_cell("# Two cells\n\n|  | b |\n|---|---|\n| 1 | 2 |")]
    cells += [new_code_cell("6 * 7"), new_code_cell("1 / 0")]
    kernel = {"name": "python3", "display_name": "Python 3 (ipykernel)"}
    notebook = new_notebook(cells=cells, metadata={"kernelspec": kernel})
    nbformat.write(notebook, notebooks / "smoke.ipynb")
    with jupyterlab(notebooks, tmp_path) as lab:
        lab.open_notebook("smoke.ipynb")
        cells = lab.run_all()
        assert lab.screenshot("smoke").stat().st_size > 10_000
        assert cells[1].outputs[0]["data"]["text/plain"] == "42"
        assert lab.errors(cells) == [f"cell 2 ({cells[2].id}): ZeroDivisionError: division by zero"]
        assert any("empty-table-header" in found for found in lab.violations())


@pytest.mark.parametrize("path", lessons(), ids=lambda path: path.stem)
def test_lesson(path, theme, tmp_path):
    """A learner's visit: Run All, a quiz answered wrong and right, an exercise with help, axe."""
    lesson = Lesson.read(path)
    with jupyterlab(checkout() / "notebooks", tmp_path, theme) as lab:
        lab.open_notebook(path.name)
        cells = lab.run_all()
        lab.screenshot(f"{path.stem}-{theme.split()[-1].lower()}")
        assert lab.errors(cells) == []
        answer_a_quiz(lab, path)
        ask_for_help(lab, lesson)
        assert lab.violations() == []


def answer_a_quiz(lab, path):
    """The first question of a lesson, answered wrong, then right."""
    every = enumerate(nbformat.read(path, as_version=4).cells)
    asking = [(index, cell.source) for index, cell in every if cell.source.startswith("quiz(")]
    for index, source in asking[:1]:
        question = quizzes.find(source.split('"')[1])
        wrong = next(option for option in question.options if not option.right)
        right = next(option for option in question.options if option.right)
        output = lab.output(index)
        for option, verdict in ((wrong, "Not this one"), (right, "Right")):
            number = question.options.index(option)
            output.get_by_role("radio").nth(number).check()
            output.get_by_role("button", name="Answer").click()
            expect(output.get_by_role("status")).to_contain_text(
                verdict, timeout=ANSWER_MILLISECONDS
            )


def ask_for_help(lab, lesson):
    """A wrong answer to the first exercise; then every hint, and the solution that they open."""
    asking = [
        (cell.id, lesson.exercises[exercise_of(cell)])
        for cell in lesson.cells
        if exercise_of(cell) in lesson.exercises
    ]
    for cell_id, exercise in asking[:1]:
        output = lab.answer(cell_id, next(iter(exercise.wrong)))
        hint = output.get_by_role("button", name="Hint")
        expect(hint).to_be_visible(timeout=ANSWER_MILLISECONDS)
        said = output.get_by_role("status").last
        output.get_by_role("button", name="Reveal").click()
        expect(said).to_contain_text("still closed")
        for number in range(1, len(exercise.hints) + 1):
            hint.click()
            expect(said).to_contain_text(f"hint {number} of {len(exercise.hints)}")
        output.get_by_role("button", name="Reveal").click()
        expect(said).to_contain_text("a solution")
