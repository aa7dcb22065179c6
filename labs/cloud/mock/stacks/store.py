"""All stacks of all accounts and regions, and what they export to one another."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

from labs.cloud.mock.stacks.errors import Refused
from labs.cloud.mock.stacks.records import Stack


class Store:
    def __init__(self) -> None:
        self.lock = threading.RLock()
        self._stacks: dict[str, Stack] = {}

    def reset(self) -> None:
        with self.lock:
            self._stacks = {}

    def add(self, stack: Stack) -> None:
        """Raises Refused when there is one of this name."""
        with self.lock:
            if self.named(stack.account, stack.region, stack.name):
                raise Refused(f"Stack [{stack.name}] already exists", "AlreadyExistsException")
            self._stacks[stack.id] = stack

    def all(self, account: str, region: str) -> list[Stack]:
        """Newest first, as DescribeStacks lists them; deleted ones, too."""
        with self.lock:
            found = [
                stack
                for stack in self._stacks.values()
                if (stack.account, stack.region) == (account, region)
            ]
        return found[::-1]

    def named(self, account: str, region: str, name: str) -> Stack | None:
        """The stack that has this name now."""
        for stack in self.all(account, region):
            if stack.name == name and not stack.is_gone:
                return stack
        return None

    def by_id(self, stack_id: str) -> Stack | None:
        return self._stacks.get(stack_id)

    def find(self, account: str, region: str, name: Any) -> Stack:
        """By name, or by id, deleted or not. Raises Refused."""
        if not name:
            raise Refused(
                "1 validation error detected: Value null at 'stackName' failed to satisfy "
                "constraint: Member must not be null"
            )
        stack = self.by_id(name) if name.startswith("arn:") else self.named(account, region, name)
        if stack is None or (stack.account, stack.region) != (account, region):
            raise Refused(f"Stack with id {name} does not exist")
        return stack

    def exports(self, account: str, region: str) -> Iterator[dict[str, str]]:
        """ListExports' entries, in the order of their names."""
        found = [
            {"ExportingStackId": stack.id, "Name": name, "Value": output["OutputValue"]}
            for stack in self.all(account, region)
            if not stack.is_gone
            for output in stack.outputs
            if (name := output.get("ExportName"))
        ]
        yield from sorted(found, key=lambda export: export["Name"])

    def importers(self, account: str, region: str, name: str) -> list[str]:
        """Names of the stacks that import an export."""
        return sorted(
            stack.name
            for stack in self.all(account, region)
            if not stack.is_gone and name in stack.imports
        )
