"""Keeps the data plane in step with moto, and tells what it found: names, ports, health."""

import logging
import secrets
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import trustme

from labs.cloud import trust
from labs.cloud.mock.balancing import hooks, refusals
from labs.cloud.mock.balancing.addresses import Addresses
from labs.cloud.mock.balancing.process import PlaneProcess
from labs.cloud.mock.balancing.shapes import Balancer, Snapshot
from labs.cloud.mock.balancing.snapshot import Reader
from labs.cloud.mock.book import Host
from labs.cloud.mock.functions.service import LambdaService
from labs.cloud.mock.instances import Instances
from labs.cloud.mock.instances import hooks as instance_hooks

#: Who invokes a function that is a target, in its resource policy.
SERVICE = "elasticloadbalancing.amazonaws.com"

log = logging.getLogger("labs.mock.balancing")


class FunctionError(Exception):
    """The function ended with an error."""


class Balancing:
    """Load balancers and instances of a mock; owns the plane and the instances.

    folder:  of the mock: its authority, its address book.
    changed: called in a thread when something has changed by itself: publish.
    """

    def __init__(
        self,
        folder: Path,
        environ: dict[str, str],
        functions: LambdaService,
        changed: Callable[[], None],
        workers: int,
    ) -> None:
        self._functions, self._published = functions, changed
        self.instances = Instances(folder / "book.json", environ, self._instances_changed)
        public = self.instances.public_addresses
        self._addresses = Addresses(public.take, public.give_back)
        issue = Issuer(trust.load_ca(folder))
        self._reader = Reader(self._addresses, issue, secrets.token_hex(32))
        self._plane = PlaneProcess(self._invoke, changed, workers)
        self._following = threading.Lock()
        self._snapshot: Snapshot | None = None
        refusals.install()
        hooks.install(self)
        instance_hooks.install(self.instances)

    def follow(self) -> None:
        """Make plane and instances what moto says now. Returns when listeners are open."""
        self.instances.follow()
        self._push()

    def reset(self) -> None:
        """Close all listeners, end all instances; be as new. moto is still full, or empty again."""
        with self._following:
            self.instances.reset()
            self._addresses.reset()
            if self._snapshot:
                self._snapshot = emptied(self._snapshot)
                self._plane.push(self._snapshot)

    def close(self) -> None:
        """End everything, for good."""
        self._plane.close()
        self.instances.close()

    def book(self) -> dict[str, Any]:
        """What the address book gets: hosts, callers and silent, see `Book.replace`."""
        return {
            "hosts": self._hosts(),
            "callers": self.instances.callers(),
            "silent": self.instances.silent_port,
        }

    # What the hooks ask

    def health(self, group: str) -> dict[str, list[str | None]]:
        """[state, reason, description] of a group's targets, by key, as the plane told last."""
        return self._plane.health.get(group, {})

    # Inside

    def _hosts(self) -> dict[str, Host]:
        forwarders = {
            (name, int(port)): real
            for name, ports in self._plane.ports["instances"].items()
            for port, real in ports.items()
        }
        hosts = self.instances.hosts(forwarders)
        snapshot = self._snapshot
        for name, balancer in (snapshot["balancers"] if snapshot else {}).items():
            ports = self._plane.ports["balancers"].get(name, {})
            hosts.update(entries(balancer, ports))
        return hosts

    def _instances_changed(self) -> None:
        self._push()
        self._published()

    def _push(self) -> None:
        with self._following:
            hooks.forget_terminated()
            snapshot = self._reader.read(self.instances.listening(), self.instances.callers())
            if snapshot == self._snapshot or (self._snapshot is None and is_empty(snapshot)):
                return
            self._snapshot = snapshot
            if not self._plane.push(snapshot):
                log.warning("the plane is late: some names may be refused for a moment")

    def _invoke(self, function: str, group: str, event: bytes) -> bytes:
        outcome = self._functions.invoke_as_service(
            function, event, service=SERVICE, source_arn=group
        )
        if outcome.error:
            raise FunctionError(outcome.payload.decode(errors="replace")[:500])
        return outcome.payload


class Issuer:
    """The mock's authority in the part of Amazon's: the same names get the same certificate."""

    def __init__(self, authority: trustme.CA) -> None:
        self._authority = authority
        self._issued: dict[tuple[str, ...], tuple[str, str]] = {}

    def __call__(self, names: tuple[str, ...]) -> tuple[str, str]:
        if names not in self._issued:
            certificate = self._authority.issue_cert(*names)
            chain = b"".join(pem.bytes() for pem in certificate.cert_chain_pems)
            key = certificate.private_key_pem.bytes()
            self._issued[names] = (chain.decode(), key.decode())
        return self._issued[names]


def entries(balancer: Balancer, ports: dict[str, int]) -> dict[str, Host]:
    """A balancer in the address book: by name, and by each address.

    Private addresses, and the name of an internal one, lead there from its VPC only.
    """
    access: dict[str, Any] = {} if balancer["open"] is None else {"open": balancer["open"]}
    inside = {**access, "vpc": balancer["vpc"]}
    private = list(balancer["private"].values())
    public = list(balancer["public"].values())
    entry: Host = {
        "ips": public or private,
        "ports": ports,
        **(access if public else inside),
    }
    addresses = {address: Host(ips=[address], ports=ports, **inside) for address in private}
    return {balancer["dns_name"].lower(): entry, **addresses}


def is_empty(snapshot: Snapshot) -> bool:
    """Is there nothing that needs a plane?"""
    return not (snapshot["balancers"] or snapshot["groups"] or snapshot["instances"])


def emptied(snapshot: Snapshot) -> Snapshot:
    """The same world, without anything in it."""
    return {**snapshot, "instances": {}, "balancers": {}, "groups": {}}
