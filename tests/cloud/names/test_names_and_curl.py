"""`!curl` finds listed names by .curlrc, all others through the mock's CONNECT proxy."""

import shutil
import socket
import threading
from contextlib import closing, contextmanager

import pytest

from labs.cloud import names
from labs.cloud.mock import curl_proxy
from labs.cloud.mock.curl_proxy import CurlProxy, Refused, Target

REFUSED, BY_PROXY = 7, 56  # curl's exit codes: could not connect; the tunnel failed

needs_curl = pytest.mark.skipif(not shutil.which("curl"), reason="this machine has no curl")


@needs_curl
@pytest.mark.parametrize(
    ("url", "answer"),
    [
        ("http://web-1.us-east-1.elb.amazonaws.com/a", "web GET /a web-1."),
        ("https://abc123.execute-api.us-east-1.amazonaws.com/prod/a", "secure GET /prod/a abc123."),
        ("http://203.0.113.5:8080/", "web GET / 203.0.113.5:8080"),
        ("http://198.51.100.8/", "web GET / 198.51.100.8"),
        ("https://sts.us-east-1.amazonaws.com/x", "secure GET /x sts.us-east-1."),
        ("http://a-bucket.s3.amazonaws.com/key", "endpoint GET /key a-bucket.s3."),
    ],
)
def test_curl_reaches_what_the_mock_serves(world, url, answer):
    result = world.start("curl", "-sS", "-i", url)
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("HTTP/1.1 200 OK")  # no trace of the proxy
    assert answer in result.stdout


@needs_curl
@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://dead-2.us-east-1.elb.amazonaws.com/", REFUSED),
        ("http://web-1.us-east-1.elb.amazonaws.com:81/", REFUSED),
        ("http://198.51.100.9/", REFUSED),
        ("https://unknown.execute-api.us-east-1.amazonaws.com/", BY_PROXY),
        ("http://203.0.113.77/", BY_PROXY),
        ("http://169.254.169.254/latest/meta-data/", BY_PROXY),
        ("http://8.8.8.8/", BY_PROXY),
    ],
)
def test_curl_goes_nowhere_else(world, url, code):
    assert world.start("curl", "-sS", "-m", "10", url).returncode == code


@needs_curl
def test_curl_follows_a_book_that_changes(world):
    url = "http://late.us-east-1.elb.amazonaws.com/"
    assert world.start("curl", "-sS", url).returncode == BY_PROXY
    late = {"late.us-east-1.elb.amazonaws.com": {"ips": [], "ports": {"80": world.web.port}}}
    world.book.replace(world.endpoints, world.hosts | late)
    assert world.start("curl", "-sS", url).stdout.startswith("web GET")


@needs_curl
def test_a_listed_name_that_certificates_do_not_cover_fails_as_on_aws(world):
    """AWS has no certificate for a balancer's own name: curl ends with 35 or 60."""
    https = {"web-1.us-east-1.elb.amazonaws.com": {"ports": {"443": world.secure.port}}}
    world.book.replace(world.endpoints, https)
    result = world.start("curl", "-sS", "https://web-1.us-east-1.elb.amazonaws.com/")
    assert result.returncode in (35, 60)


@contextmanager
def corporate_proxy():
    """A company's proxy that answers each CONNECT with 200 and then plays the server itself."""
    heads = []
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:

        def serve():
            connection, _ = listener.accept()
            with connection:
                heads.append(connection.recv(65536).decode())
                connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                connection.recv(65536)
                connection.sendall(b"HTTP/1.0 200 OK\r\n\r\nthrough the company's proxy")

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1], heads
        thread.join(5)


def test_ordinary_names_go_through_the_companys_proxy(monkeypatch, installed):
    with corporate_proxy() as (port, heads):
        monkeypatch.setenv("http_proxy", f"http://me:se%20cret@127.0.0.1:{port}")
        proxy = CurlProxy()
        with socket.create_connection(("127.0.0.1", proxy.start()), timeout=10) as client:
            client.sendall(b"CONNECT ordinary.example:80 HTTP/1.1\r\n\r\n")
            assert client.recv(100).startswith(b"HTTP/1.1 200 ")
            client.sendall(b"GET / HTTP/1.0\r\n\r\n")
            client.shutdown(socket.SHUT_WR)
            assert b"through the company's proxy" in client.makefile("rb").read()
        proxy.stop()
    assert heads[0].startswith("CONNECT ordinary.example:80 HTTP/1.1\r\n")
    assert "Proxy-Authorization: Basic bWU6c2UgY3JldA==" in heads[0]


@pytest.mark.parametrize(
    ("environ", "chosen"),
    [
        ({"HTTPS_PROXY": "http://p:1"}, "http://p:1"),
        ({"https_proxy": "p:1"}, "http://p:1"),
        ({"ALL_PROXY": "http://p:1"}, "http://p:1"),
        ({"HTTP_PROXY": "http://p:1"}, None),
        ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "x.org,corp.example"}, None),
        ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "*"}, None),
        ({}, None),
    ],
)
def test_which_of_the_machines_proxies_serves_a_target(environ, chosen):
    assert curl_proxy.upstream(Target("www.corp.example", 443), environ) == chosen


@pytest.mark.parametrize(
    "head",
    [
        b"GET http://a.example/ HTTP/1.1\r\n\r\n",
        b"CONNECT a.example HTTP/1.1\r\n\r\n",
        b"CONNECT :443 HTTP/1.1\r\n\r\n",
        b"CONNECT a.example:0 HTTP/1.1\r\n\r\n",
        b"CONNECT a.example:65536 HTTP/1.1\r\n\r\n",
        b"CONNECT a.example:443 FTP/9\r\n\r\n",
        b"CONNECT \xff:443 HTTP/1.1\r\n\r\n",
        b"\r\n\r\n",
    ],
)
def test_what_is_no_connect_request_is_refused(head):
    with pytest.raises(Refused, match="CONNECT"):
        curl_proxy.parse(head)


def test_a_literal_of_ipv6_keeps_no_brackets():
    assert curl_proxy.parse(b"CONNECT [::1]:443 HTTP/1.1\r\n\r\n") == Target("::1", 443)


@pytest.mark.parametrize("host", ["8.8.8.8", "2600::1", "never.us-east-1.elb.amazonaws.com"])
def test_the_proxy_keeps_foreign_targets_at_home(installed, host):
    with pytest.raises(Refused):
        curl_proxy.route(Target(host, 443))
    assert curl_proxy.route(Target("ordinary.example", 443)) is None


def test_a_client_that_says_nothing_sensible_is_answered_and_others_go_on(installed):
    proxy = CurlProxy()
    port = proxy.start()
    for nonsense in (b"\r\n\r\n", b"x" * 100_000 + b"\r\n\r\n", b"CONNECT a..b:1 HTTP/1.1\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
            client.sendall(nonsense)
            assert client.recv(12) == b"HTTP/1.1 502"
    proxy.stop()


def test_stop_ends_thread_and_listener_with_a_tunnel_open(installed):
    proxy = CurlProxy()
    port = proxy.start()
    with (
        closing(socket.create_server(("127.0.0.1", 0))) as server,
        socket.create_connection(("127.0.0.1", port), timeout=10) as client,
    ):
        client.sendall(b"CONNECT localhost:%d HTTP/1.1\r\n\r\n" % server.getsockname()[1])
        assert client.recv(100).startswith(b"HTTP/1.1 200 ")
        proxy.stop()
        proxy.stop()
        assert client.recv(1) == b""
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=10)
    assert not [t for t in threading.enumerate() if t.name == "curl proxy" and t is proxy._thread]
    assert names.find("127.0.0.1") is None
