"""What a benchmark gives: rows of name, value, unit and n, and the budget for some of them."""

import csv
import platform
import statistics
import subprocess
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from labs.cloud.settings import size, usable_cores

ROOT = Path(__file__).parents[2]
CSV = ROOT / "data" / "benchmarks.csv"
COLUMNS = ("date", "commit", "machine", "size", "name", "value", "unit", "n")


@dataclass(frozen=True)
class Row:
    """One measured value. n: how many single measurements, or things, it stands for."""

    name: str
    value: float
    unit: str
    n: int


@dataclass(frozen=True)
class Budget:
    """A limit of the design (section 6): `at_most`, or `at_least`."""

    at_most: float = float("inf")
    at_least: float = float("-inf")

    def is_met(self, value: float) -> bool:
        return self.at_least <= value <= self.at_most

    def __str__(self) -> str:
        if self.at_least > float("-inf"):
            return f">= {self.at_least:g}"
        return f"<= {self.at_most:g}"


#: By name of row.
BUDGETS = {
    **{
        f"api.{call}.p50": Budget(at_most=5)
        for call in (
            "sts_get_caller_identity",
            "dynamodb_update_item",
            "sns_publish",
            "s3_head_object",
            "s3_put_object",
        )
    },
    "lambda.zygote.cold.trivial.p50": Budget(at_most=25),
    "lambda.zygote.cold.boto3.p50": Budget(at_most=60),
    "lambda.spawn.cold.trivial.p50": Budget(at_most=60),
    "lambda.spawn.cold.boto3.p50": Budget(at_most=350),
    **{f"lambda.{how}.warm.trivial.p50": Budget(at_most=7) for how in ("zygote", "spawn")},
    **{f"lambda.{how}.warm.call.p50": Budget(at_most=15) for how in ("zygote", "spawn")},
    "lambda.rate.1_client": Budget(at_least=150),
    "lambda.rate.8_clients": Budget(at_least=250),
    "lambda.rate.32_clients": Budget(at_least=250),
    "thousand.wrong_counts": Budget(at_most=0),
    "thousand.wrong_log_lines": Budget(at_most=0),
    "start.set_up_cell.p50": Budget(at_most=3),
    "course.import.p50": Budget(at_most=0.5),
    "course.first_check.p50": Budget(at_most=0.3),
    "course.next_check.p50": Budget(at_most=0.3),
    "memory.sandboxes.call": Budget(at_most=400),
    "processes_left": Budget(at_most=0),
    "proxy.layer4.cpu_to_haproxy": Budget(at_most=1.25),
    "proxy.layer7.cpu_to_haproxy": Budget(at_most=3.0),
    **{f"proxy.layer{layer}.errors": Budget(at_most=0) for layer in (4, 7)},
}


def milliseconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1000


def spread(name: str, values: Iterable[float], unit: str) -> list[Row]:
    """Median and 90th percentile of at least two values."""
    values = list(values)
    p90 = statistics.quantiles(values, n=10, method="inclusive")[-1]
    return [
        Row(f"{name}.p50", statistics.median(values), unit, len(values)),
        Row(f"{name}.p90", p90, unit, len(values)),
    ]


def table_line(row: Row) -> str:
    """For people: the row, its budget, and whether it is met."""
    budget = BUDGETS.get(row.name)
    limit = "" if budget is None else str(budget)
    verdict = "" if budget is None else "met" if budget.is_met(row.value) else "MISSED"
    line = f"{row.name:<38} {row.value:>8.4g} {row.unit:<9} {row.n:>5}  {limit:>7} {verdict}"
    return line.rstrip()


def save(rows: Iterable[Row], path: Path = CSV) -> None:
    """Append the rows of one run. Raises OSError when the file cannot be written."""
    path.parent.mkdir(exist_ok=True)
    is_new = not path.exists()
    run = (f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}", commit(), machine(), size().name)
    with path.open("a", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        if is_new:
            writer.writerow(COLUMNS)
        writer.writerows((*run, row.name, f"{row.value:.4g}", row.unit, row.n) for row in rows)


def commit() -> str:
    """The short hash of HEAD; "-" where there is no git or no repository."""
    command = ["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "-"


def machine() -> str:
    return (
        f"{platform.system()} {platform.machine()}; {usable_cores():g} cores; "
        f"Python {platform.python_version()}"
    )
