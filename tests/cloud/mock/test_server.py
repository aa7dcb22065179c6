"""The HTTP front: by itself around a small application, and as the mock's."""

import contextlib
import http.client
import json
import socket
import ssl
import statistics
import subprocess
import sys
import threading
import time
from types import SimpleNamespace

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from labs.cloud import trust
from labs.cloud.mock.gateway import RAW_HEADERS
from labs.cloud.mock.server import Front, raw_headers

HOST = "sns.us-east-1.amazonaws.com"


class Echo:
    """An application that tells what it was asked, and remembers it."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.failures: list[Exception] = []

    def __call__(self, environ, start_response):
        try:
            body = environ["wsgi.input"].read()
        except Exception as wrong:
            self.failures.append(wrong)
            raise
        self.bodies.append(body)
        told = {
            "method": environ["REQUEST_METHOD"],
            "path": environ["PATH_INFO"],
            "raw": environ["RAW_URI"],
            "headers": environ[RAW_HEADERS],
            "scheme": environ["wsgi.url_scheme"],
            "length": len(body),
        }
        text = json.dumps(told).encode()
        start_response("200 OK", [("Content-Length", str(len(text)))])
        return [] if told["method"] == "HEAD" else [text]


@contextlib.contextmanager
def serving(context: ssl.SSLContext | None = None):
    app = Echo()
    front = Front(app, 0, threads=4, context=context)
    front.start()
    try:
        yield SimpleNamespace(app=app, port=front.port)
    finally:
        front.stop()


@pytest.fixture(scope="module")
def front():
    with serving() as served:
        yield served


@pytest.fixture
def connection(front):
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", front.port, timeout=20)) as it:
        yield it


def ask(connection, method="GET", path="/", body=None, headers=(), **kw):
    connection.request(method, path, body, dict(headers), **kw)
    response = connection.getresponse()
    return response, response.read()


def told(connection, *request, **kw):
    return json.loads(ask(connection, *request, **kw)[1])


def wait_until(condition, seconds=10.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


def test_path_is_handed_on_as_sent_and_decoded(connection):
    answer = told(connection, "GET", "/b/a%2Fb%20c?x=%2F")
    assert answer["raw"] == "/b/a%2Fb%20c?x=%2F"
    assert answer["path"] == "/b/a%2Fb c"


def test_headers_keep_spelling_order_and_duplicates(connection):
    connection.putrequest("GET", "/", skip_host=True, skip_accept_encoding=True)
    sent = [["hOsT", "x"], ["X-Twice", "a"], ["x_under", "1"], ["x-twice", "b: c"], ["Empty", ""]]
    for name, value in sent:
        connection.putheader(name, value)
    connection.endheaders()
    assert json.loads(connection.getresponse().read())["headers"] == sent


def test_a_folded_header_is_one():
    lines = [b"A: 1\r\n", b"B: 2\r\n", b"\t3 \r\n", b"C: 4\r\n", b"\r\n"]
    assert raw_headers(lines) == [("A", "1"), ("B", "2 3"), ("C", "4")]


def test_one_connection_serves_many(connection):
    ask(connection)
    used = connection.sock
    for method in ("GET", "HEAD", "PUT", "GET"):
        ask(connection, method, "/", b"x" if method == "PUT" else None)
    assert connection.sock is used is not None


def test_connections_of_many_clients_stay_open(front):
    """cheroot alone keeps ten; each further request would pay for a connection, and a handshake."""
    with contextlib.ExitStack() as stack:
        clients = [
            stack.enter_context(
                contextlib.closing(http.client.HTTPConnection("127.0.0.1", front.port, timeout=20))
            )
            for _ in range(40)
        ]
        for client in clients:
            ask(client)
        assert all(client.sock is not None for client in clients)


def test_head_has_the_length_and_no_body(connection):
    response, body = ask(connection, "HEAD")
    assert (response.status, body) == (200, b"")
    assert int(response.headers["Content-Length"]) > 0


@pytest.mark.parametrize("size", [0, 1, 100_000])
def test_bodies_with_a_length(connection, size):
    assert told(connection, "PUT", "/", b"x" * size)["length"] == size


def test_chunked_upload(connection):
    chunks = [b"x" * 10, b"y" * 70_000, b"z"]
    assert told(connection, "PUT", "/", iter(chunks), encode_chunked=True)["length"] == 70_011


def test_expect_100_continue_costs_no_waiting(front):
    body = b"x" * 1000

    def put(expect: bool) -> float:
        started = time.perf_counter()
        with socket.create_connection(("127.0.0.1", front.port), timeout=20) as client:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            head = b"PUT / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 1000\r\n"
            client.sendall(head + (b"Expect: 100-continue\r\n\r\n" if expect else b"\r\n"))
            if expect:
                assert client.recv(100).startswith(b"HTTP/1.1 100 ")
            client.sendall(body)
            assert b'"length": 1000' in read_all(client)
        return time.perf_counter() - started

    put(True)
    expecting, plain = ([put(expect) for _ in range(9)] for expect in (True, False))
    # A reply that sits in a buffer costs the client its whole patience: a second, some 300 times.
    assert statistics.median(expecting) < 50 * statistics.median(plain)


def read_all(client: socket.socket) -> bytes:
    return b"".join(iter(lambda: client.recv(65536), b""))


@pytest.mark.parametrize(
    "half",
    [
        b"",
        b"PUT /half HT",
        b"PUT /half HTTP/1.1\r\nHost: x\r\nContent-",
        b"PUT /half HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nonly this",
        b"PUT /half HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nonly this",
        b"PUT /half HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nonly\r\n",
    ],
)
def test_half_a_request_is_none(front, connection, half):
    front.app.bodies.clear()
    for _ in range(8):  # more than there are workers
        with socket.create_connection(("127.0.0.1", front.port), timeout=20) as client:
            client.sendall(half)
            client.shutdown(socket.SHUT_WR)
            read_all(client)  # the server has done with it
    assert front.app.bodies == []
    assert told(connection, "PUT", "/", b"whole")["length"] == 5


def test_a_client_that_does_not_wait_for_its_answer(front, connection):
    before = len(front.app.bodies)
    for _ in range(8):
        with socket.create_connection(("127.0.0.1", front.port), timeout=20) as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    wait_until(lambda: len(front.app.bodies) >= before + 8)
    assert ask(connection)[0].status == 200


def test_tls_and_slow_handshakes_beside(tmp_path):
    ca = trust.make_ca(tmp_path)
    trusting = ssl.create_default_context(cadata=ca.cert_pem.bytes().decode())
    with serving(trust.server_context(ca)) as front, contextlib.ExitStack() as stack:
        slow = [
            stack.enter_context(socket.create_connection(("127.0.0.1", front.port), timeout=20))
            for _ in range(3)  # each keeps a worker waiting; one of four is left
        ]
        slow[1].sendall(b"\x16\x03\x01")  # a handshake that begins and does not go on
        with (
            socket.create_connection(("127.0.0.1", front.port), timeout=20) as plain,
            trusting.wrap_socket(plain, server_hostname=HOST) as client,
        ):
            client.sendall(f"GET / HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n".encode())
            answer = read_all(client)
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert b'"scheme": "https"' in answer


def test_a_port_that_is_taken():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError) as raised:
            Front(Echo(), port, threads=1)
        assert raised.value.errno is not None
        assert raised.value.strerror


def test_the_command_says_that_a_port_is_taken():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        command = [sys.executable, "-m", "labs.cloud.mock", "--port", str(port)]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 1
    assert ended.stderr.startswith(f"Port {port} cannot be used: ")
    assert "None" not in ended.stderr
    assert "Traceback" not in ended.stderr


# As the mock's front, with boto3's own requests


@pytest.fixture
def bucket(aws):
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="bucket")
    return s3


def test_s3_keys_come_back_as_they_went(bucket):
    keys = ["a/b", "a%2Fb", "a%2fb", "a b+c", "ü/é", "a//b", "./a", "?x=1&y#z"]
    for key in keys:
        bucket.put_object(Bucket="bucket", Key=key, Body=key.encode())
    for key in keys:
        assert bucket.get_object(Bucket="bucket", Key=key)["Body"].read() == key.encode()
    listed = bucket.list_objects_v2(Bucket="bucket")["Contents"]
    assert sorted(item["Key"] for item in listed) == sorted(keys)


@pytest.mark.parametrize("metadata", [{"a_b": "1"}, {"a-b": "2"}, {"a.b_c-d": "3", "e": "4"}])
def test_s3_metadata_keeps_its_names(bucket, metadata):
    bucket.put_object(Bucket="bucket", Key="k", Body=b"x", Metadata=metadata)
    assert bucket.head_object(Bucket="bucket", Key="k")["Metadata"] == metadata


def test_s3_head_and_an_empty_object(bucket):
    bucket.put_object(Bucket="bucket", Key="empty", Body=b"")
    bucket.put_object(Bucket="bucket", Key="full", Body=b"x" * 100_000)
    assert bucket.head_object(Bucket="bucket", Key="empty")["ContentLength"] == 0
    assert bucket.head_object(Bucket="bucket", Key="full")["ContentLength"] == 100_000
    with pytest.raises(ClientError) as missing:
        bucket.head_object(Bucket="bucket", Key="none")
    assert missing.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404


def test_half_an_object_is_not_stored(bucket):
    host, port = bucket.meta.endpoint_url.removeprefix("http://").split(":")
    for framing in (
        b"Content-Length: 100\r\n\r\nhalf",
        b"Transfer-Encoding: chunked\r\n\r\n64\r\n",
    ):
        with socket.create_connection((host, int(port)), timeout=20) as client:
            client.sendall(b"PUT /bucket/half HTTP/1.1\r\nHost: localhost\r\n" + framing)
            client.shutdown(socket.SHUT_WR)
            read_all(client)
    assert "Contents" not in bucket.list_objects_v2(Bucket="bucket")


@pytest.mark.parametrize(
    ("service", "operation", "parameters"),
    [
        ("dynamodb", "list_contributor_insights", {}),  # json
        ("sns", "list_sms_sandbox_phone_numbers", {}),  # query
        ("ec2", "describe_fpga_images", {}),  # ec2
        ("lambda", "list_code_signing_configs", {}),  # rest-json
        ("route53", "get_checker_ip_ranges", {}),  # rest-xml
    ],
)
def test_what_moto_lacks_is_an_aws_error(aws, service, operation, parameters):
    client = aws.client(service, config=Config(retries={"total_max_attempts": 1}))
    with pytest.raises(ClientError) as raised:
        getattr(client, operation)(**parameters)
    answer = raised.value.response
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 501
    assert answer["Error"]["Code"] == "NotImplemented"
    name = client.meta.method_to_api_mapping[operation]
    assert answer["Error"]["Message"] == f"The mock does not implement {service} {name}."


def test_many_clients_at_once(bucket, aws):
    """More clients than kept connections of cheroot; each reads what it wrote."""
    failures = []

    def client(number: int) -> None:
        try:
            for _ in range(3):
                bucket.put_object(Bucket="bucket", Key=f"k{number}", Body=str(number).encode())
                body = bucket.get_object(Bucket="bucket", Key=f"k{number}")["Body"].read()
                assert body == str(number).encode()
        except Exception as wrong:
            failures.append(wrong)

    threads = [threading.Thread(target=client, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not failures


def test_a_region_that_does_not_exist_is_said_in_words(aws):
    for service, operation in (("sns", "list_topics"), ("dynamodb", "list_tables")):
        client = aws.client(service, region_name="us-east-9")
        with pytest.raises(ClientError) as refused:
            getattr(client, operation)()
        assert refused.value.response["Error"]["Code"] == "UnknownRegion"
        assert "'us-east-9'" in refused.value.response["Error"]["Message"]
