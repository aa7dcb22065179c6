"""What a target is told about the client, and what it is not sent."""

import re

import pytest

from labs.loadbalancing.layer7 import Forward, Settings
from labs.loadbalancing.layer7.tracing import trace_id
from labs.loadbalancing.target import Target
from tests.loadbalancing.layer7.harness import GET, HELLO, Client, asynchronous, recording

CLIENT = ("203.0.113.5", 1234)


async def seen(request: bytes, *, reply=HELLO, forward=None, **options):
    """The request as a target sees it."""
    options = {"external_port": 80, "seen_as": lambda peer: CLIENT} | options
    async with recording(lambda _: reply, **options) as (proxy, target):
        if forward:
            proxy.route = lambda request: Forward(target.target, **forward)
        client = await Client.connect(proxy)
        await client.ask(request)
        return target.requests[0]


def get(*lines: str, version: str = "1.1", url: str = "/") -> bytes:
    return "\r\n".join([f"GET {url} HTTP/{version}", *lines, "", ""]).encode("latin-1")


@pytest.mark.parametrize(
    ("sent", "settings", "expected"),
    [
        (None, Settings(), ["203.0.113.5"]),
        ("192.0.2.1", Settings(), ["192.0.2.1, 203.0.113.5"]),
        ("192.0.2.1", Settings(x_forwarded_for="preserve"), ["192.0.2.1"]),
        (None, Settings(x_forwarded_for="preserve"), []),
        ("192.0.2.1", Settings(x_forwarded_for="remove"), []),
        (None, Settings(x_forwarded_for_client_port=True), ["203.0.113.5:1234"]),
    ],
)
@asynchronous
async def test_x_forwarded_for(sent, settings, expected):
    lines = ["Host: a"] + ([f"X-Forwarded-For: {sent}"] if sent else [])
    request = await seen(get(*lines), settings=settings)
    assert request.all("x-forwarded-for") == expected


@asynchronous
async def test_an_ipv6_client_with_its_port():
    settings = Settings(x_forwarded_for_client_port=True)
    request = await seen(GET, settings=settings, seen_as=lambda peer: ("2001:db8::1", 5))
    assert request["x-forwarded-for"] == "[2001:db8::1]:5"


@asynchronous
async def test_several_x_forwarded_for_become_one():
    request = await seen(get("Host: a", "X-Forwarded-For: 1.1.1.1", "x-forwarded-for: 2.2.2.2"))
    assert request["x-forwarded-for"] == "1.1.1.1, 2.2.2.2, 203.0.113.5"


@asynchronous
async def test_proto_and_port_are_the_listeners_whatever_the_client_says():
    request = await seen(
        get("Host: a", "X-Forwarded-Proto: https", "X-Forwarded-Port: 99", "X_Forwarded_Proto: x"),
        external_port=8080,
    )
    assert (request["x-forwarded-proto"], request["x-forwarded-port"]) == ("http", "8080")
    assert request.all("x_forwarded_proto") == []


@asynchronous
async def test_hop_by_hop_headers_stay_behind():
    request = await seen(
        get(
            "Host: a",
            "Connection: keep-alive, X-Mine, Host",
            "Keep-Alive: timeout=5",
            "X-Mine: 1",
            "X-Theirs: 2",
            "TE: trailers",
            "Proxy-Connection: keep-alive",
            "Upgrade: h2c",
        )
    )
    names = {name for name, _ in request.headers}
    assert names == {
        "host",
        "x-theirs",
        "x-forwarded-for",
        "x-forwarded-port",
        "x-forwarded-proto",
        "x-amzn-trace-id",
    }


@asynchronous
async def test_headers_of_the_response():
    reply = (
        b"HTTP/1.1 200 Fine\r\nConnection: X-Mine\r\nX-Mine: 1\r\nKeep-Alive: timeout=5\r\n"
        b"Set-Cookie: a=1\r\nSet-Cookie: b=2\r\nContent-Length: 2\r\n\r\nok"
    )

    def added(status, headers):
        assert status == 200
        assert ("Set-Cookie", "a=1") in headers
        return (("Set-Cookie", "AWSALB=x"),)

    async with recording(lambda _: reply) as (proxy, target):
        proxy.route = lambda request: Forward(target.target, added=added)
        client = await Client.connect(proxy)
        response = await client.ask(GET)
        assert response.headers == [
            ("Set-Cookie", "a=1"),
            ("Set-Cookie", "b=2"),
            ("Set-Cookie", "AWSALB=x"),
            ("Content-Length", "2"),
        ]


@pytest.mark.parametrize(
    ("port", "url", "host", "changed", "preserved"),
    [
        (80, "/", "Example.com", "example.com", "Example.com"),
        (80, "/", "example.com:80", "example.com", "example.com:80"),
        (443, "/", "example.com:8443", "example.com", "example.com:8443"),
        (80, "https://dns_name/index.html", "example.com", "dns_name", "example.com"),
        (8080, "/", "example.com", "example.com:8080", "example.com"),
        (8080, "/", "example.com:8080", "example.com:8080", "example.com:8080"),
        (8080, "/", "[2001:db8::1]", "[2001:db8::1]:8080", "[2001:db8::1]"),
        (80, "/", "[2001:db8::1]:80", "[2001:db8::1]", "[2001:db8::1]:80"),
        (8080, "/", "example.com:", "example.com:8080", "example.com:"),
    ],
)
@asynchronous
async def test_the_host_as_in_awss_table(port, url, host, changed, preserved):
    """Source: Application Load Balancer guide, "Host header preservation"."""
    sent = get(f"Host: {host}", url=url)
    request = await seen(sent, external_port=port)
    assert request["host"] == changed
    assert request.target == ("/" if url == "/" else "/index.html")
    settings = Settings(preserve_host_header=True)
    request = await seen(sent, external_port=port, settings=settings)
    assert request["host"] == preserved


@asynchronous
async def test_a_request_of_http_1_0_without_host_gets_the_balancers():
    settings = Settings(dns_name="web-1.us-east-1.elb.amazonaws.com")
    request = await seen(get(version="1.0"), settings=settings)
    assert request["host"] == "web-1.us-east-1.elb.amazonaws.com"


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("http://b", "/"),
        ("http://b?x=1", "/?x=1"),
        ("HTTPS://b:80/p?q", "/p?q"),
        ("//b/p", "//b/p"),
        ("/a/../b%00?x=http://c/", "/a/../b%00?x=http://c/"),
    ],
)
@asynchronous
async def test_targets_get_the_origin_form(url, target):
    assert (await seen(get("Host: a", url=url))).target == target


@asynchronous
async def test_a_router_may_change_url_and_host():
    request = await seen(GET, forward={"url": "/new?x", "host": "other:81"})
    assert (request.target, request["host"]) == ("/new?x", "other:81")


@asynchronous
async def test_invalid_names_are_dropped_on_request():
    sent = get("Host: a", "X_Under: 1", "X!: 2", "X-Good: 3")
    request = await seen(sent, settings=Settings(drop_invalid_headers=True))
    assert not request.all("x_under") + request.all("x!")
    assert request["x-good"] == "3"
    request = await seen(sent)
    assert request["x_under"] == "1"


ROOT = "Root=1-67891233-abcdef012345678912345678"
ID = r"1-[0-9a-f]{8}-[0-9a-f]{24}"


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (None, f"Root={ID}"),
        (ROOT, f"Self={ID};{ROOT}"),
        (f"{ROOT};CalledFrom=app", f"Self={ID};{ROOT};CalledFrom=app"),
        (f"Self=1-67891233-12456789abcdef012345678;{ROOT}", f"Self={ID};{ROOT}"),
        ("CalledFrom=app", f"Root={ID};CalledFrom=app"),
        ("Self=1-67891233-12456789abcdef012345678", f"Self={ID}"),
        ("", f"Root={ID}"),
    ],
)
def test_trace_ids_by_awss_rules(sent, expected):
    """Source: "Request tracing for your Application Load Balancer"."""
    assert re.fullmatch(expected, trace_id(sent, 100))
    assert "12456789abcdef" not in trace_id(sent, 100)


def test_a_trace_id_starts_anew_over_7_kilobytes_of_headers():
    assert re.fullmatch(f"Root={ID}", trace_id(ROOT, 8000))


@asynchronous
async def test_trace_ids_reach_the_target_or_are_left_alone():
    assert re.fullmatch(f"Root={ID}", (await seen(GET))["x-amzn-trace-id"])
    off = Settings(trace_ids=False)
    request = await seen(get("Host: a", f"X-Amzn-Trace-Id: {ROOT}"), settings=off)
    assert request["x-amzn-trace-id"] == ROOT
    assert (await seen(GET, settings=off)).all("x-amzn-trace-id") == []


def test_a_target_is_known_by_more_than_its_address():
    assert Target("i-1:80", "127.0.0.1", 1) != Target("i-2:80", "127.0.0.1", 1)
