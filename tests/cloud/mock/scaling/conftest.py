"""Auto Scaling groups of real instances, in an account of a real mock."""

import base64
from types import SimpleNamespace

import pytest

from tests.cloud.mock.balancing.network import SCRIPT, Network
from tests.cloud.mock.balancing.plane_world import until


class Scaled:
    """A launch template of servers, and groups made of it."""

    def __init__(self, aws):
        self.network = Network(aws)
        self.api = self.network.autoscaling
        self.network.ec2.create_launch_template(
            LaunchTemplateName="web",
            LaunchTemplateData={
                "ImageId": "ami-12c6146b",
                "SecurityGroupIds": [self.network.open],
                "UserData": base64.b64encode(SCRIPT.encode()).decode(),
            },
        )

    def group(self, *target_groups, size=1, **more):
        """The group "asg", which may have 0 to 4 instances."""
        self.api.create_auto_scaling_group(
            **{
                "AutoScalingGroupName": "asg",
                "LaunchTemplate": {"LaunchTemplateName": "web"},
                "MinSize": 0,
                "MaxSize": 4,
                "DesiredCapacity": size,
                "VPCZoneIdentifier": self.network.subnets[0],
                "TargetGroupARNs": target_groups,
                **more,
            }
        )

    def described(self, name="asg"):
        found = self.api.describe_auto_scaling_groups(AutoScalingGroupNames=[name])
        return found["AutoScalingGroups"][0]

    def ids(self, lifecycle="InService"):
        return [
            one["InstanceId"]
            for one in self.described()["Instances"]
            if one["LifecycleState"] == lifecycle
        ]

    def wait_for_a_look(self, name="witness"):
        """Until the motor has looked at all groups: it has seen that a witness stopped.

        name: of the witness's group, a new one.
        """
        self.group(AutoScalingGroupName=name)
        [witness] = self.described(name)["Instances"]
        self.network.ec2.stop_instances(InstanceIds=[witness["InstanceId"]])
        self.wait_until_gone(witness["InstanceId"])

    def size(self, count):
        self.api.set_desired_capacity(AutoScalingGroupName="asg", DesiredCapacity=count)

    def state(self, group):
        """Of a target group at the Auto Scaling group; None when it is not there."""
        found = self.api.describe_load_balancer_target_groups(AutoScalingGroupName="asg")
        states = {
            one["LoadBalancerTargetGroupARN"]: one["State"]
            for one in found["LoadBalancerTargetGroups"]
        }
        return states.get(group)

    def classic_states(self):
        found = self.api.describe_load_balancers(AutoScalingGroupName="asg")["LoadBalancers"]
        return {one["LoadBalancerName"]: one["State"] for one in found}

    def activities(self):
        found = self.api.describe_scaling_activities(AutoScalingGroupName="asg")["Activities"]
        return [SimpleNamespace(what=one["Description"], why=one["Cause"]) for one in found]

    def is_gone(self, instance):
        return self.network.describe(instance)["State"]["Name"] == "terminated"

    def wait_until_gone(self, instance, seconds=20):
        until(lambda: self.is_gone(instance), seconds)


@pytest.fixture
def scaled(mock_process, aws):
    return Scaled(mock_process)
