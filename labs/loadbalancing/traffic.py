"""Traffic to measure with: clients that wait for their answers, and arrivals that do not.

In a *closed loop* a client asks again when it has its answer, so a slow server gets fewer requests.
In an *open loop* requests come when they come, as from the many users of a site, and waiting counts
from the moment a request was due: a generator that is late with one because an earlier answer was
late would leave out what it came to measure (coordinated omission).
"""

import asyncio
import ssl
import threading
from collections.abc import Callable, Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from random import Random
from time import perf_counter
from typing import TYPE_CHECKING

from labs.loadbalancing.http_client import Answer, BadAnswer, Connection, Page, connect, page

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

    in_a_thread(everyone, within_seconds, stop)
    return run.frame()


def open_loop(
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
    stop: threading.Event | None = None,
) -> "DataFrame":
    """Requests that come whether or not earlier ones were answered. One row for each.

    rate, seconds: requests a second on average, for how long.
    seed:          of arrivals at random (a Poisson process); None: at equal distances.
    keep_alive:    use a connection again that has no request on it.

    All else is as in `closed_loop`, but that `time` is when a request was due, `latency` counts
    from then, and each request has a `client` of its own.
    """
    run = Run(
        page(url, headers or {}, keep_alive=keep_alive, tls=tls), target_header, timeout_seconds
    )
    starts = arrivals(rate, seconds, seed)
    idle: list[Session] = []

    async def arrive(number: int, due: float) -> None:
        session = idle.pop() if idle else run.session()
        await run.request(number, session, due)
        idle.append(session)

    async def everyone() -> None:
        async with run, asyncio.TaskGroup() as group:
            for number, start in enumerate(starts, 1):
                due = run.begin + start
                await asyncio.sleep(due - perf_counter())
                group.create_task(arrive(number, due))

    in_a_thread(everyone, seconds + timeout_seconds + 1, stop)
    return run.frame()


def arrivals(rate: float, seconds: float, seed: int | None) -> list[float]:
    """When requests are due: s since the start, in order, all less than `seconds`.

    seed: of a Poisson process, in which distances are exponential; None for equal distances.
    Raises ValueError for a rate that is not positive.
    """
    if rate <= 0:
        raise ValueError(f"the rate is {rate}; expected requests a second, more than 0")
    random = Random(seed)
    distance = partial(random.expovariate, rate) if seed is not None else lambda: 1 / rate
    times, due = [], 0.0 if seed is None else distance()
    while due < seconds:
        times.append(due)
        due += distance()
    return times


@dataclass
class Session:
    """What a client has between requests: its connection, as long as that is usable."""

    page: Page
    numbers: "count[int]"
    connection: Connection | None = None
    number: int = 0

    async def open(self) -> None:
        self.connection, self.number = None, 0
        self.connection = await connect(self.page)
        self.number = next(self.numbers)

    async def get(self) -> Answer:
        if self.connection is None or not self.connection.usable:
            await self.open()
        return await self.connection.ask(self.page.request)

    def close(self) -> None:
        if self.connection:
            self.connection.close()


@dataclass
class Run:
    """Sends requests, and writes down what became of each. `async with run:` is its time."""

    page: Page
    target_header: str
    timeout_seconds: float
    begin: float = 0.0
    numbers: "count[int]" = field(default_factory=lambda: count(1))
    sessions: list[Session] = field(default_factory=list)
    rows: list[tuple[object, ...]] = field(default_factory=list)

    async def __aenter__(self) -> None:
        self.begin = perf_counter()

    async def __aexit__(self, *error: object) -> None:
        for session in self.sessions:
            session.close()

    def session(self) -> Session:
        self.sessions.append(Session(self.page, self.numbers))
        return self.sessions[-1]

    async def request(self, client: int, session: Session, due: float) -> None:
        status, target, error = 0, "", "everything ended before an answer came"
        try:
            async with asyncio.timeout(self.timeout_seconds):
                answer = await session.get()
            status, target, error = (
                answer.status,
                answer.headers.get(self.target_header.lower(), ""),
                "",
            )
        except TimeoutError as reason:  # ours, or the system's for a connection: then it has words
            error = str(reason) or f"no answer within {self.timeout_seconds:g} s"
        except (OSError, BadAnswer) as reason:
            error = str(reason) or type(reason).__name__
        finally:
            if error or not self.page.keep_alive:
                session.close()
            latency = perf_counter() - due
            row = (due - self.begin, latency, status, error, target, session.number, client)
            self.rows.append(row)

    def frame(self) -> "DataFrame":
        from pandas import DataFrame  # here: a set-up cell should not wait for it

        columns = ["time", "latency", "status", "error", "target", "connection", "client"]
        return DataFrame(sorted(self.rows), columns=columns)


def in_a_thread(
    traffic: Callable[[], Coroutine[None, None, None]],
    within_seconds: float,
    stop: threading.Event | None,
) -> None:
    """Run `traffic` in a thread and a loop of its own: a kernel's loop is busy with the cell.

    It is cancelled after `within_seconds`, when `stop` is set, or when the cell is interrupted.
    """
    interrupted = threading.Event()
    events = [interrupted] if stop is None else [interrupted, stop]
    with ThreadPoolExecutor(1, "traffic") as pool:
        running = pool.submit(asyncio.run, bounded(traffic, within_seconds, events))
        try:
            while wait([running], timeout=0.2).not_done:  # Windows interrupts no longer waits
                pass
        except BaseException:
            interrupted.set()
            raise
    running.result()


async def bounded(
    traffic: Callable[[], Coroutine[None, None, None]],
    within_seconds: float,
    events: Sequence[threading.Event],
) -> None:
    """Run `traffic` until it ends, time is up, or one of the events is set."""

    async def any_event() -> None:
        while not any(event.is_set() for event in events):
            await asyncio.sleep(0.05)

    working, watching = asyncio.create_task(traffic()), asyncio.create_task(any_event())
    await asyncio.wait({working, watching}, timeout=within_seconds, return_when="FIRST_COMPLETED")
    watching.cancel()
    working.cancel()
    with suppress(asyncio.CancelledError):
        await working
