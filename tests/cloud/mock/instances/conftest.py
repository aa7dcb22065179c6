"""moto's EC2 in this process with the motor running, and a data plane of a few lines."""

import asyncio
import contextlib
import os
import subprocess
import sys
import textwrap
import threading
from functools import partial
from pathlib import Path

import boto3
import psutil
import pytest
from moto import mock_aws

from labs.cloud import environment, names, trust
from labs.cloud.mock.book import Book
from labs.cloud.mock.curl_proxy import CurlProxy
from labs.cloud.mock.instances import Instances, hooks
from labs.loadbalancing.proxy_protocol import proxy_v2
from tests.cloud.processes import wait_until

IMAGE = "ami-12c6146b"


class Plane:
    """Leads callers to the ports of instances, as the mock's data plane does."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._ports: dict[tuple[str, int], tuple[int, int]] = {}
        self.callers: dict = {}

    def update(self, listening: dict[str, dict[int, int]]) -> dict[tuple[str, int], int]:
        """The forwarders, by instance and port."""
        wanted = {
            (name, port): real for name in listening for port, real in listening[name].items()
        }
        for key, real in wanted.items():
            if self._ports.get(key, (0, 0))[0] != real:
                self._ports[key] = (real, self._open(real))
        return {key: self._ports[key][1] for key in wanted}

    def _open(self, real: int) -> int:
        serving = asyncio.start_server(partial(self._serve, real), "127.0.0.1", 0)
        server = asyncio.run_coroutine_threadsafe(serving, self._loop).result()
        return server.sockets[0].getsockname()[1]

    async def _serve(self, real, reader, writer):
        host, port = writer.get_extra_info("peername")
        client = (names.address_of(host, self.callers), port)
        with contextlib.closing(writer), contextlib.suppress(OSError):
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", real)
            with contextlib.closing(far_writer):
                far_writer.write(proxy_v2(client, ("192.0.2.9", 80)))
                await asyncio.gather(pump(reader, far_writer), pump(far_reader, writer))

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()


async def pump(reader, writer):
    while data := await reader.read(65536):
        writer.write(data)
    writer.write_eof()


class Cloud:
    """EC2 by boto3, with instances that run and whom processes started here can reach."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        environment.furnish(folder)
        ca = trust.make_ca(folder)
        (folder / "bundle.pem").write_bytes(trust.bundle(ca.cert_pem.bytes(), {}))
        self.plane, self._curl = Plane(), CurlProxy()
        self.book = Book(folder, self._curl.start())
        shell = {
            name: value
            for name, value in os.environ.items()
            if not name.upper().startswith(("AWS_", "LABS_", "CURL_", "SSL_", "REQUESTS_"))
            and not name.lower().endswith("_proxy")
        }
        self.environ = {**shell, **environment.variables(folder, "http://127.0.0.1:9", {})}
        self.environ["PATH"] = shell["PATH"]
        self.instances = Instances(folder / "book.json", self.environ, self.publish)
        hooks.install(self.instances)

    def begin(self) -> None:
        """For a test: a client that the motor follows, and a security group to put things in."""
        endpoint = "https://ec2.us-east-1.amazonaws.com"  # AWS_ENDPOINT_URL would get round moto
        self.ec2 = boto3.client("ec2", "us-east-1", endpoint_url=endpoint)
        self.ec2.meta.events.register("after-call", lambda **_: self.follow())
        self.group = self.make_group("web", 80)

    def follow(self) -> None:
        self.instances.follow()
        self.publish()

    def publish(self) -> None:
        callers = self.instances.callers()
        self.plane.callers = callers
        hosts = self.instances.hosts(self.plane.update(self.instances.listening()))
        self.book.replace({}, hosts, callers, self.instances.silent_port)

    def make_group(self, name: str, *ports: int, source: dict | None = None) -> str:
        """A security group that lets a source, or everybody, in at these ports."""
        group = self.ec2.create_security_group(GroupName=name, Description=name)["GroupId"]
        source = source or {"IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
        for port in ports:
            rule = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, **source}
            self.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])
        return group

    def run(self, script: str, *groups: str, **more) -> "Instance":
        """An instance with this Python script as user data (dedented, with a first line)."""
        if not script.startswith("#"):
            script = "#!/usr/bin/env python3\n" + textwrap.dedent(script)
        more.setdefault("SecurityGroupIds", list(groups or (self.group,)))
        record = self.ec2.run_instances(
            ImageId=IMAGE, MinCount=1, MaxCount=1, UserData=script, **more
        )["Instances"][0]
        return Instance(self, record["InstanceId"])

    def python(self, code: str, **environ: str) -> str:
        """What the learner's Python printed."""
        result = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(code)],
            env={**self.environ, **environ},
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=30,
        )
        assert result.returncode == 0, result.stderr
        return result.stdout.strip()

    def curl(self, url: str) -> subprocess.CompletedProcess:
        command = ["curl", "-sS", "-m", "2", url]
        return subprocess.run(command, env=self.environ, capture_output=True, text=True)


class Instance:
    def __init__(self, cloud: Cloud, instance_id: str) -> None:
        self.cloud, self.id = cloud, instance_id

    @property
    def record(self) -> dict:
        found = self.cloud.ec2.describe_instances(InstanceIds=[self.id])
        return found["Reservations"][0]["Instances"][0]

    @property
    def public(self) -> str:
        return self.record["PublicIpAddress"]

    @property
    def private(self) -> str:
        return self.record["PrivateIpAddress"]

    @property
    def console(self) -> str:
        return self.cloud.instances.console_output(self.id).decode()

    def ports(self) -> dict[int, int]:
        return self.cloud.instances.listening().get(self.id, {})

    def listens(self, port: int = 80) -> "Instance":
        """Itself, once the port is open."""
        assert wait_until(lambda: port in self.ports(), 10), self.console
        self.cloud.publish()
        return self

    def says(self, text: str) -> "Instance":
        """Itself, once its console shows the text."""
        assert wait_until(lambda: text in self.console, 10), self.console
        return self

    def get(self, path: str = "/") -> str:
        """What the learner gets from it at its public address."""
        return self.cloud.python(
            f"""
            import urllib.request
            print(urllib.request.urlopen("http://{self.public}{path}", timeout=10).read().decode())
            """
        )

    def processes(self) -> list[psutil.Process]:
        """Those of this instance: its own environment tells."""
        found = []
        for process in psutil.process_iter():  # an orphan is nobody's child
            with contextlib.suppress(psutil.Error):
                if process.environ().get("LABS_CALLER") == self.id:
                    found.append(process)
        return found


@pytest.fixture(scope="package")
def _cloud(tmp_path_factory):
    cloud = Cloud(tmp_path_factory.mktemp("a folder with spaces"))
    yield cloud
    cloud.instances.close()
    cloud.plane.close()
    cloud._curl.stop()


@pytest.fixture
def cloud(_cloud, monkeypatch):
    """An account without instances. A Python script runs in the ones that are started."""
    with mock_aws():
        _cloud.begin()
        yield _cloud
    _cloud.instances.reset()


#: Answers with the addresses that it sees, on the port that is put in.
SEES = """
import http.server

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        seen = (self.client_address[0], self.connection.getpeername()[0],
                *self.connection.getsockname()[:2])
        body = " ".join(map(str, seen)).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

http.server.ThreadingHTTPServer(("", 80), Handler).serve_forever()
"""
