"""A relay that writes down what passes."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from ipaddress import IPv4Address
from pathlib import Path
from threading import Thread

from labs.loadbalancing.packets.tap import Speaker, Tap

Handle = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

GRACE = 1.0  # seconds for conversations to end by themselves, when recording ends

#: Addresses that RFC 5737 keeps for documentation.
CLIENT_ADDRESS, SERVER_ADDRESS = "192.0.2.10", "198.51.100.20"


@contextmanager
def record(
    host: str,
    port: int,
    path: str | Path,
    *,
    client_address: str = CLIENT_ADDRESS,
    server_address: str = SERVER_ADDRESS,
) -> Iterator[int]:
    """`with record(host, port, "talk.pcap") as relay:` connect to ("127.0.0.1", relay) instead.

    Connections to that loopback port are carried to (host, port). When the block ends, `path` holds
    what passed: payload, order and both ports are real (the client's own, and `port`); addresses
    are those given here, and all headers are synthetic (see `packets.tap`). A client that cannot be
    carried is reset, and leaves nothing in the file.

    Raises OSError where nothing can be written at `path`, ValueError for addresses not IPv4.
    """
    for address in (client_address, server_address):
        IPv4Address(address)  # now, not in the relay's thread

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            from_target, to_target = await asyncio.open_connection(host, port)
        except OSError:
            return writer.transport.abort()
        _, client_port = writer.get_extra_info("peername")[:2]
        client, server = tap.conversation((client_address, client_port), (server_address, port))
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(pass_on(reader, to_target, client))
                both.create_task(pass_on(from_target, writer, server))
        except* OSError:  # one end broke it off
            writer.transport.abort()
            to_target.transport.abort()
        finally:
            to_target.close()

    with Tap(path) as tap, listening(carry) as relay:
        yield relay


async def pass_on(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, speaker: Speaker
) -> None:
    """Pass on, and write down, what one end says, until it has nothing more to say."""
    while data := await heard(reader, speaker):
        speaker.send(data)
        writer.write(data)
        await writer.drain()
    speaker.end()
    writer.write_eof()


async def heard(reader: asyncio.StreamReader, speaker: Speaker) -> bytes:
    """What comes next; nothing at the end."""
    try:
        return await reader.read(65_536)
    except ConnectionError:
        speaker.reset()
        raise


@contextmanager
def listening(handle: Handle) -> Iterator[int]:
    """A loopback port whose connections `handle` gets, in a thread and a loop of its own.

    Of its own, since the loop of a notebook's kernel is busy while a cell runs.
    """
    started: Future[tuple[int, Callable[[], None]]] = Future()
    serving = serve(handle, started)
    thread = Thread(target=asyncio.run, args=[serving], name="recording relay", daemon=True)
    thread.start()
    port, stop = started.result()
    try:
        yield port
    finally:
        stop()
        thread.join()


async def serve(handle: Handle, started: Future[tuple[int, Callable[[], None]]]) -> None:
    """Serve until stopped. `started` gets the port, and what to call in order to stop."""
    stopping = asyncio.Event()
    being_handled: set[asyncio.Task[None]] = set()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        being_handled.add(asyncio.current_task())
        with suppress(asyncio.CancelledError):
            await handle(reader, writer)
        being_handled.discard(asyncio.current_task())
        writer.close()

    try:
        server = await asyncio.start_server(accept, "127.0.0.1", 0)
    except OSError as error:
        return started.set_exception(error)
    loop = asyncio.get_running_loop()
    port = server.sockets[0].getsockname()[1]
    started.set_result((port, lambda: loop.call_soon_threadsafe(stopping.set)))
    await stopping.wait()
    server.close()
    if being_handled:
        _, unfinished = await asyncio.wait(being_handled, timeout=GRACE)
        for task in unfinished:
            task.cancel()
        await asyncio.gather(*unfinished)
