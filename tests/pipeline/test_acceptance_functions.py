"""The acceptance tests as Lambda functions, in a pipeline, against an environment of Beanstalk."""

import io
import json
import zipfile

import pytest

from labs import cloud
from labs.pipeline import bundles
from tests.cloud.mock.beanstalk.shop import SINGLE, Shop
from tests.cloud.mock.lambda_account import until

TESTS = ("http_test", "port_open", "port_closed", "ssh_banner")
ALL = {"Effect": "Allow", "Action": "*", "Resource": "*"}


@pytest.fixture(scope="module")
def shop():
    """An environment with version 7, and the four tests."""
    with cloud.connect(lesson="accept") as aws:
        shop = Shop(aws)
        shop.version_of("seven", bundles.bundle("7"))
        shop.launch(version="seven", **SINGLE)
        deploy_tests(aws)
        yield shop


def role(aws, name, *statements):
    iam = aws.client("iam")
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust())["Role"]["Arn"]
    document = json.dumps({"Version": "2012-10-17", "Statement": statements})
    iam.put_role_policy(RoleName=name, PolicyName="may", PolicyDocument=document)
    return arn


def trust():
    principal = {"Service": ["codepipeline.amazonaws.com", "lambda.amazonaws.com"]}
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def deploy_tests(aws):
    """Functions that may report and write their logs, and nothing else."""
    may = [
        {
            "Effect": "Allow",
            "Action": ["codepipeline:PutJobSuccessResult", "codepipeline:PutJobFailureResult"],
            "Resource": "*",
        },
        {"Effect": "Allow", "Action": "logs:*", "Resource": "*"},
    ]
    arn = role(aws, "tests", *may)
    for name in TESTS:
        aws.client("lambda").create_function(
            FunctionName=name,
            Runtime="python3.13",
            Role=arn,
            Handler=f"acceptance.{name}.handler",
            Code={"ZipFile": bundles.acceptance_tests()},
            Timeout=20,
        )
    s3 = aws.client("s3")
    for bucket in ("source", "artifacts"):
        s3.create_bucket(Bucket=bucket)
    s3.put_bucket_versioning(Bucket="source", VersioningConfiguration={"Status": "Enabled"})
    role(aws, "pipeline", ALL)


def action(kind, name, order=1, **configuration):
    category, provider = kind
    owner = {"category": category, "owner": "AWS", "provider": provider, "version": "1"}
    return {
        "name": name,
        "actionTypeId": owner,
        "runOrder": order,
        "configuration": configuration,
    }


def run(shop, outputs, **parameters):
    """(status, message) of each test, in a pipeline whose source has these outputs."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("outputs.json", json.dumps(outputs))
    shop.s3.put_object(Bucket="source", Key="outputs.zip", Body=buffer.getvalue())
    source = action(("Source", "S3"), "Source", S3Bucket="source", S3ObjectKey="outputs.zip")
    source["outputArtifacts"] = [{"name": "Stack"}]
    tests = [
        action(
            ("Invoke", "Lambda"),
            name,
            FunctionName=name,
            UserParameters=json.dumps(given) if isinstance(given, dict) else given,
        )
        for name, given in parameters.items()
    ]
    for one in tests:
        one["inputArtifacts"] = [{"name": "Stack"}]
    api = shop.aws.client("codepipeline")
    arn = "arn:aws:iam::123456789012:role/pipeline"
    api.create_pipeline(
        pipeline={
            "name": "accept",
            "roleArn": arn,
            "artifactStore": {"type": "S3", "location": "artifacts"},
            "stages": [
                {"name": "Source", "actions": [source]},
                {"name": "Test", "actions": tests},
            ],
        }
    )

    def done():
        found = api.list_action_executions(pipelineName="accept")["actionExecutionDetails"]
        ended = {
            one["actionName"]: one
            for one in found
            if one["actionName"] in parameters and one["status"] != "InProgress"
        }
        return ended if ended.keys() == parameters.keys() else None

    try:
        return {name: told(one) for name, one in until(done, 90).items()}
    finally:
        api.delete_pipeline(name="accept")


def told(execution):
    result = execution["output"]["executionResult"]
    details = result.get("errorDetails", {}).get("message", "")
    return execution["status"], result.get("externalExecutionSummary") or details


def test_a_sound_environment_passes_all_but_ssh(shop):
    host = shop.describe()["EndpointURL"]
    results = run(
        shop,
        {"Url": f"http://{shop.describe()['CNAME']}/", "Host": host},
        http_test={"Version": "7"},
        port_open={"Port": 80},
        port_closed={"Port": 22},
        ssh_banner={},
    )
    assert results["http_test"][0] == "Succeeded", results
    assert results["port_open"][0] == "Succeeded", results
    assert results["port_closed"][0] == "Succeeded", results
    status, message = results["ssh_banner"]
    assert status == "Failed"
    assert "No SSH server answers at port 22" in message


def test_port_22_opened_to_the_world_is_found(shop):
    shop.set(SSHSourceRestriction="tcp, 22, 22, 0.0.0.0/0")
    try:
        host = shop.describe()["EndpointURL"]
        results = run(shop, {"Host": host}, port_closed={"Port": 22}, ssh_banner={})
    finally:
        shop.set(SSHSourceRestriction="tcp, 22, 22, 10.0.0.0/8")
    assert results["port_closed"][0] == "Failed"
    assert "is open" in results["port_closed"][1]
    assert results["ssh_banner"][0] == "Succeeded"
    assert "OpenSSH" in results["ssh_banner"][1]


def test_another_version_garbage_and_missing_outputs_are_failures_with_a_reason(shop):
    results = run(
        shop,
        {"Url": f"http://{shop.describe()['CNAME']}/"},
        http_test={"Version": "8"},
        port_open="{garbage",
        port_closed={"OutputsFile": "others.json"},
    )
    assert {status for status, _ in results.values()} == {"Failed"}
    assert "with version 7 on the page, not version 8" in results["http_test"][1]
    assert "UserParameters are no JSON" in results["port_open"][1]
    assert "no outputs in others.json" in results["port_closed"][1]


def test_the_logs_have_results_and_no_credentials(shop):
    run(shop, {"Host": shop.describe()["EndpointURL"]}, port_open={"Port": 80})
    logs = shop.aws.client("logs")
    group = {"logGroupName": "/aws/lambda/port_open"}

    def messages():
        streams = logs.describe_log_streams(**group)["logStreams"]
        events = (
            logs.get_log_events(**group, logStreamName=one["logStreamName"])["events"]
            for one in streams
        )
        return [event["message"] for found in events for event in found]

    until(lambda: any(one.startswith("passed:") for one in messages()), 20)
    text = "\n".join(messages())
    assert "secretAccessKey" not in text
    assert "sessionToken" not in text
