"""Throttling, CORS, MOCK integrations, small parsers."""

import io

import pytest

from labs.cloud.mock.gateway.cors import add_cors, is_preflight, preflight_reply
from labs.cloud.mock.gateway.integrations import (
    Integration,
    MockResponse,
    NotEmulated,
    Unusable,
    expand_stage_variables,
    forward,
    function_arn,
    http_target,
    is_loopback,
    mock_reply,
)
from labs.cloud.mock.gateway.messages import PAYLOAD_LIMIT, Reply, Request, read_body
from labs.cloud.mock.gateway.throttle import Limit, Throttle


def request(method="GET", headers=(), body=b""):
    return Request(method, "/", "", tuple(headers), body, "127.0.0.1")


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def test_a_bucket_admits_its_burst_and_then_its_rate():
    clock = Clock()
    throttle, limit = Throttle(clock), Limit(rate=2, burst=3)
    assert [throttle.admit("a", limit) for _ in range(4)] == [True, True, True, False]
    assert throttle.admit("b", limit), "another key has its own bucket"
    clock.now = 0.5
    assert [throttle.admit("a", limit) for _ in range(2)] == [True, False]
    clock.now = 60
    assert [throttle.admit("a", limit) for _ in range(4)] == [True, True, True, False]


def test_a_new_limit_counts_at_once_and_zero_closes():
    throttle = Throttle(Clock())
    assert throttle.admit("a", Limit(1, 1))
    assert not throttle.admit("a", Limit(1, 1))
    assert throttle.admit("a", Limit(1, 2))
    assert not throttle.admit("z", Limit(0, 0))
    throttle.reset()
    assert throttle.admit("a", Limit(1, 1))


CORS = {
    "allowOrigins": ["https://www.example.com"],
    "allowMethods": ["GET", "POST"],
    "allowHeaders": ["authorization"],
    "exposeHeaders": ["date"],
    "maxAge": 300,
    "allowCredentials": True,
}


def preflight(origin):
    headers = [("Origin", origin), ("Access-Control-Request-Method", "POST")]
    return request("OPTIONS", headers)


def test_preflight_from_an_allowed_origin():
    asked = preflight("https://www.example.com")
    assert is_preflight(asked)
    reply = preflight_reply(CORS, asked)
    assert reply.status == 204
    assert dict(reply.headers) == {
        "access-control-allow-origin": "https://www.example.com",
        "access-control-allow-credentials": "true",
        "access-control-allow-methods": "GET,POST",
        "access-control-allow-headers": "authorization",
        "access-control-max-age": "300",
    }


def test_preflight_from_elsewhere_gets_no_headers():
    assert preflight_reply(CORS, preflight("https://evil.example")) == Reply(204)
    assert not is_preflight(request("OPTIONS"))


def test_the_apis_cors_headers_replace_the_integrations():
    sent = request(headers=[("Origin", "https://a.example")])
    theirs = Reply(200, (("Access-Control-Allow-Origin", "https://b.example"), ("X", "y")))
    reply = add_cors({"allowOrigins": ["https://*"]}, sent, theirs)
    assert reply.headers == (("X", "y"), ("access-control-allow-origin", "https://a.example"))


def mock_integration(template='{"statusCode": 200}', **responses):
    return Integration(
        "MOCK",
        "",
        "",
        29,
        templates={"application/json": template},
        responses=responses.get("responses", (MockResponse(200),)),
    )


def test_mock_chooses_its_response_by_status():
    responses = (
        MockResponse(200, None, {"application/json": '{"ok": true}'}, (("X-A", "1"),)),
        MockResponse(404, "4\\d\\d", {"application/json": "none"}),
    )
    found = mock_reply(mock_integration(responses=responses), request())
    assert (found.status, found.body) == (200, b'{"ok": true}')
    assert ("X-A", "1") in found.headers
    missing = mock_integration('{"statusCode": 404}', responses=responses)
    assert mock_reply(missing, request()).status == 404


def test_mock_says_what_is_missing_and_what_it_cannot():
    with pytest.raises(Unusable, match="statusCode"):
        mock_reply(mock_integration("{}"), request())
    with pytest.raises(Unusable, match="put_integration_response"):
        mock_reply(mock_integration(responses=()), request())
    with pytest.raises(NotEmulated, match="templates"):
        mock_reply(mock_integration("#set($x = 1)"), request())
    # without a template for the request's type its body is the integration request
    sent = request("POST", [("Content-Type", "text/plain")], b'{"statusCode": 200}')
    assert mock_reply(mock_integration(), sent).status == 200


ARN = "arn:aws:lambda:eu-west-1:123456789012:function:f"


@pytest.mark.parametrize(
    ("uri", "arn"),
    [
        (ARN, ARN),
        (f"{ARN}:prod", f"{ARN}:prod"),
        (
            f"arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/{ARN}:1/invocations",
            f"{ARN}:1",
        ),
        (f"arn:aws:apigateway:eu-west-1:lambda:path//2015-03-31/functions/{ARN}/invocations", ARN),
    ],
)
def test_function_arns(uri, arn):
    assert function_arn(uri) == arn


@pytest.mark.parametrize("uri", ["", "f", "https://example.com", "arn:aws:sqs:eu-west-1:1:q"])
def test_other_uris_are_refused(uri):
    with pytest.raises(Unusable, match="ARN"):
        function_arn(uri)


def test_stage_variables_in_a_uri():
    assert expand_stage_variables("f:${stageVariables.alias}", {"alias": "prod"}) == "f:prod"
    assert expand_stage_variables("f:${stageVariables.other}", {}) == "f:"


def test_http_targets():
    plain = Integration("HTTP_PROXY", "http://x/site/{proxy}", "ANY", 1)
    assert http_target(plain, "", {"proxy": "a b/c%2Fd"}) == "http://x/site/a%20b/c%2Fd"
    mapped = Integration(
        "HTTP_PROXY",
        "http://x/{p}",
        "ANY",
        1,
        parameters={"integration.request.path.p": "method.request.path.proxy"},
    )
    assert http_target(mapped, "", {"proxy": "a/b"}) == "http://x/a/b"
    whole = Integration("HTTP_PROXY", "http://x/", "ANY", 1)
    assert http_target(whole, "/store/checkout", {}) == "http://x/store/checkout"


@pytest.mark.parametrize("url", ["http://192.0.2.1/", "http://example.com/", "https://localhost/"])
def test_nothing_outside_the_machine_is_asked(url):
    with pytest.raises(Unusable):
        forward(url, request(), (), "GET", 1, lambda name, port: None)


def test_loopback():
    assert all(map(is_loopback, ["127.0.0.1", "localhost", "::1", "127.9.9.9"]))
    assert not any(map(is_loopback, ["10.0.0.1", "localhost.evil", "0.0.0.0", ""]))


@pytest.mark.parametrize("chunked", [True, False])
def test_bodies_up_to_10_mb_and_the_rest_is_read_away(chunked):
    def environ(body):
        headers = {"HTTP_TRANSFER_ENCODING": "chunked"} if chunked else {}
        headers = headers or {"CONTENT_LENGTH": str(len(body))}
        return {"wsgi.input": io.BytesIO(body), **headers}

    most = b"x" * PAYLOAD_LIMIT
    assert read_body(environ(most)) == most
    too_much = environ(most + b"x")
    with pytest.raises(ValueError, match="limit"):
        read_body(too_much)
    assert too_much["wsgi.input"].read() == b""
