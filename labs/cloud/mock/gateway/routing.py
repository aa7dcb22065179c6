"""Which method or route of an API a path means. Pure: no moto, no sockets."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol, TypeVar
from urllib.parse import unquote


class Routable(Protocol):
    """What can be routed to: a method of a REST resource, a route of an HTTP API."""

    @property
    def verb(self) -> str:
        """An HTTP method, or "ANY"."""

    @property
    def path(self) -> str:
        """A template: "/pets/{id}", "/files/{proxy+}"."""


Target = TypeVar("Target", bound=Routable)


@dataclass(frozen=True)
class Match:
    """How a path fits a template: the values of its variables, and how specific the fit is.

    rank: for each segment of the template 0 (literal), 1 (variable) or 2 (greedy); the smaller
    tuple is the more specific template.
    """

    parameters: dict[str, str]
    rank: tuple[int, ...]


def match_path(template: str, path: str) -> Match | None:
    """Fit `path` into `template`, segment by segment, or None.

    "{name}" takes one segment, "{name+}" one or more and only at the end (API Gateway guide,
    "Create routes for HTTP APIs", "Set up a proxy integration with a proxy resource").
    Values are returned as they stand in `path`: the caller decides whether that is decoded.
    """
    wanted, given = template.split("/")[1:], path.split("/")[1:]
    parameters: dict[str, str] = {}
    rank: list[int] = []
    for position, part in enumerate(wanted):
        if part.startswith("{") and part.endswith("+}"):
            rest = "/".join(given[position:])
            if not rest:
                return None
            return Match(parameters | {part[1:-2]: rest}, (*rank, 2))
        if position >= len(given):
            return None
        value = given[position]
        if part.startswith("{") and part.endswith("}"):
            if not value:
                return None
            parameters[part[1:-1]] = value
            rank.append(1)
        elif part in (value, unquote(value)):
            rank.append(0)
        else:
            return None
    return Match(parameters, tuple(rank)) if len(given) == len(wanted) else None


def route_http(
    routes: Iterable[Target], default: Target | None, verb: str, path: str
) -> tuple[Target, dict[str, str]] | None:
    """The route of an HTTP API for this request and its path parameters, or None.

    AWS's order: full match of route and method, then a greedy variable, then `$default`
    (API Gateway guide, "Create routes for HTTP APIs", "Routing API requests"). Among full
    matches literal segments win over variables, and a method over ANY; the guide shows the
    first of these by example and does not say the second. A trailing slash counts.
    """
    found = [
        (2 in match.rank, match.rank, route.verb == "ANY", position, route, match.parameters)
        for position, route in enumerate(routes)
        if route.verb in (verb, "ANY") and (match := match_path(route.path, path))
    ]
    if found:
        best = min(found, key=lambda entry: entry[:4])
        return best[4], best[5]
    return (default, {}) if default else None


def route_rest(
    methods: Iterable[Target], verb: str, path: str
) -> tuple[Target, dict[str, str]] | None:
    """The method of a REST API for this request and its path parameters, or None.

    The most specific resource is chosen first, and its methods afterwards: POST /pets does not
    fall back to ANY /{proxy+} when /pets has only GET. A method wins over ANY. A trailing slash
    does not count.
    Source: API Gateway guide, "Set up a proxy integration with a proxy resource". The guide does
    not say that there is no fall-back: not confirmed.
    """
    trimmed = path.rstrip("/") or "/"
    found = [
        (match.rank, method, match.parameters)
        for method in methods
        if (match := match_path(method.path, trimmed))
    ]
    if not found:
        return None
    best = min(rank for rank, _, _ in found)
    for wanted in (verb, "ANY"):
        for rank, method, parameters in found:
            if rank == best and method.verb == wanted:
                return method, parameters
    return None
