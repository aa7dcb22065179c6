"""Random conversations with a proxy, until the time is up or something is wrong.

    python -m tests.loadbalancing.layer7.fuzz --seconds 60 [--seed 1]

Requests: whatever a client sends, a target gets well-formed requests, those and only those that
an independent parser finds in the same bytes. Responses: whatever a target sends, a client gets
well-formed responses (or the connection ends), and the next request gets its own answer. Nothing
hangs. A failure prints the seed of its case, which repeats it.
"""

import argparse
import asyncio
import time
from random import Random

import h11

from labs.loadbalancing.layer7 import Proxy
from tests.loadbalancing.layer7.conversations import check, conversation, segments, spoil
from tests.loadbalancing.layer7.harness import Client, Received, RecordingTarget, recording, until

#: Longer than any case takes; a case that waits for more bytes is ended by its client.
PATIENCE_SECONDS = 10.0


async def fuzz_requests(random: Random, proxy: Proxy, target: RecordingTarget) -> None:
    target.reply = lambda request: b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    forget(target)
    data = conversation(random)
    client = await Client.connect(proxy)
    for piece in segments(random, data):
        client.send(piece)
        await asyncio.sleep(0)
    await waits(proxy)
    client.writer.write_eof()
    readable(await client.closed(PATIENCE_SECONDS), data)
    client.close()
    await until(lambda: not proxy.clients)
    check(data, target)


async def waits(proxy: Proxy) -> None:
    """Until every client has hung up or has to send more, for all that targets say."""
    await until(
        lambda: all(
            client.exchange is None or not client.head.body.done for client in proxy.clients
        ),
        PATIENCE_SECONDS,
    )


RESPONSES = [
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\nX: y\r\n\r\n",
    b"HTTP/1.1 204 No Content\r\nX: y\r\n\r\n",
    b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\nhello",
    b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello",
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nhi",
]


async def fuzz_responses(random: Random, proxy: Proxy, target: RecordingTarget) -> None:
    spoilt = spoil(random, random.choice(RESPONSES))

    def reply(request: Received) -> bytes | None:
        if request.target == "/spoilt":
            return spoilt
        if request.target == "/end":
            return None
        body = request.target.encode()
        return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)

    target.reply = reply
    forget(target)
    client, other = await Client.connect(proxy), await Client.connect(proxy)
    client.send(b"GET /spoilt HTTP/1.1\r\nHost: a\r\n\r\n")
    await until(lambda: target.requests)
    for number in range(2):
        path = b"/%d" % (number + random.randrange(1000))
        answer = await other.ask(b"GET %b HTTP/1.1\r\nHost: a\r\n\r\n" % path)
        assert (answer.status, answer.body) == (200, path), (spoilt, answer)
    proxy.abort(target.target)  # what a spoilt response left waiting ends here
    client.writer.write_eof()
    readable(await client.closed(PATIENCE_SECONDS), spoilt)
    client.close()
    other.close()


def forget(target: RecordingTarget) -> None:
    target.requests.clear()
    target.broken.clear()
    target.raw.clear()


def readable(data: bytes, cause: bytes) -> None:
    """Fail unless these are a response, perhaps cut short, and perhaps more of them."""
    if not data:
        return
    parser = h11.Connection(h11.CLIENT, max_incomplete_event_size=1 << 20)
    parser.send(h11.Request(method="GET", target="/", headers=[("Host", "a")]))
    parser.send(h11.EndOfMessage())
    parser.receive_data(data)
    try:
        while (event := parser.next_event()) not in (h11.NEED_DATA, h11.PAUSED):
            if isinstance(event, h11.EndOfMessage):
                return
    except h11.RemoteProtocolError as error:
        raise AssertionError(f"{error}: {data!r} came of {cause!r}") from error


async def fuzz(seconds: float, seed: int) -> int:
    """Returns how many cases there were. Raises what a case raised, with its seed."""
    ends, cases = time.monotonic() + seconds, 0
    async with recording() as (proxy, target):
        while time.monotonic() < ends:
            case = fuzz_responses if cases % 3 == 2 else fuzz_requests
            try:
                await case(Random(seed + cases), proxy, target)
            except BaseException as error:
                error.add_note(f"{case.__name__}, seed {seed + cases}")
                raise
            cases += 1
        await until(lambda: not proxy.clients)
        assert proxy.in_flight(target.target) == 0
    return cases


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000_000)
    options = parser.parse_args()
    cases = asyncio.run(fuzz(options.seconds, options.seed))
    print(f"{cases} cases from seed {options.seed}, nothing found")


if __name__ == "__main__":
    main()
