"""A migration that fails, or is interrupted, at any of its calls leaves everything as it was."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from labs.loadbalancing.migration import MigrationFailed, Plan, carry_out, plan, read
from tests.loadbalancing.migration.classics import READS, World, listener


def web_farm(world: World) -> str:
    """An ALB with two groups, one of them sticky, an Auto Scaling group and tags."""
    world.classic(
        "web",
        listener("HTTP", 80, "HTTP", 80),
        listener("HTTPS", 443, "HTTP", 8080, world.certificate),
        Tags=[{"Key": "team", "Value": "web"}],
    )
    world.duration_cookie("web", 80, 600)
    world.scaling_group("fleet", "web")
    return "web"


def mail(world: World) -> str:
    """An NLB with listeners of TCP and TLS that have attributes of their own."""
    world.classic(
        "mail",
        listener("TCP", 25, "TCP", 25),
        listener("SSL", 465, "TCP", 25, world.certificate),
        listener("TCP", 143, "TCP", 143),
        check=("TCP:25", 30, 5, 10, 2),
    )
    world.attributes("mail", ConnectionSettings={"IdleTimeout": 900})
    return "mail"


def many(world: World) -> str:
    """An ALB with six groups; two Auto Scaling groups."""
    numbers = range(8001, 8007)
    world.classic("many", *(listener("HTTP", n, "HTTP", n) for n in numbers))
    world.scaling_group("one", "many")
    world.scaling_group("two", "many")
    return "many"


KINDS = (web_farm, mail, many)


class Broken(Exception):
    """The connection broke: nobody knows whether the call arrived."""


def denied(operation: str) -> BaseException:
    answer = {
        "Error": {"Code": "AccessDenied", "Message": "Not allowed here"},
        "ResponseMetadata": {"HTTPStatusCode": 403},
    }
    return ClientError(answer, operation)


def interrupted(_operation: str) -> BaseException:
    return KeyboardInterrupt()


@contextlib.contextmanager
def failing(
    world: World, number: int, moment: str, error: Callable[[str], BaseException]
) -> Iterator[list[str]]:
    """Raise at the number-th call that writes (from 0), once. Gives all that were made.

    moment: "before-call", when AWS has not heard of it, or "after-call", when it has done it.
    """
    written: list[str] = []

    def watch(model: Any, **_: Any) -> None:
        if model.name.startswith(READS):
            return
        written.append(model.name)
        if len(written) == number + 1:
            raise error(model.name)

    for client in world.clients:
        client.meta.events.register(moment, watch, unique_id="failing")
    try:
        yield written
    finally:
        for client in world.clients:
            client.meta.events.unregister(moment, unique_id="failing")


def planned(world: World, name: str) -> Plan:
    made = plan(read(world.clients, name), register_targets=True)
    assert made.problems == ()
    return made


@pytest.mark.parametrize("kind", KINDS)
def test_planning_and_a_dry_run_write_nothing(world, kind):
    name = kind(world)
    before = world.everything([name])
    with failing(world, 10**6, "before-call", denied) as written:
        planned(world, name).table()
    assert written == []
    assert world.everything([name]) == before


def failures_at_each_write(
    world: World, name: str, moment: str, error: Callable[[str], BaseException]
) -> tuple[list[BaseException], list[str]]:
    """Migrate until it goes through, with one write more each time before the one that fails.

    After each failure the account is as it was before. Gives what was raised, and all that the
    last, whole migration wrote: as many as there were failures, since no number is written here.
    """
    made, before = planned(world, name), world.everything([name])
    raised: list[BaseException] = []
    while True:
        with failing(world, len(raised), moment, error) as written:
            try:
                carry_out(world.clients, made)
                break
            except (MigrationFailed, KeyboardInterrupt, Broken) as failure:
                raised.append(failure)
        assert world.everything([name]) == before, written[len(raised) - 1]
    assert len(raised) == len(written)
    return raised, written


@pytest.mark.parametrize("kind", KINDS)
def test_a_failure_at_any_write_leaves_nothing(world, kind):
    raised, written = failures_at_each_write(world, kind(world), "before-call", denied)
    for failure in raised:
        assert isinstance(failure, MigrationFailed)
        assert "Not allowed here" in failure.reason
        assert failure.left == ()
    assert len(written) >= 9
    assert len({*written}) >= 6
    assert len(world.elbv2.describe_load_balancers()["LoadBalancers"]) == 1


@pytest.mark.parametrize("moment", ["before-call", "after-call"])
@pytest.mark.parametrize("kind", KINDS)
def test_an_interrupt_at_any_write_leaves_nothing(world, kind, moment):
    """Also when AWS has done what was asked, and the answer with the ARN is lost."""
    raised, _ = failures_at_each_write(world, kind(world), moment, interrupted)
    assert all(isinstance(failure, KeyboardInterrupt) for failure in raised)


@pytest.mark.parametrize("kind", KINDS)
def test_a_lost_answer_at_any_write_leaves_nothing(world, kind):
    """AWS has done it, and the connection breaks."""
    raised, _ = failures_at_each_write(world, kind(world), "after-call", Broken)
    assert raised
