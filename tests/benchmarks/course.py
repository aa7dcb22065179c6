"""How long a learner waits for the machinery of lessons, beside what a lesson itself does."""

import subprocess
import sys

from labs.cloud import environment
from tests.benchmarks.rows import ROOT, Row, spread

IMPORT = """
import time
started = time.perf_counter()
import labs.course
print(time.perf_counter() - started)
"""
#: The first check of a kernel, with its buttons, and the next: neither asks AWS anything.
CHECK = """
import os, sys, tempfile, time
from types import ModuleType
os.environ["LABS_HOME"] = tempfile.mkdtemp()
from IPython.core.interactiveshell import InteractiveShell
from labs.course import check, notebook
from labs.exercises import Exercise, NotYet
def wrong(aws, answer):
    raise NotYet(found="this", expected="that", look_at="there")
lesson = ModuleType("labs.exercises.lesson_98")
lesson.EXERCISES = (Exercise("98.1", "count", "build", wrong, ("a", "b"), "answer = 1"),)
sys.modules[lesson.__name__] = lesson
shell = InteractiveShell.instance()
shell.kernel = object()
out, sys.stdout = sys.stdout, sys.stderr
times = []
for answer in range(2):
    started = time.perf_counter()
    check("98.1", answer)
    times.append(time.perf_counter() - started)
print(*times, file=out)
"""


def measure() -> list[Row]:
    """course.*: seconds of the import, of a kernel's first failed check, and of the next."""
    imports = [seconds(IMPORT)[0] for _ in range(5)]
    checks = [seconds(CHECK) for _ in range(5)]
    return [
        *spread("course.import", imports, "s"),
        *spread("course.first_check", [first for first, _ in checks], "s"),
        *spread("course.next_check", [following for _, following in checks], "s"),
    ]


def seconds(code: str) -> list[float]:
    """What a fresh Python process prints."""
    fresh = environment.original()
    done = subprocess.run(
        [sys.executable, "-c", code], env=fresh, cwd=ROOT, capture_output=True, check=True
    )
    return [float(word) for word in done.stdout.split()]
