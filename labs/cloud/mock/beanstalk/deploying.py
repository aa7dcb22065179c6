"""Brings a version, or changed options, to an environment's instances, by its deployment policy.

    AllAtOnce    all instances at the same time: out of service meanwhile, and if it fails
    Rolling      a batch at a time, out of the load balancer; the first that fails is the last
    RollingWithAdditionalBatch   the same, with a batch of new instances first
    Immutable    a second set of instances; if it fails, it goes, and nothing else has changed

So a deployment that fails leaves the old version serving, but for AllAtOnce: what cannot be
unpacked or installed changes nothing there either; what does not start is seen when it has taken
the old one's place. Not here: TrafficSplitting, and enhanced health's twelve checks in a row for
each batch, of which the mock waits for the load balancer's.
Source: Beanstalk guide, "Deployment policies and settings", "Immutable environment updates".
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from labs.cloud.mock.beanstalk.hosts import (
    ANSWER_SECONDS,
    BOOT_SECONDS,
    COMMAND_SECONDS,
    Unreachable,
)
from labs.cloud.mock.beanstalk.options import COMMAND
from labs.cloud.mock.beanstalk.records import Deployment, Environment
from labs.cloud.settings import TIME_SCALE

if TYPE_CHECKING:
    from labs.cloud.mock.beanstalk.motor import Beanstalk
    from labs.cloud.mock.beanstalk.resources import Resources


class Failed(Exception):
    """A deployment did not succeed; what went wrong has been told in events. Its text: where."""


class Deploying:
    """One deployment to one environment."""

    def __init__(self, motor: Beanstalk, environment: Environment, deployment: Deployment) -> None:
        self._motor, self._environment, self._deployment = motor, environment, deployment
        self._resources: Resources = motor.resources(environment)
        self._settings = environment.settings

    def tell(self, message: str, severity: str = "INFO") -> None:
        self._motor.ledger(self._environment).tell(self._environment, message, severity)

    def by_policy(self) -> None:
        """Deploy to the instances that are there. Raises Failed."""
        policy = self._settings.get(COMMAND, "DeploymentPolicy")
        if policy == "Immutable":
            self.to_new_instances()
        elif policy.startswith("Rolling") and self._settings.is_balanced:
            self._in_batches(additional=policy == "RollingWithAdditionalBatch")
        else:
            self.to(self._resources.instances())

    # On instances

    def to(self, ids: Sequence[str]) -> None:
        """Run it on these instances, all at the same time. Raises Failed."""
        with ThreadPoolExecutor(max(1, len(ids))) as threads:
            reasons = dict(zip(ids, threads.map(self._on, ids), strict=True))
        self._motor.check(self._environment)
        failed = {one: why for one, why in reasons.items() if why}
        if not failed:
            self.tell("Instance deployment completed successfully.")
            return
        self.tell("Instance deployment failed. For details, see 'eb-engine.log'.", "ERROR")
        for one, why in failed.items():
            self._environment.log(f"[ERROR] {one}: {why}")
            self.tell(
                f"[Instance: {one}] Command failed on instance. Return code: 1 "
                "Output: Engine execution has encountered an error..",
                "ERROR",
            )
        self.tell(
            f"Command execution completed on all instances. Summary: "
            f"[Successful: {len(ids) - len(failed)}, Failed: {len(failed)}]."
        )
        everyone = len(self._resources.instances())
        self._environment.failed = (
            "Command failed on all instances."
            if len(failed) >= everyone
            else f"Command failed on {len(failed)} out of {everyone} instances."
        )
        raise Failed(",".join(failed))

    def _on(self, instance: str) -> str:
        """Why it failed on an instance; "" when it did not."""
        deployment = self._deployment
        order = {
            "do": "deploy",
            "bundle": str(deployment.bundle),
            "web": {
                "module": deployment.module,
                "name": deployment.name,
                "packages": deployment.packages,
            },
            "environment": {**self._settings.properties},
            "label": deployment.label,
        }
        hosts, environment = self._motor.hosts, self._environment
        patience = ANSWER_SECONDS if instance in environment.deployed else BOOT_SECONDS
        if not self._motor.wait(environment, lambda: hosts.is_connected(instance), patience):
            return "The instance does not answer."
        environment.deployed[instance] = deployment.number
        try:
            answer = hosts.ask(instance, order, COMMAND_SECONDS)
        except Unreachable as error:
            return str(error)
        return "" if answer["ok"] else self._with_log(instance, answer["why"])

    def _with_log(self, instance: str, why: str) -> str:
        """What went wrong, and the end of what the application wrote about it."""
        try:
            text = self._motor.hosts.ask(instance, {"do": "logs"}, ANSWER_SECONDS)["text"]
        except Unreachable:
            return why
        return "\n".join([why, *text.splitlines()[-20:]])

    def serve(self, ids: Sequence[str]) -> bool:
        """Put instances behind the balancer; whether all are healthy before the time is over."""
        if not self._settings.is_balanced:
            return True
        self._resources.register(ids)
        return self._motor.wait(
            self._environment,
            lambda: all(
                self._motor.target_states(self._environment).get(one) == "healthy" for one in ids
            ),
            self._seconds,
        )

    @property
    def _seconds(self) -> float:
        """The command's time-out, which is one of AWS's waits."""
        return self._settings.number(COMMAND, "Timeout") / TIME_SCALE

    def _may_go_on(self, ids: Sequence[str]) -> bool:
        """Are these healthy, or is that to be ignored?"""
        return self.serve(ids) or self._settings.is_on(COMMAND, "IgnoreHealthCheck")

    def _drain(self, ids: Sequence[str]) -> None:
        self._resources.deregister(ids)
        self._motor.wait(
            self._environment,
            lambda: not set(ids) & self._motor.target_states(self._environment).keys(),
            self._seconds,
        )

    # In batches

    def _in_batches(self, additional: bool) -> None:
        old = self._resources.instances()
        size = self._settings.batch(len(old))
        number, extra = 1, []
        if additional:
            extra = self._extra_batch(len(old), size)
            number = 2
        done = len(extra)
        for first in range(0, len(old), size):
            batch = old[first : first + size]
            self._batch(number, batch, done + len(batch), len(old) + len(extra))
            done, number = done + len(batch), number + 1
        if extra:
            self.tell(f"Terminating additional batch of instances [{', '.join(extra)}].")
            self._resources.end_instances(extra)
            self._resources.size(len(old))

    def _extra_batch(self, count: int, size: int) -> list[str]:
        """The new instances; if they fail, they go, and Failed is raised."""
        self.tell("Launching an additional batch of instances.")
        extra = self._resources.size(count + size, most=count + size)
        try:
            self.to(extra)
            if not self._may_go_on(extra):
                raise self._unhealthy(1, extra)
        except Failed:
            self._forget(extra)
            self._resources.end_instances(extra)
            self._resources.size(count)
            raise
        return extra

    def _batch(self, number: int, batch: list[str], done: int, everyone: int) -> None:
        names = f"[{', '.join(batch)}]"
        self.tell(f"Batch {number}: Starting application deployment on instance(s) {names}.")
        self.tell(
            f"Batch {number}: De-registering instance(s) from the load balancer and waiting for "
            "them to go out of service."
        )
        self._drain(batch)
        self.tell(f"Batch {number}: Starting application deployment command execution.")
        self.to(batch)
        self.tell(f"Batch {number}: Completed application deployment command execution.")
        self.tell(f"Command execution completed on {done} of {everyone} instances in environment.")
        self.tell(
            f"Batch {number}: Registering instance(s) with the load balancer and waiting for them "
            "to be healthy."
        )
        if not self._may_go_on(batch):
            raise self._unhealthy(number, batch)
        self.tell(f"Batch {number}: Completed application deployment.")

    def _unhealthy(self, number: int, batch: list[str]) -> Failed:
        """The wording is our own."""
        timeout = self._settings.number(COMMAND, "Timeout")
        self.tell(
            f"Batch {number}: Instance(s) [{', '.join(batch)}] did not become healthy within the "
            f"command timeout of {timeout} seconds.",
            "ERROR",
        )
        return Failed(",".join(batch))

    # Immutable

    def to_new_instances(self) -> None:
        """Run it on a second set of instances, which then takes the place of the first.

        Raises Failed; the first set is as it was.
        """
        old = self._resources.instances()
        self.tell(
            "Immutable deployment policy enabled. Launching one instance with the new settings "
            "to verify health."
        )
        self._resources.make_second_group()
        group = self._environment.made["second"]
        self.tell(f"Created temporary auto scaling group {group}.")
        try:
            self._verified(self._resources.size(1, "second"))
            if len(old) > 1:
                self.tell("Test instance passed health checks. Launching remaining new instances.")
                self._verified(self._resources.size(len(old), "second"))
        except Failed:
            self._give_up_second_group()
            raise
        self._swap(old)

    def _verified(self, new: list[str]) -> None:
        self.to(new)
        names = ",".join(new)
        if self._settings.is_balanced:
            self.tell(f"Adding new instance(s) ({names}) to the load balancer.")
        self.tell(f"Waiting for instance(s) ({names}) to pass health checks.")
        if not self._may_go_on(new):
            raise self._unhealthy(1, new)

    def _swap(self, old: list[str]) -> None:
        if not self._settings.is_balanced:
            self._resources.give_address(self._resources.instances("second")[0])
        self.tell("Detached new instance(s) from temporary auto scaling group.")
        self.tell("Attached new instance(s) to the permanent auto scaling group.")
        self.tell(
            "Deployment succeeded. Terminating old instances and temporary Auto Scaling group."
        )
        self._resources.adopt_second_group(old)

    def _give_up_second_group(self) -> None:
        new = self._resources.instances("second")
        if self._settings.is_balanced and new:
            self._drain(new)
        self._forget(new)
        self._resources.end_second_group()

    def _forget(self, ids: Sequence[str]) -> None:
        """What has failed goes, and with it the failure: the others run what they ran."""
        for one in ids:
            self._environment.deployed.pop(one, None)
        self._environment.failed = ""


def take_in(motor: Beanstalk, environment: Environment, new: list[str]) -> None:
    """Run the current version on instances that Auto Scaling has launched by itself."""
    resources, book = motor.resources(environment), motor.ledger(environment)
    names = ", ".join(new)
    several = "instances" if len(new) > 1 else "instance"
    book.tell(environment, f"Added {several} [{names}] to your environment.")
    deploying = Deploying(motor, environment, environment.current)
    for one in new:
        resources.equip(one)
    if not environment.settings.is_balanced:
        resources.give_address(new[0])
    try:
        deploying.to(new)
    except Failed:
        return
    if environment.settings.is_balanced:
        resources.register(new)
