"""Copies from bucket to bucket: the ways beside each other, the article's size, and Lambda.

`seconds` is the time from the beginning of a way to the end of its last copy, by its own rows. It
has the processes that a way starts and the client that asyncio makes; not the functions that
`sns_lambda` deploys. Objects take their time by the mock's bandwidth, 600 to 800 MB as drawn.
"""

import contextlib
import os
import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from botocore.config import Config

from labs import cloud
from labs.concurrency import copying, messages, workload
from labs.concurrency.functions.runs import concurrency, copies, runs
from tests.benchmarks import clouds
from tests.benchmarks.rows import Row

OBJECTS, SECONDS, WORKERS, RUNS = 96, 0.2, 32, 3
FULL_SECONDS, FULL_WORKERS = 1.0, 64
LAMBDA_LIMIT, MOST_LAMBDAS = 25, 24  # of 25 of the default size's account one stays unreserved


@dataclass(frozen=True)
class Work:
    """Two buckets, and what to copy from the first to the second."""

    aws: cloud.Connection
    s3: Any
    source: str
    destination: str
    keys: list[str]

    def run(self, way: str, workers: int):
        """The rows of a way. Raises RuntimeError when an object was not copied."""
        frame = getattr(copying, way)(self.s3, self.source, self.destination, self.keys, workers)
        errors = frame["error"].value_counts().to_dict()
        if errors or len(frame) < len(self.keys):
            raise RuntimeError(f"{way}: {len(frame)} of {len(self.keys)} objects; errors: {errors}")
        return frame


@contextlib.contextmanager
def work(objects: Any, seconds: float, connections: int) -> Iterator[Work]:
    """A mock with these objects, of which an average one takes so many seconds."""
    with clouds.mock() as aws:
        s3 = aws.client("s3", config=Config(max_pool_connections=connections))
        source, destination = aws.name("source"), aws.name("copies")
        for bucket in (source, destination):
            s3.create_bucket(Bucket=bucket)
        workload.fill(s3, source, objects)
        aws.faults("s3", "CopyObject", bandwidth=workload.bandwidth(seconds))
        yield Work(aws, s3, source, destination, objects["key"].tolist())


def measure_ways() -> list[Row]:
    """concurrency.*: the default size's objects, by the loop and at 32 workers by all others.

    Threads and asyncio take turns three times, since they are compared: the median counts.
    """
    with work(workload.objects(OBJECTS), SECONDS, WORKERS) as copy:
        took = {"loop": seconds(copy.run("loop", 1))}
        rivals = ("thread_pool", "asynchronous")
        turns = [[copy.run(way, WORKERS) for way in rivals] for _ in range(RUNS)]
        for way, frames in zip(rivals, zip(*turns, strict=True), strict=True):
            took[f"{way}.{WORKERS}"] = statistics.median(map(seconds, frames))
        made = statistics.median(frame["start"].min() for _, frame in turns)
        for way in [way for way in copying.WAYS if way not in ("loop", *rivals)]:
            took[f"{way}.{WORKERS}"] = seconds(copy.run(way, WORKERS))
        took[f"sns_lambda.{MOST_LAMBDAS}"] = seconds(copy.run("sns_lambda", MOST_LAMBDAS))
    ratio = took[f"asynchronous.{WORKERS}"] / took[f"thread_pool.{WORKERS}"]
    return [
        *compared("concurrency", took, OBJECTS),
        Row("concurrency.asyncio_to_threads", ratio, "x", RUNS),
        Row("concurrency.asyncio_client", made, "s", RUNS),
    ]


def measure_full() -> list[Row]:
    """concurrency.full.*: a day of the article's objects, of 1 s: the loop, and 64 threads."""
    with work(workload.objects(), FULL_SECONDS, FULL_WORKERS) as copy:
        threads = seconds(copy.run("thread_pool", FULL_WORKERS))
        took = {"loop": seconds(copy.run("loop", 1)), f"thread_pool.{FULL_WORKERS}": threads}
    return compared("concurrency.full", took, workload.DAILY)


def measure_lambda() -> list[Row]:
    """concurrency.lambda.*: the bulk of 1,500 objects through SNS and Lambda at a limit of 25."""
    with full_size(), work(workload.objects(bulk=True), SECONDS, WORKERS) as copy:
        took = seconds(copy.run("sns_lambda", LAMBDA_LIMIT))
        left = copying.missing(copy.s3, copy.source, copy.destination)
        copier = messages.naming(copy.destination)("copier")
        log = runs(copy.aws.client("logs"), copier)
        throttles = copy.aws.trace.queue(copier)["throttles"].iloc[-1]
    counted = copies(log)
    twice = counted[(counted["copies"] > 1) & (counted["copies"] >= counted["tries"])]
    failed = counted[counted["tries"] > 1]
    return [
        Row("concurrency.lambda.seconds", took, "s", workload.BULK),
        Row("concurrency.lambda.not_copied", len(left), "objects", workload.BULK),
        Row("concurrency.lambda.tried_again", len(failed), "objects", workload.BULK),
        Row("concurrency.lambda.twice_without_retry", len(twice), "objects", workload.BULK),
        Row("concurrency.lambda.at_once", concurrency(log)["running"].max(), "runs", len(log)),
        Row("concurrency.lambda.throttles", throttles, "events", workload.BULK),
    ]


def compared(name: str, took: dict[str, float], number: int) -> list[Row]:
    """Seconds of each way, and how many times faster than the first it is."""
    loop = next(iter(took.values()))
    rows = []
    for way, spent in took.items():
        rows.append(Row(f"{name}.{way}.seconds", spent, "s", number))
        if spent != loop:
            rows.append(Row(f"{name}.{way}.times_faster", loop / spent, "x", number))
    return rows


def seconds(frame: Any) -> float:
    return float(frame["end"].max())


@contextlib.contextmanager
def full_size() -> Iterator[None]:
    """The mock that starts in the block lets an account run 100 functions at once."""
    before = os.environ.get("LABS_SIZE")
    os.environ["LABS_SIZE"] = "full"
    try:
        yield
    finally:
        if before is None:
            del os.environ["LABS_SIZE"]
        else:
            os.environ["LABS_SIZE"] = before
