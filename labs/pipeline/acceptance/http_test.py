"""Lambda function: a page answers 200, and shows the version that was deployed.

Parameters: Url, a URL or the name of a host; Version, as the page shows it after "Version ".
"""

import re
import time
import urllib.error
import urllib.request

from .reporting import Failed, Parameters, acceptance_test, wanted

TIMEOUT = 5  # seconds
ATTEMPTS, PAUSE = 3, 1  # a server may be a moment late; seconds


@acceptance_test
def handler(given: Parameters) -> str:
    """Ask a few times, until the page is right."""
    url, version = full(wanted(given, "Url")), wanted(given, "Version")
    for attempt in range(ATTEMPTS):
        if attempt:
            time.sleep(PAUSE)
        status, page = get(url)
        found = verdict(status, page, version)
        if not found:
            return f"{url} answers 200 with version {version}."
    raise Failed(f"{url}: {found}")


def full(url: str) -> str:
    """A URL: of a host's name, by plain HTTP. Raises Failed for another scheme."""
    scheme, there, _ = url.partition("://")
    if there and scheme not in ("http", "https"):
        raise Failed(f"Url must begin with http:// or https://, not {scheme}://.")
    return url if there else f"http://{url}/"


def get(url: str) -> tuple[int, str]:
    """(status, page); (0, why) when there is no answer."""
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT) as answer:  # noqa: S310 - see `full`
            return answer.status, answer.read().decode("utf-8", "replace")
    except urllib.error.HTTPError as error:
        return error.code, ""
    except (OSError, ValueError) as error:
        return 0, str(error)


def verdict(status: int, page: str, version: str) -> str:
    """What is wrong with an answer; "" when nothing is."""
    if status == 0:
        return f"no answer ({page})."
    if status != 200:
        return f"answers {status}, not 200."
    if not re.search(rf"\bVersion {re.escape(version)}(?![\w.-])", page):
        shown = re.search(r"\bVersion ([\w.-]+)", page)
        there = f"version {shown[1]}" if shown else "no version"
        return f"answers 200, with {there} on the page, not version {version}."
    return ""
