"""When an environment is made anew, and by which steps. The network is not used here."""

import subprocess
import sys
from pathlib import Path
from typing import ClassVar

import pytest
from packaging.requirements import Requirement

from labs.commands import Problem, folders
from labs.commands import environment_setup as setup


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A checkout in a folder with a space, with a lock that names uv only."""
    course = tmp_path / "my course"
    course.mkdir()
    (course / "requirements.lock").write_text("uv==1 \\\n    --hash=sha256:00\n")
    (course / "pyproject.toml").write_text("[project]\n")
    monkeypatch.setattr(setup, "checkout", lambda: course)
    monkeypatch.setattr(setup, "environment_folder", lambda: course / ".venv")
    return course


@pytest.fixture
def environment(course):
    """A folder that passes for a virtual environment."""
    python = setup.python_of(course / ".venv")
    python.parent.mkdir(parents=True)
    python.touch()
    return course / ".venv"


@pytest.fixture
def steps(monkeypatch, course):
    """The commands that a set-up runs, recorded and not run; `steps.codes` says how they end."""

    class Steps(list):
        codes: ClassVar[dict[str, int]] = {}

        def call(self, command, env=None):
            command = [str(part) for part in command]
            self.append(command)
            if command[1:3] == ["-m", "venv"]:
                python = setup.python_of(Path(command[3]))
                python.parent.mkdir(parents=True)
                python.touch()
            return next((code for word, code in self.codes.items() if word in command), 0)

        def words(self):
            return [next(word for word in command[2:] if word != "pip") for command in self]

    steps = Steps()
    monkeypatch.setattr(subprocess, "call", steps.call)
    return steps


def test_a_stamped_environment_is_ready(environment):
    assert not setup.ready(environment)
    setup.stamp(environment)
    assert setup.ready(environment)


@pytest.mark.parametrize("name", ["requirements.lock", "pyproject.toml"])
def test_a_new_lock_makes_it_stale(name, environment, course):
    setup.stamp(environment)
    with (course / name).open("a") as file:
        file.write("# changed\n")
    assert not setup.ready(environment)


def test_another_interpreter_makes_it_stale(environment, monkeypatch):
    setup.stamp(environment)
    monkeypatch.setattr(setup.sys, "version", "3.99")
    assert not setup.ready(environment)


def test_a_moved_checkout_needs_a_new_one(environment, tmp_path):
    """The scripts of a virtual environment name their interpreter by its full path."""
    setup.stamp(environment)
    moved = environment.rename(tmp_path / "moved")
    assert not setup.ready(moved)


def test_an_environment_without_python_is_not_ready(environment):
    setup.stamp(environment)
    setup.python_of(environment).unlink()
    assert not setup.ready(environment)


def test_a_set_up_installs_uv_then_the_lock_then_the_course(steps, course, capsys):
    setup.make(course / ".venv")
    assert setup.ready(course / ".venv")
    venv, uv, lock, own = steps
    assert venv[1:] == ["-m", "venv", str(course / ".venv")]
    assert {"pip", "--require-hashes", "--no-deps"} < set(uv)
    assert {"uv", "--require-hashes", str(course / "requirements.lock")} < set(lock)
    assert own[-2:] == ["--editable", str(course)]
    assert "with uv" in capsys.readouterr().err


@pytest.mark.parametrize("missing", ["--only-binary=:all:", "--python"], ids=["uv", "its success"])
def test_without_uv_pip_installs_the_lock_and_the_message_says_so(missing, steps, course, capsys):
    steps.codes = {missing: 1}
    setup.make(course / ".venv")
    assert "--require-hashes" in steps[-2]
    assert steps[-2][1:3] == ["-m", "pip"]
    assert "pip, which takes" in capsys.readouterr().err


def test_a_failed_installation_leaves_no_ready_environment(steps, course):
    steps.codes = {"--require-hashes": 1}
    with pytest.raises(Problem, match="HTTPS_PROXY"):
        setup.make(course / ".venv")
    assert not setup.ready(course / ".venv")


def test_a_half_made_environment_is_made_anew(steps, environment):
    leftover = environment / "leftover"
    leftover.touch()
    setup.make(environment)
    assert not leftover.exists()
    assert [path.name for path in environment.parent.glob(".venv-old-*")] == []


def test_a_second_process_finds_it_done(steps, environment):
    setup.stamp(environment)
    setup.make(environment)
    assert steps == []


def test_a_missing_venv_module_is_named_with_what_to_install(steps, course, monkeypatch):
    find = setup.importlib.util.find_spec
    monkeypatch.setattr(
        setup.importlib.util, "find_spec", lambda name: None if name == "ensurepip" else find(name)
    )
    with pytest.raises(Problem, match="apt install python"):
        setup.make(course / ".venv")
    assert steps == []


def test_a_read_only_checkout_gets_a_path_file(course, tmp_path, monkeypatch):
    monkeypatch.setattr(setup, "writable", lambda folder: False)
    purelib = tmp_path / "site-packages"
    purelib.mkdir()
    monkeypatch.setattr(subprocess, "check_output", lambda *_, **__: f"{purelib}\n")
    setup.install_course(tmp_path / ".venv")
    assert (purelib / "packets-to-pipelines.pth").read_text() == f"{course}\n"


def test_enter_does_nothing_inside_a_ready_environment(environment, monkeypatch):
    setup.stamp(environment)
    monkeypatch.setattr(setup.sys, "prefix", str(environment))
    monkeypatch.setattr(setup, "go_on", lambda *_: pytest.fail("went on"))
    setup.enter(["lab"])


def test_enter_goes_on_in_the_environment(environment, monkeypatch):
    setup.stamp(environment)
    went = []
    monkeypatch.setattr(setup, "go_on", lambda *arguments: went.append(arguments))
    setup.enter(["lab", "--port", "9000"])
    assert went == [(environment, ["lab", "--port", "9000"])]


def test_enter_if_ready_makes_nothing(course, steps):
    setup.enter_if_ready(["doctor"])
    assert steps == []


def test_the_locks_own_entry_for_uv_is_complete():
    lock = (folders.checkout() / "requirements.lock").read_text(encoding="utf-8")
    first, *hashes = setup.entry_of("uv", lock).replace("\\\n", "\n").splitlines()
    assert Requirement(first.strip()).name == "uv"
    assert len(hashes) > 10
    assert all(line.strip().startswith("--hash=sha256:") for line in hashes)


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"PIP_CERT": "c.pem"}, {"SSL_CERT_FILE": "c.pem"}),
        ({"PIP_CERT": "c.pem", "SSL_CERT_FILE": "s.pem"}, {"SSL_CERT_FILE": "s.pem"}),
        (
            {"PIP_INDEX_URL": "https://mirror.invalid"},
            {"UV_DEFAULT_INDEX": "https://mirror.invalid"},
        ),
        ({}, {"UV_SYSTEM_CERTS": "1"}),
    ],
)
def test_uv_is_told_what_pip_knows(environ, expected):
    assert setup.uv_variables(environ).items() >= expected.items()


def test_go_on_passes_the_exit_code_on(tmp_path, monkeypatch):
    """The same on POSIX, where the process is replaced, and on Windows, where it waits."""
    code = (
        "import sys; from pathlib import Path; from labs.commands import environment_setup as s\n"
        "s.python_of = lambda environment: Path(sys.executable)\n"
        "s.go_on(Path('unused'), ['nonsense'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, cwd=folders.checkout())
    assert done.returncode == 2
