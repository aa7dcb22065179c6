"""What the pipeline deploys, as zips: the demo app, and the acceptance tests.

Sources: Beanstalk guide, "Create an application source bundle"; Lambda guide, "Working with .zip
file archives for Python Lambda functions".
"""

import re
import shutil
import tempfile
from pathlib import Path

from labs.course.packaging import package

APP = Path(__file__).with_name("app") / "application.py"
ACCEPTANCE = Path(__file__).with_name("acceptance")
_VERSION = re.compile(r'^VERSION = ".*"$', re.MULTILINE)


def bundle(version: str) -> bytes:
    """The app with this version on its page: application.py, at the top of the zip.

    The same version gives the same bytes.

    Raises ValueError for a version that is not made of letters, digits, dots and dashes.
    """
    if not re.fullmatch(r"[A-Za-z0-9.-]+", version):
        raise ValueError(f"A version is made of letters, digits, . and -: not {version!r}.")
    with tempfile.TemporaryDirectory() as folder:
        text = _VERSION.sub(f'VERSION = "{version}"', APP.read_text("utf-8"))
        (Path(folder) / APP.name).write_text(text, "utf-8")
        return package(folder)


def acceptance_tests() -> bytes:
    """The code of all test functions: the handlers are `acceptance.http_test.handler` and so on."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(ACCEPTANCE, Path(folder) / ACCEPTANCE.name)
        return package(folder)
