"""Every lesson, taken as learners take it: unanswered, solved, wrongly answered, restarted, live.

One kernel for each pass. The tests of a lesson run one after the other on one worker.
"""

import json
import os
from collections.abc import Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from labs.commands.lab import mock_environment
from labs.commands.lessons import lessons
from tests.notebooks import passes
from tests.notebooks.kernels import kernel
from tests.notebooks.passes import Lesson
from tests.notebooks.plain_moto import plain_moto

HERE = Path(__file__).parent
#: Lesson number -> {cell id: error code}: what fails against plain moto in live mode, and must.
LIVE_FAILURES = json.loads((HERE / "live_failures.json").read_text(encoding="utf-8"))
#: A pass runs a lesson and every wrong answer to it, a minute or more on an idle machine. How fast
#: lessons are is measured elsewhere; here, only what hangs should end in a time-out.
pytestmark = pytest.mark.timeout(600)
NOT_OURS = ("AWS_", "BOTO", "LABS_")


def each_lesson(name="path"):
    """Parametrizes a test by the lessons, each its own group: one worker takes all of a lesson."""
    return pytest.mark.parametrize(
        name,
        [
            pytest.param(path, id=path.stem, marks=pytest.mark.xdist_group(path.stem))
            for path in lessons()
        ],
    )


@pytest.fixture
def mock_kernel(tmp_path):
    """Starts a kernel as `labs lab` does, at size small, in a folder whose name has a space."""

    @contextmanager
    def start():
        own = {"LABS_SIZE": "small", "LABS_HOME": str(tmp_path / "home")}
        with (
            mock_environment(os.environ | own) as (environ, _),
            kernel(tmp_path / "my course", environ) as running,
        ):
            yield running

    return start


@each_lesson()
def test_as_a_learner_who_answers_nothing(path, mock_kernel):
    with mock_kernel() as kernel:
        assert list(passes.as_learner(Lesson.read(path), kernel)) == []


@each_lesson()
def test_as_a_solver_who_errs_first(path, mock_kernel):
    lesson = Lesson.read(path)
    if not lesson.exercises:
        pytest.skip("no exercises")
    with mock_kernel() as kernel:
        assert list(passes.as_solver(lesson, kernel)) == []


def test_after_a_restart(path, section, mock_kernel):
    with mock_kernel() as kernel:
        assert list(passes.after_restart(Lesson.read(path), kernel, section)) == []


def test_after_the_set_up_cell_again(path, section, mock_kernel, pytestconfig):
    if not pytestconfig.getoption("--all"):
        pytest.skip("only with --all: Run All twice begins the same way")
    with mock_kernel() as kernel:
        assert list(passes.after_set_up_again(Lesson.read(path), kernel, section)) == []


def pytest_generate_tests(metafunc):
    """One restart point a lesson, its last; all of them with `--all`."""
    if "section" in metafunc.fixturenames:
        first = 0 if metafunc.config.getoption("--all") else -1
        metafunc.parametrize(
            ("path", "section"),
            [
                pytest.param(path, point, id=point, marks=pytest.mark.xdist_group(path.stem))
                for path in lessons()
                for point in Lesson.read(path).restart_points[first:]
            ],
        )


@each_lesson()
def test_in_live_mode(path, tmp_path):
    """Cells that need neither motor nor mock do in live mode what a list beside this file says."""
    with (
        plain_moto(without_ours(os.environ)) as url,
        kernel(tmp_path / "my course", live_environment(tmp_path, url)) as running,
    ):
        failed = dict(passes.in_live_mode(Lesson.read(path), running))
    listed = LIVE_FAILURES.get(path.name[:2], {})
    assert failed == listed, f"now it would be {json.dumps({path.name[:2]: failed})}"
    refused = tmp_path / "refused"
    assert not refused.exists(), refused.read_text(encoding="utf-8")


def live_environment(private: Path, url: str) -> dict[str, str]:
    """A kernel's environment for live mode in front of `url`, with a guard against the world."""
    own = {
        "LABS_MODE": "live",
        "LABS_CONSENT": "yes",
        "LABS_SIZE": "small",
        "LABS_HOME": str(private / "home"),
        "LABS_TESTS_REFUSED": str(private / "refused"),
        "PYTHONPATH": str(HERE / "guard"),
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_MAX_ATTEMPTS": "1",
    }
    return without_ours(os.environ) | own


def without_ours(environ: Mapping[str, str]) -> dict[str, str]:
    """An environment without any setting of AWS's tools or of the course."""
    return {name: value for name, value in environ.items() if not name.startswith(NOT_OURS)}
