"""Copy objects from bucket to bucket, in the ways that Python has.

`way(s3, source, destination, keys, workers)` copies and returns a frame, one row an object
(`Rows.frame` says which columns). A failed object has its row with an error, and the others are
copied all the same. An interrupt ends the workers once their copies at hand are done (`loop`: at
once), and the rows so far are returned; `missing` tells what is left.

s3: a boto3 client. Its `Config` holds for all ways: `max_pool_connections` at least as large as
`workers` (boto3's default is 10), and `retries`.
"""

from typing import Any

from labs.concurrency.processes import multiprocess, process_pool
from labs.concurrency.tasks import asynchronous, to_thread
from labs.concurrency.threads import loop, semaphore, thread_pool

__all__ = [
    "WAYS",
    "asynchronous",
    "loop",
    "missing",
    "multiprocess",
    "process_pool",
    "semaphore",
    "thread_pool",
    "to_thread",
]

#: Name -> way, all that need nothing but S3.
WAYS = {
    way.__name__: way
    for way in (
        loop,
        semaphore,
        thread_pool,
        process_pool,
        multiprocess,
        asynchronous,
        to_thread,
    )
}


def missing(s3: Any, source: str, destination: str) -> list[str]:
    """The keys of `source` that `destination` lacks or has in another size: what to copy now.

    Raises botocore's ClientError when a bucket cannot be listed.
    """
    have = _sizes(s3, destination)
    return [key for key, size in _sizes(s3, source).items() if have.get(key) != size]


def _sizes(s3: Any, bucket: str) -> dict[str, int]:
    """{key: bytes}, all pages, in order of key."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    return {each["Key"]: each["Size"] for page in pages for each in page.get("Contents", [])}
