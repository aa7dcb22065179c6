"""What is wanted of a migration, and what the modules of a plan answer: problems and changes.

`place`, `listeners`, `policies`, `health_checks`, `cookies`, `tls`, `attributes`, `targets` and
`quotas` have one subject each. They say in `problems` what cannot be migrated, and in `changes`
what becomes of what can be.
"""

from typing import NamedTuple

from labs.loadbalancing.migration.classic import HTTP, Classic

KINDS = {"application": "Application Load Balancer", "network": "Network Load Balancer"}


class Wanted(NamedTuple):
    """A Classic Load Balancer, and what only a person can decide.

    application_cookie_seconds: how long an application's cookie binds a client. A Classic balancer
        follows the cookie's own lifetime; an Application Load Balancer needs a number.
    """

    classic: Classic
    register_targets: bool = False
    application_cookie_seconds: int | None = None

    @property
    def kind(self) -> str:
        """ "application", or "network" when no listener speaks HTTP, as AWS's wizard decides."""
        protocols = {listener.protocol for listener in self.classic.listeners}
        return "application" if protocols.intersection(HTTP) or not protocols else "network"


class Problem(NamedTuple):
    """Something that cannot be migrated: what was found, and what to do about it."""

    found: str
    do: str

    def __str__(self) -> str:
        return f"{self.found} {self.do}"


class Change(NamedTuple):
    """A line of the plan. note: how the new one will differ, and why; empty when it does not."""

    what: str
    classic: str
    new: str
    note: str = ""

    def __str__(self) -> str:
        return f"{self.what}: {self.classic} -> {self.new}. {self.note}"


def words(items: object) -> str:
    """A list for people.

    >>> words(["a", "b"]), words([])
    ('a, b', 'none')
    """
    return ", ".join(str(item) for item in items) or "none"
