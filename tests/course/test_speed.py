"""A learner does not wait for the machinery. Ratios within one run: machines differ."""

import subprocess
import sys
import time

from labs.course import exercise
from labs.exercises import find

IMPORT = """
import sys, time
started = time.perf_counter()
__import__(sys.argv[1])
print(time.perf_counter() - started)
"""
#: Modules that take long and that only some cells need.
HEAVY = ("matplotlib", "pandas", "ipywidgets", "boto3", "IPython", "requests")


def seconds_to_import(module: str) -> float:
    command = [sys.executable, "-c", IMPORT, module]
    times = [
        float(subprocess.run(command, capture_output=True, check=True).stdout) for _ in range(3)
    ]
    return min(times)


def test_the_course_is_imported_faster_than_the_cloud():
    assert seconds_to_import("labs.course") < seconds_to_import("labs.cloud")


def test_importing_it_imports_nothing_heavy():
    code = f"import sys, labs.course; print(*set({HEAVY}) & set(sys.modules))"
    command = [sys.executable, "-c", code]
    found = subprocess.run(command, capture_output=True, check=True, text=True)
    assert found.stdout.split() == []


def test_a_check_is_faster_than_the_set_up_also_after_years_of_events():
    for answer in range(3000):
        exercise.assess(find("99.1"), (answer + 6,))
    started = time.perf_counter()
    exercise.assess(find("99.1"), (5,))
    exercise.solution(find("99.1"))
    assert time.perf_counter() - started < seconds_to_import("labs.cloud")
