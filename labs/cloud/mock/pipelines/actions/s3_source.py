"""The S3 source: one object of a versioned bucket.

Source: User Guide, "Amazon S3 source action reference". The texts of failures are ours, but for the
one of a bucket that may not be read, which users report.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from labs.cloud.mock.pipelines.definition import Action
from labs.cloud.mock.pipelines.model import Pipeline, Revision
from labs.cloud.mock.pipelines.work import (
    CONFIGURATION,
    PERMISSION,
    SERVICE,
    ActionFailed,
    Done,
    Work,
    code_of,
    is_denial,
    why,
)

if TYPE_CHECKING:
    from labs.cloud.mock.pipelines.motor import Pipelines


def perform(work: Work) -> Done:
    s3, bucket = work.client("s3"), work.configuration["S3Bucket"]
    key, version = _wanted(work)
    try:
        if s3.get_bucket_versioning(Bucket=bucket).get("Status") != "Enabled":
            raise ActionFailed(CONFIGURATION, f"The bucket {bucket} must have versioning enabled")
        answer = s3.get_object(
            Bucket=bucket, Key=key, **({"VersionId": version} if version else {})
        )
    except ClientError as refused:
        raise _failure(refused, bucket, key) from refused
    content, found = answer["Body"].read(), answer["VersionId"]
    work.found(found)
    [output] = work.run.outputs
    work.write(output, content)
    summary = answer.get("Metadata", {}).get("codepipeline-artifact-revision-summary")
    summary = summary or f"Amazon S3 version id: {found}"
    return Done(
        summary=summary,
        external_id=found,
        variables={
            "BucketName": bucket,
            "ETag": answer["ETag"].strip('"'),
            "ObjectKey": key,
            "VersionId": found,
        },
        revision=Revision(
            work.run.name, output.name, found, summary, created=answer["LastModified"]
        ),
    )


def newest(motor: Pipelines, pipeline: Pipeline, action: Action) -> str:
    """The version of the object that is there now. Raises ClientError, Ended."""
    configuration = action["configuration"]
    s3 = motor.inward.client(
        "s3",
        account=pipeline.account,
        region=pipeline.region,
        by=SERVICE,
        role=action.get("roleArn") or pipeline.definition["roleArn"],
    )
    head: dict[str, Any] = s3.head_object(
        Bucket=configuration["S3Bucket"], Key=configuration["S3ObjectKey"]
    )
    return head.get("VersionId") or head["ETag"]


def _wanted(work: Work) -> tuple[str, str]:
    """(key, version or "") of the object, as the start of the execution may have set them."""
    kind, value = work.execution.overrides.get(work.run.name, ("", ""))
    key = value if kind == "S3_OBJECT_KEY" else work.configuration["S3ObjectKey"]
    return key, value if kind == "S3_OBJECT_VERSION_ID" else ""


def _failure(refused: ClientError, bucket: str, key: str) -> ActionFailed:
    if is_denial(refused):
        return ActionFailed(
            PERMISSION,
            "The service role or action role doesn’t have the permissions required to access the "
            f"Amazon S3 bucket named {bucket}. Update the IAM role permissions, and then try "
            f"again. Error: Amazon S3:{why(refused)}",
        )
    if code_of(refused) in ("NoSuchKey", "NoSuchVersion", "404"):
        return ActionFailed(
            CONFIGURATION, f"The object with key '{key}' does not exist in bucket '{bucket}'"
        )
    return ActionFailed(CONFIGURATION, f"The bucket {bucket} cannot be read: {why(refused)}")
