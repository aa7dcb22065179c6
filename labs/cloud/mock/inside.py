"""What the mock tells and does beyond AWS, under `/_labs/`, as JSON.

    GET    /_labs/health                 which mock this is
    GET    /_labs/trace?last=1&since=0   see `trace.chains`
    GET    /_labs/calls?last=20&since=0  see `trace.calls`
    GET    /_labs/queue?function=NAME    see `waits.listing`
    GET    /_labs/faults                 all rules; DELETE ends them
    PUT    /_labs/faults/ID              begins a rule (see `faults.Settings`); DELETE ends it

A request that cannot be understood gets 400 and {"message": ...}.
"""

import json
from typing import Any
from urllib.parse import parse_qsl

from labs.cloud.mock import faults, trace
from labs.cloud.mock.functions import waits

PREFIX = "/_labs/"

Reply = tuple[int, Any]


def serve(method: str, path: str, query: str, body: bytes) -> Reply | None:
    """(status, content); None when nothing is there. `path` begins with PREFIX."""
    name, _, rest = path.removeprefix(PREFIX).partition("/")
    try:
        if name in ("trace", "calls") and method == "GET" and not rest:
            given = dict(parse_qsl(query))
            last, since = int(given.get("last", 1)), float(given.get("since", 0))
            if last < 1:
                raise ValueError(f"last is {last}; expected 1 or more")
            return 200, (trace.chains if name == "trace" else trace.calls)(last, since)
        if name == "queue" and method == "GET" and not rest:
            return 200, waits.listing(dict(parse_qsl(query)).get("function", ""))
        if name == "faults":
            return _rule(method, rest, body) if rest else _rules(method)
    except ValueError as wrong:  # also JSON that is none
        return 400, {"message": str(wrong)}
    return None


def _rules(method: str) -> Reply | None:
    if method == "DELETE":
        faults.clear()
    return (200, faults.listing()) if method in ("GET", "DELETE") else None


def _rule(method: str, rule_id: str, body: bytes) -> Reply | None:
    if method == "PUT":
        settings = json.loads(body)
        if not isinstance(settings, dict):
            raise faults.Misunderstood(f"A rule is a JSON object; found {settings!r}.")
        return 200, faults.add(rule_id, settings)
    return (200, faults.remove(rule_id)) if method == "DELETE" else None
