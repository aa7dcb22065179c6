"""Routing and addresses: pure, so tested without a server."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs.cloud.mock.gateway.address import Address, find_address
from labs.cloud.mock.gateway.routing import match_path, route_http, route_rest


@dataclass(frozen=True)
class Candidate:
    verb: str
    path: str


def candidates(*keys):
    return [Candidate(*key.split(" ")) for key in keys]


# The example of API Gateway's guide, "Create routes for HTTP APIs".
GUIDE = candidates("GET /pets/dog/1", "GET /pets/dog/{id}", "GET /pets/{proxy+}", "ANY /{proxy+}")
DEFAULT = Candidate("$default", "")


@pytest.mark.parametrize(
    ("verb", "path", "expected", "parameters"),
    [
        ("GET", "/pets/dog/1", 0, {}),
        ("GET", "/pets/dog/2", 1, {"id": "2"}),
        ("GET", "/pets/cat/1", 2, {"proxy": "cat/1"}),
        ("POST", "/test/5", 3, {"proxy": "test/5"}),
        ("POST", "/pets/dog/1", 3, {"proxy": "pets/dog/1"}),
    ],
)
@pytest.mark.parametrize("order", [1, -1])
def test_http_routes_go_from_full_match_to_greedy(verb, path, expected, parameters, order):
    assert route_http(GUIDE[::order], DEFAULT, verb, path) == (GUIDE[expected], parameters)


def test_http_default_route_takes_what_no_other_takes():
    routes = candidates("GET /pets")
    assert route_http(routes, DEFAULT, "GET", "/dogs") == (DEFAULT, {})
    assert route_http(routes, None, "GET", "/dogs") is None


def test_http_trailing_slash_counts_and_rest_does_not():
    routes = candidates("GET /pets")
    assert route_http(routes, None, "GET", "/pets/") is None
    assert route_rest(routes, "GET", "/pets/") == (routes[0], {})


def test_full_match_with_any_wins_over_greedy_with_the_method():
    routes = candidates("GET /{proxy+}", "ANY /pets")
    assert route_http(routes, None, "GET", "/pets")[0] == routes[1]


def test_rest_chooses_the_resource_first_and_does_not_fall_back():
    methods = candidates("GET /pets", "ANY /{proxy+}")
    assert route_rest(methods, "GET", "/pets")[0] == methods[0]
    assert route_rest(methods, "POST", "/pets") is None
    assert route_rest(methods, "POST", "/dogs")[0] == methods[1]


def test_rest_method_wins_over_any():
    methods = candidates("ANY /pets", "GET /pets")
    assert route_rest(methods, "GET", "/pets")[0] == methods[1]
    assert route_rest(methods, "PUT", "/pets")[0] == methods[0]


def test_variables_take_no_empty_segment_and_greedy_ones_something():
    assert match_path("/pets/{id}", "/pets/") is None
    assert match_path("/{proxy+}", "/") is None
    assert match_path("/a/{proxy+}", "/a") is None


segment = st.text(st.characters(blacklist_characters="/{}", max_codepoint=0x2FF), min_size=1)


@given(st.lists(segment, min_size=1, max_size=5))
def test_a_greedy_variable_gives_back_every_path(segments):
    path = "/" + "/".join(segments)
    assert match_path("/{proxy+}", path).parameters == {"proxy": path[1:]}


@given(st.lists(segment, min_size=1, max_size=5), st.data())
def test_substituting_the_parameters_gives_the_path_back(segments, data):
    named = data.draw(st.lists(st.booleans(), min_size=len(segments), max_size=len(segments)))
    parts = [
        f"{{v{i}}}" if name else s for i, (s, name) in enumerate(zip(segments, named, strict=True))
    ]
    match = match_path("/" + "/".join(parts), "/" + "/".join(segments))
    assert match.parameters == {f"v{i}": s for i, s in enumerate(segments) if named[i]}
    assert match.rank == tuple(int(name) for name in named)


@given(st.text(), st.text())
def test_no_path_makes_the_matcher_fail(template, path):
    match_path(template, path)


@pytest.mark.parametrize(
    ("host", "target", "expected"),
    [
        ("abc123.execute-api.us-east-1.amazonaws.com", "/p/x?q=1", Address("abc123", "/p/x")),
        ("ABC123.execute-api.us-east-1.amazonaws.com:443", "/p", Address("abc123", "/p")),
        ("abc.execute-api.cn-north-1.amazonaws.com.cn", "/p", Address("abc", "/p")),
        ("localhost:5000", "/restapis/abc/p/_user_request_/a%2Fb", Address("abc", "/p/a%2Fb")),
        ("localhost:5000", "/restapis/abc/p/_user_request_", Address("abc", "/p")),
        ("localhost:5000", "/_aws/execute-api/abc/p/x", Address("abc", "/p/x")),
        ("localhost:5000", "/_aws/execute-api/abc/$default/x", Address("abc", "/x")),
        ("localhost:5000", "/_aws/execute-api/abc/%24default", Address("abc", "/")),
        ("abc.execute-api.eu-west-1.amazonaws.com", "http://a.b/p/x", Address("abc", "/p/x")),
        ("localhost:5000", "/restapis/abc/stages/p", None),
        ("evil.execute-api.x.amazonaws.com.example.com", "/p", None),
        ("bucket.s3.amazonaws.com", "/key", None),
    ],
)
def test_addresses(host, target, expected):
    assert find_address({"HTTP_HOST": host, "REQUEST_URI": target}) == expected


def test_address_without_the_request_target_encodes_the_path_again():
    path = "/p/ü b".encode().decode("latin-1")
    environ = {"HTTP_HOST": "abc.execute-api.eu-west-1.amazonaws.com", "PATH_INFO": path}
    assert find_address(environ) == Address("abc", "/p/%C3%BC%20b")
