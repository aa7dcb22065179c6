"""The Elastic Beanstalk deploy action: a version of the artifact, deployed to an environment.

The environment tells how it went: it is Ready again with the new version, or with the old one and
an error among its events. Source: User Guide, "Elastic Beanstalk deploy action reference",
"Troubleshooting CodePipeline"; the form of version labels, as users show them.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from labs.cloud.mock.pipelines.work import (
    CONFIGURATION,
    JOB_FAILED,
    TIMEOUT,
    ActionFailed,
    Done,
    Work,
    as_failure,
    is_denial,
)


def perform(work: Work) -> Done:
    api = work.client("elasticbeanstalk")
    application, environment = (
        work.configuration["ApplicationName"],
        work.configuration["EnvironmentName"],
    )
    [artifact] = work.run.inputs
    work.read(artifact)
    before = _environment(api, application, environment)
    unique = f"{int(time.time() * 1000)}-{artifact.name}-{work.run.id}"
    label = f"code-pipeline-{unique}"[:100]
    began = datetime.now(UTC)
    api.create_application_version(
        ApplicationName=application,
        VersionLabel=label,
        SourceBundle={"S3Bucket": artifact.bucket, "S3Key": artifact.key},
        AutoCreateApplication=False,
    )
    work.show(summary=f"Deploying version {label}", external_id=label)
    api.update_environment(EnvironmentId=before["EnvironmentId"], VersionLabel=label)

    def settled() -> dict[str, Any] | None:
        now = _environment(api, application, environment)
        return now if now["Status"] not in ("Launching", "Updating") else None

    after = work.look(settled, work.motor.waits.other)
    if after is None:
        raise ActionFailed(TIMEOUT, f"The environment {environment} has not become ready in time")
    if after.get("VersionLabel") != label or after["Status"] != "Ready":
        raise ActionFailed(JOB_FAILED, _why(api, application, environment, began))
    return Done("Deployment Succeeded", label)


def _environment(api: Any, application: str, name: str) -> dict[str, Any]:
    """Raises ActionFailed when it is not there."""
    found = api.describe_environments(
        ApplicationName=application, EnvironmentNames=[name], IncludeDeleted=False
    )["Environments"]
    if not found:
        raise ActionFailed(CONFIGURATION, f"No Environment found for EnvironmentName = '{name}'.")
    return found[0]


def _why(api: Any, application: str, environment: str, began: datetime) -> str:
    """The environment's own errors, the oldest first."""
    try:
        events = api.describe_events(
            ApplicationName=application,
            EnvironmentName=environment,
            StartTime=began,
            Severity="ERROR",
        )["Events"]
    except ClientError as refused:
        if is_denial(refused):
            raise as_failure(refused) from refused
        events = []
    said = [event["Message"] for event in reversed(events)]
    return "Deployment failed. " + (" ".join(said) or "The environment kept its old version.")
