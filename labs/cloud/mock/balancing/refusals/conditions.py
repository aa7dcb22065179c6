"""What AWS takes as a rule's conditions and transforms. Pure: plain data in, a refusal or nothing.

Sources: ELB API (2015-12-01), RuleCondition and its configurations, RuleTransform; Application
Load Balancer guide, "Condition types for listener rules", "Transforms", "Quotas". The guide also
says "up to three match evaluations per condition"; the quotas list only five a rule, and rules with
five hosts are common, so three is not enforced.
"""

import ipaddress
import re
from collections.abc import Mapping, Sequence
from typing import Any

from labs.cloud.mock.balancing.refusals.checks import invalid
from labs.loadbalancing.rules import LIMITS, UnsupportedPattern
from labs.loadbalancing.rules.patterns import compile_regex

Condition = Mapping[str, Any]

CONFIGS = {
    "path-pattern": "PathPatternConfig",
    "host-header": "HostHeaderConfig",
    "http-header": "HttpHeaderConfig",
    "http-request-method": "HttpRequestMethodConfig",
    "query-string": "QueryStringConfig",
    "source-ip": "SourceIpConfig",
}
#: May come once in a rule; http-header and query-string more often.
SINGLE = ("path-pattern", "host-header", "http-request-method", "source-ip")
WITH_REGEX = ("path-pattern", "host-header", "http-header")
CHARACTERS = {
    "path-pattern": r"[A-Za-z0-9_\-.$/~\"'@:+&*?]*",
    "host-header": r"[A-Za-z0-9\-.*?]*",
    "http-request-method": r"[A-Z_-]*",
}


def check_conditions(conditions: Sequence[Condition]) -> None:
    """Refuse conditions that AWS would refuse. An empty list is for the caller to judge."""
    fields = [condition.get("Field") for condition in conditions]
    for field in fields:
        if field not in CONFIGS:
            invalid(f"Condition field '{field}' must be one of '[{','.join(CONFIGS)}]'")
        if field in SINGLE and fields.count(field) > 1:
            invalid(f"A rule can only have one '{field}' condition")
    for condition in conditions:
        check_condition(condition)
    most = LIMITS["condition values of a rule"].number
    if sum(len(texts(each)) + len(listed(each, "RegexValues")) for each in conditions) > most:
        invalid(f"A rule can only have '{most}' condition values")
    most = LIMITS["wildcards of a rule"].number
    if sum(map(wildcards, conditions)) > most:
        invalid(f"A rule can only have '{most}' condition wildcards")


def check_condition(condition: Condition) -> None:
    field = condition["Field"]
    config = condition.get(CONFIGS[field]) or {}
    regexes = listed(condition, "RegexValues")
    if condition.get("Values") and field not in ("path-pattern", "host-header"):
        invalid(f"The 'Values' field is not compatible with '{field}'")
    if condition.get("Values") and config.get("Values"):
        invalid(f"You cannot provide both Values and '{CONFIGS[field]}' for '{field}'")
    if regexes and field not in WITH_REGEX:
        invalid(f"The 'RegexValues' field is not compatible with '{field}'")
    if field == "http-header":
        check_header_name(config.get("HttpHeaderName") or "")
    if config.get("IpAddressType"):
        invalid("'IpAddressType' is for rules of Network Load Balancers")
    if field == "query-string":
        for pair in listed(condition, "Values"):
            check_pair(pair)
    if not texts(condition) and not regexes:
        invalid("A condition value must be specified")
    for text in texts(condition):
        check_text(field, text)
    for regex in regexes:
        check_length(field, regex)
        check_regex(regex)


def texts(condition: Condition) -> list[str]:
    """A condition's values; a query parameter's key and value are one, joined as in a query."""
    values = listed(condition, "Values")
    if condition["Field"] != "query-string":
        return values
    return ["=".join(filter(None, (pair.get("Key"), pair["Value"]))) for pair in values]


def wildcards(condition: Condition) -> int:
    """How many * and ? a condition's values have; those of query strings can be escaped."""
    if condition["Field"] in ("http-request-method", "source-ip"):
        return 0
    return sum(len(re.findall(r"(?<!\\)[*?]", text)) for text in texts(condition))


def listed(condition: Condition, name: str) -> list[Any]:
    config = condition.get(CONFIGS[condition["Field"]]) or {}
    return list(config.get(name) or ()) + list(condition.get(name) or ())


def check_pair(pair: Mapping[str, Any]) -> None:
    if not pair.get("Value"):
        invalid("A 'Value' must be specified in 'QueryStringKeyValuePair'")
    for name in ("Key", "Value"):
        check_length("query-string", pair.get(name) or "")


def check_text(field: str, text: str) -> None:
    if not text:
        invalid("A condition value cannot be empty")
    if field == "source-ip":
        check_block(text)
    elif field != "query-string":  # whose keys and values have limits of their own
        check_length(field, text)
    if not re.fullmatch(CHARACTERS.get(field, r"[ -~]*"), text):
        invalid(f"The {field} value '{text}' contains characters that are not valid")


def check_length(field: str, text: str) -> None:
    method = field == "http-request-method"
    limit = LIMITS["length of a method" if method else "length of a condition value"].number
    if len(text) > limit:
        invalid(f"The '{field}' value is too long; the limit is '{limit}'")


def check_block(text: str) -> None:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        invalid(f"The source-ip value '{text}' must be in CIDR format")
    if "/" not in text:
        invalid(f"The source-ip value '{text}' must be in CIDR format")


def check_header_name(name: str) -> None:
    limit = LIMITS["length of a header name"].number
    if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name):  # RFC 9110, section 5.6.2
        invalid(f"The HTTP header name '{name}' is not valid")
    if len(name) > limit:
        invalid(f"The 'HttpHeaderName' value is too long; the limit is '{limit}'")
    if name.lower() == "host":
        invalid("The host header cannot be a 'http-header' condition; use 'host-header'")


def check_regex(regex: str) -> None:
    try:
        compile_regex(regex)
    except UnsupportedPattern as unsupported:
        invalid(f"The regular expression is not valid: {unsupported}")


def check_transforms(transforms: Sequence[Mapping[str, Any]]) -> None:
    """At most one transform of each kind, each with one rewrite."""
    kinds = [transform.get("Type") for transform in transforms]
    configs = {
        "url-rewrite": "UrlRewriteConfig",
        "host-header-rewrite": "HostHeaderRewriteConfig",
    }
    for kind, transform in zip(kinds, transforms, strict=True):
        if kind not in configs:
            invalid(f"Transform type '{kind}' must be one of '[{','.join(configs)}]'")
        if kinds.count(kind) > 1:
            invalid(f"A rule can only have one '{kind}' transform")
        rewrites = (transform.get(configs[kind]) or {}).get("Rewrites") or ()
        if len(rewrites) != 1:
            invalid(f"A '{configs[kind]}' with one rewrite must be specified with '{kind}'")
        for text in (rewrites[0].get("Regex") or "", rewrites[0].get("Replace") or ""):
            if len(text) > LIMITS["length of a rewrite"].number:
                invalid(f"The '{kind}' value is too long; the limit is '1024'")
        if not rewrites[0].get("Regex"):
            invalid(f"A 'Regex' must be specified with '{kind}'")
        check_regex(rewrites[0]["Regex"])
