"""Pipelines as a learner of lessons 42 and 43 tries them: sources, functions, approvals, roles."""

import json
import re

import pytest
from botocore.exceptions import ClientError

from tests.cloud.mock.lambda_account import until
from tests.cloud.mock.pipelines.declared import (
    ROLE,
    action,
    approval,
    function,
    pipeline,
    source,
    stack,
    unzipped,
)
from tests.cloud.mock.pipelines.delivery import ALL, trust

COPY = {"BucketName": "artifacts", "Extract": "false", "ObjectKey": "copy.zip"}


def refused(call, **named):
    with pytest.raises(ClientError) as caught:
        call(**named)
    return caught.value.response["Error"]["Code"]


# Sources


def test_an_object_becomes_an_artifact_and_variables(delivery):
    version = delivery.put(readme="one")
    tell = function("Tell", "reporter", '{"id": "#{Src.VersionId} #{Src.ETag}"}', takes=["App"])
    delivery.reporter()
    made = pipeline(("Tell", tell))
    made["stages"][0]["actions"] = [source(namespace="Src")]
    actions = delivery.end(delivery.create(made))
    found = actions["Object"]
    [artifact] = found["output"]["outputArtifacts"]
    assert re.fullmatch(r"release/App/\w{7}\.zip", artifact["s3location"]["key"])
    assert unzipped(delivery.object(artifact)) == {"readme": "one"}
    assert found["output"]["outputVariables"]["VersionId"] == version
    told = actions["Tell"]["input"]["resolvedConfiguration"]["UserParameters"]
    assert version in told
    execution = delivery.execution(delivery.newest())
    [revision] = execution["artifactRevisions"]
    assert (revision["name"], revision["revisionId"]) == ("App", version)
    assert revision["revisionSummary"] == f"Amazon S3 version id: {version}"
    assert execution["trigger"]["triggerType"] == "CreatePipeline"


def test_an_old_version_can_be_released_again(delivery):
    old = delivery.put(readme="old")
    delivery.put(readme="new")
    delivery.create(pipeline(("Ask", approval())))
    override = {
        "actionName": "Object",
        "revisionType": "S3_OBJECT_VERSION_ID",
        "revisionValue": old,
    }
    execution = delivery.start(sourceRevisions=[override])
    done = until(
        lambda: (
            delivery.actions(execution).get("Object", {}).get("output", {}).get("outputVariables")
        )
    )
    assert done["VersionId"] == old
    wrong = {**override, "revisionType": "COMMIT_ID"}
    assert (
        refused(delivery.api.start_pipeline_execution, name="release", sourceRevisions=[wrong])
        == "ValidationException"
    )


def test_a_new_object_starts_a_pipeline_that_polls(delivery):
    delivery.put(readme="one")
    made = pipeline(("Ask", approval()))
    del made["stages"][0]["actions"][0]["configuration"]["PollForSourceChanges"]
    delivery.create(made)
    delivery.token()
    delivery.s3.put_object(Bucket="sources", Key="other.zip", Body=b"")
    version = delivery.put(readme="two")
    until(lambda: len(delivery.executions()) == 2)
    newest = delivery.executions()[0]
    assert newest["trigger"]["triggerType"] == "PollForSourceChanges"
    until(lambda: delivery.execution(newest["pipelineExecutionId"]).get("artifactRevisions"))
    [revision] = delivery.execution(newest["pipelineExecutionId"])["artifactRevisions"]
    assert revision["revisionId"] == version
    assert len(delivery.executions()) == 2


def test_a_first_object_that_comes_late_starts_it_too(delivery):
    made = pipeline(("Ask", approval()))
    made["stages"][0]["actions"][0]["configuration"]["PollForSourceChanges"] = "true"
    assert delivery.failure(delivery.create(made), "Object") == (
        "ConfigurationError",
        "The object with key 'app.zip' does not exist in bucket 'sources'",
    )
    delivery.put()
    delivery.token()


@pytest.mark.parametrize(
    ("configuration", "said"),
    [
        ({"S3Bucket": "nowhere"}, "The bucket nowhere cannot be read"),
        ({"S3Bucket": "artifacts"}, "must have versioning enabled"),
        ({"S3ObjectKey": "no.zip"}, "'no.zip' does not exist"),
    ],
)
def test_sources_that_fail(delivery, configuration, said):
    delivery.put()
    made = pipeline(("Ask", approval()))
    made["stages"][0]["actions"] = [source(configuration=configuration)]
    code, message = delivery.failure(delivery.create(made), "Object")
    assert code == "ConfigurationError"
    assert said in message


# Roles


def test_a_role_that_may_not_read_the_source(delivery):
    delivery.put()
    delivery.allow("pipeline", {**ALL, "Resource": "arn:aws:s3:::artifacts/*"})
    code, message = delivery.failure(delivery.create(pipeline(("Ask", approval()))), "Object")
    assert code == "PermissionError"
    assert "required to access the Amazon S3 bucket named sources" in message
    assert "assumed-role/pipeline/codepipeline is not authorized to perform: s3:" in message


def test_a_retry_after_the_role_was_mended(delivery):
    delivery.put()
    delivery.allow("pipeline", {**ALL, "Action": "s3:Get*"})
    execution = delivery.create(pipeline(("Ask", approval())))
    code, message = delivery.failure(execution, "Object")
    assert code == "PermissionError"
    assert "artifact bucket 'artifacts'" in message
    delivery.allow("pipeline", ALL)
    delivery.api.retry_stage_execution(
        pipelineName="release",
        stageName="Source",
        pipelineExecutionId=execution,
        retryMode="FAILED_ACTIONS",
    )
    delivery.token()


def test_an_action_has_a_role_of_its_own(delivery):
    delivery.put()
    delivery.reporter()
    invoker = delivery.role(
        "invoker",
        {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": "*"},
        {"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::artifacts/*"},
        trusts=json.dumps(
            {
                "Statement": [
                    {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": ROLE}}
                ]
            }
        ),
    )
    made = pipeline(("Run", function("Run", "reporter", takes=["App"], roleArn=invoker)))
    delivery.end(delivery.create(made))
    delivery.allow("invoker", {**ALL, "Effect": "Deny"})
    code, message = delivery.failure(delivery.start(), "Run")
    assert code == "PermissionError"
    assert "assumed-role/invoker/codepipeline is not authorized" in message
    delivery.allow("pipeline", {**ALL, "Action": "s3:*"})
    code, message = delivery.failure(delivery.start(), "Run")
    assert code == "PermissionError"
    assert "AssumeRole" in message


def test_a_role_must_exist_and_trust_codepipeline(delivery):
    delivery.role("other", ALL, trusts=trust("lambda.amazonaws.com"))
    for name in ("other", "nobody"):
        made = {**pipeline(("Ask", approval())), "roleArn": ROLE.replace("pipeline", name)}
        assert refused(delivery.api.create_pipeline, pipeline=made) == "InvalidStructureException"


# Functions


def test_a_function_reads_reports_and_makes_an_artifact(delivery):
    version = delivery.put()
    delivery.reporter()
    run = function("Run", "reporter", takes=["App"], gives=["Made"], namespace="Ran")
    use = function("Use", "reporter", '{"n": "#{Ran.size}"}', takes=["Made"], runOrder=2)
    actions = delivery.end(delivery.create(pipeline(("Run", run, use))))
    variables = actions["Run"]["output"]["outputVariables"]
    assert variables["revision"] == version
    assert int(variables["size"]) > 0
    assert variables["other"] == "AccessDenied"
    assert (
        variables["keys"]
        == "actionConfiguration artifactCredentials inputArtifacts outputArtifacts"
    )
    assert actions["Run"]["output"]["executionResult"]["externalExecutionSummary"] == "tested"
    [made] = actions["Run"]["output"]["outputArtifacts"]
    assert delivery.object(made) == b"made"
    assert re.fullmatch(r"release/Made/\w{7}", made["s3location"]["key"])
    assert actions["Use"]["output"]["outputVariables"]["size"] == "4"


def test_a_function_fails_its_action(delivery):
    delivery.put()
    delivery.reporter()
    run = function("Run", "reporter", '{"fail": "the page is wrong"}')
    execution = delivery.create(pipeline(("Run", run), ("Ask", approval())))
    assert delivery.failure(execution, "Run") == ("JobFailed", "the page is wrong")
    assert delivery.state("Run", "Run")["externalExecutionId"] == "x-1"
    assert delivery.state("Ask", "Approve") == {}


def test_a_function_goes_on_later(delivery):
    delivery.put()
    delivery.reporter()
    actions = delivery.end(
        delivery.create(pipeline(("Run", function("Run", "reporter", '{"again": 1}'))))
    )
    assert actions["Run"]["output"]["outputVariables"]["token"] == "step-2"


@pytest.mark.parametrize("parameters", ['{"silent": 1}', '{"crash": 1}'])
def test_a_function_that_does_not_report_keeps_the_action_waiting(delivery, parameters):
    delivery.put()
    delivery.reporter()
    execution = delivery.create(pipeline(("Run", function("Run", "reporter", parameters))))
    until(lambda: delivery.account.said("reporter", "END RequestId"))
    assert delivery.state("Run", "Run")["status"] == "InProgress"
    delivery.api.stop_pipeline_execution(
        pipelineName="release", pipelineExecutionId=execution, abandon=True
    )
    assert delivery.end(execution, "Stopped")["Run"]["status"] == "Abandoned"


def test_a_job_is_reported_once_and_only_here(delivery):
    delivery.put()
    delivery.reporter()
    delivery.account.function(
        "keeper", "import json\ndef f(e, c):\n    print('JOB', e['CodePipeline.job']['id'])\n"
    )
    execution = delivery.create(pipeline(("Run", function("Run", "keeper"))))
    [line] = until(lambda: delivery.account.said("keeper", "JOB"))
    job = line.split()[1]
    details = delivery.api.get_job_details(jobId=job)["jobDetails"]
    assert details["data"]["pipelineContext"]["pipelineName"] == "release"
    assert "artifactCredentials" not in details["data"]
    elsewhere = delivery.aws.client("codepipeline", region_name="eu-west-1")
    assert refused(elsewhere.put_job_success_result, jobId=job) == "JobNotFoundException"
    delivery.api.put_job_success_result(jobId=job)
    delivery.end(execution)
    assert refused(delivery.api.put_job_success_result, jobId=job) == "InvalidJobStateException"


def test_a_function_that_is_not_there(delivery):
    delivery.put()
    execution = delivery.create(pipeline(("Run", function("Run", "nobody"))))
    code, message = delivery.failure(execution, "Run")
    assert code == "ConfigurationError"
    assert "The AWS Lambda function nobody does not exist" in message


def test_an_artifact_that_is_gone_is_a_stated_failure(delivery):
    delivery.put(template__json={"Resources": {}})
    made = pipeline(("Ask", approval()), ("Deploy", stack("Stack")))
    execution = delivery.create(made)
    token = delivery.token()
    [place] = delivery.actions(execution)["Object"]["output"]["outputArtifacts"]
    location = place["s3location"]
    delivery.s3.delete_object(Bucket=location["bucket"], Key=location["key"])
    delivery.answer("Approved", token)
    code, message = delivery.failure(execution, "Stack")
    assert code == "PermissionError"
    assert message.startswith(
        f"Unable to access the artifact with Amazon S3 object key '{location['key']}' located in "
        "the Amazon S3 artifact bucket 'artifacts'."
    )


# Approvals


def test_an_approval(delivery):
    delivery.put()
    topic = delivery.account.sns.create_topic(Name="approvals")["TopicArn"]
    url, queue = delivery.account.queue("approvals")
    delivery.account.sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)
    asked = {
        "NotificationArn": topic,
        "CustomData": "version #{Src.VersionId}",
        "ExternalEntityLink": "http://example.com",
    }
    made = pipeline(("Ask", approval(configuration=asked)))
    made["stages"][0]["actions"] = [source(namespace="Src")]
    execution = delivery.create(made)
    token = delivery.token()
    envelope = json.loads(delivery.account.message(url)["Body"])
    assert envelope["Subject"] == "APPROVAL NEEDED: AWS CodePipeline release for action Approve"
    notice = json.loads(envelope["Message"])["approval"]
    assert (notice["token"], notice["stageName"]) == (token, "Ask")
    assert notice["customData"].startswith("version ")
    assert delivery.answer("Approved", token, "looks good")["approvedAt"]
    delivery.end(execution)
    state = delivery.state("Ask", "Approve")
    assert (state["status"], state["summary"]) == ("Succeeded", "looks good")
    assert "token" not in state
    assert state["lastUpdatedBy"].startswith("arn:aws:iam::123456789012:")


def test_a_rejection_and_wrong_tokens(delivery):
    delivery.put()
    execution = delivery.create(pipeline(("Ask", approval()), ("Then", approval("Never"))))
    token = delivery.token()
    wrong = "00000000-0000-0000-0000-000000000000"
    with pytest.raises(delivery.api.exceptions.InvalidApprovalTokenException):
        delivery.answer("Approved", wrong)
    delivery.answer("Rejected", token, "not on Friday")
    delivery.end(execution, "Failed")
    assert delivery.state("Ask", "Approve")["summary"] == "not on Friday"
    with pytest.raises(delivery.api.exceptions.ApprovalAlreadyCompletedException):
        delivery.answer("Approved", token)


# Deployments to S3


def test_files_are_deployed_to_a_bucket(delivery):
    delivery.put(index__html="<p>hi", data__json={})
    delivery.s3.create_bucket(Bucket="site")
    extract = {
        "BucketName": "site",
        "Extract": "true",
        "ObjectKey": "www",
        "CacheControl": "no-cache",
    }
    whole = {"BucketName": "site", "Extract": "false", "ObjectKey": "whole.zip"}
    deploy = [
        action(name, "Deploy", "S3", one, takes=["App"])
        for name, one in (("Extract", extract), ("Whole", whole))
    ]
    delivery.end(delivery.create(pipeline(("Deploy", *deploy))))
    page = delivery.s3.get_object(Bucket="site", Key="www/index.html")
    assert (page["ContentType"], page["CacheControl"]) == ("text/html", "no-cache")
    whole = delivery.s3.get_object(Bucket="site", Key="whole.zip")["Body"].read()
    assert unzipped(whole) == {"index.html": "<p>hi", "data.json": "{}"}


def test_what_only_aws_can_run_fails_when_it_runs(delivery):
    delivery.put()
    build = action("Build", "Build", "CodeBuild", {"ProjectName": "p"}, takes=["App"])
    code, message = delivery.failure(delivery.create(pipeline(("Build", build))), "Build")
    assert code == "ConfigurationError"
    assert "This mock does not run Build actions of CodeBuild" in message


# The rest of the API


def test_names_tags_lists_and_what_is_not_there(delivery):
    api = delivery.api
    made = pipeline(("Ask", approval()))
    api.create_pipeline(pipeline=made, tags=[{"key": "team", "value": "a"}])
    assert refused(api.create_pipeline, pipeline=made) == "PipelineNameInUseException"
    arn = api.get_pipeline(name="release")["metadata"]["pipelineArn"]
    assert arn == "arn:aws:codepipeline:us-east-1:123456789012:release"
    api.tag_resource(resourceArn=arn, tags=[{"key": "stage", "value": "b"}])
    api.untag_resource(resourceArn=arn, tagKeys=["team"])
    assert api.list_tags_for_resource(resourceArn=arn)["tags"] == [{"key": "stage", "value": "b"}]
    assert (
        refused(api.tag_resource, resourceArn=arn, tags=[{"key": "aws:x", "value": ""}])
        == "InvalidTagsException"
    )
    assert refused(api.list_tags_for_resource, resourceArn="x") == "ValidationException"
    other = arn.replace("release", "no")
    assert refused(api.list_tags_for_resource, resourceArn=other) == "ResourceNotFoundException"
    [listed] = api.list_pipelines()["pipelines"]
    assert (listed["name"], listed["version"], listed["pipelineType"]) == ("release", 1, "V1")
    for call in (api.get_pipeline, api.get_pipeline_state, api.start_pipeline_execution):
        assert refused(call, name="no") == "PipelineNotFoundException"
    missing = {**made, "name": "no"}
    assert refused(api.update_pipeline, pipeline=missing) == "ResourceNotFoundException"
    types = api.list_action_types(actionOwnerFilter="ThirdParty")["actionTypes"]
    assert [one["id"]["provider"] for one in types] == ["GitHub"]
    api.delete_pipeline(name="release")
    assert api.list_pipelines()["pipelines"] == []


def test_cleanup_finds_pipelines(delivery):
    name = delivery.aws.name("release")
    delivery.api.create_pipeline(pipeline=pipeline(("Ask", approval()), name=name))
    assert f"codepipeline {name}" in delivery.aws.cleanup()


def test_the_trace_shows_what_actions_do(delivery):
    delivery.put()
    made = pipeline(("Deploy", action("Copy", "Deploy", "S3", COPY, takes=["App"])))
    delivery.end(delivery.create(made))
    execution = delivery.start()
    delivery.end(execution)
    path = delivery.aws.trace()
    steps = [(hop.operation, hop.resource) for hop in path]
    assert steps[:2] == [("StartPipelineExecution", "release"), ("act", "release/Source/Object")]
    assert ("act", "release/Deploy/Copy") in steps
    assert steps[-1][0] == "PutObject"
    assert {hop.caller for hop in path} == {"learner", "codepipeline"}
    assert path.at_rest


def test_operations_that_there_are_not_say_so(delivery):
    assert refused(delivery.api.list_webhooks) == "NotImplemented"


def test_a_reset_in_the_middle_of_it_leaves_nothing(delivery):
    delivery.put()
    delivery.create(pipeline(("Ask", approval())))
    delivery.token()
    delivery.aws.cleanup(confirm=True)
    assert delivery.api.list_pipelines()["pipelines"] == []
    assert refused(delivery.api.get_pipeline_state, name="release") == "PipelineNotFoundException"
    again = type(delivery)(type(delivery.account)(delivery.aws))
    again.put()
    again.create(pipeline(("Ask", approval())))
    again.token()
