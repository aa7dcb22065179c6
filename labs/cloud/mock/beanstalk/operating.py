"""The operations on an environment: launch, update, restart, rebuild, terminate.

Each is the whole of what a thread does, from the first event to the last; whatever happens, it
ends with the environment Ready or Terminated, and with an event that says how it went.
Events in AWS's words, as users have shown them; sources: Beanstalk guide, "Viewing an environment's
event stream", "Immutable environment updates".
"""

from __future__ import annotations

import functools
import logging
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError
from moto.elasticbeanstalk.models import eb_backends

from labs.cloud.mock.beanstalk import bundles, health
from labs.cloud.mock.beanstalk.deploying import Deploying, Failed
from labs.cloud.mock.beanstalk.hosts import COMMAND_SECONDS
from labs.cloud.mock.beanstalk.motor import Beanstalk, Stopped
from labs.cloud.mock.beanstalk.options import REPLACING, Key
from labs.cloud.mock.beanstalk.records import (
    READY,
    TERMINATED,
    Deployment,
    Environment,
    Version,
    now,
)
from labs.cloud.mock.beanstalk.resources import SERVICE, CannotLaunch
from labs.cloud.mock.inward import Ended

log = logging.getLogger("labs.mock.beanstalk")

WITH_ERRORS = (
    "Create environment operation is complete, but with errors. "
    "For more information, see troubleshooting documentation."
)
ABORTED = (
    "During an aborted deployment, some instances may have deployed the new application version. "
    "To ensure all instances are running the same version, re-deploy the appropriate application "
    "version."
)


def stated(last_word: str) -> Callable:
    """Of an operation: what it did not expect is an event, too, and leaves nothing under way."""

    def make(operation: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(operation)
        def run(motor: Beanstalk, environment: Environment, *more: object) -> None:
            try:
                operation(motor, environment, *more)
            except (Stopped, Ended):
                raise
            except Exception as error:
                log.exception("%s of %s", operation.__name__, environment.name)
                book = motor.ledger(environment)
                environment.failed = environment.failed or f"Operation failed: {error}"
                book.tell(environment, f"{type(error).__name__}: {error}", "ERROR")
                book.tell(environment, last_word, "ERROR")
                finish(motor, environment)

        return run

    return make


def finish(motor: Beanstalk, environment: Environment) -> None:
    """Find out how well it is, and be Ready."""
    motor.look_at(environment)
    environment.updated = now()
    environment.status = READY


@stated(WITH_ERRORS)
def launch(motor: Beanstalk, environment: Environment, version: Version) -> None:
    book, resources = motor.ledger(environment), motor.resources(environment)

    def tell(message: str, severity: str = "INFO") -> None:
        book.tell(environment, message, severity)

    tell("createEnvironment is starting.")
    try:
        bucket = storage(motor, environment)
        tell(f"Using {bucket} as Amazon S3 storage bucket for environment data.")
        resources.make(motor.hosts.port, motor.hosts.token)
        tell("Waiting for EC2 instances to launch. This may take a few minutes.")
        ids = resources.size(environment.settings.sizes[0])
        if not ids:
            raise CannotLaunch("The Auto Scaling group could not launch an EC2 instance.")
    except (CannotLaunch, ClientError) as error:
        tell(str(error), "ERROR")
        resources.end()
        tell("Failed to launch environment.", "ERROR")
        leave(motor, environment)
        return
    if not environment.settings.is_balanced:
        resources.give_address(ids[0])
    several = "instances" if len(ids) > 1 else "instance"
    tell(f"Added {several} [{', '.join(ids)}] to your environment.")
    environment.endpoint = environment.aliased = resources.endpoint()
    motor.changed()
    if _first_deployment(motor, environment, version, ids):
        tell(f"Application available at {environment.cname}.")
        tell(f"Successfully launched environment: {environment.name}")
    else:
        tell(WITH_ERRORS, "ERROR")
    finish(motor, environment)


def _first_deployment(
    motor: Beanstalk, environment: Environment, version: Version, ids: list[str]
) -> bool:
    deployment = prepare(motor, environment, version)
    if deployment is None:
        environment.failed = "Command failed on all instances."
        environment.deployed.update(dict.fromkeys(ids, 0))
        return False
    environment.current = deployment
    deploying = Deploying(motor, environment, deployment)
    try:
        deploying.to(ids)
    except Failed:
        if environment.settings.is_balanced:
            motor.resources(environment).register(ids)
        return False
    return deploying.serve(ids)


def prepare(motor: Beanstalk, environment: Environment, version: Version) -> Deployment | None:
    """The version as a new deployment; None, with events, when there is none to be had."""
    book = motor.ledger(environment)
    environment.deployments += 1
    s3 = motor.inward.client(
        "s3", account=environment.account, region=environment.region, by=SERVICE
    )
    try:
        content = bundles.fetch(s3, version)
        return bundles.prepare(
            content,
            version.label,
            environment.deployments,
            environment.settings,
            folder_of(motor, environment),
        )
    except ClientError as error:
        where = f"(Bucket: {version.bucket}  Key: {version.key})"
        reason = error.response["Error"]["Message"]
        book.tell(
            environment, f"Unable to download from S3 location {where}. Reason: {reason}", "ERROR"
        )
    except bundles.Broken as error:
        environment.log(f"[ERROR] {error}")
        for message in error.events:
            book.tell(environment, message, "ERROR")
        book.tell(
            environment, "Instance deployment failed. For details, see 'eb-engine.log'.", "ERROR"
        )
    return None


def folder_of(motor: Beanstalk, environment: Environment) -> Path:
    """Where the bundles of its deployments lie."""
    folder = motor.folder / environment.environment_id
    folder.mkdir(exist_ok=True)
    return folder


def storage(motor: Beanstalk, environment: Environment) -> str:
    """Beanstalk's bucket of this account and region, made when it is missing."""
    s3 = motor.inward.client(
        "s3", account=environment.account, region=environment.region, by=SERVICE
    )
    bucket = bucket_name(environment.account, environment.region)
    make_bucket(s3, bucket, environment.region)
    return bucket


def bucket_name(account: str, region: str) -> str:
    return f"elasticbeanstalk-{region}-{account}"


def make_bucket(s3: Any, bucket: str, region: str) -> None:
    """Make it, unless it is there."""
    where = {"LocationConstraint": region}
    given = {} if region == "us-east-1" else {"CreateBucketConfiguration": where}
    try:
        s3.create_bucket(Bucket=bucket, **given)
    except ClientError as error:
        if error.response["Error"]["Code"] != "BucketAlreadyOwnedByYou":
            raise


def _in_progress(motor: Beanstalk, environment: Environment, what: str) -> None:
    if environment.settings.is_enhanced:
        motor.set_health(environment, health.INFO, [f"{what} (running for 0 seconds)."])
    else:
        environment.health = "Grey"


@stated("Failed to deploy application.")
def update(
    motor: Beanstalk,
    environment: Environment,
    version: Version | None,
    values: dict[Key, str] | None,
) -> None:
    """Bring a version, new options (all that are to hold), or both."""
    book = motor.ledger(environment)
    book.tell(environment, "Environment update is starting.")
    if values is not None and not _configure(motor, environment, values, version):
        finish(motor, environment)
        return
    if version is not None and not _deploy(motor, environment, version):
        book.tell(environment, "Failed to deploy application.", "ERROR")
        finish(motor, environment)
        return
    book.tell(environment, "Environment update completed successfully.")
    finish(motor, environment)


def _deploy(motor: Beanstalk, environment: Environment, version: Version) -> bool:
    book = motor.ledger(environment)
    _in_progress(motor, environment, "Application update in progress")
    deployment = prepare(motor, environment, version)
    if deployment is None:
        environment.failed = "Command failed on all instances."
        return False
    book.tell(environment, "Deploying new version to instance(s).")
    try:
        Deploying(motor, environment, deployment).by_policy()
    except Failed as failed:
        book.tell(
            environment,
            f"Unsuccessful command execution on instance id(s) '{failed}'. Aborting the operation.",
            "ERROR",
        )
        book.tell(environment, ABORTED, "ERROR")
        return False
    environment.current, environment.label = deployment, version.label
    environment.failed = ""
    book.tell(environment, "New application version was deployed to running EC2 instances.")
    return True


def _configure(
    motor: Beanstalk, environment: Environment, values: dict[Key, str], version: Version | None
) -> bool:
    """Make new options hold. False when that failed: the old ones hold again."""
    book, resources = motor.ledger(environment), motor.resources(environment)
    old = environment.values
    changed = {key for key in {*old, *values} if old.get(key) != values.get(key)}
    book.tell(environment, f"Updating environment {environment.name}'s configuration settings.")
    _in_progress(motor, environment, "Configuration update in progress")
    environment.values = values
    try:
        resources.open_ssh()
        resources.set_check()
        resources.fit()
        renews, replaces = _concerns_the_application(changed), bool(changed & REPLACING)
        if environment.current and (replaces or (renews and version is None)):
            deployment = _again(motor, environment)
            deploying = Deploying(motor, environment, deployment)
            (deploying.to_new_instances if replaces else deploying.by_policy)()
            environment.current = deployment
    except (Failed, ClientError, bundles.Broken) as error:
        environment.values = old
        environment.log(f"[ERROR] {error}")
        resources.open_ssh()
        resources.set_check()
        book.tell(environment, "Failed to deploy configuration.", "ERROR")
        book.tell(
            environment, "The environment was reverted to the previous configuration setting."
        )
        return False
    environment.failed = ""
    book.tell(environment, "Successfully deployed new configuration to environment.")
    return True


def _again(motor: Beanstalk, environment: Environment) -> Deployment:
    """The version in force, read anew for options that have changed. Raises bundles.Broken."""
    environment.deployments += 1
    return bundles.prepare(
        environment.current.bundle.read_bytes(),
        environment.current.label,
        environment.deployments,
        environment.settings,
        folder_of(motor, environment),
    )


def _concerns_the_application(changed: set[Key]) -> bool:
    return any(
        namespace.startswith(("aws:elasticbeanstalk:application:", "aws:elasticbeanstalk:cont"))
        for namespace, _ in changed
    )


@stated("Failed to restart application server(s).")
def restart(motor: Beanstalk, environment: Environment) -> None:
    """Source: API, RestartAppServer."""
    book = motor.ledger(environment)
    book.tell(environment, "restartAppServer is starting.")
    for one in motor.resources(environment).instances():
        answer = motor.hosts.ask(one, {"do": "restart"}, COMMAND_SECONDS)
        if not answer["ok"]:
            raise RuntimeError(answer["why"])
    book.tell(environment, "restartAppServer completed successfully.")
    finish(motor, environment)


@stated("terminateEnvironment did not complete.")
def terminate(motor: Beanstalk, environment: Environment) -> None:
    environment.aborted.clear()  # what it was for has ended
    book = motor.ledger(environment)
    book.tell(environment, "terminateEnvironment is starting.")
    environment.health, environment.health_status = "Grey", health.NO_DATA
    motor.resources(environment).end()
    book.tell(environment, "terminateEnvironment completed successfully.")
    leave(motor, environment)


def leave(motor: Beanstalk, environment: Environment) -> None:
    """Be terminated: visible to those that ask for deleted ones, and to nobody else."""
    backend = eb_backends[environment.account][environment.region]
    book = motor.ledger(environment)
    environment.status, environment.health, environment.aliased = TERMINATED, "Grey", ""
    environment.health_status = health.NO_DATA
    environment.updated = now()
    book.terminated.append(environment)
    application = backend.applications.get(environment.application_name)
    if application and application.environments.get(environment.name) is environment:
        del application.environments[environment.name]
    shutil.rmtree(motor.folder / environment.environment_id, ignore_errors=True)
    motor.changed()
