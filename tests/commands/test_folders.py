"""Our own data folder is where platformdirs would have it, on each of the three systems."""

import os
from pathlib import Path

import pytest
from platformdirs.macos import MacOS
from platformdirs.unix import Unix
from platformdirs.windows import Windows

from labs.commands import folders

HERE = {"XDG_DATA_HOME", "LABS_HOME"}


@pytest.mark.parametrize("xdg", [None, "/somewhere else", "relative/is/ignored"])
@pytest.mark.parametrize(("platform", "theirs"), [("linux", Unix), ("darwin", MacOS)])
def test_data_folder_agrees_with_platformdirs(platform, theirs, xdg, monkeypatch):
    if xdg is None:
        monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    else:
        monkeypatch.setenv("XDG_DATA_HOME", xdg)
    environ = {name: value for name, value in os.environ.items() if name != "LABS_HOME"}
    expected = theirs(folders.NAME, appauthor=False).user_data_path
    assert folders.data_folder(environ, platform) == expected


def test_data_folder_agrees_with_platformdirs_on_windows(monkeypatch, tmp_path):
    """platformdirs asks the registry there; without one it reads the same variable."""
    from platformdirs import windows

    monkeypatch.setattr(windows, "get_win_folder", windows.get_win_folder_from_env_vars)
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path))
    environ = {"LOCALAPPDATA": str(tmp_path)}
    expected = Windows(folders.NAME, appauthor=False).user_data_path
    assert folders.data_folder(environ, "win32") == expected


def test_labs_home_overrides_the_data_folder(tmp_path):
    assert folders.data_folder({"LABS_HOME": str(tmp_path)}, "linux") == tmp_path
    assert folders.data_folder({"LABS_HOME": "~/mine"}, "linux") == Path.home() / "mine"


def test_generated_files_leave_a_checkout_that_cannot_be_written(tmp_path, monkeypatch):
    monkeypatch.setenv("LABS_HOME", str(tmp_path))
    monkeypatch.setattr(folders, "writable", lambda folder: False)
    for folder in (
        folders.environment_folder(),
        folders.personal_folder(),
        folders.build_folder(),
    ):
        assert folder.is_relative_to(tmp_path)


def test_two_read_only_checkouts_do_not_share_an_environment(tmp_path, monkeypatch):
    monkeypatch.setattr(folders, "writable", lambda folder: False)
    assert folders.workplace(tmp_path / "one") != folders.workplace(tmp_path / "two")


def test_writable_tries(tmp_path):
    assert folders.writable(tmp_path)
    assert not folders.writable(tmp_path / "missing")


def test_sockets_fit_into_a_short_folder():
    folder = folders.short_temporary_folder()
    try:
        name = folder / "kernel-00000000-0000-0000-0000-000000000000-ipc-5"
        assert len(os.fsencode(name)) < 104
    finally:
        folder.rmdir()
