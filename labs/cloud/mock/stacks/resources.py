"""One resource of a stack: made, changed or deleted, with the events that tell of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from labs.cloud.mock.inward import Ended
from labs.cloud.mock.stacks import evaluation, schemas
from labs.cloud.mock.stacks.errors import Failed, Invalid
from labs.cloud.mock.stacks.intrinsics import Scope
from labs.cloud.mock.stacks.reasons import why
from labs.cloud.mock.stacks.records import Resource, Stack
from labs.cloud.mock.stacks.responses import Forgotten
from labs.cloud.mock.stacks.types import find
from labs.cloud.mock.stacks.types.base import Place, Type, is_gone
from labs.cloud.mock.stacks.walk import Cancelled

REPLACING = "Requested update requires the creation of a new physical resource; hence creating one."
INITIATED = "Resource creation Initiated"
KEPT = ("Retain", "RetainExceptOnCreate")


class ResourceFailed(Exception):
    """A resource failed; its event has said why. is_untouched: before any call was made."""

    def __init__(self, logical: str, is_untouched: bool = False) -> None:
        super().__init__(logical)
        self.is_untouched = is_untouched


class Maker:
    """Works on the resources of one stack, several threads at a time.

    place:     of a resource, by logical id.
    cancelled: once set, what is under way fails as cancelled.
    """

    def __init__(
        self, stack: Stack, place: Callable[[str], Place], cancelled: Cancelled | None = None
    ) -> None:
        self.stack = stack
        self._place = place
        self.cancelled = cancelled or Cancelled()
        self.rolling_back = False

    def type_of(self, resource: Resource) -> Type:
        found = find(resource.type)
        assert found is not None
        return found(self._place(resource.logical), resource.type, self.rolling_back)

    def define(
        self, logical: str, definition: Mapping[str, Any], needs: frozenset[str]
    ) -> Resource:
        """A record of a resource that is not there yet."""
        return Resource(
            logical,
            definition["Type"],
            needs=needs,
            definition=definition,
            deletion=definition.get("DeletionPolicy", "Delete"),
            replaced=definition.get("UpdateReplacePolicy", "Delete"),
        )

    def create(
        self,
        new: Resource,
        definition: Mapping[str, Any],
        scope: Scope,
        tags: Mapping[str, str],
        verb: str = "CREATE",
    ) -> None:
        """Make it. verb: "UPDATE" when it replaces another, which the caller has told of.

        Raises ResourceFailed; `new.physical` is there if there is something to delete.
        """
        if verb == "CREATE":
            self.stack.tell(new, "CREATE_IN_PROGRESS")
        try:
            new.properties = evaluation.evaluated(definition, scope, tags)
            evaluation.check_properties(new.logical, new.type, new.properties)
            maker = self.type_of(new)
            given = self._resolved(new.properties)
            new.physical = maker.create(given)
            self.stack.tell(new, f"{verb}_IN_PROGRESS", INITIATED)
            maker.configure(new.physical, given, {})
            self._note(maker, new, given)
        except Exception as error:
            raise self.failed(new, f"{verb}_FAILED", error) from None
        self._done(new, verb)

    def update(self, new: Resource, before: Resource) -> None:
        """Change it in place, from one record to the other. Raises ResourceFailed."""
        try:
            evaluation.check_properties(new.logical, new.type, new.properties)
            maker = self.type_of(new)
            assert before.physical is not None
            given = self._resolved(new.properties)
            moved = maker.update(before.physical, given, self._resolved(before.properties))
            new.physical = moved or before.physical
            self._note(maker, new, given)
        except Exception as error:
            raise self.failed(new, "UPDATE_FAILED", error) from None
        self._done(new, "UPDATE")

    def delete(self, resource: Resource, policy: str = "Delete") -> bool:
        """Whether it is gone, or kept on purpose."""
        if policy in KEPT:
            self.stack.tell(resource, "DELETE_SKIPPED")
            return True
        if resource.physical is None:
            self.stack.tell(resource, "DELETE_COMPLETE")
            return True
        self.stack.tell(resource, "DELETE_IN_PROGRESS")
        maker = self.type_of(resource)
        try:
            maker.delete(resource.physical, self._resolved(resource.properties))
        except (Ended, Forgotten):
            raise
        except Exception as error:
            if not is_gone(error):
                self.stack.tell(resource, "DELETE_FAILED", why(error, maker.service))
                return False
        self.stack.tell(resource, "DELETE_COMPLETE")
        return True

    def replaces(self, kind: str, given: Any, before: Any) -> bool:
        """Does a change from one to the other need a new resource?"""
        found = find(kind)
        if found is not None and (decided := found.replaces(given, before)) is not None:
            return decided
        return any(
            schemas.at(given, path) != schemas.at(before, path)
            for path in schemas.create_only(kind)
        )

    def check_rename(self, new: Resource, before: Resource) -> None:
        """A resource with a name of its own cannot be made a second time. Raises ResourceFailed.

        Source: User Guide, "Name type".
        """
        maker = find(new.type)
        name = maker.named if maker else ""
        if name and name in new.properties and new.properties[name] == before.properties.get(name):
            raise self.failed(
                new,
                "UPDATE_FAILED",
                Failed(
                    "CloudFormation cannot update a stack when a custom-named resource requires "
                    f"replacing. Rename {before.physical} and update the stack again."
                ),
            )

    def _resolved(self, properties: Any) -> Any:
        return evaluation.with_secrets(properties, self._place("").client)

    @staticmethod
    def _note(maker: Type, resource: Resource, given: Any) -> None:
        assert resource.physical is not None
        resource.attributes = dict(maker.attributes(resource.physical, given))

    def _done(self, resource: Resource, verb: str) -> None:
        with self.stack.lock:
            if not self.cancelled.is_set():
                self.stack.tell(resource, f"{verb}_COMPLETE")
                return
        words = "creation" if verb == "CREATE" else "update"
        self.stack.tell(resource, f"{verb}_FAILED", f"Resource {words} cancelled")
        raise ResourceFailed(resource.logical)

    def failed(self, resource: Resource, status: str, error: Exception) -> Exception:
        """The exception to raise. Told in one step with the end of all others."""
        if isinstance(error, Ended | Forgotten):
            return error
        maker = find(resource.type)
        with self.stack.lock:
            self.cancelled.set()
            self.stack.tell(resource, status, why(error, maker.service if maker else ""))
        return ResourceFailed(resource.logical, isinstance(error, Invalid))
