"""boto3 clients with a role's credentials, against moto with the guard in front."""

import json

import pytest
from botocore.exceptions import ClientError

from labs.cloud.mock.iam import guard, principals
from labs.cloud.mock.operations import Operation

ACCOUNT = "123456789012"
TABLE = f"arn:aws:dynamodb:eu-west-1:{ACCOUNT}:table/words"
SESSION_ARN = f"arn:aws:sts::{ACCOUNT}:assumed-role/counter/counter"


def statement(effect: str, action, resource="*", **more) -> dict:
    return {"Effect": effect, "Action": action, "Resource": resource, **more}


def document(*statements: dict) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


@pytest.fixture
def role(cloud) -> str:
    """The ARN of a role without any policy."""
    made = cloud.client("iam").create_role(
        RoleName="counter",
        AssumeRolePolicyDocument=document(
            {
                "Effect": "Allow",
                "Principal": {"Service": "lambda.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ),
    )
    return made["Role"]["Arn"]


@pytest.fixture
def words(cloud) -> None:
    """The table that the role's functions write to."""
    dynamodb = cloud.client("dynamodb")
    for name in ("words", "other"):
        dynamodb.create_table(
            TableName=name,
            KeySchema=[{"AttributeName": "word", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "word", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )


def grant(cloud, *statements: dict, name: str = "inline") -> None:
    cloud.client("iam").put_role_policy(
        RoleName="counter", PolicyName=name, PolicyDocument=document(*statements)
    )


def put(client, table: str = "words") -> None:
    client.put_item(TableName=table, Item={"word": {"S": "hello"}})


def denied(call, *args, **named) -> ClientError:
    with pytest.raises(ClientError) as caught:
        call(*args, **named)
    return caught.value


def message_of(error: ClientError) -> str:
    return error.response["Error"]["Message"]


def test_the_learner_may_do_everything(cloud, words) -> None:
    put(cloud.client("dynamodb"))


def test_a_role_without_policies_may_do_nothing(cloud, role, words) -> None:
    error = denied(put, cloud.client("dynamodb", role))

    assert error.response["Error"]["Code"] == "AccessDeniedException"
    assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert message_of(error) == (
        f"User: {SESSION_ARN} is not authorized to perform: dynamodb:PutItem on resource: "
        f"{TABLE} because no identity-based policy allows the dynamodb:PutItem action"
    )


def test_an_inline_policy_allows(cloud, role, words) -> None:
    grant(cloud, statement("Allow", ["dynamodb:PutItem"], TABLE))

    put(cloud.client("dynamodb", role))


def test_on_another_table_the_policy_says_nothing(cloud, role, words) -> None:
    grant(cloud, statement("Allow", "dynamodb:*", TABLE))

    assert "table/other" in message_of(denied(put, cloud.client("dynamodb", role), "other"))


def test_a_batch_is_denied_for_one_table(cloud, role, words) -> None:
    grant(cloud, statement("Allow", "dynamodb:*", TABLE))
    items = [{"PutRequest": {"Item": {"word": {"S": "a"}}}}]
    client = cloud.client("dynamodb", role)
    client.batch_write_item(RequestItems={"words": items})

    error = denied(client.batch_write_item, RequestItems={"words": items, "other": items})

    assert "table/other" in message_of(error)


def test_wildcards_in_the_resource(cloud, role, words) -> None:
    grant(cloud, statement("Allow", "dynamodb:Put*", f"arn:aws:dynamodb:*:{ACCOUNT}:table/w*"))

    put(cloud.client("dynamodb", role))
    denied(put, cloud.client("dynamodb", role), "other")


def test_an_explicit_deny_beats_an_allow(cloud, role, words) -> None:
    grant(cloud, statement("Allow", "*"))
    grant(cloud, statement("Deny", "dynamodb:*", TABLE, Sid="HandsOff"), name="never")

    error = denied(put, cloud.client("dynamodb", role))

    assert message_of(error).endswith(
        f"dynamodb:PutItem on resource: {TABLE} with an explicit deny in an identity-based policy"
    )
    put(cloud.client("dynamodb", role), "other")


def test_a_customer_managed_policy(cloud, role, words) -> None:
    iam = cloud.client("iam")
    arn = iam.create_policy(
        PolicyName="writer", PolicyDocument=document(statement("Allow", "dynamodb:*"))
    )["Policy"]["Arn"]
    iam.attach_role_policy(RoleName="counter", PolicyArn=arn)
    put(cloud.client("dynamodb", role))

    iam.create_policy_version(
        PolicyArn=arn, PolicyDocument=document(statement("Deny", "dynamodb:*")), SetAsDefault=True
    )

    error = denied(put, cloud.client("dynamodb", role))
    assert message_of(error).endswith(f"explicit deny in an identity-based policy: {arn}")


@pytest.mark.parametrize(
    ("name", "may_put"),
    [
        ("AmazonDynamoDBFullAccess", True),
        ("AmazonDynamoDBReadOnlyAccess", False),
        ("service-role/AWSLambdaBasicExecutionRole", False),
        ("AdministratorAccess", True),
    ],
)
def test_aws_s_own_policies(cloud, role, words, name, may_put) -> None:
    cloud.client("iam").attach_role_policy(
        RoleName="counter", PolicyArn=f"arn:aws:iam::aws:policy/{name}"
    )
    client = cloud.client("dynamodb", role)

    if may_put:
        put(client)
    else:
        denied(put, client)


def test_the_basic_execution_role_writes_logs(cloud, role) -> None:
    cloud.client("iam").attach_role_policy(
        RoleName="counter",
        PolicyArn="arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole",
    )

    cloud.client("logs", role).create_log_group(logGroupName="/aws/lambda/counter")


def test_a_policy_that_aws_does_not_have(cloud, role) -> None:
    error = denied(
        cloud.client("iam").attach_role_policy,
        RoleName="counter",
        PolicyArn="arn:aws:iam::aws:policy/NoSuchPolicy",
    )

    assert error.response["Error"]["Code"] == "NoSuchEntity"


def test_a_change_counts_from_the_next_call(cloud, role, words) -> None:
    client = cloud.client("dynamodb", role)
    denied(put, client)
    grant(cloud, statement("Allow", "dynamodb:*"))
    put(client)
    cloud.client("iam").delete_role_policy(RoleName="counter", PolicyName="inline")
    denied(put, client)


def test_a_role_deleted_while_in_use(cloud, role, words) -> None:
    client = cloud.client("dynamodb", role)
    cloud.client("iam").delete_role(RoleName="counter")

    assert f"because its role {role} does not exist" in message_of(denied(put, client))


def test_a_role_that_was_never_made(cloud, words) -> None:
    client = cloud.client("dynamodb", f"arn:aws:iam::{ACCOUNT}:role/typo")

    assert "role/typo does not exist" in message_of(denied(put, client))


def test_everyone_may_ask_who_they_are(cloud, role) -> None:
    grant(cloud, statement("Deny", "*"))

    assert cloud.client("sts", role).get_caller_identity()["Arn"] == SESSION_ARN


def test_a_condition_on_the_prefix_of_a_listing(cloud, role) -> None:
    cloud.client("s3").create_bucket(
        Bucket="photos", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    only_mine = {"StringLike": {"s3:prefix": "mine/*"}}
    grant(cloud, statement("Allow", "s3:ListBucket", "arn:aws:s3:::photos", Condition=only_mine))
    client = cloud.client("s3", role)

    client.list_objects_v2(Bucket="photos", Prefix="mine/2016")
    denied(client.list_objects_v2, Bucket="photos", Prefix="theirs/")
    denied(client.list_objects_v2, Bucket="photos")


def test_a_permissions_boundary_narrows(cloud, role, words) -> None:
    iam = cloud.client("iam")
    grant(cloud, statement("Allow", "*"))
    arn = iam.create_policy(
        PolicyName="boundary", PolicyDocument=document(statement("Allow", "s3:*"))
    )["Policy"]["Arn"]
    iam.put_role_permissions_boundary(RoleName="counter", PermissionsBoundary=arn)

    error = denied(put, cloud.client("dynamodb", role))

    assert message_of(error).endswith(
        "because no permissions boundary allows the dynamodb:PutItem action"
    )


def test_a_role_assumed_by_a_function_is_checked_as_that_role(cloud, role, words) -> None:
    iam = cloud.client("iam")
    reader = iam.create_role(
        RoleName="reader",
        AssumeRolePolicyDocument=document(
            {"Effect": "Allow", "Principal": {"AWS": role}, "Action": "sts:AssumeRole"}
        ),
    )["Role"]["Arn"]
    iam.put_role_policy(
        RoleName="reader",
        PolicyName="read",
        PolicyDocument=document(statement("Allow", "dynamodb:GetItem")),
    )
    sts = cloud.client("sts", role)
    denied(sts.assume_role, RoleArn=reader, RoleSessionName="reading")
    grant(cloud, statement("Allow", "sts:AssumeRole", reader))
    given = sts.assume_role(RoleArn=reader, RoleSessionName="reading")["Credentials"]

    client = cloud.client_with(
        "dynamodb", given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"]
    )

    client.get_item(TableName="words", Key={"word": {"S": "hello"}})
    assert "assumed-role/reader/reading is not authorized" in message_of(denied(put, client))


def test_a_session_policy_narrows(cloud, role, words) -> None:
    grant(cloud, statement("Allow", "dynamodb:*"))
    given = cloud.client("sts").assume_role(
        RoleArn=role,
        RoleSessionName="reading",
        Policy=document(statement("Allow", "dynamodb:GetItem")),
    )["Credentials"]
    client = cloud.client_with(
        "dynamodb", given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"]
    )

    client.get_item(TableName="words", Key={"word": {"S": "hello"}})
    assert "no session policy allows" in message_of(denied(put, client))


# Every service has its own code for "access denied".
@pytest.mark.parametrize(
    ("service", "method", "parameters", "code", "action"),
    [
        (
            "sns",
            "publish",
            {"TopicArn": f"arn:aws:sns:eu-west-1:{ACCOUNT}:t", "Message": "m"},
            "AuthorizationError",
            "sns:Publish",
        ),
        (
            "sqs",
            "send_message",
            {"QueueUrl": f"http://127.0.0.1/{ACCOUNT}/q", "MessageBody": "m"},
            "AccessDenied",
            "sqs:SendMessage",
        ),
        (
            "lambda",
            "invoke",
            {"FunctionName": "f"},
            "AccessDeniedException",
            "lambda:InvokeFunction",
        ),
        ("logs", "describe_log_groups", {}, "AccessDeniedException", "logs:DescribeLogGroups"),
        ("s3", "list_objects_v2", {"Bucket": "b"}, "AccessDenied", "s3:ListBucket"),
        ("iam", "list_roles", {}, "AccessDenied", "iam:ListRoles"),
        ("ec2", "describe_instances", {}, "UnauthorizedOperation", "ec2:DescribeInstances"),
        (
            "elbv2",
            "describe_load_balancers",
            {},
            "AccessDenied",
            "elasticloadbalancing:DescribeLoadBalancers",
        ),
        ("apigateway", "get_rest_apis", {}, "AccessDeniedException", "apigateway:GET"),
        ("cloudformation", "list_stacks", {}, "AccessDenied", "cloudformation:ListStacks"),
        ("cloudwatch", "list_dashboards", {}, "AccessDenied", "cloudwatch:ListDashboards"),
        (
            "codepipeline",
            "list_pipelines",
            {},
            "AccessDeniedException",
            "codepipeline:ListPipelines",
        ),
        ("stepfunctions", "list_activities", {}, "AccessDeniedException", "states:ListActivities"),
    ],
)
def test_a_denial_is_the_service_s_own(cloud, role, service, method, parameters, code, action):
    error = denied(getattr(cloud.client(service, role), method), **parameters)

    assert error.response["Error"]["Code"] == code
    assert f"User: {SESSION_ARN} is not authorized to perform: {action} on" in message_of(error)


def test_an_unreadable_policy_says_nothing_and_is_logged(cloud, role, words, caplog) -> None:
    from moto.iam.models import iam_backends

    grant(cloud, statement("Allow", "*"))
    iam_backends[ACCOUNT]["aws"].get_role("counter").policies["broken"] = "{"

    put(cloud.client("dynamodb", role))

    assert "Policy broken says nothing" in caplog.text


def test_a_template_s_policies_are_objects(cloud, role, words) -> None:
    from moto.iam.models import iam_backends

    policies = iam_backends[ACCOUNT]["aws"].get_role("counter").policies
    policies["template"] = {
        "Version": "2012-10-17",
        "Statement": statement("Allow", "dynamodb:PutItem"),
    }

    put(cloud.client("dynamodb", role))


def test_a_motor_asks_for_a_function(cloud, role) -> None:
    principal = principals.principal_of(principals.credentials_for(role, "f").access_key)
    stream = f"arn:aws:logs:eu-west-1:{ACCOUNT}:log-group:/aws/lambda/f:log-stream:s"
    assert not guard.is_allowed(principal, "logs:PutLogEvents", stream)

    grant(cloud, statement("Allow", "logs:*", f"arn:aws:logs:*:{ACCOUNT}:log-group:/aws/*:*"))

    assert guard.is_allowed(principal, "logs:PutLogEvents", stream)


def test_a_denial_names_what_it_is_about(cloud, role) -> None:
    grant(cloud, statement("Deny", "*", Sid="Nothing"))
    key = principals.credentials_for(role, "counter").access_key

    denial = guard.check(Operation("dynamodb", "PutItem", {"TableName": "words"}, "eu-west-1", key))

    assert (denial.principal, denial.action) == (SESSION_ARN, "dynamodb:PutItem")
    assert (denial.resource, denial.statement) == (TABLE, "Nothing")
