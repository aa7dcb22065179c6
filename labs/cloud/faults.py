"""`aws.faults`: ask the mock for bad weather, to see how code that calls AWS stands it."""

import contextlib
import uuid
from typing import Any

from labs.cloud.inside import Inside

WHAT = "told to fail"


class Rule:
    """Bad weather that has begun. Leaving its `with` block ends it, whatever happens inside."""

    def __init__(self, inside: Inside, shown: dict[str, Any]) -> None:
        self._inside, self._shown = inside, shown
        self._ended = False

    @property
    def hits(self) -> int:
        """How many calls it slowed, refused or doubled so far; its last number once it ended."""
        if not self._ended:
            with contextlib.suppress(KeyError):
                self._shown = _only(self._inside, self._shown["id"])
        return self._shown["hits"]

    def end(self) -> None:
        """Fine weather again, as far as this rule goes. Ending twice does nothing."""
        if not self._ended:
            self._shown = _end(self._inside, self._shown["id"]) or self._shown
            self._ended = True

    def __enter__(self) -> "Rule":
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def __repr__(self) -> str:
        asked = {key: value for key, value in self._shown.items() if value != _QUIET.get(key)}
        rest = ", ".join(f"{name}={asked[name]!r}" for name in _QUIET if name in asked)
        state = "ended" if self._ended else "at work"
        hits = self.hits
        return (
            f"<faults of {self._shown['service']} {self._shown['operation']}: {rest}; "
            f"{state}, {hits} {'hit' if hits == 1 else 'hits'}>"
        )


class Faults:
    """Rules by which the mock slows, refuses or doubles calls. Mock only; `connect` clears them.

    with aws.faults("s3", "*Object", latency=0.05): ...
    """

    def __init__(self, inside: Inside) -> None:
        self._inside = inside

    def __call__(
        self,
        service: str,
        operation: str,
        *,
        latency: float = 0,
        bandwidth: float | None = None,
        rate: float | None = None,
        error: str | None = None,
        probability: float = 1,
        duplicate: int = 0,
        seed: int = 0,
    ) -> Rule:
        """A rule, at work at once, until its `with` block or `.end()` ends it.

        service, operation: as boto3 and AWS name them, "dynamodb" and "UpdateItem"; a pattern
                     ("Put*") may name several operations. ("sns", "deliver") is SNS handing a
                     message to a function; ("lambda", "Invoke") includes events that wait.
        latency:     seconds that each call takes longer.
        bandwidth:   bytes a second for the content of S3 objects, each call by itself. An object's
                     metadata `logical-size` (bytes) stands for its size.
        rate:        calls a second; those beyond get `error`, else the service's own code
                     ("SlowDown", "ThrottlingException", ...).
        error:       AWS's error code that calls get.
        probability: the share of calls that is slowed, refused or doubled, drawn from `seed`.
        duplicate:   so many more times a message ("deliver") or event ("Invoke") arrives.

        Raises ValueError for what does not exist or cannot be; NotRun in live mode.
        """
        rule_id = uuid.uuid4().hex
        settings = {
            "service": service,
            "operation": operation,
            "latency": latency,
            "bandwidth": bandwidth,
            "rate": rate,
            "error": error,
            "probability": probability,
            "duplicate": duplicate,
            "seed": seed,
        }
        try:
            shown = self._inside.ask("PUT", f"faults/{rule_id}", WHAT, json=settings)
        except KeyboardInterrupt:  # it may have begun, and nobody would hold it
            _end(self._inside, rule_id)
            raise
        return Rule(self._inside, shown)

    def list(self) -> list[Rule]:
        """The rules at work, the oldest first."""
        return [Rule(self._inside, shown) for shown in self._inside.ask("GET", "faults", WHAT)]

    def clear(self) -> None:
        """End all rules."""
        self._inside.ask("DELETE", "faults", WHAT)

    def __repr__(self) -> str:
        return "<aws.faults: ask for bad weather, as in aws.faults('s3', 'GetObject', latency=0.1)>"


#: What a rule has when it was not asked for.
_QUIET = {
    "latency": 0,
    "bandwidth": None,
    "rate": None,
    "error": None,
    "probability": 1,
    "duplicate": 0,
    "seed": 0,
}


def _only(inside: Inside, rule_id: str) -> dict[str, Any]:
    """The rule as it is now. Raises KeyError when it has been cleared."""
    by_id = {shown["id"]: shown for shown in inside.ask("GET", "faults", WHAT)}
    return by_id[rule_id]


def _end(inside: Inside, rule_id: str) -> dict[str, Any] | None:
    """End a rule, even if an interrupt comes in between; what it was, or None if it was gone."""
    try:
        return inside.ask("DELETE", f"faults/{rule_id}", WHAT)
    except KeyboardInterrupt:
        inside.ask("DELETE", f"faults/{rule_id}", WHAT)
        raise
