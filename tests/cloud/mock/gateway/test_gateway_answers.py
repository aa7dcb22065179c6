"""Functions' answers, well-formed and not."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs.cloud.mock.gateway.answers import (
    Malformed,
    Undecodable,
    http_reply_v1,
    http_reply_v2,
    rest_reply,
)
from labs.cloud.mock.gateway.messages import Request

REQUEST = Request("GET", "/", "", (("Accept", "image/png, */*"),), b"", "127.0.0.1")


def rest(answer, binary=()):
    return rest_reply(json.dumps(answer).encode(), REQUEST, binary)


def v1(answer):
    return http_reply_v1(json.dumps(answer).encode())


def v2(answer):
    return http_reply_v2(json.dumps(answer).encode())


def test_default_content_types_differ():
    answer = {"statusCode": 200, "body": "x"}
    kinds = [dict(reply(answer).headers)["Content-Type"] for reply in (rest, v1, v2)]
    assert kinds == ["application/json", "text/plain; charset=utf-8", "text/plain; charset=utf-8"]


def test_a_content_type_in_any_case_is_kept_and_not_doubled():
    for reply in (rest, v1, v2):
        headers = reply({"statusCode": 200, "headers": {"content-type": "text/html"}}).headers
        assert [pair for pair in headers if pair[0].lower() == "content-type"] == [
            ("content-type", "text/html")
        ]


@pytest.mark.parametrize(
    "answer",
    [
        "text",
        None,
        [1],
        {"statusCode": 200, "wrong": 1},
        {"statusCode": "abc"},
        {"statusCode": None},
        {"statusCode": True},
        {"statusCode": 99},
        {"statusCode": 200, "body": {"a": 1}},
        {"statusCode": 200, "headers": []},
        {"statusCode": 200, "headers": {"x": 1}},
        {"statusCode": 200, "headers": {"x": "a\r\nset-cookie: stolen"}},
        {"statusCode": 200, "headers": {"x y": "a"}},
        {"statusCode": 200, "multiValueHeaders": {"x": "a"}},
    ],
)
def test_rest_refuses_malformed_answers(answer):
    with pytest.raises(Malformed):
        rest(answer)


def test_rest_takes_an_answer_without_status_and_a_status_as_text():
    assert rest({"headers": {"x": "y"}}).status == 200
    assert rest({"statusCode": "201"}).status == 201


def test_multi_value_headers_are_merged_without_repetition():
    """The guide: where both name a header the values are one list."""
    reply = rest(
        {
            "multiValueHeaders": {"Set-Cookie": ["a=1", "b=2"]},
            "headers": {"set-cookie": "b=2", "X-One": "1"},
        }
    )
    cookies = [value for name, value in reply.headers if name.lower() == "set-cookie"]
    assert cookies == ["a=1", "b=2"]
    assert ("X-One", "1") in reply.headers


def test_rest_decodes_base64_only_for_an_accepted_binary_type():
    encoded = base64.b64encode(b"\x89PNG").decode()
    answer = {"statusCode": 200, "body": encoded, "isBase64Encoded": True}
    assert rest(answer, ["image/png"]).body == b"\x89PNG"
    assert rest(answer).body == encoded.encode()
    assert v1(answer).body == v2(answer).body == b"\x89PNG"


def test_bad_base64_is_told_apart():
    answer = {"statusCode": 200, "body": "not base64!", "isBase64Encoded": True}
    for reply in (v1, v2):
        with pytest.raises(Undecodable):
            reply(answer)
    with pytest.raises(Undecodable):
        rest(answer, ["*/*"])


def test_rest_renames_headers_it_keeps_for_itself():
    reply = rest({"headers": {"Server": "mine", "Content-Length": "99"}})
    assert ("x-amzn-Remapped-Server", "mine") in reply.headers
    assert not any(name.lower() == "content-length" for name, _ in reply.headers)


def test_format_1_of_an_http_api_needs_a_status_and_ignores_the_unknown():
    assert v1({"statusCode": 200, "wrong": 1}).status == 200
    with pytest.raises(Malformed):
        v1({"body": "x"})


@pytest.mark.parametrize(
    ("payload", "body"),
    [
        (b'"Hello from Lambda!"', b"Hello from Lambda!"),
        (b'{"message": "Hello from Lambda!"}', b'{"message": "Hello from Lambda!"}'),
        (b"null", b"null"),
        (b"[1, 2]", b"[1, 2]"),
        (b'{"name": "John', b'{"name": "John'),
    ],
)
def test_format_2_infers_the_answer(payload, body):
    reply = http_reply_v2(payload)
    assert (reply.status, reply.body) == (200, body)
    assert reply.headers == (("Content-Type", "application/json"),)


def test_format_2_sends_a_header_for_each_cookie():
    reply = v2({"statusCode": 200, "cookies": ["a=1", "b=2; HttpOnly"], "body": ""})
    assert [value for name, value in reply.headers if name == "set-cookie"] == [
        "a=1",
        "b=2; HttpOnly",
    ]


@pytest.mark.parametrize(
    "answer",
    [{"statusCode": "x"}, {"statusCode": 200, "body": 1}, {"statusCode": 200, "cookies": "a"}],
)
def test_format_2_refuses_malformed_answers(answer):
    with pytest.raises(Malformed):
        v2(answer)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
fields = ("statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded", "cookies")
answers = json_values | st.dictionaries(st.sampled_from(fields), json_values)


@given(st.binary() | answers.map(lambda answer: json.dumps(answer).encode()))
def test_any_payload_is_a_reply_or_malformed(payload):
    """No answer of a function may break the gateway or smuggle a header line."""
    for parse in (lambda p: rest_reply(p, REQUEST, ["*/*"]), http_reply_v1, http_reply_v2):
        try:
            reply = parse(payload)
        except (Malformed, Undecodable):
            continue
        assert 200 <= reply.status <= 599
        assert isinstance(reply.body, bytes)
        for name, value in reply.headers:
            assert not set(name + value) & {"\r", "\n", "\0"}
            (name + value).encode()
