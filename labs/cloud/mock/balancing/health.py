"""A target's health, from the results of its checks. Pure: knows no clock and no sockets.

Reason codes and descriptions are AWS's. Source: ELB API, TargetHealth; Application and Network
Load Balancer guides, "Health check reason codes".
"""

from typing import NamedTuple


class Status(NamedTuple):
    """As describe_target_health says it. A healthy target has neither reason nor description."""

    state: str
    reason: str | None = None
    description: str | None = None


HEALTHY = Status("healthy")
REGISTERING = Status("initial", "Elb.RegistrationInProgress", "Target registration is in progress")
CHECKING = Status("initial", "Elb.InitialHealthChecking", "Initial health checks in progress")
DRAINING = Status(
    "draining", "Target.DeregistrationInProgress", "Target deregistration is in progress"
)
NOT_IN_USE = Status(
    "unused",
    "Target.NotInUse",
    "Target group is not configured to receive traffic from the load balancer",
)
ZONE_NOT_ENABLED = Status(
    "unused",
    "Target.NotInUse",
    "Target is in an Availability Zone that is not enabled for the load balancer",
)
IP_UNUSABLE = Status(
    "unused",
    "Target.IpUnusable",
    "The IP address cannot be used as a target, as it is in use by a load balancer",
)
UNCHECKED = Status(
    "unavailable", "Target.HealthCheckDisabled", "Health checks are disabled for this target group"
)
FAILED = Status("unhealthy", "Target.FailedHealthChecks", "Health checks failed")
TIMED_OUT = Status("unhealthy", "Target.Timeout", "Request timed out")


def mismatch(code: int) -> Status:
    """The target answered with a code that the matcher does not name."""
    return Status(
        "unhealthy",
        "Target.ResponseCodeMismatch",
        f"Health checks failed with these codes: [{code}]",
    )


def invalid(state: str) -> Status:
    """An instance that is not running: state is EC2's name, "stopped"."""
    known = "terminated" if state in ("terminated", "shutting-down") else "stopped"
    return Status("unused", "Target.InvalidState", f"Target is in the {known} state")


class Health:
    """Counts consecutive results of a target's checks.

    first:     successes until a fresh target is healthy: one, says the Application Load Balancer
               guide ("Health checks for your target groups"); a Classic balancer wants `healthy`.
    healthy:   successes until an unhealthy one is healthy again.
    unhealthy: failures until it is unhealthy.
    """

    def __init__(self, first: int, healthy: int, unhealthy: int) -> None:
        self.first, self.healthy, self.unhealthy = first, healthy, unhealthy
        self.status = REGISTERING
        self._successes = self._failures = 0

    def begin(self) -> None:
        """The first check has been sent."""
        if self.status is REGISTERING:
            self.status = CHECKING

    def record(self, failure: Status | None) -> None:
        """The result of one check: None when it passed, else what `status` becomes if it tips."""
        if failure is None:
            self._successes, self._failures = self._successes + 1, 0
            needed = self.healthy if self.status.state == "unhealthy" else self.first
            if self._successes >= needed:
                self.status = HEALTHY
        else:
            self._successes, self._failures = 0, self._failures + 1
            if self._failures >= self.unhealthy or self.status.state == "unhealthy":
                self.status = failure


def matches(codes: str, status: int) -> bool:
    """Whether a matcher, "200-299,301", names this status. What cannot be read names nothing."""
    for part in codes.split(","):
        low, _, high = part.strip().partition("-")
        if low.isdecimal() and int(low) <= status <= int(high if high.isdecimal() else low):
            return True
    return False
