"""Notebooks executed without a browser: what they leave, how they fail, and that they end."""

import json
import os
import re
import signal
import subprocess
import sys
import time

import nbformat
import psutil
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from labs.commands import Problem, execution, lessons, pages, run
from labs.commands.folders import short_temporary_folder

FIGURE = "import matplotlib.pyplot as plt; plt.plot([1, 2]);"


@pytest.fixture
def course(tmp_path, monkeypatch):
    """An empty course whose `run` writes into a folder of its own."""
    course = tmp_path / "my course"
    (course / "notebooks").mkdir(parents=True)
    monkeypatch.setattr(lessons, "checkout", lambda: course)
    monkeypatch.setattr(run, "build_folder", lambda: course / "build")
    return course


def add(course, name, *sources):
    cells = [new_markdown_cell("# A lesson\n$x^2$", id="title")]
    cells += [new_code_cell(source, id=f"cell{n}") for n, source in enumerate(sources, 1)]
    path = course / "notebooks" / f"{name}.ipynb"
    nbformat.write(new_notebook(cells=cells), path)
    return path


def labs_run(*arguments):
    return run.run(run.parse(list(arguments)))


def test_a_lesson_leaves_a_page_and_figures_and_the_original_untouched(course, capsys):
    source = add(course, "31_good", "open('made here', 'w').write('x')", FIGURE)
    before = source.read_bytes()
    assert labs_run("31") == 0
    assert source.read_bytes() == before
    assert [path.name for path in source.parent.iterdir()] == [source.name]
    assert (course / "build" / "run" / "31_good" / "made here").exists()
    figure = course / "build" / "figures" / "31-cell2-1.png"
    assert figure.read_bytes().startswith(b"\x89PNG")
    [line] = [line for line in capsys.readouterr().out.splitlines() if line.startswith("31_good")]
    _, seconds, megabytes, verdict = line.split()
    assert verdict == "ok"
    assert float(seconds) > 0
    assert float(megabytes) > 20, "a kernel alone needs more"


def test_the_page_asks_the_network_for_nothing(course):
    add(course, "31_good", FIGURE, "from ipywidgets import IntSlider; IntSlider()")
    labs_run("31")
    page = (course / "build" / "run" / "31_good.html").read_text(encoding="utf-8")
    assert "data:image/png;base64," in page
    assert "IntSlider(value=0)" in page, "the text of a widget, which needs a script to be drawn"
    assert re.findall(r"<script[^>]*src=|<link|@import|src=\"http|url\(\"?http", page) == []


def test_a_failure_names_notebook_cell_id_and_error(course, capsys):
    add(course, "31_bad", "1 + 1", "1 / 0", "'not reached'")
    add(course, "32_good", "1 + 1")
    assert labs_run() == 1
    said = capsys.readouterr().out
    assert (
        "FAILED notebooks/31_bad.ipynb, cell 3 (id cell2): ZeroDivisionError: division by" in said
    )
    assert re.search(r"^32_good .* ok$", said, re.MULTILINE), "the others still run"
    assert (course / "build" / "run" / "31_bad.html").exists()


def test_a_cell_that_takes_too_long_fails(course, capsys):
    add(course, "31_slow", "import time\ntime.sleep(600)")
    assert labs_run("--timeout", "1") == 1
    assert (
        "cell 2 (id cell1): TimeoutError: the cell ran longer than 1 s" in capsys.readouterr().out
    )


def test_a_kernel_that_dies_fails_the_lesson(course, capsys):
    add(course, "31_dead", "import os\nos._exit(3)")
    assert labs_run() == 1
    assert "cell 2 (id cell1): DeadKernelError" in capsys.readouterr().out


def test_an_unknown_lesson_is_answered_before_anything_runs(course):
    add(course, "31_good", "1")
    with pytest.raises(Problem, match="31_good"):
        labs_run("32")


def test_a_course_without_lessons_is_a_problem(course):
    with pytest.raises(Problem, match="no lessons"):
        labs_run()


def test_lessons_run_in_the_mocks_environment(course, monkeypatch):
    monkeypatch.setenv("AWS_PROFILE", "prod")
    names = "import os, json\njson.dump(dict(os.environ), open('environ.json', 'w'))"
    add(course, "31_env", names)
    assert labs_run() == 0
    environ = json.loads((course / "build" / "run" / "31_env" / "environ.json").read_text())
    assert environ["LABS_MODE"] == "mock"
    assert environ["AWS_ENDPOINT_URL"].startswith("http://127.0.0.1:")
    assert "AWS_PROFILE" not in environ


def test_progress_ends_with_the_last_cell(course):
    path = add(course, "31_good", "1", "2")
    sockets = short_temporary_folder()
    steps = []
    execution.execute(
        path,
        os.environ,
        sockets,
        cell_seconds=60,
        progress=lambda done, cells: steps.append((done, cells)),
    )
    assert steps == [(2, 3), (3, 3), (3, 3)]
    for file in sockets.iterdir():
        file.unlink()
    sockets.rmdir()


def test_figures_of_an_earlier_run_are_removed(tmp_path):
    (tmp_path / "31-gone-1.png").touch()
    (tmp_path / "32-other-1.png").touch()
    assert pages.write_figures(new_notebook(), "31", tmp_path) == []
    assert [path.name for path in tmp_path.iterdir()] == ["32-other-1.png"]


STOPPED = """
import sys
from pathlib import Path
from labs.commands import dispatch, environment_setup, lessons, run
environment_setup.enter = lambda argv: None
lessons.checkout = lambda: Path(sys.argv[1])
run.build_folder = lambda: Path(sys.argv[1], "build")
sys.exit(dispatch.main(["run"]))
"""


@pytest.mark.skipif(os.name == "nt", reason="a test cannot press Ctrl-C in another console there")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_the_kernel_and_the_run(number, course):
    """The kernel says that it runs by a file, so the signal comes while its cell is busy."""
    add(course, "31_slow", "open('started', 'w').close()\nimport time\ntime.sleep(600)")
    add(course, "32_not_reached", "open('started', 'w').close()")
    child = subprocess.Popen(
        [sys.executable, "-c", STOPPED, str(course)], stderr=subprocess.PIPE, text=True
    )
    started = course / "build" / "run" / "31_slow" / "started"
    deadline = time.monotonic() + 60
    while not started.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    kernels = psutil.Process(child.pid).children(recursive=True)
    assert kernels
    child.send_signal(number)
    _, said = child.communicate(timeout=60)
    assert child.returncode == 130
    assert "stopped" in said
    assert "Traceback" not in said
    assert not any(kernel.is_running() for kernel in kernels)
    assert not (course / "build" / "run" / "32_not_reached").exists()
