"""One call of Beanstalk's API."""

from __future__ import annotations

import functools
import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.elasticbeanstalk.exceptions import ElasticBeanstalkException
from moto.elasticbeanstalk.models import Application, EBBackend
from moto.elasticbeanstalk.responses import EBResponse

from labs.cloud.mock.beanstalk import records
from labs.cloud.mock.beanstalk.motor import Beanstalk
from labs.cloud.mock.beanstalk.options import Invalid, Key, read
from labs.cloud.mock.beanstalk.records import Environment, Ledger, Version
from labs.cloud.mock.beanstalk.resources import SERVICE
from labs.cloud.mock.iam import principals

#: Held while a call changes what is recorded.
CHANGING = threading.RLock()
Answer = Mapping[str, Any] | None
Operation = Callable[["Call"], Answer]
Refusal = ElasticBeanstalkException


def refused(message: str, code: str = "InvalidParameterValue") -> Refusal:
    return Refusal(code, message)


def unsupported(what: str) -> Refusal:
    """Of what AWS takes and the mock does not."""
    return refused(f"The mock does not implement {what}.")


class Call:
    """parameters: by the API's names, as moto has parsed them."""

    def __init__(self, response: EBResponse, motor: Beanstalk) -> None:
        self.motor = motor
        self.parameters: Mapping[str, Any] = response.params
        self.backend: EBBackend = response.elasticbeanstalk_backend
        self.account, self.region = response.current_account, response.region
        self.principal = principals.principal_of(response.access_key)
        self.request_id = str(uuid.uuid4())

    def get(self, name: str, default: Any = None) -> Any:
        value = self.parameters.get(name)
        return default if value is None else value

    @property
    def ledger(self) -> Ledger:
        return records.ledger(self.backend)

    def client(self, service: str) -> Any:
        """Of AWS's API, in the name of who calls: a role's rights are its own."""
        role = self.principal and self.principal.role_arn
        session = self.principal and self.principal.session_name
        where = {"account": self.account, "region": self.region, "by": SERVICE}
        return self.motor.inward.client(service, **where, role=role, session=session)

    # What it is about

    def application(self, name: str | None = None) -> Application:
        name = name or self.get("ApplicationName")
        if name not in self.backend.applications:
            raise refused(f"No Application named '{name}' found.")
        return self.backend.applications[name]

    def version(self, application: str, label: str | None) -> Version:
        found = self.ledger.versions.get((application, label or ""))
        if found is None:
            raise refused(f"No Application Version named '{label}' found.")
        return found

    def environment(self, name: str = "EnvironmentName", id_: str = "EnvironmentId") -> Environment:
        """The one that the parameters of these names say: not a terminated one."""
        wanted_id, wanted = self.get(id_), self.get(name)
        if not (wanted_id or wanted):
            raise refused(f"Either {id_} or {name} must be specified.", "MissingParameter")
        for one in self.environments():
            if wanted_id in (None, one.environment_id) and wanted in (None, one.name):
                return one
        kind, value = ("EnvironmentId", wanted_id) if wanted_id else ("EnvironmentName", wanted)
        raise refused(f"No Environment found for {kind} = '{value}'.")

    def environments(self) -> list[Environment]:
        return [
            environment
            for application in list(self.backend.applications.values())
            for environment in list(application.environments.values())
        ]

    def settings(self, base: Mapping[Key, str]) -> dict[Key, str]:
        """Options as they are with this call's over those that held before."""
        try:
            given = read(self.get("OptionSettings", ()))
        except Invalid as wrong:
            raise refused(
                f"Configuration validation exception: {wrong}", "ConfigurationValidationException"
            ) from None
        removed = {
            (one.get("Namespace"), one.get("OptionName")) for one in self.get("OptionsToRemove", ())
        }
        return {key: value for key, value in {**base, **given}.items() if key not in removed}

    def tags(self) -> dict[str, str]:
        return {tag["Key"]: tag.get("Value", "") for tag in self.get("Tags", ())}

    def page(self, found: Sequence[Any], most: int = 1000) -> tuple[list[Any], str | None]:
        """(as many as asked for, the token of the next page)."""
        token = self.get("NextToken")
        if token is not None and not str(token).isdecimal():
            raise refused(f"Invalid NextToken: '{token}'.")
        first, size = int(token or 0), int(self.get("MaxRecords") or most)
        rest = str(first + size) if first + size < len(found) else None
        return list(found[first : first + size]), rest


def ready(environment: Environment) -> Environment:
    """The environment, when something new may begin with it."""
    if environment.status != records.READY:
        raise refused(
            f"Environment named {environment.name} is in an invalid state for this operation. "
            "Must be Ready."
        )
    return environment


def utc(moment: datetime) -> datetime:
    """A time that a caller gave, which moto leaves without a zone."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def in_turn(operation: Operation) -> Operation:
    """Of an operation that changes what is recorded: one at a time."""

    @functools.wraps(operation)
    def alone(call: Call) -> Answer:
        with CHANGING:
            return operation(call)

    return alone


def method(operation: Operation, motor: Beanstalk) -> Callable[[EBResponse], ActionResult]:
    """The operation as moto calls it."""

    def call(self: EBResponse) -> ActionResult:
        answer = operation(Call(self, motor))
        return EmptyResult() if answer is None else ActionResult(answer)

    return call
