"""Uploaded zips: unpacked once, inside their folder, with their permissions."""

import contextlib
import io
import os
import stat
import sys
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs.cloud.mock.functions.code import CodeStore, brings_own_sdk, unpack


def zipped(files, mode=None):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = (mode or 0) << 16
            archive.writestr(info, content)
    return buffer.getvalue()


@pytest.fixture
def store():
    store = CodeStore()
    yield store
    store.close()


def test_unpacked_once(store):
    code = zipped({"app.py": "x = 1", "lib/mod.py": "y = 2"})
    folder = store.folder("sha", code)
    assert (folder / "lib" / "mod.py").read_text() == "y = 2"
    (folder / "mark").touch()
    assert store.folder("sha", code) == folder
    assert (folder / "mark").exists()


def test_another_code_has_another_folder_even_after_clear(store):
    first = store.folder("a", zipped({"app.py": "1"}))
    second = store.folder("b", zipped({"app.py": "2"}))
    store.clear()
    assert not first.exists()
    assert not second.exists()
    third = store.folder("a", zipped({"app.py": "3"}))
    assert third not in (first, second)
    assert (third / "app.py").read_text() == "3"


def test_what_is_no_zip_leaves_nothing(store):
    for code in (b"", b"no zip", zipped({"app.py": "x" * 999})[:-30]):
        with pytest.raises(zipfile.BadZipFile):
            store.folder("sha", code)
    assert list(store._home.iterdir()) == []


def test_close_removes_everything():
    store = CodeStore()
    folder = store.folder("a", zipped({"app.py": "1"}))
    store.close()
    assert not folder.exists()
    store.close()


@pytest.mark.parametrize("name", ["../evil", "/evil", "a/../../evil", "..\\evil", "C:\\evil"])
def test_no_file_leaves_the_folder(tmp_path, name):
    outside = tmp_path / "evil"
    outside.write_text("good")
    outside.chmod(0o600)
    unpack(zipped({name: "bad"}, mode=0o777), tmp_path / "target")
    assert outside.read_text() == "good"
    if sys.platform != "win32":
        assert stat.S_IMODE(outside.stat().st_mode) == 0o600, "not even its permissions"


@given(st.text(st.sampled_from("./\\ab:~ "), min_size=1, max_size=12))
def test_whatever_a_file_is_called(tmp_path_factory, name):
    home = tmp_path_factory.mktemp("home")
    with contextlib.suppress(OSError, zipfile.BadZipFile):  # some are no names for a file
        unpack(zipped({name: "x"}, mode=0o755), home / "target")
    assert {path.name for path in home.iterdir()} <= {"target"}


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such permissions")
def test_permissions(tmp_path):
    unpack(zipped({"run.sh": "#!/bin/sh"}, mode=0o755), tmp_path)
    assert os.access(tmp_path / "run.sh", os.X_OK)
    unpack(zipped({"secret": "x"}, mode=0o000 | 0o100), tmp_path)
    assert (tmp_path / "secret").read_text() == "x", "always readable: clean-up needs it"


def test_folders_and_missing_permissions(tmp_path):
    unpack(zipped({"pkg/": "", "pkg/mod.py": "x"}), tmp_path)
    assert (tmp_path / "pkg" / "mod.py").read_text() == "x"


@pytest.mark.parametrize(
    ("name", "own"), [("boto3/__init__.py", True), ("botocore/x.py", True), ("app.py", False)]
)
def test_who_brings_an_sdk(tmp_path, name, own):
    unpack(zipped({name: ""}), tmp_path)
    assert brings_own_sdk(tmp_path) is own
