"""Which packages of this machine an application may import: what its requirements.txt names.

On AWS pip installs them. The mock has no network: what is installed here is taken, anything else
is a failed deployment. Source: Beanstalk guide, "Specifying dependencies using a requirements
file"; pip's documentation, "Requirements File Format".
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement

#: Always there: the platform's own server, whose place another one takes here.
PLATFORMS_OWN = frozenset({"gunicorn"})


class NotInstallable(Exception):
    """A requirement that cannot be had. Its text is what pip would say, and why."""


def packages(text: str) -> list[str]:
    """Names of what may be imported, for the text of a requirements.txt.

    A package brings what it needs, as with pip. Raises NotInstallable.
    """
    found: dict[str, metadata.Distribution] = {}
    waiting = list(requirements(text))
    while waiting:
        wanted = waiting.pop()
        name = wanted.name.lower().replace("_", "-")
        if name in PLATFORMS_OWN or (wanted.marker and not wanted.marker.evaluate({"extra": ""})):
            continue
        try:
            distribution = metadata.distribution(wanted.name)
        except metadata.PackageNotFoundError:
            raise NotInstallable(missing(wanted, "it is not installed here")) from None
        if not wanted.specifier.contains(distribution.version, prereleases=True):
            raise NotInstallable(missing(wanted, f"here is version {distribution.version}"))
        if name not in found:
            found[name] = distribution
            waiting += [Requirement(line) for line in distribution.requires or ()]
    return sorted({top for one in found.values() for top in top_level(one)})


def requirements(text: str) -> Iterator[Requirement]:
    """The requirements of the file. Raises NotInstallable for a line that names no package."""
    for line in text.splitlines():
        line = line.split(" #", 1)[0].strip()
        if not line or line.startswith("#"):
            continue
        try:
            yield Requirement(line)
        except InvalidRequirement as wrong:
            raise NotInstallable(
                f"ERROR: Invalid requirement: {line!r}: {str(wrong).splitlines()[0]} "
                "(the mock reads package names with versions, no options and no addresses)"
            ) from None


def missing(wanted: Requirement, why: str) -> str:
    return (
        f"ERROR: No matching distribution found for {wanted} "
        f"({why}, and the mock installs nothing from a network)"
    )


def top_level(distribution: metadata.Distribution) -> set[str]:
    """What an installed distribution makes importable."""
    if listed := distribution.read_text("top_level.txt"):
        return set(listed.split())
    parts = [
        file.parts for file in distribution.files or () if file.suffix in (".py", ".so", ".pyd")
    ]
    return {Path(first).name.partition(".")[0] for first, *_ in parts if first not in ("..", "")}
