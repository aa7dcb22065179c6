"""How a migration ends that does not end well."""

from collections.abc import Sequence

from botocore.exceptions import ClientError

from labs.loadbalancing.migration.wanted import Problem


class Refused(RuntimeError):
    """A plan with problems was not carried out. Nothing was called that writes."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = tuple(problems)


class MigrationFailed(RuntimeError):
    """A step failed, and what had been made was removed as far as possible.

    step: which, in words; reason: AWS's own words
    removed: what is gone again; left: what could not be removed, and why
    """

    def __init__(self, step: str, reason: str, removed: Sequence[str], left: Sequence[str]) -> None:
        self.step, self.reason = step, reason
        self.removed, self.left = tuple(removed), tuple(left)
        gone = f"Removed again: {', '.join(removed) or 'nothing, since nothing was made'}."
        rest = f" Still there, remove by hand: {'; '.join(left)}." if left else ""
        super().__init__(f"Could not {step}: {reason}. {gone}{rest}")


class MigrationInterrupted(MigrationFailed, KeyboardInterrupt):
    """The same, since somebody pressed Ctrl-C."""


def words(error: BaseException) -> str:
    """AWS's own, or the error's."""
    if isinstance(error, ClientError):
        found = error.response["Error"]
        return f"{found.get('Code')}: {found.get('Message')}".rstrip(".")
    return f"{type(error).__name__} {error}".strip().rstrip(".")
