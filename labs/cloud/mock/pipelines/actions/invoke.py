"""The Lambda invoke action: an asynchronous invocation, and a job that the function reports on.

A function that fails is tried again by Lambda, not here; one that never reports fails its action
when AWS's 20 minutes are over (on the mock's scale). Sources: User Guide, "AWS Lambda invoke action
reference", "Quotas in CodePipeline"; Lambda guide, "Using AWS Lambda with AWS CodePipeline"
(asynchronous). The text of a time-out is AWS's, seen in public.
"""

from __future__ import annotations

import json
import time

from botocore.exceptions import ClientError

from labs.cloud.mock.pipelines import jobs
from labs.cloud.mock.pipelines.jobs import Answer, Job
from labs.cloud.mock.pipelines.work import (
    CONFIGURATION,
    SERVICE,
    TIMEOUT,
    ActionFailed,
    Done,
    Work,
    as_failure,
    code_of,
)


def perform(work: Work) -> Done:
    waits, name = work.motor.waits, work.configuration["FunctionName"]
    deadline = time.monotonic() + waits.jobs
    token = ""
    while True:
        answer = _ask(work, name, token)
        if answer.failure:
            raise ActionFailed(*answer.failure)
        if not answer.token:
            return Done(answer.summary, answer.external_id, variables=answer.variables)
        work.show(summary=answer.summary, external_id=answer.external_id)
        token = answer.token
        work.wait(lambda: False, waits.pause)
        if time.monotonic() > deadline:
            raise ActionFailed(TIMEOUT, f"The AWS Lambda function {name} has not ended in 24 hours")


def _ask(work: Work, name: str, token: str) -> Answer:
    """Invoke the function once, and wait for its report."""
    job = Job(work.run, token)
    with work.motor.changed:
        work.motor.jobs[job.id] = job
    event = jobs.event(job, _credentials(work))
    try:
        work.client("lambda").invoke(
            FunctionName=name, InvocationType="Event", Payload=json.dumps(event).encode()
        )
    except ClientError as refused:
        if code_of(refused) == "ResourceNotFoundException":
            message = f"The AWS Lambda function {name} does not exist in {work.run.region}"
            raise ActionFailed(CONFIGURATION, message) from refused
        raise as_failure(refused) from refused
    try:
        if work.wait(lambda: job.answer is not None, work.motor.waits.reply):
            return job.answer
    finally:
        with work.motor.changed:
            job.is_late = True
    raise ActionFailed(
        TIMEOUT,
        f"The AWS Lambda function {name} failed to return a result. Check the function to verify "
        "that it has permission to call the PutJobSuccessResult action and that it made a call to "
        "PutJobSuccessResult.",
    )


def _credentials(work: Work) -> dict[str, str]:
    """Temporary ones of the action's role, good for the artifacts of this job."""
    pipeline = work.execution.pipeline
    sts = work.motor.inward.client(
        "sts", account=pipeline.account, region=work.run.region, by=SERVICE
    )
    policy = jobs.policy(work.run, pipeline.partition)
    return sts.assume_role(
        RoleArn=work.run.role,
        RoleSessionName=work.run.id,
        Policy=json.dumps(policy),
        DurationSeconds=jobs.CREDENTIALS_SECONDS,
    )["Credentials"]
