"""The bar is there while someone waits for it, and then it is not."""

import os
from functools import partial

import pytest
from tqdm import tqdm

from labs.concurrency import bar, copying
from tests.notebooks.kernels import kernel


def test_it_counts_objects_in_a_terminal(buckets, monkeypatch, capsys):
    monkeypatch.setattr(bar, "tqdm", partial(tqdm, mininterval=0))
    keys = buckets.fill(2)
    copying.loop(buckets.s3, buckets.source, buckets.destination, keys, 1)
    shown = capsys.readouterr().err
    assert "2/2" in shown
    assert shown.rpartition("\r")[0].rpartition("\r")[2].strip() == ""


@pytest.fixture(scope="module")
def notebook(tmp_path_factory):
    with kernel(tmp_path_factory.mktemp("notebook"), os.environ) as kernel_:
        kernel_.run("from labs.concurrency.bar import bar")
        yield kernel_


def test_a_notebook_shows_it_in_one_place(notebook):
    shown = notebook.run("b = bar(3)\nfor _ in range(2): b.update(); b.refresh()")
    [output] = shown.outputs
    assert "2/3" in output.data["text/plain"]


def test_a_closed_one_leaves_nothing_in_a_notebook(notebook):
    shown = notebook.run("b = bar(3); b.update(2); b.close()")
    assert [output.data for output in shown.outputs] == [{}]


def test_one_that_is_disabled_leaves_no_trace_at_all(notebook):
    notebook.run("from functools import partial; from labs.concurrency import bar as module")
    notebook.run("module.tqdm = partial(module.tqdm, disable=True)")
    assert notebook.run("b = bar(3); b.update(2); b.close()").outputs == []
