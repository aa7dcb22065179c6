"""Take back an earlier try, so that a cell that builds something can run again.

Source: ELB API (2015-12-01), DeleteTargetGroup: a group that a listener or rule uses stays.
"""

from typing import Any


def forget_group(elbv2: Any, name: str, listener_arn: str, default_group_arn: str) -> None:
    """Delete the target group of this name, with the rules and listeners that forward to it.

    One listener stays, and forwards what no rule of its own takes to its default group, as before.
    """
    try:
        group = elbv2.describe_target_groups(Names=[name])["TargetGroups"][0]
    except elbv2.exceptions.TargetGroupNotFoundException:
        return
    arn = group["TargetGroupArn"]
    give_back(elbv2, listener_arn, arn, default_group_arn)
    for balancer in group["LoadBalancerArns"]:
        for listener in elbv2.describe_listeners(LoadBalancerArn=balancer)["Listeners"]:
            forget_ways(elbv2, listener["ListenerArn"], arn)
    elbv2.delete_target_group(TargetGroupArn=arn)


def give_back(elbv2: Any, listener_arn: str, group_arn: str, default_group_arn: str) -> None:
    """Let the listener forward to its default group again, if it forwards to the other one."""
    listener = elbv2.describe_listeners(ListenerArns=[listener_arn])["Listeners"][0]
    if group_arn in groups_of({"Actions": listener["DefaultActions"]}):
        action = {"Type": "forward", "TargetGroupArn": default_group_arn}
        elbv2.modify_listener(ListenerArn=listener_arn, DefaultActions=[action])


def forget_ways(elbv2: Any, listener_arn: str, group_arn: str) -> None:
    """Delete the listener's rules that forward to the group: its default rule with itself."""
    for rule in elbv2.describe_rules(ListenerArn=listener_arn)["Rules"]:
        if group_arn not in groups_of(rule):
            continue
        if rule["IsDefault"]:
            elbv2.delete_listener(ListenerArn=listener_arn)
            return
        elbv2.delete_rule(RuleArn=rule["RuleArn"])


def groups_of(rule: dict[str, Any]) -> set[str]:
    """The ARNs of the target groups to which a rule forwards."""
    return {
        group["TargetGroupArn"]
        for action in rule["Actions"]
        if action["Type"] == "forward"
        for group in action.get("ForwardConfig", {}).get("TargetGroups") or [action]
    }
