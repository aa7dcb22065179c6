"""An application, its versions and environments, in few words."""

import contextlib
import io
import threading
import time
import urllib.error
import urllib.request
import zipfile
from typing import Any

from tests.cloud.mock.balancing.plane_world import until

BUCKET = "bundles"
PROFILE = "web-servers"
NAMESPACES = {
    "IamInstanceProfile": "aws:autoscaling:launchconfiguration",
    "EC2KeyName": "aws:autoscaling:launchconfiguration",
    "SecurityGroups": "aws:autoscaling:launchconfiguration",
    "SSHSourceRestriction": "aws:autoscaling:launchconfiguration",
    "InstanceType": "aws:autoscaling:launchconfiguration",
    "MinSize": "aws:autoscaling:asg",
    "MaxSize": "aws:autoscaling:asg",
    "EnvironmentType": "aws:elasticbeanstalk:environment",
    "DeploymentPolicy": "aws:elasticbeanstalk:command",
    "BatchSize": "aws:elasticbeanstalk:command",
    "BatchSizeType": "aws:elasticbeanstalk:command",
    "Timeout": "aws:elasticbeanstalk:command",
    "IgnoreHealthCheck": "aws:elasticbeanstalk:command",
    "SystemType": "aws:elasticbeanstalk:healthreporting:system",
    "HealthCheckPath": "aws:elasticbeanstalk:environment:process:default",
    "WSGIPath": "aws:elasticbeanstalk:container:python",
}
SINGLE = {"EnvironmentType": "SingleInstance"}
#: One instance at a time. A batch that is not healthy after 3 s has failed.
ROLLING = {
    "MinSize": 2,
    "DeploymentPolicy": "Rolling",
    "BatchSizeType": "Fixed",
    "BatchSize": 1,
    "Timeout": 75,
}

#: Says its version, its pid and COLOUR; `/slow/SECONDS` takes its time, `/die` ends the process.
APP = """
import os, time

def application(environ, start_response):
    path = environ["PATH_INFO"]
    if path.startswith("/slow/"):
        time.sleep(float(path.rsplit("/", 1)[1]))
    if path == "/die":
        os._exit(3)
    print("asked for", path)
    body = f"{VERSION} {os.getpid()} {os.environ.get('COLOUR')}".encode()
    start_response(STATUS, [("Content-Length", str(len(body)))])
    return [body]

"""


def app(version: str, status: str = "200 OK") -> str:
    return f"{APP}VERSION, STATUS = {version!r}, {status!r}\n"


def packed(**files: str) -> bytes:
    """A bundle: names with __ for a dot."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(name.replace("__", "."), text)
    return buffer.getvalue()


def get(url: str, timeout: float = 10) -> tuple[int, str]:
    """(status, page)."""
    try:
        with urllib.request.urlopen(url, timeout=timeout) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


class Shop:
    """The application "shop" in an empty account."""

    def __init__(self, aws: Any) -> None:
        self.aws = aws
        self.api = aws.client("elasticbeanstalk")
        self.s3, self.iam, self.ec2 = aws.client("s3"), aws.client("iam"), aws.client("ec2")
        self.iam.create_instance_profile(InstanceProfileName=PROFILE)
        self.s3.create_bucket(Bucket=BUCKET)
        self.api.create_application(ApplicationName="shop")
        stacks = self.api.list_available_solution_stacks()["SolutionStacks"]
        self.stack = next(stack for stack in stacks if "Python" in stack)

    def version(self, label: str, source: str | None = None, **more: str) -> str:
        """A version whose page begins with its label, or with another source."""
        return self.version_of(label, packed(application__py=source or app(label), **more))

    def version_of(self, label: str, content: bytes) -> str:
        self.s3.put_object(Bucket=BUCKET, Key=f"{label}.zip", Body=content)
        self.api.create_application_version(
            ApplicationName="shop",
            VersionLabel=label,
            SourceBundle={"S3Bucket": BUCKET, "S3Key": f"{label}.zip"},
        )
        return label

    def create(self, name: str = "test-env", version: str | None = None, **options: Any) -> dict:
        """Asked for; not yet there. Parameters that are no options begin with a capital."""
        more = {
            key: options.pop(key)
            for key in list(options)
            if key in ("CNAMEPrefix", "Description", "TemplateName", "Tags")
        }
        if version:
            more["VersionLabel"] = version
        if "TemplateName" not in more:
            more["SolutionStackName"] = self.stack
        return self.api.create_environment(
            ApplicationName="shop",
            EnvironmentName=name,
            OptionSettings=settings({"IamInstanceProfile": PROFILE, **options}),
            **more,
        )

    def launch(self, name: str = "test-env", version: str | None = None, **options: Any) -> dict:
        self.create(name, version, **options)
        return self.ready(name)

    def describe(self, name: str = "test-env", **more: Any) -> dict:
        """The newest of that name."""
        found = self.api.describe_environments(EnvironmentNames=[name], **more)["Environments"]
        return found[-1]

    def ready(self, name: str = "test-env") -> dict:
        """The environment, when nothing is under way."""

        def at_rest():
            found = self.describe(name, IncludeDeleted=True)
            return found if found["Status"] in ("Ready", "Terminated") else None

        return until(at_rest, 60)

    def deploy(self, version: str, name: str = "test-env") -> dict:
        self.api.update_environment(EnvironmentName=name, VersionLabel=version)
        return self.ready(name)

    def set(self, name: str = "test-env", **options: Any) -> dict:
        self.api.update_environment(EnvironmentName=name, OptionSettings=settings(options))
        return self.ready(name)

    def events(self, name: str = "test-env", **filters: Any) -> list[str]:
        """Messages, the oldest first."""
        found = self.api.describe_events(EnvironmentName=name, **filters)["Events"]
        return [event["Message"] for event in reversed(found)]

    def get(self, path: str = "/", name: str = "test-env") -> tuple[int, str]:
        """(status, the first word of the page)."""
        status, page = get(f"http://{self.describe(name)['CNAME']}{path}")
        return status, page.split(" ")[0]

    def page(self, name: str = "test-env") -> str:
        return get(f"http://{self.describe(name)['CNAME']}/")[1]

    def instances(self, name: str = "test-env") -> list[str]:
        found = self.api.describe_environment_resources(EnvironmentName=name)
        return [one["Id"] for one in found["EnvironmentResources"]["Instances"]]

    def address(self, instance: str) -> str:
        found = self.ec2.describe_instances(InstanceIds=[instance])
        return found["Reservations"][0]["Instances"][0]["PublicIpAddress"]


def settings(options: dict[str, Any]) -> list[dict[str, str]]:
    """Option settings; what is no option is an environment property."""
    properties = "aws:elasticbeanstalk:application:environment"
    return [
        {
            "Namespace": NAMESPACES.get(name, properties),
            "OptionName": name,
            "Value": str(value),
        }
        for name, value in options.items()
    ]


@contextlib.contextmanager
def traffic(url: str):
    """Requests, one after another, while the block runs: a list of (status, first word)."""
    seen: list[tuple[int, str]] = []
    stop = threading.Event()

    def ask():
        while not stop.is_set():
            try:
                status, page = get(url)
                seen.append((status, page.split(" ")[0]))
            except OSError as error:
                seen.append((0, str(error)))
            time.sleep(0.005)

    threads = [threading.Thread(target=ask, daemon=True) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        yield seen
    finally:
        stop.set()
        for thread in threads:
            thread.join()
