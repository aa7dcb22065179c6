"""The web server of the lessons, as user data and as a plain program."""

import ast
import http.client
import json
import subprocess
import sys
import threading
import time
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from labs.cloud.mock.instances import user_data
from labs.loadbalancing import whoami

SOURCE = Path(whoami.__file__)


@pytest.fixture(scope="module")
def server():
    class Here(whoami.Server):
        name, instance = "here", "i-1"

    with Here(("127.0.0.1", 0), whoami.Whoami) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@contextmanager
def connected(server):
    with closing(http.client.HTTPConnection(*server.server_address, timeout=10)) as connection:
        yield connection


def ask(connection, path="/", method="GET", **more):
    connection.request(method, path, **more)
    answer = connection.getresponse()
    return answer, answer.read()


def test_it_fits_into_user_data_and_amazon_linux():
    script = SOURCE.read_bytes()
    assert len(script) < user_data.LIMIT / 2
    assert user_data.why_not(script) is None
    ast.parse(script, feature_version=(3, 9))
    imported = {
        name.split(".")[0]
        for node in ast.walk(ast.parse(script))
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for name in [node.module if isinstance(node, ast.ImportFrom) else node.names[0].name]
    }
    assert imported <= sys.stdlib_module_names


def test_it_says_who_it_is_whom_it_sees_and_counts(server):
    with connected(server) as one, connected(server) as other:
        first = json.loads(ask(one, "/a?b=1", headers={"X-Note": "hello"})[1])
        second, third = json.loads(ask(one)[1]), json.loads(ask(other)[1])
        assert (first["name"], first["instance"], first["path"]) == ("here", "i-1", "/a?b=1")
        assert first["headers"]["X-Note"] == "hello"
        assert (first["client"], first["client_port"]) == one.sock.getsockname()
        assert (first["request"], second["request"], third["request"]) == (1, 2, 1)
        assert first["connection"] == second["connection"] != third["connection"]


def test_the_header_names_it_on_every_answer(server):
    with connected(server) as connection:
        for path in ("/", "/health", "/slow/0"):
            answer, _ = ask(connection, path)
            assert (answer.status, answer.headers["X-Whoami"]) == (200, "here")
        assert ask(connection, "/health")[1] == b"ok\n"


def test_a_browser_gets_a_page_and_others_get_json(server):
    browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
    with connected(server) as connection:
        answer, body = ask(connection, "/<a>", headers={"Accept": browser})
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        assert b"<h1>This is here</h1>" in body
        assert b"<tr><th>path<td>/&lt;a&gt;" in body
        for accept in ("*/*", "application/json, text/html;q=0.1"):
            assert json.loads(ask(connection, headers={"Accept": accept})[1])["name"] == "here"


def test_order_asks_another_service_and_hands_the_trace_on(server, monkeypatch):
    class Further(whoami.Server):
        name, instance = "further", "i-2"

    with Further(("127.0.0.1", 0), whoami.Whoami) as further, connected(server) as connection:
        url = f"http://127.0.0.1:{further.server_port}/stock"
        monkeypatch.setattr(whoami, "UPSTREAM", url)
        thread = threading.Thread(target=further.serve_forever, args=(0.02,))
        thread.start()
        trace = {"X-Amzn-Trace-Id": "Root=1-67891233-abcdef012345678912345678"}
        traced = json.loads(ask(connection, "/order", headers=trace)[1])
        without = json.loads(ask(connection, "/order")[1])
        further.shutdown()
        thread.join()
    assert (traced["name"], traced["path"]) == ("here", "/order")
    assert (traced["upstream"]["name"], traced["upstream"]["path"]) == ("further", "/stock")
    assert traced["upstream"]["headers"]["X-Amzn-Trace-Id"] == trace["X-Amzn-Trace-Id"]
    assert "X-Amzn-Trace-Id" not in without["upstream"]["headers"]
    with connected(server) as connection:  # nobody is there any more
        answer, body = ask(connection, "/order")
        assert (answer.status, body.startswith(url.encode())) == (502, True)
        assert "upstream" not in json.loads(ask(connection, "/other")[1])


def test_without_another_service_order_is_a_path_as_others(server):
    with connected(server) as connection:
        assert "upstream" not in json.loads(ask(connection, "/order")[1])


def test_crash_ends_the_process_without_an_answer():
    script = SOURCE.read_text().replace("PORT = 80", "PORT = 0")
    script = script.replace("server.name} listens on port {PORT}", "server.server_port}")
    command = [sys.executable, "-c", script]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        port = int(process.stdout.readline())
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
            assert ask(connection, "/health")[0].status == 200
            with pytest.raises(ConnectionError):
                ask(connection, "/crash")
        assert process.wait(10) == 1


def test_slow_waits_and_others_do_not_wait_for_it(server):
    with connected(server) as slow, connected(server) as fast:
        began = time.monotonic()
        slow.request("GET", "/slow/200")
        ask(fast)
        quick = time.monotonic() - began
        slow.getresponse().read()
        assert time.monotonic() - began >= 0.2 > quick


@pytest.mark.parametrize("path", ["/slow/", "/slow/x", "/slow/-1"])
def test_a_slow_that_is_no_number_is_not_slow(server, path):
    with connected(server) as connection:
        assert ask(connection, path)[0].status == 200


def test_bodies_are_read_whole_so_that_the_connection_can_go_on(server):
    with connected(server) as connection:
        assert json.loads(ask(connection, "/", "POST", body=b"x" * 100_000)[1])["body"] == 100_000
        chunks = iter([b"a" * 10, b"b" * 3_000])
        answer = ask(connection, "/", "POST", body=chunks, encode_chunked=True)
        assert json.loads(answer[1])["body"] == 3_010
        answer, body = ask(connection, "/", "HEAD")
        assert (int(answer.headers["Content-Length"]) > 0, body) == (True, b"")
        assert json.loads(ask(connection)[1])["request"] == 4


def test_as_user_data_it_knows_its_instance_and_takes_a_name(cloud):
    script = SOURCE.read_text()
    plain = cloud.run(script)
    named = cloud.run(script.replace('NAME = ""', 'NAME = "web-1"'))
    first, second = (json.loads(instance.listens().get("/")) for instance in (plain, named))
    assert (first["name"], first["instance"], first["client"]) == (
        plain.record["PrivateDnsName"].partition(".")[0],
        plain.id,
        "203.0.113.5",
    )
    assert (second["name"], second["instance"]) == ("web-1", named.id)


def test_where_there_is_no_metadata_service_it_runs_all_the_same(cloud):
    """The learner's own machine, in mock mode: refused at once."""
    code = "from labs.loadbalancing.whoami import instance_id; print(instance_id())"
    result = subprocess.run(
        [sys.executable, "-c", code],
        env=cloud.environ,
        cwd=SOURCE.parents[2],
        capture_output=True,
        text=True,
    )
    assert result.stdout == "unknown\n", result.stderr
