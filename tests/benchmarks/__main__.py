"""The command: see the package's own docstring."""

import argparse
import fnmatch
import sys

import tests.benchmarks as package
from tests.benchmarks import calls, course, functions, memory, messages, proxies, starting
from tests.benchmarks.rows import BUDGETS, CSV, ROOT, Row, save, table_line

#: By what the names of their rows begin with.
MEASURES = {
    "api": calls.measure,
    "lambda.zygote": functions.measure_zygote,
    "lambda.spawn": functions.measure_spawn,
    "lambda.rate": functions.measure_rate,
    "fan_out": messages.measure_fan_out,
    "thousand": messages.measure_thousand,
    "start": starting.measure,
    "memory": memory.measure,
    "course": course.measure,
    "proxy.layer4": proxies.measure_layer4,
    "proxy.layer7": proxies.measure_layer7,
}


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks",
        description=package.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--only", metavar="PATTERN", default="*", help=f"some of: {', '.join(MEASURES)}; * allowed"
    )
    pattern = parser.parse_args(words).only
    wanted = [name for name in MEASURES if fnmatch.fnmatch(name, pattern)]
    if not wanted:
        parser.error(f"no measure matches {pattern!r}; there are {', '.join(MEASURES)}")
    rows: list[Row] = []
    for name in wanted:
        for row in MEASURES[name]():
            print(table_line(row), flush=True)
            rows.append(row)
    missed = [
        row.name for row in rows if row.name in BUDGETS and not BUDGETS[row.name].is_met(row.value)
    ]
    print(f"\n{len(missed)} budgets missed" + (f": {', '.join(missed)}" if missed else ""))
    try:
        save(rows)
    except OSError as wrong:
        print(f"Not saved to {CSV}: {wrong}. Run from a checkout that can be written.")
        return 1
    print(f"Saved to {CSV.relative_to(ROOT)}.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
