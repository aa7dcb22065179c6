"""Carrying a plan out: what is there afterwards, and that nothing is after a failure."""

import pytest
from botocore.exceptions import ReadTimeoutError
from moto import mock_aws

from labs.loadbalancing.migration import (
    MigrationFailed,
    Refused,
    carry_out,
    plan,
    read,
    removing,
)
from tests.loadbalancing.migration.account import Account, refusal

STEPS = [
    "CreateTargetGroup",
    "ModifyTargetGroupAttributes",
    "CreateTargetGroup",
    "ModifyTargetGroupAttributes",
    "CreateLoadBalancer",
    "ModifyLoadBalancerAttributes",
    "CreateListener",
    "CreateListener",
    "RegisterTargets",
    "RegisterTargets",
    "AttachLoadBalancerTargetGroups",
]
CREATES = sorted({step for step in STEPS if step.startswith(("Create", "Register", "Attach"))})


@pytest.fixture
def account(monkeypatch):
    monkeypatch.setitem(removing.PATIENCE, "Delay", 0)
    with mock_aws():
        yield Account()


def planned(account):
    return plan(read(account.clients, "web"), register_targets=True)


def test_the_new_balancer_stands_beside_the_old_one(account):
    before = account.left()
    made = carry_out(account.clients, planned(account))
    assert account.written == STEPS
    after = account.left()
    assert after["classic"] == before["classic"]
    (balancer,) = after["balancers"]
    assert (made.balancer_arn, made.dns_name) == (balancer["LoadBalancerArn"], balancer["DNSName"])
    arns = {group["TargetGroupName"]: group["TargetGroupArn"] for group in after["groups"]}
    assert made.target_group_arns == (arns["web-http-80"], arns["web-http-8080"])
    assert sorted(after["attached"]) == sorted(made.target_group_arns)
    elbv2 = account.clients.elbv2
    listeners = elbv2.describe_listeners(LoadBalancerArn=made.balancer_arn)["Listeners"]
    ports = {listener["ListenerArn"]: listener["Port"] for listener in listeners}
    assert [ports[arn] for arn in made.listener_arns] == [80, 8080]
    for arn, port in zip(made.target_group_arns, (80, 8080), strict=True):
        health = elbv2.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
        targets = {each["Target"]["Id"]: each["Target"]["Port"] for each in health}
        assert len(targets) == 2, "the instance, and that of the Auto Scaling group"
        assert targets[account.instance] == port


def test_planning_writes_nothing(account):
    planned(account).table()
    assert account.written == []


def test_problems_refuse_before_any_write(account):
    account.check_health("TCP:80")
    account.written.clear()
    with pytest.raises(Refused, match="health check is TCP:80") as refused:
        carry_out(account.clients, planned(account))
    assert len(refused.value.problems) == 1
    assert account.written == []


def test_a_name_that_was_taken_since_planning_is_left_to_its_owner(account):
    made = planned(account)
    elbv2 = account.clients.elbv2
    for step in made.steps:  # with the very settings, which AWS takes for the same call again
        if step.operation in ("create_target_group", "create_load_balancer"):
            getattr(elbv2, step.operation)(**step.parameters)
    before = account.left()
    with pytest.raises(Refused, match=r"target group web-http-80, .*load balancer web"):
        carry_out(account.clients, made)
    assert account.left() == before


def test_nothing_is_left_when_aws_refuses_a_step(account):
    before = account.left()
    for operation in dict.fromkeys(STEPS):
        account.at("before-call", operation, refusal()(operation))
        with pytest.raises(MigrationFailed) as failed:
            carry_out(account.clients, planned(account))
        assert failed.value.reason == "AccessDenied: You may not"
        assert failed.value.left == ()
        assert account.left() == before, operation


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (KeyboardInterrupt(), KeyboardInterrupt),
        (ReadTimeoutError(endpoint_url="elbv2"), MigrationFailed),
        (refusal("InternalFailure", 500)("any"), MigrationFailed),
    ],
)
def test_what_was_made_without_an_answer_is_removed_too(account, error, kind):
    before = account.left()
    for operation in CREATES:
        account.at("after-call", operation, error)
        with pytest.raises(kind) as failed:
            carry_out(account.clients, planned(account))
        assert isinstance(failed.value, MigrationFailed)
        assert failed.value.left == ()
        assert account.left() == before, operation


def test_one_removal_that_fails_does_not_stop_the_others(account):
    account.at("before-call", "RegisterTargets", refusal()("RegisterTargets"))
    account.at("before-call", "DeleteListener", refusal()("DeleteListener"))
    with pytest.raises(MigrationFailed, match="remove by hand: listener HTTP:8080") as failed:
        carry_out(account.clients, planned(account))
    assert failed.value.step.startswith("register 1 instance at port 80")
    assert failed.value.left == ("listener HTTP:8080 (AccessDenied: You may not)",)
    assert failed.value.removed == (
        "listener HTTP:80",
        "load balancer web",
        "target group web-http-8080",
        "target group web-http-80",
    )
    assert account.left()["balancers"] == []


def test_a_target_group_that_aws_still_thinks_in_use_is_tried_again(account):
    elbv2 = account.clients.elbv2
    account.at("before-call", "CreateListener", refusal()("CreateListener"))
    in_use = refusal("ResourceInUse", 400)("DeleteTargetGroup")
    busy = elbv2.exceptions.ResourceInUseException(in_use.response, "DeleteTargetGroup")
    account.at("before-call", "DeleteTargetGroup", busy, times=3)
    with pytest.raises(MigrationFailed) as failed:
        carry_out(account.clients, planned(account))
    assert failed.value.left == ()
    assert account.left()["groups"] == []
