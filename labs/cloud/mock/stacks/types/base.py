"""What all resource types share: names, calls, and the way from a template's spelling to the API's.

A template writes `RetentionInDays`, the API `retentionInDays`: botocore's shapes tell. A property
that the mock does not have is refused, not dropped.
"""

from __future__ import annotations

import json
import secrets
import string
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from botocore.exceptions import ClientError

from labs.cloud.mock.stacks.errors import Failed, NotInMock
from labs.cloud.mock.stacks.schemas import text

Properties = Mapping[str, Any]

_LETTERS = string.ascii_uppercase + string.digits
#: How services say that something is not there, besides codes that end in "NotFound" and the like.
_GONE = (
    "404",
    "NoSuchBucket",
    "NoSuchBucketPolicy",
    "NoSuchEntity",
    "NonExistentQueue",
    "QueueDoesNotExist",
    "ResourceNotFoundException",
)


class Gone(Exception):
    """The resource is not there any more."""


@dataclass(frozen=True)
class Place:
    """Where a resource is made.

    client: service -> botocore's client, in the stack's account and region, under its role.
    reader: the same in CloudFormation's own right, for what is only looked at.
    nested: makes, changes and deletes stacks within this one: see `motor.Nested`.
    """

    account: str
    region: str
    partition: str
    stack_name: str
    stack_id: str
    logical: str
    client: Callable[[str], Any]
    reader: Callable[[str], Any]
    nested: Any = None


class Type:
    """One resource type; an instance is made for each thing that is done to a resource.

    properties: that the mock has, separated by spaces.
    unread:     those of them which the mock's API does not tell: their drift is not seen.
    """

    name: ClassVar[str] = ""
    service: ClassVar[str]
    properties: ClassVar[str] = ""
    unread: ClassVar[str] = ""
    #: Whether drift can be detected at all.
    is_read: ClassVar[bool] = True
    #: Whether every update of the stack updates it, whatever its properties are.
    is_always_updated: ClassVar[bool] = False
    #: The property that names it, if a name is made up when there is none; the longest name.
    named: ClassVar[str] = ""
    longest: ClassVar[int] = 64
    #: Members of a tag besides Key and Value that the type wants.
    tag_extras: ClassVar[Mapping[str, Any]] = {}

    def __init__(self, place: Place, kind: str, rolling_back: bool = False) -> None:
        """kind: the type as the template names it, which may be a Custom::NAME."""
        self.place, self.kind, self.rolling_back = place, kind, rolling_back

    # What an engine calls

    def create(self, given: Properties) -> str:
        """Make it; its physical id. What needs more calls is for `configure`."""
        raise NotImplementedError

    def configure(self, physical: str, given: Properties, before: Properties) -> None:
        """Bring about what `create` has not; after a change, what `before` had otherwise."""

    def update(self, physical: str, given: Properties, before: Properties) -> str | None:
        """Change it in place. A physical id, where it gets another one by that."""
        self.configure(physical, given, before)
        return None

    def attributes(self, physical: str, given: Properties) -> dict[str, Any]:
        """What Fn::GetAtt tells besides the properties."""
        return {}

    def read(self, physical: str, given: Properties) -> Properties:
        """The properties as they are now, in any spelling. Raises Gone, or the API's errors."""
        raise NotImplementedError

    def delete(self, physical: str, given: Properties) -> None:
        raise NotImplementedError

    @classmethod
    def replaces(cls, given: Properties, before: Properties) -> bool | None:
        """Does a change need a new resource? None: as AWS's schema says."""
        return None

    # For the types

    @property
    def client(self) -> Any:
        return self.place.client(self.service)

    @property
    def reader(self) -> Any:
        return self.place.reader(self.service)

    def call(self, operation: str, given: Properties | None = None, **exactly: Any) -> Any:
        """Call the API. given: spelt as in a template. exactly: as the API wants them."""
        client = self.client
        model = client.meta.service_model.operation_model(
            client.meta.method_to_api_mapping[operation]
        )
        spelt = fit(given, model.input_shape, self.name) if given else {}
        return getattr(client, operation)(**{**spelt, **exactly})

    def made_up(self) -> str:
        """A name as CloudFormation makes them up: STACK-LOGICALID-RANDOM, within `longest`.

        Source: User Guide, "Physical resource identifiers"; the parts are cut evenly.
        """
        tail = "".join(secrets.choice(_LETTERS) for _ in range(12))
        room = self.longest - len(tail) - 2
        stack, logical = self.place.stack_name, self.place.logical
        if len(stack) + len(logical) > room:
            half = room // 2
            logical = logical[: max(half, room - len(stack))]
            stack = stack[: room - len(logical)]
        return f"{stack}-{logical}-{tail}"

    def refuse_existing(self, name: str) -> None:
        """For APIs that take a second creation for the first one. Raises Failed.

        Source: handlers' messages of HandlerErrorCode AlreadyExists, as users report them.
        """
        raise Failed(
            f"Resource handler returned message: \"Resource of type '{self.name}' with identifier "
            f"'{name}' already exists.\" (HandlerErrorCode: AlreadyExists)"
        )

    def exists(self, look: Callable[[], Any]) -> bool:
        """Does a look find something?"""
        try:
            look()
        except (ClientError, Gone) as error:
            if is_gone(error):
                return False
            raise
        return True

    def retag(
        self,
        given: Properties,
        before: Properties,
        untag: Callable[[list[str]], Any],
        tag: Callable[[dict[str, str]], Any],
    ) -> None:
        """Make the tags what they are to be: take away what has gone, set what is there."""
        new, old = pairs(given.get("Tags")), pairs(before.get("Tags"))
        if keys := removed(new, old):
            untag(keys)
        if new and new != old:
            tag(new)

    def named_by(self, given: Properties) -> str:
        return given.get(self.named) or self.made_up()

    def arn(self, resource: str, service: str | None = None) -> str:
        place = self.place
        return (
            f"arn:{place.partition}:{service or self.service}:{place.region}:"
            f"{place.account}:{resource}"
        )


def fit(value: Any, shape: Any, where: str) -> Any:
    """A template's value in the API's spelling and types. shape: botocore's.

    Raises NotInMock for what the shape has not.
    """
    kind = shape.type_name
    if kind == "structure" and isinstance(value, dict):
        known = {member.lower(): member for member in shape.members}
        fitted = {}
        for key, inner in value.items():
            member = known.get(key.lower())
            if member is None:
                raise NotInMock(f"{where}/{key}")
            fitted[member] = fit(inner, shape.members[member], f"{where}/{key}")
        return fitted
    if kind == "list":
        items = value if isinstance(value, list) else [value]
        return [fit(item, shape.member, where) for item in items]
    if kind == "map" and isinstance(value, dict):
        return {key: fit(inner, shape.value, f"{where}/{key}") for key, inner in value.items()}
    if kind == "map" and isinstance(value, list):
        return pairs(value)
    return _scalar(value, kind)


def _scalar(value: Any, kind: str) -> Any:
    if kind == "string":
        return text(value)
    if kind in ("integer", "long"):
        return int(value)
    if kind in ("float", "double"):
        return float(value)
    if kind == "boolean":
        return value if isinstance(value, bool) else text(value).lower() == "true"
    if kind == "blob" and isinstance(value, str):
        return value.encode()
    return value


def like(seen: Any, wanted: Any) -> Any:
    """What the API told, in the spelling of a template that says `wanted`; only what that says."""
    if isinstance(wanted, dict) and isinstance(seen, Mapping):
        known = {key.lower(): value for key, value in seen.items()}
        return {
            key: like(known[key.lower()], inner)
            for key, inner in wanted.items()
            if key.lower() in known
        }
    if isinstance(wanted, list) and isinstance(seen, list | tuple):
        if len(seen) == len(wanted):
            return [like(one, inner) for one, inner in zip(seen, wanted, strict=True)]
        template = wanted[0] if wanted and isinstance(wanted[0], dict) else None
        return [one if template is None else like(one, template) for one in seen]
    if isinstance(wanted, dict | list) and isinstance(seen, str):
        return as_json(seen)
    return seen


def as_json(value: Any) -> Any:
    """A document that may be text; as it is when it is no JSON."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def document(value: Any) -> str:
    """A policy document as the API wants it: text."""
    return value if isinstance(value, str) else json.dumps(value)


def pairs(tags: Iterable[Mapping[str, str]] | None) -> dict[str, str]:
    """[{"Key": ..., "Value": ...}] as {...: ...}."""
    return {tag["Key"]: text(tag["Value"]) for tag in tags or ()}


def listed(tags: Mapping[str, str], key: str = "Key", value: str = "Value") -> list[dict[str, str]]:
    return [{key: name, value: content} for name, content in tags.items()]


def only(given: Properties, names: str) -> dict[str, Any]:
    """Those of the properties that are named."""
    return {name: given[name] for name in names.split() if name in given}


def without(given: Properties, names: str) -> dict[str, Any]:
    left_out = names.split()
    return {name: value for name, value in given.items() if name not in left_out}


def changed(given: Properties, before: Properties, *names: str) -> bool:
    return any(given.get(name) != before.get(name) for name in names)


def removed(given: Iterable[Any], before: Iterable[Any]) -> list[Any]:
    kept = list(given)
    return [one for one in before if one not in kept]


def is_gone(error: BaseException) -> bool:
    """Does an error of the API, or ours, say that the thing is not there?"""
    if isinstance(error, Gone):
        return True
    if not isinstance(error, ClientError):
        return False
    code = error.response["Error"]["Code"]
    return code.endswith(
        ("NotFound", "NotFoundException", "DoesNotExist", ".NonExistentQueue")
    ) or (code in _GONE or "NotFound" in code)


def first(found: Iterable[Any]) -> Any:
    """The first of what a description lists. Raises Gone."""
    for one in found:
        return one
    raise Gone


def sort_tags(value: Any) -> Any:
    """Tags have no order."""
    if isinstance(value, list) and value and all(isinstance(one, dict) for one in value):
        keys = [next((k for k in ("Key", "TagKey") if k in one), None) for one in value]
        if all(keys):
            return sorted(value, key=lambda one: str(one.get("Key", one.get("TagKey"))))
    return value
