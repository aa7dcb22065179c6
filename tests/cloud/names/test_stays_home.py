"""A machine full of real-looking AWS settings, and still every call ends at our endpoint."""

import shutil
import sys
from pathlib import Path

import pytest

CODE_BOTO3 = """
import boto3
print(boto3.client("sts").get_caller_identity()["Account"])
print(boto3.client("s3").list_buckets()["Owner"]["ID"])
"""
KERNEL = """
import os, subprocess, sys
from labs.cloud import environment
environment.enter()
environment.aim_at(sys.argv[1])
exec(sys.argv[2])
"""


@pytest.fixture
def hostile(world, tmp_path):
    """The shell of somebody who works with AWS every day. No key or host here is real."""
    home = tmp_path / "home of a busy person"
    (home / ".aws").mkdir(parents=True)
    keys = "aws_access_key_id = AKIAREALLOOKING00000\naws_secret_access_key = real\n"
    (home / ".aws" / "credentials").write_text(f"[default]\n{keys}[prod]\n{keys}")
    (home / ".aws" / "config").write_text(
        "[default]\nregion = eu-west-1\nendpoint_url = https://default.invalid\n"
        "[profile prod]\nregion = eu-west-1\nservices = there\nrole_arn = arn:aws:iam::1:role/x\n"
        "source_profile = default\n"
        "[services there]\ns3 =\n  endpoint_url = https://s3.invalid\n"
        "sts =\n  endpoint_url = https://sts.invalid\n"
    )
    (home / ".boto").write_text("[Credentials]\naws_access_key_id = AKIAREALLOOKING00000\n")
    return world.shell(
        HOME=str(home),
        USERPROFILE=str(home),
        AWS_PROFILE="prod",
        AWS_DEFAULT_PROFILE="prod",
        AWS_ACCESS_KEY_ID="AKIAREALLOOKING00000",
        AWS_SECRET_ACCESS_KEY="real",
        AWS_SESSION_TOKEN="real",
        AWS_REGION="eu-west-1",
        AWS_CONFIG_FILE=str(home / ".aws" / "config"),
        AWS_SHARED_CREDENTIALS_FILE=str(home / ".aws" / "credentials"),
        AWS_ENDPOINT_URL="https://all.invalid",
        AWS_ENDPOINT_URL_S3="https://s3.invalid",
        AWS_ENDPOINT_URL_STS="https://sts.invalid",
        AWS_IGNORE_CONFIGURED_ENDPOINT_URLS="true",
        AWS_USE_FIPS_ENDPOINT="true",
        AWS_CONTAINER_CREDENTIALS_FULL_URI="http://169.254.170.23/v1/credentials",
        BOTO_CONFIG=str(home / ".boto"),
    )


def in_mock_mode(world, environ, code: str) -> list[str]:
    """Run code as a cell of a kernel with these settings; what it printed."""
    url = f"http://127.0.0.1:{world.endpoint.port}"
    world.endpoint.seen.clear()
    result = world.start(sys.executable, "-c", KERNEL, url, code, environ=environ)
    assert result.returncode == 0, result.stderr
    assert world.endpoint.seen
    for _, authorization in world.endpoint.seen:
        assert "MOCKMODENOTAREALKEY0" in authorization
        assert "us-east-1" in authorization
    return result.stdout.split()


def test_boto3_in_the_kernel(world, hostile):
    assert in_mock_mode(world, hostile, CODE_BOTO3) == ["123456789012", "mock"]


def test_boto3_in_a_subprocess(world, hostile):
    code = f"subprocess.run([sys.executable, '-c', {CODE_BOTO3!r}], check=True)"
    assert in_mock_mode(world, hostile, code) == ["123456789012", "mock"]


@pytest.mark.skipif(sys.platform == "win32", reason="a login shell is POSIX's")
def test_a_child_that_a_login_shell_gave_its_settings_back(world, hostile):
    """It imports labs.cloud, so what defeats the endpoint goes again."""
    code = (
        "os.environ.update(AWS_PROFILE='prod', AWS_ENDPOINT_URL_S3='https://s3.invalid',"
        " AWS_IGNORE_CONFIGURED_ENDPOINT_URLS='true')\n"
        "code = 'from labs.cloud import environment; environment.enter()\\n' + "
        f"{CODE_BOTO3!r}\n"
        "subprocess.run([sys.executable, '-c', code], check=True)"
    )
    assert in_mock_mode(world, hostile, code) == ["123456789012", "mock"]


AWS = Path(sys.executable).parent / ("aws.cmd" if sys.platform == "win32" else "aws")


@pytest.mark.parametrize("command", ["sts get-caller-identity", "s3api list-buckets"])
def test_the_aws_command(world, hostile, command):
    assert AWS.exists(), "awscli is in the lock"
    query = "Account" if command.startswith("sts") else "Owner.ID"
    run = [str(AWS), *command.split(), "--query", query, "--output", "text"]
    code = f"subprocess.run({run!r}, check=True)"
    answer = "123456789012" if command.startswith("sts") else "mock"
    assert in_mock_mode(world, hostile, code) == [answer]


def test_a_terminal_of_the_lab_ends_at_a_dead_endpoint(world, hostile, tmp_path):
    from labs.cloud import environment

    environment.furnish(tmp_path)
    lab = environment.lab_variables(tmp_path, environment.dead_endpoint_url(), hostile)
    lab["AWS_MAX_ATTEMPTS"] = "1"  # no waiting between attempts at a dead end
    for command in (
        [sys.executable, "-c", CODE_BOTO3],
        [AWS, "sts", "get-caller-identity"],
    ):
        result = world.start(*command, environ=lab)
        assert result.returncode != 0
        assert environment.dead_endpoint_url() in result.stderr


@pytest.mark.skipif(not shutil.which("curl"), reason="this machine has no curl")
def test_curl_goes_nowhere_before_the_mock_is_up(world, hostile):
    code = (
        "from labs.cloud import environment\n"
        "import subprocess\n"
        "environment.enter()\n"
        "curl = ['curl', '-sS', '-m', '10', 'https://sts.amazonaws.com/']\n"
        "print(subprocess.run(curl, stderr=subprocess.DEVNULL).returncode)"
    )
    assert world.python(code, hostile) == "7"
