"""A layer-4 proxy between real sockets: what one end does, the other end sees."""

import asyncio
import contextlib
import socket
import ssl
from collections import Counter

import pytest
import trustme

from labs.loadbalancing.choosing import LeastConnections, round_robin
from labs.loadbalancing.closing import reset
from labs.loadbalancing.layer4 import Proxy
from labs.loadbalancing.proxy_protocol import proxy_v2
from labs.loadbalancing.target import Target, dial

PATIENCE = 5  # seconds for what should take milliseconds


def run(scenario):
    """Run a coroutine; anything that it leaves unfinished, or that asyncio complains of, fails."""
    complaints = []

    async def guarded():
        asyncio.get_running_loop().set_exception_handler(lambda _, c: complaints.append(c))
        await asyncio.wait_for(scenario(), 2 * PATIENCE)

    asyncio.run(guarded())
    assert not complaints


@contextlib.asynccontextmanager
async def listening(handle, ssl=None):
    """A target that runs `handle(reader, writer)` for each connection."""
    handlers = set()

    async def one(reader, writer):
        handlers.add(asyncio.current_task())
        with contextlib.suppress(ConnectionError, asyncio.CancelledError):
            await handle(reader, writer)
        writer.close()

    async with await asyncio.start_server(one, "127.0.0.1", 0, ssl=ssl, backlog=1024) as server:
        yield Target("i-1:80", *server.sockets[0].getsockname())
        server.close()
        for handler in handlers:
            handler.cancel()
        await asyncio.gather(*handlers)


@contextlib.asynccontextmanager
async def proxying(proxy, ssl=None):
    """Its (host, port)."""
    server = await proxy.serve("127.0.0.1", 0, ssl=ssl)
    try:
        yield server.sockets[0].getsockname()
    finally:
        server.close()
        for target in list(proxy.connections):
            proxy.abort(target)


async def condition(holds):
    """Wait until `holds()`."""
    async with asyncio.timeout(PATIENCE):
        while not holds():
            await asyncio.sleep(0.005)


async def echo(reader, writer):
    while data := await reader.read(65_536):
        writer.write(data)
        await writer.drain()


def unused_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def test_bytes_pass_both_ways_whole_and_in_order():
    async def scenario():
        sent = bytes(range(256)) * 8_192  # 2 MB
        async with listening(echo) as target, proxying(Proxy(lambda _: target)) as address:
            reader, writer = await asyncio.open_connection(*address)
            writer.write(sent)
            writer.write_eof()
            assert await reader.read() == sent
            writer.close()

    run(scenario)


def test_client_that_ends_first_still_gets_its_answer():
    async def answer_at_the_end(reader, writer):
        writer.write(b"%d bytes" % len(await reader.read()))

    async def scenario():
        async with (
            listening(answer_at_the_end) as target,
            proxying(Proxy(lambda _: target)) as address,
        ):
            reader, writer = await asyncio.open_connection(*address)
            writer.write(b"question")
            writer.write_eof()
            assert await reader.read() == b"8 bytes"
            writer.close()

    run(scenario)


def test_target_that_ends_first_still_hears_the_client():
    heard = []

    async def bye_then_listen(reader, writer):
        writer.write(b"bye")
        writer.write_eof()
        heard.append(await reader.read())

    async def scenario():
        async with (
            listening(bye_then_listen) as target,
            proxying(Proxy(lambda _: target)) as address,
        ):
            reader, writer = await asyncio.open_connection(*address)
            assert await reader.read() == b"bye"
            writer.write(b"one more thing")
            writer.close()
            await condition(lambda: heard == [b"one more thing"])

    run(scenario)


def test_target_may_speak_first():
    async def greet(reader, writer):
        writer.write(b"220 ready\r\n")
        await reader.read()

    async def scenario():
        async with listening(greet) as target, proxying(Proxy(lambda _: target)) as address:
            reader, writer = await asyncio.open_connection(*address)
            assert await reader.readline() == b"220 ready\r\n"
            writer.close()

    run(scenario)


def test_what_comes_before_the_target_is_dialled_is_kept():
    async def scenario():
        released = asyncio.Event()

        async def slow_dial(protocol, target):
            await released.wait()
            return await dial(protocol, target)

        proxy = Proxy(lambda _: target, dial=slow_dial)
        async with listening(echo) as target, proxying(proxy) as address:
            reader, writer = await asyncio.open_connection(*address)
            writer.write(b"early, ")
            await condition(lambda: proxy.connections[target])
            writer.write(b"and the end")
            writer.write_eof()
            await asyncio.sleep(0.05)  # let it arrive: nothing to wait for shows that
            released.set()
            assert await reader.read() == b"early, and the end"
            writer.close()

    run(scenario)


@pytest.mark.parametrize("while_dialling", [True, False], ids=["dialling", "carrying"])
def test_sender_has_to_wait_when_nobody_reads(while_dialling):
    """What the proxy holds is bounded: kernel buffers and high-water marks, not the 64 MB sent."""

    async def never_read(reader, writer):
        reader._transport.pause_reading()
        await asyncio.Event().wait()

    async def never_dial(protocol, target):
        await asyncio.Event().wait()

    async def scenario():
        proxy = Proxy(lambda _: target, dial=never_dial if while_dialling else dial)
        async with listening(never_read) as target, proxying(proxy) as address:
            assert await amount_taken(address) < 32_000_000
            proxy.abort(target)
            await condition(lambda: not proxy.connections[target])

    run(scenario)


def test_target_has_to_wait_when_the_client_does_not_read():
    written = Counter()

    async def pour(reader, writer):
        while True:
            writer.write(bytes(65_536))
            await writer.drain()
            written["bytes"] += 65_536

    async def scenario():
        async with listening(pour) as target, proxying(Proxy(lambda _: target)) as address:
            with socket.create_connection(address):
                await settled(lambda: written["bytes"])
                assert 0 < written["bytes"] < 32_000_000

    run(scenario)


async def amount_taken(address, offered=64_000_000):
    """How much the proxy and the kernel take off a sender before they make it wait."""
    loop = asyncio.get_running_loop()
    with socket.socket() as sock:
        sock.setblocking(False)
        await loop.sock_connect(sock, address)
        taken = 0

        async def send():
            nonlocal taken
            while taken < offered:
                await loop.sock_sendall(sock, bytes(65_536))
                taken += 65_536

        sending = asyncio.create_task(send())
        await settled(lambda: taken)
        sending.cancel()
    return taken


async def settled(number):
    """Wait until a growing number has not grown for 0.2 s."""
    before = -1
    while number() != before:
        before = number()
        await asyncio.sleep(0.2)


def test_slow_reader_gets_everything():
    async def pour(reader, writer):
        writer.write(bytes(20_000_000))
        await writer.drain()

    async def scenario():
        async with listening(pour) as target, proxying(Proxy(lambda _: target)) as address:
            reader, writer = await asyncio.open_connection(*address, limit=1024)
            await asyncio.sleep(0.2)
            assert len(await reader.read()) == 20_000_000
            writer.close()

    run(scenario)


def test_client_is_reset_without_a_target():
    async def scenario():
        async with proxying(Proxy(lambda _: None)) as address:
            assert await was_reset(address)

    run(scenario)


def test_client_is_reset_when_the_target_refuses():
    async def scenario():
        closed = []
        target = Target("gone", "127.0.0.1", unused_port())
        async with proxying(Proxy(lambda _: target, closed=closed.append)) as address:
            assert await was_reset(address)
            assert closed == [target]

    run(scenario)


def test_client_is_reset_when_the_target_does_not_answer():
    async def silent(protocol, target):
        await asyncio.Event().wait()

    async def scenario():
        closed = []
        target = Target("silent", "192.0.2.1", 80)
        proxy = Proxy(lambda _: target, dial=silent, connect_seconds=0.1, closed=closed.append)
        async with proxying(proxy) as address:
            assert await was_reset(address)
            assert closed == [target]

    run(scenario)


async def was_reset(address):
    reader, writer = await asyncio.open_connection(*address)
    with contextlib.suppress(ConnectionResetError):
        writer.write(b"hello")
        received = await reader.read()
        pytest.fail(f"a reset was expected, the end came after {received!r}")
    return True


def test_client_that_resets_while_the_target_is_dialled_ends_the_dialling():
    async def scenario():
        ended = asyncio.Event()
        closed = []

        async def silent(protocol, target):
            try:
                await asyncio.Event().wait()
            finally:
                ended.set()

        target = Target("silent", "192.0.2.1", 80)
        proxy = Proxy(lambda _: target, dial=silent, closed=closed.append)
        async with proxying(proxy) as address:
            _, writer = await asyncio.open_connection(*address)
            await condition(lambda: proxy.connections[target])
            hard_close(writer)
            await asyncio.wait_for(ended.wait(), PATIENCE)
            await condition(lambda: closed == [target] and not proxy.connections[target])

    run(scenario)


def hard_close(writer):
    reset(writer.transport)


@pytest.mark.parametrize("first", ["client", "target"])
def test_reset_of_one_side_resets_the_other(first):
    async def scenario():
        seen = asyncio.get_running_loop().create_future()

        async def handle(reader, writer):
            writer.write(b"x")
            if first == "target":
                await reader.read(1)
                return hard_close(writer)
            try:
                await reader.read()
            except ConnectionResetError:
                seen.set_result("reset")

        async with listening(handle) as target, proxying(Proxy(lambda _: target)) as address:
            reader, writer = await asyncio.open_connection(*address)
            await reader.readexactly(1)
            writer.write(b"y")
            if first == "client":
                hard_close(writer)
                assert await asyncio.wait_for(seen, PATIENCE) == "reset"
            else:
                with pytest.raises(ConnectionResetError):
                    await reader.read()
            writer.close()

    run(scenario)


def test_silence_ends_a_connection_and_a_byte_from_either_side_puts_that_off():
    async def scenario():
        async def talk(reader, writer):
            for _ in range(4):
                await asyncio.sleep(0.15)
                writer.write(b".")
            await reader.read()

        async with listening(talk) as target:
            closed = []
            proxy = Proxy(lambda _: target, idle_seconds=0.4, closed=closed.append)
            async with proxying(proxy) as address:
                reader, writer = await asyncio.open_connection(*address)
                assert await reader.readexactly(4) == b"...."  # 0.6 s: longer than the time-out
                with pytest.raises(ConnectionResetError):
                    await asyncio.wait_for(reader.read(), PATIENCE)
                await condition(lambda: closed == [target])
                writer.close()

    run(scenario)


def test_silence_ends_a_connection_whose_client_does_not_read():
    async def pour(reader, writer):
        while True:
            writer.write(bytes(65_536))
            await writer.drain()

    async def scenario():
        async with listening(pour) as target:
            proxy = Proxy(lambda _: target, idle_seconds=0.3)
            async with proxying(proxy) as address:
                with socket.create_connection(address):
                    await condition(lambda: proxy.connections[target])
                    await condition(lambda: not proxy.connections[target])

    run(scenario)


def test_abort_resets_the_connections_of_one_target_only():
    async def scenario():
        closed = []
        async with listening(echo) as target:
            other = target._replace(name="i-2:80")
            proxy = Proxy(round_robin([target, other]), closed=closed.append)
            async with proxying(proxy) as address:
                first = await asyncio.open_connection(*address)
                await condition(lambda: proxy.connections[target])
                second = await asyncio.open_connection(*address)
                await condition(lambda: proxy.connections[other])
                proxy.abort(target)
                with pytest.raises(ConnectionResetError):
                    await first[0].read()
                assert closed == [target]
                second[1].write(b"still here")
                assert await second[0].readexactly(10) == b"still here"
                first[1].close()
                second[1].close()
                await condition(lambda: closed == [target, other])

    run(scenario)


def test_abort_resets_a_target_that_does_not_read():
    """Closing would wait for ever until it has taken what is still to be sent."""

    async def scenario():
        aborted, seen = asyncio.Event(), []

        async def read_late(reader, writer):
            reader._transport.pause_reading()
            await aborted.wait()
            reader._transport.resume_reading()
            try:
                while await reader.read(65_536):
                    pass
                seen.append("end")
            except ConnectionResetError:
                seen.append("reset")

        proxy = Proxy(lambda _: target)
        async with listening(read_late) as target, proxying(proxy) as address:
            await amount_taken(address)
            proxy.abort(target)
            await condition(lambda: not proxy.connections[target])
            aborted.set()
            await condition(lambda: seen)
            assert seen == ["reset"]

    run(scenario)


def test_target_is_greeted_before_the_client_is_heard():
    async def scenario():
        def greet(connection, target):
            return proxy_v2(connection.client, connection.server)

        proxy = Proxy(lambda _: target, greeting=greet)
        async with listening(echo) as target, proxying(proxy) as address:
            reader, writer = await asyncio.open_connection(*address)
            here = writer.get_extra_info("sockname")
            writer.write(b"hello")
            writer.write_eof()
            assert await reader.read() == proxy_v2(here, address) + b"hello"
            writer.close()

    run(scenario)


def test_least_connections_hears_of_those_that_end():
    async def scenario():
        async with listening(echo) as target:
            targets = [target, target._replace(name="i-2:80")]
            choose = LeastConnections(targets)
            async with proxying(Proxy(choose, closed=choose.closed)) as address:
                writers = [(await asyncio.open_connection(*address))[1] for _ in range(4)]
                await condition(lambda: [choose.open[t] for t in targets] == [2, 2])
                for writer in writers:
                    writer.close()
                await condition(lambda: choose.open.total() == 0)

    run(scenario)


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture(scope="module")
def server_tls(authority):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("app.example.com").configure_cert(context)
    return context


@pytest.fixture(scope="module")
def client_tls(authority):
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


def test_tls_ends_at_the_proxy(server_tls, client_tls):
    async def shout(reader, writer):
        writer.write((await reader.readline()).upper())

    async def scenario():
        async with (
            listening(shout) as target,
            proxying(Proxy(lambda _: target), ssl=server_tls) as address,
        ):
            reader, writer = await asyncio.open_connection(
                *address, ssl=client_tls, server_hostname="app.example.com"
            )
            writer.write(b"hello\n")
            assert await reader.read() == b"HELLO\n"
            writer.close()

    run(scenario)


def test_handshake_that_fails_leaves_the_proxy_serving(server_tls, client_tls):
    async def scenario():
        async with (
            listening(echo) as target,
            proxying(Proxy(lambda _: target), ssl=server_tls) as address,
        ):
            reader, writer = await asyncio.open_connection(*address)
            writer.write(b"GET / HTTP/1.1\r\n\r\n")
            with contextlib.suppress(ConnectionError):
                await reader.read()
            writer.close()
            reader, writer = await asyncio.open_connection(
                *address, ssl=client_tls, server_hostname="app.example.com"
            )
            writer.write(b"hello")
            assert await reader.readexactly(5) == b"hello"
            writer.close()

    run(scenario)


def test_peeks_at_the_server_name_and_passes_the_handshake_on(server_tls, client_tls):
    """TLS ends at the target: the proxy has no key, and yet it knows the name."""

    async def scenario():
        names = []
        async with listening(echo, ssl=server_tls) as target:

            def choose(connection):
                names.append(connection.server_name)
                return target

            async with proxying(Proxy(choose, peek_server_name=True)) as address:
                reader, writer = await asyncio.open_connection(
                    *address, ssl=client_tls, server_hostname="app.example.com"
                )
                writer.write(b"secret")
                assert await reader.readexactly(6) == b"secret"
                writer.close()
        assert names == ["app.example.com"]

    run(scenario)


@pytest.mark.parametrize("first", [b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03"])
def test_peeking_does_not_keep_a_client_without_a_hello(first):
    async def scenario():
        proxy = Proxy(lambda _: target, peek_server_name=True)
        async with listening(echo) as target, proxying(proxy) as address:
            reader, writer = await asyncio.open_connection(*address)
            writer.write(first)
            writer.write_eof()
            assert await reader.read() == first
            writer.close()

    run(scenario)


def test_peeking_ends_with_the_idle_time_out():
    async def scenario():
        proxy = Proxy(lambda _: pytest.fail("chosen"), peek_server_name=True, idle_seconds=0.1)
        async with proxying(proxy) as address:
            assert await was_reset(address)

    run(scenario)


def test_many_connections_leave_nothing_behind():
    async def scenario():
        async with listening(echo) as target:
            closed = []
            proxy = Proxy(lambda _: target, closed=closed.append)
            async with proxying(proxy) as address:

                async def once(number):
                    reader, writer = await asyncio.open_connection(*address)
                    writer.write(b"%d" % number)
                    if number % 3 == 0:
                        return hard_close(writer)
                    if number % 3 == 1:
                        writer.write_eof()
                        assert await reader.read() == b"%d" % number
                    writer.close()

                await asyncio.gather(*(once(number) for number in range(120)))
                await condition(lambda: not proxy.connections[target])
                assert len(closed) <= 120
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        assert [task for task in others if "carry" in repr(task)] == []

    run(scenario)
