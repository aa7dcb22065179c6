"""Copy one object from bucket to bucket, and say how it went.

What to ask S3 is a generator that does no I/O, `calls`: `copy` answers it with a boto3 client,
`copy_async` with one of aiobotocore's.

Who tries again is the client, not this file: botocore's mode "standard" waits a random part of
1, 2, 4, ... seconds before each retry of SlowDown and its like. How often it may try is
`Config(retries={"total_max_attempts": ...})`. Source: AWS SDKs and Tools Reference Guide, "Retry
behavior".
"""

import contextlib
import time
from collections.abc import Generator
from typing import Any, NamedTuple

#: The most bytes that CopyObject copies; what is larger comes in parts, of which S3 takes 10,000.
#: Source: S3 API Reference, CopyObject; S3 User Guide, "Amazon S3 multipart upload limits".
LARGEST_COPY = 5 * 1024**3
PART, MOST_PARTS = 512 * 1024**2, 10_000

#: An operation as boto3 calls it, and its parameters.
Call = tuple[str, dict[str, Any]]


class Row(NamedTuple):
    """How the copy of one object went.

    worker:   the thread, process or task that did it.
    start, end: seconds since 1970: the one clock that all processes of a machine share.
    attempts: 1, and 1 more for each retry of one of its calls; a call without an answer, for
              want of a connection, counts once.
    error:    AWS's code ("SlowDown") or the exception's name; None when all is well.
    """

    object: str
    worker: str
    start: float
    end: float
    attempts: int
    error: str | None


def calls(source: str, destination: str, key: str) -> Generator[Call, dict[str, Any], None]:
    """Yields what to ask S3, takes its answers: CopyObject, or parts of what is too large for it.

    Metadata and content type come along. An error thrown in ends an upload of parts, so that none
    stay and cost.
    """
    head = yield "head_object", {"Bucket": source, "Key": key}
    there = {"Bucket": destination, "Key": key}
    here = {"CopySource": {"Bucket": source, "Key": key}}
    if head["ContentLength"] <= LARGEST_COPY:
        yield "copy_object", there | here
        return
    kept = {name: head[name] for name in ("Metadata", "ContentType") if name in head}
    started = yield "create_multipart_upload", there | kept
    upload = there | {"UploadId": started["UploadId"]}
    try:
        parts = []
        for number, span in enumerate(ranges(head["ContentLength"]), start=1):
            part = {"PartNumber": number, "CopySourceRange": span}
            answer = yield "upload_part_copy", upload | here | part
            parts.append({"PartNumber": number, "ETag": answer["CopyPartResult"]["ETag"]})
        yield "complete_multipart_upload", upload | {"MultipartUpload": {"Parts": parts}}
    except GeneratorExit:
        raise
    except BaseException:
        with contextlib.suppress(Exception):  # what went wrong first is what to report
            yield "abort_multipart_upload", upload
        raise


def ranges(size: int) -> list[str]:
    """The ranges "bytes=FIRST-LAST" that make up `size` bytes, equally long but the last."""
    part = max(PART, -(-size // MOST_PARTS))
    return [f"bytes={at}-{min(at + part, size) - 1}" for at in range(0, size, part)]


def copy(s3: Any, source: str, destination: str, key: str, worker: str) -> Row:
    """Copy an object. A failure is an answer too: nothing is raised but an interrupt."""
    start, retries, todo = time.time(), 0, calls(source, destination, key)
    try:
        name, parameters = next(todo)
        while True:
            try:
                answer = getattr(s3, name)(**parameters)
            except BaseException as failure:
                name, parameters = todo.throw(failure)
            else:
                retries += answer["ResponseMetadata"]["RetryAttempts"]
                name, parameters = todo.send(answer)
    except StopIteration:
        return Row(key, worker, start, time.time(), 1 + retries, None)
    except Exception as failure:
        return failed(key, worker, start, 1 + retries, failure)


async def copy_async(s3: Any, source: str, destination: str, key: str, worker: str) -> Row:
    """`copy` with a client of aiobotocore's: the same, and `await` where it waits."""
    start, retries, todo = time.time(), 0, calls(source, destination, key)
    try:
        name, parameters = next(todo)
        while True:
            try:
                answer = await getattr(s3, name)(**parameters)
            except BaseException as failure:
                name, parameters = todo.throw(failure)
            else:
                retries += answer["ResponseMetadata"]["RetryAttempts"]
                name, parameters = todo.send(answer)
    except StopIteration:
        return Row(key, worker, start, time.time(), 1 + retries, None)
    except Exception as failure:
        return failed(key, worker, start, 1 + retries, failure)


def failed(key: str, worker: str, start: float, attempts: int, failure: BaseException) -> Row:
    """The row of a copy that failed. `attempts` leaves out the retries of the call that did."""
    answer = getattr(failure, "response", {})  # botocore's ClientError has AWS's answer
    retries = answer.get("ResponseMetadata", {}).get("RetryAttempts", 0)
    error = answer.get("Error", {}).get("Code") or type(failure).__name__
    return Row(key, worker, start, time.time(), attempts + retries, error)
