"""Applications and their versions."""

import json

import pytest
from botocore.exceptions import ClientError

from tests.cloud.mock.balancing.plane_world import until
from tests.cloud.mock.beanstalk.shop import BUCKET, SINGLE
from tests.cloud.mock.beanstalk.test_environments import refusal


def names(shop):
    found = shop.api.describe_applications()["Applications"]
    return [one["ApplicationName"] for one in found]


def test_an_application_is_made_described_changed_and_deleted(shop):
    made = shop.api.create_application(ApplicationName="bar", Description="drinks")["Application"]
    assert made["ApplicationArn"].endswith(":application/bar")
    assert names(shop) == ["shop", "bar"]
    shop.api.update_application(ApplicationName="bar", Description="food")
    [found] = shop.api.describe_applications(ApplicationNames=["bar"])["Applications"]
    assert found["Description"] == "food"
    shop.api.delete_application(ApplicationName="bar")
    assert names(shop) == ["shop"]
    assert refusal(shop.api.create_application, ApplicationName="shop") == (
        "InvalidParameterValue",
        "Application shop already exists.",
    )
    assert refusal(shop.api.update_application, ApplicationName="bar")[1] == (
        "No Application named 'bar' found."
    )


def test_with_environments_it_is_deleted_by_force_only(shop):
    shop.launch(version=shop.version("v1"), **SINGLE)
    code, message = refusal(shop.api.delete_application, ApplicationName="shop")
    assert code == "OperationInProgressFailure"
    assert "running environments" in message
    shop.api.delete_application(ApplicationName="shop", TerminateEnvByForce=True)
    until(lambda: names(shop) == [], 30)
    assert shop.describe(IncludeDeleted=True)["Status"] == "Terminated"


def test_a_version_is_of_a_bundle_that_is_there(shop):
    shop.version("v1")
    shop.api.create_application_version(
        ApplicationName="shop",
        VersionLabel="v2",
        SourceBundle={"S3Bucket": BUCKET, "S3Key": "v1.zip"},
        Description="the same again",
        Process=True,
    )
    found = shop.api.describe_application_versions(ApplicationName="shop")["ApplicationVersions"]
    assert [(one["VersionLabel"], one["Status"]) for one in found] == [
        ("v2", "PROCESSED"),
        ("v1", "UNPROCESSED"),
    ]
    assert found[0]["SourceBundle"] == {"S3Bucket": BUCKET, "S3Key": "v1.zip"}
    [shown] = shop.api.describe_applications()["Applications"]
    assert shown["Versions"] == ["v2", "v1"]

    def again(label, key, application="shop", **more):
        return refusal(
            shop.api.create_application_version,
            ApplicationName=application,
            VersionLabel=label,
            SourceBundle={"S3Bucket": BUCKET, "S3Key": key},
            **more,
        )

    assert again("v3", "nothing") == (
        "InvalidParameterCombination",
        "Unable to download from S3 location (Bucket: bundles  Key: nothing). Reason: Not Found",
    )
    assert again("v1", "v1.zip")[1] == "Application Version v1 already exists."
    assert again("v1", "v1.zip", "bar")[1] == "No Application named 'bar' found."
    shop.api.create_application_version(
        ApplicationName="bar",
        VersionLabel="v1",
        SourceBundle={"S3Bucket": BUCKET, "S3Key": "v1.zip"},
        AutoCreateApplication=True,
    )
    assert names(shop) == ["shop", "bar"]


def test_a_version_is_deleted_with_its_bundle_unless_it_is_in_use(shop):
    shop.launch(version=shop.version("v1"), **SINGLE)
    shop.version("v2")
    delete = shop.api.delete_application_version
    assert refusal(delete, ApplicationName="shop", VersionLabel="v1")[0] == (
        "OperationInProgressFailure"
    )
    delete(ApplicationName="shop", VersionLabel="v2", DeleteSourceBundle=True)
    found = shop.api.describe_application_versions()["ApplicationVersions"]
    assert [one["VersionLabel"] for one in found] == ["v1"]
    with pytest.raises(ClientError):
        shop.s3.head_object(Bucket=BUCKET, Key="v2.zip")
    assert refusal(delete, ApplicationName="shop", VersionLabel="v2")[1] == (
        "No Application Version named 'v2' found."
    )


def test_a_role_needs_the_right_to_read_the_bundle(shop):
    shop.version("v1")

    def allowed(*actions):
        statement = {"Effect": "Allow", "Action": actions, "Resource": "*"}
        return json.dumps({"Version": "2012-10-17", "Statement": [statement]})

    role = shop.iam.create_role(RoleName="deployer", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    shop.iam.put_role_policy(
        RoleName="deployer", PolicyName="may", PolicyDocument=allowed("elasticbeanstalk:*")
    )
    keys = shop.aws.client("sts").assume_role(RoleArn=role, RoleSessionName="me")["Credentials"]
    api = shop.aws.client(
        "elasticbeanstalk",
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )
    given = {
        "ApplicationName": "shop",
        "VersionLabel": "v2",
        "SourceBundle": {"S3Bucket": BUCKET, "S3Key": "v1.zip"},
    }
    code, message = refusal(api.create_application_version, **given)
    assert code == "InvalidParameterCombination"
    assert message.endswith("Reason: Forbidden")
    shop.iam.put_role_policy(
        RoleName="deployer",
        PolicyName="may",
        PolicyDocument=allowed("elasticbeanstalk:*", "s3:GetObject"),
    )
    api.create_application_version(**given)


def test_what_is_not_implemented_says_so(shop):
    code, message = refusal(shop.api.list_platform_branches)
    assert code == "NotImplemented"
    assert "elasticbeanstalk ListPlatformBranches" in message


def test_cleanup_lists_what_a_lesson_made(shop):
    name = shop.aws.name("shop")
    shop.api.create_application(ApplicationName=name)
    shop.create(name, **SINGLE)
    found = [line for line in shop.aws.cleanup() if line.startswith("elasticbeanstalk ")]
    assert found == [f"elasticbeanstalk {name}"] * 2
    shop.aws.cleanup(confirm=True)
    assert names(shop) == []
