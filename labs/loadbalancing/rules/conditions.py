"""The conditions of a rule: each becomes a function that says whether a request meets it.

A condition holds when one of its values matches; a rule's conditions must all hold.
Source: Application Load Balancer guide, "Condition types for listener rules"; ELB API,
RuleCondition.
"""

import ipaddress
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

from labs.loadbalancing.layer7.contract import Request
from labs.loadbalancing.rules.patterns import Match, either, glob, query_glob, regex

#: Whether a request meets it.
Condition = Callable[[Request], bool]

address = lru_cache(maxsize=4096)(ipaddress.ip_address)


def compile_condition(condition: dict[str, Any]) -> Condition:
    """A condition of describe_rules as a function of a request.

    Raises ValueError for a field that no Application Load Balancer has, UnsupportedPattern for
    a regular expression that is refused.
    """
    if condition["Field"] not in COMPILERS:
        known = ", ".join(COMPILERS)
        raise ValueError(f"Found the condition field {condition['Field']!r}; known are {known}.")
    return COMPILERS[condition["Field"]](condition)


def path_pattern(condition: dict[str, Any]) -> Condition:
    """The path without the query. Upper and lower case differ."""
    match = texts(condition, "PathPatternConfig", ignore_case=False)
    return lambda request: match(request.path)


def host_header(condition: dict[str, Any]) -> Condition:
    """The host without its port. Upper and lower case are the same."""
    match = texts(condition, "HostHeaderConfig", ignore_case=True)
    return lambda request: match(request.host)


def http_header(condition: dict[str, Any]) -> Condition:
    """A header by name, line by line where it comes more than once. Case does not matter."""
    name = condition["HttpHeaderConfig"]["HttpHeaderName"].lower()
    match = texts(condition, "HttpHeaderConfig", ignore_case=True)

    def holds(request: Request) -> bool:
        return any(key.lower() == name and match(value) for key, value in request.headers)

    return holds


def http_request_method(condition: dict[str, Any]) -> Condition:
    """The method, letter by letter: no wildcards, and "get" is not "GET"."""
    methods = frozenset(values(condition, "HttpRequestMethodConfig"))
    return lambda request: request.method in methods


def query_string(condition: dict[str, Any]) -> Condition:
    """A parameter of the query, by key and value or by value alone. Case does not matter.

    Percent-encoding is compared as it stands: AWS documents that any character may be encoded,
    and no decoding.
    """
    pairs = [
        (query_glob(pair.get("Key") or "*"), query_glob(pair.get("Value") or ""))
        for pair in values(condition, "QueryStringConfig")
    ]

    def holds(request: Request) -> bool:
        for parameter in request.query.split("&") if request.query else ():
            key, _, value = parameter.partition("=")
            if any(
                matches_key(key) and matches_value(value) for matches_key, matches_value in pairs
            ):
                return True
        return False

    return holds


def source_ip(condition: dict[str, Any]) -> Condition:
    """The address that connected, never X-Forwarded-For. Blocks of IPv4 and IPv6 addresses."""
    networks = [
        ipaddress.ip_network(block, strict=False) for block in values(condition, "SourceIpConfig")
    ]
    return lambda request: any(address(request.client[0]) in network for network in networks)


COMPILERS: dict[str, Callable[[dict[str, Any]], Condition]] = {
    "path-pattern": path_pattern,
    "host-header": host_header,
    "http-header": http_header,
    "http-request-method": http_request_method,
    "query-string": query_string,
    "source-ip": source_ip,
}


def texts(condition: dict[str, Any], config: str, ignore_case: bool) -> Match:
    """Whether a text matches one of a condition's values or regular expressions."""
    return either(
        [glob(value, ignore_case) for value in values(condition, config)]
        + [regex(value, ignore_case) for value in values(condition, config, "RegexValues")]
    )


def values(condition: dict[str, Any], config: str, name: str = "Values") -> Iterable[Any]:
    """What a condition lists: in its config or, as in 2016, beside it. AWS shows both."""
    return (condition.get(config) or {}).get(name) or condition.get(name) or ()
