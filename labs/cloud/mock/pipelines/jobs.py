"""Jobs: what a Lambda function is asked to do by an action, and what it answers.

Source: CodePipeline API, JobDetails, PutJobSuccessResult, PutJobFailureResult; Lambda guide, "Using
AWS Lambda with AWS CodePipeline" (the event).
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from labs.cloud.mock.pipelines.model import ActionRun, Artifact, new_id

#: Seconds for which a job's credentials are said to hold.
CREDENTIALS_SECONDS = 3600


@dataclass(frozen=True)
class Answer:
    """failure: (type, message), or None. token: the job goes on later, with this."""

    failure: tuple[str, str] | None = None
    token: str = ""
    summary: str = ""
    external_id: str = ""
    variables: dict[str, str] = field(default_factory=dict)


@dataclass(eq=False)
class Job:
    """One invocation of a function for an action. answer: None until it reports.

    token: the continuation token that the invocation before gave. is_late: nobody waits any more.
    """

    run: ActionRun
    token: str = ""
    id: str = field(default_factory=new_id)
    answer: Answer | None = None
    is_late: bool = False

    @property
    def state(self) -> str:
        """In AWS's words. Source: API, JobStatus."""
        if self.answer:
            return "Failed" if self.answer.failure else "Succeeded"
        return "TimedOut" if self.is_late else "InProgress"


def event(job: Job, credentials: dict[str, str] | None) -> dict[str, Any]:
    """What the function gets. credentials: STS's."""
    shown = details(job)
    if credentials:
        shown["data"]["artifactCredentials"] = {
            "accessKeyId": credentials["AccessKeyId"],
            "secretAccessKey": credentials["SecretAccessKey"],
            "sessionToken": credentials["SessionToken"],
            "expirationTime": int((time.time() + CREDENTIALS_SECONDS) * 1000),
        }
    return {"CodePipeline.job": {**shown, "data": _for_functions(shown["data"])}}


def _for_functions(data: dict[str, Any]) -> dict[str, Any]:
    """Functions are told less than GetJobDetails tells. Source: the pages' examples."""
    return {name: value for name, value in data.items() if name not in _ONLY_DETAILS}


_ONLY_DETAILS = ("actionTypeId", "pipelineContext")


def details(job: Job) -> dict[str, Any]:
    """As GetJobDetails shows it, without credentials."""
    run = job.run
    pipeline = run.execution.pipeline
    data: dict[str, Any] = {
        "actionTypeId": run.declaration["actionTypeId"],
        "actionConfiguration": {"configuration": run.configuration},
        "pipelineContext": {
            "pipelineName": pipeline.name,
            "stage": {"name": run.stage},
            "action": {"name": run.name, "actionExecutionId": run.id},
            "pipelineArn": pipeline.arn,
            "pipelineExecutionId": run.execution.id,
        },
        "inputArtifacts": [_located(one) for one in run.inputs],
        "outputArtifacts": [_located(one) for one in run.outputs],
    }
    if job.token:
        data["continuationToken"] = job.token
    return {"id": job.id, "accountId": pipeline.account, "data": data}


def _located(artifact: Artifact) -> dict[str, Any]:
    return {
        "name": artifact.name,
        "revision": artifact.revision or None,
        "location": {
            "type": "S3",
            "s3Location": {"bucketName": artifact.bucket, "objectKey": artifact.key},
        },
    }


def policy(run: ActionRun, partition: str) -> dict[str, Any]:
    """What the credentials of a job are for: its artifacts, and nothing else."""

    def arns(artifacts: list[Artifact]) -> list[str]:
        return [f"arn:{partition}:s3:::{one.bucket}/{one.key}" for one in artifacts]

    statements = [
        {"Effect": "Allow", "Action": actions, "Resource": arns(artifacts)}
        for actions, artifacts in (
            (["s3:GetObject", "s3:GetObjectVersion"], run.inputs),
            (["s3:PutObject"], run.outputs),
        )
        if artifacts
    ]
    nothing = [{"Effect": "Deny", "Action": "*", "Resource": "*"}]
    return {"Version": "2012-10-17", "Statement": statements or nothing}
