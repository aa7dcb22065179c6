"""Transforms: what a rule changes in a request on its way to the target.

They do not change which rule decides. Source: Application Load Balancer guide, "Transforms for
listener rules"; ELB API, RewriteConfig.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from labs.loadbalancing.layer7.contract import Request
from labs.loadbalancing.rules.patterns import compile_regex

CAPTURE = re.compile(r"\$(\d)")
compiled = lru_cache(maxsize=1024)(compile_regex)


class RewriteFailed(ValueError):
    """A pattern matched, and no request can be made of its replacement. The balancer says 500."""


def rewrite(
    transforms: Iterable[dict[str, Any]], request: Request
) -> tuple[str | None, str | None]:
    """(url, host) to send to the target instead of the client's; None leaves one as it is.

    A url is a path with its query; the protocol and the port cannot be changed. Raises
    RewriteFailed; UnsupportedPattern for a regular expression that is refused (see `patterns`).
    """
    url = host = None
    for transform in transforms:
        if transform["Type"] == "url-rewrite":
            query = f"?{request.query}" if request.query else ""
            url = replace(transform["UrlRewriteConfig"], request.path + query)
            if url is not None and not re.fullmatch(r"/[!-~]*", url):
                raise RewriteFailed(f"Found the URL {url!r}; expected a path that begins with /.")
        elif transform["Type"] == "host-header-rewrite":
            host = replace(transform["HostHeaderRewriteConfig"], request.host)
            if host is not None and not re.fullmatch(r"[A-Za-z0-9.:_-]+", host):
                raise RewriteFailed(f"Found the host {host!r}; expected a host name.")
    return url, host


def replace(config: dict[str, Any], text: str) -> str | None:
    """A text after a config's rewrite; None when its pattern is not found.

    The first match is replaced. AWS documents one rewrite for a config, and not what happens to
    a second match.
    """
    [rewrite] = config["Rewrites"]
    found = compiled(rewrite["Regex"]).search(text)
    if not found:
        return None

    def captured(reference: re.Match[str]) -> str:
        try:
            return found[int(reference[1])] or ""
        except IndexError:
            raise RewriteFailed(
                f"{rewrite['Replace']!r} asks for {reference[0]}; {rewrite['Regex']!r} has "
                f"{found.re.groups} capture groups."
            ) from None

    replacement = CAPTURE.sub(captured, rewrite["Replace"])
    return text[: found.start()] + replacement + text[found.end() :]
