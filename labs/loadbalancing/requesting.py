"""What becomes of each request that a load generator sends: the rows of its frame."""

import asyncio
from dataclasses import dataclass, field
from itertools import count
from time import perf_counter
from typing import TYPE_CHECKING

from labs.loadbalancing.http_client import Answer, BadAnswer, Connection, Page, connect

if TYPE_CHECKING:
    from pandas import DataFrame


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
        return DataFrame(sorted(self.rows), columns=columns)  # a copy: rows may still come
