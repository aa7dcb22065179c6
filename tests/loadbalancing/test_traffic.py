"""The load generator, against servers that behave in every way."""

import asyncio
import contextlib
import gc
import http.server
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections import Counter
from itertools import pairwise

import pytest
import trustme

from labs.loadbalancing.choosing import round_robin
from labs.loadbalancing.closing import CLOSE_AT_ONCE
from labs.loadbalancing.layer4 import Proxy
from labs.loadbalancing.target import Target
from labs.loadbalancing.traffic import arrivals, closed_loop, open_loop, start
from tests.servers import running

COLUMNS = ["time", "latency", "status", "error", "target", "connection", "client"]


class Behaviour(http.server.BaseHTTPRequestHandler):
    """Does what the path says."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self):
        self.server.seen.append((self.path, self.headers))
        getattr(self, self.path.strip("/").partition("?")[0] or "plain")()

    def plain(self, status=200, body=b"hello"):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Whoami", f"i-{self.server.server_port}")
        self.send_header("X-Zone", "b")
        self.end_headers()
        self.wfile.write(body)

    def busy(self):
        self.plain(503)

    def slow(self):
        time.sleep(0.2)
        self.plain()

    def chunked(self):
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.write(b"5\r\nhello\r\n0\r\n\r\n")

    def until_close(self):
        self.wfile.write(b"HTTP/1.1 200 OK\r\n\r\nhello")
        self.close_connection = True

    def hints(self):
        self.wfile.write(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")
        self.plain()

    def last(self):
        """Says that this connection ends."""
        self.close_connection = True
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.send_header("Connection", "close")
        self.end_headers()

    def cut(self):
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhel")
        self.close_connection = True

    def garbage(self):
        self.wfile.write(b"220 mail.example.com ESMTP\r\n")
        self.close_connection = True

    def reset(self):
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, CLOSE_AT_ONCE)
        self.close_connection = True

    def silent(self):
        self.server.released.wait(10)
        self.close_connection = True

    def log_message(self, *args):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 200

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Behaviour)
        self.seen, self.released = [], threading.Event()
        self.url = f"http://127.0.0.1:{self.server_port}"

    def shutdown_request(self, request):
        """No polite FIN before close: /reset would be an orderly end."""
        self.close_request(request)

    def handle_error(self, request, client_address):
        pass


@pytest.fixture
def server():
    with running(Server()) as server:
        yield server


@contextlib.contextmanager
def in_a_loop(start):
    """What the coroutine `start()` gives, its loop running in a thread meanwhile."""
    loop = asyncio.new_event_loop()
    listener = loop.run_until_complete(start())
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield listener
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    listener.close()
    for task in asyncio.all_tasks(loop):
        task.cancel()
    loop.run_until_complete(asyncio.sleep(0.01))
    loop.close()


def test_frame_has_a_row_for_each_request(server):
    frame = closed_loop(server.url, clients=2, requests=5)
    assert list(frame.columns) == COLUMNS
    assert len(frame) == len(server.seen) == 10
    assert set(frame.status) == {200}
    assert set(frame.error) == {""}
    assert set(frame.target) == {f"i-{server.server_port}"}
    assert Counter(frame.client) == {1: 5, 2: 5}
    assert frame.time.is_monotonic_increasing
    assert (frame.latency > 0).all()


def test_clients_may_differ_in_requests(server):
    frame = closed_loop(server.url, requests=[4, 1, 2])
    assert Counter(frame.client) == {1: 4, 2: 1, 3: 2}


def test_kept_connections_belong_to_one_client_each_in_order(server):
    frame = closed_loop(server.url, clients=3, requests=4)
    assert (frame.connection == frame.client).all()


def test_without_keep_alive_each_request_has_its_connection(server):
    frame = closed_loop(server.url, clients=2, requests=3, keep_alive=False)
    assert sorted(frame.connection) == [1, 2, 3, 4, 5, 6]
    assert {headers["Connection"] for _, headers in server.seen} == {"close"}


def test_connection_is_opened_again_after_the_server_has_ended_it(server):
    frame = closed_loop(server.url + "/last", requests=3)
    assert list(frame.status) == [200] * 3
    assert list(frame.connection) == [1, 2, 3]


def test_what_is_sent(server):
    closed_loop(server.url + "/plain?a=b", requests=1, headers={"Host": "shop", "Cookie": "c=1"})
    path, headers = server.seen[0]
    assert path == "/plain?a=b"
    assert headers.get_all("Host") == ["shop"]
    assert headers["Cookie"] == "c=1"


def test_host_is_that_of_the_url(server):
    closed_loop(server.url, requests=1)
    assert server.seen[0][1]["Host"] == f"127.0.0.1:{server.server_port}"


def test_target_may_be_in_another_header(server):
    assert list(closed_loop(server.url, requests=1, target_header="X-Zone").target) == ["b"]


@pytest.mark.parametrize("path", ["chunked", "until_close", "hints", "plain"])
def test_answers_may_be_framed_in_every_way(server, path):
    frame = closed_loop(f"{server.url}/{path}", requests=2)
    assert list(frame.status) == [200, 200]


def test_status_of_a_server_is_no_error(server):
    frame = closed_loop(server.url + "/busy", requests=2)
    assert list(frame.status) == [503, 503]
    assert set(frame.error) == {""}


@pytest.mark.parametrize(
    "path, error",
    [
        ("cut", "the connection ended before the answer did"),
        ("garbage", "this is no HTTP response"),
        ("reset", "reset"),
        ("silent", "no answer within 0.2 s"),
    ],
)
def test_request_without_an_answer_is_a_row_that_says_why(server, path, error):
    frame = closed_loop(f"{server.url}/{path}", requests=2, timeout_seconds=0.2)
    assert list(frame.status) == [0, 0]
    assert all(error in text for text in frame.error)
    assert list(frame.connection) == [1, 2]


def test_server_that_is_not_there_is_a_row_that_says_so():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    frame = closed_loop(f"http://127.0.0.1:{port}/", clients=2, requests=2)
    assert len(frame) == 4
    assert set(frame.status) == set(frame.connection) == {0}
    assert frame.error.str.contains(str(port)).all()


def test_name_that_does_not_resolve_is_a_row():
    frame = closed_loop("http://nowhere.invalid/", requests=1)
    assert frame.status[0] == 0
    assert frame.error[0]


def test_https(server):
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    url = f"https://localhost:{server.server_port}/"
    assert list(closed_loop(url, requests=2, tls=trusting).status) == [200, 200]
    distrusting = closed_loop(url, requests=1)
    assert distrusting.status[0] == 0
    assert "certificate verify failed" in distrusting.error[0]


def test_clients_think_between_requests(server):
    frame = closed_loop(server.url, requests=3, think_seconds=0.05)
    assert frame.time[2] - frame.time[0] >= 0.1


def test_everything_ends_in_time_and_what_was_under_way_has_a_row(server):
    frame = closed_loop(server.url + "/silent", clients=2, requests=5, within_seconds=0.3)
    assert len(frame) == 2
    assert set(frame.error) == {"everything ended before an answer came"}


def test_traffic_can_be_stopped(server):
    stop = threading.Event()
    threading.Timer(0.2, stop.set).start()
    frame = closed_loop(server.url, requests=10**9, stop=stop, within_seconds=10)
    assert 0 < len(frame) < 10**6
    assert frame.time.max() < 5


def test_it_runs_where_a_loop_is_running_already(server):
    """As in a kernel."""

    async def cell():
        return closed_loop(server.url, requests=1)

    assert list(asyncio.run(cell()).status) == [200]


def test_threads_end(server):
    before = threading.active_count()
    closed_loop(server.url, requests=1)
    assert not of_traffic()
    assert threading.active_count() <= before + 1  # the server's, of a connection that just ended


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"url": "ftp://example.com/"}, "expected http"),
        ({"url": "example.com"}, "expected http"),
        ({"url": "http://h/", "clients": 2, "requests": [1, 2, 3]}, "3 numbers for 2 clients"),
        ({"url": "http://h/", "headers": {"A": "b\r\nC: d"}}, "end of a line"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        closed_loop(**arguments)


def test_arrivals_do_not_wait_for_answers(server):
    """30 requests that take 0.2 s each, within 0.3 s: one after the other would take 6 s."""
    frame = open_loop(server.url + "/slow", rate=100, seconds=0.3, seed=None)
    assert len(frame) == 30
    assert set(frame.status) == {200}
    assert frame.time.max() < 0.3
    assert frame.connection.nunique() > 10
    assert list(frame.client) == list(range(1, 31))


def test_waiting_counts_from_when_a_request_was_due():
    """A server that stands still for 0.5 s delays all who came meanwhile, not the first only."""
    with stalling_server(0.5) as url:
        frame = open_loop(url, rate=50, seconds=0.4, seed=None)
    assert set(frame.status) == {200}
    ends = frame.time + frame.latency
    assert (ends > 0.45).all()
    assert frame.latency.max() > 3 * frame.latency.min()


@contextlib.contextmanager
def stalling_server(seconds):
    """Answers nobody for so long, then everybody at once."""
    until = []

    async def answer(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        if not until:
            until.append(time.monotonic() + seconds)
        await asyncio.sleep(until[0] - time.monotonic())
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        writer.close()

    with in_a_loop(lambda: asyncio.start_server(answer, "127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}/"


def test_idle_connections_are_used_again(server):
    frame = open_loop(server.url, rate=50, seconds=0.3, seed=None)
    assert frame.connection.nunique() < len(frame)
    frame = open_loop(server.url, rate=50, seconds=0.3, seed=None, keep_alive=False)
    assert frame.connection.nunique() == len(frame)


def test_open_loop_ends_although_nobody_answers(server):
    frame = open_loop(server.url + "/silent", rate=50, seconds=0.2, timeout_seconds=0.2)
    assert set(frame.status) == {0}


# In the background


def test_load_goes_on_while_others_work_and_ends_by_itself(server):
    load = start(server.url, rate=100, seconds=0.5, seed=None)
    wait_for(lambda: len(load.frame()) > 3)
    so_far = load.frame()
    assert list(so_far.columns) == COLUMNS
    assert "under way" in repr(load)
    everything = load.wait()
    assert len(everything) == 50 > len(so_far)
    assert set(everything.status) == {200}
    assert "ended: 50 requests to 127.0.0.1" in repr(load)
    assert load.stop().equals(everything)  # and again


def test_stop_waits_for_the_answers_to_what_was_sent(server):
    """A request that a stop came across would look like one that a server failed."""
    load = start(server.url + "/slow", rate=100, seconds=60, seed=None)
    wait_for(lambda: len(server.seen) >= 5)
    frame = load.stop()
    assert len(frame) == len(server.seen) < 500
    assert set(frame.status) == {200}


def test_stop_does_not_wait_for_ever(server):
    load = start(server.url + "/silent", rate=50, seconds=60, timeout_seconds=0.3)
    wait_for(lambda: server.seen)
    assert set(load.stop().error) == {"no answer within 0.3 s"}


def test_with_stops_it(server):
    with start(server.url, rate=100, seconds=60) as load:
        wait_for(lambda: len(load.frame()))
        assert load.elapsed > load.frame().time.max()
    assert "ended" in repr(load)
    assert not of_traffic()


def test_a_load_that_nobody_has_ends(server):
    load = start(server.url, rate=100, seconds=60)
    wait_for(lambda: server.seen)
    del load
    gc.collect()
    wait_for(lambda: not of_traffic())


def test_a_load_does_not_keep_python_alive(server):
    """Nor does it say anything when Python ends in the middle of it."""
    code = f"""
import time
from labs.loadbalancing import traffic
load = traffic.start({server.url + "/slow"!r}, rate=200, seconds=60, keep_alive=False)
while len(load.frame()) < 20:
    time.sleep(0.01)
"""
    command = [sys.executable, "-c", code]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


def test_a_name_is_looked_up_anew_for_each_connection(server, monkeypatch):
    """So that the weights of DNS records act, and changes of them."""
    real, port = socket.getaddrinfo, server.server_port
    asked = []

    def getaddrinfo(host, *more, **named):
        asked.append(host)
        return real("127.0.0.1", *more, **named)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    url = f"http://shop.example:{port}/"
    frame = open_loop(url, rate=20, seconds=0.5, keep_alive=False)
    assert asked.count("shop.example") == len(frame) > 1


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"url": "example.com"}, "expected http"),
        ({"url": f"http://{'a' * 64}.example/"}, "label empty or too long"),
        ({"rate": 0}, "expected requests a second"),
        ({"rate": float("nan")}, "expected requests a second"),
        ({"seconds": -1}, "expected seconds"),
        ({"seconds": float("inf")}, "expected seconds"),
    ],
)
def test_start_refuses_at_once_what_makes_no_sense(arguments, message):
    with pytest.raises(ValueError, match=message):
        start(**{"url": "http://h/", "rate": 1, "seconds": 1, **arguments})
    assert not of_traffic()


def of_traffic():
    return [thread for thread in threading.enumerate() if thread.name.startswith("traffic")]


def wait_for(condition, seconds=10):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_arrivals_at_equal_distances():
    assert arrivals(4, 1, None) == [0, 0.25, 0.5, 0.75]


def test_arrivals_at_random_are_the_same_for_a_seed_and_have_the_rate():
    times = arrivals(100, 50, seed=7)
    assert times == arrivals(100, 50, seed=7) != arrivals(100, 50, seed=8)
    assert times == sorted(times)
    assert times[0] > 0
    assert times[-1] < 50
    assert len(times) == pytest.approx(5_000, rel=0.05)  # 3.5 standard deviations
    distances = [b - a for a, b in pairwise(times)]
    assert sum(d > 0.01 for d in distances) / len(distances) == pytest.approx(0.37, abs=0.03)


def test_at_layer_4_a_busy_client_stays_with_one_server():
    """Lesson 12's experiment, small: as the connections come, so are they dealt out."""
    with contextlib.ExitStack() as servers:
        targets = [servers.enter_context(running(Server())) for _ in range(4)]
        proxy = Proxy(round_robin([Target(str(s), "127.0.0.1", s.server_port) for s in targets]))
        with in_a_loop(lambda: proxy.serve("127.0.0.1", 0)) as listener:
            url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}/"
            frame = closed_loop(url, requests=[40, 5, 5, 5, 2, 2])
        assert [len(s.seen) for s in targets] == [42, 7, 5, 5]
        assert list(frame.groupby("target").size().sort_values()) == [5, 5, 7, 42]
