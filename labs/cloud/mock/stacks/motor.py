"""CloudFormation's motor: who owns stacks, and the threads that work on them."""

from __future__ import annotations

import contextvars
import dataclasses
import logging
import threading
import time
import uuid
from collections.abc import Callable, Collection
from typing import Any

from botocore.exceptions import ClientError

from labs.cloud.mock import trace
from labs.cloud.mock.inward import Ended, Inward
from labs.cloud.mock.stacks import (
    checks,
    drift,
    evaluation,
    parameters,
    planning,
    responses,
    schemas,
)
from labs.cloud.mock.stacks.errors import Failed, Refused
from labs.cloud.mock.stacks.reasons import why
from labs.cloud.mock.stacks.records import (
    USER,
    ChangeSet,
    Identity,
    Request,
    Resource,
    Settings,
    Stack,
    new_id,
    now,
)
from labs.cloud.mock.stacks.resources import Maker
from labs.cloud.mock.stacks.store import Store
from labs.cloud.mock.stacks.template import parse
from labs.cloud.mock.stacks.types import Supported
from labs.cloud.mock.stacks.types.base import Place
from labs.cloud.mock.stacks.work import Undo, Work, run

SERVICE = "cloudformation"
#: Of these statuses a stack can be updated.
#: Source: User Guide, "Understand CloudFormation stack creation events", "Stack failure options".
UPDATABLE = (
    "CREATE_COMPLETE",
    "CREATE_FAILED",
    "IMPORT_COMPLETE",
    "UPDATE_COMPLETE",
    "UPDATE_FAILED",
    "UPDATE_ROLLBACK_COMPLETE",
)
#: Seconds that a reset waits for a call under way.
PATIENCE = 5.0
UNCHANGED = (
    "The submitted information didn't contain changes. Submit different information to create a "
    "change set."
)

log = logging.getLogger("labs.mock.stacks")


class Stacks:
    """All stacks of a mock. A thread of it ends with its work, and all end with `reset`."""

    def __init__(self, inward: Inward) -> None:
        self.store = Store()
        self._inward = inward
        self._working: dict[str, tuple[threading.Thread, Work | None]] = {}
        self._lock = threading.Lock()
        self.detections: dict[str, dict[str, Any]] = {}

    def warm_up(self) -> None:
        """Load what the first stack needs, while its request is still being read."""
        schemas.load_jsonschema()
        schemas.exists("AWS::SQS::Queue")

    # Clients

    def reader(self, account: str, region: str) -> Callable[[str], Any]:
        """In CloudFormation's own right."""
        return lambda service: self._inward.client(
            service, account=account, region=region, by=SERVICE
        )

    def as_identity(self, account: str, region: str, identity: Identity) -> Callable[[str], Any]:
        """With somebody's permissions."""
        return lambda service: self._inward.client(
            service,
            account=account,
            region=region,
            by=SERVICE,
            role=identity.role,
            session=identity.session,
        )

    # What requests ask for

    def check(self, stack: Stack, request: Request) -> Settings:
        """All that can be refused before a stack is touched. Raises Refused."""
        template = parse(request.body)
        checks.check(template, Supported())
        raw = parameters.raw_values(template, request.given)
        reader = self.reader(stack.account, stack.region)
        values = parameters.values(template, raw, reader)
        checks.check_capabilities(template, request.capabilities)
        resolved = parameters.resolved_values(template, raw, values)
        settings = Settings(
            template, raw, values, request.capabilities, request.tags, request.topics, resolved
        )
        evaluation.definitions(
            settings, evaluation.scope(stack, settings, reader, self._exported(stack))
        )
        return settings

    def create(self, stack: Stack) -> None:
        """Begin; its settings are there, and its name is free. Raises Refused."""
        self.store.add(stack)
        self._begin_creation(stack)

    def _begin_creation(self, stack: Stack) -> None:
        with stack.lock:
            work = self._work(stack)
            stack.say("CREATE_IN_PROGRESS", USER)
            self._start(work, work.create)

    def plan(self, stack: Stack, settings: Settings) -> planning.Plan:
        """Raises Refused."""
        reader = self.reader(stack.account, stack.region)
        return planning.plan(stack, settings, reader, self._exported(stack, is_plan=True))

    def update(self, stack: Stack, settings: Settings, keep_what_failed: bool) -> None:
        """Begin. Raises Refused when there is nothing to do, and while something else is done."""
        with stack.lock:
            check_updatable(stack)
            assert stack.settings is not None
            found = self.plan(stack, settings)
            if found.is_empty and settings.tags == stack.settings.tags:
                raise Refused("No updates are to be performed.")
            self._begin_update(stack, settings, keep_what_failed)

    def _begin_update(self, stack: Stack, settings: Settings, keep_what_failed: bool) -> None:
        work = self._work(stack)
        stack.updated = now()
        stack.say("UPDATE_IN_PROGRESS", USER)
        self._outdate(stack)
        self._start(work, lambda: work.update(settings, keep_what_failed))

    def cancel_update(self, stack: Stack) -> None:
        """Raises Refused."""
        with stack.lock:
            work = self._current(stack)
            if stack.status != "UPDATE_IN_PROGRESS" or work is None:
                raise Refused("CancelUpdateStack cannot be called from current stack status")
            work.cancelled.reason = "Update cancelled by user request."
            work.cancelled.set()

    def continue_rollback(self, stack: Stack, skipped: Collection[str]) -> None:
        """Raises Refused."""
        with stack.lock:
            if stack.status != "UPDATE_ROLLBACK_FAILED":
                raise Refused(
                    f"Stack:{stack.id} is in {stack.status} state and can not be rolled back. "
                    "Only a stack in UPDATE_ROLLBACK_FAILED state can be"
                )
            failed = [n for n, one in stack.resources.items() if one.status == "UPDATE_FAILED"]
            if others := [name for name in skipped if name not in failed]:
                raise Refused(
                    f"The following resources to skip are not in UPDATE_FAILED state: {others}"
                )
            work = self._work(stack)
            stack.say("UPDATE_ROLLBACK_IN_PROGRESS", USER)
            self._start(work, lambda: work.roll_back_update(skipped))

    def roll_back(self, stack: Stack) -> None:
        """RollbackStack: of what DisableRollback has kept. Raises Refused."""
        with stack.lock:
            work = self._work(stack)
            if stack.status == "CREATE_FAILED":
                stack.say("ROLLBACK_IN_PROGRESS", USER)
                self._start(work, work.roll_back_creation)
            elif stack.status == "UPDATE_FAILED" and isinstance(stack.undone, Undo):
                stack.say("UPDATE_ROLLBACK_IN_PROGRESS", USER)
                self._start(work, work.roll_back_update)
            else:
                raise Refused(
                    f"Stack:{stack.id} is in {stack.status} state and can not be rolled back."
                )

    def delete(self, stack: Stack, retained: Collection[str]) -> None:
        """Begin, or do nothing when it is being deleted. Raises Refused."""
        with stack.lock:
            was = stack.status
            if was in ("DELETE_COMPLETE", "DELETE_IN_PROGRESS"):
                return
            if stack.protected:
                raise Refused(
                    f"Stack [{stack.name}] cannot be deleted while TerminationProtection is enabled"
                )
            if retained and was != "DELETE_FAILED":
                raise Refused(
                    "Invalid operation on stack "
                    f"[{stack.id}]. When you delete a stack, specify which resources to retain "
                    "only when the stack is in the DELETE_FAILED state."
                )
            before = self._current(stack)
            if stack.is_busy and was != "CREATE_IN_PROGRESS":
                raise Refused(f"Stack [{stack.name}] cannot be deleted while in status {was}")
            if was == "CREATE_IN_PROGRESS" and before is not None:
                before.handed_over = True
                before.cancelled.set()
            waited = self._thread(stack) if stack.is_busy else None
            work = self._work(stack)
            stack.say("DELETE_IN_PROGRESS", USER)
            self._outdate(stack)

            def task() -> None:
                if waited is not None:
                    waited.join()
                work.delete(was, retained)

            self._start(work, task)

    # Change sets

    def create_change_set(self, stack: Stack, change_set: ChangeSet) -> None:
        """The stack is there, or is new and only reviewed."""
        found = self.plan(stack, change_set.given)
        is_new = stack.settings is None
        change_set.changes = found.changes
        same_tags = is_new or change_set.given.tags == stack.settings.tags  # type: ignore[union-attr]
        if not is_new and found.is_empty and same_tags:
            change_set.status, change_set.execution = "FAILED", "UNAVAILABLE"
            change_set.reason = UNCHANGED
        with stack.lock:
            if any(
                one.name == change_set.name and one.execution != "EXECUTE_COMPLETE"
                for one in stack.changes.values()
            ):
                raise Refused(
                    f"ChangeSet {change_set.name} cannot be created due to a mismatch with "
                    "existing attribute Template",
                    "AlreadyExistsException",
                )
            stack.changes[change_set.id] = change_set

    def execute_change_set(
        self, stack: Stack, change_set: ChangeSet, keep_what_failed: bool
    ) -> None:
        """Raises Refused."""
        with stack.lock:
            if change_set.status != "CREATE_COMPLETE":
                raise Refused(
                    f"ChangeSet [{change_set.id}] cannot be executed in its current status of "
                    f"[{change_set.status}]",
                    "InvalidChangeSetStatus",
                )
            if change_set.execution != "AVAILABLE":
                raise Refused(
                    f"ChangeSet [{change_set.id}] cannot be executed in its current execution "
                    f"status of [{change_set.execution}]",
                    "InvalidChangeSetStatus",
                )
            if stack.settings is not None:
                check_updatable(stack)
            stack.role, stack.identity = change_set.role or stack.role, change_set.identity
            change_set.execution = "EXECUTE_COMPLETE"
            # All others go. Source: API, ExecuteChangeSet.
            stack.changes = {change_set.id: change_set}
            if stack.settings is None:
                stack.settings = change_set.given
                if keep_what_failed:
                    stack.on_failure = "DO_NOTHING"
                self._begin_creation(stack)
            else:
                self._begin_update(stack, change_set.given, keep_what_failed)

    @staticmethod
    def _outdate(stack: Stack) -> None:
        """Change sets are of no use after another update. Source: API, DescribeChangeSet."""
        for one in stack.changes.values():
            if one.execution == "AVAILABLE":
                one.execution = "OBSOLETE"

    # Drift

    def detect_drift(self, stack: Stack) -> str:
        """Begin; the id of the detection. Raises Refused."""
        if stack.is_busy or stack.is_gone or stack.settings is None:
            raise Refused(
                f"Drift detection cannot be performed on stack [{stack.id}] while in status "
                f"{stack.status}"
            )
        detection = str(uuid.uuid1())
        self.detections[detection] = told = {
            "StackId": stack.id,
            "StackDriftDetectionId": detection,
            "DetectionStatus": "DETECTION_IN_PROGRESS",
            "Timestamp": now(),
        }

        def task() -> None:
            try:
                count = drift.detect(stack, Maker(stack, self.place(stack)))
            except Ended:
                return
            except Exception as error:
                log.exception("drift of %s could not be detected", stack.name)
                told["DetectionStatusReason"] = why(error)
                told["DetectionStatus"] = "DETECTION_FAILED"
                return
            told["StackDriftStatus"] = stack.drift
            told["DriftedStackResourceCount"] = count
            told["DetectionStatus"] = "DETECTION_COMPLETE"

        self.start("drift", task)
        return detection

    def look(self, stack: Stack, resource: Resource) -> None:
        """DetectStackResourceDrift. Raises Refused."""
        try:
            drift.look(resource, Maker(stack, self.place(stack)))
        except ClientError as error:
            raise Refused(why(error)) from None

    # Threads

    def place(self, stack: Stack) -> Callable[[str], Place]:
        partition = stack.id.split(":")[1]
        clients = self.as_identity(stack.account, stack.region, stack.identity)
        reader = self.reader(stack.account, stack.region)
        nested = Nested(self, stack)

        def place(logical: str) -> Place:
            return Place(
                stack.account,
                stack.region,
                partition,
                stack.name,
                stack.id,
                logical,
                clients,
                reader,
                nested,
            )

        return place

    def start(self, name: str, task: Callable[[], None]) -> None:
        """A thread of the motor's that works on no stack, such as drift detection."""
        thread = self._threaded(task, name)
        with self._lock:
            self._working[f"{name} {id(thread)}"] = (thread, None)
        thread.start()

    def wait(self, stack: Stack) -> None:
        """Until nobody works on it."""
        thread = self._thread(stack)
        if thread is not None:
            thread.join()

    def reset(self) -> None:
        """Forget all; threads under way end with their next call. Call `Inward.reset` before."""
        self.store.reset()
        self.detections.clear()
        responses.reset()
        with self._lock:
            working, self._working = list(self._working.values()), {}
        for _, work in working:
            if work is not None:
                work.handed_over = True
                work.cancelled.set()
        deadline = time.monotonic() + PATIENCE
        for thread, _ in working:
            if thread is not threading.current_thread():
                thread.join(max(0.0, deadline - time.monotonic()))

    close = reset

    def _work(self, stack: Stack) -> Work:
        return Work(
            stack,
            self.store,
            self.reader(stack.account, stack.region),
            self.place(stack),
        )

    def _start(self, work: Work, task: Callable[[], None]) -> None:
        """Call it with the stack's lock."""
        thread = self._threaded(lambda: run(work, task), f"stack-{work.stack.name}")
        with self._lock:
            self._working = {
                key: (its, one) for key, (its, one) in self._working.items() if its.is_alive()
            }
            self._working[work.stack.id] = (thread, work)
            thread.start()

    @staticmethod
    def _threaded(task: Callable[[], None], name: str) -> threading.Thread:
        """What it does belongs to the call that began it, and the trace waits for it."""
        cause = trace.cause()
        trace.expect(cause)

        def body() -> None:
            try:
                task()
            finally:
                trace.arrived(cause)

        context = contextvars.copy_context()
        return threading.Thread(target=context.run, args=(body,), name=name, daemon=True)

    def _current(self, stack: Stack) -> Work | None:
        found = self._working.get(stack.id)
        return found[1] if found else None

    def _thread(self, stack: Stack) -> threading.Thread | None:
        found = self._working.get(stack.id)
        return found[0] if found else None

    def _exported(self, stack: Stack, is_plan: bool = False) -> Callable[[str], str]:
        known = {
            one["Name"]: one["Value"] for one in self.store.exports(stack.account, stack.region)
        }

        def imported(name: str) -> str:
            if name not in known:
                if is_plan:
                    raise Refused(f"No export named {name} found.")
                return ""
            return known[name]

        return imported


class Nested:
    """Stacks within a stack: AWS::CloudFormation::Stack."""

    def __init__(self, stacks: Stacks, parent: Stack) -> None:
        self._stacks, self._parent = stacks, parent

    def create(self, name: str, request: Request) -> str:
        """Begin; its id. Raises Refused."""
        parent = self._parent
        assert parent.settings is not None
        child = Stack(
            parent.account,
            parent.region,
            name,
            new_id(parent.region, parent.account, "stack", name),
            role=parent.role,
            identity=parent.identity,
            # The parent's roll back deletes it.
            on_failure="DO_NOTHING",
            parent=parent.id,
            root=parent.root or parent.id,
        )
        child.settings = self._settings(child, request)
        self._stacks.create(child)
        return child.id

    def update(self, stack_id: str, request: Request) -> None:
        """To its end; nothing when there is nothing to change. Raises Refused, Failed."""
        child = self.find(stack_id)
        try:
            self._stacks.update(child, self._settings(child, request), keep_what_failed=False)
        except Refused as refusal:
            if str(refusal) != "No updates are to be performed.":
                raise
            return
        self.wait(stack_id, "UPDATE_COMPLETE", "updated")

    def delete(self, stack_id: str) -> None:
        """To its end. Raises Failed."""
        self._stacks.delete(self.find(stack_id), ())
        self.wait(stack_id, "DELETE_COMPLETE", "deleted")

    def wait(self, stack_id: str, wanted: str, done: str) -> None:
        """Raises Failed when it ends in another status."""
        child = self.find(stack_id)
        self._stacks.wait(child)
        if child.status != wanted:
            raise Failed(
                f"Embedded stack {child.id} was not successfully {done}: "
                f"{child.reason or child.status}"
            )

    def find(self, stack_id: str) -> Stack:
        return self._stacks.store.find(self._parent.account, self._parent.region, stack_id)

    def _settings(self, child: Stack, request: Request) -> Settings:
        """With the parent's capabilities, and its tags besides its own."""
        parent = self._parent.settings
        assert parent is not None
        request = dataclasses.replace(
            request,
            capabilities=parent.capabilities,
            tags={**parent.tags, **request.tags},
        )
        return self._stacks.check(child, request)


def check_updatable(stack: Stack) -> None:
    """Raises Refused."""
    if stack.status not in UPDATABLE:
        raise Refused(f"Stack:{stack.id} is in {stack.status} state and can not be updated.")
