"""Migrate a Classic Load Balancer to an Application or a Network Load Balancer.

Exit status: 0 when it is done, or could be done (--dry-run); 1 when not; 2 for wrong arguments.
"""

import argparse
import contextlib
import os
import sys
from collections.abc import Sequence

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from labs.loadbalancing.migration import (
    Clients,
    MigrationFailed,
    NotFound,
    Outcome,
    Plan,
    Refused,
    carry_out,
    plan,
    read,
)
from labs.loadbalancing.migration.cookies import WEEK
from labs.loadbalancing.migration.wanted import KINDS


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status."""
    options = parse(arguments)
    made = None
    try:
        session = boto3.Session(profile_name=options.profile, region_name=options.region)
        clients = Clients.of(session)
        planned = plan(
            read(clients, options.name),
            register_targets=options.register_targets,
            application_cookie_seconds=options.application_cookie_seconds,
        )
        show(planned)
        if planned.problems:
            return 1
        if options.dry_run:
            say("\nDry run: it can be migrated as shown. Nothing was made or changed.")
            return 0
        say("\nMaking the new balancer; AWS takes some minutes.")
        made = carry_out(clients, planned)
        report(made)
    except (NotFound, Refused, MigrationFailed) as error:
        return fail(str(error))
    except ClientError as error:  # its text has the operation and AWS's words
        return fail(f"{error} (region {options.region})")
    except (BotoCoreError, ResponseParserError, ValueError) as error:
        return fail(
            f"AWS cannot be asked: {' '.join(str(error).split()).rstrip('.')}. Check --region"
            f" ({options.region}), --profile and your credentials: `aws sts get-caller-identity`."
        )
    except (KeyboardInterrupt, OSError) as error:  # nobody reads what is printed, for instance
        return cut_short(f"{type(error).__name__} {error}".strip(), made)
    return 0


def cut_short(why: str, made: Outcome | None) -> int:
    """Not by AWS. A migration that is carried out is done, whether anybody reads of it or not."""
    if made is None:
        return fail(f"{why}. Nothing was made or changed.")
    fail(f"{why}. The new balancer is made: {made.dns_name}")
    return 0


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m labs.loadbalancing.migration", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--name", type=text, required=True, help="of the Classic Load Balancer")
    parser.add_argument("--region", type=text, required=True, help="that it is in, like us-east-1")
    parser.add_argument("--profile", help="of your AWS configuration")
    parser.add_argument("--dry-run", action="store_true", help="show the plan, make nothing")
    parser.add_argument(
        "--register-targets",
        action="store_true",
        help="register its instances, and attach the target groups to its Auto Scaling groups",
    )
    parser.add_argument(
        "--application-cookie-seconds",
        type=cookie_seconds,
        metavar="N",
        help="how long an application's cookie binds a client to an instance",
    )
    return parser.parse_args(arguments)


def text(given: str) -> str:
    """Something that AWS can be sent: not empty, and not bytes that are no text."""
    if not given or given != given.encode(errors="replace").decode():
        raise argparse.ArgumentTypeError(f"{given!r} is empty, or no text")
    return given


def cookie_seconds(given: str) -> int:
    seconds = int(given) if given.isdecimal() else 0
    if not 1 <= seconds <= WEEK:
        raise argparse.ArgumentTypeError(f"'{given}' is not a number of seconds from 1 to {WEEK:,}")
    return seconds


def show(planned: Plan) -> None:
    """The plan: a table, what will differ, what cannot be migrated."""
    say(f"Classic Load Balancer {planned.name}, {planned.region} -> {KINDS[planned.kind]}\n")
    table = planned.table().drop(columns="note")
    left = {column: f"{{:<{table[column].str.len().max()}}}".format for column in table}
    lines = table.to_string(index=False, justify="left", formatters=left).splitlines()
    say("\n".join(line.rstrip() for line in lines))
    if planned.adjustments:
        say("\nWhat will differ:")
        for change in planned.adjustments:
            say(f"- {change}")
    if planned.problems:
        say("\nIt cannot be migrated as it is. Nothing was made or changed.")
        for number, problem in enumerate(planned.problems, 1):
            say(f"{number}. {problem.found}\n   What to do: {problem.do}")


def report(made: Outcome) -> None:
    say("\nTarget group ARNs:")
    for arn in made.target_group_arns:
        say(arn)
    say(f"\nDNS name: {made.dns_name}")
    say("The Classic balancer still has the traffic: move it when the targets are healthy.")


def say(text: str) -> None:
    """Print it now: who no longer listens is noticed before anything is made. Raises OSError."""
    print(text, flush=True)


def fail(message: str) -> int:
    with contextlib.suppress(OSError):
        print(message, file=sys.stderr)
    return 1


def in_a_shell() -> int:
    """As `main`, for a terminal or a pipe: what it cannot show is written \\N, or not at all."""
    streams = [stream for stream in (sys.stdout, sys.stderr) if stream]
    for stream in streams:
        stream.reconfigure(errors="backslashreplace")
    status = main()
    for stream in streams:
        try:
            stream.flush()
        except OSError:  # Python would try again when it ends, and change the exit status
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    return status


if __name__ == "__main__":
    sys.exit(in_a_shell())
