"""Through a loopback server, with APIs made by boto3 in moto's backends."""

import base64
import http.server
import json
import logging
import threading
from types import SimpleNamespace

import pytest

from labs.cloud.mock.functions.contract import (
    NotPermitted,
    Outcome,
    Throttled,
    TooLarge,
)

REGION, ACCOUNT = "eu-west-1", "123456789012"
OK = {"statusCode": 200, "body": "hello"}


def ok(event):
    return OK


def raising(error):
    def handler(event):
        raise error

    return handler


def unhandled(event):
    return Outcome(b'{"errorMessage": "boom"}', "Unhandled", "", "$LATEST")


# REST


def test_rest_invokes_the_function_for_its_method(cloud):
    api = cloud.rest_api(("POST", "/slack"), handler=ok)
    answer = cloud.call(api.id, "/prod/slack?a=1", "POST", b"text=hi")
    assert (answer.status, answer.body) == (200, b"hello")
    arn, event, service, source = cloud.lambda_.calls[-1]
    assert arn == api.arn
    assert service == "apigateway.amazonaws.com"
    assert source == f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{api.id}/prod/POST/slack"
    assert event["body"] == "text=hi"
    assert event["requestContext"]["path"] == "/prod/slack"
    assert event["requestContext"]["domainName"] == f"{api.id}.execute-api.{REGION}.amazonaws.com"


def test_rest_ids_in_headers_and_event_are_the_same(cloud):
    api = cloud.rest_api(("GET", "/"), handler=ok)
    answer = cloud.call(api.id, "/prod")
    context = cloud.lambda_.event["requestContext"]
    assert answer.header("x-amzn-RequestId") == context["requestId"]
    assert answer.header("x-amz-apigw-id") == context["extendedRequestId"]
    assert answer.header("X-Amzn-Trace-Id") == cloud.lambda_.event["headers"]["X-Amzn-Trace-Id"]
    trace = "Root=1-5e6722a7-0123456789abcdef01234567;Sampled=1"
    assert (
        cloud.call(api.id, "/prod", headers=(("X-Amzn-Trace-Id", trace),)).header("x-amzn-trace-id")
        == trace
    )


def test_rest_hands_on_spelling_duplicates_and_encoding(cloud):
    api = cloud.rest_api(("ANY", "/{proxy+}"), handler=ok)
    headers = (("x-MiXed", "1"), ("X-Twice", "a"), ("X-Twice", "b"))
    assert cloud.call(api.id, "/prod/a%2Fb/c%20d/?q=1&q=2", "PUT", headers=headers).status == 200
    event = cloud.lambda_.event
    assert event["path"] == "/a%2Fb/c%20d/"
    assert event["pathParameters"] == {"proxy": "a%2Fb/c%20d"}
    assert event["httpMethod"] == "PUT"
    assert event["headers"]["x-MiXed"] == "1"
    assert event["multiValueHeaders"]["X-Twice"] == ["a", "b"]
    assert event["multiValueQueryStringParameters"] == {"q": ["1", "2"]}


def test_without_raw_headers_names_are_rebuilt(plain_cloud):
    api = plain_cloud.rest_api(("POST", "/x"), handler=ok)
    headers = (("x-slack-signature", "v0=1"), ("Content-Type", "text/plain"))
    assert plain_cloud.call(api.id, "/prod/x", "POST", b"hi", headers).status == 200
    assert plain_cloud.lambda_.event["headers"]["X-Slack-Signature"] == "v0=1"
    assert plain_cloud.lambda_.event["headers"]["Content-Type"] == "text/plain"


@pytest.mark.parametrize(
    "path", ["/restapis/{}/prod/_user_request_/x", "/_aws/execute-api/{}/prod/x"]
)
def test_path_forms_on_the_mocks_own_port(cloud, path):
    api = cloud.rest_api(("GET", "/x"), handler=ok)
    answer = cloud.call(api.id, path.format(api.id), host=f"127.0.0.1:{cloud.port}")
    assert answer.status == 200
    assert cloud.lambda_.event["path"] == "/x"


@pytest.mark.parametrize(
    ("path", "message", "kind"),
    [
        ("/prod/unknown", "Missing Authentication Token", "MissingAuthenticationTokenException"),
        ("/other/x", "Forbidden", "ForbiddenException"),
    ],
)
def test_rest_unknown_paths_and_stages(cloud, path, message, kind):
    api = cloud.rest_api(("GET", "/x"), handler=ok)
    answer = cloud.call(api.id, path)
    assert (answer.status, answer.message) == (403, message)
    assert answer.header("x-amzn-ErrorType") == kind
    assert answer.header("Content-Type") == "application/json"


def test_unknown_api(cloud):
    answer = cloud.call("nosuchapi1", "/prod/x")
    assert (answer.status, answer.message) == (403, "Forbidden")


@pytest.mark.parametrize(
    ("handler", "status", "message", "logged"),
    [
        (raising(NotPermitted("fn")), 500, "Internal server error", "Invalid permissions"),
        (raising(Throttled("Reserved")), 500, "Internal server error", "throttled"),
        (raising(TooLarge("7 MB")), 413, "Request Too Long", None),
        (unhandled, 502, "Internal server error", "boom"),
        (lambda event: "text", 502, "Internal server error", "not an object"),
    ],
)
def test_rest_hides_the_reason_and_the_log_tells_it(
    cloud, caplog, handler, status, message, logged
):
    api = cloud.rest_api(("GET", "/x"), handler=handler)
    with caplog.at_level(logging.WARNING, "labs.mock.gateway"):
        answer = cloud.call(api.id, "/prod/x")
    assert (answer.status, answer.message) == (status, message)
    if logged:
        assert logged in caplog.text
    else:
        assert not caplog.records


def test_rest_a_function_that_does_not_exist(cloud):
    api = cloud.rest_api(("GET", "/x"), handler=ok)
    cloud.lambda_.functions.clear()
    assert cloud.call(api.id, "/prod/x").status == 500


def test_rest_lambda_wants_post(cloud, caplog):
    api = cloud.rest_api(("GET", "/x"), handler=ok, integrationHttpMethod="GET")
    assert cloud.call(api.id, "/prod/x").status == 500
    assert "expected integrationHttpMethod POST" in caplog.text
    assert not cloud.lambda_.calls


def test_rest_times_out_and_the_function_runs_on(cloud):
    release, finished = threading.Event(), threading.Event()

    def slow(event):
        release.wait(20)
        finished.set()
        return OK

    api = cloud.rest_api(("GET", "/x"), handler=slow, timeoutInMillis=50)
    answer = cloud.call(api.id, "/prod/x")
    assert (answer.status, answer.message) == (504, "Endpoint request timed out")
    release.set()
    assert finished.wait(20)


def test_rest_a_method_is_served_from_the_next_deployment_on(cloud):
    api = cloud.rest_api(("GET", "/x"), handler=ok)
    cloud.put_lambda(api.id, cloud.resource(api.id, "/late"), "GET", api.arn)
    cloud.gateway.observe()
    assert cloud.call(api.id, "/prod/late").message == "Missing Authentication Token"
    cloud.rest.create_deployment(restApiId=api.id, stageName="prod")
    assert cloud.call(api.id, "/prod/late").status == 200


def test_rest_a_stage_keeps_its_deployment(cloud):
    api = cloud.rest_api(("GET", "/x"), handler=ok)
    resource = cloud.resource(api.id, "/x")
    cloud.rest.delete_method(restApiId=api.id, resourceId=resource, httpMethod="GET")
    cloud.put_lambda(api.id, resource, "PUT", api.arn)
    cloud.rest.create_deployment(restApiId=api.id, stageName="next")
    assert cloud.call(api.id, "/prod/x").status == 200
    assert cloud.call(api.id, "/next/x").status == 403


def test_rest_stage_variables_reach_event_and_uri(cloud):
    arn = cloud.function("fn", ok)
    api_id = cloud.rest.create_rest_api(name="api")["id"]
    root = cloud.resource(api_id, "/")
    cloud.put_lambda(api_id, root, "GET", f"{arn}:${{stageVariables.alias}}")
    cloud.rest.create_deployment(restApiId=api_id, stageName="p", variables={"alias": "live"})
    assert cloud.call(api_id, "/p/").status == 200
    assert cloud.lambda_.calls[-1][0] == f"{arn}:live"
    assert cloud.lambda_.event["stageVariables"] == {"alias": "live"}


def test_rest_throttling_by_stage_and_method(cloud):
    api = cloud.rest_api(("GET", "/x"), ("GET", "/y"), handler=ok)
    patches = [
        {"op": "replace", "path": "/*/*/throttling/burstLimit", "value": "1"},
        {"op": "replace", "path": "/*/*/throttling/rateLimit", "value": "0.001"},
        {"op": "replace", "path": "/~1y/GET/throttling/burstLimit", "value": "2"},
        {"op": "replace", "path": "/~1y/GET/throttling/rateLimit", "value": "0.001"},
    ]
    cloud.rest.update_stage(restApiId=api.id, stageName="prod", patchOperations=patches)
    assert [cloud.call(api.id, "/prod/x").status for _ in range(2)] == [200, 429]
    answers = [cloud.call(api.id, "/prod/y") for _ in range(3)]
    assert [answer.status for answer in answers] == [200, 200, 429]
    assert answers[-1].message == "Too Many Requests"
    assert answers[-1].header("x-amzn-ErrorType") == "TooManyRequestsException"


def test_rest_mock_integration_serves_the_learners_cors(cloud):
    api_id = cloud.rest.create_rest_api(name="api")["id"]
    where = {
        "restApiId": api_id,
        "resourceId": cloud.resource(api_id, "/x"),
        "httpMethod": "OPTIONS",
    }
    name = "method.response.header.Access-Control-Allow-Origin"
    cloud.rest.put_method(**where, authorizationType="NONE")
    cloud.rest.put_method_response(**where, statusCode="200", responseParameters={name: True})
    cloud.rest.put_integration(
        **where, type="MOCK", requestTemplates={"application/json": '{"statusCode": 200}'}
    )
    cloud.rest.put_integration_response(**where, statusCode="200", responseParameters={name: "'*'"})
    cloud.rest.create_deployment(restApiId=api_id, stageName="p")
    answer = cloud.call(api_id, "/p/x", "OPTIONS")
    assert (answer.status, answer.header("Access-Control-Allow-Origin")) == (200, "*")


def test_rest_what_the_mock_does_not_do_is_said(cloud):
    api_id = cloud.rest.create_rest_api(name="api")["id"]
    root = cloud.resource(api_id, "/")
    where = {"restApiId": api_id, "resourceId": root}
    cloud.rest.put_method(**where, httpMethod="GET", authorizationType="CUSTOM", authorizerId="a")
    cloud.rest.put_method(**where, httpMethod="PUT", authorizationType="AWS_IAM")
    for verb in ("GET", "PUT"):
        cloud.rest.put_integration(**where, httpMethod=verb, type="MOCK")
    cloud.rest.create_deployment(restApiId=api_id, stageName="p")
    answer = cloud.call(api_id, "/p")
    assert answer.status == 501
    assert "authorizers" in answer.message
    assert cloud.call(api_id, "/p", "PUT").message == "Missing Authentication Token"


def test_a_body_over_10_mb(cloud):
    api = cloud.rest_api(("POST", "/x"), handler=ok)
    answer = cloud.call(api.id, "/prod/x", "POST", b"x" * (10 * 1024 * 1024 + 1))
    assert answer.status == 413
    assert not cloud.lambda_.calls


def test_head_has_no_body_and_204_no_length(cloud):
    api = cloud.rest_api(("ANY", "/x"), handler=ok)
    answer = cloud.call(api.id, "/prod/x", "HEAD")
    assert (answer.status, answer.header("Content-Length"), answer.body) == (200, "5", b"")
    cloud.lambda_.functions["fn"] = lambda event: {"statusCode": 204}
    assert cloud.call(api.id, "/prod/x").header("Content-Length") is None


def test_text_outside_latin_1_in_headers_and_body(cloud):
    answer = {"statusCode": 200, "headers": {"X-Name": "żółw 🐢"}, "body": "żółw 🐢"}
    api = cloud.rest_api(("GET", "/x"), handler=lambda event: answer)
    got = cloud.call(api.id, "/prod/x")
    assert got.body.decode() == "żółw 🐢"
    assert got.header("X-Name").encode("latin-1").decode() == "żółw 🐢"


# HTTP APIs


def test_http_default_stage_and_format_2(cloud):
    api = cloud.http_api("GET /pets/{id}", handler=lambda event: {"id": event["pathParameters"]})
    answer = cloud.call(api.id, "/pets/a%20b?x=1&x=2", headers=(("Cookie", "a=1; b=2"),))
    assert (answer.status, json.loads(answer.body)) == (200, {"id": {"id": "a b"}})
    event = cloud.lambda_.event
    assert event["rawPath"] == "/pets/a b"
    assert event["rawQueryString"] == "x=1&x=2"
    assert event["queryStringParameters"] == {"x": "1,2"}
    assert event["cookies"] == ["a=1", "b=2"]
    assert event["requestContext"]["requestId"] == answer.header("Apigw-Requestid")
    assert answer.header("x-amzn-RequestId") is None
    source = cloud.lambda_.calls[-1][3]
    assert source == f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{api.id}/$default/GET/pets/{{id}}"


def test_http_named_stage_is_part_of_the_path(cloud):
    api = cloud.http_api("ANY /pets", handler=ok, stage="dev")
    assert cloud.call(api.id, "/dev/pets").status == 200
    assert cloud.lambda_.event["rawPath"] == "/dev/pets"
    assert cloud.lambda_.event["requestContext"]["stage"] == "dev"
    answer = cloud.call(api.id, "/pets")
    assert (answer.status, answer.message) == (404, "Not Found")
    assert answer.header("x-amzn-ErrorType") is None


def test_http_default_route_and_its_source_arn(cloud):
    api = cloud.http_api("GET /pets", "$default", handler=ok)
    assert cloud.call(api.id, "/else/where", "DELETE").status == 200
    assert cloud.lambda_.event["routeKey"] == "$default"
    assert cloud.lambda_.calls[-1][3].endswith(f":{api.id}/$default/$default")


def test_http_default_stage_by_the_path_form(cloud):
    api = cloud.http_api("GET /pets", handler=ok)
    path = f"/_aws/execute-api/{api.id}/$default/pets"
    assert cloud.call(api.id, path, host="localhost").status == 200
    assert cloud.lambda_.event["rawPath"] == "/pets"


def test_http_format_1(cloud):
    answer = {"statusCode": 201, "multiValueHeaders": {"Set-Cookie": ["a=1", "b=2"]}}
    api = cloud.http_api("POST /pets", handler=lambda event: answer, version="1.0", stage="dev")
    got = cloud.call(api.id, "/dev/pets", "POST", b"{}", (("Content-Type", "application/json"),))
    assert (got.status, got.all("set-cookie")) == (201, ["a=1", "b=2"])
    event = cloud.lambda_.event
    assert (event["version"], event["path"], event["resource"]) == ("1.0", "/dev/pets", "/pets")
    assert event["body"] == "{}"


def test_http_form_arrives_encoded_and_binary_goes_back(cloud):
    encoded = base64.b64encode(b"\x89PNG").decode()
    api = cloud.http_api(
        "POST /pets",
        handler=lambda event: {
            "statusCode": 200,
            "body": encoded,
            "isBase64Encoded": True,
            "cookies": ["a=1"],
        },
    )
    headers = (("Content-Type", "application/x-www-form-urlencoded"),)
    answer = cloud.call(api.id, "/pets", "POST", b"text=hi", headers)
    assert cloud.lambda_.event["isBase64Encoded"] is True
    assert base64.b64decode(cloud.lambda_.event["body"]) == b"text=hi"
    assert (answer.body, answer.all("set-cookie")) == (b"\x89PNG", ["a=1"])


@pytest.mark.parametrize(
    ("handler", "status", "message"),
    [
        (raising(NotPermitted("fn")), 500, "Internal Server Error"),
        (unhandled, 500, "Internal Server Error"),
        (lambda event: {"statusCode": "no"}, 500, "Internal Server Error"),
        (raising(Throttled("Reserved")), 503, "Service Unavailable"),
        (raising(TooLarge("7 MB")), 413, "Request Entity Too Large"),
    ],
)
def test_http_errors(cloud, handler, status, message):
    api = cloud.http_api("GET /x", handler=handler)
    answer = cloud.call(api.id, "/x")
    assert (answer.status, answer.message) == (status, message)
    assert answer.header("Apigw-Requestid")


def test_http_time_out(cloud):
    release = threading.Event()

    def slow(event):
        release.wait(20)
        return OK

    api = cloud.http_api("GET /x", handler=slow, integration={"TimeoutInMillis": 50})
    assert cloud.call(api.id, "/x").status == 503
    release.set()


def test_http_throttling_by_stage_and_route(cloud):
    api = cloud.http_api(
        "GET /x",
        "GET /y",
        handler=ok,
        stage_settings={
            "DefaultRouteSettings": {"ThrottlingBurstLimit": 1, "ThrottlingRateLimit": 0.001},
            "RouteSettings": {"GET /y": {"ThrottlingBurstLimit": 2}},
        },
    )
    assert [cloud.call(api.id, "/x").status for _ in range(2)] == [200, 429]
    assert [cloud.call(api.id, "/y").status for _ in range(3)] == [200, 200, 429]
    cloud.gateway.reset()
    assert cloud.call(api.id, "/x").status == 200


def test_http_cors(cloud):
    api = cloud.http_api(
        "GET /x", handler=ok, CorsConfiguration={"AllowOrigins": ["*"], "AllowMethods": ["GET"]}
    )
    headers = (("Origin", "https://a.example"), ("Access-Control-Request-Method", "GET"))
    answer = cloud.call(api.id, "/x", "OPTIONS", headers=headers)
    assert (answer.status, answer.header("access-control-allow-methods")) == (204, "GET")
    answer = cloud.call(api.id, "/x", headers=headers[:1])
    assert answer.header("access-control-allow-origin") == "*"


def test_websocket_apis_are_not_served(cloud):
    api_id = cloud.http.create_api(
        Name="ws", ProtocolType="WEBSOCKET", RouteSelectionExpression="$request.body.action"
    )["ApiId"]
    assert cloud.call(api_id, "/prod").status == 501


# HTTP_PROXY


@pytest.fixture
def backend():
    """A web server on loopback that says what it was asked."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            seen = {
                "target": self.path,
                "method": self.command,
                "body": body.decode(),
                "host": self.headers["Host"],
                "via": self.headers["X-Forwarded-For"],
            }
            text = json.dumps(seen).encode()
            self.send_response(201)
            self.send_header("Set-Cookie", "a=1")
            self.send_header("Set-Cookie", "b=2")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield SimpleNamespace(url=f"http://127.0.0.1:{server.server_port}", host=server.server_port)
    server.shutdown()
    server.server_close()
    thread.join()


def test_http_proxy_of_an_http_api(cloud, backend):
    api = cloud.http_api(
        "ANY /api/{proxy+}",
        handler=ok,
        integration={
            "IntegrationType": "HTTP_PROXY",
            "IntegrationUri": f"{backend.url}/site/{{proxy}}",
            "IntegrationMethod": "ANY",
            "PayloadFormatVersion": "1.0",
        },
    )
    answer = cloud.call(api.id, "/api/a/b%20c?q=1", "POST", b"body")
    seen = json.loads(answer.body)
    assert answer.status == 201
    assert (seen["target"], seen["body"]) == ("/site/a/b%20c?q=1", "body")
    assert seen["host"] == f"127.0.0.1:{backend.host}"
    assert seen["via"] == "127.0.0.1"
    assert answer.all("set-cookie") == ["a=1", "b=2"]


def test_http_proxy_of_a_rest_api_and_a_dead_backend(cloud, backend):
    api_id = cloud.rest.create_rest_api(name="api")["id"]
    for path, uri in (("/live", f"{backend.url}/x"), ("/dead", "http://127.0.0.1:9/")):
        where = {
            "restApiId": api_id,
            "resourceId": cloud.resource(api_id, path),
            "httpMethod": "GET",
        }
        cloud.rest.put_method(**where, authorizationType="NONE")
        cloud.rest.put_integration(**where, type="HTTP_PROXY", integrationHttpMethod="GET", uri=uri)
    cloud.rest.create_deployment(restApiId=api_id, stageName="p")
    assert cloud.call(api_id, "/p/live").status == 201
    answer = cloud.call(api_id, "/p/dead")
    assert (answer.status, answer.message) == (504, "Network error communicating with endpoint")


# The mock's own needs


def test_host_names_are_those_of_the_apis_that_exist(cloud):
    rest = cloud.rest_api(("GET", "/"), handler=ok)
    http_ = cloud.http_api("GET /", handler=ok)
    names = {f"{api.id}.execute-api.{REGION}.amazonaws.com" for api in (rest, http_)}
    assert set(cloud.gateway.host_names()) == names
    cloud.rest.delete_rest_api(restApiId=rest.id)
    cloud.http.delete_api(ApiId=http_.id)
    assert cloud.gateway.host_names() == []


def test_concurrent_requests_do_not_mix(cloud):
    api = cloud.http_api("GET /{n}", handler=lambda event: event["pathParameters"]["n"])
    got = {}

    def ask(n):
        got[n] = cloud.call(api.id, f"/{n}").body.decode()

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == {n: str(n) for n in range(24)}
