"""What the tests of load balancers make in a mocked account, in few words."""

import contextlib
import functools
import http.client
import json
import socket
from typing import Any

from labs.cloud.names import labs_names
from tests.cloud.mock.balancing.plane_world import Got, until

#: A server that says who it is and whom it serves. `/slow/SECONDS`, `/die`, `/health` and `/sick`.
SCRIPT = """#!/usr/bin/env python3
import http.server, json, os, socket, time
sick, slow = False, 0

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self):
        global sick, slow
        words = self.path.split("/")
        if words[1] == "die":
            os._exit(1)
        if words[1] == "slow":
            slow += 1
            time.sleep(float(words[2]))
        sick = sick or words[1] == "sick"
        body = json.dumps({
            "me": socket.gethostname(), "port": PORT, "peer": self.client_address, "slow": slow,
            "headers": {name.lower(): value for name, value in self.headers.items()},
        }).encode()
        self.send_response(500 if sick and words[1] == "health" else 200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Whoami", socket.gethostname())
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words):
        pass

class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 128

PORT = 80
Server(("", PORT), Handler).serve_forever()
"""
FAST = {
    "HealthCheckIntervalSeconds": 5,
    "HealthCheckTimeoutSeconds": 2,
    "HealthyThresholdCount": 2,
    "UnhealthyThresholdCount": 2,
    "HealthCheckPath": "/health",
}


@functools.cache  # making one takes long
def client(aws: Any, name: str, account: str | None, region: str | None) -> Any:
    """A client of an account, which moto takes from a header, and a region."""
    made = aws.client(name, region_name=region)
    if account:
        made.meta.events.register(
            "before-sign",
            lambda request, **_: request.headers.add_header("x-moto-account-id", account),
        )
    return made


class Network:
    """Clients, the default VPC, and a security group that lets everybody in at any port."""

    def __init__(self, aws: Any, account: str | None = None, region: str | None = None) -> None:
        """account: another one than the learner's."""
        self.aws = aws
        for name in ("ec2", "elb", "elbv2", "acm", "autoscaling"):
            setattr(self, name, client(aws, name, account, region))
        self.vpc = self.ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
        self.subnets = [s["SubnetId"] for s in self.ec2.describe_subnets()["Subnets"]]
        self.open = self.security_group("open", (0, 65535, "0.0.0.0/0"))

    def security_group(self, name: str, *rules: tuple[int, int, str]) -> str:
        """(from port, to port, CIDR or group id)."""
        group = self.ec2.create_security_group(GroupName=name, Description=name, VpcId=self.vpc)[
            "GroupId"
        ]
        for rule in rules:
            self.allow(group, *rule)
        return group

    def allow(self, group: str, first: int, last: int, source: str) -> None:
        permission: dict[str, Any] = {"IpProtocol": "tcp", "FromPort": first, "ToPort": last}
        if source.startswith("sg-"):
            permission["UserIdGroupPairs"] = [{"GroupId": source}]
        else:
            permission["IpRanges"] = [{"CidrIp": source}]
        self.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[permission])

    def instances(self, count: int = 1, script: str = SCRIPT, **more: Any) -> list[str]:
        """Running, in the first subnet; their servers listen."""
        made = self.ec2.run_instances(
            ImageId="ami-12c6146b",
            MinCount=count,
            MaxCount=count,
            UserData=script,
            **{"SubnetId": self.subnets[0], "SecurityGroupIds": [self.open], **more},
        )["Instances"]
        addresses = [instance["PublicIpAddress"] for instance in made]
        until(lambda: all(map(serving, addresses)), 20)
        return [instance["InstanceId"] for instance in made]

    def private(self, instance: str) -> str:
        return self.describe(instance)["PrivateIpAddress"]

    def describe(self, instance: str) -> dict[str, Any]:
        return self.ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][
            0
        ]

    def group(self, name: str, *instances: str, **more: Any) -> str:
        """A target group with fast checks; deregistration takes 1 s."""
        checks = {} if more.get("Protocol") in ("TCP", "TLS") else FAST
        settings = {"Protocol": "HTTP", "Port": 80, "VpcId": self.vpc, **checks, **more}
        arn = self.elbv2.create_target_group(Name=name, **settings)["TargetGroups"][0][
            "TargetGroupArn"
        ]
        self.attributes(arn, **{"deregistration_delay.timeout_seconds": "25"})
        if instances:
            self.register(arn, *instances)
        return arn

    def attributes(self, group: str, **attributes: str) -> None:
        pairs = [{"Key": key, "Value": value} for key, value in attributes.items()]
        self.elbv2.modify_target_group_attributes(TargetGroupArn=group, Attributes=pairs)

    def register(self, group: str, *instances: str) -> None:
        targets = [{"Id": instance} for instance in instances]
        self.elbv2.register_targets(TargetGroupArn=group, Targets=targets)

    def deregister(self, group: str, *instances: str) -> None:
        targets = [{"Id": instance} for instance in instances]
        self.elbv2.deregister_targets(TargetGroupArn=group, Targets=targets)

    def balancer(self, name: str, **more: Any) -> dict[str, Any]:
        """An ALB without listeners."""
        settings = {"Subnets": self.subnets[:2], "SecurityGroups": [self.open], **more}
        return self.elbv2.create_load_balancer(Name=name, **settings)["LoadBalancers"][0]

    def listener(self, balancer: dict[str, Any], *groups: str, **more: Any) -> str:
        """HTTP at port 80 that forwards; its ARN."""
        actions = [{"Type": "forward", "TargetGroupArn": group} for group in groups]
        settings = {"Protocol": "HTTP", "Port": 80, "DefaultActions": actions, **more}
        made = self.elbv2.create_listener(LoadBalancerArn=balancer["LoadBalancerArn"], **settings)
        return made["Listeners"][0]["ListenerArn"]

    def alb(self, group: str, name: str = "alb") -> str:
        """The DNS name of an ALB before a group."""
        balancer = self.balancer(name)
        self.listener(balancer, group)
        return balancer["DNSName"]

    def nlb(self, group: str, name: str = "nlb", **more: Any) -> str:
        """The DNS name of an NLB before a group of TCP."""
        balancer = self.balancer(name, Type="network", **more)
        self.listener(balancer, group, Protocol="TCP")
        return balancer["DNSName"]

    def classic(self, name: str, *instances: str, protocol: str = "HTTP", **more: Any) -> str:
        """The DNS name of a Classic balancer with fast checks."""
        listener = {"Protocol": protocol, "LoadBalancerPort": 80, "InstancePort": 80}
        settings = {
            "Listeners": [listener],
            "Subnets": self.subnets[:1],
            "SecurityGroups": [self.open],
            **more,
        }
        dns_name = self.elb.create_load_balancer(LoadBalancerName=name, **settings)["DNSName"]
        self.elb.configure_health_check(
            LoadBalancerName=name,
            HealthCheck={
                "Target": "HTTP:80/health",
                "Interval": 5,
                "Timeout": 2,
                "UnhealthyThreshold": 2,
                "HealthyThreshold": 2,
            },
        )
        if instances:
            self.elb.register_instances_with_load_balancer(
                LoadBalancerName=name, Instances=[{"InstanceId": one} for one in instances]
            )
        return dns_name

    def health(self, group: str) -> dict[str, dict[str, str]]:
        """TargetHealth by id, or by "id:port" where an id comes twice."""
        found = self.elbv2.describe_target_health(TargetGroupArn=group)
        return {
            f"{one['Target']['Id']}:{one['Target'].get('Port')}": one["TargetHealth"]
            for one in found["TargetHealthDescriptions"]
        }

    def wait_for(self, group: str, state: str = "healthy", seconds: float = 15) -> None:
        """Until all targets are in a state, and there is one."""
        until(lambda: {one["State"] for one in self.health(group).values()} == {state}, seconds)

    def in_service(self, name: str) -> list[str]:
        """Instances of a Classic balancer that are."""
        states = self.elb.describe_instance_health(LoadBalancerName=name)["InstanceStates"]
        return [one["InstanceId"] for one in states if one["State"] == "InService"]


def get(host: str, path: str = "/", port: int = 80, **headers: str) -> Got:
    """One request by name, on a connection of its own."""
    with contextlib.closing(http.client.HTTPConnection(host, port, timeout=20)) as connection:
        connection.request("GET", path, headers=headers)
        return Got(connection.getresponse())


def said(host: str, path: str = "/") -> dict[str, Any]:
    return json.loads(get(host, path).body)


def serving(address: str) -> bool:
    """Does anything listen there, says the address book?"""
    return bool(labs_names.read()["hosts"].get(address, {}).get("ports"))


def silent(host: str, port: int) -> bool:
    """Does a connect to it end in the caller's time-out?"""
    try:
        socket.create_connection((host, port), timeout=0.5).close()
    except TimeoutError:
        return True
    return False
