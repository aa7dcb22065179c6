"""The programs of the lessons' servers, on instances of a real mock behind an ALB."""

import contextlib

import requests
import websocket

from labs.cloud import browsing
from labs.loadbalancing import fleet
from tests.cloud.mock.balancing.network import get, said


def test_a_conversation_by_websocket_goes_through_an_alb(network):
    servers = network.instances(script=fleet.user_data("chat", fleet.CHAT))
    group = network.group("chat", *servers)
    name = network.alb(group)
    network.wait_for(group, "healthy")
    with contextlib.ExitStack() as stack:
        url = f"ws://{name}/"
        ada, bob = (websocket.create_connection(url, timeout=10) for _ in range(2))
        stack.callback(ada.close)
        stack.callback(bob.close)
        ada.send("hello")
        assert (ada.recv(), bob.recv()) == ("chat: hello", "chat: hello")
        bob.ping("?")
        assert bob.recv_data(control_frame=True) == (websocket.ABNF.OPCODE_PONG, b"?")
    assert requests.get(f"http://{name}/").status_code == 400


def test_a_trace_id_goes_through_two_services(network):
    stock = network.group("stock", *network.instances(script=fleet.user_data("stock")))
    inner = network.alb(stock, "inner")
    script = fleet.user_data("shop", upstream=f"http://{inner}/stock")
    outer = network.alb(network.group("shop", *network.instances(script=script)), "outer")
    order = said(outer, "/order")
    (root,) = order["headers"]["X-Amzn-Trace-Id"].split(";")
    assert root.startswith("Root=1-")
    later = order["upstream"]["headers"]["X-Amzn-Trace-Id"]
    assert order["upstream"]["name"] == "stock"
    assert root in later
    assert "Self=" in later


def test_a_server_that_crashed_stays_away(network):
    [server] = network.instances(script=fleet.user_data("one"))
    group = network.group("tg", server)
    name = network.alb(group)
    network.wait_for(group, "healthy")
    assert get(name, "/crash").status == 502
    network.wait_for(group, "unhealthy")
    assert network.describe(server)["State"]["Name"] == "running"


def test_browse_finds_a_page_by_the_balancers_name(network):
    name = network.alb(network.group("tg", *network.instances(script=fleet.user_data("one"))))
    visit = network.aws.browse(f"http://{name}/")
    assert isinstance(visit, browsing.Visit)
    assert "<h1>This is one</h1>" in visit.answer.text
    assert "X-Whoami: one" in str(visit)
    refused = network.aws.browse(f"http://{name}:81/")
    assert f"{name} port 81" in refused.error
