"""The responses that the proxy makes itself, and what they are made for."""

import asyncio
import socket

import pytest

from labs.loadbalancing.layer7 import Answer, Call, Forward, Request, Settings
from labs.loadbalancing.target import Target
from tests.loadbalancing.layer7.harness import (
    GET,
    HELLO,
    HOST,
    Client,
    asynchronous,
    listening,
    proxied,
    recording,
    until,
)


def quiet(loop_context):
    """What a router did wrong is reported to the loop; here it is expected."""


async def never(reader, writer):
    """A target that takes a request and says nothing."""
    await reader.read()
    writer.close()


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", 405),
        (b"GET /" + b"a" * 16_384 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: " + b"1.1.1.1," * 30 + b"1\r\n\r\n", 463),
        (b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
        (b"BREW / HTTP/1.1\r\nHost: a\r\n\r\n", 501),
        (b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505),
    ],
)
@asynchronous
async def test_requests_that_an_alb_refuses(request_bytes, status):
    async with recording() as (proxy, target):
        client = await Client.connect(proxy)
        response = await client.ask(request_bytes)
        assert response.status == status
        assert response.get("Connection") == "close"
        assert str(status).encode() in response.body
        assert await client.closed() == b""
        assert not target.raw
        assert proxy.own_statuses == {status: 1}


@asynchronous
async def test_thirty_addresses_in_x_forwarded_for_pass():
    async with recording() as (proxy, _):
        client = await Client.connect(proxy)
        addresses = b", ".join([b"1.1.1.1"] * 30)
        request = b"GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: " + addresses + b"\r\n\r\n"
        assert (await client.ask(request)).status == 200


@asynchronous
async def test_nobody_listens():
    with socket.create_server((HOST, 0)) as unused:
        port = unused.getsockname()[1]
    finished = []
    async with proxied(
        lambda request: Forward(Target("", HOST, port), finished=finished.append)
    ) as proxy:
        client = await Client.connect(proxy)
        for _ in range(2):
            response = await client.ask(GET)
            assert (response.status, response.get("Connection")) == (502, None)
        assert finished == [None, None]


@asynchronous
async def test_a_target_that_cannot_be_reached_in_time():
    finished = []

    async def dial(protocol, target):
        await asyncio.sleep(60)

    route = lambda request: Forward(Target("", HOST, 1), finished=finished.append)  # noqa: E731
    async with proxied(route, dial=dial, settings=Settings(connect_seconds=0.05)) as proxy:
        client = await Client.connect(proxy)
        assert (await client.ask(GET)).status == 504
        assert finished == [None]


@asynchronous
async def test_a_dialler_that_fails_is_a_502():
    async def dial(protocol, target):
        raise KeyError(target)

    asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)
    async with proxied(Target("", HOST, 1), dial=dial) as proxy:
        client = await Client.connect(proxy)
        assert (await client.ask(GET)).status == 502


@asynchronous
async def test_a_target_that_says_nothing():
    finished = []
    async with listening(never) as target:
        route = lambda request: Forward(target, finished=finished.append)  # noqa: E731
        async with proxied(route, settings=Settings(idle_seconds=0.2)) as proxy:
            client = await Client.connect(proxy)
            assert (await client.ask(GET)).status == 504
            assert finished == [None]
            assert proxy.in_flight(target) == 0


@asynchronous
async def test_a_target_that_closes_instead_of_answering():
    async with recording(lambda request: None) as (proxy, target):
        client = await Client.connect(proxy)
        assert (await client.ask(GET)).status == 502
        target.reply = lambda request: HELLO
        assert (await client.ask(GET)).status == 200


@asynchronous
async def test_a_client_that_leaves_is_counted_and_its_request_ended():
    finished, gone = [], asyncio.Event()

    async def wait(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        await reader.read()
        gone.set()

    async with listening(wait) as target:
        route = lambda request: Forward(target, finished=finished.append)  # noqa: E731
        async with proxied(route) as proxy:
            client = await Client.connect(proxy)
            client.send(GET)
            await until(lambda: proxy.in_flight(target))
            client.close()
            await gone.wait()
            await until(lambda: proxy.own_statuses == {460: 1})
            assert finished == [None]


@pytest.mark.parametrize("head", [b"GET / HTT", b"POST / HTTP/1.1\r\nHost: a\r\n\r\n"[:-2]])
@asynchronous
async def test_a_head_that_does_not_end_in_time(head):
    async with recording(settings=Settings(idle_seconds=0.3)) as (proxy, _):
        client = await Client.connect(proxy)

        async def drip():
            for byte in head:
                client.send(bytes([byte]))
                await asyncio.sleep(0.1)

        dripping = asyncio.create_task(drip())
        assert (await client.response()).status == 408
        dripping.cancel()


@asynchronous
async def test_a_body_that_does_not_come():
    async with recording(settings=Settings(idle_seconds=0.2)) as (proxy, target):
        client = await Client.connect(proxy)
        request = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab"
        assert (await client.ask(request)).status == 408
        assert await client.closed() == b""
        await until(lambda: target.open == 0)
        assert target.requests == []


@asynchronous
async def test_an_idle_connection_is_closed_without_a_word():
    async with recording(settings=Settings(idle_seconds=0.2)) as (proxy, _):
        client = await Client.connect(proxy)
        await client.ask(GET)
        assert await client.closed() == b""
        silent = await Client.connect(proxy)
        assert await silent.closed() == b""


@asynchronous
async def test_new_settings_count_for_open_connections():
    async with recording(settings=Settings(idle_seconds=4)) as (proxy, _):
        client = await Client.connect(proxy)
        await client.ask(GET)
        proxy.settings = Settings(idle_seconds=0.1)
        assert await client.closed() == b""


@asynchronous
async def test_an_old_connection_gets_one_more_answer():
    async with recording(settings=Settings(client_keep_alive_seconds=0.0)) as (proxy, _):
        client = await Client.connect(proxy)
        assert (await client.ask(GET)).get("Connection") == "close"
        assert await client.closed() == b""


@asynchronous
async def test_an_answer_of_the_router():
    answer = Answer(503, (("Content-Type", "text/plain"), ("Content-Length", "999")), b"later")
    async with proxied(lambda request: answer) as proxy:
        client = await Client.connect(proxy)
        response = await client.ask(GET)
        assert (response.status, response.body) == (503, b"later")
        assert response.get("Content-Type") == "text/plain"
        assert response.get("Server") == "awselb/2.0"
        assert response.get("Date").endswith("GMT")
        head = await client.ask(b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", "HEAD")
        assert (head.get("Content-Length"), head.body) == ("5", b"")
        # Its request's body is taken in, so that what follows is the next request.
        await client.ask(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nGET / HTT")
        assert (await client.ask(GET)).body == b"later"


@pytest.mark.parametrize("status", [204, 304])
@asynchronous
async def test_answers_without_a_body(status):
    async with proxied(lambda request: Answer(status, (), b"none")) as proxy:
        client = await Client.connect(proxy)
        assert (await client.ask(GET)).status == (await client.ask(GET)).status == status


@asynchronous
async def test_a_function_gets_the_request_and_the_whole_body():
    async def function(request: Request, body: bytes) -> Answer:
        return Answer(200, (), f"{request.method} {request.path}?{request.query} ".encode() + body)

    async with proxied(lambda request: Call(function, limit=5)) as proxy:
        client = await Client.connect(proxy)
        request = b"POST /p?q=1 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        client.send(request + b"2\r\nab\r\n")
        assert (await client.ask(b"3\r\ncde\r\n0\r\n\r\n")).body == b"POST /p?q=1 abcde"
        response = await client.ask(request + b"6\r\nabcdef\r\n0\r\n\r\n")
        assert (response.status, response.get("Connection")) == (413, "close")


@asynchronous
async def test_functions_that_fail_or_break_the_response():
    async def raises(request, body):
        raise RuntimeError

    async def splits(request, body):
        return Answer(200, (("X", "a\r\n\r\nHTTP/1.1 200 OK"),))

    asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)
    for function in (raises, splits):
        async with proxied(lambda request, f=function: Call(f)) as proxy:
            client = await Client.connect(proxy)
            assert (await client.ask(GET)).status == 502


@asynchronous
async def test_a_function_of_a_client_that_left_is_cancelled():
    started, cancelled = asyncio.Event(), asyncio.Event()

    async def function(request, body):
        started.set()
        try:
            await asyncio.sleep(60)
        finally:
            cancelled.set()

    async with proxied(lambda request: Call(function)) as proxy:
        client = await Client.connect(proxy)
        client.send(GET)
        await started.wait()
        client.close()
        await cancelled.wait()


def raises(request):
    raise RuntimeError("a router's mistake")


@pytest.mark.parametrize(
    "route",
    [
        raises,
        lambda request: Answer(302, (("Location", "http://a/\r\nSet-Cookie: x=y"),)),
        lambda request: Answer(302, (("Location", "http://\u20ac/"),)),
    ],
)
@asynchronous
async def test_routers_that_fail(route):
    reported = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: reported.append(context))
    async with proxied(route) as proxy:
        client = await Client.connect(proxy)
        response = await client.ask(GET)
        assert response.status == 500
        assert response.get("Set-Cookie") is None
        assert len(reported) == 1


@pytest.mark.parametrize(
    "what",
    [
        {"url": "/a b"},
        {"url": "http://a/"},
        {"url": "/ HTTP/1.1\r\nX: y"},
        {"host": "a\r\nX: y"},
        {"added": lambda status, headers: (("X", "a\r\nb: c"),)},
        {"added": lambda status, headers: 1 / 0},
    ],
)
@asynchronous
async def test_forwards_that_would_break_a_message(what):
    finished = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)
    async with recording() as (proxy, target):
        proxy.route = lambda request: Forward(target.target, finished=finished.append, **what)
        client = await Client.connect(proxy)
        response = await client.ask(GET)
        assert response.status == (502 if "added" in what else 500)
        assert len(finished) == 1
        assert bool(target.requests) == ("added" in what)


@asynchronous
async def test_a_client_that_never_reads_does_not_stay():
    """Not even when its connection waits for nothing but to have its last answer written."""
    big = Answer(200, (), bytes(20_000_000))
    async with proxied(lambda request: big, settings=Settings(idle_seconds=0.3)) as proxy:
        for request in (GET, GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")):
            client = await Client.connect(proxy, limit=1000)
            client.send(request)
            await until(lambda: proxy.clients)
            await until(lambda: not proxy.clients)


@asynchronous
async def test_a_client_that_reads_slowly_is_left_to_it():
    """Bytes that go count as activity, even if none come from the target any more."""
    big = Answer(200, (), bytes(8_000_000))
    async with proxied(lambda request: big, settings=Settings(idle_seconds=0.4)) as proxy:
        client = await Client.connect(proxy, limit=1000)
        client.send(GET)
        got = 0
        while got < 8_000_000:
            piece = await client.reader.read(400_000)
            assert piece, f"cut after {got} bytes"
            got += len(piece)
            await asyncio.sleep(0.01)
