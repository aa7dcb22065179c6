"""The S3 deploy action: an artifact, or what is in it, into a bucket.

Source: User Guide, "Amazon S3 deploy action reference".
"""

from __future__ import annotations

import mimetypes
import time
from typing import Any

from labs.cloud.mock.pipelines.work import (
    CONFIGURATION,
    TIMEOUT,
    ActionFailed,
    Done,
    Work,
    open_zip,
)


def perform(work: Work) -> Done:
    given, s3 = work.configuration, work.client("s3")
    [artifact] = work.run.inputs
    content, bucket, key = work.read(artifact), given["BucketName"], given.get("ObjectKey", "")
    settings = _settings(given)
    if given["Extract"].lower() != "true":
        if not key:
            raise ActionFailed(CONFIGURATION, "ObjectKey is required if Extract is false")
        s3.put_object(Bucket=bucket, Key=key, Body=content, **settings)
        return Done("Deployment Succeeded", variables={"ObjectKey": key})
    deadline = time.monotonic() + work.motor.waits.upload
    with open_zip(content, artifact.key) as archive:
        for name in archive.namelist():
            work.check()
            if time.monotonic() > deadline:
                raise ActionFailed(TIMEOUT, "The upload to Amazon S3 has timed out")
            if name.endswith("/"):
                continue
            kind = mimetypes.guess_type(name)[0] or "binary/octet-stream"
            place = f"{key.rstrip('/')}/{name}" if key else name
            body = archive.read(name)
            s3.put_object(Bucket=bucket, Key=place, Body=body, ContentType=kind, **settings)
    return Done("Deployment Succeeded")


def _settings(given: dict[str, str]) -> dict[str, Any]:
    settings: dict[str, Any] = {}
    if given.get("CannedACL"):
        settings["ACL"] = given["CannedACL"]
    if given.get("CacheControl"):
        settings["CacheControl"] = given["CacheControl"]
    if given.get("KMSEncryptionKeyARN"):
        settings |= {
            "ServerSideEncryption": "aws:kms",
            "SSEKMSKeyId": given["KMSEncryptionKeyARN"],
        }
    return settings
