"""environment.yml, pyproject.toml, requirements.lock and Binder's Dockerfile say the same."""

import re
import subprocess
import sys
import tomllib

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from labs import __main__ as start
from labs.commands.folders import checkout

COURSE = checkout()


def read(name):
    return (COURSE / name).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def project():
    return tomllib.loads(read("pyproject.toml"))["project"]


@pytest.fixture(scope="module")
def locked():
    """name -> versions in the lock; several where they depend on the Python or the system."""
    versions = {}
    for name, version in re.findall(r"^([A-Za-z0-9._-]+)==(\S+)", read("requirements.lock"), re.M):
        versions.setdefault(name, []).append(version)
    return versions


def canonical(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def test_the_lock_satisfies_every_dependency(project, locked):
    wanted = [*project["dependencies"], *project["optional-dependencies"]["test"]]
    for requirement in map(Requirement, wanted):
        assert canonical(requirement.name) in locked, requirement
        for version in locked[canonical(requirement.name)]:
            assert requirement.specifier.contains(version, prereleases=True), requirement


def test_every_package_of_the_lock_has_hashes():
    entries = re.split(r"^(?=[A-Za-z0-9])", read("requirements.lock"), flags=re.M)
    packages = [entry for entry in entries if re.match(r"[A-Za-z0-9._-]+==", entry)]
    assert len(packages) > 100
    assert [entry.split()[0] for entry in packages if "--hash=sha256:" not in entry] == []


def test_nothing_in_the_lock_bypasses_the_wrapper_of_names(locked):
    """uvloop, aiodns and pycares resolve names in C, where the mock's names are unknown."""
    assert {"uvloop", "aiodns", "pycares"}.isdisjoint(locked)


def test_every_file_asks_for_the_same_oldest_python(project):
    oldest = ".".join(map(str, start.NEEDED))
    assert project["requires-python"] == f">={oldest}"
    assert f"--python-version {oldest}" in read("requirements.lock").splitlines()[1]


def test_environment_yml_names_a_python_that_binder_reads_and_no_second_list(project):
    environment = yaml.safe_load(read("environment.yml"))
    [python] = [entry for entry in environment["dependencies"] if entry.startswith("python")]
    assert re.fullmatch(r"python=3\.\d+", python), "repo2docker reads no other form"
    assert SpecifierSet(project["requires-python"]).contains(python.removeprefix("python="))
    assert environment["dependencies"] == [python, "pip"], "versions belong into the lock"


@pytest.mark.parametrize("folder", ["binder", ".binder"])
def test_no_folder_hides_the_files_of_the_root_from_binder(folder):
    assert not (COURSE / folder).exists()


def test_post_build_installs_the_lock_and_then_the_course():
    script = read("postBuild")
    lock = script.index("--require-hashes --requirement requirements.lock")
    course = script.index("--no-deps --editable .")
    assert lock < course < script.index("python -m labs.commands.environment_setup")


@pytest.mark.skipif(sys.platform == "win32", reason="repo2docker does not run on Windows")
def test_binder_builds_from_these_files(tmp_path):
    for name in ("environment.yml", "postBuild", "pyproject.toml", "requirements.lock"):
        (tmp_path / name).write_text(read(name), encoding="utf-8")
    (tmp_path / "postBuild").chmod(0o755)
    command = [sys.executable, "-m", "repo2docker", "--no-build", "--debug", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    dockerfile = done.stdout + done.stderr
    assert done.returncode == 0, dockerfile
    python = yaml.safe_load(read("environment.yml"))["dependencies"][0]
    assert f"Building conda environment for {python}" in dockerfile
    assert '--file "environment.yml"' in dockerfile
    assert "pip install" not in dockerfile, "only postBuild installs packages"
    assert re.search(r"^RUN .*postBuild", dockerfile, re.M)


@pytest.mark.skipif(sys.platform == "win32", reason="no executable bit there")
@pytest.mark.parametrize("script", ["postBuild", ".ci/run"])
def test_scripts_can_be_executed_and_are_strict(script):
    path = COURSE / script
    assert path.stat().st_mode & 0o111
    text = path.read_text(encoding="utf-8")
    assert text.startswith("#!/usr/bin/env bash\n")
    assert "\nset -euo pipefail\n" in text
    subprocess.run(["bash", "-n", str(path)], check=True)


def test_ci_runs_the_command_of_the_readme():
    command = "python3 -m labs test"
    assert f"\n```\n{command}\n```\n" in read("README.md")
    assert re.search(rf"^{command}\b", read(".ci/run"), re.M)


def test_no_file_names_a_registry_or_a_machine():
    for name in ("README.md", "environment.yml", "postBuild", ".ci/run", "pyproject.toml"):
        assert not re.search(r"/(work|root|home)/|files\.pythonhosted|index-url", read(name)), name
    assert "--index-url" not in read("requirements.lock")
