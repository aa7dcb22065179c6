"""Servers to balance over: instances that run a program, in a network that lets balancers in.

Each function looks at what is there and makes what is missing, so that it can run again. It takes
a boto3 client; `name` is the full name of what it makes, as `aws.name("one")` gives it.
Sources: EC2 API; EC2 user guide, "Run commands when you launch an EC2 instance with user data
input", "Reference the latest AMIs using Systems Manager public parameters".
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

#: AWS's newest Amazon Linux 2023, whatever region and day. Its `python3` runs the user data.
IMAGE = "resolve:ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"
INSTANCE_TYPE = "t3.micro"
PORT = 80  # where the programs listen
#: Programs for servers, in this folder: one says who it is, one passes messages on to all.
WHOAMI, CHAT = "whoami.py", "chat.py"
ANYWHERE = "0.0.0.0/0"


class Network(NamedTuple):
    """Where a fleet stands.

    subnets:   two, each in another Availability Zone: an ALB takes no fewer.
    balancers: the security group of whatever the world may reach at port 80.
    servers:   the security group of whatever only those may reach.
    """

    vpc_id: str
    subnets: tuple[str, str]
    balancers: str
    servers: str


class Server(NamedTuple):
    """An instance. name: what it calls itself in its answers."""

    name: str
    instance_id: str


def network(ec2: Any, name: str) -> Network:
    """The region's default network, with the security groups NAME-balancers and NAME-servers.

    Raises RuntimeError in a region without a default VPC of two zones.
    """
    vpc_id, subnets = default_subnets(ec2)
    balancers = security_group(ec2, f"{name}-balancers", vpc_id, "Load balancers: open to all")
    servers = security_group(ec2, f"{name}-servers", vpc_id, "Servers: open to load balancers")
    allow(ec2, balancers, {"IpRanges": [{"CidrIp": ANYWHERE}]})
    allow(ec2, servers, {"UserIdGroupPairs": [{"GroupId": balancers}]})
    return Network(vpc_id, subnets, balancers, servers)


def default_subnets(ec2: Any) -> tuple[str, tuple[str, str]]:
    """The default VPC, and its default subnets in the first two zones. Raises RuntimeError."""
    default = [{"Name": "default-for-az", "Values": ["true"]}]
    found = ec2.describe_subnets(Filters=default)["Subnets"]
    if len(found) < 2:
        raise RuntimeError(
            f"A default VPC with subnets in two zones is needed; {len(found)} default subnets are"
            " there. `aws ec2 create-default-vpc` makes them all, in a region that has none."
        )
    first, second, *_ = sorted(found, key=lambda subnet: subnet["AvailabilityZone"])
    return first["VpcId"], (first["SubnetId"], second["SubnetId"])


def security_group(ec2: Any, name: str, vpc_id: str, description: str) -> str:
    """The id of the VPC's security group of this name; a new one is open to nobody."""
    named = {"group-name": name, "vpc-id": vpc_id}
    filters = [{"Name": key, "Values": [value]} for key, value in named.items()]
    found = ec2.describe_security_groups(Filters=filters)["SecurityGroups"]
    if found:
        return found[0]["GroupId"]
    group = ec2.create_security_group(GroupName=name, VpcId=vpc_id, Description=description)
    return group["GroupId"]


def allow(ec2: Any, group_id: str, sources: dict[str, Any], port: int = PORT) -> None:
    """Open a port of a security group. sources: `IpRanges` or `UserIdGroupPairs`, as in EC2."""
    rule = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, **sources}
    try:
        ec2.authorize_security_group_ingress(GroupId=group_id, IpPermissions=[rule])
    except ec2.exceptions.ClientError as error:
        if error.response["Error"]["Code"] != "InvalidPermission.Duplicate":
            raise


def servers(
    ec2: Any,
    names: Sequence[str],
    where: Network,
    *,
    program: str | Path = WHOAMI,
    **constants: Any,
) -> list[Server]:
    """Running instances of these names, in turn in one zone and the other.

    An instance calls itself by the last word of its name: "one" for "ada-12-one".
    program, constants: as in `user_data`. An instance that runs already keeps its own.
    """
    there = running(ec2, names)
    fleet = []
    for index, name in enumerate(names):
        script = user_data(name.rpartition("-")[2], program, **constants)
        subnet = where.subnets[index % 2]
        instance_id = there.get(name) or launch(ec2, name, script, subnet, where.servers)
        fleet.append(Server(name.rpartition("-")[2], instance_id))
    ids = [server.instance_id for server in fleet]
    ec2.get_waiter("instance_running").wait(InstanceIds=ids, WaiterConfig={"Delay": 1})
    return fleet


def running(ec2: Any, names: Sequence[str]) -> dict[str, str]:
    """Name -> id of the instances of these names that run, or soon will."""
    filters = [
        {"Name": "tag:Name", "Values": list(names)},
        {"Name": "instance-state-name", "Values": ["pending", "running"]},
    ]
    pages = ec2.get_paginator("describe_instances").paginate(Filters=filters)
    return {
        tag["Value"]: instance["InstanceId"]
        for page in pages
        for reservation in page["Reservations"]
        for instance in reservation["Instances"]
        for tag in instance["Tags"]
        if tag["Key"] == "Name"
    }


def launch(ec2: Any, name: str, script: str, subnet_id: str, group_id: str) -> str:
    """Start one instance; its id. At its first boot it runs the script as root."""
    reservation = ec2.run_instances(
        ImageId=IMAGE,
        InstanceType=INSTANCE_TYPE,
        MinCount=1,
        MaxCount=1,
        SubnetId=subnet_id,
        SecurityGroupIds=[group_id],
        UserData=script,
        TagSpecifications=[
            {"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": name}]},
        ],
    )
    return reservation["Instances"][0]["InstanceId"]


def user_data(name: str, program: str | Path = WHOAMI, **constants: Any) -> str:
    """The script of a server that calls itself by a name; "" for the name of its host.

    program:   a file of this folder, or the path of another, with a constant NAME.
    constants: its others, in lower case. Those of `whoami.py` are `slowness` (how many times as
               long as others it takes for `/slow/...`), `upstream` (whom it asks for `/order`) and
               `port`.

    Raises LookupError for a constant that the program does not have.
    """
    script = (Path(__file__).parent / program).read_text(encoding="utf-8")
    return with_constants(script, NAME=name, **{key.upper(): constants[key] for key in constants})


def with_constants(script: str, **constants: Any) -> str:
    """A script, some of whose constants have other values.

    Raises LookupError for one that the script does not have at the beginning of a line.

    >>> with_constants("PORT = 80  # HTTP", PORT=81)
    'PORT = 81  # HTTP'
    """
    for name, value in constants.items():
        line = re.compile(rf"^({name} = )\S+", re.M)
        script, times = line.subn(lambda found, value=value: found[1] + repr(value), script)
        if times != 1:
            raise LookupError(f"{name} is set {times} times in the script, not once")
    return script
