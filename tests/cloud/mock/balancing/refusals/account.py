"""An account with load balancers, and what its refusals look like."""

import contextlib
from collections.abc import Iterator

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError


class Account:
    """Clients, a VPC with subnets in two zones, and what most tests begin with."""

    def __init__(self, port: int, region: str = "eu-central-1") -> None:
        self._settings = {
            "endpoint_url": f"http://127.0.0.1:{port}",
            "region_name": region,
            "aws_access_key_id": "AKIAIOSFODNN7EXAMPLE",
            "aws_secret_access_key": "secret",
            "config": Config(retries={"total_max_attempts": 1}, parameter_validation=False),
        }
        self.elb, self.elbv2, self.ec2 = map(self.client, ("elb", "elbv2", "ec2"))

    def client(self, service: str):
        return boto3.client(service, **self._settings)

    @property
    def vpc(self) -> str:
        return self.ec2.describe_vpcs()["Vpcs"][0]["VpcId"]

    @property
    def subnets(self) -> list[dict]:
        return self.ec2.describe_subnets()["Subnets"][:2]

    @property
    def subnet_ids(self) -> list[str]:
        return [subnet["SubnetId"] for subnet in self.subnets]

    def other_vpc(self) -> str:
        return self.ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]

    def instance(self, **settings) -> str:
        reservation = self.ec2.run_instances(
            ImageId="ami-12c6146b",
            MinCount=1,
            MaxCount=1,
            **{"SubnetId": self.subnet_ids[0], **settings},
        )
        return reservation["Instances"][0]["InstanceId"]

    def certificate(self) -> str:
        """An ARN that ACM knows."""
        acm = self.client("acm")
        return acm.request_certificate(DomainName="www.example.com")["CertificateArn"]

    def balancer(self, name: str = "web", **settings) -> str:
        settings = {"Subnets": self.subnet_ids, **settings}
        return self.elbv2.create_load_balancer(Name=name, **settings)["LoadBalancers"][0][
            "LoadBalancerArn"
        ]

    def group(self, name: str = "servers", **settings) -> str:
        settings = {"Protocol": "HTTP", "Port": 80, "VpcId": self.vpc, **settings}
        settings = {key: value for key, value in settings.items() if value is not None}
        return self.elbv2.create_target_group(Name=name, **settings)["TargetGroups"][0][
            "TargetGroupArn"
        ]

    def listener(self, balancer: str, group: str | None = None, **settings) -> str:
        action = {"Type": "forward", "TargetGroupArn": group}
        if group is None:
            action = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}
        settings = {"Protocol": "HTTP", "Port": 80, "DefaultActions": [action], **settings}
        return self.elbv2.create_listener(LoadBalancerArn=balancer, **settings)["Listeners"][0][
            "ListenerArn"
        ]

    def rule(self, listener: str, priority: int = 1, **settings) -> str:
        settings = {
            "Conditions": [{"Field": "path-pattern", "Values": ["/a"]}],
            "Actions": [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}],
            **settings,
        }
        return self.elbv2.create_rule(ListenerArn=listener, Priority=priority, **settings)["Rules"][
            0
        ]["RuleArn"]


@contextlib.contextmanager
def refused(code: str, *said: str) -> Iterator[None]:
    """The block's last call is refused with this code, by a message that has these words."""
    with pytest.raises(ClientError) as refusal:
        yield
    error = refusal.value.response["Error"]
    assert error["Code"] == code, error
    assert all(words in error["Message"] for words in said), error["Message"]
