"""Both event shapes, against the examples of API Gateway's guide and recordings of AWS."""

import base64
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs.cloud.mock.gateway.events import (
    Ids,
    Place,
    decode_path,
    http_body,
    http_event_v1,
    http_event_v2,
    is_text,
    rest_body,
    rest_event,
)
from labs.cloud.mock.gateway.messages import Request

IDS = Ids(
    "uuid",
    "JKJaXmPLvHcESHA=",
    "Root=1-5e6722a7-cc56xmpl46db7ae02d4da47e",
    datetime(2020, 3, 4, 19, 15, 17, 135000, tzinfo=UTC),
)


def place(**changes):
    values = {
        "account_id": "123456789012",
        "api_id": "id",
        "domain_name": "id.execute-api.us-east-1.amazonaws.com",
        "stage": "$default",
        "stage_variables": {},
        "path": "/my/path",
        "request_path": "/my/path",
        "resource": "$default",
        "path_parameters": {},
    }
    return Place(**{**values, **changes})


def request(method="GET", query="", headers=(), body=b""):
    return Request(method, "/my/path", query, tuple(headers), body, "192.0.2.1")


GUIDE_REQUEST = request(
    "POST",
    "parameter1=value1&parameter1=value2&parameter2=value",
    [
        ("Header1", "value1"),
        ("Header2", "value1"),
        ("Header2", "value2"),
        ("Cookie", "cookie1; cookie2"),
        ("User-Agent", "agent"),
        ("Content-Type", "text/plain"),
    ],
    b"Hello from Lambda",
)


def test_format_2_is_the_guides_example():
    where = place(
        path_parameters={"parameter1": "value1"}, stage_variables={"stageVariable1": "value1"}
    )
    event = http_event_v2(GUIDE_REQUEST, where, IDS)
    headers = event.pop("headers")
    assert event == {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": "/my/path",
        "rawQueryString": "parameter1=value1&parameter1=value2&parameter2=value",
        "cookies": ["cookie1", "cookie2"],
        "queryStringParameters": {"parameter1": "value1,value2", "parameter2": "value"},
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "id",
            "domainName": "id.execute-api.us-east-1.amazonaws.com",
            "domainPrefix": "id",
            "http": {
                "method": "POST",
                "path": "/my/path",
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1",
                "userAgent": "agent",
            },
            "requestId": "JKJaXmPLvHcESHA=",
            "routeKey": "$default",
            "stage": "$default",
            "time": "04/Mar/2020:19:15:17 +0000",
            "timeEpoch": 1583349317135,
        },
        "body": "Hello from Lambda",
        "pathParameters": {"parameter1": "value1"},
        "isBase64Encoded": False,
        "stageVariables": {"stageVariable1": "value1"},
    }
    assert headers["header2"] == "value1,value2"
    assert "cookie" not in headers
    assert headers["x-forwarded-for"] == "192.0.2.1"


def test_format_2_leaves_out_what_is_not_there():
    event = http_event_v2(request(), place(), IDS)
    absent = {"cookies", "queryStringParameters", "pathParameters", "stageVariables", "body"}
    assert not absent & event.keys()
    assert event["rawQueryString"] == ""


def test_format_1_of_an_http_api_is_the_guides_example():
    where = place(resource="GET /my/path", request_path="/dev/my/path", stage="dev")
    event = http_event_v1(GUIDE_REQUEST, where, IDS)
    assert event["version"] == "1.0"
    assert event["resource"] == "/my/path"
    assert event["path"] == "/dev/my/path"
    assert event["multiValueHeaders"]["header2"] == ["value1", "value2"]
    assert event["headers"]["header2"] == "value2"
    assert event["multiValueQueryStringParameters"]["parameter1"] == ["value1", "value2"]
    assert event["pathParameters"] is event["stageVariables"] is None
    context = event["requestContext"]
    assert context["identity"]["sourceIp"] == "192.0.2.1"
    assert context["requestTime"] == "04/Mar/2020:19:15:17 +0000"
    assert context["resourcePath"] == "/my/path"
    assert context["extendedRequestId"] == "JKJaXmPLvHcESHA="


def test_rest_event_keeps_spelling_and_encoding():
    """As recorded on AWS: raw path, decoded query, last value wins, two headers left out."""
    where = place(
        stage="test",
        path="/user/test%2Balias@gmail.com/",
        request_path="/test/user/test%2Balias@gmail.com/",
        resource="/{proxy+}",
        path_parameters={"proxy": "user/test%2Balias@gmail.com"},
        resource_id="abc",
        deployment_id="dep",
    )
    sent = request(
        "GET",
        "price=10&price=30&plus=test+alias&email=a%2Bb&empty=",
        [("tEsT-HEADeR", "aValUE"), ("Content-Length", "0"), ("Connection", "close")],
    )
    event = rest_event(sent, where, IDS, [])
    assert event["path"] == "/user/test%2Balias@gmail.com/"
    assert event["pathParameters"] == {"proxy": "user/test%2Balias@gmail.com"}
    assert event["queryStringParameters"] == {
        "price": "30",
        "plus": "test alias",
        "email": "a+b",
        "empty": "",
    }
    assert event["multiValueQueryStringParameters"]["price"] == ["10", "30"]
    assert event["headers"]["tEsT-HEADeR"] == "aValUE"
    assert not {"content-length", "connection"} & {name.lower() for name in event["headers"]}
    assert event["body"] is None
    assert event["isBase64Encoded"] is False
    context = event["requestContext"]
    assert (context["resourcePath"], context["resourceId"]) == ("/{proxy+}", "abc")
    assert (context["path"], context["deploymentId"]) == (
        "/test/user/test%2Balias@gmail.com/",
        "dep",
    )
    assert "version" not in event


def test_rest_event_without_a_query_has_null():
    event = rest_event(request(), place(), IDS, [])
    assert event["queryStringParameters"] is event["multiValueQueryStringParameters"] is None


@pytest.mark.parametrize(
    ("content_type", "text"),
    [
        ("text/plain", True),
        ("Application/JSON; charset=utf-8", True),
        ("application/xml", True),
        ("application/javascript", True),
        ("application/x-www-form-urlencoded", False),
        ("application/octet-stream", False),
        ("multipart/form-data; boundary=x", False),
        (None, False),
    ],
)
def test_what_an_http_api_takes_for_text(content_type, text):
    assert is_text(content_type) is text


def test_a_form_arrives_as_base64_in_http_apis_and_as_text_in_rest_apis():
    sent = request("POST", "", [("Content-Type", "application/x-www-form-urlencoded")], b"text=a")
    assert http_body(sent) == (base64.b64encode(b"text=a").decode(), True)
    assert rest_body(sent, []) == ("text=a", False)


@pytest.mark.parametrize("pattern", ["image/png", "image/*", "*/*"])
def test_rest_bodies_are_binary_by_media_type(pattern):
    sent = request("POST", "", [("Content-Type", "image/png")], b"\x89PNG")
    assert rest_body(sent, [pattern]) == (base64.b64encode(b"\x89PNG").decode(), True)
    assert rest_body(sent, ["text/csv"])[1] is False


def test_forwarded_for_is_extended():
    sent = request(headers=[("X-Forwarded-For", "203.0.113.9")])
    assert http_event_v2(sent, place(), IDS)["headers"]["x-forwarded-for"] == (
        "203.0.113.9, 192.0.2.1"
    )


def test_http_paths_are_decoded_and_cut():
    assert decode_path("/a%2Fb%20c") == "/a/b c"
    assert decode_path("/users/me%3Fadmin=true") == "/users/me"
    assert decode_path("/%FF") == "/\ufffd"


header_lists = st.lists(st.tuples(st.text(min_size=1), st.text()), max_size=6)


@given(st.text(), header_lists, st.binary(max_size=64), st.sampled_from(["GET", "POST"]))
def test_every_request_becomes_an_event_that_is_json(query, headers, body, method):
    sent = Request(method, "/my/path", query, tuple(headers), body, "127.0.0.1")
    events = [
        rest_event(sent, place(), IDS, ["image/*"]),
        http_event_v1(sent, place(), IDS),
        http_event_v2(sent, place(), IDS),
    ]
    for event in events:
        assert json.loads(json.dumps(event)) == event


@given(st.binary(min_size=1))
def test_a_binary_body_comes_back_whole(body):
    text, encoded = http_body(request("POST", "", [("Content-Type", "image/png")], body))
    assert encoded and base64.b64decode(text) == body


@given(st.text(min_size=1))
def test_a_text_body_comes_back_whole(text):
    sent = text.encode("utf-8", "surrogatepass")
    if sent.decode("utf-8", "replace") == text:
        assert rest_body(request("POST", body=sent), []) == (text, False)


names = st.text(st.characters(codec="utf-8"), min_size=1)


@given(st.lists(st.tuples(names, names), min_size=1))
def test_query_values_survive_encoding(pairs):
    from urllib.parse import urlencode

    event = rest_event(request("GET", urlencode(pairs)), place(), IDS, [])
    flat = [
        (name, value)
        for name, values in event["multiValueQueryStringParameters"].items()
        for value in values
    ]
    assert sorted(flat) == sorted(pairs)
