"""Listeners, and the target groups they forward to.

A Classic listener names the instance port itself. A new one forwards to a target group, and groups
are shared: listeners with the same instance protocol, instance port and stickiness have one.

Sources: ELB API (2015-12-01), CreateListener, CreateTargetGroup; Classic Load Balancer guide,
"Listeners"; Network Load Balancer guide, "TLS listeners".
"""

from collections.abc import Iterator
from typing import NamedTuple

from labs.loadbalancing.migration.classic import HTTP, Listener
from labs.loadbalancing.migration.cookies import Cookie, cookie
from labs.loadbalancing.migration.names import free_name
from labs.loadbalancing.migration.wanted import Change, Problem, Wanted

#: What elbv2 calls a protocol.
PROTOCOLS = {"HTTP": "HTTP", "HTTPS": "HTTPS", "TCP": "TCP", "SSL": "TLS"}


class Group(NamedTuple):
    """A target group. protocol and port: those of the instances, as elbv2 calls them."""

    protocol: str
    port: int
    cookie: Cookie | None = None


def group(listener: Listener, wanted: Wanted) -> Group:
    """Where a listener forwards to. Instances are spoken to as before: HTTPS -> HTTP stays so."""
    protocol = PROTOCOLS.get(listener.instance_protocol, listener.instance_protocol)
    return Group(protocol, listener.instance_port, cookie(listener, wanted))


def groups(wanted: Wanted) -> dict[Group, str]:
    """Each target group that is needed, and its name, in the order of the listeners' ports."""
    names: dict[Group, str] = {}
    taken = set(wanted.classic.room.target_groups)
    for listener in wanted.classic.listeners:
        needed = group(listener, wanted)
        if needed not in names:
            ending = f"{needed.protocol.lower()}-{needed.port}"
            names[needed] = free_name(wanted.classic.name, ending, taken)
            taken.add(names[needed])
    return names


def problems(wanted: Wanted) -> Iterator[Problem]:
    """No listener; both layers; TCP that should be encrypted on its way."""
    listeners = wanted.classic.listeners
    layer4 = [listener for listener in listeners if listener.protocol not in HTTP]
    if not listeners:
        yield Problem(
            "It has no listener, so there is nothing to forward.",
            "Give it one: aws elb create-load-balancer-listeners.",
        )
    if wanted.kind == "application" and layer4:
        ports = " ".join(str(listener.port) for listener in layer4)
        yield Problem(
            f"It has listeners of both layers: {', '.join(map(str, layer4))} beside HTTP or HTTPS."
            " An Application Load Balancer takes only HTTP and HTTPS, a Network Load Balancer only"
            " TCP and TLS.",
            "Split it: make a second Classic balancer with these listeners for the same instances,"
            " point their clients to it, take them from this one (aws elb"
            f" delete-load-balancer-listeners --load-balancer-ports {ports}), and migrate both."
            " A TCP listener that carries HTTP or WebSockets can become an HTTP listener instead.",
        )
    for listener in layer4:
        if listener.protocol == "TCP" and listener.instance_protocol == "SSL":
            yield Problem(
                f"Listener {listener} encrypts what came in as plain TCP. A Network Load Balancer"
                " speaks TLS to targets only behind a TLS listener.",
                "Make it TCP -> TCP, or SSL -> SSL with a certificate.",
            )


def changes(wanted: Wanted) -> Iterator[Change]:
    """A line for each listener, and what a Network Load Balancer's targets will notice."""
    names = groups(wanted)
    for listener in wanted.classic.listeners:
        protocol = PROTOCOLS.get(listener.protocol, listener.protocol)
        target = group(listener, wanted)
        yield Change(
            f"listener {listener.port}",
            str(listener),
            f"{protocol}:{listener.port} -> {names[target]} ({target.protocol}:{target.port})",
        )
    if wanted.kind == "network":
        yield Change(
            "client's address",
            "the balancer's is seen",
            "the client's own is seen",
            "A Network Load Balancer keeps it: check the instances' security groups and logs.",
        )
