"""What targets answer: well-formed, or never passed on; and never to the wrong request."""

import asyncio

import pytest

from labs.loadbalancing.layer7 import Forward, Settings
from tests.loadbalancing.layer7.harness import (
    GET,
    HELLO,
    Client,
    asynchronous,
    listening,
    proxied,
    recording,
    until,
)

OK = b"HTTP/1.1 200 OK\r\n"
LENGTH = b"Content-Length: 5\r\n"

MALFORMED = {
    "not HTTP": b"hello there, this is no response\r\n\r\n",
    "not HTTP, no line": b"SSH-2.0-OpenSSH",
    "HTTP/2": b"HTTP/2 200\r\n\r\n",
    "HTTP/2.0": b"HTTP/2.0 200 OK\r\n\r\n",
    "ICY": b"ICY 200 OK\r\n\r\n",
    "status of two digits": b"HTTP/1.1 20 OK\r\n" + LENGTH + b"\r\nhello",
    "status of four digits": b"HTTP/1.1 2000 OK\r\n" + LENGTH + b"\r\nhello",
    "status 000": b"HTTP/1.1 000 OK\r\n" + LENGTH + b"\r\nhello",
    "status of letters": b"HTTP/1.1 OK 200\r\n" + LENGTH + b"\r\nhello",
    "no space": b"HTTP/1.1200 OK\r\n" + LENGTH + b"\r\nhello",
    "lines end in LF": b"HTTP/1.1 200 OK\nContent-Length: 5\n\nhello",
    "bare CR": OK + b"X: a\rb\r\n" + LENGTH + b"\r\nhello",
    "NUL": OK + b"X: a\0b\r\n" + LENGTH + b"\r\nhello",
    "NUL in the reason": b"HTTP/1.1 200 O\0K\r\n" + LENGTH + b"\r\nhello",
    "obs-fold": OK + b"X: a\r\n b\r\n" + LENGTH + b"\r\nhello",
    "space before the colon": OK + b"X : a\r\n" + LENGTH + b"\r\nhello",
    "no colon": OK + b"Xa\r\n" + LENGTH + b"\r\nhello",
    "empty name": OK + b": a\r\n" + LENGTH + b"\r\nhello",
    "two lengths": OK + LENGTH + LENGTH + b"\r\nhello",
    "differing lengths": OK + LENGTH + b"Content-Length: 3\r\n\r\nhello",
    "a list of lengths": OK + b"Content-Length: 5, 5\r\n\r\nhello",
    "a signed length": OK + b"Content-Length: +5\r\n\r\nhello",
    "no length": OK + b"Content-Length:\r\n\r\nhello",
    "length and chunks": OK + LENGTH + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks and length": OK + b"Transfer-Encoding: chunked\r\n" + LENGTH + b"\r\n0\r\n\r\n",
    "chunked twice": OK + b"Transfer-Encoding: chunked\r\n" * 2 + b"\r\n0\r\n\r\n",
    "gzip, chunked": OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "chunked, gzip": OK + b"Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
    "identity": OK + b"Transfer-Encoding: identity\r\n\r\n",
    "chunked in HTTP/1.0": b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "headers over 32 KiB": OK + b"X: " + b"a" * 33_000 + b"\r\n" + LENGTH + b"\r\nhello",
    "endless headers": OK + b"X: " + b"a" * 40_000,
    "a bad chunk at once": OK + b"Transfer-Encoding: chunked\r\n\r\nZ\r\n\r\n",
}


@pytest.mark.parametrize("response", MALFORMED.values(), ids=MALFORMED)
@asynchronous
async def test_malformed_responses_are_502(response):
    async def handle(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(response)
        await reader.read()
        writer.close()

    finished = []
    async with listening(handle) as target:
        route = lambda request: Forward(target, finished=finished.append)  # noqa: E731
        async with proxied(route) as proxy:
            client = await Client.connect(proxy)
            answer = await client.ask(GET)
            assert (answer.status, answer.get("Server")) == (502, "awselb/2.0")
            assert len(finished) == 1
            assert proxy.in_flight(target) == 0
            await client.ask(GET)  # the client's connection still serves


@pytest.mark.parametrize(
    ("head", "body"),
    [
        (OK + b"Transfer-Encoding: chunked\r\n\r\n", b"3\nabc\r\n0\r\n\r\n"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n", b"3\r\nabcX0\r\n\r\n"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n", b"-3\r\nabc\r\n0\r\n\r\n"),
        (OK + b"Content-Length: 10\r\n\r\n", None),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n", None),
    ],
)
@asynchronous
async def test_a_body_that_breaks_is_cut_and_not_ended(head, body):
    """The client must see that the response is not whole."""

    async def handle(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(head + (b"2\r\nok\r\n" if b"chunked" in head else b"ok"))
        await writer.drain()
        await passed.wait()
        if body is not None:
            writer.write(body)
            await reader.read()
        writer.close()

    passed = asyncio.Event()
    finished = []
    async with listening(handle) as target:
        route = lambda request: Forward(target, finished=finished.append)  # noqa: E731
        async with proxied(route) as proxy:
            client = await Client.connect(proxy)
            client.send(GET)
            await client.reader.readuntil(b"ok")
            passed.set()
            rest = await client.closed()
            assert b"0\r\n\r\n" not in rest
            assert len(rest) < 8
            assert finished == [200]


@asynchronous
async def test_bytes_behind_a_response_are_nobodys():
    """Response splitting: a second response in the same breath must not answer the next request."""

    def reply(request):
        return HELLO + b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"

    async with recording(reply) as (proxy, target):
        client = await Client.connect(proxy)
        client.send(GET + GET)
        assert (await client.response()).body == (await client.response()).body == b"hello"
        assert target.connections == 2


@asynchronous
async def test_bytes_that_nobody_asked_for_close_an_idle_connection():
    writers = []

    async def handle(reader, writer):
        writers.append(writer)
        while await reader.readuntil(b"\r\n\r\n"):
            writer.write(HELLO)

    async with listening(handle) as target, proxied(target) as proxy:
        client = await Client.connect(proxy)
        assert (await client.ask(GET)).body == b"hello"
        writers[0].write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")
        await until(lambda: not proxy.pool.idle(target))
        assert (await client.ask(GET)).body == b"hello"
        assert len(writers) == 2


@asynchronous
async def test_a_body_after_head_is_nobodys():
    """A target that sends a body with its answer to HEAD has spoilt its connection."""
    async with recording(lambda request: HELLO) as (proxy, target):
        client = await Client.connect(proxy)
        response = await client.ask(b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", "HEAD")
        assert response.get("Content-Length") == "5"
        assert (await client.ask(GET)).body == b"hello"
        assert target.connections == 2


@asynchronous
async def test_a_response_in_single_bytes():
    whole = OK + b"Transfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n0\r\nX: y\r\n\r\n"

    async def handle(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        for byte in whole:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0)
        await reader.read()
        writer.close()

    async with listening(handle) as target, proxied(target) as proxy:
        client = await Client.connect(proxy)
        response = await client.ask(GET)
        assert (response.body, response.trailers) == (b"abc", [("X", "y")])
        assert len(proxy.pool.idle(target)) == 1


@asynchronous
async def test_a_response_that_stalls_is_cut():
    async def handle(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK + b"Content-Length: 10\r\n\r\nhello")
        await reader.read()
        writer.close()

    settings = Settings(idle_seconds=0.2)
    async with listening(handle) as target, proxied(target, settings=settings) as proxy:
        client = await Client.connect(proxy)
        client.send(GET)
        assert (await client.closed()).endswith(b"\r\n\r\nhello")
        assert 504 not in proxy.own_statuses


@pytest.mark.parametrize("reason", [b" ", b"", b" Not Quite OK", b" \xe9"])
@asynchronous
async def test_reasons_of_all_kinds_pass(reason):
    head = b"HTTP/1.1 299" + reason + b"\r\n" + LENGTH + b"\r\nhello"
    async with recording(lambda request: head) as (proxy, _):
        client = await Client.connect(proxy)
        assert (await client.ask(GET)).status == 299


@asynchronous
async def test_a_target_that_speaks_first_answers_nobody():
    """Its bytes came before the request was sent, so they cannot be the answer."""

    async def eager(reader, writer):
        writer.write(HELLO)
        await writer.drain()
        await reader.read()
        writer.close()

    async def slow_dial(protocol, target):
        made = await asyncio.get_running_loop().create_connection(
            protocol, target.host, target.port
        )
        await spoken.wait()
        return made

    spoken = asyncio.Event()
    async with listening(eager) as target, proxied(target, dial=slow_dial) as proxy:
        client = await Client.connect(proxy)
        assert (await client.ask(GET)).status == 502
        assert proxy.in_flight(target) == 0
