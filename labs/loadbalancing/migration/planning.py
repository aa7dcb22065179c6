"""Plan a migration: what cannot go, what will differ, and which calls make the new balancer."""

from typing import TYPE_CHECKING, NamedTuple

from labs.loadbalancing.migration import (
    attribute_changes,
    cookies,
    health_checks,
    listeners,
    place,
    policies,
    quotas,
    targets,
    tls,
)
from labs.loadbalancing.migration.classic import Classic
from labs.loadbalancing.migration.step import Step
from labs.loadbalancing.migration.steps import steps
from labs.loadbalancing.migration.wanted import Change, Problem, Wanted

if TYPE_CHECKING:
    import pandas

WITH_PROBLEMS = (place, listeners, policies, health_checks, cookies, quotas)
WITH_CHANGES = (place, listeners, tls, policies, cookies, health_checks, attribute_changes, targets)


class Plan(NamedTuple):
    """kind: "application" or "network". steps: none when there are problems."""

    name: str
    region: str
    kind: str
    problems: tuple[Problem, ...]
    changes: tuple[Change, ...]
    steps: tuple[Step, ...]

    @property
    def adjustments(self) -> tuple[Change, ...]:
        """Those of the changes after which the new balancer will not be as the old one."""
        return tuple(change for change in self.changes if change.note)

    def table(self) -> "pandas.DataFrame":
        """A row for each setting: what, classic, new, note."""
        import pandas  # takes half a second, which only those wait for who look

        return pandas.DataFrame(self.changes, columns=list(Change._fields))


def plan(
    classic: Classic,
    *,
    register_targets: bool = False,
    application_cookie_seconds: int | None = None,
) -> Plan:
    """How a Classic Load Balancer becomes an Application or a Network Load Balancer. No I/O.

    application_cookie_seconds: 1 to 604,800, for listeners that follow an application's cookie.
    Raises ValueError for another number.
    """
    seconds = application_cookie_seconds
    if seconds is not None and not 1 <= seconds <= cookies.WEEK:
        raise ValueError(f"application_cookie_seconds is {seconds}; it has to be 1 to 604,800")
    wanted = Wanted(classic, register_targets, seconds)
    problems = tuple(problem for module in WITH_PROBLEMS for problem in module.problems(wanted))
    changes = tuple(change for module in WITH_CHANGES for change in module.changes(wanted))
    calls = () if problems else steps(wanted)
    return Plan(classic.name, classic.region, wanted.kind, problems, changes, calls)
