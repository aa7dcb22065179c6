"""The command line: what it says before anything is set up, and with which exit code."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from labs import __main__ as start
from labs.commands import Problem, dispatch, environment_setup
from labs.commands.folders import checkout


def test_help_lists_every_command(capsys):
    assert dispatch.main(["--help"]) == 0
    said = capsys.readouterr().out
    for name, command in dispatch.COMMANDS.items():
        assert name in said
        assert command.summary in said


def test_an_unknown_command_gets_the_nearest_one(capsys):
    assert dispatch.main(["tset"]) == 2
    assert "python3 -m labs test" in capsys.readouterr().err


def test_nothing_is_suggested_where_nothing_is_near():
    assert "Did you mean" not in dispatch.unknown("xyzzy")


@pytest.mark.parametrize("name", dispatch.COMMANDS)
def test_help_of_a_command_needs_no_set_up(name, monkeypatch, capsys):
    monkeypatch.setattr(environment_setup, "enter", lambda argv: pytest.fail("set up"))
    with pytest.raises(SystemExit) as ended:
        dispatch.main([name, "--help"])
    assert ended.value.code == 0
    assert f"labs {name}" in capsys.readouterr().out


def test_a_problem_is_a_sentence_and_not_a_traceback(monkeypatch, capsys):
    def fail(argv):
        raise Problem("the network is down")

    monkeypatch.setattr(environment_setup, "enter", fail)
    assert dispatch.main(["lab"]) == 1
    assert capsys.readouterr().err == "labs lab: the network is down\n"


def test_ctrl_c_is_the_shells_exit_code(monkeypatch):
    def interrupt(argv):
        raise KeyboardInterrupt

    monkeypatch.setattr(environment_setup, "enter", interrupt)
    assert dispatch.main(["lab"]) == 130


@pytest.mark.parametrize("version", [(2, 7, 18), (3, 8, 18), (3, 10, 13)])
def test_an_old_python_is_told_what_to_do(version):
    said = start.complaint(version)
    assert ".".join(map(str, version)) in said
    assert "3.11" in said


@pytest.mark.parametrize("version", [(3, 11, 0), (3, 14, 2)])
def test_a_python_that_will_do_is_not_complained_of(version):
    assert start.complaint(version) is None


@pytest.mark.parametrize("name", ["__init__.py", "__main__.py"])
def test_the_first_files_parse_on_an_old_python(name):
    ast.parse((checkout() / "labs" / name).read_text(encoding="utf-8"), feature_version=(3, 6))


def test_before_the_set_up_only_the_standard_library_is_imported(tmp_path):
    """Each command's own file is imported to read its arguments; -S hides the environment."""
    names = [command.module for command in dispatch.COMMANDS.values()]
    code = "import sys; sys.path.insert(0, sys.argv[1])\nimport labs.__main__\n"
    code += "".join(f"import labs.commands.{name}\n" for name in ["dispatch", *names])
    python = Path(environment_setup.base_python())
    done = subprocess.run(
        [python, "-I", "-S", "-c", code, str(checkout())], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_the_module_runs_as_a_program():
    done = subprocess.run(
        [sys.executable, "-m", "labs", "nonsense"], capture_output=True, text=True, cwd=checkout()
    )
    assert done.returncode == 2
    assert "no command 'nonsense'" in done.stderr
