"""What becomes of each attribute, those included that have no place in elbv2.

Sources: those of `attributes`; Network Load Balancer guide, "Update the TCP idle timeout" and
"Access logs"; Application Load Balancer guide, "Access logs".
"""

from collections.abc import Iterator

from labs.loadbalancing.migration.attributes import (
    DESYNC,
    SHORTEST_IDLE,
    additional,
    cross_zone,
    delay,
    idle,
    part,
)
from labs.loadbalancing.migration.listeners import groups
from labs.loadbalancing.migration.wanted import Change, Wanted

TLS_IDLE = 350  # seconds, of a Network Load Balancer's TLS listener; nobody can change it


def changes(wanted: Wanted) -> Iterator[Change]:
    """A line for each attribute, those included that have no place in elbv2."""
    draining = f"{delay(wanted)} s" if delay(wanted) else "off"
    new = f"deregistration delay {delay(wanted)} s"
    if wanted.kind == "network":
        new += ", then connections are closed"
    yield Change("connection draining", draining, new)
    yield from idle_changes(wanted)
    yield cross_zone_change(wanted)
    yield from log_changes(wanted)
    for key, value in additional(wanted).items():
        if key != DESYNC:
            yield Change(f"attribute {key}", value, "none", "elbv2 has no such attribute.")
        elif wanted.kind == "application":
            yield Change("desync mitigation", value, value)
        elif value != "defensive":
            note = "A Network Load Balancer does not read HTTP."
            yield Change("desync mitigation", value, "none", note)


def idle_changes(wanted: Wanted) -> Iterator[Change]:
    old = idle(wanted)
    if wanted.kind == "application":
        yield Change("idle timeout", f"{old} s", f"{old} s")
        return
    for listener in wanted.classic.listeners:
        tls = listener.protocol == "SSL"
        new = TLS_IDLE if tls else max(old, SHORTEST_IDLE)
        limit = "A TLS listener's cannot be changed." if tls else "60 s is the least."
        what = f"idle timeout of {listener.protocol}:{listener.port}"
        yield Change(what, f"{old} s", f"{new} s", limit if new != old else "")


def cross_zone_change(wanted: Wanted) -> Change:
    old = "on" if cross_zone(wanted) else "off"
    sticky = [name for group, name in groups(wanted).items() if group.cookie]
    if wanted.kind == "application" and sticky and not cross_zone(wanted):
        note = "An Application Load Balancer has no sticky sessions without it."
        return Change("cross-zone", old, f"on for {', '.join(sticky)}", note)
    return Change("cross-zone", old, old)


def log_changes(wanted: Wanted) -> Iterator[Change]:
    log = part(wanted, "AccessLog")
    if not log.get("Enabled"):
        return
    place = f"{log['S3BucketName']}/{log.get('S3BucketPrefix') or ''}"
    limit = ""
    if wanted.kind == "network":
        limit = "A Network Load Balancer logs only TLS, and wants a bucket policy for it."
    yield Change("access logs", place, place, limit)
    every = f"{log.get('EmitInterval', 60)} min"
    if every != "5 min":
        yield Change("access log interval", every, "5 min", "elbv2 writes every 5 minutes.")
