"""WebSockets: after the upgrade, bytes both ways until one side has said all."""

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

ASK = (
    b"GET /ws HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n"
    b"Sec-WebSocket-Key: x\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
)
ACCEPT = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: y\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
)
CLOSE_FRAME = b"\x88\x06\x03\xe8bye!"


async def echo(reader, writer):
    """Upgrades, says a word before it is asked, echoes, and ends when the client ends."""
    heads.append(await reader.readuntil(b"\r\n\r\n"))
    writer.write(ACCEPT + b"\x81\x02hi")
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()


heads: list[bytes] = []


@asynchronous
async def test_bytes_before_and_after_the_upgrade():
    heads.clear()
    finished = []
    async with listening(echo) as target:
        route = lambda request: Forward(target, finished=finished.append)  # noqa: E731
        async with proxied(route) as proxy:
            client = await Client.connect(proxy)
            client.send(ASK + b"early bytes")
            response = await client.response()
            assert response.status == 101
            assert response.get("Upgrade") == "websocket"
            assert response.get("Connection") == "Upgrade"
            assert response.get("Sec-WebSocket-Extensions") == "permessage-deflate"
            assert await client.reader.readexactly(4) == b"\x81\x02hi"
            assert await client.reader.readexactly(11) == b"early bytes"
            payload = bytes(range(256)) * 10_000
            client.send(payload)
            assert await client.reader.readexactly(len(payload)) == payload
            assert (proxy.in_flight(target), finished) == (1, [])
            client.send(CLOSE_FRAME)
            client.writer.write_eof()
            assert await client.closed() == CLOSE_FRAME
            await until(lambda: not proxy.clients)
            assert (proxy.in_flight(target), finished) == (0, [101])
            assert 460 not in proxy.own_statuses
    [head] = heads
    lines = head.lower().split(b"\r\n")
    assert lines.count(b"upgrade: websocket") == lines.count(b"connection: upgrade") == 1
    assert sum(line.startswith((b"upgrade:", b"connection:")) for line in lines) == 2


@asynchronous
async def test_the_target_ends_with_a_reason():
    async def handle(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(ACCEPT)
        await reader.readexactly(3)
        writer.write(CLOSE_FRAME)
        writer.close()

    async with listening(handle) as target, proxied(target) as proxy:
        client = await Client.connect(proxy)
        await client.ask(ASK)
        client.send(b"end")
        assert await client.closed() == CLOSE_FRAME
        client.close()
        await until(lambda: not proxy.clients)


@asynchronous
async def test_a_refused_upgrade_is_a_response_like_others():
    async with recording(lambda request: HELLO) as (proxy, target):
        client = await Client.connect(proxy)
        client.send(ASK + GET)
        assert (await client.response()).body == b"hello"
        assert (await client.response()).body == b"hello"
        assert [request.target for request in target.requests] == ["/ws", "/"]


@pytest.mark.parametrize(
    "request_bytes",
    [
        ASK.replace(b"WebSocket", b"h2c"),
        ASK.replace(b"Connection: keep-alive, Upgrade\r\n", b""),
        ASK.replace(b"GET", b"PUT"),
        ASK.replace(b"HTTP/1.1", b"HTTP/1.0"),
        ASK.replace(b"Host: a\r\n", b"Host: a\r\nContent-Length: 3\r\n") + b"abc",
        ASK.replace(b"Host: a\r\n", b"Host: a\r\nTransfer-Encoding: chunked\r\n") + b"0\r\n\r\n",
    ],
)
@asynchronous
async def test_what_is_no_websocket_is_no_upgrade(request_bytes):
    async with recording(lambda request: HELLO) as (proxy, target):
        client = await Client.connect(proxy)
        assert (await client.ask(request_bytes)).body == b"hello"
        assert target.requests[0].all("upgrade") == target.requests[0].all("connection") == []
        assert not target.broken


@pytest.mark.parametrize(
    "response",
    [ACCEPT, ACCEPT.replace(b"Upgrade: websocket", b"Upgrade: h2c")],
)
@asynchronous
async def test_101_only_for_those_who_asked(response):
    async def handle(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(response)
        await reader.read()
        writer.close()

    async with listening(handle) as target, proxied(target) as proxy:
        client = await Client.connect(proxy)
        assert (await client.ask(GET if response is ACCEPT else ASK)).status == 502


@asynchronous
async def test_an_idle_tunnel_is_closed():
    settings = Settings(idle_seconds=0.2)
    async with listening(echo) as target, proxied(target, settings=settings) as proxy:
        client = await Client.connect(proxy)
        await client.ask(ASK)
        assert await client.closed() == b"\x81\x02hi"
        await until(lambda: proxy.in_flight(target) == 0 and not proxy.clients)


@asynchronous
async def test_aborting_a_target_ends_its_tunnels():
    async with listening(echo) as target, proxied(target) as proxy:
        client = await Client.connect(proxy)
        await client.ask(ASK)
        await client.reader.readexactly(4)
        proxy.abort(target)
        assert await client.closed() == b""
        assert proxy.in_flight(target) == 0


@asynchronous
async def test_back_pressure_in_a_tunnel():
    """An echo whose answers nobody reads stops the sender."""
    async with listening(echo) as target, proxied(target) as proxy:
        client = await Client.connect(proxy, limit=1000)
        await client.ask(ASK)
        client.send(bytes(60_000_000))
        last = -1
        while last != (last := client.writer.transport.get_write_buffer_size()):
            await asyncio.sleep(0.2)
        assert last > 20_000_000
