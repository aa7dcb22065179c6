"""Security groups as lists of who may come in where."""

from moto.ec2 import ec2_backends

from labs.cloud.mock.instances.groups import open_to


def opened(cloud, *permissions):
    group = cloud.make_group(f"g{len(permissions)}-{abs(hash(str(permissions)))}")
    if permissions:
        cloud.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=list(permissions))
    backend = ec2_backends["123456789012"]["us-east-1"]
    return open_to([backend.get_security_group_from_id(group)])


def permission(protocol, first=None, last=None, **sources):
    ports = {} if first is None else {"FromPort": first, "ToPort": last}
    return {"IpProtocol": protocol, **ports, **sources}


WORLD = {"IpRanges": [{"CidrIp": "0.0.0.0/0"}]}


def test_a_group_without_rules_opens_nothing(cloud):
    assert opened(cloud) == []


def test_tcp_and_all_traffic_count_and_other_protocols_do_not(cloud):
    assert opened(
        cloud,
        permission("tcp", 80, 90, **WORLD),
        permission("udp", 53, 53, **WORLD),
        permission("icmp", -1, -1, **WORLD),
        permission("-1", IpRanges=[{"CidrIp": "10.0.0.0/8"}]),
    ) == [[0, 65535, ["10.0.0.0/8"]], [80, 90, ["0.0.0.0/0"]]]


def test_sources_of_one_port_are_together_and_sorted(cloud):
    web = cloud.group
    found = opened(
        cloud,
        permission(
            "tcp",
            80,
            80,
            IpRanges=[{"CidrIp": "203.0.113.0/24"}, {"CidrIp": "10.0.0.0/8"}],
            Ipv6Ranges=[{"CidrIpv6": "::/0"}],
            UserIdGroupPairs=[{"GroupId": web}],
            PrefixListIds=[{"PrefixListId": "pl-1"}],
        ),
    )
    assert found == [[80, 80, sorted(["10.0.0.0/8", "203.0.113.0/24", "::/0", web])]]


def test_a_new_vpcs_default_group_opens_itself_to_its_members(cloud):
    """Source: VPC User Guide, "Default security groups"."""
    vpc = cloud.ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    backend = ec2_backends["123456789012"]["us-east-1"]
    group = backend.get_default_security_group(vpc)
    assert open_to([group]) == [[0, 65535, [group.id]]]
