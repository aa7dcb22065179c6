"""The demo app: a page that says which version of it answers, and at which stage.

WSGI (PEP 3333) and nothing else. Elastic Beanstalk's Python platform calls `application` of the
file `application.py`, unless it is told otherwise.
"""

import html
import os
from http import HTTPStatus

#: On the page, so that whoever looks at it (an acceptance test, too) knows what was deployed.
VERSION = "1"

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Demo app</title>
<h1>Demo app</h1>
<p>Version {version}</p>
<p>Stage: {stage}</p>
</html>
"""


def application(environ, start_response):
    """Answer one request."""
    status, content_type, text = respond(environ.get("PATH_INFO") or "/", os.environ)
    body = text.encode()
    headers = [
        ("Content-Type", f"{content_type}; charset=utf-8"),
        ("Content-Length", str(len(body))),
        ("Cache-Control", "no-store"),  # a cached page would show the version before
    ]
    start_response(f"{status.value} {status.phrase}", headers)
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]


def respond(path, settings):
    """(status, content type, text) for a path. settings: the environment properties.

    The load balancer asks for /health: it is cheap, and says no more than that the app runs.
    """
    if path == "/":
        stage = html.escape(settings.get("STAGE", "none"))
        return HTTPStatus.OK, "text/html", PAGE.format(version=VERSION, stage=stage)
    if path == "/health":
        return HTTPStatus.OK, "text/plain", "ok\n"
    return HTTPStatus.NOT_FOUND, "text/plain", "There is no such page.\n"
