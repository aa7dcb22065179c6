"""A mock of its own for each test that copies, with two buckets, and no progress bars."""

from functools import partial
from types import SimpleNamespace

import pytest
from botocore.config import Config
from tqdm.auto import tqdm

from labs import cloud
from labs.concurrency import rows, workload


@pytest.fixture(autouse=True)
def silent(monkeypatch):
    # The thread that this would start stays, and tests here count threads.
    monkeypatch.setattr(tqdm, "monitor_interval", 0)
    monkeypatch.setattr(rows, "tqdm", partial(tqdm, disable=True))


@pytest.fixture(scope="module")
def mock():
    """One for the tests of a file: it takes a second to start."""
    with cloud.connect(lesson="copying") as aws:
        yield aws


@pytest.fixture
def aws(mock):
    """The same mock, emptied, in fine weather."""
    return cloud.connect(lesson="copying") if mock else None


@pytest.fixture
def buckets(aws):
    """`fill(n)` puts n objects into `source`; `keys` has them. `s3` has 32 connections."""
    settings = Config(max_pool_connections=32, retries={"total_max_attempts": 5})
    s3 = aws.client("s3", config=settings)
    buckets = SimpleNamespace(s3=s3, source=aws.name("source"), destination=aws.name("copies"))
    for bucket in (buckets.source, buckets.destination):
        s3.create_bucket(Bucket=bucket)

    def fill(number: int) -> list[str]:
        objects = workload.objects(number)
        workload.fill(s3, buckets.source, objects)
        return list(objects["key"])

    buckets.fill = fill
    return buckets
