"""Auto Scaling as a learner of lessons 13 to 15 tries it."""

import threading

import pytest
from botocore.exceptions import ClientError

from tests.cloud.mock.balancing.network import get, said
from tests.cloud.mock.balancing.plane_world import until

#: Health checks that a target fails soon.
SICK = {"HealthCheckPath": "/health", "UnhealthyThresholdCount": 2, "HealthyThresholdCount": 2}


def refusal(call, **named):
    with pytest.raises(ClientError) as caught:
        call(**named)
    return caught.value.response["Error"]["Code"], str(caught.value)


# Health


def test_what_fails_the_balancers_checks_is_replaced(scaled):
    group = scaled.network.group("tg", **SICK)
    name = scaled.network.alb(group)
    scaled.group(group, HealthCheckType="ELB", HealthCheckGracePeriod=0)
    scaled.network.wait_for(group)
    [first] = scaled.ids()
    get(name, "/sick")
    scaled.wait_until_gone(first)
    until(lambda: len(scaled.ids()) == 1)
    scaled.network.wait_for(group)
    [second] = scaled.ids()
    assert second != first
    assert said(name)["me"]
    newest_first = [one.what for one in scaled.activities()]
    assert newest_first == [
        f"Launching a new EC2 instance: {second}",
        f"Terminating EC2 instance: {first}",
        f"Launching a new EC2 instance: {first}",
    ]
    assert "ELB system health check failure" in scaled.activities()[1].why


@pytest.mark.parametrize(
    "settings",
    [
        {"HealthCheckType": "EC2"},
        {"HealthCheckType": "ELB", "HealthCheckGracePeriod": 10_000},
    ],
)
def test_with_ec2_checks_or_in_the_grace_period_it_stays(scaled, settings):
    group = scaled.network.group("tg", **SICK)
    name = scaled.network.alb(group)
    scaled.group(group, **settings)
    scaled.network.wait_for(group)
    before = scaled.ids()
    get(name, "/sick")
    scaled.network.wait_for(group, "unhealthy")
    scaled.wait_for_a_look()
    assert scaled.ids() == before
    assert scaled.described()["Instances"][0]["HealthStatus"] == "Healthy"


def test_what_a_classic_balancer_finds_sick_is_replaced(scaled):
    name = scaled.network.classic("old")
    scaled.group(LoadBalancerNames=["old"], HealthCheckType="ELB", HealthCheckGracePeriod=0)
    until(lambda: scaled.network.in_service("old"), 15)
    [first] = scaled.ids()
    get(name, "/sick")
    scaled.wait_until_gone(first)
    until(lambda: scaled.network.in_service("old") not in ([], [first]), 15)


def test_a_stopped_and_a_terminated_instance_are_replaced(scaled):
    group = scaled.network.group("tg")
    scaled.network.alb(group)
    scaled.group(group, size=2)
    scaled.network.wait_for(group)
    stopped, terminated = scaled.ids()
    scaled.network.ec2.stop_instances(InstanceIds=[stopped])
    scaled.network.ec2.terminate_instances(InstanceIds=[terminated])
    scaled.wait_until_gone(stopped)
    assert len(scaled.ids()) == 2
    until(
        lambda: {key.partition(":")[0] for key in scaled.network.health(group)} == {*scaled.ids()}
    )
    scaled.network.wait_for(group)


def test_what_a_user_calls_unhealthy_is_replaced_after_the_grace_period(scaled):
    scaled.group(HealthCheckGracePeriod=10_000)
    [first] = scaled.ids()
    scaled.api.set_instance_health(InstanceId=first, HealthStatus="Unhealthy")
    assert scaled.described()["Instances"][0]["HealthStatus"] == "Healthy"
    scaled.api.set_instance_health(
        InstanceId=first, HealthStatus="Unhealthy", ShouldRespectGracePeriod=False
    )
    scaled.wait_until_gone(first)
    until(lambda: scaled.ids() not in ([], [first]))


def test_a_group_whose_replacing_is_suspended_keeps_what_is_sick(scaled):
    scaled.group()
    [first] = scaled.ids()
    scaled.api.suspend_processes(AutoScalingGroupName="asg", ScalingProcesses=["ReplaceUnhealthy"])
    scaled.network.ec2.stop_instances(InstanceIds=[first])
    scaled.wait_for_a_look()
    assert scaled.ids() == [first]
    scaled.api.resume_processes(AutoScalingGroupName="asg")
    scaled.wait_until_gone(first)


# Size


def test_a_suspended_process_is_made_up_for_when_it_is_resumed(scaled):
    scaled.group()
    one = {"AutoScalingGroupName": "asg"}
    for process, size, before in (("Launch", 2, 1), ("Terminate", 1, 2)):
        scaled.api.suspend_processes(**one, ScalingProcesses=[process])
        scaled.size(size)
        scaled.wait_for_a_look("witness-" + process)
        assert len(scaled.ids()) == before
        scaled.api.resume_processes(**one, ScalingProcesses=[process])
        until(lambda size=size: len(scaled.ids()) == size)


def test_what_is_launched_while_adding_is_suspended_stays_out_of_balancers(scaled):
    group = scaled.network.group("tg")
    scaled.group(group)
    [first] = scaled.ids()
    one = {"AutoScalingGroupName": "asg", "ScalingProcesses": ["AddToLoadBalancer"]}
    scaled.api.suspend_processes(**one)
    scaled.size(2)
    scaled.api.resume_processes(**one)
    scaled.size(3)
    found = scaled.network.elbv2.describe_target_health(TargetGroupArn=group)
    targets = {each["Target"]["Id"] for each in found["TargetHealthDescriptions"]}
    assert first in targets
    assert len(targets) == 2
    assert len(scaled.ids()) == 3


def test_a_group_that_cannot_launch_says_so_and_tries_again(scaled):
    """It stayed empty for good, and a new size was a failure of the mock."""
    scaled.group()
    [first] = scaled.ids()
    template = {"LaunchTemplateName": "web"}
    versions = scaled.network.ec2.describe_launch_template_versions(**template)
    data = versions["LaunchTemplateVersions"][0]["LaunchTemplateData"]
    scaled.network.ec2.delete_launch_template(**template)
    scaled.network.ec2.terminate_instances(InstanceIds=[first])
    scaled.size(2)
    assert scaled.ids() == []
    assert "could not be launched" in scaled.activities()[0].why
    made = scaled.network.ec2.create_launch_template(**template, LaunchTemplateData=data)
    scaled.api.update_auto_scaling_group(
        AutoScalingGroupName="asg",
        LaunchTemplate={"LaunchTemplateId": made["LaunchTemplate"]["LaunchTemplateId"]},
    )
    until(lambda: len(scaled.ids()) == 2)


def test_shrinking_lets_a_request_finish(scaled):
    group = scaled.network.group("tg")
    scaled.network.attributes(group, **{"deregistration_delay.timeout_seconds": "100"})
    name = scaled.network.alb(group)
    scaled.group(group)
    scaled.network.wait_for(group)
    [only] = scaled.ids()
    answers = []
    slow = threading.Thread(target=lambda: answers.append(get(name, "/slow/1.5").status))
    slow.start()
    until(lambda: said(name)["slow"] == 1)
    scaled.size(0)
    assert scaled.ids("Terminating") == [only]
    slow.join()
    assert answers == [200]
    scaled.wait_until_gone(only)
    assert scaled.described()["Instances"] == []


def test_no_request_fails_while_a_group_grows_and_shrinks(scaled):
    group = scaled.network.group("tg")
    name = scaled.network.alb(group)
    scaled.group(group, size=2)
    scaled.network.wait_for(group)
    until(lambda: len(scaled.network.health(group)) == 2)
    statuses, ends = [], threading.Event()

    def ask():
        while not ends.is_set():
            statuses.append(get(name).status)

    client = threading.Thread(target=ask)
    client.start()
    scaled.size(4)
    until(lambda: len(scaled.network.health(group)) == 4)
    scaled.network.wait_for(group)
    leaving = scaled.ids()
    scaled.size(1)
    leaving = [one for one in leaving if one not in scaled.ids()]
    assert len(leaving) == 3
    for instance in leaving:
        scaled.wait_until_gone(instance)
    ends.set()
    client.join()
    assert set(statuses) == {200}


def test_instances_are_spread_over_the_subnets(scaled):
    scaled.group(size=4, VPCZoneIdentifier=",".join(scaled.network.subnets[:2]))
    subnets = [scaled.network.describe(one)["SubnetId"] for one in scaled.ids()]
    assert sorted(subnets) == sorted(scaled.network.subnets[:2] * 2)
    assert scaled.described()["VPCZoneIdentifier"] == ",".join(scaled.network.subnets[:2])
    scaled.size(2)
    left = [scaled.network.describe(one)["SubnetId"] for one in scaled.ids()]
    assert sorted(left) == sorted(scaled.network.subnets[:2])


def test_terminating_one_replaces_it_or_makes_the_group_smaller(scaled):
    group = scaled.network.group("tg")
    scaled.network.alb(group)
    scaled.group(group, size=2, MinSize=1)
    scaled.network.wait_for(group)
    first, second = scaled.ids()
    terminate = scaled.api.terminate_instance_in_auto_scaling_group
    done = terminate(InstanceId=first, ShouldDecrementDesiredCapacity=False)["Activity"]
    assert done["Description"] == f"Terminating EC2 instance: {first}"
    scaled.wait_until_gone(first)
    assert len(scaled.ids()) == scaled.described()["DesiredCapacity"] == 2
    terminate(InstanceId=second, ShouldDecrementDesiredCapacity=True)
    scaled.wait_until_gone(second)
    [left] = scaled.ids()
    code, message = refusal(terminate, InstanceId=left, ShouldDecrementDesiredCapacity=True)
    assert code == "ValidationError"
    assert "desiredSize equals minSize (1)" in message
    until(lambda: [key.partition(":")[0] for key in scaled.network.health(group)] == [left])


def test_a_group_is_deleted_when_empty_or_by_force(scaled):
    scaled.group(size=2)
    ids = scaled.ids()
    code, _ = refusal(scaled.api.delete_auto_scaling_group, AutoScalingGroupName="asg")
    assert code == "ResourceInUse"
    scaled.api.delete_auto_scaling_group(AutoScalingGroupName="asg", ForceDelete=True)
    assert all(map(scaled.is_gone, ids))
    assert scaled.api.describe_auto_scaling_groups()["AutoScalingGroups"] == []


def test_an_update_moves_the_size_into_its_bounds(scaled):
    scaled.group(size=1)
    scaled.api.update_auto_scaling_group(AutoScalingGroupName="asg", MinSize=2)
    assert len(scaled.ids()) == scaled.described()["DesiredCapacity"] == 2
    scaled.api.update_auto_scaling_group(AutoScalingGroupName="asg", MinSize=0, MaxSize=1)
    assert len(scaled.ids()) == scaled.described()["DesiredCapacity"] == 1
    scaled.api.update_auto_scaling_group(AutoScalingGroupName="asg", HealthCheckType="ELB")
    assert (len(scaled.ids()), scaled.described()["HealthCheckType"]) == (1, "ELB")


# Balancers


def test_states_of_a_target_group(scaled):
    group = scaled.network.group("tg")
    scaled.network.attributes(group, **{"deregistration_delay.timeout_seconds": "50"})
    scaled.network.alb(group)
    scaled.group()
    asg = {"AutoScalingGroupName": "asg", "TargetGroupARNs": [group]}
    scaled.api.attach_load_balancer_target_groups(**asg)
    assert scaled.state(group) in ("Adding", "Added")
    scaled.network.wait_for(group)
    assert scaled.state(group) == "Added"
    scaled.api.update_auto_scaling_group(AutoScalingGroupName="asg", HealthCheckType="ELB")
    assert scaled.state(group) == "InService"
    scaled.api.detach_load_balancer_target_groups(**asg)
    assert scaled.state(group) == "Removing"
    assert scaled.described()["TargetGroupARNs"] == []
    until(lambda: scaled.state(group) is None)
    assert scaled.network.health(group) == {}


def test_attached_from_the_start_is_in_service(scaled):
    group = scaled.network.group("tg")
    scaled.network.alb(group)
    scaled.group(group)
    until(lambda: scaled.state(group) == "InService")


def test_one_balancer_is_detached_and_the_others_stay(scaled):
    """moto empties all of them."""
    for name in ("old", "new"):
        scaled.network.classic(name)
    scaled.group(LoadBalancerNames=["old"])
    asg = {"AutoScalingGroupName": "asg"}
    scaled.api.attach_load_balancers(**asg, LoadBalancerNames=["new"])
    for name in ("old", "new"):
        until(lambda name=name: scaled.network.in_service(name) == scaled.ids(), 15)
    assert scaled.classic_states() == {"old": "InService", "new": "Added"}
    scaled.api.detach_load_balancers(**asg, LoadBalancerNames=["old"])
    until(lambda: scaled.classic_states() == {"new": "Added"})
    assert scaled.network.in_service("new") == scaled.ids()
    assert (
        scaled.network.elb.describe_instance_health(LoadBalancerName="old")["InstanceStates"] == []
    )


def test_instances_of_somebody_else_stay_behind_a_balancer(scaled):
    own = scaled.network.instances(1)
    scaled.network.classic("old", *own)
    scaled.group(LoadBalancerNames=["old"])
    until(lambda: {*scaled.network.in_service("old")} == {*own, *scaled.ids()}, 15)


def test_a_detached_instance_and_one_in_standby_leave_the_balancer(scaled):
    group = scaled.network.group("tg")
    scaled.network.alb(group)
    scaled.group(group, size=2)
    one, other = scaled.ids()
    asg = {"AutoScalingGroupName": "asg", "ShouldDecrementDesiredCapacity": True}
    scaled.api.detach_instances(**asg, InstanceIds=[one])
    scaled.api.enter_standby(**asg, InstanceIds=[other])
    until(lambda: scaled.network.health(group) == {})
    assert not scaled.is_gone(one)
    assert not scaled.is_gone(other)
    scaled.api.exit_standby(AutoScalingGroupName="asg", InstanceIds=[other])
    scaled.network.wait_for(group)


# Refusals


NOT_THERE = "AutoScalingGroup name not found - AutoScalingGroup 'nix' not found"


@pytest.mark.parametrize(
    ("operation", "arguments"),
    [
        ("set_desired_capacity", {"DesiredCapacity": 1}),
        ("update_auto_scaling_group", {"MinSize": 1}),
        ("delete_auto_scaling_group", {}),
        ("attach_load_balancers", {"LoadBalancerNames": ["old"]}),
        ("detach_load_balancers", {"LoadBalancerNames": ["old"]}),
        ("attach_load_balancer_target_groups", {"TargetGroupARNs": ["arn"]}),
        ("detach_load_balancer_target_groups", {"TargetGroupARNs": ["arn"]}),
        ("describe_load_balancers", {}),
        ("describe_load_balancer_target_groups", {}),
        ("describe_scaling_activities", {}),
        ("suspend_processes", {}),
    ],
)
def test_a_group_that_is_not_there(scaled, operation, arguments):
    call = getattr(scaled.api, operation)
    code, message = refusal(call, AutoScalingGroupName="nix", **arguments)
    assert code == "ValidationError"
    assert NOT_THERE in message


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ({"DesiredCapacity": 5}, "ValidationError", "between the specified min size:0 and max si"),
        ({"MinSize": 5}, "ValidationError", "must be greater than or equal to min bound, 5"),
        ({"LoadBalancerNames": ["nix"]}, "ValidationError", "Provided Load Balancers may not be"),
        ({"TargetGroupARNs": ["arn:nix"]}, "ValidationError", "Provided Target Groups may not be"),
    ],
)
def test_a_group_that_cannot_be_is_not_made(scaled, arguments, code, words):
    with pytest.raises(ClientError) as caught:
        scaled.group(**arguments)
    assert caught.value.response["Error"]["Code"] == code
    assert words in str(caught.value)
    assert scaled.api.describe_auto_scaling_groups()["AutoScalingGroups"] == []
    assert scaled.network.ec2.describe_instances()["Reservations"] == []


def test_a_second_group_of_a_name_and_sizes_out_of_bounds(scaled):
    scaled.group(size=1, MinSize=1)
    with pytest.raises(ClientError, match="AlreadyExists"):
        scaled.group()
    resize = scaled.api.set_desired_capacity
    for wanted, words in ((5, "5 is above max value 4"), (0, "0 is below min value 1")):
        _, message = refusal(resize, AutoScalingGroupName="asg", DesiredCapacity=wanted)
        assert words in message
    _, message = refusal(
        scaled.api.update_auto_scaling_group, AutoScalingGroupName="asg", DesiredCapacity=9
    )
    assert "Desired capacity:9 must be between" in message
    _, message = refusal(
        scaled.api.detach_load_balancers, AutoScalingGroupName="asg", LoadBalancerNames=["x"]
    )
    assert "not part of the group" in message
    _, message = refusal(
        scaled.api.set_instance_health, InstanceId="i-1234567890abcdef0", HealthStatus="Healthy"
    )
    assert "No managed instance found" in message
