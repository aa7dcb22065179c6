"""`labs lab`: JupyterLab as a child in the mock's environment, and how it ends."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress
from pathlib import Path

import nbformat
import psutil
import pytest
from nbformat.v4 import new_notebook

from labs.commands import Problem, jupyter, lab, terminals
from labs.commands.lessons import Change

LAB = """
import sys
from pathlib import Path
from labs.commands import dispatch, environment_setup, lab, lessons
environment_setup.enter = lambda argv: None
lab.personal_folder = lambda: Path(sys.argv[1], "mine")
lessons.checkout = lambda: Path(sys.argv[1])
sys.exit(dispatch.main(["lab", "--no-browser", "--port", "0", *sys.argv[2:]]))
"""


class RunningLab:
    """`labs lab` in a process of its own, with one kernel started through its API."""

    def __init__(self, course: Path, *arguments: str, **environ: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", LAB, str(course), *arguments],
            env={**os.environ, **environ},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.said = ""

    def begin(self) -> "RunningLab":
        """Wait until it serves, and start a kernel."""
        for line in self.process.stdout:
            self.said += line
            address = re.search(r"(http://127\.0\.0\.1:\d+)(/\S*)\?token=(\w+)", line)
            if address:
                self.url, self.path, self.token = address.groups()
                break
        else:
            raise AssertionError(self.said)
        self.wait_until_it_listens()
        self.post("/api/kernels")
        self.family = psutil.Process(self.process.pid).children(recursive=True)
        return self

    def wait_until_it_listens(self):
        """The address is printed a moment before the server listens there."""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            with suppress(OSError):
                return urllib.request.urlopen(f"{self.url}/api", timeout=30).close()
            time.sleep(0.05)
        raise AssertionError(self.said)

    def post(self, path):
        headers = {"Authorization": f"token {self.token}"}
        request = urllib.request.Request(self.url + path, b"{}", headers, method="POST")
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def end(self, number) -> int:
        self.process.send_signal(number)
        self.said += self.process.communicate(timeout=60)[0]
        return self.process.returncode

    def survivors(self):
        """Server and kernels that still run after a while."""
        return psutil.wait_procs(self.family, timeout=30)[1]


@pytest.fixture
def course(tmp_path):
    notebooks = tmp_path / "my course" / "notebooks"
    notebooks.mkdir(parents=True)
    nbformat.write(new_notebook(), notebooks / lab.FIRST)
    return notebooks.parent


@pytest.fixture
def start(course):
    labs = []

    def begin(*arguments, **environ):
        labs.append(RunningLab(course, *arguments, **environ))
        return labs[-1].begin()

    yield begin
    for one in labs:
        one.process.kill()  # its server ends with it
        one.process.communicate()


posix = pytest.mark.skipif(os.name == "nt", reason="a test cannot press Ctrl-C in another console")


@posix
def test_one_ctrl_c_ends_lab_and_kernels_with_exit_code_0(start, course):
    running = start(AWS_PROFILE="prod", AWS_ENDPOINT_URL_S3="http://there.invalid")
    assert running.path == f"/lab/tree/{lab.FIRST}"
    assert (course / "mine" / lab.FIRST).exists()
    assert len(running.family) >= 2, "the server and a kernel"
    server = running.family[0].environ()
    assert server["LABS_MODE"] == "mock"
    assert server["AWS_ENDPOINT_URL"].startswith("http://127.0.0.1:")
    assert not {"AWS_PROFILE", "AWS_ENDPOINT_URL_S3"} & set(server)
    assert running.end(signal.SIGINT) == 0
    assert running.survivors() == []
    assert "ending JupyterLab and its kernels" in running.said


@posix
def test_a_killed_owner_leaves_no_server_and_no_kernel(start):
    """Live mode in the same start: the user's AWS settings are there."""
    running = start("--live", AWS_PROFILE="prod")
    server = running.family[0].environ()
    assert (server["LABS_MODE"], server["AWS_PROFILE"]) == ("live", "prod")
    running.end(signal.SIGKILL)
    assert running.survivors() == []


def test_the_kernel_listens_on_no_port(tmp_path):
    expected = {"--KernelManager.transport=ipc"} if os.name == "posix" else set()
    options = jupyter.options(tmp_path)
    assert {option for option in options if "transport" in option} == expected
    assert "--ServerApp.ip=127.0.0.1" in options


def test_an_option_of_the_user_replaces_ours(tmp_path):
    options = jupyter.options(tmp_path, ["--ServerApp.ip=::1", "--debug"])
    assert [option for option in options if ".ip=" in option] == ["--ServerApp.ip=::1"]
    assert options[-1] == "--debug"


def test_arguments_that_are_not_ours_go_to_jupyterlab(tmp_path):
    options = lab.parse(["--no-browser", "--port", "9000", "--ServerApp.x=1"])
    expected = ["--no-browser", "--ServerApp.port=9000", "--ServerApp.x=1"]
    assert lab.own_options(options, tmp_path) == expected


def test_a_kept_copy_is_said_with_the_way_to_the_new_one(tmp_path, capsys):
    lab.report({"31_x.ipynb": Change.KEPT, "32_x.ipynb": Change.NOTHING}, tmp_path)
    said = capsys.readouterr().out
    assert "python3 -m labs reset 31" in said
    assert "32_x" not in said


def test_a_checkout_without_lessons_is_a_problem(tmp_path):
    with pytest.raises(Problem, match="no lessons"):
        lab.report({}, tmp_path)


SHELLS = [shell for shell in ("bash", "zsh", "sh") if shutil.which(shell)]


@posix
@pytest.mark.parametrize("shell", SHELLS)
def test_a_terminal_undoes_what_start_up_files_export(shell, tmp_path):
    home = tmp_path / "a home"
    home.mkdir()
    for name in (".bashrc", ".zshrc", ".profile"):
        exports = "export AWS_PROFILE=prod AWS_ENDPOINT_URL=https://there.invalid MINE=1\n"
        (home / name).write_text(exports)
    before = {"PATH": os.environ["PATH"], "HOME": str(home), "SHELL": f"/bin/{shell}"}
    before |= {"AWS_REGION": "us-east-1", "BOTO_CONFIG": "there"}
    after = {name: value for name, value in before.items() if name != "BOTO_CONFIG"}
    after |= {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "LABS_MODE": "it's mock"}
    command = terminals.shell_command(tmp_path, before, after)
    done = subprocess.run(
        [*command, "-i"], input="env\n", env=after, capture_output=True, text=True, timeout=30
    )
    environ = dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
    ours = {name: environ.get(name) for name in environ if name.startswith("AWS_")}
    assert ours == {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_REGION": "us-east-1"}
    assert environ["LABS_MODE"] == "it's mock"
    assert "BOTO_CONFIG" not in environ
