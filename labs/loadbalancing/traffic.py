"""Traffic to measure with: clients that wait for their answers, and arrivals that do not.

In a *closed loop* a client asks again when it has its answer, so a slow server gets fewer requests.
In an *open loop* requests come when they come, as from the many users of a site, and waiting counts
from the moment a request was due: a generator that is late with one because an earlier answer was
late would leave out what it came to measure (coordinated omission).
"""

import asyncio
import ssl
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from math import isfinite
from random import Random
from time import perf_counter
from typing import TYPE_CHECKING, Any

from labs.loadbalancing.background import Load, Worker
from labs.loadbalancing.http_client import page
from labs.loadbalancing.requesting import Run, Session

if TYPE_CHECKING:
    from pandas import DataFrame

WHOAMI = "X-Whoami"  # the header by which the course's web app says on which server it runs


def closed_loop(
    url: str,
    *,
    requests: int | Sequence[int] = 100,
    clients: int | None = None,
    keep_alive: bool = True,
    headers: Mapping[str, str] | None = None,
    think_seconds: float = 0.0,
    target_header: str = WHOAMI,
    timeout_seconds: float = 10.0,
    within_seconds: float = 120.0,
    tls: ssl.SSLContext | None = None,
    stop: threading.Event | None = None,
) -> "DataFrame":
    """Clients that ask, wait for the answer, think, and ask again. One row for each request.

    url:             http or https; its host may be any name that resolves here.
    requests:        how many each client sends, or a list with a number for each client.
    clients:         how many; 1, or as many as the list has numbers.
    keep_alive:      one connection a client, as long as the server keeps it. Those are opened in
                     the order of the clients, before the first request. Otherwise one a request.
    think_seconds:   between an answer and the next request.
    target_header:   the response header that names the server.
    timeout_seconds: for an answer. within_seconds: for all of them.
    tls:             whom to trust; None: whom Python trusts.
    stop:            to be set, from another thread, in order to end early.

    The frame, in the order in which requests began:
    time (s since the start), latency (s, from the request's beginning to the answer's end), status
    (0 without an answer), error (text; "" with one), target (text), connection (number of the TCP
    connection, from 1; 0 when none came about), client (from 1). A request that is under way when
    everything ends has its row too.

    Raises ValueError for arguments that make no sense; nothing for what a server does.
    """
    amounts = [requests] * (clients or 1) if isinstance(requests, int) else list(requests)
    if clients not in (None, len(amounts)):
        raise ValueError(
            f"requests has {len(amounts)} numbers for {clients} clients; expected one for each"
        )
    run = Run(
        page(url, headers or {}, keep_alive=keep_alive, tls=tls), target_header, timeout_seconds
    )

    async def client(number: int, session: Session, amount: int) -> None:
        for _ in range(amount):
            await run.request(number, session, perf_counter())
            if think_seconds:
                await asyncio.sleep(think_seconds)

    async def everyone() -> None:
        sessions = [run.session() for _ in amounts]
        if keep_alive:
            with suppress(OSError):  # the first request will meet it again, and write it down
                async with asyncio.timeout(timeout_seconds):
                    for session in sessions:
                        await session.open()
        async with run, asyncio.TaskGroup() as group:
            for number, (session, amount) in enumerate(zip(sessions, amounts, strict=True), 1):
                group.create_task(client(number, session, amount))

    interrupted = threading.Event()
    events = [interrupted] if stop is None else [interrupted, stop]
    Worker(everyone, within_seconds, events).wait(interrupted)
    return run.frame()


def start(
    url: str,
    *,
    rate: float,
    seconds: float,
    seed: int | None = 1,
    keep_alive: bool = True,
    headers: Mapping[str, str] | None = None,
    target_header: str = WHOAMI,
    timeout_seconds: float = 10.0,
    tls: ssl.SSLContext | None = None,
) -> Load:
    """An open loop that goes on while later cells run: `load.frame()`, then `load.stop()`.

    rate, seconds: requests a second on average, for at most how long.
    seed:          of arrivals at random (a Poisson process); None: at equal distances.
    keep_alive:    use a connection again that has no request on it. Otherwise each request has a
                   new one, for which the name is looked up anew: changes in DNS count at once.

    All else is as in `closed_loop`, but that `time` is when a request was due, `latency` counts
    from then, and each request has a `client` of its own.

    Raises ValueError at once for arguments that make no sense; nothing for what a server does.
    """
    run = Run(
        page(url, headers or {}, keep_alive=keep_alive, tls=tls), target_header, timeout_seconds
    )
    return Load(run, arrivals(rate, seconds, seed), seconds + timeout_seconds + 1)


def open_loop(url: str, *, rate: float, seconds: float, **more: Any) -> "DataFrame":
    """Requests that come whether or not earlier ones were answered. One row for each.

    Waits for all of them. Arguments as those of `start`.
    """
    return start(url, rate=rate, seconds=seconds, **more).wait()


def arrivals(rate: float, seconds: float, seed: int | None) -> list[float]:
    """When requests are due: s since the start, in order, all less than `seconds`.

    seed: of a Poisson process, in which distances are exponential; None for equal distances.
    Raises ValueError for a rate or a time that is not positive, or is infinite.
    """
    if not (rate > 0 and isfinite(rate)):
        raise ValueError(f"the rate is {rate}; expected requests a second, more than 0")
    if not (seconds > 0 and isfinite(seconds)):
        raise ValueError(f"the time is {seconds} s; expected seconds, more than 0")
    random = Random(seed)
    distance = partial(random.expovariate, rate) if seed is not None else lambda: 1 / rate
    times, due = [], 0.0 if seed is None else distance()
    while due < seconds:
        times.append(due)
        due += distance()
    return times
