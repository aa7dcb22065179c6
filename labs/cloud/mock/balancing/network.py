"""The plane's view of the network: who connects, and what answers at an address.

All of it runs on loopback. A connection that the plane makes to an instance begins with a PROXY
protocol header that says who connects, in the mock's addresses; the instance's wrapper strips it.
One that it makes to a listener of its own is remembered by its source port instead.
"""

import asyncio
import contextlib
import socket
import ssl
import weakref
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from labs.cloud import names
from labs.cloud.mock.balancing.shapes import Open, Snapshot
from labs.loadbalancing.proxy_protocol import proxy_v2

LOOPBACK = "127.0.0.1"
#: Of a caller that has no address on the network that it called.
NOWHERE = "0.0.0.0"  # noqa: S104


class Caller(NamedTuple):
    """Who connects: the address that others see, and the security groups that stand for it."""

    address: str
    groups: tuple[str, ...] = ()


class Place(NamedTuple):
    """What answers at an address: loopback ports by port, and the rules before them.

    open: None lets everybody in. greeted: wants a PROXY header (an instance does).
    """

    ports: Mapping[str, int]
    open: Open | None
    greeted: bool


class Network:
    """Places by address. `update` replaces what a snapshot tells."""

    def __init__(self) -> None:
        self._callers: Mapping[str, Mapping[str, Any]] = {}
        self._places: dict[str, Place] = {}
        self._vouched: dict[int, tuple[Caller, int]] = {}

    def update(self, snapshot: Snapshot, fronts: Mapping[str, Mapping[str, int]]) -> None:
        """fronts: loopback ports of each balancer's listeners, by balancer and port."""
        self._callers = snapshot["callers"]
        self._places = {
            instance["address"]: Place(instance["ports"], instance["open"], greeted=True)
            for instance in snapshot["instances"].values()
            if instance["state"] == "running"
        }
        for name, balancer in snapshot["balancers"].items():
            place = Place(fronts.get(name, {}), balancer["open"], greeted=False)
            self._places.update(dict.fromkeys(balancer["private"].values(), place))

    def client(self, peer: tuple[Any, ...]) -> tuple[Caller, int]:
        """(who connected, from which port), for the peer's name of an accepted connection."""
        host, port = peer[0], peer[1]
        if vouched := self._vouched.get(port):
            return vouched
        known = names.caller_of(host, self._callers)
        return Caller(known["address"] or NOWHERE, tuple(known["groups"])), port

    async def dial(
        self,
        protocol: Callable[[], asyncio.Protocol],
        where: tuple[str, int],
        source: Caller,
        source_port: int | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> tuple[asyncio.Transport, asyncio.Protocol]:
        """Connect to an address of the mock's as `source`.

        Never returns where a real SYN would get no answer: nobody has the address, or no security
        group lets the source in. The caller has a time-out. source_port: None takes any.
        Raises ConnectionRefusedError where nothing listens.
        """
        sock = await self.connect(where, source, source_port)
        try:
            return await asyncio.get_running_loop().create_connection(
                protocol, sock=sock, ssl=tls, server_hostname="" if tls else None
            )
        except BaseException:
            sock.close()
            raise

    async def connect(
        self, where: tuple[str, int], source: Caller, source_port: int | None = None
    ) -> socket.socket:
        """As `dial`, and gives the socket."""
        address, port = where
        place = self._places.get(address)
        if place is None or not may_enter(place, source, port):
            await asyncio.get_running_loop().create_future()
        if (loopback_port := place.ports.get(str(port))) is None:
            raise ConnectionRefusedError(f"nothing listens at {address} port {port}")
        return await self._knock(place, where, loopback_port, source, source_port)

    async def _knock(
        self,
        place: Place,
        where: tuple[str, int],
        loopback_port: int,
        source: Caller,
        source_port: int | None,
    ) -> socket.socket:
        loop = asyncio.get_running_loop()
        sock = socket.socket()
        try:
            sock.setblocking(False)
            sock.bind((LOOPBACK, 0))
            own_port = sock.getsockname()[1]
            seen_port = source_port or own_port
            if not place.greeted:
                self._vouched[own_port] = (source, seen_port)
                weakref.finalize(sock, self._vouched.pop, own_port, None)
            await loop.sock_connect(sock, (LOOPBACK, loopback_port))
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if place.greeted:
                await loop.sock_sendall(sock, proxy_v2((source.address, seen_port), where))
        except BaseException:
            sock.close()
            raise
        return sock


def may_enter(place: Place, source: Caller, port: int) -> bool:
    """Do the security groups of a place let this source in?"""
    if place.open is None:
        return True
    caller = {"address": source.address, "groups": list(source.groups)}
    return names.may_reach(place.open, caller, port)


def unverified() -> ssl.SSLContext:
    """TLS towards targets: balancers do not validate their certificates.

    Source: Application and Network Load Balancer guides, "Target groups", routing configuration.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with contextlib.suppress(ssl.SSLError):  # old targets
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
    return context
