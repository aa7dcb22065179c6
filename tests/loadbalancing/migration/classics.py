"""Classic balancers of every kind, made with boto3 as a person would, and what is there later.

Nothing here knows how a migration is done.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from labs.loadbalancing.migration import Clients

#: Every call that changes something begins so; of the four APIs, the others describe or wait.
READS = ("Describe", "Get", "List")

SESSION_COOKIE, WEEK = None, 604_800


class Group(NamedTuple):
    """A target group: what AWS says of it.

    check: (protocol, port, path or None, interval, timeout, healthy, unhealthy)
    targets: {(instance, port), ...}
    """

    protocol: str
    port: int
    check: tuple[str, int, str | None, int, int, int, int]
    attributes: Mapping[str, str]
    targets: frozenset[tuple[str, int]]
    tags: Mapping[str, str]
    name: str
    vpc: str


class Listener(NamedTuple):
    """group: ARN of the only group that its default action forwards to."""

    protocol: str
    certificate: str | None
    policy: str | None
    group: str
    attributes: Mapping[str, str]


class Balancer(NamedTuple):
    """A balancer of elbv2 with all that belongs to it."""

    kind: str
    scheme: str
    subnets: frozenset[str]
    security_groups: frozenset[str]
    attributes: Mapping[str, str]
    tags: Mapping[str, str]
    listeners: Mapping[int, Listener]
    groups: Mapping[str, Group]


def listener(
    protocol: str, number: int, to: str, instance_port: int, certificate: str | None = None
) -> dict[str, Any]:
    """As CreateLoadBalancer takes it. to: the protocol of the instances."""
    made = {
        "Protocol": protocol,
        "LoadBalancerPort": number,
        "InstanceProtocol": to,
        "InstancePort": instance_port,
    }
    return {**made, "SSLCertificateId": certificate} if certificate else made


class World:
    """An account with a VPC, two subnets, a security group, a certificate and two instances."""

    def __init__(self, aws: Any) -> None:
        self.aws, self.clients = aws, Clients.of(aws)
        self.elb, self.elbv2, self.autoscaling, self.ec2 = self.clients
        self.vpc = self.ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
        self.subnets = [one["SubnetId"] for one in self.ec2.describe_subnets()["Subnets"]][:2]
        self.security_group = self.ec2.create_security_group(
            GroupName="balancers", Description="balancers", VpcId=self.vpc
        )["GroupId"]
        self.ec2.authorize_security_group_ingress(
            GroupId=self.security_group,
            IpPermissions=[
                {"IpProtocol": "tcp", "FromPort": 0, "ToPort": 65535}
                | {"IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
            ],
        )
        self.instances: list[str] = []
        self._certificate = ""

    @property
    def certificate(self) -> str:
        if not self._certificate:
            acm = self.aws.client("acm")
            made = acm.request_certificate(DomainName="www.example.com")
            self._certificate = made["CertificateArn"]
        return self._certificate

    def run(self, script: str = "") -> list[str]:
        """Two instances, one in each subnet."""
        for subnet in self.subnets:
            made = self.ec2.run_instances(
                ImageId="ami-12c6146b",
                InstanceType="t3.micro",
                MinCount=1,
                MaxCount=1,
                SubnetId=subnet,
                SecurityGroupIds=[self.security_group],
                UserData=script,
            )["Instances"]
            self.instances.append(made[0]["InstanceId"])
        return self.instances

    # --- Classic balancers ----------------------------------------------------------------------

    def classic(self, name: str, *listeners: dict[str, Any], **settings: Any) -> str:
        """Its name. One with a health check by HTTP every 30 s and both instances."""
        check = settings.pop("check", ("HTTP:80/ping", 30, 5, 10, 2))
        given = {"Subnets": self.subnets, "SecurityGroups": [self.security_group], **settings}
        self.elb.create_load_balancer(LoadBalancerName=name, Listeners=list(listeners), **given)
        target, interval, timeout, healthy, unhealthy = check
        self.elb.configure_health_check(
            LoadBalancerName=name,
            HealthCheck={
                "Target": target,
                "Interval": interval,
                "Timeout": timeout,
                "HealthyThreshold": healthy,
                "UnhealthyThreshold": unhealthy,
            },
        )
        self.elb.register_instances_with_load_balancer(
            LoadBalancerName=name,
            Instances=[{"InstanceId": one} for one in self.instances or self.run()],
        )
        return name

    def attributes(self, name: str, **parts: Any) -> None:
        self.elb.modify_load_balancer_attributes(
            LoadBalancerName=name, LoadBalancerAttributes=parts
        )

    def policy(self, name: str, policy: str, kind: str, values: Mapping[str, str]) -> None:
        """Make a policy of some type."""
        self.elb.create_load_balancer_policy(
            LoadBalancerName=name,
            PolicyName=policy,
            PolicyTypeName=kind,
            PolicyAttributes=[
                {"AttributeName": key, "AttributeValue": value} for key, value in values.items()
            ],
        )

    def listener_policies(self, name: str, number: int, *policies: str) -> None:
        self.elb.set_load_balancer_policies_of_listener(
            LoadBalancerName=name, LoadBalancerPort=number, PolicyNames=list(policies)
        )

    def back_end_policies(self, name: str, number: int, *policies: str) -> None:
        self.elb.set_load_balancer_policies_for_backend_server(
            LoadBalancerName=name, InstancePort=number, PolicyNames=list(policies)
        )

    def duration_cookie(self, name: str, number: int, seconds: int | None) -> None:
        period = {} if seconds is SESSION_COOKIE else {"CookieExpirationPeriod": seconds}
        policy = f"sticky-{number}"
        self.elb.create_lb_cookie_stickiness_policy(
            LoadBalancerName=name, PolicyName=policy, **period
        )
        self.listener_policies(name, number, policy)

    def scaling_group(self, name: str, classic: str) -> list[str]:
        """One that puts two instances behind a Classic balancer; their ids."""
        self.ec2.create_launch_template(
            LaunchTemplateName=name,
            LaunchTemplateData={"ImageId": "ami-12c6146b", "InstanceType": "t3.micro"},
        )
        self.autoscaling.create_auto_scaling_group(
            AutoScalingGroupName=name,
            LaunchTemplate={"LaunchTemplateName": name},
            MinSize=2,
            MaxSize=2,
            VPCZoneIdentifier=",".join(self.subnets),
            LoadBalancerNames=[classic],
        )
        found = self.autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[name])
        return [one["InstanceId"] for one in found["AutoScalingGroups"][0]["Instances"]]

    # --- What is there --------------------------------------------------------------------------

    def balancer(self, name: str) -> Balancer:
        """All that elbv2 says of a balancer and what belongs to it."""
        [found] = self.elbv2.describe_load_balancers(Names=[name])["LoadBalancers"]
        arn = found["LoadBalancerArn"]
        listeners = {}
        for one in self.elbv2.describe_listeners(LoadBalancerArn=arn)["Listeners"]:
            [action] = one["DefaultActions"]
            assert action["Type"] == "forward"
            certificates = [each["CertificateArn"] for each in one.get("Certificates", [])]
            assert len(certificates) <= 1
            listeners[one["Port"]] = Listener(
                one["Protocol"],
                certificates[0] if certificates else None,
                one.get("SslPolicy"),
                group_of(action),
                self.pairs("listener", one["ListenerArn"]),
            )
            rules = self.elbv2.describe_rules(ListenerArn=one["ListenerArn"])["Rules"]
            assert [rule["IsDefault"] for rule in rules] == [True]
        groups = self.elbv2.describe_target_groups(LoadBalancerArn=arn)["TargetGroups"]
        return Balancer(
            found["Type"],
            found["Scheme"],
            frozenset(zone["SubnetId"] for zone in found["AvailabilityZones"]),
            frozenset(found.get("SecurityGroups", ())),
            self.pairs("load_balancer", arn),
            self.tags(arn),
            listeners,
            {one["TargetGroupArn"]: self.group(one) for one in groups},
        )

    def group(self, found: Mapping[str, Any]) -> Group:
        arn, port = found["TargetGroupArn"], found["Port"]
        assert found["TargetType"] == "instance"
        if found["HealthCheckProtocol"] in ("HTTP", "HTTPS"):
            assert found["Matcher"]["HttpCode"] == "200"  # all that a Classic balancer takes
        checked = found["HealthCheckPort"]
        health = self.elbv2.describe_target_health(TargetGroupArn=arn)
        return Group(
            found["Protocol"],
            port,
            (
                found["HealthCheckProtocol"],
                port if checked == "traffic-port" else int(checked),
                found.get("HealthCheckPath"),
                found["HealthCheckIntervalSeconds"],
                found["HealthCheckTimeoutSeconds"],
                found["HealthyThresholdCount"],
                found["UnhealthyThresholdCount"],
            ),
            self.pairs("target_group", arn),
            frozenset(
                (one["Target"]["Id"], one["Target"]["Port"])
                for one in health["TargetHealthDescriptions"]
            ),
            self.tags(arn),
            found["TargetGroupName"],
            found["VpcId"],
        )

    def pairs(self, what: str, arn: str) -> dict[str, str]:
        """The attributes of a load_balancer, target_group or listener."""
        describe = getattr(self.elbv2, f"describe_{what}_attributes")
        name = "".join(word.title() for word in what.split("_")) + "Arn"
        return {one["Key"]: one["Value"] for one in describe(**{name: arn})["Attributes"]}

    def tags(self, arn: str) -> dict[str, str]:
        [found] = self.elbv2.describe_tags(ResourceArns=[arn])["TagDescriptions"]
        return {one["Key"]: one["Value"] for one in found["Tags"]}

    def everything(self, classics: Iterable[str]) -> dict[str, Any]:
        """What a migration could have left or changed: all of elbv2, attachments, the old ones."""
        found = self.autoscaling.describe_auto_scaling_groups()["AutoScalingGroups"]
        names = list(classics)
        return {
            "balancers": self.elbv2.describe_load_balancers()["LoadBalancers"],
            "groups": self.elbv2.describe_target_groups()["TargetGroups"],
            "attached": {
                one["AutoScalingGroupName"]: (
                    one.get("TargetGroupARNs", []),
                    one["LoadBalancerNames"],
                )
                for one in found
            },
            "classics": self.elb.describe_load_balancers()["LoadBalancerDescriptions"],
            "attributes": [
                self.elb.describe_load_balancer_attributes(LoadBalancerName=one)[
                    "LoadBalancerAttributes"
                ]
                for one in names
            ],
            "policies": [
                self.elb.describe_load_balancer_policies(LoadBalancerName=one)["PolicyDescriptions"]
                for one in names
            ],
            "tags": self.elb.describe_tags(LoadBalancerNames=names)["TagDescriptions"],
        }

    def calls(self) -> list[str]:
        """The operations that are called from now on and write, in their order."""
        written: list[str] = []

        def note(model: Any, **_: Any) -> None:
            if not model.name.startswith(READS):
                written.append(model.name)

        for client in self.clients:
            client.meta.events.register("before-call", note)
        return written


def group_of(action: Mapping[str, Any]) -> str:
    """The only group of a forward action, in either of the API's two ways to say it."""
    if "TargetGroupArn" in action:
        return action["TargetGroupArn"]
    [one] = action["ForwardConfig"]["TargetGroups"]
    return one["TargetGroupArn"]
