"""What Elastic Beanstalk runs in an environment that was created without a version."""


def application(environ, start_response):
    """Answers every request with the same page."""
    page = b"<h1>Sample application</h1><p>This environment waits for a version of yours.</p>\n"
    headers = [("Content-Type", "text/html; charset=utf-8"), ("Content-Length", str(len(page)))]
    start_response("200 OK", headers)
    return [page]
