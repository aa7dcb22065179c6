"""Finds the command, lets it read its arguments, sets up what it needs, runs it."""

import difflib
import importlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType

from labs.commands import Problem, environment_setup


@dataclass(frozen=True)
class Command:
    """One command; its module has `parse(arguments) -> Namespace` and `run(options) -> int`."""

    module: str
    summary: str
    environment: str  # "made" before it runs, "used" if there is one, or "unneeded"


COMMANDS = {
    "lab": Command("lab", "open the course in JupyterLab", "made"),
    "test": Command("test", "run the course's own tests", "made"),
    "run": Command("run", "execute lessons without a browser", "made"),
    "doctor": Command("doctor", "say what works on this machine and what does not", "used"),
    "reset": Command("reset", "get a fresh copy of a lesson, keeping the old one", "unneeded"),
}


def main(argv: Sequence[str]) -> int:
    """Run the command line `argv`; returns the exit code, 2 if the line makes no sense."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # a Windows console may lack our characters
    if not argv or argv[0] in ("-h", "--help", "help"):
        print(overview())
        return 0
    name, *arguments = argv
    if name not in COMMANDS:
        print(unknown(name), file=sys.stderr)
        return 2
    try:
        return perform(COMMANDS[name], arguments, argv)
    except Problem as problem:
        print(f"labs {name}: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"labs {name}: stopped", file=sys.stderr)
        return 130  # 128 + SIGINT, as a shell reports it


def perform(command: Command, arguments: Sequence[str], argv: Sequence[str]) -> int:
    """Read the arguments first: a typing error or --help must not wait for a set-up."""
    module: ModuleType = importlib.import_module(f"labs.commands.{command.module}")
    options = module.parse(list(arguments))
    if command.environment == "made":
        environment_setup.enter(argv)
    elif command.environment == "used":
        environment_setup.enter_if_ready(argv)
    return module.run(options)


def overview() -> str:
    """What `labs --help` prints."""
    width = max(map(len, COMMANDS))
    lines = [f"  {name:<{width}}  {command.summary}" for name, command in COMMANDS.items()]
    return "\n".join(
        [
            "Packets to Pipelines: a hands-on course on cloud networking, concurrency,",
            "messaging and delivery that runs on this machine.",
            "",
            "usage: python3 -m labs COMMAND ...     (on Windows: py -m labs COMMAND ...)",
            "",
            *lines,
            "",
            "python3 -m labs COMMAND --help tells more about one of them.",
        ]
    )


def unknown(name: str) -> str:
    """The sentence for a command that does not exist, with the nearest one that does."""
    near = difflib.get_close_matches(name, COMMANDS, n=1)
    guess = f" Did you mean `python3 -m labs {near[0]}`?" if near else ""
    return f"labs: there is no command {name!r}.{guess}\nCommands: {', '.join(COMMANDS)}"
