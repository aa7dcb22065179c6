"""How well an environment is: from what its instances report to a colour, a status and causes.

Causes in AWS's words. From which share of failing requests an environment is degraded or severe,
AWS does not say: the figures here are ours. Sources: Beanstalk guide, "Health colors and statuses",
"Basic health reporting", "Enhanced health events" (messages).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

OK, INFO, WARNING, DEGRADED, SEVERE = "Ok", "Info", "Warning", "Degraded", "Severe"
NO_DATA, PENDING = "NoData", "Pending"
COLOURS = {
    OK: "Green",
    INFO: "Green",
    WARNING: "Yellow",
    DEGRADED: "Red",
    SEVERE: "Red",
    NO_DATA: "Grey",
    PENDING: "Grey",
}
_WORSE = (OK, INFO, WARNING, DEGRADED, SEVERE)
#: Percent of requests answered with 5xx from which an environment is severe, and degraded.
SEVERE_PERCENT, DEGRADED_PERCENT = 25.0, 5.0


@dataclass(frozen=True)
class Report:
    """An instance. answers: is its host there? runs: its application's process?

    number, label: of the deployment that was last tried there. requests: (status, seconds).
    target: "healthy" or what else its load balancer says; None without one.
    """

    instance: str
    answers: bool
    runs: bool
    number: int
    label: str
    requests: Sequence[tuple[int, float]]
    target: str | None


@dataclass(frozen=True)
class Health:
    """status: enhanced health reporting's."""

    status: str
    causes: tuple[str, ...] = ()

    @property
    def colour(self) -> str:
        return COLOURS[self.status]


@dataclass(frozen=True)
class Expected:
    """label, number: of the deployment in force. failed: what went wrong with the last one."""

    label: str
    number: int
    minimum: int
    failed: str = ""


def of_instance(report: Report, expected: Expected) -> Health:
    """One instance's health."""
    if not report.answers:
        return Health(NO_DATA, ("None of the processes on this instance are sending data.",))
    found: list[tuple[str, str]] = []
    if not report.runs:
        found.append((SEVERE, "Following services are not running: web."))
    if report.number != expected.number:
        found.append(
            (
                DEGRADED,
                f'Incorrect application version "{report.label}" (deployment {report.number}). '
                f'Expected version "{expected.label}" (deployment {expected.number}).',
            )
        )
    if report.target not in (None, "healthy", "initial", "draining"):
        found.append((SEVERE, "ELB health is failing or not available for this instance."))
    found += failing([report])
    return _worst(found)


def of_environment(reports: Sequence[Report], expected: Expected) -> Health:
    """An environment's health, from its instances'."""
    if not reports:
        return Health(NO_DATA, ("There are no instances.",))
    found: list[tuple[str, str]] = []
    if expected.failed:
        found.append((DEGRADED, expected.failed))
    silent = [one for one in reports if not one.answers]
    if len(silent) == len(reports):
        return Health(SEVERE, ("None of the instances are sending data.",))
    if len(reports) < expected.minimum:
        several = "instances" if len(reports) > 1 else "instance"
        found.append(
            (
                DEGRADED,
                f"{len(reports)} {several} online is below Auto Scaling group minimum size "
                f"{expected.minimum}.",
            )
        )
    wrong = [one for one in reports if one.answers and one.number != expected.number]
    found += _on(
        wrong,
        reports,
        f"Incorrect application version found on {{}} instances. Expected version "
        f'"{expected.label}" (deployment {expected.number}).',
        DEGRADED,
    )
    stopped = [one for one in reports if one.answers and not one.runs]
    found += _on(stopped, reports, "Impaired services on {} instances.", SEVERE)
    sick = [one for one in reports if one.target not in (None, "healthy", "initial", "draining")]
    found += _on(sick, reports, "ELB processes are not healthy on {} instances.", SEVERE)
    found += failing(reports)
    return _worst(found)


def basic(health: Health) -> str:
    """The colour that basic health reporting shows: it does not look at requests."""
    about_requests = all("of the requests" in cause for cause in health.causes)
    return "Green" if health.causes and about_requests else health.colour


def failing(reports: Sequence[Report]) -> list[tuple[str, str]]:
    """What the requests of the last seconds say."""
    statuses = [status for one in reports for status, _ in one.requests]
    bad = sum(status >= 500 for status in statuses)
    if not bad:
        return []
    percent = 100 * bad / len(statuses)
    severe, degraded = percent >= SEVERE_PERCENT, percent >= DEGRADED_PERCENT
    status = SEVERE if severe else DEGRADED if degraded else WARNING
    return [(status, f"{percent:.1f} % of the requests are failing with HTTP 5xx.")]


def _on(
    these: Sequence[Report], everyone: Sequence[Report], sentence: str, status: str
) -> list[tuple[str, str]]:
    """Nothing, or that some instances or all of them are so; severe only if all are."""
    if not these:
        return []
    if len(these) == len(everyone):
        return [(status, sentence.format("all"))]
    return [(DEGRADED, sentence.format(f"{len(these)} out of {len(everyone)}"))]


def _worst(found: Sequence[tuple[str, str]]) -> Health:
    status = max((status for status, _ in found), key=_WORSE.index, default=OK)
    return Health(status, tuple(cause for _, cause in found))
