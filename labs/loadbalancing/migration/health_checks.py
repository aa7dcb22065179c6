"""Health checks: one of the Classic balancer becomes one of each target group, at the same port.

elbv2 takes intervals of 5 to 300 s, time-outs of 2 to 120 s and thresholds of 2 to 10 today, so
all that a Classic balancer can have fits. The copy utility of 2016 raised intervals under 15 s to
15.

Sources: ELB API (2015-12-01), CreateTargetGroup; ELB API (2012-06-01), HealthCheck.
"""

from collections.abc import Iterator
from typing import Any

from labs.loadbalancing.migration.classic import HTTP, HealthCheck
from labs.loadbalancing.migration.wanted import Change, Problem, Wanted

#: Parameter of CreateTargetGroup -> field of the Classic check, least, most.
RANGES = {
    "HealthCheckIntervalSeconds": ("interval", 5, 300),
    "HealthCheckTimeoutSeconds": ("timeout", 2, 120),
    "HealthyThresholdCount": ("healthy", 2, 10),
    "UnhealthyThresholdCount": ("unhealthy", 2, 10),
}
#: Field -> what a plan calls it.
WORDS = {
    "interval": "health check interval, s",
    "timeout": "health check time-out, s",
    "healthy": "checks until healthy",
    "unhealthy": "checks until unhealthy",
}


def split(target: str) -> tuple[str, str, str]:
    """Protocol, port and path of a check. What follows the port says nothing of the protocol.

    >>> split("HTTP:80/TCPstatus"), split("TCP:80")
    (('HTTP', '80', '/TCPstatus'), ('TCP', '80', ''))
    """
    protocol, _, rest = target.partition(":")
    port, slash, path = rest.partition("/")
    return protocol.upper(), port, slash + path


def parameters(check: HealthCheck) -> dict[str, Any]:
    """Of CreateTargetGroup. A Classic check wants exactly 200 of HTTP; so does the new one."""
    protocol, port, path = split(check.target)
    found: dict[str, Any] = {
        "HealthCheckProtocol": protocol if protocol in HTTP else "TCP",
        "HealthCheckPort": port,
    }
    if protocol in HTTP:
        found |= {"HealthCheckPath": path, "Matcher": {"HttpCode": "200"}}
    for parameter, (field, least, most) in RANGES.items():
        found[parameter] = min(max(getattr(check, field), least), most)
    return found


def problems(wanted: Wanted) -> Iterator[Problem]:
    """A check without HTTP, for a balancer that only knows HTTP."""
    target = wanted.classic.health_check.target
    protocol, port, _ = split(target)
    if wanted.kind == "application" and protocol not in HTTP:
        yield Problem(
            f"Its health check is {target}. An Application Load Balancer checks with HTTP or HTTPS"
            " only.",
            "Name a page that the instances answer with 200: aws elb configure-health-check with"
            f" Target=HTTP:{port}/ (or HTTPS), and see that they stay in service.",
        )


def changes(wanted: Wanted) -> Iterator[Change]:
    """The check, and each number that elbv2 does not take."""
    check = wanted.classic.health_check
    protocol, port, path = split(check.target)
    new = parameters(check)
    note = ""
    if protocol == "SSL":
        note = "elbv2 has no TLS check: it will see that the port is open, not that TLS works."
    yield Change("health check", check.target, f"{new['HealthCheckProtocol']}:{port}{path}", note)
    for parameter, (field, least, most) in RANGES.items():
        old = getattr(check, field)
        note = "" if old == new[parameter] else f"elbv2 takes {least} to {most}."
        yield Change(WORDS[field], str(old), str(new[parameter]), note)
