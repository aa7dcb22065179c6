"""How the mock reaches into moto. moto is pinned because of it.

A module's HOOKS is what the mock replaces: `install` puts in place of each target what a maker
returns; a maker is given the original and the motor that the hooks belong to. USES is what other
files read and call. Tests check that each target still exists in moto and looks as it is written
down, and that no file imports from moto what no USES lists: a new moto shows there what it breaks.
"""

import functools
import importlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

#: (the original, the motor) -> what takes its place.
Maker = Callable[[Callable, Any], Callable]


@dataclass(frozen=True)
class Hook:
    """target: "module:name" or "module:Class.name". parameters: of the original, in order."""

    target: str
    parameters: tuple[str, ...]
    why: str
    make: Maker


@dataclass(frozen=True)
class Use:
    """names: of a class, attributes that are read; of a function, parameters that are given."""

    target: str
    names: str = ""
    why: str = ""


def install(hooks: Iterable[Hook], motor: Any) -> None:
    """Put hooks in place. Once in a process: there is no way back, and no need for one."""
    for hook in hooks:
        owner, name = locate(hook.target)
        setattr(owner, name, hook.make(getattr(owner, name), motor))


def locate(target: str) -> tuple[Any, str]:
    """The object that holds a hook's target, and the target's name in it."""
    module, _, path = target.partition(":")
    *classes, name = path.split(".")
    return functools.reduce(getattr, classes, importlib.import_module(module)), name
