"""Traffic through the old balancer and through the new one: instances notice what is documented."""

import contextlib
import http.client
import json
import socket
import ssl
import time
from collections.abc import Callable
from typing import Any

import pytest

from labs.loadbalancing.migration import carry_out, plan, read
from tests.loadbalancing.migration.classics import World, listener

#: Says at ports 80 and 8080 who it is, at which port it was asked, and what it was told.
SCRIPT = """#!/usr/bin/env python3
import http.server, json, socket, socketserver, threading

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = json.dumps({
            "me": socket.gethostname(), "port": self.server.public, "path": self.path,
            "headers": {name.lower(): value for name, value in self.headers.items()},
        }).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words):
        pass

class Echo(socketserver.StreamRequestHandler):
    def handle(self):
        line = self.rfile.readline()
        self.wfile.write(b"%s %s" % (socket.gethostname().encode(), line))

for port in (80, 8080):
    server = http.server.ThreadingHTTPServer(("", port), Handler)
    server.public = port
    threading.Thread(target=server.serve_forever).start()
socketserver.ThreadingTCPServer(("", 7000), Echo).serve_forever()
"""
FAST = ("HTTP:80/", 5, 2, 2, 2)


def until(condition: Callable[[], Any], seconds: float = 30) -> Any:
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.05)
    return value


@pytest.fixture
def serving(world) -> World:
    """Two instances that serve."""
    world.run(SCRIPT)
    return world


def both(world: World, name: str) -> tuple[str, str]:
    """The DNS names of a Classic balancer and of what becomes of it, when all is well."""
    [old] = world.elb.describe_load_balancers(LoadBalancerNames=[name])["LoadBalancerDescriptions"]
    until(lambda: in_service(world, name) == {"InService"})
    made = carry_out(world.clients, plan(read(world.clients, name), register_targets=True))
    for group in made.target_group_arns:
        until(lambda group=group: healthy(world, group) == {"healthy"})
    return old["DNSName"], made.dns_name


def in_service(world: World, name: str) -> set[str]:
    found = world.elb.describe_instance_health(LoadBalancerName=name)["InstanceStates"]
    return {one["State"] for one in found}


def healthy(world: World, group: str) -> set[str]:
    found = world.elbv2.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
    return {one["TargetHealth"]["State"] for one in found}


def unverified() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def get(host: str, path: str = "/", port: int = 80, **headers: str) -> tuple[Any, Any]:
    """(what the instance said, the answer's headers), on a connection of its own."""
    connection = http.client.HTTPConnection(host, port, timeout=20)
    if port == 443:
        connection = http.client.HTTPSConnection(host, port, timeout=20, context=unverified())
    with contextlib.closing(connection):
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        assert answer.status == 200
        return json.loads(answer.read()), answer.headers


def test_http_and_https_reach_the_same_instances_with_the_same_headers(serving):
    serving.classic(
        "shop",
        listener("HTTP", 80, "HTTP", 80),
        listener("HTTPS", 443, "HTTP", 80, serving.certificate),
        check=FAST,
    )
    names = both(serving, "shop")
    seen = []
    for name in names:
        for port, scheme in ((80, "http"), (443, "https")):
            answers = [get(name, "/a?b=c", port)[0] for _ in range(6)]
            assert {one["path"] for one in answers} == {"/a?b=c"}
            assert {one["headers"]["x-forwarded-proto"] for one in answers} == {scheme}
            assert {one["headers"]["x-forwarded-port"] for one in answers} == {str(port)}
            seen.append({one["me"] for one in answers})
            client = {one["headers"]["x-forwarded-for"] for one in answers}
            assert len(client) == 1
    assert all(one == seen[0] for one in seen)
    assert len(seen[0]) == 2
    # "Request tracing" is a feature of Application Load Balancers.
    traced = ["x-amzn-trace-id" in get(name)[0]["headers"] for name in names]
    assert traced == [False, True]


def test_each_listener_reaches_its_own_instance_port(serving):
    serving.classic(
        "ports",
        listener("HTTP", 80, "HTTP", 8080),
        listener("HTTP", 81, "HTTP", 80),
        check=FAST,
    )
    for name in both(serving, "ports"):
        assert {get(name, port=80)[0]["port"] for _ in range(4)} == {8080}
        assert {get(name, port=81)[0]["port"] for _ in range(4)} == {80}


def test_a_cookie_binds_a_client_before_and_after(serving):
    serving.classic("sticky", listener("HTTP", 80, "HTTP", 80), check=FAST)
    serving.duration_cookie("sticky", 80, 600)
    for name, cookie in zip(both(serving, "sticky"), ("AWSELB", "AWSALB"), strict=True):
        assert len({get(name)[0]["me"] for _ in range(12)}) == 2
        first, headers = get(name)
        pairs = [one.partition(";")[0] for one in headers.get_all("Set-Cookie")]
        [value] = [pair for pair in pairs if pair.startswith(f"{cookie}=")]
        assert {get(name, Cookie=value)[0]["me"] for _ in range(8)} == {first["me"]}


def test_bytes_go_through_tcp_and_tls_unchanged(serving):
    serving.classic(
        "bytes",
        listener("TCP", 7000, "TCP", 7000),
        listener("SSL", 7443, "TCP", 7000, serving.certificate),
        check=("TCP:7000", 5, 2, 2, 2),
    )
    certificates, names = [], both(serving, "bytes")
    for name in names:
        with socket.create_connection((name, 7000), timeout=20) as plain:
            plain.sendall(b"h\xc3\xa9llo \x00\xff\n")
            assert plain.makefile("rb").read().endswith(b" h\xc3\xa9llo \x00\xff\n")
        raw = socket.create_connection((name, 7443), timeout=20)
        with unverified().wrap_socket(raw, server_hostname="www.example.com") as secure:
            certificates.append(secure.getpeercert(binary_form=True))
            secure.sendall(b"over TLS\n")
            assert secure.makefile("rb").readline().endswith(b" over TLS\n")
    assert certificates[0] == certificates[1]
