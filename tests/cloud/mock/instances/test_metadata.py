"""169.254.169.254, as an instance finds it."""

import json

import boto3
import pytest

from labs.cloud.mock.instances.metadata import LONGEST_TTL, TOKEN, TTL, Metadata

CURL = """
import json, urllib.request

def ask(path, method="GET", **headers):
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    url = "http://169.254.169.254/latest/" + path
    request = urllib.request.Request(url, headers=names, method=method)
    try:
        return urllib.request.urlopen(request, timeout=5).read().decode()
    except urllib.error.HTTPError as error:
        return error.code

token = ask("api/token", "PUT", X_aws_ec2_metadata_token_ttl_seconds="60")

def get(path):
    return ask(path, X_aws_ec2_metadata_token=token)
"""


class Web:
    """An instance as moto has it, with the switches of its service."""

    required = on = True

    def metadata(self):
        facts = {
            "meta-data/instance-id": b"i-1",
            "meta-data/placement/region": b"eu-west-1",
            "meta-data/placement/availability-zone": b"eu-west-1a",
            "user-data": b"#!",
        }
        return facts

    def token_required(self):
        return self.required

    def enabled(self):
        return self.on


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def web():
    return Web()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def service(web, clock):
    return Metadata(web, clock)


@pytest.fixture
def token(service):
    answer = service.answer("PUT", "/latest/api/token", {TTL: "60"})
    assert answer.headers == ((TTL, "60"),)
    return {TOKEN: answer.body.decode()}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/latest/meta-data/instance-id", b"i-1"),
        ("/2021-03-23/meta-data/instance-id", b"i-1"),
        ("/latest/meta-data/instance-id/", b"i-1"),
        ("/latest/meta-data/placement/", b"availability-zone\nregion"),
        ("/latest/meta-data", b"instance-id\nplacement/"),
        ("/latest/", b"meta-data/\nuser-data"),
        ("/latest", b"meta-data/\nuser-data"),
        ("/latest/user-data", b"#!"),
        ("/", b"latest"),
    ],
)
def test_paths_and_folders(service, token, path, body):
    assert service.answer("GET", path, token) == (200, body, ())


@pytest.mark.parametrize(
    "path", ["/latest/meta-data/instance", "/latest/meta", "/newest/meta-data/", "/latest/dynamic/"]
)
def test_what_it_does_not_know(service, token, path):
    assert service.answer("GET", path, token).status == 404


def test_without_a_token_it_tells_nothing_where_one_is_required(service, web, token):
    assert service.answer("GET", "/latest/meta-data/", {}).status == 401
    assert service.answer("GET", "/latest/meta-data/", {TOKEN: "made-up"}).status == 401
    web.required = False
    assert service.answer("GET", "/latest/meta-data/", {}).status == 200
    assert service.answer("GET", "/latest/meta-data/", {TOKEN: "made-up"}).status == 401
    web.on = False
    assert service.answer("GET", "/latest/meta-data/", token).status == 403


def test_a_token_lives_as_long_as_was_asked_for(service, clock, token):
    clock.now = 59.9
    assert service.answer("GET", "/latest/user-data", token).status == 200
    clock.now = 60
    assert service.answer("GET", "/latest/user-data", token).status == 401


@pytest.mark.parametrize("ttl", [None, "", "0", str(LONGEST_TTL + 1), "-1", "1.5", "x", "²"])
def test_a_token_needs_a_life_of_one_second_to_six_hours(service, ttl):
    headers = {} if ttl is None else {TTL: ttl}
    assert service.answer("PUT", "/latest/api/token", headers).status == 400


def test_no_token_leaves_through_a_proxy(service):
    headers = {TTL: "60", "x-forwarded-for": "203.0.113.9"}
    assert service.answer("PUT", "/latest/api/token", headers).status == 403


def test_other_methods_are_refused(service, token):
    assert service.answer("GET", "/latest/api/token", token).status == 405
    assert service.answer("POST", "/latest/user-data", token).status == 405


def test_an_instance_finds_its_own(cloud):
    names = """instance-id local-ipv4 public-ipv4 local-hostname public-hostname ami-id
        instance-type placement/availability-zone placement/region security-groups"""
    code = f"""
print(json.dumps({{name: get("meta-data/" + name) for name in {names!r}.split()}}))
print(ask("meta-data/instance-id"))
print(json.loads(get("dynamic/instance-identity/document"))["instanceId"])
print(get("user-data").splitlines()[0])
print(get("meta-data/iam/security-credentials/"))
print("end")
"""
    script = f"#!/usr/bin/env python3\n{CURL}{code}"
    one = cloud.run(script, InstanceType="t3.micro").says("end")
    other = cloud.run(script).says("end")
    assert f'"instance-id": "{other.id}"' in other.console
    told, unasked, identity, first_line, role = one.console.splitlines()[:5]
    record = one.record
    assert json.loads(told) == {
        "instance-id": one.id,
        "local-ipv4": record["PrivateIpAddress"],
        "public-ipv4": record["PublicIpAddress"],
        "local-hostname": record["PrivateDnsName"],
        "public-hostname": record["PublicDnsName"],
        "ami-id": record["ImageId"],
        "instance-type": "t3.micro",
        "placement/availability-zone": record["Placement"]["AvailabilityZone"],
        "placement/region": "us-east-1",
        "security-groups": "web",
    }
    assert (unasked, identity, role) == ("401", one.id, "404")
    assert first_line == "#!/usr/bin/env python3"


def test_an_sdk_finds_the_roles_credentials(cloud):
    iam = boto3.client("iam", endpoint_url="https://iam.amazonaws.com")
    iam.create_role(RoleName="web", AssumeRolePolicyDocument="{}")
    iam.create_instance_profile(InstanceProfileName="of-web")
    iam.add_role_to_instance_profile(InstanceProfileName="of-web", RoleName="web")
    instance = cloud.run(
        """
        import boto3
        found = boto3.Session().get_credentials()
        print(found.method, found.access_key[:4], bool(found.token))
        """,
        IamInstanceProfile={"Name": "of-web"},
    )
    instance.says("iam-role ASIA True")


def test_the_learner_has_none(cloud):
    code = """
    import socket
    try:
        socket.create_connection(("169.254.169.254", 80), 1)
    except ConnectionRefusedError:
        print("refused")
    """
    assert cloud.python(code) == "refused"
