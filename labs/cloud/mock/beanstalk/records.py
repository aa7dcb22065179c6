"""What Beanstalk knows: applications' versions, environments, events. Kept with moto's backends.

moto's reset forgets them with everything else.
"""

from __future__ import annotations

import secrets
import string
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from labs.cloud.mock.balancing.snapshot import backends
from labs.cloud.mock.beanstalk.options import Key, Settings

if TYPE_CHECKING:
    from moto.elasticbeanstalk.models import EBBackend

LAUNCHING, READY, UPDATING = "Launching", "Ready", "Updating"
TERMINATING, TERMINATED = "Terminating", "Terminated"
#: The label that an environment without a version shows.
SAMPLE_LABEL = "Sample Application"
#: Events that an account and region remember. AWS keeps them for six weeks.
REMEMBERED = 2_000
#: Lines of an environment's engine log.
LOGGED = 200


def now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Version:
    """bucket, key: of its source bundle; None for AWS's sample application."""

    application: str
    label: str
    arn: str
    description: str | None
    bucket: str | None
    key: str | None
    status: str
    tags: dict[str, str]
    created: datetime = field(default_factory=now)
    updated: datetime = field(default_factory=now)


@dataclass
class Template:
    """A saved configuration."""

    application: str
    name: str
    stack: str
    description: str | None
    values: dict[Key, str]
    created: datetime = field(default_factory=now)
    updated: datetime = field(default_factory=now)


@dataclass(frozen=True)
class Deployment:
    """What instances are to run. number: 1 for the first of an environment.

    bundle: the zip. module, name: of the WSGI application. packages: that it may import.
    """

    number: int
    label: str
    bundle: Path
    module: str
    name: str
    packages: tuple[str, ...]


@dataclass
class Environment:
    """One environment. `tags` and `environment_arn` are moto's names: its tagging API reads them.

    made:      ids of what it stands on, by kind: see `resources`.
    current:   what its instances should run.
    deployed:  by instance id, the number of the deployment that was last tried there.
    failed:    "Command failed on all instances.", until a deployment succeeds.
    aborted:   set to end what is under way. working: held by whoever changes instances.
    tails:     URLs of the logs that were asked for, by instance id.
    aliased:   what its name leads to in the address book: a DNS name or an address.
    """

    account: str
    region: str
    application_name: str
    environment_name: str
    stack: str
    description: str | None
    template: str | None
    tags: dict[str, str]
    values: dict[Key, str]
    cname: str
    label: str
    environment_id: str = field(default_factory=lambda: "e-" + noise(10))
    status: str = LAUNCHING
    health: str = "Grey"
    health_status: str = "Pending"
    causes: list[str] = field(default_factory=list)
    created: datetime = field(default_factory=now)
    updated: datetime = field(default_factory=now)
    made: dict[str, str] = field(default_factory=dict)
    current: Deployment | None = None
    deployments: int = 0
    deployed: dict[str, int] = field(default_factory=dict)
    failed: str = ""
    aliased: str = ""
    endpoint: str = ""
    request_id: str = ""
    engine_log: list[str] = field(default_factory=list)
    aborted: threading.Event = field(default_factory=threading.Event)
    working: threading.Lock = field(default_factory=threading.Lock)
    tails: dict[str, str] = field(default_factory=dict)
    has_own_name: bool = False

    @property
    def settings(self) -> Settings:
        return Settings(self.values)

    @property
    def environment_arn(self) -> str:
        return arn(self.region, self.account, f"environment/{self.application_name}/{self.name}")

    @property
    def name(self) -> str:
        return self.environment_name

    def log(self, text: str) -> None:
        """Lines of eb-engine.log."""
        stamp = f"{now():%Y/%m/%d %H:%M:%S.%f}"
        lines = [f"{stamp} {line}" for line in text.splitlines()]
        self.engine_log = [*self.engine_log, *lines][-LOGGED:]


@dataclass(frozen=True)
class Event:
    date: datetime
    severity: str
    message: str
    application: str
    environment: str
    environment_id: str
    request_id: str


#: As DescribeEvents compares them. Source: API, EventDescription.
SEVERITIES = ("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL")


class Ledger:
    """All of an account and region."""

    def __init__(self) -> None:
        self.versions: dict[tuple[str, str], Version] = {}
        self.templates: dict[tuple[str, str], Template] = {}
        self.terminated: list[Environment] = []
        self.events: list[Event] = []

    def tell(self, environment: Environment, message: str, severity: str = "INFO") -> None:
        """An event of an environment."""
        event = Event(
            now(),
            severity,
            message,
            environment.application_name,
            environment.name,
            environment.environment_id,
            environment.request_id,
        )
        self.events = [*self.events, event][-REMEMBERED:]


def ledger(backend: EBBackend) -> Ledger:
    """The ledger that lies with a backend of moto's."""
    return backend.__dict__.setdefault("labs_ledger", Ledger())


def environments() -> Iterator[tuple[EBBackend, Environment]]:
    """All that are not terminated, of every account and region."""
    for _, _, backend in backends("moto.elasticbeanstalk.models", "eb_backends"):
        for application in list(backend.applications.values()):
            for environment in list(application.environments.values()):
                yield backend, environment


def arn(region: str, account: str, resource: str) -> str:
    return f"arn:aws:elasticbeanstalk:{region}:{account}:{resource}"


def noise(length: int) -> str:
    """Lower-case letters and digits, as in names that AWS makes."""
    return "".join(secrets.choice(string.ascii_lowercase + string.digits) for _ in range(length))
