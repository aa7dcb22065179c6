"""An account of moto's, in this process, with a Classic balancer; and what happens to its calls."""

from collections.abc import Callable
from typing import Any

import boto3
from botocore.exceptions import ClientError

from labs.loadbalancing.migration import Clients

WRITES = ("Create", "Modify", "Add", "Register", "Attach", "Set", "Delete", "Deregister", "Detach")


class Account:
    """clients: of us-east-1, where the Classic balancer `web` and its Auto Scaling group are.

    written: the operations that were called and write, in their order
    """

    def __init__(self) -> None:
        session = boto3.Session(region_name="us-east-1")
        self.clients = Clients.of(session)
        self.written: list[str] = []
        self.make_balancer()
        for client in self.clients:
            client.meta.events.register("before-call", self.note)

    def note(self, model: Any, **_: Any) -> None:
        if model.name.startswith(WRITES):
            self.written.append(model.name)

    def make_balancer(self) -> None:
        """Two listeners with a group each, an instance of its own and one of a scaling group."""
        elb, _, autoscaling, ec2 = self.clients
        listeners = [
            {
                "Protocol": "HTTP",
                "LoadBalancerPort": port,
                "InstanceProtocol": "HTTP",
                "InstancePort": port,
            }
            for port in (80, 8080)
        ]
        elb.create_load_balancer(
            LoadBalancerName="web",
            Listeners=listeners,
            AvailabilityZones=["us-east-1a", "us-east-1b"],
        )
        self.check_health("HTTP:80/")
        image = {"ImageId": "ami-12c6146b", "InstanceType": "t3.micro"}
        made = ec2.run_instances(MinCount=1, MaxCount=1, **image)["Instances"]
        self.instance = made[0]["InstanceId"]
        elb.register_instances_with_load_balancer(
            LoadBalancerName="web", Instances=[{"InstanceId": self.instance}]
        )
        ec2.create_launch_template(LaunchTemplateName="fleet", LaunchTemplateData=image)
        autoscaling.create_auto_scaling_group(
            AutoScalingGroupName="fleet",
            LaunchTemplate={"LaunchTemplateName": "fleet"},
            MinSize=1,
            MaxSize=1,
            AvailabilityZones=["us-east-1a"],
            LoadBalancerNames=["web"],
        )

    def check_health(self, target: str) -> None:
        self.clients.elb.configure_health_check(
            LoadBalancerName="web",
            HealthCheck={
                "Target": target,
                "Interval": 30,
                "Timeout": 5,
                "HealthyThreshold": 10,
                "UnhealthyThreshold": 2,
            },
        )

    def follow_cookie(self, name: str) -> None:
        """Let the first listener be sticky by a cookie of the application's."""
        self.clients.elb.create_load_balancer_policy(
            LoadBalancerName="web",
            PolicyName="plain",
            PolicyTypeName="AppCookieStickinessPolicyType",
            PolicyAttributes=[{"AttributeName": "CookieName", "AttributeValue": name}],
        )
        self.clients.elb.set_load_balancer_policies_of_listener(
            LoadBalancerName="web", LoadBalancerPort=80, PolicyNames=["plain"]
        )

    def at(self, moment: str, operation: str, error: BaseException, *, times: int = 1) -> None:
        """Raise this at the next calls of an operation. moment: "before-call" or "after-call"."""
        left = [times]

        def fail(model: Any, **_: Any) -> None:
            if model.name == operation and left[0]:
                left[0] -= 1
                raise error

        for client in self.clients:
            client.meta.events.register(moment, fail)

    def left(self) -> dict[str, Any]:
        """What elbv2 and the Auto Scaling group have, and the Classic balancer's description."""
        elb, elbv2, autoscaling, _ = self.clients
        (group,) = autoscaling.describe_auto_scaling_groups()["AutoScalingGroups"]
        (classic,) = elb.describe_load_balancers()["LoadBalancerDescriptions"]
        return {
            "balancers": elbv2.describe_load_balancers()["LoadBalancers"],
            "groups": elbv2.describe_target_groups()["TargetGroups"],
            "attached": group["TargetGroupARNs"],
            "classic": classic,
        }


def refusal(code: str = "AccessDenied", status: int = 403) -> Callable[[str], ClientError]:
    """An error of AWS's for an operation."""

    def error(operation: str) -> ClientError:
        answer = {
            "Error": {"Code": code, "Message": "You may not."},
            "ResponseMetadata": {"HTTPStatusCode": status},
        }
        return ClientError(answer, operation)

    return error
