"""Pipelines in a real mock."""

import json

from botocore.config import Config

from tests.cloud.mock.lambda_account import until
from tests.cloud.mock.pipelines.declared import zipped

NO_RETRIES = Config(retries={"total_max_attempts": 1})
ALL = {"Effect": "Allow", "Action": "*", "Resource": "*"}
#: A function that reports success, with what its event and its tries to reach S3 gave.
REPORTER = """
import json, boto3

def f(event, context):
    job = event["CodePipeline.job"]
    configuration = job["data"]["actionConfiguration"]["configuration"]
    given = json.loads(configuration.get("UserParameters", "{}"))
    api = boto3.client("codepipeline")
    print("says", given)
    if given.get("crash"):
        raise RuntimeError("crashed")
    if given.get("silent"):
        return
    if given.get("fail"):
        details = {"type": "JobFailed", "message": given["fail"], "externalExecutionId": "x-1"}
        api.put_job_failure_result(jobId=job["id"], failureDetails=details)
        return
    if given.get("again") and "continuationToken" not in job["data"]:
        api.put_job_success_result(jobId=job["id"], continuationToken="step-2")
        return
    token = job["data"].get("continuationToken", "none")
    shown = {"token": token, "keys": " ".join(sorted(job["data"]))}
    keys = job["data"]["artifactCredentials"]
    s3 = boto3.client(
        "s3", aws_access_key_id=keys["accessKeyId"], aws_secret_access_key=keys["secretAccessKey"],
        aws_session_token=keys["sessionToken"])
    for artifact in job["data"]["inputArtifacts"]:
        place = artifact["location"]["s3Location"]
        content = s3.get_object(Bucket=place["bucketName"], Key=place["objectKey"])["Body"].read()
        shown["size"], shown["revision"] = str(len(content)), str(artifact["revision"])
    for artifact in job["data"]["outputArtifacts"]:
        place = artifact["location"]["s3Location"]
        s3.put_object(Bucket=place["bucketName"], Key=place["objectKey"], Body=b"made")
    try:
        s3.list_buckets()
    except Exception as refused:
        shown["other"] = refused.response["Error"]["Code"]
    api.put_job_success_result(
        jobId=job["id"], outputVariables=shown, executionDetails={"summary": "tested"})
"""


def trust(*services):
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": list(services)},
        "Action": "sts:AssumeRole",
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


class Delivery:
    """Clients, a source that can be put, and waiting."""

    def __init__(self, account):
        self.account, self.aws = account, account.aws
        self.api = self.aws.client("codepipeline", config=NO_RETRIES)
        self.s3 = self.aws.client("s3", config=NO_RETRIES)
        self.cloudformation = self.aws.client("cloudformation", config=NO_RETRIES)
        self.role("pipeline", ALL)
        for bucket in ("sources", "artifacts"):
            self.s3.create_bucket(Bucket=bucket)
        self.s3.put_bucket_versioning(
            Bucket="sources", VersioningConfiguration={"Status": "Enabled"}
        )

    def role(self, name, *statements, trusts=None):
        iam = self.account.iam
        document = trusts or trust("codepipeline.amazonaws.com", "cloudformation.amazonaws.com")
        arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]
        self.allow(name, *statements)
        return arn

    def allow(self, name, *statements):
        """Give a role these statements instead of those that it had."""
        document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
        self.account.iam.put_role_policy(
            RoleName=name, PolicyName="inline", PolicyDocument=document
        )

    def put(self, **files):
        """Put the source; its version."""
        files = files or {"readme": "hello"}
        answer = self.s3.put_object(Bucket="sources", Key="app.zip", Body=zipped(**files))
        return answer["VersionId"]

    def create(self, definition):
        """Make a pipeline; the id of the execution that begins with it."""
        self.api.create_pipeline(pipeline=definition)
        return self.newest()

    def newest(self):
        return self.executions()[0]["pipelineExecutionId"]

    def executions(self):
        return self.api.list_pipeline_executions(pipelineName="release")[
            "pipelineExecutionSummaries"
        ]

    def start(self, **more):
        return self.api.start_pipeline_execution(name="release", **more)["pipelineExecutionId"]

    def execution(self, execution_id):
        return self.api.get_pipeline_execution(
            pipelineName="release", pipelineExecutionId=execution_id
        )["pipelineExecution"]

    def end(self, execution_id, status="Succeeded", seconds=60):
        """Wait until an execution is over, and check how; its actions by name."""

        def over():
            found = self.execution(execution_id)["status"]
            return found if found not in ("InProgress", "Stopping") else None

        found = until(over, seconds)
        actions = self.actions(execution_id)
        assert found == status, {name: shown(one) for name, one in actions.items()}
        return actions

    def actions(self, execution_id):
        """By name, the newest run of each action."""
        runs = self.api.list_action_executions(
            pipelineName="release", filter={"pipelineExecutionId": execution_id}
        )["actionExecutionDetails"]
        return {one["actionName"]: one for one in reversed(runs)}

    def failure(self, execution_id, action):
        """(code, message) of an execution that has failed there."""
        run = self.end(execution_id, "Failed")[action]
        error = run["output"]["executionResult"]["errorDetails"]
        return error["code"], error["message"]

    def state(self, stage, action):
        """What GetPipelineState says of an action."""
        stages = self.api.get_pipeline_state(name="release")["stageStates"]
        [found] = [
            one
            for shown in stages
            if shown["stageName"] == stage
            for one in shown["actionStates"]
            if one["actionName"] == action
        ]
        return found.get("latestExecution", {})

    def token(self, stage="Ask", action="Approve"):
        return until(lambda: self.state(stage, action).get("token"))

    def answer(self, status, token, summary="seen"):
        return self.api.put_approval_result(
            pipelineName="release",
            stageName="Ask",
            actionName="Approve",
            result={"status": status, "summary": summary},
            token=token,
        )

    def object(self, place):
        """The content of an artifact, from an action's shown artifacts."""
        location = place["s3location"]
        answer = self.s3.get_object(Bucket=location["bucket"], Key=location["key"])
        return answer["Body"].read()

    def reporter(self):
        """Make the function `reporter`, whose role may report."""
        report = {"Effect": "Allow", "Action": "codepipeline:PutJob*Result", "Resource": "*"}
        logs = {"Effect": "Allow", "Action": "logs:*", "Resource": "*"}
        role = self.account.role("reporter", statements=[report, logs])
        return self.account.function("reporter", REPORTER, Role=role, Timeout=20)


def shown(run):
    result = run["output"]["executionResult"]
    return run["status"], result.get("errorDetails") or result.get("externalExecutionSummary")
