"""Source bundles: from a version to what an instance can run, or why none can."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path
from typing import Any

from labs.cloud.mock.beanstalk.options import PYTHON, Settings
from labs.cloud.mock.beanstalk.platform import SAMPLE
from labs.cloud.mock.beanstalk.records import Deployment, Version
from labs.cloud.mock.beanstalk.requirements import NotInstallable, packages

#: Bytes of a bundle. Source: Beanstalk guide, "Create an application source bundle".
LARGEST = 500 * 1024 * 1024
_GUNICORN = re.compile(r"web:\s*gunicorn\b.*?(?P<target>[\w.]+:[\w.]+|[\w.]+)\s*$")


class Broken(Exception):
    """A bundle that cannot be deployed. events: (severity, message); the text is for the log."""

    def __init__(self, log: str, *events: str) -> None:
        super().__init__(log)
        self.events = events


def fetch(s3: Any, version: Version) -> bytes:
    """The bytes of a version's bundle. Raises botocore's ClientError."""
    if version.bucket is None:
        return sample()
    return s3.get_object(Bucket=version.bucket, Key=version.key)["Body"].read()


def sample() -> bytes:
    """AWS's sample application, as it were."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.write(SAMPLE, "application.py")
    return buffer.getvalue()


def prepare(
    content: bytes, label: str, number: int, settings: Settings, folder: Path
) -> Deployment:
    """Keep a bundle in a folder, and say what is to be run of it. Raises Broken."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = set(archive.namelist())
            texts = {
                name: archive.read(name).decode("utf-8", "replace")
                for name in ("requirements.txt", "Procfile")
                if name in names
            }
    except zipfile.BadZipFile:
        raise Broken("The source bundle is no zip archive.") from None
    try:
        needed = packages(texts.get("requirements.txt", ""))
    except NotInstallable as wrong:
        raise Broken(
            f"Installing dependencies with pip by requirements.txt failed:\n{wrong}",
            "Instance deployment failed to install application dependencies. "
            "The deployment failed.",
        ) from None
    module, name = target(settings.get(PYTHON, "WSGIPath"), texts.get("Procfile"))
    bundle = folder / f"{number}-{label_as_file(label)}.zip"
    bundle.write_bytes(content)
    return Deployment(number, label, bundle, module, name, tuple(needed))


def target(wsgi_path: str, procfile: str | None) -> tuple[str, str]:
    """(module, name) of the WSGI application.

    "application", "shop.wsgi:app" or, as older platforms had it, "shop/wsgi.py". A Procfile counts
    more; the mock reads one that starts gunicorn. Raises Broken for another.
    Source: Beanstalk guide, "Python platform options", "Configuring the WSGI server with a
    Procfile"; gunicorn's documentation, "Running Gunicorn" (the name is "application").
    """
    if procfile is not None:
        found = next(filter(None, map(_GUNICORN.fullmatch, procfile.splitlines())), None)
        if found is None:
            raise Broken(
                "The Procfile has no line of the form `web: gunicorn MODULE:NAME`, and the mock "
                "runs no other program."
            )
        wsgi_path = found["target"]
    module, _, name = wsgi_path.partition(":")
    return module.removesuffix(".py").replace("/", "."), name or "application"


def label_as_file(label: str) -> str:
    return re.sub(r"[^\w.-]", "_", label)[:60]
