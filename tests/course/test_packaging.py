"""package: the same bytes every time, and errors that a learner can act on."""

import importlib
import io
import os
import subprocess
import sys
import zipfile

import pytest

from labs.course import package


def unzip(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "my functions"
    (folder / "pkg").mkdir(parents=True)
    (folder / "b.py").write_text("b = 1\n")
    (folder / "a.py").write_text("a = 1\n")
    (folder / "pkg" / "__init__.py").write_text("")
    (folder / "pkg" / "data.json").write_text("{}")
    return folder


def test_one_file_goes_to_the_top(folder):
    assert unzip(package(folder / "a.py")) == {"a.py": b"a = 1\n"}
    assert package(str(folder / "a.py")) == package([folder / "a.py"])


def test_a_folder_keeps_its_places_and_is_sorted(folder):
    assert list(unzip(package(folder))) == ["a.py", "b.py", "pkg/__init__.py", "pkg/data.json"]


def test_files_and_a_folder_together(folder, tmp_path):
    (tmp_path / "main.py").write_text("m = 1\n")
    assert "main.py" in unzip(package([tmp_path / "main.py", folder]))


def test_hidden_files_and_caches_stay_out(folder):
    before = package(folder)
    for place in ("__pycache__", "pkg/__pycache__", ".ipynb_checkpoints"):
        (folder / place).mkdir()
        (folder / place / "a.py").write_text("old")
    (folder / ".env").write_text("SECRET=1")
    assert package(folder) == before


def test_time_mode_and_order_do_not_matter(folder):
    before = package(folder)
    os.utime(folder / "a.py", (0, 0))
    (folder / "b.py").chmod(0o600)
    assert package(folder) == before
    assert package([folder / "b.py", folder / "a.py"]) == package(
        [folder / "a.py", folder / "b.py"]
    )


def test_what_is_in_the_zip_depends_on_no_machine(folder):
    content = package(folder)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for entry in archive.infolist():
            assert entry.date_time == (1980, 1, 1, 0, 0, 0)
            assert entry.external_attr >> 16 == 0o100644
            assert (entry.create_system, entry.compress_type) == (3, zipfile.ZIP_STORED)


def test_another_content_gives_other_bytes(folder):
    before = package(folder)
    (folder / "a.py").write_text("a = 2\n")
    assert package(folder) != before


def test_python_can_import_from_it(folder, tmp_path, monkeypatch):
    (folder / "packed_lesson_31.py").write_text("answer = 42\n")
    archive = tmp_path / "code.zip"
    archive.write_bytes(package(folder))
    monkeypatch.syspath_prepend(str(archive))
    assert importlib.import_module("packed_lesson_31").answer == 42


def test_a_missing_file_is_named_with_the_folder_searched(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"nowhere\.py") as caught:
        package("nowhere.py")
    assert str(tmp_path) in str(caught.value)


def test_an_empty_folder_is_an_error(tmp_path):
    with pytest.raises(ValueError, match="no file to pack"):
        package(tmp_path)


def test_a_syntax_error_shows_its_line(tmp_path):
    file = tmp_path / "broken.py"
    file.write_text("import json\n\nprint('tea' 'milk'\nx = 1\n")
    with pytest.raises(ValueError, match=r"broken\.py, line 3") as caught:
        package(file)
    assert "print('tea' 'milk'" in str(caught.value)
    assert caught.value.__suppress_context__  # no second trace for the learner to read


@pytest.mark.parametrize("source", [b"x = 1\0", b"\xff\xfe = 1", b"  indented = 1"])
def test_what_is_no_source_is_an_error(tmp_path, source):
    (tmp_path / "odd.py").write_bytes(source)
    with pytest.raises(ValueError, match=r"odd\.py"):
        package(tmp_path / "odd.py")


@pytest.mark.parametrize("name", ["word-counter.py", "31_counter.py", "class.py", "a b.py"])
def test_a_name_that_cannot_be_imported_is_an_error(tmp_path, name):
    (tmp_path / name).write_text("x = 1")
    with pytest.raises(ValueError, match="cannot import"):
        package(tmp_path / name)


def test_two_files_of_one_name_are_an_error(folder, tmp_path):
    (tmp_path / "a.py").write_text("a = 3\n")
    with pytest.raises(ValueError, match=r"Two files would be a\.py"):
        package([folder, tmp_path / "a.py"])


def test_importing_the_course_helpers_does_not_import_boto3():
    code = "import sys, labs.course; sys.exit('boto3' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
