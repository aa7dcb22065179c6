"""Who reaches an instance: security groups decide, and what they do not open is silent."""

import shutil
import sys

import pytest

from tests.cloud.mock.instances.conftest import SEES

SILENT, REFUSED, SERVED = "silent", "refused", "served"

TRY = """
import socket

def reach(host, port, timeout=0.4):
    try:
        with socket.create_connection((host, port), timeout) as sock:
            sock.settimeout(10)
            sock.sendall(b"GET / HTTP/1.0\\r\\n\\r\\n")
            return sock.makefile().read().split()[-4]
    except TimeoutError:
        return "silent"
    except ConnectionRefusedError:
        return "refused"
"""
needs_curl = pytest.mark.skipif(not shutil.which("curl"), reason="this machine has no curl")


@pytest.fixture
def web(cloud):
    """Listens on 80; 80 and 81 are open to everybody, 82 to another network."""
    cloud.ec2.authorize_security_group_ingress(
        GroupId=cloud.group,
        IpPermissions=[
            {
                "IpProtocol": "tcp",
                "FromPort": 81,
                "ToPort": 81,
                "IpRanges": [{"CidrIp": "203.0.113.0/29"}],
            },
            {
                "IpProtocol": "tcp",
                "FromPort": 82,
                "ToPort": 82,
                "IpRanges": [{"CidrIp": "10.0.0.0/8"}],
            },
        ],
    )
    return cloud.run(SEES).listens()


def test_the_learner_meets_an_open_port_a_closed_one_and_one_where_nobody_listens(cloud, web):
    code = f"""
    {TRY.replace(chr(10), chr(10) + "    ")}
    name, address, private = {web.record["PublicDnsName"]!r}, {web.public!r}, {web.private!r}
    for host in (name, address):
        print([reach(host, port) for port in (80, 81, 82)])
    print(reach(private, 80))
    """
    by_name, by_address, private = cloud.python(code).splitlines()
    assert by_name == by_address == str(["203.0.113.5", REFUSED, SILENT])
    assert private == SILENT  # from outside nobody routes to it


def test_a_private_name_is_unknown_outside(cloud, web):
    code = f"""
    import socket
    try:
        socket.getaddrinfo({web.record["PrivateDnsName"]!r}, 80)
    except socket.gaierror as error:
        print(error)
    """
    assert "private name" in cloud.python(code)


def test_rules_count_from_the_next_connection_on(cloud, web):
    code = TRY + f"\nprint(reach({web.public!r}, 80))"
    assert cloud.python(code) == "203.0.113.5"
    cloud.ec2.revoke_security_group_ingress(
        GroupId=cloud.group,
        IpPermissions=[
            {
                "IpProtocol": "tcp",
                "FromPort": 80,
                "ToPort": 80,
                "IpRanges": [{"CidrIp": "0.0.0.0/0"}],
            }
        ],
    )
    assert cloud.python(code) == SILENT


def test_asyncio_waits_in_silence_and_other_work_goes_on(cloud, web):
    code = f"""
    import asyncio

    async def main():
        silent = asyncio.ensure_future(asyncio.open_connection({web.public!r}, 82))
        reader, writer = await asyncio.open_connection({web.public!r}, 80)
        writer.write(b"GET / HTTP/1.0\\r\\n\\r\\n")
        print((await reader.read()).split()[-4].decode())
        done, pending = await asyncio.wait([silent], timeout=0.4)
        print(len(pending))
        silent.cancel()

    asyncio.run(main())
    """
    assert cloud.python(code).split() == ["203.0.113.5", "1"]


def test_connect_ex_and_a_non_blocking_socket_in_silence(cloud, web):
    code = f"""
    import errno, select, socket
    sock = socket.socket()
    sock.settimeout(0.3)
    print(sock.connect_ex(({web.public!r}, 82)) in (errno.EAGAIN, errno.EWOULDBLOCK))
    sock = socket.socket()
    sock.setblocking(False)
    print(sock.connect_ex(({web.public!r}, 82)) in (errno.EINPROGRESS, errno.EWOULDBLOCK))
    print(select.select([], [sock], [], 0.3)[1])
    """
    assert cloud.python(code).split() == ["True", "True", "[]"]


@needs_curl
@pytest.mark.parametrize(("port", "code"), [(80, 0), (81, 7), (82, 28), (9999, 28)])
def test_curl_ends_with_the_codes_that_it_has_for_them(cloud, web, port, code):
    result = cloud.curl(f"http://{web.public}:{port}/")
    assert result.returncode == code, result.stderr
    if code == 0:
        assert result.stdout.startswith("203.0.113.5 ")


def test_a_group_as_source_lets_in_its_instances_at_private_addresses_only(cloud):
    clients = cloud.make_group("clients")
    source = {"UserIdGroupPairs": [{"GroupId": clients}]}
    servers = cloud.make_group("servers", 80, source=source)
    server = cloud.run(SEES, servers).listens()
    name = server.record["PublicDnsName"]
    code = TRY + (
        f"\nfor host in ({server.private!r}, {name!r}, {server.public!r}):"
        "\n    print('->', host, reach(host, 80))\nprint('done')"
    )
    member = cloud.run("#!/usr/bin/env python3\n" + code, clients).says("done")
    stranger = cloud.run("#!/usr/bin/env python3\n" + code, cloud.group).says("done")
    assert f"-> {server.private} {member.private}" in member.console
    # In the VPC the public name means the private address.
    assert f"-> {name} {member.private}" in member.console
    assert f"-> {server.public} silent" in member.console
    assert stranger.console.count("silent") == 3


def test_at_a_public_address_an_instance_is_seen_from_its_public_one(cloud):
    server = cloud.run(SEES).listens()
    code = TRY + f"\nprint('->', reach({server.public!r}, 80))"
    client = cloud.run("#!/usr/bin/env python3\n" + code).says("->")
    assert f"-> {client.public}" in client.console


def test_an_instance_without_a_public_address_reaches_no_public_one(cloud):
    server = cloud.run(SEES).listens()
    subnet = cloud.ec2.describe_subnets()["Subnets"][0]["SubnetId"]
    code = TRY + f"\nprint('->', reach({server.public!r}, 80), reach({server.private!r}, 80))"
    client = cloud.run(
        "#!/usr/bin/env python3\n" + code,
        SecurityGroupIds=[],
        NetworkInterfaces=[
            {
                "DeviceIndex": 0,
                "SubnetId": subnet,
                "AssociatePublicIpAddress": False,
                "Groups": [cloud.group],
            }
        ],
    ).says("->")
    assert f"-> silent {client.private}" in client.console


def test_two_vpcs_may_use_the_same_addresses(cloud):
    places = []
    for _ in range(2):
        vpc = cloud.ec2.create_vpc(CidrBlock="10.7.0.0/16")["Vpc"]["VpcId"]
        subnet = cloud.ec2.create_subnet(VpcId=vpc, CidrBlock="10.7.1.0/24")["Subnet"]["SubnetId"]
        group = cloud.ec2.create_security_group(GroupName="all", Description="-", VpcId=vpc)
        cloud.ec2.authorize_security_group_ingress(
            GroupId=group["GroupId"],
            IpPermissions=[{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "10.7.0.0/16"}]}],
        )
        places.append({"SubnetId": subnet, "SecurityGroupIds": [group["GroupId"]]})
    answers = SEES.replace('" ".join(map(str, seen))', "{name!r}")
    for name, place in zip("ab", places, strict=True):
        cloud.run(
            "#!/usr/bin/env python3\n" + answers.replace("{name!r}", repr(f"{name} x x x")),
            PrivateIpAddress="10.7.1.9",
            **place,
        ).listens()
    for name, place in zip("ab", places, strict=True):
        code = TRY + "\nprint('->', reach('10.7.1.9', 80))"
        cloud.run("#!/usr/bin/env python3\n" + code, **place).says(f"-> {name}")


@pytest.mark.skipif(sys.platform != "linux", reason="where SYNs are dropped")
def test_the_silent_port_is_silent_to_any_program(cloud):
    port = cloud.instances.silent_port
    code = f"""
    import _socket
    sock = _socket.socket()
    sock.settimeout(0.3)
    try:
        sock.connect(("127.0.0.1", {port}))
    except TimeoutError:
        print("silent")
    """
    for _ in range(3):
        assert cloud.python(code) == SILENT
