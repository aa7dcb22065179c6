"""A hosted zone in an account of a real mock, and balancers that answer at once."""

import itertools

import pytest

from tests.cloud.mock.balancing.network import Network

_references = itertools.count()


class Shop:
    """The hosted zone shop.example, with a network for what its names lead to."""

    name = "shop.example"

    def __init__(self, aws):
        self.aws = aws
        self.route53 = aws.client("route53")
        self.network = Network(aws)
        self.id = self.zone(self.name)

    def zone(self, name, **more):
        """The id of a new hosted zone."""
        reference = str(next(_references))
        made = self.route53.create_hosted_zone(Name=name, CallerReference=reference, **more)
        return made["HostedZone"]["Id"].rpartition("/")[2]

    def change(self, *changes, zone=None):
        """(action, record set) each, in one batch."""
        batch = [{"Action": action, "ResourceRecordSet": one} for action, one in changes]
        return self.route53.change_resource_record_sets(
            HostedZoneId=zone or self.id, ChangeBatch={"Changes": batch}
        )

    def addresses(self, label, *values, zone=None, name=None):
        """An A record with these values."""
        records = [{"Value": value} for value in values]
        spelt = f"{label}.{name or self.name}"
        self.change(
            ("UPSERT", {"Name": spelt, "Type": "A", "TTL": 60, "ResourceRecords": records}),
            zone=zone,
        )

    def alias(self, dns_name, label="www", **more):
        """An A record that is an alias of a balancer."""
        target = {
            "HostedZoneId": self.zone_of(dns_name),
            "DNSName": dns_name,
            "EvaluateTargetHealth": False,
        }
        return {"Name": f"{label}.{self.name}", "Type": "A", "AliasTarget": target, **more}

    def weigh(self, weights, label="www"):
        """Weighted aliases: a weight for each balancer's DNS name."""
        self.change(
            *(
                ("UPSERT", self.alias(name, label, SetIdentifier=name[:20], Weight=weight))
                for name, weight in weights.items()
            )
        )

    def zone_of(self, dns_name):
        """The hosted zone's id that DescribeLoadBalancers tells of a balancer."""
        classic = self.network.elb.describe_load_balancers()["LoadBalancerDescriptions"]
        newer = self.network.elbv2.describe_load_balancers()["LoadBalancers"]
        ids = {one["DNSName"]: one["CanonicalHostedZoneNameID"] for one in classic}
        ids |= {one["DNSName"]: one["CanonicalHostedZoneId"] for one in newer}
        return ids[dns_name]

    def answer(self, label, kind="A", zone=None):
        return self.route53.test_dns_answer(
            HostedZoneId=zone or self.id, RecordName=f"{label}.{self.name}", RecordType=kind
        )

    def fixed(self, balancer_name, body, **more):
        """The DNS name of an ALB that answers every request with this text."""
        balancer = self.network.balancer(balancer_name)
        content = {"StatusCode": "200", "ContentType": "text/plain", "MessageBody": body}
        action = {"Type": "fixed-response", "FixedResponseConfig": content}
        self.network.listener(balancer, DefaultActions=[action], **more)
        return balancer["DNSName"]


@pytest.fixture
def shop(mock_process, aws):
    return Shop(mock_process)
