"""The demo app, as a WSGI application and as a bundle."""

import io
import zipfile
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import pytest

from labs.pipeline import bundles
from labs.pipeline.app.application import VERSION, application, respond


def ask(path, method="GET", app=application):
    """(status line, page) of a strict WSGI server."""
    environ = {"REQUEST_METHOD": method, "SCRIPT_NAME": "", "PATH_INFO": path, "QUERY_STRING": ""}
    setup_testing_defaults(environ)
    started = []
    answer = validator(app)(environ, lambda status, headers, *_: started.append((status, headers)))
    body = b"".join(answer)
    answer.close()
    status, headers = started[0]
    if method != "HEAD":
        assert dict(headers)["Content-Length"] == str(len(body))
    return status, body.decode()


def test_the_page_shows_the_version():
    status, page = ask("/")
    assert status == "200 OK"
    assert f"<p>Version {VERSION}</p>" in page


def test_health_and_what_is_not_there():
    assert ask("/health") == ("200 OK", "ok\n")
    assert ask("/tea")[0] == "404 Not Found"
    assert ask("/", "HEAD") == ("200 OK", "")


def test_the_stage_is_shown_as_text():
    assert "Stage: test &amp; try" in respond("/", {"STAGE": "test & try"})[2]


def test_a_bundle_has_the_version_that_was_asked_for():
    with zipfile.ZipFile(io.BytesIO(bundles.bundle("2.0-rc1"))) as archive:
        assert archive.namelist() == ["application.py"]
        names = {}
        exec(archive.read("application.py"), names)
    assert "<p>Version 2.0-rc1</p>" in ask("/", app=names["application"])[1]
    assert bundles.bundle("3") == bundles.bundle("3") != bundles.bundle("4")


@pytest.mark.parametrize("version", ["", 'a"b', "two words", "\\"])
def test_what_is_no_version(version):
    with pytest.raises(ValueError, match="A version is made of"):
        bundles.bundle(version)


def test_the_tests_lie_in_a_folder_of_the_zip():
    with zipfile.ZipFile(io.BytesIO(bundles.acceptance_tests())) as archive:
        names = archive.namelist()
    assert "acceptance/http_test.py" in names
    assert "acceptance/reporting.py" in names
    assert all(name.startswith("acceptance/") for name in names)
