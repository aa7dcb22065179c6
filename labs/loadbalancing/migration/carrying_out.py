"""Carry out a plan: make its calls one after the other, or remove what was made.

The Classic balancer is never written to.
"""

from collections.abc import Mapping
from typing import NamedTuple

from labs.loadbalancing.migration.failures import Refused
from labs.loadbalancing.migration.giving_up import give_up, made_nothing
from labs.loadbalancing.migration.planning import Plan
from labs.loadbalancing.migration.reading import Clients
from labs.loadbalancing.migration.removing import PATIENCE, find_balancer, find_group
from labs.loadbalancing.migration.step import Step, fill
from labs.loadbalancing.migration.wanted import Problem

#: Operation -> where its answer has the ARN of what it made.
ANSWERS = {
    "create_target_group": ("TargetGroups", "TargetGroupArn"),
    "create_load_balancer": ("LoadBalancers", "LoadBalancerArn"),
    "create_listener": ("Listeners", "ListenerArn"),
}


class Outcome(NamedTuple):
    """What is there now. Order of groups and listeners: that of the listeners' ports."""

    balancer_arn: str
    dns_name: str
    target_group_arns: tuple[str, ...]
    listener_arns: tuple[str, ...]


def carry_out(clients: Clients, plan: Plan) -> Outcome:
    """Make the new balancer, and wait until AWS has it ready (at most ten minutes).

    Raises Refused when the plan has problems, or its names were taken since it was made;
    MigrationFailed after removing everything when a step fails.
    """
    if plan.problems:
        raise Refused(plan.problems)
    refuse_taken_names(clients, plan)
    arns: dict[str, str] = {}
    begun: list[Step] = []
    doing = ""
    try:
        for step in plan.steps:
            doing = step.says
            begun.append(step)
            perform(clients, step, arns)
        doing = f"wait until load balancer {plan.name} is active"
        ready = clients.elbv2.get_waiter("load_balancer_available")
        ready.wait(LoadBalancerArns=[arns["balancer"]], WaiterConfig=PATIENCE)
        return outcome(clients, plan, arns)
    except BaseException as error:
        if made_nothing(error, doing, begun):
            begun.pop()
        give_up(clients, doing, begun, arns, error)


def perform(clients: Clients, step: Step, arns: dict[str, str]) -> None:
    """One call; what it made is known by its key from now on."""
    call = getattr(getattr(clients, step.service), step.operation)
    answer = call(**fill(step.parameters, arns))
    if step.makes:
        things, arn = ANSWERS[step.operation]
        arns[step.makes] = answer[things][0][arn]


def refuse_taken_names(clients: Clients, plan: Plan) -> None:
    """The create calls are idempotent: with the settings of a stranger's thing they return it.

    What this migration then removed would be the stranger's.
    """
    taken = []
    for step in plan.steps:
        name = step.parameters.get("Name", "")
        if step.operation == "create_load_balancer" and find_balancer(clients.elbv2, name):
            taken.append(f"load balancer {name}")
        if step.operation == "create_target_group" and find_group(clients.elbv2, name):
            taken.append(f"target group {name}")
    if taken:
        raise Refused(
            [Problem(f"Since the plan was made, somebody made {', '.join(taken)}.", "Plan again.")]
        )


def outcome(clients: Clients, plan: Plan, arns: Mapping[str, str]) -> Outcome:
    made = find_balancer(clients.elbv2, plan.name)
    assert made is not None, "it was active a moment ago"
    return Outcome(
        made["LoadBalancerArn"],
        made["DNSName"],
        tuple(arn for key, arn in arns.items() if key.startswith("group ")),
        tuple(arn for key, arn in arns.items() if key.startswith("listener ")),
    )
