"""Policies of instance ports, and those that no other module knows.

Sources: Classic Load Balancer guide, "Configure back-end server authentication", "Configure proxy
protocol"; ELB API (2015-12-01), TargetGroupAttribute; Network Load Balancer guide, "Target groups".
"""

from collections.abc import Iterator

from labs.loadbalancing.migration import cookies, tls
from labs.loadbalancing.migration.classic import Policy
from labs.loadbalancing.migration.wanted import Change, Problem, Wanted

BACK_END_AUTHENTICATION = "BackendServerAuthenticationPolicyType"
PROXY_PROTOCOL = "ProxyProtocolPolicyType"
OF_LISTENERS = (cookies.DURATION, cookies.APPLICATION, tls.POLICY_TYPE)


def problems(wanted: Wanted) -> Iterator[Problem]:
    """Back-end authentication, PROXY for an Application Load Balancer, types nobody knows."""
    used = {listener.instance_port for listener in wanted.classic.listeners}
    for port, policies in sorted(wanted.classic.back_end.items()):
        for policy in policies if port in used else ():
            if policy.type == BACK_END_AUTHENTICATION:
                yield Problem(
                    f"Instances at port {port} have to show certificates that policy"
                    f" '{policy.name}' knows. elbv2 encrypts to targets, but does not check their"
                    " certificates.",
                    "Decide whether you can do without; if so, take it away: aws elb"
                    f" set-load-balancer-policies-for-backend-server --instance-port {port}"
                    " --policy-names '[]'.",
                )
            elif policy.type != PROXY_PROTOCOL:
                yield unknown(f"Instance port {port}", policy.name, policy.type)
            elif proxy(policy) and wanted.kind == "application":
                yield Problem(
                    f"Instances at port {port} get the PROXY protocol (policy '{policy.name}'),"
                    " which an Application Load Balancer does not speak.",
                    "Let them read X-Forwarded-For, and take the policy away: aws elb"
                    f" set-load-balancer-policies-for-backend-server --instance-port {port}"
                    " --policy-names '[]'.",
                )
    for listener in wanted.classic.listeners:
        for policy in listener.policies:
            if policy.type not in OF_LISTENERS:
                yield unknown(f"Listener {listener}", policy.name, policy.type)


def unknown(where: str, name: str, type_: str) -> Problem:
    return Problem(
        f"{where} has policy '{name}' of type {type_}, for which elbv2 has nothing.",
        "Take the policy away if you can do without it.",
    )


def speaks_proxy(port: int, wanted: Wanted) -> bool:
    """Whether instances at a port are told of clients by the PROXY protocol."""
    return any(map(proxy, wanted.classic.back_end.get(port, ())))


def proxy(policy: Policy) -> bool:
    on = policy.attributes.get("ProxyProtocol", "").lower() == "true"
    return on and policy.type == PROXY_PROTOCOL


def changes(wanted: Wanted) -> Iterator[Change]:
    """A line for each instance port that is spoken to with the PROXY protocol."""
    if wanted.kind != "network":
        return
    for port in sorted({listener.instance_port for listener in wanted.classic.listeners}):
        if speaks_proxy(port, wanted):
            yield Change(
                f"PROXY protocol to port {port}",
                "version 1 (text)",
                "version 2 (binary)",
                "A Network Load Balancer has only version 2: see that the servers read it before"
                " you move traffic.",
            )
