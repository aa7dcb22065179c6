"""How many bytes of an S3 object a call carries, so that a slow line can be timed.

An object may say that it stands for a larger one: with the metadata `logical-size` (bytes) a copy
of a gigabyte takes as long as on a line of that speed, without a gigabyte on the learner's disk.
"""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from labs.cloud.mock.operations import Operation

#: The operations that carry an object's content.
OPERATIONS = ("GetObject", "PutObject", "CopyObject", "UploadPart", "UploadPartCopy")
LOGICAL_SIZE = "logical-size"

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


def size(operation: Operation, environ: Mapping[str, Any]) -> int:
    """Bytes; 0 for a call that carries none, or whose object does not exist.

    A part has the bytes that it has: which share of a logical size it is, nobody knows.
    """
    given = operation.parameters
    if operation.service != "s3" or operation.name not in OPERATIONS or not given:
        return 0
    if operation.name == "PutObject":
        return _logical(given.get("Metadata")) or _content_length(environ)
    if operation.name == "UploadPart":
        return _content_length(environ)
    if operation.name == "GetObject":
        return _stored(given["Bucket"], given["Key"], given.get("Range"))
    source = str(given.get("CopySource", "")).partition("?versionId=")[0]
    bucket, _, key = unquote(source).lstrip("/").partition("/")
    return _stored(bucket, key, given.get("CopySourceRange"))


def _content_length(environ: Mapping[str, Any]) -> int:
    # A body in signed chunks says how long it is without their frames.
    text = environ.get("HTTP_X_AMZ_DECODED_CONTENT_LENGTH") or environ.get("CONTENT_LENGTH") or "0"
    return int(text) if text.isdigit() else 0


def _logical(metadata: Mapping[str, Any] | None) -> int:
    # moto keeps the names of headers, a request's parameters have those of metadata.
    names = {name.lower().removeprefix("x-amz-meta-"): name for name in metadata or {}}
    text = str(metadata[names[LOGICAL_SIZE]]) if LOGICAL_SIZE in names else ""
    return int(text) if text.isascii() and text.isdigit() else 0


def _stored(bucket: str, key: str, wanted: str | None) -> int:
    from moto.s3.models import s3_backends  # memory: most lessons never need it

    if bucket not in s3_backends.bucket_accounts:
        return 0
    partition, account = s3_backends.bucket_accounts[bucket]
    found = s3_backends[account][partition].get_object(bucket, key)
    if found is None:
        return 0
    whole = _logical(found.metadata) or found.size
    return round(whole * _share(wanted, found.size))


def _share(wanted: str | None, length: int) -> float:
    """Which part of an object a range is, 0 to 1. Source: RFC 9110, section 14.1.2."""
    match = _RANGE.fullmatch(wanted or "")
    if match is None or not any(match.groups()) or not length:
        return 1.0
    first, last = match.groups()
    if not first:  # the last so many bytes
        return min(int(last), length) / length
    end = min(int(last), length - 1) if last else length - 1
    return max(0, end - int(first) + 1) / length
