"""EC2's motor: does what moto's records say, and tells who listens where and who may call."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from labs.cloud.mock.book import Caller, Host
from labs.cloud.mock.iam import principals
from labs.cloud.mock.instances import addresses, records, user_data
from labs.cloud.mock.instances.addresses import PublicAddresses
from labs.cloud.mock.instances.control import Control
from labs.cloud.mock.instances.groups import open_to
from labs.cloud.mock.instances.machine import Console, Machine
from labs.cloud.mock.instances.metadata import Metadata
from labs.cloud.mock.instances.ports import Ports
from labs.cloud.mock.instances.silence import SilentPort

if TYPE_CHECKING:
    from moto.ec2.models.instances import Instance

log = logging.getLogger("labs.mock")

#: What is on the network: a stopped instance keeps its addresses, a terminated one does not.
_PRESENT = ("pending", "running", "stopping", "stopped")


class Instances:
    """The instances of a mock. Threads and processes that it starts end with `close`.

    book: path of the address book. environ: what `environment.variables` made for this mock.
    changed: called in a thread of ours when ports opened or closed or a process ended. Calls do
             not overlap, and several changes may make one call.
    public_addresses: of this world; balancers take theirs from here, too.
    Nothing is started before the first instance runs.
    """

    def __init__(
        self,
        book: Path,
        environ: Mapping[str, str],
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        self.public_addresses = PublicAddresses(records.public_addresses)
        self._environ = {**environ, "LABS_ADDRESS_BOOK": str(book)}
        self._machines: dict[str, _Running] = {}
        self._retiring: set[_Running] = set()
        self._consoles: dict[str, Console] = {}
        self._loopbacks = iter(addresses.loopbacks())
        self._lock = threading.RLock()
        self._control: Control | None = None
        self._silent: SilentPort | None = None
        self._notifier = Notifier(changed)

    def follow(self) -> None:
        """Do what EC2's records say: start, stop, end. Quick; processes start and end behind it.

        Call it after every API call that may have changed something: of ec2, autoscaling,
        cloudformation and what builds on them.
        """
        with self._lock:
            known = set(self._machines)
            for instance in records.instances():
                known.discard(instance.id)
                if instance.state == "running":
                    self._be_up(instance)
                elif instance.state == "terminated":
                    self._throw_away(instance.id)
                else:
                    self._be_down(instance.id)
            for forgotten in known:
                self._throw_away(forgotten)
                del self._consoles[forgotten]

    def reboot(self, instance_id: str) -> None:
        """Run the script anew. Unknown instances are ignored."""
        with self._lock:
            if instance_id in self._machines and self._machines[instance_id].is_up:
                self._be_down(instance_id)
                self._be_up(self._machines[instance_id].record)

    def listening(self) -> dict[str, dict[int, int]]:
        """By instance id: the loopback port of each port that its script listens on.

        {"i-0abc": {80: 41234}}: dial 127.0.0.1:41234 and send a PROXY v2 header first, at once.
        Instances that stop or have stopped are not in it, nor are ports of their 127.0.0.1.
        """
        with self._lock:
            return {
                instance_id: ports
                for instance_id, running in self._machines.items()
                if running.is_up and (ports := running.ports.reachable())
            }

    def callers(self) -> dict[str, Caller]:
        """Everybody who may call, for `Book.replace(callers=...)`: learner, function, instances."""
        with self._lock:
            return {
                "learner": addresses.LEARNER,
                "function": addresses.FUNCTION,
                **{name: running.caller() for name, running in self._machines.items()},
            }

    def hosts(self, forwarders: Mapping[tuple[str, int], int]) -> dict[str, Host]:
        """Book entries for the names and addresses of all instances that are not terminated.

        forwarders: loopback ports of the data plane by (instance id, port it listens on).
        Public and private entries lead to the same forwarder: who calls which is told by the
        loopback address of the caller (`names.caller_of`).
        """
        hosts: dict[str, Host] = {}
        for instance in records.instances():
            if instance.state in _PRESENT:
                ports = {
                    str(port): loopback
                    for (owner, port), loopback in forwarders.items()
                    if owner == instance.id
                }
                for name, host in entries(instance, ports).items():
                    elsewhere = hosts.get(name, host).get("vpc") != host.get("vpc")
                    hosts[f"{name}.{host['vpc']}" if elsewhere else name] = host
        return hosts

    @property
    def silent_port(self) -> int:
        """For `Book.replace(silent=...)`: a loopback port that never answers."""
        with self._lock:
            if self._silent is None:
                self._silent = SilentPort()
            return self._silent.port

    def console_output(self, instance_id: str) -> bytes:
        """The latest 64 kB that the instance wrote, and what the mock says of it.

        b"" for an instance that never ran here; that of a terminated one can still be read.
        """
        console = self._consoles.get(instance_id)
        return console.read() if console else b""

    def reset(self) -> None:
        """End all instances and wait for that; be as new."""
        with self._lock:
            ending = [*self._machines.values(), *self._retiring]
            self._machines.clear()
            self._consoles.clear()
            self._loopbacks = iter(addresses.loopbacks())
        with ThreadPoolExecutor(16) as threads:
            list(threads.map(self._end, ending))
        self.public_addresses.reset()

    def close(self) -> None:
        """End everything, for good."""
        self._notifier.stop()
        self.reset()
        with self._lock:
            if self._control:
                self._control.stop()
            if self._silent:
                self._silent.close()

    def _be_up(self, instance: Instance) -> None:
        running = self._machines.get(instance.id)
        if running is None:
            running = self._machines[instance.id] = self._unpack(instance)
        running.record = instance
        if not running.is_up:
            running.is_up = True
            running.machine.boot(user_data.content(instance.user_data))

    def _be_down(self, instance_id: str) -> None:
        running = self._machines.get(instance_id)
        if running and running.is_up:
            running.is_up = False
            running.machine.shut_down()

    def _throw_away(self, instance_id: str) -> None:
        if running := self._machines.pop(instance_id, None):
            running.is_up = False
            self._retiring.add(running)
            name = f"{instance_id}-end"
            threading.Thread(target=self._retire, args=(running,), name=name, daemon=True).start()

    def _retire(self, running: _Running) -> None:
        running.machine.retire()
        self._end(running)

    def _end(self, running: _Running) -> None:
        running.is_up = False
        running.machine.close()
        self._control.dismiss(running.token)
        self._control.close_metadata(running.metadata_port)
        self._retiring.discard(running)

    def _unpack(self, instance: Instance) -> _Running:
        """A machine for a new instance, with its place on the network."""
        if self._control is None:
            self._control = Control(self._notifier.notify)
            self._control.start()
        running = _Running(instance, *next(self._loopbacks))
        running.token = self._control.admit(running.ports)
        running.metadata_port = self._control.open_metadata(Metadata(running))
        identity = {
            "address": instance.private_ip,
            "host_name": records.host_name(instance),
            "domain_name": instance.private_dns_name,
            "caller": running.caller(),
            "token": running.token,
            "control_port": self._control.port,
            "metadata_port": running.metadata_port,
        }
        running.machine = Machine(
            instance.id,
            identity,
            self._environ,
            self._notifier.notify,
            partial(self._control.hang_up, running.ports),
        )
        self._consoles[instance.id] = running.machine.console
        return running


class _Running:
    """An instance that has run: moto's record of it, and what stands for it on this machine."""

    machine: Machine
    token: str
    metadata_port: int

    def __init__(self, record: Instance, loopback: str, public_loopback: str) -> None:
        self.record, self.is_up, self.ports = record, False, Ports()
        self._loopback, self._public_loopback = loopback, public_loopback

    def caller(self) -> Caller:
        record = self.record
        caller: Caller = {
            "address": record.private_ip,
            "groups": sorted(group.id for group in records.groups(record)),
            "vpc": record.vpc_id,
            "loopback": self._loopback,
            "public_loopback": self._public_loopback,
        }
        return caller | {"public": record.public_ip} if record.public_ip else caller

    def enabled(self) -> bool:
        return self.record.metadata_options.http_endpoint == "enabled"

    def token_required(self) -> bool:
        return self.record.metadata_options.http_tokens == "required"

    def metadata(self) -> Mapping[str, bytes]:
        facts = {path: fact.encode() for path, fact in records.metadata(self.record).items()}
        if data := user_data.content(self.record.user_data):
            facts["user-data"] = data
        if arn := records.role_arn(self.record):
            role = arn.rpartition("/")[2]
            facts[f"meta-data/iam/security-credentials/{role}"] = credentials(arn, self.record.id)
        return facts


def credentials(role_arn: str, instance_id: str) -> bytes:
    """A role's credentials, as the metadata service words them; SDKs find them there.

    Source: Amazon EC2 User Guide, "Retrieve security credentials from instance metadata".
    """
    keys = principals.credentials_for(role_arn, instance_id)
    now = datetime.now(UTC)
    document = {
        "Code": "Success",
        "LastUpdated": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "Type": "AWS-HMAC",
        "AccessKeyId": keys.access_key,
        "SecretAccessKey": keys.secret_key,
        "Token": keys.session_token,
        "Expiration": (now + timedelta(hours=6)).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    return json.dumps(document, indent=2).encode()


def entries(instance: Instance, ports: Mapping[str, int]) -> dict[str, Host]:
    """An instance's entries in the address book; one that is stopped answers nobody."""
    ports = dict(ports) if instance.state == "running" else {}
    opened = open_to(records.groups(instance)) if instance.state == "running" else []
    access: Host = {"ports": ports, "open": opened}
    private: Host = {"ips": [instance.private_ip], "vpc": instance.vpc_id, **access}
    found = {instance.private_ip: private, instance.private_dns_name: private}
    if instance.public_ip:
        public: Host = {"ips": [instance.public_ip], **access}
        inside = {"vpc": instance.vpc_id, "ips": [instance.private_ip]}
        found[instance.public_ip] = public
        found[instance.public_dns_name] = {**public, "inside": inside}
    return found


class Notifier:
    """Calls back in a thread of its own: once for all that happened while the last call ran."""

    def __init__(self, call: Callable[[], None]) -> None:
        self._call = call
        self._happened, self._stopped = threading.Event(), False
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def notify(self) -> None:
        self._happened.set()
        with self._lock:
            if self._thread is None and not self._stopped:
                self._thread = threading.Thread(
                    target=self._run, name="instances-changed", daemon=True
                )
                self._thread.start()

    def stop(self) -> None:
        """No call begins after this; waits a little for one that runs."""
        with self._lock:
            self._stopped = True
        self._happened.set()
        if self._thread and self._thread is not threading.current_thread():
            self._thread.join(timeout=5)

    def _run(self) -> None:
        while True:
            self._happened.wait()
            if self._stopped:
                return
            self._happened.clear()
            try:
                self._call()
            except Exception:  # the next change may go better, and somebody must hear of this
                log.exception("the mock failed to follow a change of its instances")
