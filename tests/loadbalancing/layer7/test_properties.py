"""Whatever the bytes and however they are cut: the same requests, well-formed, or none."""

import asyncio
from random import Random

from hypothesis import example, given, settings
from hypothesis import strategies as st

from labs.loadbalancing.layer7.framing import Chunked, Malformed
from labs.loadbalancing.layer7.parsing import Refused, parse_request
from tests.loadbalancing.layer7.conversations import (
    CORPUS,
    check,
    conversation,
    in_chunks,
    read,
    segments,
    spoil,
    valid,
)
from tests.loadbalancing.layer7.fuzz import fuzz
from tests.loadbalancing.layer7.harness import Client, asynchronous, recording

SEEDS = st.integers(0, 2**32)


async def forwarded(pieces: list[bytes], answers: int) -> list[tuple]:
    """What a target gets of pieces that are that many good requests."""
    async with recording() as (proxy, target):
        client = await Client.connect(proxy)
        for piece in pieces:
            client.send(piece)
            await asyncio.sleep(0)
        async with asyncio.timeout(10):
            while len(target.requests) < answers:
                await asyncio.sleep(0.001)
        assert not target.broken
        return [
            (
                request.method,
                request.target,
                [field for field in request.headers if field[0] != "x-amzn-trace-id"],
                request.body,
                request.trailers,
            )
            for request in target.requests
        ]


def without_ports(requests: list[tuple]) -> list[tuple]:
    """Each proxy has a port of its own, which Host and X-Forwarded-Port tell."""
    told = ("host", "x-forwarded-port")
    return [
        (method, target, [field for field in headers if field[0] not in told], body, trailers)
        for method, target, headers, body, trailers in requests
    ]


@settings(max_examples=60, deadline=None)
@given(SEEDS)
def test_valid_requests_are_forwarded_alike_however_they_are_cut(seed):
    random = Random(seed)
    requests = [valid(random, number).replace(b"HTTP/1.0", b"HTTP/1.1") for number in range(3)]
    data = b"".join(requests)
    whole = asyncio.run(forwarded([data], 3))
    cut = asyncio.run(forwarded(segments(random, data), 3))
    assert without_ports(whole) == without_ports(cut)
    assert [(method, target, body) for method, target, _, body, _ in whole] == read(data)


@settings(max_examples=100, deadline=None)
@given(SEEDS)
def test_spoilt_requests_are_refused_or_forwarded_as_another_parser_reads_them(seed):
    @asynchronous
    async def one() -> None:
        random = Random(seed)
        data = conversation(random)
        async with recording() as (proxy, target):
            client = await Client.connect(proxy)
            for piece in segments(random, data):
                client.send(piece)
                await asyncio.sleep(0)
            async with asyncio.timeout(10):
                while any(waiting.exchange and waiting.head.body.done for waiting in proxy.clients):
                    await asyncio.sleep(0.001)
            client.close()
            check(data, target)

    one()


@settings(max_examples=1500, deadline=None)
@given(SEEDS)
def test_heads_are_refused_or_read_as_another_parser_reads_them(seed):
    """The same without sockets, and so for many more heads."""
    random = Random(seed)
    data = random.choice(CORPUS) if random.random() < 0.3 else valid(random)
    data = spoil(random, data).lstrip(b"\r\n")
    end = data.find(b"\r\n\r\n") + 4
    if end < 4:
        return
    try:
        head = parse_request(data[:end])
    except Refused:
        return
    # Give it a body, so that the other parser sees a whole request.
    body = b"" if head.body.done else b"0\r\n\r\n"
    length = head.values.get("content-length")
    if length is not None:
        if int(length) > 100_000:
            return
        body = bytes(int(length))
    [reading, *others] = read(data[:end] + body)
    assert others == []
    assert (reading.method, reading.target) == (head.method, head.url)
    assert reading.body == (b"" if length is None else body)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300), SEEDS, st.binary(max_size=20))
@example(b"\r\n\r\n" * 10, 0, b"\r\n\r\n")
@example(b"", 1, b"0\r\n\r\n")
def test_chunks_end_at_the_right_byte_however_they_are_cut(body, seed, behind):
    random = Random(seed)
    framing, got, rest = Chunked(), b"", b""
    for piece in segments(random, in_chunks(random, body) + behind):
        if framing.done:
            rest += piece
            continue
        data, more = framing.feed(piece)
        got, rest = got + data, rest + more
    assert (framing.done, got, rest) == (True, body, behind)


@settings(max_examples=500, deadline=None)
@given(st.binary(max_size=200), SEEDS)
def test_hostile_chunks_are_malformed_or_incomplete_or_whole(data, seed):
    """Cut or not, the same is found; nothing else than Malformed is raised."""
    random = Random(seed)
    data = random.choice((data, spoil(random, in_chunks(random, data))))
    outcomes = set()
    for pieces in ([data], segments(random, data)):
        framing, got, rest = Chunked(), b"", b""
        try:
            for piece in pieces:
                more, behind = framing.feed(piece) if not framing.done else (b"", piece)
                got, rest = got + more, rest + behind
        except Malformed:
            outcomes.add("malformed")
        else:
            outcomes.add((framing.done, got, rest))
    assert len(outcomes) == 1


def test_a_short_fuzz_run():
    assert asyncio.run(fuzz(seconds=3.0, seed=1)) > 50
