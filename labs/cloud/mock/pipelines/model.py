"""Pipelines, their executions and the runs of their actions, as data.

They are kept in moto's backend, which forgets them at a reset. Whoever reads or changes them holds
the motor's `changed`. Statuses are AWS's. Source: CodePipeline API, the data types of these names.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from labs.cloud.mock.pipelines.definition import Action, Definition, find_stage, stage_names

IN_PROGRESS, SUCCEEDED, FAILED = "InProgress", "Succeeded", "Failed"
STOPPING, STOPPED, CANCELLED, SUPERSEDED = "Stopping", "Stopped", "Cancelled", "Superseded"
ABANDONED = "Abandoned"


def now() -> datetime:
    return datetime.now(UTC)


def new_id() -> str:
    return str(uuid.uuid4())


@dataclass(frozen=True)
class Artifact:
    """revision: of the source that it came from; "" for what an action made."""

    name: str
    bucket: str
    key: str
    revision: str = ""


@dataclass(frozen=True)
class Revision:
    """What a source action found. id: a commit, or the version of an object."""

    action: str
    artifact: str
    id: str
    summary: str
    url: str = ""
    created: datetime = field(default_factory=now)


@dataclass
class ActionRun:
    """One run of an action in one execution.

    configuration: with variables resolved, without secrets. token: of an approval. verdict: what
    a reviewer said of it: (approved?, summary).
    """

    execution: Execution
    stage: str
    declaration: Action
    role: str
    region: str
    id: str = field(default_factory=new_id)
    status: str = IN_PROGRESS
    started: datetime = field(default_factory=now)
    updated: datetime = field(default_factory=now)
    updated_by: str = ""
    configuration: dict[str, str] = field(default_factory=dict)
    inputs: list[Artifact] = field(default_factory=list)
    outputs: list[Artifact] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)
    revision: Revision | None = None
    summary: str = ""
    external_id: str = ""
    url: str = ""
    percent: int | None = None
    error: tuple[str, str] | None = None
    token: str = ""
    verdict: Any = None

    @property
    def name(self) -> str:
        return self.declaration["name"]

    @property
    def in_progress(self) -> bool:
        return self.status == IN_PROGRESS

    def end(self, status: str) -> None:
        self.status, self.updated = status, now()


@dataclass
class Trigger:
    """kind: AWS's triggerType; detail: mostly the ARN of who started it."""

    kind: str
    detail: str = ""


@dataclass
class Execution:
    """A set of changes on its way through a pipeline.

    definition: the pipeline's when it began. stages: status by name, of those entered. drive: what
    takes it through its stages now (see `flow`). overrides: by source action, (kind, value).
    rollback_of: the execution whose artifacts and variables this one uses, at one stage.
    """

    pipeline: Pipeline
    definition: Definition
    trigger: Trigger
    variables: dict[str, str] = field(default_factory=dict)
    overrides: dict[str, tuple[str, str]] = field(default_factory=dict)
    rollback_of: str = ""
    id: str = field(default_factory=new_id)
    status: str = IN_PROGRESS
    summary: str = ""
    stop_reason: str | None = None
    started: datetime = field(default_factory=now)
    updated: datetime = field(default_factory=now)
    stages: dict[str, str] = field(default_factory=dict)
    retries: dict[str, dict[str, int]] = field(default_factory=dict)
    artifacts: dict[str, Artifact] = field(default_factory=dict)
    namespaces: dict[str, dict[str, str]] = field(default_factory=dict)
    revisions: list[Revision] = field(default_factory=list)
    runs: list[ActionRun] = field(default_factory=list)
    drive: Any = None

    @property
    def version(self) -> int:
        return self.definition["version"]

    @property
    def mode(self) -> str:
        return self.definition["executionMode"]

    @property
    def kind(self) -> str:
        return "ROLLBACK" if self.rollback_of else "STANDARD"

    @property
    def is_over(self) -> bool:
        return self.status not in (IN_PROGRESS, STOPPING)

    def become(self, status: str, summary: str = "") -> None:
        self.status, self.updated = status, now()
        self.summary = summary or self.summary

    def latest_run(self, stage: str, action: str) -> ActionRun | None:
        """The newest run of an action in this execution."""
        for run in reversed(self.runs):
            if (run.stage, run.name) == (stage, action):
                return run
        return None

    def in_progress(self) -> list[ActionRun]:
        return [run for run in self.runs if run.in_progress]


@dataclass
class Transition:
    """Into or out of a stage: open, or closed by somebody for a reason."""

    is_open: bool = True
    reason: str = ""
    changed_by: str = ""
    changed: datetime | None = None


@dataclass
class Place:
    """A stage as executions find it. holder: who has locked it; latest: who entered it last."""

    inbound: Transition = field(default_factory=Transition)
    outbound: Transition = field(default_factory=Transition)
    holder: Execution | None = None
    latest: Execution | None = None
    waiting: list[Execution] = field(default_factory=list)


@dataclass
class Pipeline:
    """versions: all definitions, by number. last_runs: of actions, by (stage, action).

    seen: by source action, the revision that was found last. tokens: by clientRequestToken, the
    execution that it started.
    """

    account: str
    region: str
    partition: str
    versions: dict[int, Definition]
    tags: dict[str, str] = field(default_factory=dict)
    created: datetime = field(default_factory=now)
    updated: datetime = field(default_factory=now)
    executions: dict[str, Execution] = field(default_factory=dict)
    places: dict[str, Place] = field(default_factory=dict)
    last_runs: dict[tuple[str, str], ActionRun] = field(default_factory=dict)
    seen: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    is_deleted: bool = False

    def __post_init__(self) -> None:
        self.arrange()

    @property
    def definition(self) -> Definition:
        """The newest."""
        return self.versions[max(self.versions)]

    @property
    def name(self) -> str:
        return self.definition["name"]

    @property
    def version(self) -> int:
        return self.definition["version"]

    @property
    def arn(self) -> str:
        return f"arn:{self.partition}:codepipeline:{self.region}:{self.account}:{self.name}"

    def place(self, stage: str) -> Place:
        """A stage's, also one that an update has removed while an execution is in it."""
        return self.places.setdefault(stage, Place())

    def arrange(self) -> None:
        """Keep of places and runs what the definition still has.

        Source: User Guide, "Edit a pipeline": an action that moves to another stage loses its last
        known state.
        """
        names = stage_names(self.definition)
        for name in names:
            self.place(name)
        for name, place in list(self.places.items()):
            if name not in names and place.holder is None:
                del self.places[name]
        for stage, action in list(self.last_runs):
            declared = find_stage(self.definition, stage)
            if declared is None or action not in {one["name"] for one in declared["actions"]}:
                del self.last_runs[stage, action]
