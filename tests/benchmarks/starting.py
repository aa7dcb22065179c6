"""How long a learner waits for a set-up cell."""

import subprocess
import sys

from labs import cloud
from labs.cloud import environment
from tests.benchmarks import clouds
from tests.benchmarks.rows import ROOT, Row, milliseconds, spread

SET_UP_CELL = """
import time
started = time.perf_counter()
from labs import cloud
aws = cloud.connect(lesson="bench")
aws.client("sts").get_caller_identity()
print(time.perf_counter() - started)
aws.close()
"""


def measure() -> list[Row]:
    """start.*: seconds of a set-up cell in a fresh process, milliseconds of connecting again."""
    command = [sys.executable, "-c", SET_UP_CELL]
    fresh = environment.original()  # ours would make the child join this process's mock
    cells = [
        float(subprocess.run(command, env=fresh, cwd=ROOT, capture_output=True, check=True).stdout)
        for _ in range(5)
    ]
    with clouds.mock() as aws:
        again = []
        for _ in range(10):
            clouds.make_table(aws)  # something to forget
            again.append(milliseconds(lambda: cloud.connect(lesson="bench")))
    return spread("start.set_up_cell", cells, "s") + spread("start.connect_again", again, "ms")
