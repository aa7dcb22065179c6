"""In mock mode nothing reaches a real account, however the machine is set up.

A home with real-looking profiles and every variable that redirects AWS's tools; boto3, a
subprocess and the `aws` command must all end at the mock, a terminal at a dead endpoint.
"""

import os

import pytest

from tests.cloud.processes import python

POISON = {
    "AWS_PROFILE": "production",
    "AWS_DEFAULT_PROFILE": "production",
    "AWS_ACCESS_KEY_ID": "AKIAREALREALREALREAL",
    "AWS_SECRET_ACCESS_KEY": "real",
    "AWS_SESSION_TOKEN": "real",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9",
    "AWS_ENDPOINT_URL_STS": "http://127.0.0.1:9",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true",
    "AWS_USE_FIPS_ENDPOINT": "true",
    "AWS_ROLE_ARN": "arn:aws:iam::999999999999:role/real",
    "AWS_WEB_IDENTITY_TOKEN_FILE": "/nowhere",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:9/credentials",
    "AWS_REGION": "eu-central-1",
    "AWS_CA_BUNDLE": "/nowhere/bundle.pem",
}
CONFIG = """
[default]
region = eu-central-1
endpoint_url = http://127.0.0.1:9
services = elsewhere
ignore_configured_endpoint_urls = true
[profile production]
region = eu-central-1
role_arn = arn:aws:iam::999999999999:role/real
source_profile = default
[services elsewhere]
s3 =
  endpoint_url = http://127.0.0.1:9
"""
CREDENTIALS = """
[default]
aws_access_key_id = AKIAREALREALREALREAL
aws_secret_access_key = real
[production]
aws_access_key_id = AKIAREALREALREALREAL
aws_secret_access_key = real
"""


@pytest.fixture
def poisoned(tmp_path) -> dict[str, str]:
    """The environment of a user whose machine is full of AWS settings."""
    home = tmp_path / "a home"
    (home / ".aws").mkdir(parents=True)
    (home / ".aws" / "config").write_text(CONFIG)
    (home / ".aws" / "credentials").write_text(CREDENTIALS)
    own_files = ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE")
    clean = {name: value for name, value in os.environ.items() if name not in own_files}
    return {**clean, **POISON, "HOME": str(home), "USERPROFILE": str(home)}


WHO = "sts.get_caller_identity()['Account'], boto3.client('s3').list_buckets()['Buckets']"


def run(code: str, environment: dict[str, str]) -> str:
    with python(code, env=environment) as process:
        return process.communicate(timeout=100)[0]


def test_boto3_in_the_kernel_ends_at_the_mock(poisoned):
    code = f"""
    from labs import cloud
    aws = cloud.connect(lesson="t")
    aws.client("s3").create_bucket(Bucket="in-the-mock")
    import boto3
    sts = boto3.client("sts")
    account, buckets = {WHO}
    print(account, [bucket["Name"] for bucket in buckets], aws.region)
    """
    assert run(code, poisoned) == "123456789012 ['in-the-mock'] us-east-1\n"


def test_children_end_at_the_mock(poisoned):
    code = """
    import subprocess, sys
    from labs import cloud
    aws = cloud.connect(lesson="t")
    aws.client("s3").create_bucket(Bucket="in-the-mock")
    script = "import boto3; print(boto3.client('s3').list_buckets()['Buckets'][0]['Name'])"
    print(subprocess.check_output([sys.executable, "-c", script], text=True).strip())
    listing = ["aws", "s3api", "list-buckets", "--query", "Buckets[].Name", "--output", "text"]
    print(subprocess.check_output(listing, text=True).strip())
    who = ["aws", "sts", "get-caller-identity", "--query", "Account", "--output", "text"]
    print(subprocess.check_output(who, text=True).strip())
    """
    assert run(code, poisoned).split() == ["in-the-mock", "in-the-mock", "123456789012"]


def test_before_connect_everything_is_refused(poisoned):
    code = """
    from labs import cloud
    import boto3, botocore.exceptions
    try:
        boto3.client("sts").get_caller_identity()
    except botocore.exceptions.EndpointConnectionError as refused:
        print("refused")
    """
    assert run(code, poisoned) == "refused\n"


def test_a_lambda_ends_at_the_mock_under_its_role(poisoned):
    code = """
    import io, json, zipfile
    from labs import cloud
    aws = cloud.connect(lesson="t")
    archive = io.BytesIO()
    source = "import boto3\\nsts = boto3.client('sts')\\n"
    source += "def f(event, context):\\n  return sts.get_caller_identity()['Arn']"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("app.py", source)
    trust = {"Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"},
                            "Action": "sts:AssumeRole"}]}
    role = aws.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps(trust))
    functions = aws.client("lambda")
    functions.create_function(FunctionName="f", Runtime="python3.13", Handler="app.f",
                              Role=role["Role"]["Arn"], Code={"ZipFile": archive.getvalue()})
    print(functions.invoke(FunctionName="f")["Payload"].read().decode())
    """
    assert run(code, poisoned) == '"arn:aws:sts::123456789012:assumed-role/r/f"\n'


def test_a_terminal_of_jupyterlab_is_at_a_dead_end_until_it_joins(poisoned):
    """What `labs lab` gives its server and terminals, and what `aws.shell_env()` adds."""
    code = """
    import contextlib, io, os, subprocess, tempfile
    from pathlib import Path
    from labs import cloud
    from labs.cloud import environment
    aws = cloud.connect(lesson="t")
    aws.client("s3").create_bucket(Bucket="in-the-mock")
    dead = environment.dead_endpoint_url()
    terminal = environment.lab_variables(environment.folder(), dead, environment.original())
    listing = "aws s3api list-buckets --query Buckets[].Name --output text"
    alone = subprocess.run(["bash", "-c", listing], env=terminal, capture_output=True, text=True)
    print(alone.returncode, "Could not connect" in alone.stderr)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        aws.shell_env()
    joined = ["bash", "-c", printed.getvalue() + listing]
    print(subprocess.check_output(joined, env=terminal, text=True).strip())
    """
    if os.name == "nt":
        pytest.skip("the lines are for PowerShell there")
    first, second = run(code, poisoned).splitlines()
    assert first.endswith(" True")
    assert not first.startswith("0")
    assert second == "in-the-mock"


def test_no_lesson_needs_a_network():
    """Names outside AWS are none of the mock's business; AWS's own never get out."""
    code = """
    from labs import cloud
    import socket
    aws = cloud.connect(lesson="t")
    for name in "s3.amazonaws.com", "nobody.execute-api.us-east-1.amazonaws.com":
        try:
            print(socket.getaddrinfo(name, 443)[0][4][0])
        except socket.gaierror as unknown:
            print("no such name" if "mock" in str(unknown) else unknown)
    try:
        socket.create_connection(("54.214.1.2", 443), timeout=5)
    except OSError as refused:
        print(type(refused).__name__)
    """
    lines = run(code, dict(os.environ)).splitlines()
    assert lines == ["127.0.0.1", "no such name", "ConnectionRefusedError"]
