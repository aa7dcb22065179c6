"""What CloudFormation remembers: stacks, their resources and events, change sets."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from labs.cloud.mock.stacks.template import Template

STACK = "AWS::CloudFormation::Stack"
USER = "User Initiated"

Properties = dict[str, Any]


def now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Resource:
    """One resource of a stack.

    properties: as evaluated, but for dynamic references, which stay as they are written.
    attributes: what Fn::GetAtt told when it was made or changed last.
    definition: its part of the template, without Fn::If.
    needs:      logical ids that were there before it, and go after it.
    """

    logical: str
    type: str
    properties: Properties = field(default_factory=dict)
    physical: str | None = None
    attributes: dict[str, Any] = field(default_factory=dict)
    needs: frozenset[str] = frozenset()
    definition: Mapping[str, Any] = field(default_factory=dict)
    deletion: str = "Delete"
    replaced: str = "Delete"
    status: str = ""
    reason: str | None = None
    changed: datetime = field(default_factory=now)
    drift: str = "NOT_CHECKED"
    checked: datetime | None = None
    differences: list[dict[str, Any]] = field(default_factory=list)
    actual: Properties = field(default_factory=dict)


@dataclass(frozen=True)
class Request:
    """What somebody asks a stack to be made of. given: texts of parameters."""

    body: str
    given: Mapping[str, Any]
    capabilities: list[str]
    tags: dict[str, str]
    topics: list[str]


@dataclass
class Settings:
    """What a stack was made of, or is to be made of: with these it can be made again.

    raw: texts of parameters. values: what they mean. topics: NotificationARNs.
    """

    template: Template
    raw: dict[str, str] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)
    capabilities: list[str] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)
    topics: list[str] = field(default_factory=list)
    resolved: dict[str, str] = field(default_factory=dict)  # what SSM parameters held


@dataclass(frozen=True)
class Identity:
    """Whose permissions the calls for a stack need. role None: the learner's, who may do all."""

    role: str | None = None
    session: str = "AWSCloudFormation"


@dataclass
class ChangeSet:
    """A plan. given: what the stack will be made of when it is executed."""

    id: str
    name: str
    kind: str
    given: Settings
    identity: Identity
    role: str | None
    changes: list[dict[str, Any]]
    description: str | None = None
    status: str = "CREATE_COMPLETE"
    reason: str | None = None
    execution: str = "AVAILABLE"
    created: datetime = field(default_factory=now)


@dataclass
class Stack:
    """A stack, deleted ones too. `lock` guards what requests and its own work both change."""

    account: str
    region: str
    name: str
    id: str
    settings: Settings | None = None  # None: only reviewed so far
    role: str | None = None
    identity: Identity = field(default_factory=Identity)
    on_failure: str = "ROLLBACK"
    protected: bool = False
    timeout: int | None = None
    parent: str | None = None
    root: str | None = None
    policy: str | None = None
    status: str = ""
    reason: str | None = None
    created: datetime = field(default_factory=now)
    updated: datetime | None = None
    deleted: datetime | None = None
    resources: dict[str, Resource] = field(default_factory=dict)
    outputs: list[dict[str, Any]] = field(default_factory=list)
    imports: frozenset[str] = frozenset()
    events: list[dict[str, Any]] = field(default_factory=list)
    changes: dict[str, ChangeSet] = field(default_factory=dict)
    undone: Any = None  # of an update that failed, what it takes to roll it back
    drift: str = "NOT_CHECKED"
    checked: datetime | None = None
    token: str | None = None
    lock: threading.RLock = field(default_factory=threading.RLock, repr=False)

    @property
    def is_busy(self) -> bool:
        return self.status.endswith("_IN_PROGRESS") and self.status != "REVIEW_IN_PROGRESS"

    @property
    def is_gone(self) -> bool:
        return self.status == "DELETE_COMPLETE"

    def say(self, status: str, reason: str | None = None) -> None:
        """The stack's new status, as an event."""
        with self.lock:
            self.status, self.reason = status, reason
            self._event(self.name, STACK, self.id, status, reason, None)

    def tell(self, resource: Resource, status: str, reason: str | None = None) -> None:
        """A resource's new status, as an event."""
        with self.lock:
            resource.status, resource.reason, resource.changed = status, reason, now()
            self._event(
                resource.logical,
                resource.type,
                resource.physical or "",
                status,
                reason,
                resource.properties,
            )

    def _event(
        self,
        logical: str,
        kind: str,
        physical: str,
        status: str,
        reason: str | None,
        properties: Mapping[str, Any] | None,
    ) -> None:
        at = now()
        stamp = at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"
        # Source: events as users report them: a stack's has a UUID, a resource's is put together.
        name = (
            str(uuid.uuid1())
            if kind == STACK and physical == self.id
            else (f"{logical}-{status}-{stamp}")
        )
        event = {
            "StackId": self.id,
            "EventId": name,
            "StackName": self.name,
            "LogicalResourceId": logical,
            "PhysicalResourceId": physical,
            "ResourceType": kind,
            "Timestamp": at,
            "ResourceStatus": status,
            "ResourceStatusReason": reason,
            "ResourceProperties": None if properties is None else json.dumps(properties),
            "ClientRequestToken": self.token,
        }
        self.events.append({key: value for key, value in event.items() if value is not None})


def new_id(region: str, account: str, kind: str, name: str) -> str:
    """An ARN of CloudFormation's. kind: "stack", "changeSet"."""
    partition = "aws-cn" if region.startswith("cn-") else "aws"
    return f"arn:{partition}:cloudformation:{region}:{account}:{kind}/{name}/{uuid.uuid1()}"
