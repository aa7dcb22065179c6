"""Intrinsic functions, conditions and pseudo parameters: expressions become values.

Sources: CloudFormation Template Reference, "Intrinsic functions", "Pseudo parameters".
"""

from __future__ import annotations

import base64
import ipaddress
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from typing import Any

from labs.cloud.mock.stacks import schemas
from labs.cloud.mock.stacks.errors import Refused
from labs.cloud.mock.stacks.graph import SUBSTITUTED, split_attribute
from labs.cloud.mock.stacks.template import Template

FUNCTIONS = (
    "Fn::Base64",
    "Fn::Cidr",
    "Fn::FindInMap",
    "Fn::GetAZs",
    "Fn::GetAtt",
    "Fn::If",
    "Fn::ImportValue",
    "Fn::Join",
    "Fn::Select",
    "Fn::Split",
    "Fn::Sub",
)
CONDITION_FUNCTIONS = ("Fn::And", "Fn::Equals", "Fn::Not", "Fn::Or", "Condition")
NO_VALUE = "AWS::NoValue"
PSEUDO = frozenset(
    {
        "AWS::AccountId",
        "AWS::NoValue",
        "AWS::NotificationARNs",
        "AWS::Partition",
        "AWS::Region",
        "AWS::StackId",
        "AWS::StackName",
        "AWS::URLSuffix",
    }
)
#: Source: Template Reference, Fn::Cidr.
MOST_BLOCKS = 256


class _Nothing:
    """What AWS::NoValue becomes before it is taken away."""


NOTHING = _Nothing()


def _nowhere(name: str, _attribute: str | None = None) -> Any:
    raise Refused(
        f"Template format error: Unresolved resource dependencies [{name}] in the Resources "
        "block of the template"
    )


def _no_export(name: str) -> Any:
    raise Refused(f"No export named {name} found.")


@dataclass
class Scope:
    """What the expressions of a template are evaluated against.

    pseudo:     values of pseudo parameters, without AWS::NoValue.
    parameters: values; lists are lists.
    resource:   (logical id, attribute or None for Ref) -> value.
    imported:   name of an export -> value. zones: region -> names of Availability Zones.
    """

    template: Template
    pseudo: Mapping[str, Any]
    parameters: Mapping[str, Any]
    resource: Callable[[str, str | None], Any] = _nowhere
    imported: Callable[[str], str] = _no_export
    zones: Callable[[str], list[str]] = field(default=lambda region: [])

    # Conditions

    @cached_property
    def conditions(self) -> dict[str, bool]:
        """All conditions of the template. Raises Refused."""
        self._deciding: list[str] = []
        known: dict[str, bool] = {}
        for name in self.template.conditions:
            self._decide(name, known)
        return known

    def _decide(self, name: str, known: dict[str, bool]) -> bool:
        if name in known:
            return known[name]
        if name not in self.template.conditions:
            raise Refused(
                f"Template format error: Unresolved condition dependency {name} in the Conditions "
                "block of the template"
            )
        if name in self._deciding:
            names = ", ".join(self._deciding)
            raise Refused(
                f"Template format error: Found circular condition dependency between [{names}]"
            )
        self._deciding.append(name)
        known[name] = self._truth(self.template.conditions[name], known)
        self._deciding.remove(name)
        return known[name]

    def _truth(self, node: Any, known: dict[str, bool]) -> bool:
        function, given = only(node)
        if function == "Condition" and isinstance(given, str):
            return self._decide(given, known)
        if function == "Fn::Equals" and isinstance(given, list) and len(given) == 2:
            left, right = (self._settled(one, known) for one in given)
            return schemas.text(left) == schemas.text(right)
        if function == "Fn::Not" and isinstance(given, list) and len(given) == 1:
            return not self._truth(given[0], known)
        if function in ("Fn::And", "Fn::Or"):
            if not isinstance(given, list) or not 2 <= len(given) <= 10:
                raise Refused(
                    f"Template error: every {function} object requires a list of at least 2 and "
                    "at most 10 boolean parameters."
                )
            truths = [self._truth(one, known) for one in given]
            return all(truths) if function == "Fn::And" else any(truths)
        raise Refused(
            "Template format error: Conditions can only be boolean operations on parameters and "
            "other conditions"
        )

    def _settled(self, node: Any, known: dict[str, bool]) -> Any:
        function, given = only(node)
        if function == "Fn::If":
            name, yes, no = three(given)
            return self._settled(yes if self._decide(name, known) else no, known)
        return self.value(node)

    def holds(self, name: str | None, block: str = "Resources") -> bool:
        """Is a condition true? None, no condition, is."""
        if name is None:
            return True
        if name not in self.template.conditions:
            raise Refused(
                f"Template format error: Unresolved condition dependency {name} in the {block} "
                "block of the template"
            )
        return self.conditions[name]

    def chosen(self, node: Any) -> Any:
        """Without Fn::If: the branch that the condition takes; AWS::NoValue is left out."""
        taken = self._chosen(node)
        return {} if taken is NOTHING else taken

    def _chosen(self, node: Any) -> Any:
        if isinstance(node, list):
            return [one for one in map(self._chosen, node) if one is not NOTHING]
        if not isinstance(node, dict):
            return node
        function, given = only(node)
        if function == "Fn::If":
            name, yes, no = three(given)
            if name not in self.template.conditions:
                raise Refused(f"Template error: unresolved condition dependency {name} in Fn::If")
            return self._chosen(yes if self.conditions[name] else no)
        if function == "Ref" and given == NO_VALUE:
            return NOTHING
        found = {key: self._chosen(value) for key, value in node.items()}
        return {key: value for key, value in found.items() if value is not NOTHING}

    # Values

    def value(self, node: Any) -> Any:
        """Raises Refused, and what `resource` and `imported` raise."""
        found = self._value(node)
        return {} if found is NOTHING else found

    def _value(self, node: Any) -> Any:
        if isinstance(node, list):
            return [one for one in map(self._value, node) if one is not NOTHING]
        if not isinstance(node, dict):
            return node
        function, given = only(node)
        if function == "Ref":
            return self._ref(given)
        if function in _EVALUATED:
            return _EVALUATED[function](self, given)
        found = {key: self._value(inner) for key, inner in node.items()}
        return {key: inner for key, inner in found.items() if inner is not NOTHING}

    def _ref(self, name: Any) -> Any:
        if not isinstance(name, str):
            raise Refused(
                "Template format error: All Ref values must be strings: the name of a parameter "
                "or a resource."
            )
        if name == NO_VALUE:
            return NOTHING
        if name in self.pseudo:
            return self.pseudo[name]
        if name in self.parameters:
            return self.parameters[name]
        return self.resource(name, None)

    def _get_att(self, given: Any) -> Any:
        parts = split_attribute(given)
        if parts is None:
            raise Refused(
                "Template error: every Fn::GetAtt object requires two non-empty parameters, the "
                "resource name and the resource attribute"
            )
        name, attribute = parts[0], self.value(parts[1])
        if not isinstance(attribute, str):
            raise Refused("Template error: the attribute of Fn::GetAtt must be a string")
        return self.resource(name, attribute)

    def _sub(self, given: Any) -> str:
        template, own = given, {}
        if isinstance(given, list):
            if len(given) != 2 or not isinstance(given[1], dict):
                raise _wrong_sub()
            template, own = given
        if not isinstance(template, str):
            raise _wrong_sub()

        def one(found: Any) -> str:
            name = found[1].strip()
            if name in own:
                return self._text(self.value(own[name]), "Fn::Sub")
            if "." in name and not name.startswith("AWS::"):
                return self._text(self.resource(*name.split(".", 1)), "Fn::Sub")
            value = self._ref(name)
            return "" if value is NOTHING else self._text(value, "Fn::Sub")

        return SUBSTITUTED.sub(one, template).replace("${!", "${")

    def _join(self, given: Any) -> str:
        if not isinstance(given, list) or len(given) != 2 or not isinstance(given[0], str):
            raise Refused(
                "Template error: every Fn::Join object requires two parameters, (1) a string "
                "delimiter and (2) a list of strings to be joined or a function that returns a "
                "list of strings (such as Fn::GetAZs) to be joined."
            )
        pieces = self.value(given[1])
        if not isinstance(pieces, list):
            raise Refused("Template error: the second parameter of Fn::Join must be a list")
        return given[0].join(self._text(piece, "Fn::Join") for piece in pieces)

    def _split(self, given: Any) -> list[str]:
        if not isinstance(given, list) or len(given) != 2 or not isinstance(given[0], str):
            raise Refused(
                "Template error: every Fn::Split object requires two parameters, (1) a string "
                "delimiter and (2) a string to be split or a function that returns a string to "
                "be split."
            )
        text = self.value(given[1])
        if not isinstance(text, str) or not given[0]:
            raise Refused("Template error: Fn::Split needs a delimiter, and a string to be split")
        return text.split(given[0])

    def _select(self, given: Any) -> Any:
        if not isinstance(given, list) or len(given) != 2:
            raise Refused(
                "Template error: every Fn::Select object requires two parameters, an index and a "
                "list."
            )
        index, items = (self.value(one) for one in given)
        if not isinstance(items, list):
            raise Refused("Template error: Fn::Select requires a list argument with two elements")
        try:
            number = int(index)
        except (TypeError, ValueError):
            raise Refused("Template error: Fn::Select's index must be an integer") from None
        if not 0 <= number < len(items):
            raise Refused(
                f"Template error: Fn::Select cannot select nonexistent value at index {number}"
            )
        return items[number]

    def _find_in_map(self, given: Any) -> Any:
        if not isinstance(given, list) or len(given) != 3:
            raise Refused(
                "Template error: every Fn::FindInMap object requires three parameters, the map "
                "name, map key and the attribute for return value"
            )
        name, first, second = (self._text(self.value(one), "Fn::FindInMap") for one in given)
        try:
            return self.template.mappings[name][first][second]
        except (KeyError, TypeError):
            raise Refused(
                f"Template error: Unable to get mapping for {name}::{first}::{second}"
            ) from None

    def _if(self, given: Any) -> Any:
        name, yes, no = three(given)
        if name not in self.template.conditions:
            raise Refused(f"Template error: unresolved condition dependency {name} in Fn::If")
        return self._value(yes if self.conditions[name] else no)

    def _import(self, given: Any) -> str:
        name = self.value(given)
        if not isinstance(name, str):
            raise Refused(
                "Template error: the attribute in Fn::ImportValue must be a string or a function "
                "that returns a string"
            )
        return self.imported(name)

    def _zones(self, given: Any) -> list[str]:
        region = self.value(given)
        if not isinstance(region, str):
            raise Refused('Template error: Fn::GetAZs needs the name of a region, or ""')
        return self.zones(region or self.pseudo["AWS::Region"])

    def _base64(self, given: Any) -> str:
        text = self.value(given)
        if not isinstance(text, str):
            raise Refused("Template error: every Fn::Base64 object must have a String-typed value.")
        return base64.b64encode(text.encode()).decode()

    def _cidr(self, given: Any) -> list[str]:
        parts = self.value(given)
        if not isinstance(parts, list) or not 2 <= len(parts) <= 3:
            raise Refused(
                "Template error: every Fn::Cidr object requires two or three parameters, an IP "
                "block, a count and the number of subnet bits"
            )
        try:
            network = ipaddress.ip_network(parts[0], strict=False)
            count, bits = int(parts[1]), int(parts[2]) if len(parts) == 3 else 8
        except (TypeError, ValueError) as wrong:
            raise Refused(
                f"Template error: Fn::Cidr cannot use these parameters: {wrong}"
            ) from None
        prefix = network.max_prefixlen - bits
        if (
            not 1 <= count <= MOST_BLOCKS
            or not network.prefixlen <= prefix <= network.max_prefixlen
        ):
            raise Refused(
                f"Template error: Fn::Cidr cannot make {count} blocks of {bits} bits of {parts[0]}"
            )
        blocks = [str(block) for block in islice(network.subnets(new_prefix=prefix), count)]
        if len(blocks) < count:
            raise Refused(
                f"Template error: Fn::Cidr cannot make {count} blocks of {bits} bits of {parts[0]}"
            )
        return blocks

    @staticmethod
    def _text(value: Any, function: str) -> str:
        if isinstance(value, dict | list):
            raise Refused(
                f"Template error: every value in {function} must be a string; found "
                f"{'a list' if isinstance(value, list) else 'an object'}"
            )
        return schemas.text(value)


_EVALUATED: dict[str, Callable[[Scope, Any], Any]] = {
    "Fn::Base64": Scope._base64,
    "Fn::Cidr": Scope._cidr,
    "Fn::FindInMap": Scope._find_in_map,
    "Fn::GetAZs": Scope._zones,
    "Fn::GetAtt": Scope._get_att,
    "Fn::If": Scope._if,
    "Fn::ImportValue": Scope._import,
    "Fn::Join": Scope._join,
    "Fn::Select": Scope._select,
    "Fn::Split": Scope._split,
    "Fn::Sub": Scope._sub,
}


def only(node: Any) -> tuple[str | None, Any]:
    """(key, value) of an object with one member, which may be a function; else (None, None)."""
    if isinstance(node, dict) and len(node) == 1:
        [(key, value)] = node.items()
        return key, value
    return None, None


def three(given: Any) -> tuple[str, Any, Any]:
    """(condition, value if true, value if false) of Fn::If. Raises Refused."""
    if not isinstance(given, list) or len(given) != 3 or not isinstance(given[0], str):
        raise Refused(
            "Template error: Fn::If requires a list argument with the first element being a "
            "condition, and two more"
        )
    return given[0], given[1], given[2]


def functions(node: Any) -> Iterator[str]:
    """The names of all functions in a part of a template: each object with one "Fn::" member."""
    if isinstance(node, list):
        for one in node:
            yield from functions(one)
    elif isinstance(node, dict):
        name, _ = only(node)
        if name is not None and name.startswith("Fn::"):
            yield name
        for one in node.values():
            yield from functions(one)


def imports(node: Any) -> Iterator[Any]:
    """What each Fn::ImportValue in a part of a template is given."""
    if isinstance(node, list):
        for one in node:
            yield from imports(one)
    elif isinstance(node, dict):
        name, given = only(node)
        if name == "Fn::ImportValue":
            yield given
        else:
            for one in node.values():
                yield from imports(one)


def _wrong_sub() -> Refused:
    return Refused(
        "Template error: One or more Fn::Sub intrinsic functions don't specify expected "
        "arguments. Specify a string as first argument, and an optional second argument to "
        "specify a mapping of values to replace in the string"
    )
