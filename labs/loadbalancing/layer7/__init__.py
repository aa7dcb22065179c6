"""An HTTP/1.1 reverse proxy: a target for each request.

Read in this order. What the proxy asks a router: contract. What a request is, and where it ends:
grammar, reading, parsing, framing. What becomes of it: decisions, exchange, answers (the proxy's
own), forwarding, forwarded and tracing (what a target is sent). What comes back: responses,
relaying. The connections: connection and client, targets and pool, tunnel. All together: proxy.

Bodies and heads are read by llhttp, and heads by a grammar of our own besides. Left out: HTTP/2
and gRPC, Early Hints, `Transfer-Encoding: identity`, methods that llhttp does not know.
"""

from labs.loadbalancing.layer7.contract import (
    Answer,
    Call,
    Decision,
    Forward,
    Headers,
    Request,
    Router,
    Settings,
)
from labs.loadbalancing.layer7.proxy import Proxy, serve

__all__ = [
    "Answer",
    "Call",
    "Decision",
    "Forward",
    "Headers",
    "Proxy",
    "Request",
    "Router",
    "Settings",
    "serve",
]
