"""deploy: what it makes, that it can run twice, and after any failure."""

import itertools
import json
from collections.abc import Iterator

import boto3
import pytest
from botocore.exceptions import ClientError, WaiterError
from moto import mock_aws

from labs.course import deploying
from labs.course.packaging import package
from labs.pubsub.deploy import Deployment, deploy


class Prefix:
    """What `aws.name` does in a lesson: names of this learner's own."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix

    def __call__(self, base: str) -> str:
        return f"{self.prefix}-{base}"

    def is_mine(self, name: str) -> bool:
        return name.startswith(f"{self.prefix}-")


@pytest.fixture(scope="module")
def session(shared_session) -> Iterator[boto3.Session]:
    """One account for all tests here: AWS's managed policies take moto half a second to load."""
    with mock_aws(config={"iam": {"load_aws_managed_policies": True}}):
        yield shared_session


numbers = itertools.count()


@pytest.fixture
def name() -> Prefix:
    """Names that no other test uses."""
    return Prefix(f"t{next(numbers)}")


def account(session: boto3.Session, name: Prefix) -> dict:
    """What is in the account under these names and a second run might double; without the names."""
    iam, functions = session.client("iam"), session.client("lambda")
    gateway, sns = session.client("apigateway"), session.client("sns")
    tables = session.client("dynamodb").list_tables()["TableNames"]
    topics = [topic["TopicArn"].split(":")[-1] for topic in sns.list_topics()["Topics"]]
    subscriptions = [
        (item["TopicArn"].split(":")[-1], item["Protocol"], item["Endpoint"])
        for item in sns.list_subscriptions()["Subscriptions"]
    ]
    names = [item["FunctionName"] for item in functions.list_functions()["Functions"]]
    policies = {
        function: json.loads(functions.get_policy(FunctionName=function)["Policy"])["Statement"]
        for function in filter(name.is_mine, names)
    }
    apis = [api for api in gateway.get_rest_apis()["items"] if name.is_mine(api["name"])]
    found = {
        "tables": list(filter(name.is_mine, tables)),
        "topics": list(filter(name.is_mine, topics)),
        "subscriptions": sorted(item for item in subscriptions if name.is_mine(item[0])),
        "roles": sorted(filter(name.is_mine, (r["RoleName"] for r in iam.list_roles()["Roles"]))),
        "permissions": {
            function: sorted((s["Principal"]["Service"], str(s["Condition"])) for s in statements)
            for function, statements in sorted(policies.items())
        },
        "apis": [
            {
                "name": api["name"],
                "resources": sorted(
                    (item["path"], sorted(item.get("resourceMethods", {})))
                    for item in gateway.get_resources(restApiId=api["id"])["items"]
                ),
                "deployments": len(gateway.get_deployments(restApiId=api["id"])["items"]),
                "stages": [s["stageName"] for s in gateway.get_stages(restApiId=api["id"])["item"]],
            }
            for api in apis
        ],
    }
    text = json.dumps(found, indent=1).replace(f"{name.prefix}-", "my-")
    for api in apis:  # ids are random
        text = text.replace(api["id"], "API")
    return json.loads(text)


@pytest.fixture(scope="module")
def one_run(session) -> dict:
    """The account after one run in which nothing failed."""
    name = Prefix("once")
    deploy(session, name)
    return account(session, name)


@pytest.fixture
def deployed(session, name) -> Deployment:
    return deploy(session, name)


def test_what_is_returned_is_there(session, name, deployed):
    found = account(session, name)
    assert deployed.table == name("table")
    assert found["tables"] == ["my-table"]
    assert found["topics"] == ["my-awsadvent"]
    assert deployed.topic_arn.endswith(":" + name("awsadvent"))
    assert set(found["permissions"]) == {"my-word_counter", "my-sns_multiplier", "my-sns_logger"}
    assert deployed.functions["word_counter"] == name("word_counter")
    assert deployed.url == (
        f"https://{deployed.api_id}.execute-api.eu-central-1.amazonaws.com/prod/aws_advent"
    )


def test_only_the_two_consumers_hear_of_words(session, name, deployed):
    endpoints = [endpoint for _, _, endpoint in account(session, name)["subscriptions"]]
    assert [arn.split(":")[-1] for arn in endpoints] == ["my-sns_logger", "my-sns_multiplier"]


def test_the_api_passes_post_on_to_the_word_counter(session, name, deployed):
    gateway = session.client("apigateway")
    resources = gateway.get_resources(restApiId=deployed.api_id)["items"]
    resource = next(item for item in resources if item["path"] == "/aws_advent")
    integration = gateway.get_integration(
        restApiId=deployed.api_id, resourceId=resource["id"], httpMethod="POST"
    )
    assert integration["type"] == "AWS_PROXY"
    assert integration["httpMethod"] == "POST"
    assert integration["uri"].endswith(f":function:{name('word_counter')}/invocations")


def test_each_role_may_do_what_its_function_does_and_no_more(session, name, deployed):
    iam = session.client("iam")
    allowed = {}
    for module, function in deployed.functions.items():
        names = iam.list_role_policies(RoleName=function)["PolicyNames"]
        documents = [
            iam.get_role_policy(RoleName=function, PolicyName=inline)["PolicyDocument"]
            for inline in names
        ]
        allowed[module] = [
            (statement["Action"], statement["Resource"])
            for document in documents
            for statement in document["Statement"]
        ]
        attached = iam.list_attached_role_policies(RoleName=function)["AttachedPolicies"]
        assert [item["PolicyName"] for item in attached] == ["AWSLambdaBasicExecutionRole"]
    table = f"arn:aws:dynamodb:eu-central-1:123456789012:table/{deployed.table}"
    update, publish = ("dynamodb:UpdateItem", table), ("sns:Publish", deployed.topic_arn)
    assert allowed == {
        "word_counter": [update, publish],
        "sns_multiplier": [update],
        "sns_logger": [],
    }


def test_a_second_run_changes_nothing(session, name, deployed):
    before = account(session, name)
    assert deploy(session, name) == deployed
    assert account(session, name) == before
    assert [api["deployments"] for api in before["apis"]] == [1]


def test_a_second_run_mends_code_and_settings(session, name, deployed, tmp_path):
    (tmp_path / "sns_multiplier.py").write_text("x = 1")
    functions = session.client("lambda")
    function = deployed.functions["sns_multiplier"]
    sha = functions.get_function_configuration(FunctionName=function)["CodeSha256"]
    functions.update_function_configuration(FunctionName=function, Environment={"Variables": {}})
    functions.update_function_code(FunctionName=function, ZipFile=package(tmp_path))
    deploy(session, name)
    mended = functions.get_function_configuration(FunctionName=function)
    assert mended["CodeSha256"] == sha
    assert mended["Environment"]["Variables"] == {"DYNAMO_TABLE": deployed.table}


CALLS = {  # how often one run calls what makes something: the last of these calls will fail
    "dynamodb.CreateTable": 1,
    "dynamodb.DescribeTable": 1,
    "sns.CreateTopic": 1,
    "iam.CreateRole": 3,
    "iam.AttachRolePolicy": 3,
    "iam.PutRolePolicy": 2,
    "lambda.CreateFunction": 3,
    "lambda.AddPermission": 3,
    "sns.Subscribe": 2,
    "api-gateway.CreateRestApi": 1,
    "api-gateway.CreateResource": 1,
    "api-gateway.PutMethod": 1,
    "api-gateway.PutIntegration": 1,
    "api-gateway.CreateDeployment": 1,
}


@pytest.mark.parametrize(("operation", "nth"), CALLS.items())
def test_after_any_failure_a_second_run_ends_where_one_run_would(
    session, name, refuse, one_run, operation, nth
):
    calls = []

    def is_nth(params: dict) -> bool:
        calls.append(params)
        return len(calls) == nth

    refuse(session, operation, "AccessDenied", "not today", when=is_nth)
    with pytest.raises((ClientError, WaiterError), match="not today"):
        deploy(session, name)
    deploy(session, name)
    assert account(session, name) == one_run


def test_a_new_api_of_the_same_function_is_permitted_too(session, name, deployed):
    session.client("apigateway").delete_rest_api(restApiId=deployed.api_id)
    again = deploy(session, name)
    function = deployed.functions["word_counter"]
    granted = session.client("lambda").get_policy(FunctionName=function)["Policy"]
    assert again.api_id != deployed.api_id
    assert f":{again.api_id}/*/POST/aws_advent" in granted


def test_an_api_of_another_name_is_left_alone(session, name):
    other = session.client("apigateway").create_rest_api(name="other")["id"]
    assert deploy(session, name).api_id != other


def test_a_table_with_another_key_is_refused(session, name):
    session.client("dynamodb").create_table(
        TableName=name("table"),
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    with pytest.raises(RuntimeError, match="string key `word`"):
        deploy(session, name)


UNKNOWN_ROLE = "The role defined for the function cannot be assumed by Lambda."


def test_a_role_that_lambda_does_not_know_yet_is_waited_for(session, name, refuse, monkeypatch):
    monkeypatch.setattr(deploying.time, "sleep", lambda seconds: None)
    calls = []

    def is_early(params: dict) -> bool:
        calls.append(params)
        return len(calls) < 3

    code = "InvalidParameterValueException"
    refused = refuse(session, "lambda.CreateFunction", code, UNKNOWN_ROLE, when=is_early)
    deploy(session, name)
    assert len(refused) == 2


def refused_as(message: str):
    error = {"Error": {"Code": "InvalidParameterValueException", "Message": message}}
    return ClientError(error, "CreateFunction")


def test_waiting_for_a_role_ends(monkeypatch):
    clock = iter(range(100))
    monkeypatch.setattr(deploying.time, "sleep", lambda seconds: None)
    monkeypatch.setattr(deploying.time, "monotonic", lambda: next(clock))
    calls = []

    def call():
        calls.append(1)
        raise refused_as(UNKNOWN_ROLE)

    with pytest.raises(ClientError, match="cannot be assumed"):
        deploying.when_role_is_known(call, deadline=5)
    assert len(calls) == 5


def test_another_refusal_is_not_tried_again():
    calls = []

    def call():
        calls.append(1)
        raise refused_as("Unzipped size must be smaller than 262144000 bytes")

    with pytest.raises(ClientError, match="Unzipped"):
        deploying.when_role_is_known(call)
    assert calls == [1]
