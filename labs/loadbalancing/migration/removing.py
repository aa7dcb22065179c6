"""Remove what a migration made. Each removal looks for the thing first, by name.

A call that was interrupted may have made its thing without saying its ARN. Whatever bears the name
is ours: `carry_out` made sure that nobody had it before.

Sources: ELB API (2015-12-01), DeleteLoadBalancer, DeleteTargetGroup, DeregisterTargets; Amazon EC2
Auto Scaling API, DetachLoadBalancerTargetGroups.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any

from labs.loadbalancing.migration.reading import Clients
from labs.loadbalancing.migration.step import Step, fill

#: At most ten minutes, with a look each second.
PATIENCE = {"Delay": 1, "MaxAttempts": 600}


def find_balancer(elbv2: Any, name: str) -> Mapping[str, Any] | None:
    """The balancer of a name, as the API describes it, if there is one."""
    try:
        return elbv2.describe_load_balancers(Names=[name])["LoadBalancers"][0]
    except elbv2.exceptions.LoadBalancerNotFoundException:
        return None


def find_group(elbv2: Any, name: str) -> str | None:
    """The ARN of the target group of a name, if there is one."""
    try:
        return elbv2.describe_target_groups(Names=[name])["TargetGroups"][0]["TargetGroupArn"]
    except elbv2.exceptions.TargetGroupNotFoundException:
        return None


def remove_group(clients: Clients, step: Step, _arns: Mapping[str, str]) -> None:
    """AWS takes a moment to see that a deleted balancer no longer uses a group."""
    arn = find_group(clients.elbv2, step.parameters["Name"])

    def deleted() -> bool:
        try:
            clients.elbv2.delete_target_group(TargetGroupArn=arn)
        except clients.elbv2.exceptions.ResourceInUseException:
            return False
        return True

    if arn:
        wait_until(deleted, "a listener still uses it")


def remove_balancer(clients: Clients, step: Step, _arns: Mapping[str, str]) -> None:
    """With its listeners, and until it is gone."""
    found = find_balancer(clients.elbv2, step.parameters["Name"])
    if found:
        arn = found["LoadBalancerArn"]
        clients.elbv2.delete_load_balancer(LoadBalancerArn=arn)
        gone = clients.elbv2.get_waiter("load_balancers_deleted")
        gone.wait(LoadBalancerArns=[arn], WaiterConfig=PATIENCE)


def remove_listener(clients: Clients, step: Step, arns: Mapping[str, str]) -> None:
    port = step.parameters["Port"]
    pages = clients.elbv2.get_paginator("describe_listeners")
    for page in pages.paginate(LoadBalancerArn=arns["balancer"]):
        for listener in page["Listeners"]:
            if listener["Port"] == port:
                clients.elbv2.delete_listener(ListenerArn=listener["ListenerArn"])


def deregister(clients: Clients, step: Step, arns: Mapping[str, str]) -> None:
    parameters = fill(step.parameters, arns)
    clients.elbv2.deregister_targets(**parameters)


def detach(clients: Clients, step: Step, arns: Mapping[str, str]) -> None:
    """Those that are attached, and until the Auto Scaling group has let go of them."""
    wanted = fill(step.parameters, arns)
    name = wanted["AutoScalingGroupName"]
    ours = sorted(attached(clients.autoscaling, name).intersection(wanted["TargetGroupARNs"]))
    if not ours:
        return
    clients.autoscaling.detach_load_balancer_target_groups(
        AutoScalingGroupName=name, TargetGroupARNs=ours
    )
    wait_until(
        lambda: not attached(clients.autoscaling, name).intersection(ours),
        "its instances are still being deregistered",
    )


def attached(autoscaling: Any, name: str) -> set[str]:
    """The ARNs of the target groups that an Auto Scaling group has, or is letting go of."""
    pages = autoscaling.get_paginator("describe_load_balancer_target_groups")
    return {
        group["LoadBalancerTargetGroupARN"]
        for page in pages.paginate(AutoScalingGroupName=name)
        for group in page["LoadBalancerTargetGroups"]
    }


def wait_until(done: Callable[[], bool], otherwise: str) -> None:
    """Look each second, for ten minutes. Raises TimeoutError."""
    for _ in range(PATIENCE["MaxAttempts"]):
        if done():
            return
        time.sleep(PATIENCE["Delay"])
    raise TimeoutError(f"{otherwise}, after {PATIENCE['Delay'] * PATIENCE['MaxAttempts']} s")


#: Operation -> what it is called in a report, and how it is undone. Attributes go with their owner.
REMOVALS: Mapping[str, tuple[str, Callable[[Clients, Step, Mapping[str, str]], None]]] = {
    "create_target_group": ("target group {Name}", remove_group),
    "create_load_balancer": ("load balancer {Name}", remove_balancer),
    "create_listener": ("listener {Protocol}:{Port}", remove_listener),
    "register_targets": ("targets of {TargetGroupArn}", deregister),
    "attach_load_balancer_target_groups": (
        "target groups at Auto Scaling group {AutoScalingGroupName}",
        detach,
    ),
}
