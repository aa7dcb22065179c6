"""Requests are made by botocore itself, so that what is identified is what SDKs send."""

import json
from io import BytesIO
from urllib.parse import urlsplit

import botocore.session
import pytest
from botocore.config import Config
from botocore.model import ListShape, MapShape, Shape, StructureShape
from hypothesis import given, settings
from hypothesis import strategies as st

from labs.cloud.mock.operations import CBOR, SIGNED_AS, Operation, identify

EXACT = [
    "acm",
    "apigateway",
    "apigatewayv2",
    "cloudformation",
    "cloudwatch",
    "codepipeline",
    "dynamodb",
    "dynamodbstreams",
    "ec2",
    "elasticbeanstalk",
    "elb",
    "elbv2",
    "events",
    "iam",
    "kms",
    "lambda",
    "logs",
    "s3",
    "secretsmanager",
    "sns",
    "sqs",
    "stepfunctions",
    "sts",
]

SESSION = botocore.session.Session()
SESSION.set_credentials("AKIDEXAMPLE", "secret")

# One request, two names; the older one is deprecated.
AMBIGUOUS = {
    ("s3", "GetBucketLifecycle"): "GetBucketLifecycleConfiguration",
    ("s3", "PutBucketLifecycle"): "PutBucketLifecycleConfiguration",
    ("s3", "GetBucketNotification"): "GetBucketNotificationConfiguration",
    ("s3", "PutBucketNotification"): "PutBucketNotificationConfiguration",
}


def environ_of(request, **more) -> tuple[dict, bytes]:
    """The WSGI form of a request of botocore's, and its body."""
    url = urlsplit(request.url)
    environ = {
        "REQUEST_METHOD": request.method,
        "PATH_INFO": url.path,
        "RAW_URI": url.path + (f"?{url.query}" if url.query else ""),
        "QUERY_STRING": url.query,
        "HTTP_HOST": url.netloc,
        "SERVER_NAME": url.hostname,
        "SERVER_PORT": "80",
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(),
    }
    for name, value in request.headers.items():
        key = name.upper().replace("-", "_")
        value = value.decode() if isinstance(value, bytes) else str(value)
        environ[key if key == "CONTENT_TYPE" else f"HTTP_{key}"] = value
    body = request.body or b""
    body = body.read() if hasattr(body, "read") else body
    return environ | more, body.encode() if isinstance(body, str) else body


class Captured(Exception):
    def __init__(self, request) -> None:
        self.request = request


def capture(request, **_):
    raise Captured(request)


CLIENTS: dict = {}


def client_of(service: str, **config):
    key = (service, str(config))
    if key not in CLIENTS:
        options = {"parameter_validation": False, "retries": {"total_max_attempts": 1}} | config
        endpoint = options.pop("endpoint_url", "http://127.0.0.1:5000")
        client = SESSION.create_client(
            service, "eu-west-1", endpoint_url=endpoint, config=Config(**options)
        )
        client.meta.events.register("before-send", capture)
        CLIENTS[key] = client
    return CLIENTS[key]


def sent(service: str, operation: str, parameters: dict, **config):
    """The request that boto3 would send for a call."""
    client = client_of(service, **config)
    methods = {name: method for method, name in client.meta.method_to_api_mapping.items()}
    with pytest.raises(Captured) as captured:
        getattr(client, methods[operation])(**parameters)
    return captured.value.request


def call(service: str, operation: str, parameters: dict, **config) -> Operation | None:
    return identify(*environ_of(sent(service, operation, parameters, **config)))


def sample(shape: Shape, depth: int = 0):
    """A smallest value of a shape: its required members, one letter, one item."""
    if isinstance(shape, StructureShape):
        names = [*shape.required_members, *_host_and_path_members(shape, depth)]
        return {name: sample(shape.members[name], depth + 1) for name in dict.fromkeys(names)}
    if isinstance(shape, ListShape):
        return [sample(shape.member, depth + 1)] if depth < 6 else []
    if isinstance(shape, MapShape):
        return {}
    return {
        "string": (getattr(shape, "enum", None) or ["abc"])[0],
        "blob": b"{}",
        "boolean": True,
        "timestamp": 0,
    }.get(shape.type_name, 1)


def _host_and_path_members(shape: StructureShape, depth: int) -> list[str]:
    return [n for n, m in shape.members.items() if m.serialization.get("location") == "uri"]


@pytest.mark.parametrize("service", EXACT)
def test_every_operation_of_the_course_s_services_is_identified(service: str) -> None:
    model = SESSION.get_service_model(service)
    wrong = {}
    for name in model.operation_names:
        operation = model.operation_model(name)
        if operation.endpoint and operation.endpoint.get("hostPrefix"):
            continue  # sent to a host of its own
        if name == "ListDirectoryBuckets":
            continue  # signed for "s3express", of which moto has nothing
        parameters = sample(operation.input_shape) if operation.input_shape else {}
        found = call(service, name, parameters)
        expected = (service, AMBIGUOUS.get((service, name), name))
        if found is None or (found.service, found.name) != expected:
            wrong[name] = found
    assert not wrong


@pytest.mark.parametrize(
    ("service", "operation", "parameters"),
    [
        ("dynamodb", "PutItem", {"TableName": "words", "Item": {"word": {"S": "ä"}}}),
        ("lambda", "Invoke", {"FunctionName": "arn:aws:lambda:eu-west-1:1:function:f:live"}),
        ("lambda", "CreateEventSourceMapping", {"FunctionName": "f", "EventSourceArn": "arn:q"}),
        ("s3", "GetObject", {"Bucket": "b", "Key": "a folder/ä+%2F.txt", "VersionId": "v1"}),
        ("s3", "CopyObject", {"Bucket": "b", "Key": "k", "CopySource": "other/key"}),
        ("s3", "DeleteObjects", {"Bucket": "b", "Delete": {"Objects": [{"Key": "<&>"}]}}),
        ("s3", "ListObjectsV2", {"Bucket": "b", "Prefix": "a/"}),
        ("sns", "Publish", {"TopicArn": "arn:aws:sns:eu-west-1:1:t", "Message": "a&b=c+d"}),
        ("sqs", "SendMessage", {"QueueUrl": "http://127.0.0.1/1/q", "MessageBody": "m"}),
        ("ec2", "StopInstances", {"InstanceIds": ["i-1", "i-2"]}),
        ("iam", "PutRolePolicy", {"RoleName": "r", "PolicyName": "p", "PolicyDocument": "{}"}),
        ("elbv2", "RegisterTargets", {"TargetGroupArn": "a", "Targets": [{"Id": "i-1"}]}),
        ("apigateway", "GetMethod", {"restApiId": "a", "resourceId": "b", "httpMethod": "ANY"}),
        ("apigatewayv2", "CreateRoute", {"ApiId": "a", "RouteKey": "POST /slack"}),
        ("codepipeline", "GetPipeline", {"name": "p"}),
        ("cloudwatch", "PutMetricAlarm", {"AlarmName": "a"}),
    ],
)
def test_parameters_have_botocore_s_names(service, operation, parameters) -> None:
    found = call(service, operation, parameters)

    assert {name: found.parameters[name] for name in parameters} == parameters
    assert found.region == "eu-west-1"
    assert found.access_key == "AKIDEXAMPLE"


def test_a_payload_is_kept_apart_from_the_parameters() -> None:
    found = call("lambda", "Invoke", {"FunctionName": "f", "Payload": b'{"FunctionName": "g"}'})

    assert found.parameters["FunctionName"] == "f"


def test_classic_and_new_load_balancing_are_told_apart_by_version() -> None:
    assert call("elb", "DescribeLoadBalancers", {}).service == "elb"
    assert call("elbv2", "DescribeLoadBalancers", {}).service == "elbv2"


def test_iam_has_its_own_names_for_services() -> None:
    assert call("elbv2", "DescribeLoadBalancers", {}).prefix == "elasticloadbalancing"
    assert call("cloudwatch", "DescribeAlarms", {}).prefix == "cloudwatch"
    assert call("stepfunctions", "ListActivities", {}).prefix == "states"
    assert call("apigatewayv2", "GetApis", {}).prefix == "apigateway"


def test_s3_buckets_in_the_host_name() -> None:
    found = call(
        "s3",
        "GetObject",
        {"Bucket": "photos.2016", "Key": "a/b.txt"},
        endpoint_url="http://s3.eu-west-1.amazonaws.com",
        s3={"addressing_style": "virtual"},
    )

    assert found.name == "GetObject"
    assert dict(found.parameters)["Bucket"] == "photos.2016"
    assert dict(found.parameters)["Key"] == "a/b.txt"


def test_s3_keys_may_look_like_sub_resources_and_slashes() -> None:
    for key in ("policy", "x?acl", "a//b", "/leading", "folder/", "%2F", "."):
        found = call("s3", "PutObject", {"Bucket": "b", "Key": key, "Body": b"Action=X"})

        assert (found.name, found.parameters["Key"]) == ("PutObject", key)


@pytest.mark.parametrize("version", ["s3v4", "s3"])
def test_presigned_urls_are_signed_in_the_query(version: str) -> None:
    client = SESSION.create_client(
        "s3",
        "eu-west-1",
        endpoint_url="http://127.0.0.1:5000",
        config=Config(signature_version=version),
    )
    url = client.generate_presigned_url("put_object", {"Bucket": "b", "Key": "k"})
    request = type("Sent", (), {"method": "PUT", "url": url, "headers": {}, "body": b"x"})

    found = identify(*environ_of(request))

    assert (found.service, found.name, found.access_key) == ("s3", "PutObject", "AKIDEXAMPLE")


def test_sigv4a_names_no_region() -> None:
    environ, body = environ_of(sent("s3", "GetObject", {"Bucket": "b", "Key": "k"}))
    environ["HTTP_AUTHORIZATION"] = (
        "AWS4-ECDSA-P256-SHA256 Credential=AKIDEXAMPLE/20261124/s3/aws4_request, "
        "SignedHeaders=host, Signature=00"
    )

    found = identify(environ, body)

    assert (found.service, found.name, found.region) == ("s3", "GetObject", None)


def test_sts_with_a_web_identity_is_not_signed() -> None:
    found = call(
        "sts",
        "AssumeRoleWithWebIdentity",
        {"RoleArn": "arn:r", "RoleSessionName": "s", "WebIdentityToken": "t"},
    )

    assert (found.service, found.access_key) == ("sts", None)


def test_unsigned_s3_is_known_by_its_host() -> None:
    request = type(
        "Sent",
        (),
        {"method": "GET", "url": "http://b.s3.amazonaws.com/k", "headers": {}, "body": b""},
    )

    assert identify(*environ_of(request)).name == "GetObject"


def test_rpc_over_cbor_has_the_operation_in_its_path() -> None:
    found = call("eventbridgev2", "CreateEventBus", {"Name": "b"})

    assert (found.service, found.name, found.protocol) == ("eventbridgev2", "CreateEventBus", CBOR)
    assert found.parameters["Name"] == "b"


def test_the_older_query_protocol_of_a_json_service() -> None:
    environ, _ = environ_of(sent("sqs", "ListQueues", {}))
    del environ["HTTP_X_AMZ_TARGET"]
    environ["CONTENT_TYPE"] = "application/x-www-form-urlencoded; charset=utf-8"

    found = identify(environ, b"Action=SendMessage&Version=2012-11-05&MessageBody=hello")

    assert (found.service, found.name, found.protocol) == ("sqs", "SendMessage", "query")


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/moto-api/", {}),
        ("/prod/slack", {}),  # an API Gateway URL
        ("/", {"HTTP_X_AMZ_TARGET": "DynamoDB_20120810.PutItem"}),  # not signed
    ],
)
def test_what_is_not_a_call_to_an_api_is_nothing(path, headers) -> None:
    environ = {"REQUEST_METHOD": "POST", "PATH_INFO": path, "HTTP_HOST": "127.0.0.1:5000"}

    assert identify(environ | headers, b"{}") is None


def test_an_operation_that_aws_does_not_have_is_nothing() -> None:
    environ, body = environ_of(sent("dynamodb", "ListTables", {}))
    environ["HTTP_X_AMZ_TARGET"] = "DynamoDB_20120810.DropEverything"

    assert identify(environ, body) is None


def test_a_body_that_does_not_parse_leaves_the_parameters_empty() -> None:
    environ, _ = environ_of(sent("dynamodb", "ListTables", {}))

    for body in (b"{", b"[1]", b"\xff", b"[" * 100_000):
        assert dict(identify(environ, body).parameters) == {}


def test_the_table_of_signing_names_agrees_with_botocore() -> None:
    for signing_name, services in SIGNED_AS.items():
        for service in services:
            assert SESSION.get_service_model(service).signing_name == signing_name
    assert not [
        service
        for service in EXACT
        if service not in SIGNED_AS.get(SESSION.get_service_model(service).signing_name, service)
    ]


hostile_text = st.one_of(
    st.text(max_size=60),
    st.sampled_from(
        [
            "AWS4-HMAC-SHA256 Credential=A/20261124/eu-west-1/s3/aws4_request, Signature=0",
            "AWS4-HMAC-SHA256 Credential=A/20261124/eu-west-1/../../aws4_request, Signature=0",
            "AWS4-HMAC-SHA256 Credential=A/20261124/eu-west-1/ec2/aws4_request",
            "AWS4-HMAC-SHA256 Credential=A/20261124/eu-west-1/apigateway/aws4_request",
            "AWS ",
            "DynamoDB_20120810.",
            "Action=&Version=",
            "X-Amz-Credential=%",
            "/%ff/%2e%2e//",
            "application/x-www-form-urlencoded",
            "a.s3.amazonaws.com:x",
        ]
    ),
)


@settings(max_examples=300, deadline=None)
@given(
    environ=st.dictionaries(
        st.sampled_from(
            [
                "REQUEST_METHOD",
                "PATH_INFO",
                "RAW_URI",
                "QUERY_STRING",
                "CONTENT_TYPE",
                "HTTP_AUTHORIZATION",
                "HTTP_HOST",
                "HTTP_SMITHY_PROTOCOL",
                "HTTP_X_AMZ_TARGET",
                "SERVER_NAME",
            ]
        ),
        hostile_text,
    ),
    body=st.one_of(st.binary(max_size=200), st.just(b"Action=RunInstances&MaxCount=x")),
)
def test_hostile_requests_never_raise(environ, body) -> None:
    found = identify(environ, body)

    if found is not None:
        dict(found.parameters)


@settings(max_examples=100, deadline=None)
@given(
    values=st.recursive(
        st.none() | st.integers() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    )
)
def test_any_json_is_a_body(values) -> None:
    environ, _ = environ_of(sent("dynamodb", "ListTables", {}))

    dict(identify(environ, json.dumps(values).encode()).parameters)
