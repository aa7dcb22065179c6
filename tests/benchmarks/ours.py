"""Our proxies as programs of their own, and stand-ins for nginx and wrk where those are missing.

    python -m tests.benchmarks.ours layer4|layer7|backend PORT BACKEND_PORT

The benchmark runs it. The layer-7 proxy has a listener's rules as a learner's balancer has them:
one that forwards what begins with "/", and the default.
"""

import asyncio
import random
import sys

from labs.loadbalancing import layer4, layer7, rules
from labs.loadbalancing.choosing import round_robin
from labs.loadbalancing.layer7 import Answer, Forward, Request
from labs.loadbalancing.target import Target

GROUP = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/bench/0123456789abcdef"
RULES = [
    {
        "RuleArn": "rule/1",
        "Priority": "1",
        "Conditions": [{"Field": "path-pattern", "Values": ["/*"]}],
        "Actions": [{"Type": "forward", "TargetGroupArn": GROUP}],
    },
    {
        "RuleArn": "rule/default",
        "Priority": "default",
        "Conditions": [],
        "Actions": [
            {
                "Type": "fixed-response",
                "FixedResponseConfig": {"StatusCode": "404", "ContentType": "text/plain"},
            }
        ],
    },
]
RESPONSE = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 23\r\n%b\r\n"
    b"Hello from the target.\n"
)


async def serve_layer4(port: int, target: Target) -> None:
    server = await layer4.Proxy(round_robin([target])).serve("127.0.0.1", port)
    await server.serve_forever()


async def serve_layer7(port: int, target: Target) -> None:
    compiled = rules.compile_rules(RULES)
    targets = {GROUP: target}
    choice = random.Random(7)

    def route(request: Request) -> Answer | Forward:
        rule = compiled.match(request)
        own = rules.answer(rule, request)
        return own or Forward(targets[rules.choose_group(rule.action, choice)])

    await layer7.serve(route, "127.0.0.1", port)
    await asyncio.Event().wait()


class Backend(asyncio.Protocol):
    """Answers each head of a request. Whoever measures sends no bodies."""

    def __init__(self) -> None:
        self.unread = b""

    def connection_made(self, transport: asyncio.Transport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        *heads, self.unread = (self.unread + data).split(b"\r\n\r\n")
        for head in heads:
            closes = b"\r\nconnection: close" in head.lower()
            self.transport.write(RESPONSE % (b"Connection: close\r\n" if closes else b""))
            if closes:
                self.transport.close()


async def serve_backend(port: int, _: Target) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Backend, "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


SERVERS = {"layer4": serve_layer4, "layer7": serve_layer7, "backend": serve_backend}

if __name__ == "__main__":
    what, port, backend = sys.argv[1:]
    asyncio.run(SERVERS[what](int(port), Target("bench", "127.0.0.1", int(backend))))
