"""`labs doctor`: what works on this machine, what does not, and what to do about it.

It changes nothing. It fails if something is missing that every lesson needs.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from labs.commands import environment_setup, probes
from labs.commands.probes import Finding

NOTICE = """\
The sandboxes of Lambda functions and the processes behind EC2 instances are ordinary processes of
your account. They are not a security boundary: run only code that you would run yourself."""


def parse(arguments: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python3 -m labs doctor",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    return parser.parse_args(arguments)


def run(options: argparse.Namespace) -> int:
    """Print one line for each finding as it is found; returns 1 if an essential one is bad."""
    inside = environment_setup.ready(Path(sys.prefix))
    findings = []
    for probe in [*probes.PROBES, *(probes.PROBES_INSIDE if inside else [])]:
        findings.append(probe())
        print(line(findings[-1]), flush=True)
    print(f"\n{NOTICE}\n\n{verdict(findings)}")
    return exit_code(findings)


def line(finding: Finding) -> str:
    """One finding, and under it what to do if it is not well."""
    mark = "ok" if finding.well else ("BAD" if finding.essential else "low")
    text = f"{mark:<4} {finding.what:<16} {finding.found}"
    return text if finding.well else f"{text}\n     {'':<16} -> {finding.advice}"


def exit_code(findings: Sequence[Finding]) -> int:
    """1 if something is bad that every lesson needs."""
    return int(any(finding.essential and not finding.well for finding in findings))


def verdict(findings: Sequence[Finding]) -> str:
    """The last sentence."""
    bad = [finding.what for finding in findings if not finding.well and finding.essential]
    if bad:
        return f"Not ready: see {', '.join(bad)} above."
    return "Ready: python3 -m labs lab"
