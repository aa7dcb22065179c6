"""Whatever a Python child uses to reach a name or an address, it ends at the mock."""

import subprocess
import sys
from pathlib import Path

import pytest

LOCK = Path(__file__).parents[3] / "requirements.lock"
WEB = "http://web-1.us-east-1.elb.amazonaws.com/path"
API = "https://abc123.execute-api.us-east-1.amazonaws.com/prod/path"
INSTANCE = "http://203.0.113.5:8080/path"

SYNCHRONOUS = {
    "http.client": """
import http.client
from urllib.parse import urlsplit
def get(url):
    u = urlsplit(url)
    kind = {"http": http.client.HTTPConnection, "https": http.client.HTTPSConnection}[u.scheme]
    connection = kind(u.hostname, u.port)
    connection.request("GET", u.path)
    return connection.getresponse().read().decode()
""",
    "urllib": """
from urllib.request import urlopen
def get(url):
    return urlopen(url).read().decode()
""",
    "requests": """
import requests
def get(url):
    return requests.get(url).text
""",
    "httpx": """
import httpx
def get(url):
    return httpx.get(url).text
""",
    "aiohttp": """
import aiohttp, asyncio
async def fetch(url):
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        return await response.text()
def get(url):
    return asyncio.run(fetch(url))
""",
    "early-bound create_connection": """
from socket import create_connection
import ssl
from urllib.parse import urlsplit
def get(url):
    u = urlsplit(url)
    port = u.port or {"http": 80, "https": 443}[u.scheme]
    sock = create_connection((u.hostname, port))
    if u.scheme == "https":
        sock = ssl.create_default_context().wrap_socket(sock, server_hostname=u.hostname)
    sock.sendall(f"GET {u.path} HTTP/1.0\\r\\nHost: {u.hostname}\\r\\n\\r\\n".encode())
    return sock.makefile().read().rpartition("\\n")[2]
""",
    "asyncio streams": """
import asyncio
from urllib.parse import urlsplit
async def fetch(u):
    port = u.port or {"http": 80, "https": 443}[u.scheme]
    tls = u.scheme == "https" or None
    reader, writer = await asyncio.open_connection(u.hostname, port, ssl=tls)
    writer.write(f"GET {u.path} HTTP/1.0\\r\\nHost: {u.hostname}\\r\\n\\r\\n".encode())
    return (await reader.read()).decode().rpartition("\\n")[2]
def get(url):
    return asyncio.run(fetch(urlsplit(url)))
""",
}


@pytest.mark.parametrize("client", SYNCHRONOUS)
def test_a_name_an_https_name_and_a_literal_reach_what_serves_them(world, client):
    code = SYNCHRONOUS[client] + f"for url in {[WEB, API, INSTANCE]!r}: print(get(url))"
    web, api, instance = world.python(code).splitlines()
    assert web.startswith("web GET /path web-1.us-east-1.elb.amazonaws.com")
    assert api.startswith("secure GET /prod/path abc123.execute-api.")
    assert instance.startswith("web GET /path 203.0.113.5")


@pytest.mark.parametrize(
    ("ours", "server"), [("AWS_ENDPOINT_URL", "endpoint"), ("no variable", "secure")]
)
def test_boto3_reaches_the_api_with_and_without_an_endpoint_url(world, ours, server):
    environ = {name: v for name, v in world.environ.items() if name != "AWS_ENDPOINT_URL"}
    environ = world.environ if ours == "AWS_ENDPOINT_URL" else environ
    whoami = getattr(world, server)
    whoami.seen.clear()
    code = """
import boto3
account = boto3.client("sts").get_caller_identity()["Account"]
print(account, boto3.client("s3").list_buckets()["Owner"]["ID"])
"""
    assert world.python(code, environ) == "123456789012 mock"
    assert len(whoami.seen) == 2
    assert all("MOCKMODENOTAREALKEY0" in authorization for _, authorization in whoami.seen)


@pytest.mark.parametrize("with_url", [True, False])
def test_aiobotocore_reaches_the_api(world, with_url):
    environ = dict(world.environ)
    if not with_url:
        del environ["AWS_ENDPOINT_URL"]
    code = """
import asyncio
from aiobotocore.session import get_session
async def main():
    async with get_session().create_client("sts") as sts:
        print((await sts.get_caller_identity())["Account"])
asyncio.run(main())
"""
    assert world.python(code, environ) == "123456789012"


def test_many_threads_at_once(world):
    code = f"""
from concurrent.futures import ThreadPoolExecutor
from urllib.request import urlopen
def get(_):
    return urlopen({WEB!r}).read().decode().split()[0]
with ThreadPoolExecutor(16) as pool:
    print(set(pool.map(get, range(100))))
"""
    assert world.python(code) == "{'web'}"


def test_what_the_mock_does_not_serve_is_refused_or_unknown_at_once(world):
    code = """
import socket, time, urllib.request
def attempt(host, port, literal=False):
    start = time.monotonic()
    try:
        if literal:
            socket.socket().connect((host, port))
        else:
            socket.create_connection((host, port))
    except OSError as error:
        print(type(error).__name__, "mock AWS" in str(error), time.monotonic() - start < 5)
attempt("dead-2.us-east-1.elb.amazonaws.com", 80)
attempt("web-1.us-east-1.elb.amazonaws.com", 81)
attempt("203.0.113.5", 22, literal=True)
attempt("203.0.113.99", 80, literal=True)
attempt("169.254.169.254", 80, literal=True)
attempt("8.8.8.8", 53, literal=True)
attempt("8.8.8.8", 53)
attempt("other.us-east-1.elb.amazonaws.com", 80)
print(socket.socket().connect_ex(("8.8.8.8", 53)) != 0)
try:
    socket.socket(type=socket.SOCK_DGRAM).sendto(b"x", ("sts.amazonaws.com", 53))
except OSError as error:
    print(type(error).__name__)
"""
    refused, unknown = "ConnectionRefusedError True True", "gaierror True True"
    assert world.python(code).splitlines() == [
        *[refused] * 7,
        unknown,
        "True",
        "ConnectionRefusedError",
    ]


def test_the_tripwire_stops_code_that_kept_the_unwrapped_functions(world):
    code = """
import _socket
def attempt(function, *arguments):
    try:
        print(function(*arguments))
    except OSError as error:
        print(type(error).__name__, "mock AWS" in str(error))
attempt(_socket.getaddrinfo, "sts.amazonaws.com", 443)
attempt(_socket.gethostbyname, "sts.amazonaws.com")
attempt(_socket.gethostbyname_ex, b"sts.amazonaws.com")
attempt(_socket.socket().connect, ("8.8.8.8", 53))
attempt(_socket.socket().connect, ("10.1.2.3", 80))
attempt(_socket.socket(_socket.AF_INET, _socket.SOCK_DGRAM).sendto, b"x", ("169.254.169.254", 80))
"""
    unknown, refused = "gaierror True", "ConnectionRefusedError True"
    assert world.python(code).splitlines() == [unknown] * 3 + [refused] * 3


def test_a_book_replaced_while_a_child_runs_is_read_at_once(world):
    code = """
import sys
from urllib.request import urlopen
for line in sys.stdin:
    try:
        print(urlopen(line.strip()).read().decode().split()[0], flush=True)
    except OSError as error:
        print(type(error.reason).__name__, flush=True)
"""
    with subprocess.Popen(
        [sys.executable, "-c", code],
        env=world.environ,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as child:

        def ask() -> str:
            child.stdin.write("http://new.us-east-1.elb.amazonaws.com/\n")
            child.stdin.flush()
            return child.stdout.readline().strip()

        answers = [ask()]
        for port in (world.web.port, world.endpoint.port) * 10:
            new = {"new.us-east-1.elb.amazonaws.com": {"ips": [], "ports": {"80": port}}}
            world.book.replace(world.endpoints, world.hosts | new)
            answers.append(ask())
        world.book.replace(world.endpoints, world.hosts)
        answers.append(ask())
        child.stdin.close()
    assert answers == ["gaierror", *["web", "endpoint"] * 10, "gaierror"]


def test_a_missing_book_is_loud_only_when_an_aws_name_is_wanted(world, tmp_path):
    environ = {**world.environ, "LABS_ADDRESS_BOOK": str(tmp_path / "gone" / "book.json")}
    code = """
import socket
print(socket.gethostbyname("localhost"))
try:
    socket.create_connection(("sts.us-east-1.amazonaws.com", 443))
except OSError as error:
    print(type(error).__name__, "gone" in str(error), "set-up cell" in str(error))
"""
    assert world.python(code, environ).splitlines() == ["127.0.0.1", "gaierror True True"]


def test_a_sitecustomize_that_ours_hides_runs_too(world):
    assert world.python("import sys; print(sys.GUARDED)") == "True"


def test_the_file_loads_by_path_without_our_package_and_only_once(world):
    code = """
import sys
import labs_names
loaded = sorted(m for m in sys.modules if m.split(".")[0] in ("labs", "asyncio", "boto3", "ssl"))
from labs.cloud import names
from labs.cloud.names import labs_names as again
import labs.cloud.names.labs_names
print(loaded, names.find is labs_names.find, again is labs_names is labs.cloud.names.labs_names)
"""
    assert world.python(code) == "[] True True"


def test_the_wrapper_speaks_python_3_8():
    """Children run whatever Python the learner has on PATH."""
    import ast

    from labs.cloud import names

    for file in ("labs_names.py", "labs_instance.py", "labs_proxy_v2.py", "sitecustomize.py"):
        ast.parse((names.FOLDER / file).read_text(), feature_version=(3, 8))


@pytest.mark.parametrize("package", ["uvloop", "aiodns", "pycares"])
def test_the_lock_has_no_library_that_resolves_or_connects_in_c(package):
    assert f"\n{package}==" not in LOCK.read_text()


def test_the_lock_still_lacks_a_client_that_these_tests_do_not_try():
    assert "\nwebsockets==" not in LOCK.read_text(), "add websockets to SYNCHRONOUS"
