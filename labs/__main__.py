"""`python3 -m labs COMMAND`: the way in, before and after the course has set itself up.

This file and `labs/__init__.py` have to parse on a Python that is too old for everything else,
or the person who has one would meet a SyntaxError where a sentence would do.
"""

import sys

NEEDED = (3, 11)


def complaint(version):
    """The sentence for a Python that is too old; None for one that will do."""
    if tuple(version[:2]) >= NEEDED:
        return None
    found = ".".join(str(part) for part in version[:3])
    return (
        "labs: this is Python {}, and the course needs Python {}.{} or newer.\n"
        "Install one from https://www.python.org/downloads/ or with your package manager,\n"
        "then start it by its name: python3.12 -m labs lab (on Windows: py -3.12 -m labs lab)"
    ).format(found, *NEEDED)


def main(argv):
    """Run one command and return its exit code: 0 done, 1 failed, 2 not understood."""
    problem = complaint(sys.version_info)
    if problem:
        sys.stderr.write(problem + "\n")
        return 2
    from labs.commands import dispatch  # its files are written for Python 3.11

    return dispatch.main(argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
