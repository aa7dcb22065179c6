"""Nothing malformed reaches a target, nothing hangs, and the proxy serves on."""

import pytest

from tests.loadbalancing.layer7.harness import GET, Client, asynchronous, recording, until
from tests.loadbalancing.layer7.malformed import BODIES, HEADS, LOOK_ALIKES, SMUGGLED


def test_the_corpus_is_large():
    assert len(HEADS) + len(BODIES) >= 160
    assert all(len(data) > 60 or status for data, status in HEADS.values())


async def serves(proxy):
    client = await Client.connect(proxy)
    assert (await client.ask(GET)).body == b"hello"


@pytest.mark.parametrize(("data", "status"), HEADS.values(), ids=HEADS)
@asynchronous
async def test_malformed_heads(data, status):
    async with recording() as (proxy, target):
        for follow in (b"", SMUGGLED):
            client = await Client.connect(proxy)
            response = await client.ask(data + follow)
            assert (response.status, response.get("Connection")) == (status, "close")
            assert await client.closed() == b""
        # Behind a good request on the same connection, and in single bytes.
        client = await Client.connect(proxy)
        client.send(GET + data + SMUGGLED)
        assert (await client.response()).status == 200
        assert (await client.response()).status == status
        assert await client.closed() == b""
        assert [request.target for request in target.requests] == ["/"]
        await serves(proxy)


@pytest.mark.parametrize(("data", "status"), HEADS.values(), ids=HEADS)
@asynchronous
async def test_malformed_heads_byte_by_byte(data, status):
    async with recording() as (proxy, target):
        client = await Client.connect(proxy)
        for byte in data[:300]:
            client.send(bytes([byte]))
            await client.writer.drain()
        client.send(data[300:])
        assert (await client.response()).status == status
        assert not target.raw
        await serves(proxy)


@pytest.mark.parametrize("data", BODIES.values(), ids=BODIES)
@asynchronous
async def test_malformed_bodies(data):
    head = data[: data.index(b"\r\n\r\n") + 4]
    async with recording() as (proxy, target):
        for pieces in ([data], [data + SMUGGLED], [head, data[len(head) :] + SMUGGLED]):
            client = await Client.connect(proxy)
            for number, piece in enumerate(pieces):
                if number:
                    await until(lambda: target.open)  # the head has been sent on
                client.send(piece)
            response = await client.response()
            assert (response.status, response.get("Connection")) == (400, "close")
            assert await client.closed() == b""
            await until(lambda: target.open == 0)  # its connection is not used again
        assert target.requests == []
        assert not target.broken
        await serves(proxy)


@pytest.mark.parametrize(("data", "requests"), LOOK_ALIKES.values(), ids=LOOK_ALIKES)
@asynchronous
async def test_bodies_that_look_like_requests(data, requests):
    async with recording() as (proxy, target):
        for step in (len(data), 1):
            target.requests.clear()
            client = await Client.connect(proxy)
            for start in range(0, len(data), step):
                client.send(data[start : start + step])
                await client.writer.drain()
            for _ in range(requests):
                assert (await client.response()).status == 200
            assert [request.target for request in target.requests] == ["/"] * requests
