"""`labs test`: the course's own tests, on two processes.

Every argument goes to pytest: `labs test tests/pubsub -k emoji -x`. With `--all`, lessons are
restarted before each section, not before the last alone, and shown in both of JupyterLab's themes.
"""

import argparse
import os
import sys

from labs.commands.folders import build_folder, checkout, writable


def parse(arguments: list[str]) -> argparse.Namespace:
    """Take only --help for ourselves: pytest knows its own options better."""
    if arguments and arguments[0] in ("-h", "--help"):
        argparse.ArgumentParser(
            prog="python3 -m labs test",
            usage="%(prog)s [pytest arguments ...]",
            description=__doc__,
        ).parse_args(arguments[:1])
    return argparse.Namespace(pytest=arguments)


def run(options: argparse.Namespace) -> int:
    """Run pytest in the checkout; returns its exit code."""
    import pytest  # exists only in the course's environment

    os.chdir(checkout())
    sys.path.insert(0, str(checkout()))
    return int(pytest.main([*usual_options(), *options.pytest]))


def usual_options() -> list[str]:
    """How the suite runs unless the arguments, which come later, say otherwise."""
    options = ["-n", "2", "--dist", "loadgroup"]
    if not writable(checkout()):
        build = build_folder()
        os.environ["HYPOTHESIS_STORAGE_DIRECTORY"] = str(build / "hypothesis")
        options += ["-o", f"cache_dir={build / 'pytest-cache'}"]
    return options
