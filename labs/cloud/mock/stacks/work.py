"""What is done to a stack: created, updated, deleted, rolled back; each in a thread of its own.

Sources: CloudFormation User Guide, "Stack failure options", "Update behaviors of stack resources",
"Continue rolling back an update", "Understand CloudFormation stack creation events"; the order of
events and the reasons are those that users' reports show.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from labs.cloud.mock.inward import Ended
from labs.cloud.mock.stacks import evaluation
from labs.cloud.mock.stacks.errors import Failed, Refused
from labs.cloud.mock.stacks.intrinsics import Scope
from labs.cloud.mock.stacks.records import Resource, Settings, Stack, now
from labs.cloud.mock.stacks.resources import REPLACING, Maker, ResourceFailed
from labs.cloud.mock.stacks.responses import Forgotten
from labs.cloud.mock.stacks.store import Store
from labs.cloud.mock.stacks.types import is_always_updated
from labs.cloud.mock.stacks.types.base import Place
from labs.cloud.mock.stacks.walk import Cancelled, NeverCancelled, walk
from labs.cloud.settings import TIME_SCALE

BY_USER = "Rollback requested by user."

log = logging.getLogger("labs.mock.stacks")


@dataclass
class Undo:
    """A stack as it was before an update.

    fresh: what the update has made. replaced: what has been replaced, and goes when all went well.
    changed: logical ids whose resources an update in place has, or may have, changed.
    """

    settings: Settings
    outputs: list[dict[str, Any]]
    imports: frozenset[str]
    resources: dict[str, Resource]
    fresh: list[Resource] = field(default_factory=list)
    replaced: list[Resource] = field(default_factory=list)
    changed: set[str] = field(default_factory=set)


class Work:
    """One run of CloudFormation on a stack. The stack's first event of it has been told.

    reader: service -> client, in CloudFormation's own right. place: of a resource, by logical id.
    """

    def __init__(
        self,
        stack: Stack,
        store: Store,
        reader: Callable[[str], Any],
        place: Callable[[str], Place],
    ) -> None:
        self.stack, self._store = stack, store
        self._reader = reader
        self.cancelled = Cancelled()
        self._maker = Maker(stack, place, self.cancelled)
        self._attempted: dict[str, Resource] = {}
        self._imports: frozenset[str] = frozenset()
        self._deadline: float | None = None
        #: Somebody deletes the stack, and waits for this work to end.
        self.handed_over = False

    # Create

    def create(self) -> None:
        stack, settings = self.stack, self._settings()
        if stack.timeout:
            self._deadline = time.monotonic() + 60 * stack.timeout / TIME_SCALE
        try:
            scope, found = self._evaluate(settings)
            needs = evaluation.needs(found)

            def make(name: str) -> None:
                new = self._maker.define(name, found[name], needs[name])
                stack.resources[name] = new
                self._maker.create(new, found[name], scope, settings.tags)

            walk(found, needs, make, self._is_over)
            self._check()
            stack.outputs = self._outputs(settings, scope)
            with stack.lock:
                if not self.handed_over:
                    stack.say("CREATE_COMPLETE")
        except (ResourceFailed, Refused, Failed) as wrong:
            with stack.lock:
                reason = None if self.handed_over else self._reason(wrong)
                if reason is not None:
                    self._tell_failed_creation(reason)
            if reason is not None:
                self._after_failed_creation()

    def _tell_failed_creation(self, reason: str) -> None:
        stack = self.stack
        if stack.on_failure == "DO_NOTHING":
            stack.say("CREATE_FAILED", reason)
        elif stack.on_failure == "DELETE":
            stack.say("DELETE_IN_PROGRESS", f"{reason} Delete requested by user.")
        else:
            stack.say("ROLLBACK_IN_PROGRESS", f"{reason} {BY_USER}")

    def _after_failed_creation(self) -> None:
        if self.stack.status == "ROLLBACK_IN_PROGRESS":
            self.roll_back_creation()
        elif self.stack.status == "DELETE_IN_PROGRESS":
            self._delete_all(self.stack.resources.values(), is_rollback=True)
            self._deleted()

    def roll_back_creation(self) -> None:
        stack = self.stack
        failed = self._delete_all(stack.resources.values(), is_rollback=True)
        stack.outputs = []
        stack.imports = frozenset()
        if failed:
            stack.say("ROLLBACK_FAILED", _failed_to("delete", failed))
        else:
            stack.say("ROLLBACK_COMPLETE")

    # Update

    def update(self, settings: Settings, keep_what_failed: bool = False) -> None:
        """keep_what_failed: DisableRollback."""
        stack = self.stack
        if stack.undone is None:  # else the update goes on from one that DisableRollback has kept
            stack.undone = Undo(self._settings(), stack.outputs, stack.imports, dict(self._live()))
        undo: Undo = stack.undone
        try:
            scope, found = self._evaluate(settings)
            needs = evaluation.needs(found)
            walk(
                found,
                needs,
                lambda name: self._bring_about(name, found[name], needs[name], scope, settings),
                self._is_over,
            )
            self._check()
            outputs = self._outputs(settings, scope)
            self._check_exports(outputs)
        except (ResourceFailed, Refused, Failed) as wrong:
            reason = self._reason(wrong)
            if keep_what_failed:
                stack.say("UPDATE_FAILED", reason)
                return
            stack.say("UPDATE_ROLLBACK_IN_PROGRESS", reason)
            self.roll_back_update()
            return
        removed = [one for name, one in self._live() if name not in found]
        stack.settings, stack.outputs, stack.undone = settings, outputs, None
        stack.imports = self._imports
        stack.say("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
        for one in removed:
            del stack.resources[one.logical]
        failed = self._delete_all([*removed, *undo.replaced], replaced=undo.replaced)
        left = "Update successful. One or more resources could not be deleted." if failed else None
        stack.say("UPDATE_COMPLETE", left)

    def _bring_about(
        self,
        name: str,
        definition: Any,
        needs: frozenset[str],
        scope: Scope,
        settings: Settings,
    ) -> None:
        """Make a resource what the new template says."""
        stack, maker = self.stack, self._maker
        undo: Undo = stack.undone
        old = stack.resources.get(name)
        new = maker.define(name, definition, needs)
        if old is None or old.physical is None or old.status == "CREATE_FAILED":
            if old is not None and old.physical:
                undo.replaced.append(old)  # a failed one that DisableRollback has kept
            self._attempted[name] = stack.resources[name] = new
            undo.fresh.append(new)
            maker.create(new, definition, scope, settings.tags)
            return
        try:
            new.properties = evaluation.evaluated(definition, scope, settings.tags)
        except (Refused, Failed) as wrong:
            new.properties, new.physical = old.properties, old.physical
            self._attempted[name] = new
            stack.tell(new, "UPDATE_IN_PROGRESS")
            raise maker.failed(new, "UPDATE_FAILED", wrong) from None
        if not is_changed(new, old):
            old.needs, old.definition = new.needs, new.definition
            return
        self._attempted[name] = new
        new.physical, new.attributes = old.physical, old.attributes
        new.drift, new.checked = old.drift, old.checked
        if new.properties == old.properties and not (
            old.status == "UPDATE_FAILED" or is_always_updated(new.type)
        ):
            stack.tell(new, "UPDATE_IN_PROGRESS")
            stack.resources[name] = new
            stack.tell(new, "UPDATE_COMPLETE")
        elif maker.replaces(new.type, new.properties, old.properties):
            self._replace(new, old, definition, scope, settings)
        else:
            undo.changed.add(name)
            stack.tell(new, "UPDATE_IN_PROGRESS")
            stack.resources[name] = new
            try:
                maker.update(new, old)
            except ResourceFailed as failure:
                if failure.is_untouched:
                    undo.changed.discard(name)
                raise
            if new.physical != old.physical:
                undo.replaced.append(old)

    def _replace(
        self, new: Resource, old: Resource, definition: Any, scope: Scope, settings: Settings
    ) -> None:
        undo: Undo = self.stack.undone
        self.stack.tell(new, "UPDATE_IN_PROGRESS", REPLACING)
        self._maker.check_rename(new, old)
        new.physical, new.attributes = None, {}
        new.drift, new.checked = "NOT_CHECKED", None
        undo.fresh.append(new)
        self._maker.create(new, definition, scope, settings.tags, verb="UPDATE")
        self.stack.resources[new.logical] = new
        undo.replaced.append(old)

    def roll_back_update(self, skipped: Iterable[str] = ()) -> None:
        """Back to what `stack.undone` has. skipped: logical ids that are left as they are."""
        stack = self.stack
        undo: Undo = stack.undone
        self._maker.cancelled, self._maker.rolling_back = NeverCancelled(), True
        failed: list[str] = []
        back = {
            name: old
            for name, old in undo.resources.items()
            if stack.resources.get(name) is not old or old.status == "UPDATE_FAILED"
        }
        tried = {name for name in self._attempted if name in undo.resources}

        def restore(name: str) -> None:
            old, new = undo.resources[name], stack.resources.get(name)
            record = replace(old)
            stack.tell(record, "UPDATE_IN_PROGRESS")
            stack.resources[name] = record
            if name in skipped or name not in undo.changed or new is None:
                stack.tell(record, "UPDATE_COMPLETE")
                return
            try:
                self._maker.update(record, new)
            except ResourceFailed:
                new.status, new.reason = record.status, record.reason
                stack.resources[name] = new
                failed.append(name)
                return
            undo.resources[name] = record
            undo.changed.discard(name)

        names = [name for name in undo.resources if name in back or name in tried]
        walk(names, {name: one.needs for name, one in undo.resources.items()}, restore)
        if failed:
            stack.say("UPDATE_ROLLBACK_FAILED", _failed_to("update", failed))
            return
        stack.settings, stack.outputs, stack.imports = undo.settings, undo.outputs, undo.imports
        stack.undone = None
        stack.say("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS")
        for one in undo.fresh:
            if stack.resources.get(one.logical) is one:
                del stack.resources[one.logical]
        self._delete_all(undo.fresh, is_rollback=True)
        stack.say("UPDATE_ROLLBACK_COMPLETE")

    # Delete

    def delete(self, was: str, retained: Iterable[str] = ()) -> None:
        """was: the status before, which a stack gets back whose exports are in use."""
        stack = self.stack
        for export in [one["ExportName"] for one in stack.outputs if "ExportName" in one]:
            others = self._store.importers(stack.account, stack.region, export)
            if others := [one for one in others if one != stack.name]:
                stack.say(
                    was,
                    f"Delete canceled. Cannot delete export {export} as it is in use by "
                    f"{' and '.join(others)}",
                )
                return
        kept = set(retained)
        left = [one for one in stack.resources.values() if one.status not in _ENDED]
        if isinstance(stack.undone, Undo):
            known = {id(one) for one in left}
            left += [one for one in stack.undone.replaced if id(one) not in known]
        if failed := self._delete_all(left, kept=kept):
            stack.say("DELETE_FAILED", _failed_to("delete", failed))
            return
        self._deleted()

    def _deleted(self) -> None:
        self.stack.deleted = now()
        self.stack.imports = frozenset()
        self.stack.undone = None
        self.stack.say("DELETE_COMPLETE")

    def _delete_all(
        self,
        resources: Iterable[Resource],
        *,
        is_rollback: bool = False,
        kept: Iterable[str] = (),
        replaced: Iterable[Resource] = (),
    ) -> list[str]:
        """Each before what it needs; logical ids of what could not be deleted.

        kept: logical ids to leave behind. replaced: these go by their UpdateReplacePolicy.
        """
        every = {f"{number} {one.logical}": one for number, one in enumerate(resources)}
        first = {
            key: frozenset(
                other for other, its in every.items() if one.logical in its.needs and its is not one
            )
            for key, one in every.items()
        }
        old = {id(one) for one in replaced}
        failed: list[str] = []
        stuck: set[str] = set()

        def go(key: str) -> None:
            one = every[key]
            if first[key] & stuck:
                stuck.add(key)  # what needs it is still there
                return
            policy = one.replaced if id(one) in old else one.deletion
            if is_rollback and policy == "RetainExceptOnCreate":
                policy = "Delete"
            if one.logical in kept:
                policy = "Retain"
            if not self._maker.delete(one, policy):
                stuck.add(key)
                failed.append(one.logical)

        walk(every, first, go)
        return failed

    # For all

    def fail(self, error: BaseException) -> None:
        """The mock itself failed: a stated end, so that nobody waits for ever."""
        log.error("the work on %s failed", self.stack.id, exc_info=error)
        verb = self.stack.status.removesuffix("_IN_PROGRESS").removesuffix("_CLEANUP")
        status = {
            "CREATE": "CREATE_FAILED",
            "ROLLBACK": "ROLLBACK_FAILED",
            "DELETE": "DELETE_FAILED",
            "UPDATE": "UPDATE_FAILED",
            "UPDATE_COMPLETE": "UPDATE_COMPLETE",
        }.get(verb, "UPDATE_ROLLBACK_FAILED")
        if self.stack.is_busy:
            self.stack.say(status, f"The mock failed: {type(error).__name__}: {error}")

    def _settings(self) -> Settings:
        assert self.stack.settings is not None
        return self.stack.settings

    def _live(self) -> list[tuple[str, Resource]]:
        return [(n, r) for n, r in self.stack.resources.items() if r.status not in _ENDED]

    def _evaluate(self, settings: Settings) -> tuple[Scope, evaluation.Definitions]:
        stack = self.stack
        known = {
            one["Name"]: one["Value"] for one in self._store.exports(stack.account, stack.region)
        }

        def imported(name: str) -> str:
            if name not in known:
                raise Refused(f"No export named {name} found.")
            return known[name]

        scope = evaluation.scope(stack, settings, self._reader, imported)
        found = evaluation.definitions(settings, scope)
        names = evaluation.imported_names(settings, scope, found)
        for name in sorted(names):
            imported(name)
        stack.imports = stack.imports | names  # the old ones are in use while an update runs
        self._imports = names
        return scope, found

    def _outputs(self, settings: Settings, scope: Scope) -> list[dict[str, Any]]:
        stack = self.stack
        found = evaluation.exports(settings, scope)
        others = {
            one["Name"]: one["ExportingStackId"]
            for one in self._store.exports(stack.account, stack.region)
        }
        for output in found:
            name = output.get("ExportName")
            owner = others.get(name, stack.id)
            if owner != stack.id:
                its = self._store.by_id(owner)
                raise Failed(
                    f"Export with name {name} is already exported by stack "
                    f"{its.name if its else owner}."
                )
        return found

    def _check_exports(self, outputs: list[dict[str, Any]]) -> None:
        """What others import can be neither deleted nor changed. Raises Failed."""
        stack = self.stack
        new = {one["ExportName"]: one["OutputValue"] for one in outputs if "ExportName" in one}
        for old in stack.outputs:
            name = old.get("ExportName")
            if name is None or new.get(name) == old["OutputValue"]:
                continue
            if others := self._store.importers(stack.account, stack.region, name):
                done = "updated" if name in new else "deleted"
                raise Failed(
                    f"Export {name} cannot be {done} as it is in use by {' and '.join(others)}"
                )

    def _is_over(self) -> bool:
        return self.cancelled.is_set() or self._is_late()

    def _is_late(self) -> bool:
        return self._deadline is not None and time.monotonic() > self._deadline

    def _check(self) -> None:
        """Raises Failed when it was ended before it had ended."""
        if self.cancelled.is_set():
            raise Failed(self.cancelled.reason)
        if self._is_late():
            raise Failed("Stack creation time exceeded the specified timeout.")

    def _reason(self, wrong: Exception) -> str:
        """Of the stack's failure: its resources', or its own."""
        if not isinstance(wrong, ResourceFailed):
            return str(wrong)
        if self.cancelled.reason:
            return self.cancelled.reason
        known = {**self.stack.resources, **self._attempted}
        made = [name for name, one in known.items() if one.status == "CREATE_FAILED"]
        changed = [name for name, one in known.items() if one.status == "UPDATE_FAILED"]
        said = []
        if made:
            said.append(_failed_to("create", made))
        if changed:
            said.append(_failed_to("update", changed))
        return " ".join(said)


#: A resource of these is no resource of the stack any more.
_ENDED = ("DELETE_COMPLETE", "DELETE_SKIPPED")


#: Attributes that are only written down: a change of one is an update without a call.
_KEPT_ATTRIBUTES = (
    "CreationPolicy",
    "DeletionPolicy",
    "Metadata",
    "UpdatePolicy",
    "UpdateReplacePolicy",
)


def is_changed(new: Resource, old: Resource) -> bool:
    """Is there anything that an update of a resource is to bring about, if only in the record?"""
    return (
        new.properties != old.properties
        or any(new.definition.get(one) != old.definition.get(one) for one in _KEPT_ATTRIBUTES)
        or old.status == "UPDATE_FAILED"
        or is_always_updated(new.type)
    )


def _failed_to(what: str, names: Iterable[str]) -> str:
    return f"The following resource(s) failed to {what}: [{', '.join(names)}]."


def run(work: Work, task: Callable[[], None]) -> None:
    """The body of a thread: a task of some work, whose end is stated whatever happens."""
    try:
        task()
    except (Ended, Forgotten):
        log.info("the work on %s ended with a reset", work.stack.name)
    except BaseException as error:
        work.fail(error)
