"""The rules of a listener: put one in its place, take some away, see all in order.

Sources: ELB API (2015-12-01), CreateRule, ModifyRule, DescribeRules; Application Load Balancer
guide, "Listener rules": the lowest priority is tried first, the default rule last.
"""

from collections.abc import Container, Sequence
from typing import Any

from labs.loadbalancing import tables

Rule = dict[str, Any]


def put(
    elbv2: Any,
    listener_arn: str,
    priority: int,
    conditions: Sequence[dict[str, Any]],
    actions: Sequence[dict[str, Any]],
) -> None:
    """Make the listener's rule with this priority, or change the one that is there.

    Raises ClientError for what AWS refuses.
    """
    for rule in every(elbv2, listener_arn):
        if rule["Priority"] == str(priority):
            elbv2.modify_rule(
                RuleArn=rule["RuleArn"], Conditions=list(conditions), Actions=list(actions)
            )
            return
    elbv2.create_rule(
        ListenerArn=listener_arn,
        Priority=priority,
        Conditions=list(conditions),
        Actions=list(actions),
    )


def clear(elbv2: Any, listener_arn: str, priorities: Container[int]) -> None:
    """Delete the listener's rules of these priorities, of which there may be none."""
    for rule in every(elbv2, listener_arn):
        if not rule["IsDefault"] and int(rule["Priority"]) in priorities:
            elbv2.delete_rule(RuleArn=rule["RuleArn"])


def every(elbv2: Any, listener_arn: str) -> list[Rule]:
    """The listener's rules as the API describes them, in the order in which they are tried."""
    pages = elbv2.get_paginator("describe_rules").paginate(ListenerArn=listener_arn)
    return sorted((rule for page in pages for rule in page["Rules"]), key=turn)


def turn(rule: Rule) -> float:
    """When a rule is tried: by its priority as a number, the default rule last."""
    return float("inf") if rule["IsDefault"] else int(rule["Priority"])


def table(elbv2: Any, listener_arn: str) -> tables.Table:
    """The listener's rules for people: priority, when it holds, what then happens."""
    rules = every(elbv2, listener_arn)
    rows = [(rule["Priority"], when(rule), then(rule["Actions"][-1])) for rule in rules]
    return tables.table(rows, ["priority", "when", "then"])


def when(rule: Rule) -> str:
    """A rule's conditions in words: all of them have to hold."""
    return " and ".join(map(condition, rule["Conditions"])) or "nothing above holds"


def condition(described: dict[str, Any]) -> str:
    """One condition in words: one of its values has to hold."""
    match described["Field"]:
        case "path-pattern":
            return f"path {values(described, 'PathPatternConfig')}"
        case "host-header":
            return f"host {values(described, 'HostHeaderConfig')}"
        case "http-header":
            name = described["HttpHeaderConfig"]["HttpHeaderName"]
            return f"header {name}: {values(described, 'HttpHeaderConfig')}"
        case "http-request-method":
            return f"method {values(described, 'HttpRequestMethodConfig')}"
        case "source-ip":
            return f"from {values(described, 'SourceIpConfig')}"
        case "query-string":
            pairs = described["QueryStringConfig"]["Values"]
            return "query " + " or ".join(
                f"{pair['Key']}={pair['Value']}" if pair.get("Key") else pair["Value"]
                for pair in pairs
            )
    return described["Field"]


def values(described: dict[str, Any], config: str) -> str:
    """A condition's values, wherever the API has put them; a regular expression says so."""
    inside = described.get(config) or {}
    plain = inside.get("Values") or described.get("Values") or []
    regular = inside.get("RegexValues") or described.get("RegexValues") or []
    return " or ".join([*plain, *(f"regex {pattern}" for pattern in regular)])


def then(action: dict[str, Any]) -> str:
    """An action in words."""
    match action["Type"]:
        case "forward":
            return f"to {' or '.join(groups(action))}"
        case "redirect":
            config = action["RedirectConfig"]
            parts = ("Protocol", "Host", "Port", "Path", "Query")
            set_ones = [f"{part.lower()} {config[part]}" for part in parts if is_set(config, part)]
            return f"redirect {config['StatusCode'][-3:]}: {', '.join(set_ones)}"
        case "fixed-response":
            config = action["FixedResponseConfig"]
            return f"answer {config['StatusCode']}: {config.get('MessageBody', '').strip()}"
    return action["Type"]


def is_set(redirect: dict[str, Any], part: str) -> bool:
    """Whether a redirect changes this part. AWS describes one that stays by a placeholder."""
    stays = "/#{path}" if part == "Path" else f"#{{{part.lower()}}}"
    return redirect.get(part, stays) != stays


def groups(action: dict[str, Any]) -> list[str]:
    """The target groups of a forward action by name, and their weights where they are several."""
    listed = (action.get("ForwardConfig") or {}).get("TargetGroups") or [action]
    names = [group["TargetGroupArn"].split("/")[1] for group in listed]
    if len(names) == 1:
        return names
    weights = [group.get("Weight", 1) for group in listed]
    return [f"{name} ({weight})" for name, weight in zip(names, weights, strict=True)]
