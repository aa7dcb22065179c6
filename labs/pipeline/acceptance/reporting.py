"""Turn a check into the handler of a Lambda-invoke action: run it, and report its result.

A pipeline waits for the report for an hour, so there is one in every case: when the parameters make
no sense, when the artifact is missing, and when the function's own time is nearly over. The job
event is never printed: it carries credentials.
Source: CodePipeline guide, "Invoke an AWS Lambda function in a pipeline"; API, PutJobFailureResult.
"""

import io
import json
import threading
import zipfile
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

import boto3

#: Milliseconds before the function's time-out at which a check is given up: to report takes time.
RESERVE = 1_500
#: Characters of a message that CodePipeline takes.
LONGEST = 2_000

Parameters = Mapping[str, Any]


class Failed(Exception):
    """What was tested is not as it should be. The text says what was found and what was wanted."""


def acceptance_test(check: Callable[[Parameters], str]) -> Callable[[dict, Any], None]:
    """The handler for a check: a function of the parameters that returns what it found.

    It raises Failed for a bad result. Raises KeyError when the event is not a job's: then there
    is nobody to report to.
    """

    @wraps(check)
    def handler(event: dict, context: Any) -> None:
        job = event["CodePipeline.job"]
        pipeline = boto3.client("codepipeline")
        data, remaining = job.get("data") or {}, context.get_remaining_time_in_millis
        passed, message = outcome(check, data, remaining)
        print("passed:" if passed else "failed:", message)
        if passed:
            details = {"summary": message, "externalExecutionId": context.aws_request_id}
            pipeline.put_job_success_result(jobId=job["id"], executionDetails=details)
        else:
            details = {"type": "JobFailed", "message": message}
            pipeline.put_job_failure_result(jobId=job["id"], failureDetails=details)

    return handler


def outcome(
    check: Callable[[Parameters], str], data: dict, remaining: Callable[[], int]
) -> tuple[bool, str]:
    """(did it pass, in a sentence). Never raises, and never later than the reserve allows.

    data: the job's. remaining: milliseconds until the function's time-out.
    """
    found: list[tuple[bool, str]] = []
    check_it = threading.Thread(target=lambda: found.append(tried(check, data)), daemon=True)
    check_it.start()
    check_it.join(max(0, remaining() - RESERVE) / 1000)
    passed, message = found[0] if found else (False, "It took too long: the function's time is up.")
    return passed, message[:LONGEST] or "no reason given"


def tried(check: Callable[[Parameters], str], data: dict) -> tuple[bool, str]:
    try:
        return True, check(parameters(data))
    except Failed as wrong:
        return False, str(wrong)
    except Exception as wrong:  # whatever it is, the pipeline must hear of it
        return False, f"The test itself failed: {type(wrong).__name__}: {wrong}"


def parameters(data: dict) -> dict[str, Any]:
    """The outputs in the input artifact, and over them the action's UserParameters.

    Raises Failed, without a word of what may be secret, when either cannot be read.
    """
    text = data["actionConfiguration"]["configuration"].get("UserParameters") or "{}"
    try:
        given = json.loads(text)
    except ValueError as wrong:
        raise Failed(f"UserParameters are no JSON: {wrong}") from None
    if not isinstance(given, dict):
        raise Failed('UserParameters must be a JSON object, such as {"Port": 22}.')
    if not data.get("inputArtifacts"):
        return given
    return {**outputs(data, given.pop("OutputsFile", "outputs.json")), **given}


def outputs(data: dict, file: str) -> dict[str, Any]:
    """The stack's outputs, which a CloudFormation action has written to a file of its artifact."""
    where = data["inputArtifacts"][0]["location"]["s3Location"]
    keys = data["artifactCredentials"]
    s3 = boto3.client(
        "s3",
        aws_access_key_id=keys["accessKeyId"],
        aws_secret_access_key=keys["secretAccessKey"],
        aws_session_token=keys["sessionToken"],
    )
    try:
        content = s3.get_object(Bucket=where["bucketName"], Key=where["objectKey"])["Body"].read()
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            found = json.loads(archive.read(file))
    except Exception as wrong:
        raise Failed(f"The input artifact has no outputs in {file}: {wrong}") from None
    if not isinstance(found, dict):
        raise Failed(f"{file} of the input artifact is no JSON object.")
    return found


def wanted(given: Parameters, name: str) -> str:
    """A parameter as text. Raises Failed when it is not given."""
    value = given.get(name)
    if not isinstance(value, str | int | float) or str(value) == "":
        names = ", ".join(sorted(given)) or "none"
        raise Failed(f"The parameter {name} is missing (there are: {names}).")
    return str(value)


def port(given: Parameters) -> int:
    """The parameter Port. Raises Failed when it is none."""
    text = wanted(given, "Port")
    if not text.isdecimal() or not 0 < int(text) < 65_536:
        raise Failed(f"Port must be a number from 1 to 65535, not {text!r}.")
    return int(text)
