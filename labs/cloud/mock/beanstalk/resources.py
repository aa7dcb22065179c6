"""What an environment stands on, made by API calls of Elastic Beanstalk's own.

    a security group for its instances, a launch template, an Auto Scaling group, and
    SingleInstance   an Elastic IP address
    LoadBalanced     a security group, an Application Load Balancer, a target group, a listener

On AWS a CloudFormation stack named awseb-ENVIRONMENT_ID-stack makes all that, with the rights of
who asks for it; here there is no such stack, and Beanstalk needs nobody's rights.
Source: Beanstalk guide, "Environment types", "Amazon VPC", "Auto Scaling group", "Application
Load Balancer".
"""

from __future__ import annotations

import base64
import contextlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from botocore.exceptions import ClientError

from labs.cloud.mock.balancing.snapshot import backends
from labs.cloud.mock.beanstalk.options import ENVIRONMENT, LAUNCH, PROCESS, VPC
from labs.cloud.mock.beanstalk.platform import user_data
from labs.cloud.mock.beanstalk.records import Environment, noise
from labs.cloud.mock.inward import Inward

SERVICE = "elasticbeanstalk"
IMAGE = "resolve:ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"
ANYWHERE = "0.0.0.0/0"
PORT = 80


class CannotLaunch(Exception):
    """Why an environment cannot be made; an event tells it."""


class Resources:
    """Makes, changes and ends what one environment stands on.

    tell: an event for each thing: message, severity.
    Raises botocore's ClientError for what a service refuses.
    """

    def __init__(self, inward: Inward, environment: Environment, tell: Callable[..., None]) -> None:
        self._inward, self._environment, self._tell = inward, environment, tell
        self._made = environment.made

    def client(self, service: str) -> Any:
        return self._inward.client(
            service,
            account=self._environment.account,
            region=self._environment.region,
            by=SERVICE,
        )

    # Making

    def make(self, port: int, token: str) -> None:
        """Everything but instances. port, token: where their hosts find the motor.

        Raises CannotLaunch.
        """
        settings = self._environment.settings
        self._check_profile()
        vpc, subnets = self._network()
        self._security_groups(vpc)
        if settings.is_balanced:
            self._balance(vpc, settings.names(VPC, "ELBSubnets") or subnets)
        else:
            address = self.client("ec2").allocate_address(Domain="vpc")
            self._made["address"] = address["AllocationId"]
            self._made["ip"] = address["PublicIp"]
            self._tell(f"Created EIP: {address['PublicIp']}")
        self._made["port"], self._made["token"] = str(port), token
        self._group(self._label("AWSEBAutoScalingGroup"), "group", subnets)
        self._tell(f"Created Auto Scaling group named: {self._made['group']}")

    def _check_profile(self) -> None:
        """As AWS: no environment without an instance profile, which a new account has not."""
        name = self._environment.settings.get(LAUNCH, "IamInstanceProfile")
        if not name:
            raise CannotLaunch("Environment must have instance profile associated with it.")
        try:
            self.client("iam").get_instance_profile(InstanceProfileName=name.rpartition("/")[2])
        except ClientError:
            raise CannotLaunch(
                f"The instance profile {name} associated with the environment does not exist."
            ) from None

    def _network(self) -> tuple[str, list[str]]:
        """(VPC, subnets for instances): those that are named, or the default ones."""
        settings, ec2 = self._environment.settings, self.client("ec2")
        subnets = settings.names(VPC, "Subnets")
        if not subnets:
            default = [{"Name": "default-for-az", "Values": ["true"]}]
            found = ec2.describe_subnets(Filters=default)["Subnets"]
            found.sort(key=lambda subnet: subnet["AvailabilityZone"])
            subnets = [subnet["SubnetId"] for subnet in found[:3]]
        if not subnets:
            raise CannotLaunch("There is no default VPC, and no subnets are specified.")
        vpc = settings.get(VPC, "VPCId")
        return vpc or ec2.describe_subnets(SubnetIds=subnets)["Subnets"][0]["VpcId"], subnets

    def _security_groups(self, vpc: str) -> None:
        settings = self._environment.settings
        source: dict[str, Any] = {"IpRanges": [{"CidrIp": ANYWHERE}]}
        if settings.is_balanced:
            front = self._security_group("front", "AWSEBLoadBalancerSecurityGroup", vpc)
            self._open(front, PORT, source)
            source = {"UserIdGroupPairs": [{"GroupId": front}]}
        if not settings.is_on(LAUNCH, "DisableDefaultEC2SecurityGroup"):
            own = self._security_group("own", "AWSEBSecurityGroup", vpc)
            self._open(own, PORT, source)
            self.open_ssh()

    def _security_group(self, kind: str, logical: str, vpc: str) -> str:
        name = self._label(logical)
        made = self.client("ec2").create_security_group(
            GroupName=name,
            Description="Elastic Beanstalk created security group",
            VpcId=vpc,
            TagSpecifications=[{"ResourceType": "security-group", "Tags": self._tags()}],
        )
        self._made[kind] = made["GroupId"]
        self._tell(f"Created security group named: {made['GroupId']}")
        return made["GroupId"]

    def _open(self, group: str, port: int, source: dict[str, Any]) -> None:
        rule = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, **source}
        self.client("ec2").authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])

    def open_ssh(self) -> None:
        """Have port 22 open to whom the options say, and to nobody else."""
        group = self._made.get("own")
        if not group:
            return
        ec2 = self.client("ec2")
        found = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]
        old = [one for one in found["IpPermissions"] if one.get("FromPort") == 22]
        if old:
            ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=old)
        for source in self._environment.settings.ssh_sources:
            is_cidr = "/" in source
            self._open(
                group,
                22,
                {"IpRanges": [{"CidrIp": source}]}
                if is_cidr
                else {"UserIdGroupPairs": [{"GroupId": source}]},
            )

    def _balance(self, vpc: str, subnets: list[str]) -> None:
        settings, elbv2 = self._environment.settings, self.client("elbv2")
        target_group = elbv2.create_target_group(
            Name=f"awseb-AWSEB-{noise(12).upper()}",
            Protocol="HTTP",
            Port=PORT,
            VpcId=vpc,
            **self._check(),
            Tags=self._tags(),
        )["TargetGroups"][0]["TargetGroupArn"]
        self._made["target group"] = target_group
        self._tell(f"Created target group named: {target_group}")
        self._set_delay()
        internal = settings.get(VPC, "ELBScheme") == "internal"
        balancer = elbv2.create_load_balancer(
            Name=f"awseb--AWSEB-{noise(12)}",
            Subnets=subnets,
            SecurityGroups=[self._made["front"]],
            Scheme="internal" if internal else "internet-facing",
            Tags=self._tags(),
        )["LoadBalancers"][0]
        self._made["balancer"] = balancer["LoadBalancerArn"]
        self._made["dns name"] = balancer["DNSName"]
        self._tell(f"Created load balancer named: {balancer['LoadBalancerArn']}")
        listener = elbv2.create_listener(
            LoadBalancerArn=balancer["LoadBalancerArn"],
            Protocol="HTTP",
            Port=PORT,
            DefaultActions=[{"Type": "forward", "TargetGroupArn": target_group}],
        )["Listeners"][0]["ListenerArn"]
        self._tell(f"Created Load Balancer listener named: {listener}")

    def _check(self) -> dict[str, Any]:
        """The health check of the target group."""
        settings = self._environment.settings
        return {
            "HealthCheckPath": settings.health_path,
            "HealthCheckIntervalSeconds": settings.number(PROCESS, "HealthCheckInterval"),
            "HealthCheckTimeoutSeconds": settings.number(PROCESS, "HealthCheckTimeout"),
            "HealthyThresholdCount": settings.number(PROCESS, "HealthyThresholdCount"),
            "UnhealthyThresholdCount": settings.number(PROCESS, "UnhealthyThresholdCount"),
            "Matcher": {"HttpCode": settings.get(PROCESS, "MatcherHTTPCode")},
        }

    def _set_delay(self) -> None:
        delay = self._environment.settings.get(PROCESS, "DeregistrationDelay")
        self.client("elbv2").modify_target_group_attributes(
            TargetGroupArn=self._made["target group"],
            Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": delay}],
        )

    def set_check(self) -> None:
        """Bring the target group in line with the options."""
        if "target group" in self._made:
            arn = self._made["target group"]
            self.client("elbv2").modify_target_group(TargetGroupArn=arn, **self._check())
            self._set_delay()

    # Instances

    def _group(self, name: str, kind: str, subnets: list[str]) -> None:
        """An Auto Scaling group without instances, and its launch template.

        Its instances are put behind the balancer when their application runs, not before. A second
        group has none: what leaves a group leaves its balancers, and these instances only move.
        """
        settings, ec2 = self._environment.settings, self.client("ec2")
        groups = [self._made["own"]] if "own" in self._made else []
        groups += settings.names(LAUNCH, "SecurityGroups")
        script = user_data(int(self._made["port"]), self._made["token"])
        template = ec2.create_launch_template(
            LaunchTemplateName=f"{name}-template",
            LaunchTemplateData={
                "ImageId": IMAGE,
                "InstanceType": settings.get(LAUNCH, "InstanceType"),
                "SecurityGroupIds": groups,
                "UserData": base64.b64encode(script.encode()).decode(),
                **({"KeyName": key} if (key := settings.get(LAUNCH, "EC2KeyName")) else {}),
            },
        )["LaunchTemplate"]["LaunchTemplateId"]
        self._made[f"{kind} template"] = template
        autoscaling = self.client("autoscaling")
        autoscaling.create_auto_scaling_group(
            AutoScalingGroupName=name,
            LaunchTemplate={"LaunchTemplateId": template, "Version": "1"},
            MinSize=0,
            MaxSize=0,
            DesiredCapacity=0,
            VPCZoneIdentifier=",".join(subnets),
            Tags=[{**tag, "PropagateAtLaunch": True} for tag in self._tags()],
            **(
                {"TargetGroupARNs": [self._made["target group"]]}
                if "target group" in self._made and kind == "group"
                else {}
            ),
        )
        self._made[kind] = name
        autoscaling.suspend_processes(
            AutoScalingGroupName=name, ScalingProcesses=["AddToLoadBalancer"]
        )

    def size(self, count: int, kind: str = "group", most: int | None = None) -> list[str]:
        """Have that many instances in a group; ids of those that are new.

        most: of the group, where that is more than the options say.
        """
        least, highest = self._environment.settings.sizes
        before = set(self.instances(kind))
        self.client("autoscaling").update_auto_scaling_group(
            AutoScalingGroupName=self._made[kind],
            MinSize=min(least, count) if kind == "group" else 0,
            MaxSize=max(highest, count, most or 0),
            DesiredCapacity=count,
        )
        new = [one for one in self.instances(kind) if one not in before]
        for instance in new:
            self.equip(instance)
        return new

    def fit(self) -> None:
        """Have a group within the sizes that the options say. What is too many leaves."""
        least, most = self._environment.settings.sizes
        running = len(self.instances())
        if running < least:
            self.size(least)
        else:
            self.size(min(running, most))

    def equip(self, instance: str) -> None:
        """Give a new instance its role, which moto's Auto Scaling does not hand on."""
        name = self._environment.settings.get(LAUNCH, "IamInstanceProfile").rpartition("/")[2]
        with contextlib.suppress(ClientError):  # it has one
            self.client("ec2").associate_iam_instance_profile(
                IamInstanceProfile={"Name": name}, InstanceId=instance
            )

    def give_address(self, instance: str) -> None:
        """Have the Elastic IP address lead to this instance."""
        self.client("ec2").associate_address(
            AllocationId=self._made["address"], InstanceId=instance, AllowReassociation=True
        )

    def instances(self, kind: str = "group") -> list[str]:
        """Ids of a group's instances in service, the oldest first. Asks moto, not its API."""
        return [
            state.instance.id
            for group in self._groups_of_moto(kind)
            for state in group.active_instances()
            if state.instance.state == "running"
        ]

    def _groups_of_moto(self, kind: str) -> Iterator[Any]:
        where = (self._environment.account, self._environment.region)
        for account, region, backend in backends("moto.autoscaling.models", "autoscaling_backends"):
            name = self._made.get(kind)
            if (account, region) == where and name in list(backend.autoscaling_groups):
                yield backend.autoscaling_groups[name]

    def end_instances(self, ids: Iterable[str]) -> None:
        """Take instances out of service and out of the group, which gets smaller by them."""
        for one in ids:
            self.client("autoscaling").terminate_instance_in_auto_scaling_group(
                InstanceId=one, ShouldDecrementDesiredCapacity=True
            )

    def register(self, ids: Iterable[str]) -> None:
        """Put instances behind the balancer."""
        self.client("elbv2").register_targets(
            TargetGroupArn=self._made["target group"], Targets=[{"Id": one} for one in ids]
        )

    def deregister(self, ids: Iterable[str]) -> None:
        self.client("elbv2").deregister_targets(
            TargetGroupArn=self._made["target group"], Targets=[{"Id": one} for one in ids]
        )

    # A second group, for immutable updates

    def make_second_group(self) -> None:
        _, subnets = self._network()
        self._group(self._label("immutable-AWSEBAutoScalingGroup"), "second", subnets)

    def adopt_second_group(self, old: list[str]) -> None:
        """Its instances become those of the environment's group. The old ones leave it.

        Where the options ask for other instances, the group launches such from now on.
        """
        autoscaling, new = self.client("autoscaling"), self.instances("second")
        group, second = self._made["group"], self._made["second"]
        self.size(len(old), most=len(old) + len(new))
        autoscaling.detach_instances(
            AutoScalingGroupName=second, InstanceIds=new, ShouldDecrementDesiredCapacity=True
        )
        autoscaling.attach_instances(AutoScalingGroupName=group, InstanceIds=new)
        template = self._made.pop("second template")
        autoscaling.update_auto_scaling_group(
            AutoScalingGroupName=group,
            MinSize=0,
            LaunchTemplate={"LaunchTemplateId": template, "Version": "1"},
        )
        gone, self._made["group template"] = self._made["group template"], template
        self._delete("ec2", "delete_launch_template", LaunchTemplateId=gone)
        self.end_instances(old)
        least, most = self._environment.settings.sizes
        autoscaling.update_auto_scaling_group(
            AutoScalingGroupName=group, MinSize=least, MaxSize=max(most, len(new))
        )
        self.end_second_group()

    def end_second_group(self) -> None:
        if name := self._made.pop("second", None):
            self._delete(
                "autoscaling",
                "delete_auto_scaling_group",
                AutoScalingGroupName=name,
                ForceDelete=True,
            )
        if template := self._made.pop("second template", None):
            self._delete("ec2", "delete_launch_template", LaunchTemplateId=template)

    # The end

    def end(self) -> None:
        """Delete all of it, whatever is left of it."""
        made = self._made
        self.end_second_group()
        if "group" in made:
            self._tell("Waiting for EC2 instances to terminate. This may take a few minutes.")
            self._delete(
                "autoscaling",
                "delete_auto_scaling_group",
                AutoScalingGroupName=made["group"],
                ForceDelete=True,
            )
            self._tell(f"Deleted Auto Scaling group named: {made['group']}")
        if "group template" in made:
            self._delete("ec2", "delete_launch_template", LaunchTemplateId=made["group template"])
        if "balancer" in made:
            self._delete("elbv2", "delete_load_balancer", LoadBalancerArn=made["balancer"])
            self._tell(f"Deleted load balancer named: {made['balancer']}")
        if "target group" in made:
            self._delete("elbv2", "delete_target_group", TargetGroupArn=made["target group"])
            self._tell(f"Deleted target group named: {made['target group']}")
        if "address" in made:
            self._delete("ec2", "release_address", AllocationId=made["address"])
            self._tell(f"Deleted EIP: {made['ip']}")
        for kind in ("own", "front"):
            if kind in made:
                self._delete("ec2", "delete_security_group", GroupId=made[kind])
                self._tell(f"Deleted security group named: {made[kind]}")
        made.clear()

    def _delete(self, service: str, operation: str, **what: Any) -> None:
        """What somebody has deleted already is no error; the rest is told."""
        try:
            getattr(self.client(service), operation)(**what)
        except ClientError as error:
            if "NotFound" not in error.response["Error"]["Code"]:
                self._tell(str(error), "ERROR")

    # Names

    def _label(self, logical: str) -> str:
        """As CloudFormation names what it makes."""
        return f"awseb-{self._environment.environment_id}-stack-{logical}-{noise(12)}"

    def _tags(self) -> list[dict[str, str]]:
        """Source: Beanstalk guide, "Tagging resources in your environments"."""
        environment = self._environment
        tags = {
            **environment.tags,
            "Name": environment.name,
            "elasticbeanstalk:environment-id": environment.environment_id,
            "elasticbeanstalk:environment-name": environment.name,
        }
        return [{"Key": key, "Value": value} for key, value in tags.items()]

    def endpoint(self) -> str:
        """The balancer's name, or the Elastic IP address."""
        return self._made.get("dns name") or self._made["ip"]


def is_supported(values: dict[tuple[str, str], str]) -> str:
    """Why the mock cannot make such an environment; "" if it can."""
    kind = values.get((ENVIRONMENT, "LoadBalancerType"), "application")
    if kind != "application":
        return f"The mock makes environments with application load balancers, not {kind} ones."
    return ""
