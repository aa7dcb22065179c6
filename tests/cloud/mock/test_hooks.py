"""moto, as `hooks` has it written down: what a newer moto changes, shows here."""

import ast
import importlib
import inspect
import pkgutil
import re
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from labs import cloud
from labs.cloud import mock
from labs.cloud.mock.hooking import locate


def collected(name):
    """HOOKS or USES of all modules of the mock that have some."""
    for info in pkgutil.walk_packages(mock.__path__, "labs.cloud.mock."):
        path = Path(importlib.util.find_spec(info.name).origin)
        if re.search(rf"^{name} = ", path.read_text("utf-8"), re.MULTILINE):
            yield from getattr(importlib.import_module(info.name), name)


HOOKS, USES = list(collected("HOOKS")), list(collected("USES"))


def found(target):
    return getattr(*locate(target))


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook.target)
def test_a_hooks_target_has_these_parameters(hook):
    target = found(hook.target)
    assert tuple(inspect.signature(target).parameters) == hook.parameters


def test_no_target_is_hooked_twice_and_each_says_why():
    targets = [hook.target for hook in HOOKS]
    assert len(targets) == len(set(targets))
    assert all(hook.why for hook in HOOKS)


def test_every_operation_that_writes_items_has_the_lock():
    writing = {
        "put_item",
        "update_item",
        "delete_item",
        "batch_write_item",
        "transact_write_items",
        "execute_statement",
        "execute_transaction",
        "batch_execute_statement",
    }
    handler = "moto.dynamodb.responses:DynamoHandler."
    assert {handler + operation for operation in writing} <= {hook.target for hook in HOOKS}


def test_the_lock_lets_one_write_at_a_time_and_a_writer_write_again():
    [hook, *_] = (hook for hook in HOOKS if hook.target.endswith("DynamoHandler.put_item"))
    value = 0

    def add(again):
        nonlocal value
        read = value
        time.sleep(0.001)  # lets another thread in, if it may
        value = read + 1
        if again:
            locked(False)

    locked = hook.make(add, None)
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(locked, [True, False] * 8))
    assert value == 24


def sets(cls, name):
    """Whether instances get this attribute, from the class or one that it inherits from."""
    pattern = re.compile(rf"self\.{name}\b( |:|,)|^    {name}:", re.MULTILINE)
    return any(pattern.search(inspect.getsource(base)) for base in cls.__mro__[:-1])


@pytest.mark.parametrize("use", USES, ids=lambda use: use.target)
def test_what_is_used_is_there(use):
    target, names = found(use.target), use.names.split()
    if inspect.isclass(target) and not issubclass(target, Exception):
        missing = [name for name in names if not hasattr(target, name)]
        missing = [name for name in missing if not sets(target, name)]
    elif callable(target):
        missing = set(names) - set(inspect.signature(target).parameters)
    else:
        missing = [name for name in names if not hasattr(target, name)]
    assert not missing


def modules():
    """(file, its module's name) for all of labs.cloud."""
    for info in pkgutil.walk_packages(cloud.__path__, "labs.cloud."):
        spec = importlib.util.find_spec(info.name)
        yield Path(spec.origin), info.name


def imports_from_moto(path):
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.split(".")[0] == "moto")
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "moto":
            yield from (f"{node.module}:{alias.name}" for alias in node.names)


def test_every_import_from_moto_is_written_down():
    listed = {use.target for use in USES}
    imported = {target for path, _ in modules() for target in imports_from_moto(path)}
    assert imported, "the test looks in the wrong place"
    assert imported - listed == set()


def test_backends_that_are_named_in_text_are_written_down():
    """The gateway looks them up in sys.modules, so no import tells."""
    listed = {use.target.partition(":")[0] for use in USES} | {
        hook.target.partition(":")[0] for hook in HOOKS
    }
    named = {
        name
        for path, _ in modules()
        if path.name != "hooks.py"
        for name in re.findall(r'"(moto\.[\w.]+)"', path.read_text("utf-8"))
    }
    assert named
    assert named - listed == set()
