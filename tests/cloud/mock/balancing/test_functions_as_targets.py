"""Lambda functions as an ALB's targets: events, responses, and the way there."""

import base64
import http.client
import json

import pytest

from labs.cloud.mock.balancing import functions_as_targets
from labs.cloud.mock.balancing.functions_as_targets import BadResponse
from labs.loadbalancing.layer7.contract import Request
from tests.cloud.mock.balancing.plane_world import check

GROUP = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/tg/0"
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:hello"


def event(url="/p?a=1&a=2%20b", headers=(), body=b"", multi_value=False):
    request = Request("POST", url, headers, ("203.0.113.5", 1234))
    return functions_as_targets.event(GROUP, request, headers, body, multi_value)


def test_an_event_has_the_last_of_several_values_and_an_encoded_query():
    made = event(headers=(("Cookie", "a=1"), ("cookie", "b=2"), ("X-A", "1")))
    assert made == {
        "requestContext": {"elb": {"targetGroupArn": GROUP}},
        "httpMethod": "POST",
        "path": "/p",
        "queryStringParameters": {"a": "2%20b"},
        "headers": {"cookie": "b=2", "x-a": "1"},
        "body": "",
        "isBase64Encoded": False,
    }


def test_an_event_with_all_values():
    made = event(headers=(("Cookie", "a=1"), ("cookie", "b=2")), multi_value=True)
    assert made["multiValueQueryStringParameters"] == {"a": ["1", "2%20b"]}
    assert made["multiValueHeaders"] == {"cookie": ["a=1", "b=2"]}
    assert "headers" not in made


@pytest.mark.parametrize(
    ("headers", "encoded"),
    [
        ((("Content-Type", "text/plain; charset=utf-8"),), False),
        ((("Content-Type", "application/json"),), False),
        ((("content-type", "application/javascript"),), False),
        ((("Content-Type", "application/xml"),), False),
        ((("Content-Type", "image/png"),), True),
        ((("Content-Type", "application/x-www-form-urlencoded"),), True),
        ((("Content-Type", "text/plain"), ("Content-Encoding", "gzip")), True),
    ],
)
def test_which_bodies_are_encoded(headers, encoded):
    made = event(headers=headers, body="grüße".encode())
    assert made["isBase64Encoded"] is encoded
    body = base64.b64decode(made["body"]).decode() if encoded else made["body"]
    assert body == "grüße"


def answer(result, multi_value=False):
    return functions_as_targets.answer(json.dumps(result).encode(), multi_value)


def test_a_response_with_headers_and_text():
    got = answer(
        {
            "statusCode": 201,
            "statusDescription": "201 Created",
            "headers": {"X-A": "1", "Connection": "close", "Content-Length": "7"},
            "body": "grüße",
        }
    )
    assert (got.status, got.body) == (201, "grüße".encode())
    assert ("X-A", "1") in got.headers
    assert not {"Connection", "Content-Length"} & {name for name, _ in got.headers}


def test_a_response_with_all_values_and_a_binary_body():
    result = {
        "statusCode": 200,
        "multiValueHeaders": {"Set-Cookie": ["a=1", "b=2"]},
        "isBase64Encoded": True,
        "body": base64.b64encode(b"\0\1").decode(),
    }
    got = answer(result, multi_value=True)
    assert got.body == b"\0\1"
    assert [value for name, value in got.headers if name == "Set-Cookie"] == ["a=1", "b=2"]
    assert not [1 for name, _ in answer(result).headers if name == "Set-Cookie"]


@pytest.mark.parametrize(
    "result",
    [
        None,
        "hello",
        [],
        {},
        {"statusCode": "abc"},
        {"statusCode": True},
        {"statusCode": 99},
        {"statusCode": 600},
        {"statusCode": 200, "headers": ["a"]},
        {"statusCode": 200, "headers": {"a": {"b": 1}}},
        {"statusCode": 200, "headers": {"a": "1\r\nb: 2"}},
        {"statusCode": 200, "headers": {"a\r\n": "1"}},
        {"statusCode": 200, "body": {"a": 1}},
        {"statusCode": 200, "body": "!", "isBase64Encoded": True},
        {"statusCode": 200, "body": "x" * (1 << 20)},
    ],
    ids=lambda result: json.dumps(result)[:50],
)
def test_what_is_no_response(result):
    with pytest.raises(BadResponse):
        answer(result)


def test_what_is_no_json():
    with pytest.raises(BadResponse):
        functions_as_targets.answer(b"\xff", False)


# Through the plane


@pytest.fixture
def behind_alb(world):
    world.group(
        GROUP,
        kind="lambda",
        protocol="",
        targets=[{"id": FUNCTION, "port": None}],
        check=check(enabled=False),
    )
    world.balancer("alb", GROUP)
    world.function = lambda event: json.dumps(
        {"statusCode": 200, "headers": {"Content-Type": "text/plain"}, "body": event["path"]}
    ).encode()
    world.push()
    return world


def test_a_request_is_an_invocation(behind_alb):
    got = behind_alb.get("alb", "/hello?who=you", X_Amzn_Trace_Id="Root=1-00000000-0")
    assert (got.status, got.body) == (200, b"/hello")
    function, group, made = behind_alb.calls[-1]
    assert (function, group) == (FUNCTION, GROUP)
    assert made["headers"]["x-forwarded-for"] == "203.0.113.5"
    assert made["headers"]["x-forwarded-port"] == "80"
    assert "Root=1-00000000-0" in made["headers"]["x-amzn-trace-id"]
    assert behind_alb.state(GROUP, FUNCTION)[0] == "unavailable"


@pytest.mark.parametrize("fails", [lambda event: b"42", lambda event: 1 / 0])
def test_a_bad_result_or_an_error_is_502(behind_alb, fails):
    behind_alb.function = fails
    assert behind_alb.get("alb").status == 502


def test_a_body_over_1_mb_is_413(behind_alb):
    with behind_alb.client("alb") as client:
        connection = client.connection
        connection.request("POST", "/", b"x" * ((1 << 20) + 1))
        assert connection.getresponse().status == 413
        assert behind_alb.calls == []


def test_a_megabyte_passes(behind_alb):
    with behind_alb.client("alb") as client:
        connection: http.client.HTTPConnection = client.connection
        connection.request("POST", "/big", b"x" * (1 << 20), {"Content-Type": "text/plain"})
        assert connection.getresponse().read() == b"/big"
    assert len(behind_alb.calls[-1][2]["body"]) == 1 << 20


def test_an_upgrade_is_400(behind_alb):
    got = behind_alb.get("alb", Upgrade="websocket", Connection="Upgrade")
    assert got.status == 400


def test_health_checks_of_a_function_if_they_are_wanted(behind_alb):
    behind_alb.snapshot["groups"][GROUP]["check"] = check(path="/health", timeout=30.0)
    behind_alb.push()
    behind_alb.wait_for(GROUP, FUNCTION, "healthy")
    made = behind_alb.calls[0][2]
    assert made["headers"] == {"user-agent": "ELB-HealthChecker/2.0"}
    assert made["path"] == "/health"
    behind_alb.function = lambda event: b'{"statusCode": 500}'
    behind_alb.wait_for(GROUP, FUNCTION, "unhealthy")
    assert behind_alb.state(GROUP, FUNCTION)[1] == "Target.ResponseCodeMismatch"
