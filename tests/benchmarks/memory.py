"""What the mock and its sandboxes weigh, and whether all of them end."""

import sys
from collections.abc import Iterable

import psutil

from labs import cloud
from labs.cloud.settings import size
from labs.pubsub.deploy import deploy
from tests.benchmarks import clouds
from tests.benchmarks.rows import Row

#: PSS counts a page that n processes share as an n-th for each. Only Linux has it.
KIND = "pss" if sys.platform == "linux" else "rss"


def measure() -> list[Row]:
    """memory.* in MB of PSS (elsewhere than on Linux RSS, which counts shared pages again)."""
    rows = []
    with clouds.mock() as aws:
        aws.client("sts").get_caller_identity()
        mock = clouds.mock_process()
        rows.append(Row("memory.mock.idle", megabytes([mock]), f"MB {KIND}", 1))
        deploy(aws.session, aws.name)
        rows.append(Row("memory.mock.lesson_31", megabytes([mock]), f"MB {KIND}", 1))
        seen: set[psutil.Process] = {mock}
        for kind in clouds.SOURCES:
            cloud.connect(lesson="bench")
            clouds.make_table(aws)
            count = size().concurrency
            clouds.fill_with_sandboxes(aws, kind, clouds.make_role(aws), count)
            sandboxes = mock.children(recursive=True)  # the zygote too
            seen.update(sandboxes)
            rows.append(Row(f"memory.sandboxes.{kind}", megabytes(sandboxes), f"MB {KIND}", count))
    _, alive = psutil.wait_procs(seen, timeout=5)
    return [*rows, Row("processes_left", len(alive), "processes", len(seen))]


def megabytes(processes: Iterable[psutil.Process]) -> float:
    return sum(getattr(process.memory_full_info(), KIND) for process in processes) / 1e6
