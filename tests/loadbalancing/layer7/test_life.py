"""Draining, aborting, closing, and that each request leaves its target exactly once."""

import asyncio

from labs.loadbalancing.layer7 import Forward, Request, Settings
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


class Gate:
    """A target whose answers wait until it is opened."""

    def __init__(self) -> None:
        self.opened = asyncio.Event()
        self.asked = 0

    async def serve(self, reader, writer):
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                self.asked += 1
                await self.opened.wait()
                writer.write(HELLO)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()


@asynchronous
async def test_draining_lets_what_is_in_flight_finish():
    gate = Gate()
    async with listening(gate.serve) as target, proxied(target) as proxy:
        clients = [await Client.connect(proxy) for _ in range(20)]
        for client in clients:
            client.send(GET)
        await until(lambda: gate.asked == 20)
        assert proxy.in_flight(target) == 20
        proxy.forget(target)
        gate.opened.set()
        assert [(await client.response()).status for client in clients] == [200] * 20
        assert proxy.in_flight(target) == len(proxy.pool.idle(target)) == 0


@asynchronous
async def test_forgetting_closes_idle_connections():
    async with recording() as (proxy, target):
        client = await Client.connect(proxy)
        await client.ask(GET)
        assert target.open == 1
        proxy.forget(target.target)
        await until(lambda: target.open == 0)
        assert (await client.ask(GET)).status == 200


@asynchronous
async def test_when_the_deregistration_delay_is_over():
    gate, finished = Gate(), []
    async with listening(gate.serve) as target:
        route = lambda request: Forward(target, finished=finished.append)  # noqa: E731
        async with proxied(route) as proxy:
            client = await Client.connect(proxy)
            client.send(GET)
            await until(lambda: gate.asked)
            proxy.abort(target)
            assert (await client.response()).status == 502
            assert finished == [None]
            gate.opened.set()
            assert (await client.ask(GET)).status == 200


@asynchronous
async def test_aborting_a_target_that_is_being_dialled():
    dialling = asyncio.Event()

    async def dial(protocol, target):
        dialling.set()
        await asyncio.sleep(60)

    async with listening(Gate().serve) as target, proxied(target, dial=dial) as proxy:
        client = await Client.connect(proxy)
        client.send(GET)
        await dialling.wait()
        proxy.abort(target)
        assert (await client.response()).status == 502


@asynchronous
async def test_a_client_that_leaves_while_its_target_is_dialled():
    dialling, cancelled, finished = asyncio.Event(), asyncio.Event(), []

    async def dial(protocol, target):
        dialling.set()
        try:
            await asyncio.sleep(60)
        finally:
            cancelled.set()

    async with listening(Gate().serve) as target:
        route = lambda request: Forward(target, finished=finished.append)  # noqa: E731
        async with proxied(route, dial=dial) as proxy:
            client = await Client.connect(proxy)
            client.send(GET)
            await dialling.wait()
            client.close()
            await cancelled.wait()
            assert finished == [None]
            assert proxy.in_flight(target) == 0


@asynchronous
async def test_what_a_dialler_sends_goes_first():
    async def dial(protocol, target):
        transport, made = await asyncio.get_running_loop().create_connection(
            protocol, target.host, target.port
        )
        await asyncio.sleep(0)
        transport.write(b"PROXY header\r\n")
        return transport, made

    async def handle(reader, writer):
        firsts.append(await reader.readline())
        body = await reader.readuntil(b"\r\n\r\n") + await reader.readexactly(5)
        bodies.append(body[-5:])
        writer.write(HELLO)

    firsts: list[bytes] = []
    bodies: list[bytes] = []
    async with listening(handle) as target, proxied(target, dial=dial) as proxy:
        client = await Client.connect(proxy)
        await client.ask(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabcde")
    assert (firsts, bodies) == ([b"PROXY header\r\n"], [b"abcde"])


@asynchronous
async def test_closing_closes_everything():
    gate = Gate()
    async with listening(gate.serve) as target, proxied(target) as proxy:
        idle, busy = await Client.connect(proxy), await Client.connect(proxy)
        busy.send(GET)
        await until(lambda: gate.asked)
        proxy.close()
        proxy.close()
        assert await idle.closed() == await busy.closed() == b""
        await until(lambda: not proxy.clients and not proxy.in_flight(target))
        try:
            await asyncio.open_connection(HOST, proxy.port)
        except OSError:
            return
        raise AssertionError("the port still listens")


@asynchronous
async def test_what_a_router_is_told():
    told: list[Request] = []
    async with recording(
        external_port=8080, seen_as=lambda peer: ("203.0.113.5", 7), settings=Settings()
    ) as (proxy, target):

        def route(request):
            told.append(request)
            return Forward(target.target)

        proxy.route = route
        client = await Client.connect(proxy)
        await client.ask(
            b"GET /a%20b?x=1&y HTTP/1.1\r\nHost: WWW.Example.com:8080\r\n"
            b"X-A: 1\r\nx-a: \xe9 \r\n\r\n"
        )
        await client.ask(b"GET http://Other.test:1/p?q HTTP/1.1\r\nHost: a\r\n\r\n")
    first, second = told
    assert (first.method, first.url, first.path, first.query) == (
        "GET",
        "/a%20b?x=1&y",
        "/a%20b",
        "x=1&y",
    )
    assert (first.host, first.header("x-a")) == ("www.example.com", "1, \xe9")
    assert (first.client, first.scheme, first.port) == (("203.0.113.5", 7), "http", 8080)
    assert (second.host, second.path, second.query) == ("other.test", "/p", "q")


@asynchronous
async def test_many_clients_at_once_each_get_their_own_answer():
    def reply(request):
        body = request.target.encode()
        return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)

    finished = []
    async with recording(reply) as (proxy, target):
        proxy.route = lambda request: Forward(target.target, finished=finished.append)

        async def ask(number):
            client = await Client.connect(proxy)
            for turn in range(20):
                path = b"/%d/%d" % (number, turn)
                assert (await client.ask(b"GET %b HTTP/1.1\r\nHost: a\r\n\r\n" % path)).body == path

        await asyncio.gather(*(ask(number) for number in range(50)))
        assert finished == [200] * 1000
        assert target.connections <= 50
