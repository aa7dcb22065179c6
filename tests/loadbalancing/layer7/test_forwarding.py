"""Requests reach targets, responses come back, each in its own framing."""

import asyncio
from itertools import count, cycle

import pytest

from labs.loadbalancing.layer7 import Answer, Forward
from tests.loadbalancing.layer7.harness import (
    GET,
    HELLO,
    Client,
    RecordingTarget,
    asynchronous,
    listening,
    proxied,
    recording,
    until,
)

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@asynchronous
async def test_a_target_for_each_request_of_one_connection():
    one, two = RecordingTarget(), RecordingTarget()
    async with listening(one.serve, "one") as a, listening(two.serve, "two") as b:
        turns = cycle((a, b))
        async with proxied(lambda request: Forward(next(turns))) as proxy:
            client = await Client.connect(proxy)
            for _ in range(6):
                assert (await client.ask(GET)).body == b"hello"
    assert len(one.requests) == len(two.requests) == 3


@asynchronous
async def test_connections_to_a_target_are_used_again():
    async with recording() as (proxy, target):
        for _ in range(3):
            client = await Client.connect(proxy)
            for _ in range(3):
                await client.ask(GET)
            client.close()
        assert len(target.requests) == 9
        assert target.connections == 1


@asynchronous
async def test_pipelined_requests_are_answered_in_order():
    numbers = count()

    def reply(request):
        body = f"{next(numbers)} {request.target}".encode()
        return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)

    async with recording(reply) as (proxy, target):
        client = await Client.connect(proxy)
        client.send(
            b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n"
            b"POST /b HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
            b"POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"
            b"\r\nGET /d HTTP/1.1\r\nHost: a\r\n\r\n"
        )
        bodies = [(await client.response()).body for _ in range(4)]
        assert bodies == [b"0 /a", b"1 /b", b"2 /c", b"3 /d"]
        assert [request.body for request in target.requests] == [b"", b"abc", b"hi", b""]


@asynchronous
async def test_a_thousand_pipelined_requests_for_answers_of_the_proxy():
    async with proxied(lambda request: Answer(200, (), request.path.encode())) as proxy:
        client = await Client.connect(proxy)
        client.send(b"".join(b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % n for n in range(1000)))
        for number in range(1000):
            assert (await client.response()).body == b"/%d" % number


@asynchronous
async def test_bodies_pass_in_both_framings():
    async with recording(lambda request: HELLO) as (proxy, target):
        client = await Client.connect(proxy)
        body = bytes(range(256)) * 4096
        await client.ask(
            b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
        )
        pieces = b"".join(
            b"%x\r\n%b\r\n" % (1000, body[n : n + 1000]) for n in range(0, 10_000, 1000)
        )
        await client.ask(
            b"PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n"
            + pieces
            + b"0\r\n\r\n"
        )
        assert target.requests[0].body == body
        assert target.requests[0]["content-length"] == str(len(body))
        assert target.requests[1].body == body[:10_000]
        assert target.requests[1]["transfer-encoding"] == "chunked"


@asynchronous
async def test_trailers_pass_both_ways_but_those_that_frame_or_identify():
    reply = (
        CHUNKED + b"3;x=1\r\nabc\r\n0\r\nX-Sum: 7\r\nSet-Cookie: a=b\r\n"
        b"X-Amzn-Trace-Id: Root=1\r\n\r\n"
    )
    async with recording(lambda request: reply) as (proxy, target):
        client = await Client.connect(proxy)
        response = await client.ask(
            b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: X-Check\r\n\r\n"
            b"2\r\nhi\r\n0\r\nX-Check: 5 \r\nHost: evil\r\nX-Forwarded-For: 1.2.3.4\r\n\r\n"
        )
        assert (response.body, response.trailers) == (b"abc", [("X-Sum", "7")])
        assert target.requests[0].trailers == [("x-check", "5")]
        assert target.requests[0]["trailer"] == "X-Check"


@pytest.mark.parametrize(
    ("method", "head"),
    [
        ("HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"),
        ("HEAD", CHUNKED),
        ("GET", b"HTTP/1.1 204 No Content\r\n\r\n"),
        ("GET", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 1000\r\n\r\n"),
    ],
)
@asynchronous
async def test_responses_without_a_body_do_not_wait_for_one(method, head):
    async with recording(lambda request: head) as (proxy, target):
        client = await Client.connect(proxy)
        request = b"%b / HTTP/1.1\r\nHost: a\r\n\r\n" % method.encode()
        for _ in range(2):
            response = await client.ask(request, method)
        if b"Content-Length" in head:
            assert response.get("Content-Length") == "1000"
        assert target.connections == 1


@asynchronous
async def test_a_response_that_ends_with_its_connection_is_sent_in_chunks():
    async def old(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.0 200 OK\r\n\r\nsome")
        await writer.drain()
        writer.write(b" more")
        writer.close()

    async with listening(old) as target, proxied(target) as proxy:
        client = await Client.connect(proxy)
        for _ in range(2):
            response = await client.ask(GET)
            assert response.get("Transfer-Encoding") == "chunked"
            assert response.body == b"some more"
        client.send(b"GET / HTTP/1.0\r\n\r\n")
        response = await client.response()
        assert response.get("Transfer-Encoding") is None
        assert response.get("Connection") == "close"
        assert response.body == b"some more"


@asynchronous
async def test_clients_of_http_1_0():
    async with recording(lambda request: CHUNKED + b"3\r\nabc\r\n0\r\n\r\n") as (proxy, target):
        client = await Client.connect(proxy)
        response = await client.ask(b"GET / HTTP/1.0\r\n\r\n")
        assert (response.body, response.get("Connection")) == (b"abc", "close")
        assert target.requests[0].http_version == "1.1"
        target.reply = lambda request: HELLO
        client = await Client.connect(proxy)
        for _ in range(2):
            response = await client.ask(b"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n")
            assert response.get("Connection") == "keep-alive"


@asynchronous
async def test_a_target_of_http_1_0_that_keeps_its_connection():
    reply = b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok"
    async with recording(lambda request: reply) as (proxy, target):
        client = await Client.connect(proxy)
        assert (await client.ask(GET)).body == (await client.ask(GET)).body == b"ok"
        assert target.connections == 1


@asynchronous
async def test_close_is_honoured_on_each_side_alone():
    reply = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"
    async with recording(lambda request: reply) as (proxy, target):
        client = await Client.connect(proxy)
        assert (await client.ask(GET)).get("Connection") is None
        response = await client.ask(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert response.get("Connection") == "close"
        assert await client.closed() == b""
        assert target.connections == 2


@asynchronous
async def test_expect_is_answered_by_the_proxy_and_not_passed_on():
    async with recording() as (proxy, target):
        client = await Client.connect(proxy)
        client.send(
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-Continue\r\n\r\n"
        )
        assert (await client.response()).status == 100
        assert (await client.ask(b"ok")).body == b"hello"
        assert target.requests[0].all("expect") == []


@asynchronous
async def test_interim_responses_of_the_target_are_not_passed_on():
    reply = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n" + HELLO
    async with recording(lambda request: reply) as (proxy, target):
        client = await Client.connect(proxy)
        for _ in range(2):
            assert (await client.ask(GET)).body == b"hello"
        assert target.connections == 1


@asynchronous
async def test_a_body_streams_through_before_it_is_complete():
    first = asyncio.Event()

    async def handle(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        assert await reader.readexactly(3) == b"one"
        writer.write(CHUNKED + b"3\r\nuno\r\n")
        await first.wait()
        assert await reader.readexactly(3) == b"two"
        writer.write(b"3\r\ndos\r\n0\r\n\r\n")

    async with listening(handle) as target, proxied(target) as proxy:
        client = await Client.connect(proxy)
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\none")
        assert (await client.reader.readuntil(b"uno\r\n")).endswith(b"3\r\nuno\r\n")
        first.set()
        client.send(b"two")
        assert await client.reader.readuntil(b"0\r\n\r\n") == b"3\r\ndos\r\n0\r\n\r\n"


@asynchronous
async def test_an_early_answer_ends_the_exchange_and_spares_the_target_the_rest():
    async def handle(reader, writer):
        handled.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n")
        rest.append(await reader.read())

    handled: list[bytes] = []
    rest: list[bytes] = []
    async with listening(handle) as target, proxied(target) as proxy:
        client = await Client.connect(proxy)
        client.send(b"POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 20\r\n\r\n")
        assert (await client.response()).status == 413
        client.send(b"GET /no HTTP/1.1\r\n\r\n")  # these are the 20 bytes of the body
        client.send(b"GET /2 HTTP/1.1\r\nHost: a\r\n\r\n")
        assert (await client.response()).status == 413
        await until(lambda: len(handled) == 2 and rest)
        assert [head.split(b" ")[1] for head in handled] == [b"/1", b"/2"]
        assert rest[0] == b""


@asynchronous
async def test_back_pressure_on_uploads():
    """A target that does not read stops the client: what waits in the proxy is bounded."""
    go_on, got = asyncio.Event(), []

    async def handle(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        await go_on.wait()
        got.append(len(await reader.readexactly(size)))
        writer.write(HELLO)

    size = 40_000_000
    async with listening(handle) as target, proxied(target) as proxy:
        client = await Client.connect(proxy)
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % size)
        client.send(bytes(size))
        await steady(client.writer.transport.get_write_buffer_size)
        assert client.writer.transport.get_write_buffer_size() > size // 2
        go_on.set()
        assert (await client.response()).body == b"hello"
        assert got == [size]


@asynchronous
async def test_back_pressure_on_downloads():
    """A client that does not read stops the target."""
    size = 40_000_000

    async def handle(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
        writer.write(bytes(size))
        senders.append(writer.transport)

    senders = []
    async with listening(handle) as target, proxied(target) as proxy:
        client = await Client.connect(proxy, limit=1000)
        client.send(GET)
        await until(lambda: senders)
        await steady(senders[0].get_write_buffer_size)
        assert senders[0].get_write_buffer_size() > size // 2
        assert len((await client.response()).body) == size


async def steady(measure):
    """Wait until a number is above nothing and stays as it is."""
    await until(measure)
    last, same = None, 0
    while same < 20:
        await asyncio.sleep(0.01)
        now = measure()
        same = same + 1 if now == last else 0
        last = now


@asynchronous
async def test_pipelining_without_reading_is_not_served_for_ever():
    """A client that asks and never reads the answers is not read from any more."""
    answered = count()

    def route(request):
        next(answered)
        return Answer(200, (), bytes(100_000))

    async with proxied(route) as proxy:
        client = await Client.connect(proxy, limit=1000)
        client.send(GET * 1_000_000)
        await steady(client.writer.transport.get_write_buffer_size)
        assert next(answered) < 1000
