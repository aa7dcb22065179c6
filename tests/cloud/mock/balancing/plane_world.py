"""Servers that play instances, and snapshots by hand: what the tests of the plane need."""

import contextlib
import copy
import http.client
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from labs.cloud.mock.balancing.process import PlaneProcess

EVERYBODY = [[0, 65535, ["0.0.0.0/0"]]]
SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"


def read_proxy_header(connection: socket.socket) -> tuple[str, int] | None:
    """The client of a PROXY v2 header at the beginning of a connection; None for LOCAL."""
    head = connection.recv(16, socket.MSG_WAITALL)
    assert head[:12] == SIGNATURE, f"no PROXY header: {head!r}"
    size = int.from_bytes(head[14:16])
    block = connection.recv(size, socket.MSG_WAITALL) if size else b""
    return (socket.inet_ntoa(block[:4]), int.from_bytes(block[8:10])) if block else None


class Handler(BaseHTTPRequestHandler):
    """Says who it is and whom it serves; `/slow/SECONDS` takes its time, `/status/CODE` too."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body are two packets
    server: "Server"

    def do_GET(self) -> None:
        _, *words = self.path.partition("?")[0].split("/")
        if words[0] == "slow":
            self.server.slow += 1
            time.sleep(float(words[1]))
        agent = self.headers.get("User-Agent", "")
        status = int(words[1]) if words[0] == "status" else self.server.status(agent)
        body = json.dumps(
            {
                "me": self.server.name,
                "peer": self.server.peers[self.client_address],
                "headers": {name.lower(): value for name, value in self.headers.items()},
                "path": self.path,
            }
        ).encode()
        self.server.seen.append((agent, self.path))
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        if cookie := self.server.cookie:
            self.send_header("Set-Cookie", cookie)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


class Server(ThreadingHTTPServer):
    """An instance's port, behind its PROXY header. `greetings`: how many headers to expect."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, name: str, context: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.name, self.context = name, context
        self.peers: dict[tuple, Any] = {}
        self.seen: list[tuple[str, str]] = []
        self.learners: list[Any] = []
        self.greetings = 1
        self.cookie = ""
        self.check_status = 200
        self.slow = 0
        self._open: set[socket.socket] = set()
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    def status(self, agent: str) -> int:
        return self.check_status if "HealthChecker" in agent else 200

    def finish_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        try:
            self.peers[client_address] = read_proxy_header(request)
            for _ in range(self.greetings - 1):
                self.learners.append(read_proxy_header(request))
            if self.context:
                request = self.context.wrap_socket(request, server_side=True)
            super().finish_request(request, client_address)
        except (AssertionError, OSError):  # a check by TCP, a client that left
            pass
        finally:
            self._open.discard(request)

    def kill(self) -> None:
        """As a process that dies: nothing listens, all connections are reset."""
        self.shutdown()
        self.server_close()
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


def check(**changes: Any) -> dict[str, Any]:
    """A health check every 0.2 s (5 s of AWS's)."""
    return {
        "enabled": True,
        "protocol": "HTTP",
        "port": None,
        "path": "/health",
        "codes": "200",
        "interval": 5.0,
        "timeout": 2.0,
        "first": 1,
        "healthy": 2,
        "unhealthy": 2,
        **changes,
    }


def forward(*groups: str, **more: Any) -> list[dict[str, Any]]:
    """The rules of a listener that has only a default one."""
    action = {"Type": "forward", "TargetGroupArn": groups[0]}
    if len(groups) > 1 or more:
        tuples = [{"TargetGroupArn": group, "Weight": 1} for group in groups]
        action = {"Type": "forward", "ForwardConfig": {"TargetGroups": tuples, **more}}
    return [{"RuleArn": "rule", "Priority": "default", "Conditions": [], "Actions": [action]}]


class PlaneWorld:
    """A plane, and the snapshot that `push` gives it: change `world.snapshot` as you like."""

    def __init__(self, plane: PlaneProcess | None = None) -> None:
        """plane: one that is there; else another begins with the first `push`."""
        self.calls: list[tuple[str, str, dict]] = []
        self.function: Callable[[dict], bytes] = lambda event: b"{}"
        self.plane = plane or PlaneProcess(self.invoke, lambda: None, workers=4)
        self.servers: dict[str, Server] = {}
        self.snapshot: dict[str, Any] = {
            "callers": {"learner": {"address": "203.0.113.5", "groups": []}},
            "instances": {},
            "balancers": {},
            "groups": {},
            "secret": "5e" * 32,
        }

    def invoke(self, function: str, group: str, event: bytes) -> bytes:
        self.calls.append((function, group, json.loads(event)))
        return self.function(json.loads(event))

    def close(self) -> None:
        self.plane.close()
        self.end_servers()

    def empty(self) -> None:
        """Leave the plane to the next one."""
        self.snapshot.update(instances={}, balancers={}, groups={})
        self.push()
        self.end_servers()

    def end_servers(self) -> None:
        for server in self.servers.values():
            with contextlib.suppress(OSError):
                server.kill()

    # What there is

    def instance(self, name: str, port: int = 80, **more: Any) -> Server:
        """A running instance that serves."""
        context = more.pop("context", None)
        server = self.servers[name] = Server(name, context)
        number = len(self.servers)
        self.snapshot["instances"][name] = {
            "address": f"172.31.0.{10 + number}",
            "public": None,
            "state": "running",
            "zone": "us-east-1a",
            "groups": ["sg-web"],
            "open": EVERYBODY,
            "ports": {str(port): server.server_port},
            **more,
        }
        return server

    def group(self, name: str, *targets: str, **more: Any) -> dict[str, Any]:
        """A target group of instances at port 80, used by nobody yet."""
        attributes = {
            "deregistration_delay.timeout_seconds": "25",
            **more.pop("attributes", {}),
        }
        self.snapshot["groups"][name] = group = {
            "kind": "instance",
            "layer": "application",
            "protocol": "HTTP",
            "check": check(),
            "targets": [{"id": target, "port": 80} for target in targets],
            "users": [],
            "attributes": attributes,
            **more,
        }
        return group

    def balancer(self, name: str, *groups: str, **more: Any) -> dict[str, Any]:
        """An ALB with an HTTP listener at port 80 that forwards to the groups."""
        listener = {
            "protocol": "HTTP",
            "port": 80,
            "certificates": [],
            "rules": forward(*groups),
            "idle_seconds": 60.0,
            **more.pop("listener", {}),
        }
        for group in groups:
            self.snapshot["groups"][group]["users"].append(name)
        self.snapshot["balancers"][name] = balancer = {
            "kind": "application",
            "dns_name": f"{name}.us-east-1.elb.amazonaws.com",
            "vpc": "vpc-1",
            "internal": False,
            "private": {"us-east-1a": "172.31.0.200", "us-east-1b": "172.31.16.200"},
            "public": {},
            "groups": ["sg-balancer"],
            "open": EVERYBODY,
            "attributes": {},
            "listeners": {f"{name}/{listener['port']}": listener},
            **more,
        }
        return balancer

    def network_balancer(self, name: str, *groups: str, **more: Any) -> dict[str, Any]:
        """An NLB with a TCP listener at port 80."""
        for group in groups:
            known = self.snapshot["groups"][group]
            known.update(layer="network", protocol=more.pop("to", "TCP"))
        listener = {"protocol": "TCP", "idle_seconds": 350.0, **more.pop("listener", {})}
        return self.balancer(name, *groups, kind="network", listener=listener, **more)

    def classic(self, name: str, *instances: str, **more: Any) -> dict[str, Any]:
        """A Classic balancer; `listener` says what differs from HTTP at port 80."""
        attributes = {
            "load_balancing.algorithm.type": "least_outstanding_requests",
            "deregistration_delay.timeout_seconds": "25",
        }
        self.group(name, layer="classic", protocol="", attributes=attributes)
        self.snapshot["groups"][name].update(
            targets=[{"id": instance, "port": None} for instance in instances],
            check=check(port=80, first=2),
        )
        listener = {
            "group": name,
            "target_port": 80,
            "target_protocol": "HTTP",
            "sticky": None,
            **more.pop("listener", {}),
        }
        return self.balancer(name, name, kind="classic", listener=listener, **more)

    # What happens

    def push(self) -> None:
        assert self.plane.push(copy.deepcopy(self.snapshot)), "the plane is late"

    def port(self, balancer: str, port: int = 80) -> int:
        return self.plane.ports["balancers"][balancer][str(port)]

    def state(self, group: str, key: str) -> list | None:
        return self.plane.health.get(group, {}).get(key)

    def wait_for(self, group: str, key: str, state: str | None, seconds: float = 10) -> None:
        """Until a target is in a state; None: gone."""
        until(lambda: (self.state(group, key) or [None])[0] == state, seconds)

    def ready(self) -> None:
        """Push, and wait until no target is initial."""
        self.push()
        until(
            lambda: all(
                status[0] != "initial"
                for targets in self.plane.health.values()
                for status in targets.values()
            )
        )

    def get(self, balancer: str, path: str = "/", port: int = 80, **headers: str) -> "Got":
        """One request on a connection of its own."""
        with self.client(balancer, port) as client:
            return client.get(path, **headers)

    @contextlib.contextmanager
    def client(self, balancer: str, port: int = 80) -> Iterator["Client"]:
        client = Client(self.port(balancer, port))
        try:
            yield client
        finally:
            client.connection.close()


class Got:
    """A response: status, what the server said, headers."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status, self.headers, self.body = response.status, response.headers, response.read()

    @property
    def said(self) -> dict[str, Any]:
        return json.loads(self.body)

    @property
    def cookies(self) -> dict[str, str]:
        pairs = [one.partition(";")[0] for one in self.headers.get_all("Set-Cookie", [])]
        return dict(pair.split("=", 1) for pair in pairs)


class Client:
    """A connection that is kept."""

    def __init__(self, port: int) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)

    def get(self, path: str = "/", **headers: str) -> Got:
        spelt = {name.replace("_", "-"): value for name, value in headers.items()}
        self.connection.request("GET", path, headers=spelt)
        return Got(self.connection.getresponse())


def until(condition: Callable[[], Any], seconds: float = 10.0) -> Any:
    """The first true value of `condition()`. Fails when there is none in time."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.01)
    return value
