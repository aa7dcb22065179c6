"""The plane's listeners: each a proxy of `labs.loadbalancing` on a loopback port of its own.

Layer 4 carries an NLB's TCP and TLS and a Classic balancer's TCP and SSL, and what goes straight to
an instance; layer 7 carries an ALB's and a Classic balancer's HTTP and HTTPS.
"""

import asyncio
import random
from collections.abc import Callable
from typing import Any, Protocol

from labs.cloud.mock.balancing.network import LOOPBACK, Caller, Network, unverified
from labs.cloud.mock.balancing.pools import Member, Pool, target_of
from labs.cloud.mock.balancing.routers import ApplicationRouter, ClassicRouter
from labs.cloud.mock.balancing.shapes import Balancer, Listener
from labs.cloud.mock.balancing.tls import Certificates
from labs.loadbalancing import layer4, layer7, rules
from labs.loadbalancing.choosing import Choose, Connection, round_robin, source_hash
from labs.loadbalancing.layer7.contract import Settings
from labs.loadbalancing.proxy_protocol import proxy_v1, proxy_v2
from labs.loadbalancing.target import Target

#: A balancer's time-out for a connection to a target. Source: Application Load Balancer guide,
#: "Troubleshoot your Application Load Balancers" (504).
CONNECT_SECONDS = 10.0
#: What goes straight to an instance has no balancer that would end it.
NEVER = 10 * 86_400.0
TLS_PROTOCOLS = ("HTTPS", "TLS", "SSL")


class Front(Protocol):
    """A listener that serves. `port` is its loopback port."""

    port: int

    def update(self, balancer: Balancer, listener: Listener, secret: bytes) -> None:
        """Follow what a snapshot says of it."""

    def refresh(self) -> None:
        """Who may get traffic has changed."""

    def leave(self, pool: Pool, member: Member) -> None:
        """The member's time to drain is over."""

    def fail(self, pool: Pool, member: Member) -> None:
        """The member was well, and is not any more."""

    def close(self) -> None:
        """End it, and what is open."""


class Aimed(Target):
    """A target for one connection: equal to the plain one, and knows who connects."""

    member: Member | None
    client: Caller
    client_port: int
    group: dict[str, Any] | None

    @classmethod
    def at(cls, target: Target, client: tuple[Caller, int]) -> "Aimed":
        aimed = cls(*target)
        aimed.client, aimed.client_port = client
        aimed.member = aimed.group = None
        return aimed


def own_address(balancer: Balancer, zone: str | None) -> Caller:
    """The balancer as its targets see it: by a private address, best of the target's zone."""
    private = balancer["private"]
    address = private.get(zone or "") or next(iter(private.values()), "192.0.2.2")
    return Caller(address, tuple(balancer["groups"]))


class Layer4:
    """What the fronts of layer 4 share: a proxy, its server, counts of connections."""

    proxy: layer4.Proxy
    port: int

    def __init__(self, network: Network) -> None:
        self.network = network

    async def open(self, idle_seconds: float, certificates: Certificates | None) -> None:
        self.proxy = layer4.Proxy(
            self.choose,
            dial=self.dial,
            idle_seconds=idle_seconds,
            connect_seconds=CONNECT_SECONDS,
            greeting=self.greeting,
            closed=self.closed,
        )
        context = certificates.context if certificates else None
        self.server = await self.proxy.serve(LOOPBACK, 0, ssl=context)
        self.port = self.server.sockets[0].getsockname()[1]

    def choose(self, connection: Connection) -> Target | None:
        raise NotImplementedError

    async def dial(
        self, protocol: Callable[[], asyncio.Protocol], target: Target
    ) -> tuple[asyncio.Transport, asyncio.Protocol]:
        raise NotImplementedError

    def greeting(self, _connection: Connection, _target: Target) -> bytes:
        return b""

    def closed(self, target: Target) -> None:
        if member := getattr(target, "member", None):
            member.release()

    def close(self) -> None:
        self.server.close()
        for target in list(self.proxy.connections):
            self.proxy.abort(target)


class Forwarder(Layer4):
    """Leads to one port of one instance whoever reaches it directly."""

    def __init__(self, network: Network, name: str, address: str, port: int) -> None:
        super().__init__(network)
        self.target = Target(name, address, port)

    def choose(self, connection: Connection) -> Target:
        """The instance, for whoever connects."""
        return Aimed.at(self.target, self.network.client(connection.client))

    async def dial(
        self, protocol: Callable[[], asyncio.Protocol], target: Target
    ) -> tuple[asyncio.Transport, asyncio.Protocol]:
        """As the one who connects."""
        where, source_port = (target.host, target.port), target.client_port
        return await self.network.dial(protocol, where, target.client, source_port)


class Layer4Front(Layer4):
    """A listener of an NLB or a Classic balancer that moves bytes."""

    def __init__(self, network: Network, pools: dict[str, Pool]) -> None:
        super().__init__(network)
        self._pools = pools
        self._targets: dict[str, list[Target]] = {}
        self._choosers: dict[str, Choose] = {}
        self._members: dict[Target, Member] = {}
        self._certificates: Certificates | None = None
        self._tls = unverified()
        self._random = random.Random()

    async def start(self, balancer: Balancer, listener: Listener, secret: bytes) -> None:
        """Serve. Raises ssl.SSLError for certificates that are none, OSError without a port."""
        if listener["protocol"] == "TLS":
            self._certificates = Certificates(listener["certificates"])
        self._balancer, self._listener = balancer, listener
        await self.open(listener["idle_seconds"], self._certificates)
        self.update(balancer, listener, secret)

    def update(self, balancer: Balancer, listener: Listener, _secret: bytes) -> None:
        """Follow what a snapshot says of it."""
        self._balancer, self._listener = balancer, listener
        self.proxy.idle_seconds = listener["idle_seconds"]
        if self._certificates:
            self._certificates.replace(listener["certificates"])
        self.refresh()

    def refresh(self) -> None:
        """Who may get traffic has changed."""
        classic = self._balancer["kind"] == "classic"
        self._members = {}
        for arn in self._groups():
            targets = self._targets.setdefault(arn, [])
            if arn not in self._choosers:
                self._choosers[arn] = (round_robin if classic else source_hash)(targets)
            pool = self._pools.get(arn)
            members = pool.candidates if pool else []
            if classic:  # does not fail open
                members = [member for member in members if member.well]
            found = {self._target(pool, member): member for member in members}
            self._members.update(found)
            targets[:] = found

    def _groups(self) -> list[str]:
        if self._balancer["kind"] == "classic":
            return [self._listener["group"]]
        return list(rules.group_weights(self._action))

    @property
    def _action(self) -> dict[str, Any]:
        return self._listener["rules"][-1]["Actions"][-1]

    def _target(self, pool: Pool, member: Member) -> Target:
        return target_of(pool, member, self._listener.get("target_port"))

    # What the proxy asks

    def choose(self, connection: Connection) -> Target | None:
        """By the balancer's algorithm; None without a target."""
        if self._balancer["kind"] == "classic":
            arn = self._listener["group"]
        else:
            arn = rules.choose_group(self._action, self._random)
        pool = self._pools.get(arn or "")
        if pool is None:
            return None
        client = self.network.client(connection.client)
        flow = connection
        if pool.group["attributes"].get("stickiness.enabled") == "true":  # by source address
            flow = Connection((client[0].address, 0), ("", 0))
        target = self._choosers[pool.name](flow)
        if target is None:
            return None
        aimed = Aimed.at(target, client)
        aimed.member, aimed.group = self._members[target], pool.group
        aimed.member.in_flight += 1
        return aimed

    async def dial(
        self, protocol: Callable[[], asyncio.Protocol], target: Target
    ) -> tuple[asyncio.Transport, asyncio.Protocol]:
        """As the client, where an NLB keeps its address, else as the balancer."""
        where = (target.host, target.port)
        to = self._listener.get("target_protocol") or target.group["protocol"]
        tls = self._tls if to in TLS_PROTOCOLS else None
        if not keeps_client(target.group):
            source = own_address(self._balancer, target.member.zone)
            return await self.network.dial(protocol, where, source, tls=tls)
        # The balancer's groups stand for it, even where the target sees the client's address.
        source = Caller(target.client.address, tuple(self._balancer["groups"]))
        return await self.network.dial(protocol, where, source, target.client_port, tls)

    def greeting(self, _connection: Connection, target: Target) -> bytes:
        """The learner's own PROXY header, if the group, or a Classic balancer's policy, wants one.

        A Classic balancer speaks version 1. Source: "Configure Proxy Protocol support".
        """
        here = own_address(self._balancer, target.member.zone).address
        ends = (target.client.address, target.client_port), (here, self._listener["port"])
        if self._listener.get("proxy_v1"):
            return proxy_v1(*ends)
        if target.group["attributes"].get("proxy_protocol_v2.enabled") == "true":
            return proxy_v2(*ends)
        return b""

    # What befalls targets

    def leave(self, pool: Pool, member: Member) -> None:
        """An NLB ends what is left only if the group wants that; a Classic balancer does."""
        ends = "deregistration_delay.connection_termination.enabled"
        if self._balancer["kind"] == "classic" or pool.group["attributes"].get(ends) == "true":
            self.proxy.abort(self._target(pool, member))

    def fail(self, pool: Pool, member: Member) -> None:
        """An NLB resets connections to a target that turns unhealthy, unless told not to."""
        stays = "target_health_state.unhealthy.connection_termination.enabled"
        if self._balancer["kind"] == "network" and pool.group["attributes"].get(stays) != "false":
            self.proxy.abort(self._target(pool, member))


def keeps_client(group: dict[str, Any]) -> bool:
    """Does a target of this group see the client's address?

    By default an NLB keeps it, but for IP targets of TCP and TLS groups. Source: ELB API,
    TargetGroupAttribute, preserve_client_ip.enabled.
    """
    if group["layer"] != "network":
        return False
    wanted = group["attributes"].get("preserve_client_ip.enabled")
    if wanted is not None:
        return wanted == "true"
    return not (group["kind"] == "ip" and group["protocol"] in ("TCP", "TLS"))


class Layer7Front:
    """A listener of an ALB or a Classic balancer that reads HTTP."""

    port: int

    def __init__(
        self, network: Network, pools: dict[str, Pool], router: ApplicationRouter | ClassicRouter
    ) -> None:
        self._network, self._pools, self._router = network, pools, router
        self._certificates: Certificates | None = None
        self._tls = unverified()

    async def start(self, balancer: Balancer, listener: Listener, secret: bytes) -> None:
        """Serve. Raises ssl.SSLError for certificates that are none, OSError without a port."""
        self._balancer, self._listener = balancer, listener
        settings = settings_of(balancer, listener)
        self._router.update(listener, settings, secret)
        if listener["protocol"] == "HTTPS":
            self._certificates = Certificates(listener["certificates"])
        self._proxy = await layer7.serve(
            self._router,
            LOOPBACK,
            0,
            settings=settings,
            dial=self._dial,
            ssl=self._certificates.context if self._certificates else None,
            external_port=listener["port"],
            seen_as=self._seen_as,
        )
        self.port = self._proxy.port

    def update(self, balancer: Balancer, listener: Listener, secret: bytes) -> None:
        """Follow what a snapshot says of it."""
        self._balancer, self._listener = balancer, listener
        self._proxy.settings = settings_of(balancer, listener)
        self._router.update(listener, self._proxy.settings, secret)
        if self._certificates:
            self._certificates.replace(listener["certificates"])

    def refresh(self) -> None:
        """The router looks at the pools for each request."""

    def _seen_as(self, peer: tuple[str, int]) -> tuple[str, int]:
        caller, port = self._network.client(peer)
        return caller.address, port

    async def _dial(
        self, protocol: Callable[[], asyncio.Protocol], target: Target
    ) -> tuple[asyncio.Transport, asyncio.Protocol]:
        name, _, key = target.name.rpartition(" ")
        if (pool := self._pools.get(name)) is None:
            raise ConnectionRefusedError(f"there is no group {name} any more")
        member = pool.members.get(key) or pool.draining.get(key)
        source = own_address(self._balancer, member.zone if member else None)
        to = self._listener.get("target_protocol") or pool.group["protocol"]
        tls = self._tls if to in TLS_PROTOCOLS else None
        return await self._network.dial(protocol, (target.host, target.port), source, tls=tls)

    def leave(self, pool: Pool, member: Member) -> None:
        """What is still in flight ends; idle connections too."""
        target = target_of(pool, member, self._listener.get("target_port"))
        self._proxy.abort(target)
        self._proxy.forget(target)

    def fail(self, pool: Pool, member: Member) -> None:
        """Requests in flight may still be answered; the next ones go elsewhere."""

    def close(self) -> None:
        """End it, and what is open."""
        self._proxy.close()


def settings_of(balancer: Balancer, listener: Listener) -> Settings:
    """The proxy's settings from a balancer's attributes.

    A Classic balancer adds no trace id: "Request tracing" is a feature of Application Load
    Balancers. Sources: ELB API, LoadBalancerAttribute; ELB guide, product comparison.
    """
    attributes = balancer["attributes"]
    http = "routing.http."

    def on(name: str) -> bool:
        return attributes.get(f"{http}{name}") == "true"

    return Settings(
        idle_seconds=listener["idle_seconds"],
        client_keep_alive_seconds=float(attributes.get("client_keep_alive.seconds", 3600)),
        connect_seconds=CONNECT_SECONDS,
        x_forwarded_for=attributes.get(f"{http}xff_header_processing.mode", "append"),
        x_forwarded_for_client_port=on("xff_client_port.enabled"),
        preserve_host_header=on("preserve_host_header.enabled") or balancer["kind"] == "classic",
        drop_invalid_headers=on("drop_invalid_header_fields.enabled"),
        trace_ids=balancer["kind"] == "application",
        dns_name=balancer["dns_name"],
    )
