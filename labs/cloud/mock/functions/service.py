"""Lambda as the rest of the mock sees it: invoke now, invoke later, and on whose authority."""

import json
import logging
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from moto.awslambda.exceptions import UnknownFunctionException
from moto.awslambda.models import LambdaFunction, lambda_backends
from moto.utilities.arns import parse_arn

from labs.cloud.mock import faults
from labs.cloud.mock.functions import dead_letters
from labs.cloud.mock.functions.asynchronous import AsynchronousQueue, Event
from labs.cloud.mock.functions.contract import (
    Invocation,
    NoSuchFunction,
    NotPermitted,
    Outcome,
    TooLarge,
    Unavailable,
)
from labs.cloud.mock.functions.motor import Motor
from labs.cloud.mock.functions.permission import allows

#: Source: Lambda guide, "Lambda quotas": invocation payload.
SYNCHRONOUS_BYTES, ASYNCHRONOUS_BYTES = 6 << 20, 1 << 20

log = logging.getLogger("labs.mock.functions")


class LambdaService:
    """Finds functions in moto's backends and hands them to the motor or the queue."""

    def __init__(self, motor: Motor) -> None:
        self.motor = motor
        self.queue = AsynchronousQueue(
            self._run_event, self._give_up, workers=motor.concurrency.account_limit
        )

    def invoke(self, function: LambdaFunction, invocation: Invocation) -> Outcome:
        """Run now and wait. Raises Throttled, TooLarge."""
        limit_size(invocation.event, SYNCHRONOUS_BYTES)
        return self.motor.run(function, invocation, reserved_concurrency(function))

    def invoke_later(
        self, function: LambdaFunction, invocation: Invocation, delay: float = 0.0
    ) -> None:
        """Put the event into the function's queue, in `delay` seconds. Raises TooLarge."""
        limit_size(invocation.event, ASYNCHRONOUS_BYTES)
        settings: Mapping[str, Any] = {}
        if function.event_invoke_config:
            settings = function.event_invoke_config[-1].config
        for _ in range(1 + faults.copies("lambda", "Invoke")):
            event = Event(
                invocation,
                retries=settings.get("MaximumRetryAttempts", 2),
                max_age=settings.get("MaximumEventAgeInSeconds", 21_600),
            )
            self.queue.put(event, delay)

    def invoke_as_service(
        self, arn: str, event: bytes, *, service: str, source_arn: str
    ) -> Outcome:
        """Run now for an AWS service. Raises NoSuchFunction, NotPermitted, Throttled, TooLarge."""
        function = permitted_function(arn, service, source_arn)
        meet_faults()
        return self.invoke(function, Invocation(event, arn))

    def reset(self) -> None:
        self.queue.reset()
        self.motor.reset()

    def close(self) -> None:
        self.queue.close()
        self.motor.close()

    def _run_event(self, event: Event) -> Outcome:
        function = find_function(event.arn)
        meet_faults()
        return self.invoke(function, replace(event.invocation, attempt=event.failures + 1))

    @staticmethod
    def _give_up(event: Event, condition: str, outcome: Outcome | None) -> None:
        log.warning("%s: an event is given up: %s", event.arn, condition)
        try:
            target = dead_letters.target_of(find_function(event.arn))
        except NoSuchFunction:
            return
        if target:
            message = json.loads(outcome.payload)["errorMessage"] if outcome else condition
            dead_letters.send(target, event.invocation, message)


def name_and_qualifier(text: str) -> tuple[str, str | None]:
    """A function as callers may name it: name, ARN or partial ARN, each with ":qualifier" or not.

    Source: Lambda API, Invoke, FunctionName.
    """
    parts = text.split(":function:")[-1].split(":")
    return parts[0], parts[1] if len(parts) > 1 else None


def qualified_arn(function: LambdaFunction, qualifier: str | None) -> str:
    """The ARN by which a caller named the function: context.invoked_function_arn."""
    arn = function.function_arn.removesuffix(f":{function.version}")
    return f"{arn}:{qualifier}" if qualifier else arn


def meet_faults() -> None:
    """Wait as the faults of ("lambda", "Invoke") want it. Raises Unavailable if they say so."""
    weather = faults.weather("lambda", "Invoke")
    time.sleep(weather.delay)
    if weather.refusal:
        raise Unavailable(weather.refusal.code)


def limit_size(event: bytes, most: int) -> None:
    """Raises TooLarge."""
    if len(event) > most:
        raise TooLarge(
            f"The event has {len(event)} bytes. Request must be smaller than {most} bytes for the "
            "InvokeFunction operation"
        )


def find_function(arn: str) -> LambdaFunction:
    """moto's record of a function by ARN, version and alias included. Raises NoSuchFunction."""
    try:
        parsed = parse_arn(arn)
        return lambda_backends[parsed.account][parsed.region].get_function(arn)
    except (UnknownFunctionException, ValueError, KeyError) as unknown:
        raise NoSuchFunction(arn) from unknown


def permitted_function(arn: str, service: str, source_arn: str) -> LambdaFunction:
    """The function, if its resource policy lets the service invoke it for this source.

    Raises NoSuchFunction, NotPermitted.
    """
    function = find_function(arn)
    statements = function.policy.statements
    if not allows(statements, arn, service, source_arn, function.account_id):
        raise NotPermitted(f"{arn} has no lambda:InvokeFunction permission for {service}")
    return function


def reserved_concurrency(function: LambdaFunction) -> dict[str, int]:
    """Reserved concurrency by name, of all functions of this function's account and region."""
    backend = lambda_backends[function.account_id][function.region]
    return {
        other.function_name: int(other.reserved_concurrency)
        for other in backend.list_functions()
        if other.reserved_concurrency is not None
    }
