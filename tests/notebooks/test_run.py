"""Each lesson run as a learner who answers nothing, without a browser, in a copy of its own."""

import ast
import os
import shutil
from copy import deepcopy

import nbformat
import pytest
from nbformat import NotebookNode

from labs.commands import execution
from labs.commands.folders import short_temporary_folder
from labs.commands.lab import mock_environment
from labs.commands.lessons import lessons

CELL_SECONDS = 60
AGAIN = "-again"  # ends the ids of the second of two runs in one kernel


@pytest.fixture
def run(tmp_path):
    """Runs a notebook in a folder whose name has a space; returns the Execution."""

    def execute(notebook: NotebookNode) -> execution.Execution:
        path = tmp_path / "my course" / "lesson.ipynb"
        path.parent.mkdir()
        nbformat.write(notebook, path)
        sockets = short_temporary_folder()
        try:
            with mock_environment(os.environ | {"LABS_SIZE": "small"}) as (environ, _):
                return execution.execute(path, environ, sockets, cell_seconds=CELL_SECONDS)
        finally:
            shutil.rmtree(sockets, ignore_errors=True)

    return execute


@pytest.mark.parametrize("path", lessons(), ids=lambda path: path.stem)
def test_run_all_twice(path, run):
    """Run All, and in the same kernel once more: no error, every cell ran, figures have words."""
    result = run(twice(nbformat.read(path, as_version=4)))
    assert result.failure is None
    code = [cell for cell in result.notebook.cells if cell.cell_type == "code"]
    assert [cell.id for cell in code if cell.execution_count is None] == []
    assert [cell.id for cell in code if not all(map(has_words, cell.outputs))] == []
    for check in CHECKS.get(path.stem, ()):
        check({cell.id: cell for cell in code})


def start_here_counts(cells):
    for run in ("", AGAIN):
        assert answer(cells, "send-message" + run) == "awsadvent: 1, some: 1, words: 1"
        assert value(cells, "watch-table" + run) == dict.fromkeys(
            ["awsadvent", "some", "words"], 11
        )
        assert answer(cells, "send-again" + run) == "awsadvent: 12, some: 12, words: 12"
        assert has_figure(cells["draw-way" + run])


def word_count_counts(cells):
    for run in ("", AGAIN):
        assert "'count': Decimal('1')" in text(cells["count-by-hand" + run])
        assert value(cells, "invoke" + run) == {"statusCode": 200, "body": '{"text": "hello: 2"}'}
        assert "{'hello': 2}\n" in text(cells["read-log" + run])
        assert '{"text": "hello: 3"}' in text(cells["curl-url" + run])
        assert answer(cells, "post-message" + run) == "awsadvent: 1, some: 1, words: 1"
        assert value(cells, "scan-table" + run) == {
            "hello": 3,
            "awsadvent": 1,
            "some": 1,
            "words": 1,
        }
        assert answer(cells, "post-again" + run) == "awsadvent: 2, some: 2, words: 2"
        assert has_figure(cells["measure" + run])
        assert len(value(cells, "cleanup" + run)) == 5


CHECKS = {
    "00_start_here": [start_here_counts],
    "31_pubsub_word_count": [word_count_counts],
}


def test_restart_in_the_middle_says_what_is_missing(run):
    """Who restarts the kernel at section 4 and runs only the set-up cell reads why, at once."""
    path = next(path for path in lessons() if path.stem == "31_pubsub_word_count")
    notebook = nbformat.read(path, as_version=4)
    ids = [cell.id for cell in notebook.cells]
    setup = notebook.cells[ids.index("setup")]
    notebook.cells = [setup, *notebook.cells[ids.index("url-text") :]]
    failure = run(notebook).failure
    assert (failure.name, failure.value) == ("NameError", "name 'function_arn' is not defined")


def twice(notebook: NotebookNode) -> NotebookNode:
    """The notebook's cells, and its cells once more."""
    again = deepcopy(notebook.cells)
    for cell in again:
        cell.id += AGAIN
    return nbformat.from_dict({**notebook, "cells": notebook.cells + again})


def text(cell: NotebookNode) -> str:
    """What a cell shows, as plain text, with a terminal's line ends made plain."""
    shown = [out.get("text") or out.get("data", {}).get("text/plain", "") for out in cell.outputs]
    return "".join(shown).replace("\r\n", "\n")


def value(cells: dict[str, NotebookNode], cell_id: str):
    """The value that a cell shows."""
    return ast.literal_eval(text(cells[cell_id]))


def answer(cells: dict[str, NotebookNode], cell_id: str) -> str:
    """The sentence that Slack would show."""
    return value(cells, cell_id)["text"]


def has_words(output: NotebookNode) -> bool:
    """Is it no picture, or one with alternative text that JupyterLab and exports show?"""
    data = output.get("data", {})
    if "image/png" not in data:
        return True
    alt = output.metadata.get("image/png", {}).get("alt", "")
    return len(alt) > 30 and '<img alt="' in data.get("text/html", "")


def has_figure(cell: NotebookNode) -> bool:
    return any("image/png" in output.get("data", {}) for output in cell.outputs)


def test_picture_without_words_is_refused():
    """The check above can fail."""
    bare = nbformat.v4.new_output("display_data", data={"image/png": "..."})
    assert not has_words(bare)
