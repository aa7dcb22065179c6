"""Beanstalk's motor: does what the API has promised, and looks after what is there.

Each operation (a launch, an update, a termination) is a thread, in the chain of the call that asked
for it. One more thread looks at all environments again and again: it runs the application on
instances that have come without being asked for, and tells how well the environments are.
"""

from __future__ import annotations

import contextlib
import contextvars
import logging
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from labs.cloud.mock import trace
from labs.cloud.mock.balancing.snapshot import backends
from labs.cloud.mock.beanstalk import health
from labs.cloud.mock.beanstalk.deploying import take_in
from labs.cloud.mock.beanstalk.hosts import ANSWER_SECONDS, Hosts, Unreachable
from labs.cloud.mock.beanstalk.records import (
    READY,
    Environment,
    Ledger,
    environments,
    ledger,
)
from labs.cloud.mock.beanstalk.resources import Resources
from labs.cloud.mock.inward import Ended, Inward
from labs.cloud.settings import TIME_SCALE

#: Seconds between two looks. Source: Beanstalk guide, "Enhanced health reporting" (10 s).
INTERVAL = 10.0 / TIME_SCALE

#: [state, reason, description] of a target group's targets, by "INSTANCE:PORT".
TargetHealth = Mapping[str, Sequence[str | None]]

log = logging.getLogger("labs.mock.beanstalk")


class Stopped(Exception):
    """The mock ends or is reset, or the environment is being terminated: leave all as it is."""


class Beanstalk:
    """The environments of a mock; owns their threads, their bundles and the way to their hosts.

    target_health: of a target group's ARN, what the data plane told last.
    changed:       called when a name leads elsewhere: publish.
    """

    def __init__(
        self,
        inward: Inward,
        target_health: Callable[[str], TargetHealth],
        changed: Callable[[], None],
    ) -> None:
        self.inward, self.changed = inward, changed
        self._target_health = target_health
        self.folder = Path(tempfile.mkdtemp(prefix="labs-beanstalk-"))
        self._starting = threading.Lock()
        self._hosts: Hosts | None = None
        self._stop = threading.Event()
        self._threads: set[threading.Thread] = set()
        self._watching: threading.Thread | None = None

    # What the API asks

    def begin(self, environment: Environment | None, name: str, work: Callable[[], None]) -> None:
        """Do something in a thread, to an environment or to none. What it raises is logged."""
        working = environment.working if environment else contextlib.nullcontext()
        cause, context = trace.cause(), contextvars.copy_context()
        stop = self._stop

        def run() -> None:
            try:
                with working:
                    context.run(work)
            except (Stopped, Ended):
                pass
            except Exception:
                if not stop.is_set():
                    log.exception("an operation on %s failed", name)
            finally:
                trace.arrived(cause)
                with self._starting:
                    self._threads.discard(thread)

        thread = threading.Thread(target=run, name=f"beanstalk-{name}", daemon=True)
        with self._starting:
            if self._watching is None:
                self._watching = threading.Thread(
                    target=self._watch, args=(stop,), name="beanstalk-health", daemon=True
                )
                self._watching.start()
            self._threads.add(thread)
            trace.expect(cause)
            thread.start()

    @property
    def hosts(self) -> Hosts:
        with self._starting:
            if self._hosts is None:
                self._hosts = Hosts()
            return self._hosts

    def book(self, hosts: Mapping[str, Any]) -> dict[str, Any]:
        """Entries for the names of environments: those of what they lead to.

        hosts: the address book's, with load balancers and instances.
        """
        return {
            environment.cname: hosts[environment.aliased.lower()]
            for _, environment in environments()
            if environment.aliased.lower() in hosts
        }

    def reset(self) -> None:
        """End all operations, and wait for that; forget the bundles."""
        with self._starting:
            self._stop.set()
            threads = [*self._threads, *filter(None, [self._watching])]
            self._watching = None
            hosts = self._hosts
        if hosts:
            hosts.reset()
        for thread in threads:
            if thread is not threading.current_thread():
                thread.join()
        self._stop = threading.Event()
        for bundle in self.folder.iterdir():
            shutil.rmtree(bundle, ignore_errors=True)

    def close(self) -> None:
        """End everything, for good."""
        self.reset()
        if self._hosts:
            self._hosts.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    # What operations ask

    def resources(self, environment: Environment) -> Resources:
        book = self.ledger(environment)
        return Resources(self.inward, environment, partial(book.tell, environment))

    def ledger(self, environment: Environment) -> Ledger:
        return ledger(
            next(
                backend
                for account, region, backend in backends(
                    "moto.elasticbeanstalk.models", "eb_backends"
                )
                if (account, region) == (environment.account, environment.region)
            )
        )

    def wait(self, environment: Environment, condition: Callable[[], bool], seconds: float) -> bool:
        """Whether it came true in time. Raises Stopped."""
        stop, deadline = self._stop, time.monotonic() + seconds
        while not condition():
            if stop.is_set() or environment.aborted.is_set():
                raise Stopped
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True

    def check(self, environment: Environment) -> None:
        """Raises Stopped when the operation is to end."""
        if self._stop.is_set() or environment.aborted.is_set():
            raise Stopped

    def target_states(self, environment: Environment) -> dict[str, str]:
        """What the load balancer says of each instance, "draining" ones included."""
        told = self._target_health(environment.made.get("target group", ""))
        return {key.partition(":")[0]: str(status[0]) for key, status in told.items()}

    def reports(self, environment: Environment, ids: Iterable[str]) -> list[health.Report]:
        """What instances say of themselves, and their balancer of them."""
        targets = self.target_states(environment)
        is_balanced = "target group" in environment.made
        return [
            self._report(environment, one, targets.get(one, "unused") if is_balanced else None)
            for one in ids
        ]

    def _report(self, environment: Environment, instance: str, target: str | None) -> health.Report:
        try:
            told = self.hosts.ask(instance, {"do": "health"}, ANSWER_SECONDS)
        except Unreachable:
            told = {}
        return health.Report(
            instance=instance,
            answers=bool(told),
            runs=told.get("runs", False),
            number=environment.deployed.get(instance, 0),
            label=told.get("label") or "n/a",
            requests=[(status, seconds) for status, seconds in told.get("requests", ())],
            target=target,
        )

    def look_at(self, environment: Environment) -> None:
        """Find out how well an environment is, and tell when that has changed."""
        ids = self.resources(environment).instances()
        found = health.of_environment(self.reports(environment, ids), self.expected(environment))
        self.set_health(environment, found.status, found.causes, health.basic(found))

    def expected(self, environment: Environment) -> health.Expected:
        current = environment.current
        return health.Expected(
            label=current.label if current else "n/a",
            number=current.number if current else 0,
            minimum=environment.settings.sizes[0],
            failed=environment.failed,
        )

    def set_health(
        self,
        environment: Environment,
        status: str,
        causes: Sequence[str] = (),
        basic: str | None = None,
    ) -> None:
        """Note an environment's health; an event tells of a change, in the words of its system."""
        before, colour = environment.health_status, environment.health
        environment.health_status, environment.causes = status, list(causes)
        is_enhanced = environment.settings.is_enhanced
        environment.health = health.COLOURS[status] if is_enhanced else basic or "Grey"
        if is_enhanced and status != before:
            words = ("No Data" if one == health.NO_DATA else one for one in (before, status))
            message = " to ".join(words)
            because = "".join(f" {cause}" for cause in causes)
            bad = health.COLOURS[status] in ("Yellow", "Red")
            self.ledger(environment).tell(
                environment,
                f"Environment health has transitioned from {message}.{because}",
                "WARN" if bad else "INFO",
            )
        elif not is_enhanced and environment.health not in (colour, "Grey"):
            new = environment.health.upper()
            self.ledger(environment).tell(
                environment,
                f"Environment health has been set to {new}"
                if colour == "Grey"
                else f"Environment health has transitioned from {colour.upper()} to {new}",
                "INFO" if new == "GREEN" else "WARN",
            )

    # The thread that looks

    def _watch(self, stop: threading.Event) -> None:
        while not stop.wait(INTERVAL):
            for _, environment in environments():
                if not environment.working.acquire(blocking=False):
                    continue
                try:
                    if environment.status == READY and not stop.is_set():
                        self._look_after(environment)
                except (Stopped, Ended):
                    continue
                except Exception:
                    log.exception("failed to look at %s", environment.name)
                finally:
                    environment.working.release()

    def _look_after(self, environment: Environment) -> None:
        resources = self.resources(environment)
        ids = resources.instances()
        for gone in environment.deployed.keys() - ids:
            del environment.deployed[gone]
            self.ledger(environment).tell(
                environment, f"Removed instance [{gone}] from your environment."
            )
        new = [one for one in ids if one not in environment.deployed]
        if new and environment.current:
            take_in(self, environment, new)
        self.look_at(environment)
