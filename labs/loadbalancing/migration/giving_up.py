"""A step failed: undo what was begun, and tell."""

from collections.abc import Mapping, Sequence
from typing import NoReturn

from botocore.exceptions import ClientError

from labs.loadbalancing.migration.failures import MigrationFailed, MigrationInterrupted, words
from labs.loadbalancing.migration.reading import Clients
from labs.loadbalancing.migration.removing import REMOVALS
from labs.loadbalancing.migration.step import Step


def made_nothing(error: BaseException, doing: str, begun: Sequence[Step]) -> bool:
    """AWS refused the last step. (A time-out, or an error of AWS's own, does not say so much.)"""
    if not begun or begun[-1].says != doing or not isinstance(error, ClientError):
        return False
    return error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) < 500


def give_up(
    clients: Clients,
    doing: str,
    begun: Sequence[Step],
    arns: Mapping[str, str],
    error: BaseException,
) -> NoReturn:
    """Undo what was begun, in reverse, whatever fails on the way; and tell.

    A removal that needs an ARN finds it in `arns`: only the last step can lack one.
    """
    removed, left = [], []
    for step in reversed(begun):
        if step.operation not in REMOVALS:
            continue
        called, remove = REMOVALS[step.operation]
        thing = called.format(**step.parameters)
        try:
            remove(clients, step, arns)
            removed.append(thing)
        except (Exception, KeyboardInterrupt) as trouble:
            left.append(f"{thing} ({words(trouble)})")
    interrupted = isinstance(error, KeyboardInterrupt)
    kind = MigrationInterrupted if interrupted else MigrationFailed
    raise kind(doing, words(error), removed, left) from error
