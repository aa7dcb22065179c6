"""The process that carries all traffic: `python -m labs.cloud.mock.balancing.plane PORT TOKEN`.

The mock starts it and listens at PORT. JSON, a line each:

    <- {"token": ...}                             the first line
    -> {"snapshot": {...}, "number": 7}           see `shapes.Snapshot`
    <- {"applied": 7, "ports": {...}, "health": {...}}   when its listeners are open
    <- {"health": {...}}                          when a check changed a state
    <- {"call": 3, "function": ARN, "group": ARN, "event": text}
    -> {"answer": 3, "result": text} or {"answer": 3, "failed": why}

It ends when that connection does.
"""

import asyncio
import json
import logging
import os
import ssl
import sys
from itertools import count
from typing import Any

from labs.cloud.mock.balancing import checks, functions_as_targets, health
from labs.cloud.mock.balancing.fronts import (
    NEVER,
    Forwarder,
    Front,
    Layer4Front,
    Layer7Front,
    own_address,
)
from labs.cloud.mock.balancing.health import Status
from labs.cloud.mock.balancing.network import LOOPBACK, Network, unverified
from labs.cloud.mock.balancing.pools import Member, Pool
from labs.cloud.mock.balancing.routers import ApplicationRouter, ClassicRouter, FunctionFailed
from labs.cloud.mock.balancing.shapes import Balancer, Listener, Snapshot
from labs.cloud.settings import TIME_SCALE

#: One line; snapshots carry certificates, calls carry bodies.
LINE_BYTES = 1 << 28
#: How long AWS takes to register a target before the first check. The mock's own figure.
REGISTRATION_SECONDS = 5.0
#: PROXY protocol v2, command LOCAL: "this connection is my own" (HAProxy's specification).
LOCAL_HEADER = b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0"
HTTP, STREAM = ("HTTP", "HTTPS"), ("TCP", "TLS")

log = logging.getLogger("labs.mock.balancing")

FrontKey = tuple[str, str, str, int]


class Plane:
    """All pools and listeners. `apply` makes them what a snapshot says."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self._network = Network()
        self._pools: dict[str, Pool] = {}
        self._fronts: dict[FrontKey, Front] = {}
        self._forwarders: dict[tuple[str, str], Forwarder] = {}
        self._snapshot: Snapshot
        self._tls = unverified()
        self._numbers = count()
        self._calls: dict[int, asyncio.Future[bytes]] = {}
        self._telling: asyncio.Handle | None = None

    async def apply(self, snapshot: Snapshot) -> None:
        """Open, change and close. Connections that may stay, stay."""
        self._snapshot = snapshot
        self._network.update(snapshot, self._balancer_ports())
        for name in self._pools.keys() - snapshot["groups"].keys():
            self._pools.pop(name).close()
        for name, group in snapshot["groups"].items():
            if name not in self._pools:
                self._pools[name] = Pool(name, self._watch, self._changed, self._left, self._failed)
            try:
                self._pools[name].update(group, snapshot)
            except Exception:  # nor here: a plane that ends takes all traffic with it
                log.exception("the target group %s is not followed", name)
        await self._follow_listeners(snapshot)
        await self._follow_instances(snapshot)
        self._network.update(snapshot, self._balancer_ports())

    async def _follow_listeners(self, snapshot: Snapshot) -> None:
        secret = bytes.fromhex(snapshot["secret"])
        wanted: dict[FrontKey, tuple[Balancer, Listener]] = {
            (name, arn, listener["protocol"], listener["port"]): (balancer, listener)
            for name, balancer in snapshot["balancers"].items()
            for arn, listener in balancer["listeners"].items()
            if listener["protocol"] in HTTP + STREAM
        }
        for key in self._fronts.keys() - wanted.keys():
            self._fronts.pop(key).close()
        for key, (balancer, listener) in wanted.items():
            try:
                if key in self._fronts:
                    self._fronts[key].update(balancer, listener, secret)
                else:
                    front = self._front(balancer, listener)
                    await front.start(balancer, listener, secret)
                    self._fronts[key] = front
            except Exception:  # one that cannot be must not take the others with it
                log.exception("the listener %s at port %s is not served", key[0], key[3])

    def _front(self, balancer: Balancer, listener: Listener) -> Layer4Front | Layer7Front:
        if listener["protocol"] in STREAM:
            return Layer4Front(self._network, self._pools)
        clock = asyncio.get_running_loop().time
        if balancer["kind"] == "classic":
            return Layer7Front(self._network, self._pools, ClassicRouter(self._pools, clock))
        router = ApplicationRouter(self._pools, self._invoke, clock)
        return Layer7Front(self._network, self._pools, router)

    async def _follow_instances(self, snapshot: Snapshot) -> None:
        wanted = {
            (name, port): instance["address"]
            for name, instance in snapshot["instances"].items()
            for port in instance["ports"]
        }
        for key in self._forwarders.keys() - wanted.keys():
            self._forwarders.pop(key).close()
        for key in wanted.keys() - self._forwarders.keys():
            name, port = key
            forwarder = Forwarder(self._network, f"{name}:{port}", wanted[key], int(port))
            await forwarder.open(NEVER, None)
            self._forwarders[key] = forwarder

    # What it tells

    def report(self) -> dict[str, Any]:
        """Where everything listens, and the health of all targets."""
        instances: dict[str, dict[str, int]] = {}
        for (name, port), forwarder in self._forwarders.items():
            instances.setdefault(name, {})[port] = forwarder.port
        ports = {"balancers": self._balancer_ports(), "instances": instances}
        return {"ports": ports, "health": self._health()}

    def _balancer_ports(self) -> dict[str, dict[str, int]]:
        ports: dict[str, dict[str, int]] = {}
        for (name, _, _, port), front in self._fronts.items():
            ports.setdefault(name, {})[str(port)] = front.port
        return ports

    def _health(self) -> dict[str, dict[str, list[str | None]]]:
        return {name: pool.statuses() for name, pool in self._pools.items()}

    def send(self, message: dict[str, Any]) -> None:
        """One line to the mock."""
        self._writer.write(json.dumps(message).encode() + b"\n")

    def _tell_health(self) -> None:
        self._telling = None
        self.send({"health": self._health()})

    # What pools tell

    def _changed(self, _pool: Pool) -> None:
        for front in self._fronts.values():
            front.refresh()
        if self._telling is None:
            self._telling = asyncio.get_running_loop().call_soon(self._tell_health)

    def _left(self, pool: Pool, member: Member) -> None:
        for front in self._users(pool):
            front.leave(pool, member)

    def _failed(self, pool: Pool, member: Member) -> None:
        for front in self._users(pool):
            front.fail(pool, member)

    def _users(self, pool: Pool) -> list[Front]:
        return [front for key, front in self._fronts.items() if key[0] in pool.group["users"]]

    # Checks

    def _watch(self, pool: Pool, member: Member) -> asyncio.Task:
        return asyncio.create_task(self._keep_checking(pool, member))

    async def _keep_checking(self, pool: Pool, member: Member) -> None:
        clock = asyncio.get_running_loop().time
        if member.health.status is health.REGISTERING:
            await asyncio.sleep(REGISTRATION_SECONDS / TIME_SCALE)
        while True:
            began = clock()
            pool.begin(member)
            pool.record(member, await self._check(pool, member))
            pause = checks.interval(pool.group["check"]) - (clock() - began)
            await asyncio.sleep(max(pause, 0.0))

    async def _check(self, pool: Pool, member: Member) -> Status | None:
        group = pool.group
        if group["kind"] == "lambda":
            return await self._check_function(pool, member)
        balancer = self._snapshot["balancers"][group["users"][0]]
        source = own_address(balancer, member.zone)
        greeted = group["attributes"].get("proxy_protocol_v2.enabled") == "true"

        async def open_stream(
            port: int | None, tls: ssl.SSLContext | None
        ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
            where = (member.address or "", port or member.port or 0)
            sock = await self._network.connect(where, source)
            if greeted:
                await asyncio.get_running_loop().sock_sendall(sock, LOCAL_HEADER)
            return await asyncio.open_connection(
                sock=sock, ssl=tls, server_hostname="" if tls else None
            )

        port = group["check"]["port"] or member.port
        host = f"{member.address}:{port}"
        if group["layer"] == "network":  # the balancer's address and the listener's port
            listened = next((one["port"] for one in balancer["listeners"].values()), port)
            host = f"{source.address}:{listened}"
        return await checks.check(group["check"], group["layer"], host, open_stream, self._tls)

    async def _check_function(self, pool: Pool, member: Member) -> Status | None:
        settings = pool.group["check"]
        several = pool.group["attributes"].get("lambda.multi_value_headers.enabled") == "true"
        event = functions_as_targets.health_event(pool.name, settings["path"], several)
        try:
            async with asyncio.timeout(settings["timeout"]):  # a function's time is never scaled
                result = await self._invoke(member.id, pool.name, json.dumps(event).encode())
            status = functions_as_targets.answer(result, several).status
        except TimeoutError:
            return health.TIMED_OUT
        except (FunctionFailed, functions_as_targets.BadResponse):
            return health.FAILED
        return None if health.matches(settings["codes"], status) else health.mismatch(status)

    # Functions

    async def _invoke(self, function: str, group: str, event: bytes) -> bytes:
        number = next(self._numbers)
        self._calls[number] = answered = asyncio.get_running_loop().create_future()
        call = {"call": number, "function": function, "group": group, "event": event.decode()}
        self.send(call)
        try:
            return await answered
        finally:
            del self._calls[number]

    def answer(self, message: dict[str, Any]) -> None:
        """The mock has run a function, or could not."""
        waiting = self._calls.get(message["answer"])
        if waiting is None or waiting.done():
            return
        if "failed" in message:
            waiting.set_exception(FunctionFailed(message["failed"]))
        else:
            waiting.set_result(message["result"].encode())


async def run(port: int, token: str) -> None:
    """Serve until the mock hangs up."""
    reader, writer = await asyncio.open_connection(LOOPBACK, port, limit=LINE_BYTES)
    plane = Plane(writer)
    plane.send({"token": token})
    while line := await reader.readline():
        message = json.loads(line)
        if "snapshot" in message:
            await plane.apply(message["snapshot"])
            plane.send({"applied": message["number"], **plane.report()})
        else:
            plane.answer(message)


def main() -> None:
    logging.basicConfig(
        level=os.environ.get("LABS_LOG", "WARNING"),
        format="%(asctime)s %(name)s %(levelname)s %(message)s",
    )
    try:
        asyncio.run(run(int(sys.argv[1]), sys.argv[2]))
    except ConnectionError:
        log.info("the mock has gone")
    os._exit(0)  # nothing of it is worth waiting for


if __name__ == "__main__":
    main()
