"""`labs reset 31`: a fresh copy of a lesson; the old one is kept beside it."""

import argparse

from labs.commands import lessons
from labs.commands.folders import personal_folder


def parse(arguments: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python3 -m labs reset", description=__doc__)
    parser.add_argument("lesson", nargs="+", help="number or name of a lesson, such as 31")
    return parser.parse_args(arguments)


def run(options: argparse.Namespace) -> int:
    """Reset each lesson asked for; raises Problem for one that does not exist."""
    folder = personal_folder()
    for source in lessons.find(options.lesson, lessons.lessons()):
        old = lessons.reset(source, folder)
        print(f"A fresh {folder / source.name}")
        if old:
            print(f"Your old one is {old.name}, in the same folder")
    return 0
