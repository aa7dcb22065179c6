"""Each protocol through an unmodified boto3 client, against a server that only fails."""

import threading
from wsgiref.simple_server import WSGIRequestHandler, make_server

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from labs.cloud.mock.errors import render
from labs.cloud.mock.operations import CBOR, Operation, identify


class Failing:
    """A WSGI application that answers every request with the error it was told."""

    def __init__(self) -> None:
        self.error = ("InternalFailure", "not told what to answer", 500)
        self.more_headers: list[tuple[str, str]] = []

    def __call__(self, environ, start_response):
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        operation = identify(environ, body)
        status, headers, answer = render(operation, *self.error, self.more_headers)
        start_response(status, headers)
        return [answer]


class Quiet(WSGIRequestHandler):
    def log_message(self, *_) -> None:
        pass


@pytest.fixture(scope="module")
def failing():
    application = Failing()
    with make_server("127.0.0.1", 0, application, handler_class=Quiet) as server:
        application.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield application
        server.shutdown()
        thread.join()


def client_of(application: Failing, service: str):
    return boto3.client(
        service,
        endpoint_url=application.url,
        region_name="eu-west-1",
        aws_access_key_id="AKIDEXAMPLE",
        aws_secret_access_key="secret",
        config=Config(retries={"total_max_attempts": 1}),
    )


# service, method, parameters, code, the class of boto3's exception (None: ClientError)
CASES = [
    # json 1.0
    (
        "dynamodb",
        "get_item",
        {"TableName": "words", "Key": {"word": {"S": "a"}}},
        "ResourceNotFoundException",
        "ResourceNotFoundException",
    ),
    (
        "dynamodb",
        "put_item",
        {"TableName": "words", "Item": {}},
        "ProvisionedThroughputExceededException",
        "ProvisionedThroughputExceededException",
    ),
    ("dynamodb", "list_tables", {}, "AccessDeniedException", None),
    ("stepfunctions", "list_activities", {}, "InvalidToken", "InvalidToken"),
    # json 1.1
    ("logs", "describe_log_groups", {}, "InvalidParameterException", "InvalidParameterException"),
    (
        "codepipeline",
        "list_pipelines",
        {},
        "InvalidNextTokenException",
        "InvalidNextTokenException",
    ),
    # query, and json with the codes of query
    (
        "sns",
        "publish",
        {"TopicArn": "arn:aws:sns:eu-west-1:1:t", "Message": "m"},
        "AuthorizationError",
        "AuthorizationErrorException",
    ),
    (
        "sqs",
        "get_queue_url",
        {"QueueName": "q"},
        "AWS.SimpleQueueService.NonExistentQueue",
        "QueueDoesNotExist",
    ),
    ("iam", "get_role", {"RoleName": "r"}, "NoSuchEntity", "NoSuchEntityException"),
    ("sts", "get_caller_identity", {}, "ExpiredToken", None),
    (
        "cloudformation",
        "create_stack",
        {"StackName": "s"},
        "AlreadyExistsException",
        "AlreadyExistsException",
    ),
    ("elb", "describe_load_balancers", {}, "LoadBalancerNotFound", "AccessPointNotFoundException"),
    ("elbv2", "describe_rules", {}, "RuleNotFound", "RuleNotFoundException"),
    ("elasticbeanstalk", "describe_applications", {}, "AccessDenied", None),
    (
        "cloudwatch",
        "list_dashboards",
        {},
        "InvalidParameterValue",
        "InvalidParameterValueException",
    ),
    # ec2
    ("ec2", "describe_instances", {}, "RequestLimitExceeded", None),
    # rest-json
    (
        "lambda",
        "invoke",
        {"FunctionName": "f", "Payload": b"{}"},
        "TooManyRequestsException",
        "TooManyRequestsException",
    ),
    ("apigateway", "get_rest_apis", {}, "NotFoundException", "NotFoundException"),
    ("apigatewayv2", "get_apis", {}, "BadRequestException", "BadRequestException"),
    # rest-xml
    ("s3", "list_objects_v2", {"Bucket": "b"}, "NoSuchBucket", "NoSuchBucket"),
    ("s3", "put_object", {"Bucket": "b", "Key": "k", "Body": b"x"}, "SlowDown", None),
    ("cloudfront", "list_distributions", {}, "InvalidArgument", "InvalidArgument"),
    # rpc v2 cbor
    (
        "eventbridgev2",
        "create_event_bus",
        {"Name": "b"},
        "ThrottlingException",
        "ThrottlingException",
    ),
]


@pytest.mark.parametrize(("service", "method", "parameters", "code", "exception"), CASES)
def test_boto3_raises_the_right_error(failing, service, method, parameters, code, exception):
    client = client_of(failing, service)
    message = 'User: <é> & "others" \\ is not authorized'
    failing.error = (code, message, 403)
    failing.more_headers = [("Retry-After", "7")]

    with pytest.raises(ClientError) as caught:
        getattr(client, method)(**parameters)

    answer = caught.value.response
    assert answer["Error"]["Code"] == code
    assert answer["Error"]["Message"] == message
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 403
    assert answer["ResponseMetadata"]["HTTPHeaders"]["retry-after"] == "7"
    assert answer["ResponseMetadata"]["RequestId"]
    assert type(caught.value) is (
        getattr(client.exceptions, exception) if exception else ClientError
    )


def test_the_name_of_an_exception_shape_will_do_for_its_code(failing) -> None:
    client = client_of(failing, "sqs")
    failing.error = ("QueueDoesNotExist", "no such queue", 400)

    with pytest.raises(client.exceptions.QueueDoesNotExist):
        client.get_queue_url(QueueName="q")


def test_an_answer_to_head_has_no_body(failing) -> None:
    failing.error = ("AccessDenied", "no", 403)

    with pytest.raises(ClientError) as caught:
        client_of(failing, "s3").head_object(Bucket="b", Key="k")

    assert caught.value.response["Error"]["Code"] == "403"  # all that a HEAD can tell


def test_a_service_by_name_is_answered_as_boto3_speaks_to_it() -> None:
    status, headers, body = render("dynamodb", "ThrottlingException", "slow down", 400)

    assert status == "400 Bad Request"
    assert dict(headers)["x-amzn-ErrorType"] == "ThrottlingException"
    assert dict(headers)["Content-Length"] == str(len(body))
    assert b'"__type": "DynamoDB_20120810#ThrottlingException"' in body


def test_the_same_service_is_answered_in_the_protocol_of_the_request() -> None:
    for protocol, content_type in [
        ("json", "application/x-amz-json-1.0"),
        ("query", "text/xml"),
        (CBOR, "application/cbor"),
    ]:
        operation = Operation("cloudwatch", "ListDashboards", protocol=protocol)

        _, headers, _ = render(operation, "InvalidParameterValue", "no", 400)

        assert dict(headers)["Content-Type"] == content_type


def test_what_xml_cannot_carry_is_replaced() -> None:
    _, _, body = render("sns", "InvalidParameter", "a\x00b\x1bc", 400)

    assert "a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}c" in body.decode()
    assert b"\x00" not in body


def test_a_status_without_a_name_still_has_a_status_line() -> None:
    assert render("s3", "Odd", "odd", 599)[0] == "599 Error"
