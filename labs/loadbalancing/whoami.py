#!/usr/bin/env python3
"""A web server that says who it is and whom it sees: the user data of this course's instances.

    GET /            JSON: name, instance, client, client_port, path, headers, body (bytes that
                     came), connection (its number), request (its number on that connection)
    GET /slow/250    the same, after 250 ms
    GET /order       the same, with the answer of another service, UPSTREAM, in `upstream`
    GET /health      "ok"
    GET /crash       no answer: the process ends, and nothing starts it again

Any other path answers as / does, and so does POST. A browser gets a page instead of JSON. Standard
library, Python 3.9: it runs as it is on Amazon Linux, as root, by `run_instances(UserData=...)`.
"""

import html
import itertools
import json
import os
import socket
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

NAME = ""  # a lesson writes another here; "" means the host's name
PORT = 80
SLOWNESS = 1  # a slow server: 20 makes the 10 ms of /slow/10 into 200
UPSTREAM = ""  # the URL that /order asks

METADATA = "http://169.254.169.254/latest"
connections = itertools.count(1)


class Whoami(BaseHTTPRequestHandler):
    """One object for each connection, which stays open between requests."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # TCP_NODELAY: an answer does not wait for an ACK

    def setup(self):
        super().setup()
        self.connection_number, self.request_number = next(connections), 0

    def do_GET(self):
        self.request_number += 1
        length = self.read_body()
        if self.path == "/health":
            return self.answer("text/plain", "ok\n")
        if self.path == "/crash":
            os._exit(1)
        milliseconds = self.path[len("/slow/") :] if self.path.startswith("/slow/") else ""
        if milliseconds.isdecimal():
            time.sleep(SLOWNESS * int(milliseconds) / 1000)
        facts = {
            "name": self.server.name,
            "instance": self.server.instance,
            "client": self.client_address[0],
            "client_port": self.client_address[1],
            "path": self.path,
            "headers": dict(self.headers),
            "body": length,
            "connection": self.connection_number,
            "request": self.request_number,
        }
        if self.path == "/order" and UPSTREAM:
            try:
                facts["upstream"] = self.ask_upstream()
            except (OSError, ValueError) as error:
                return self.answer("text/plain", f"{UPSTREAM}: {error}\n", 502)
        if self.headers.get("Accept", "").startswith("text/html"):  # a browser wants it most
            return self.answer("text/html; charset=utf-8", page(facts))
        self.answer("application/json", json.dumps(facts, indent=2) + "\n")

    do_POST = do_PUT = do_DELETE = do_HEAD = do_GET

    def read_body(self):
        """Bytes that came: what is left unread would be taken for the next request."""
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return len(self.rfile.read(int(self.headers.get("Content-Length") or 0)))
        length = 0
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            length += size
            self.rfile.read(size + 2)
        while self.rfile.readline().strip():  # trailers
            continue
        return length

    def ask_upstream(self):
        """The trace id goes with the question, so that both requests can be found as one."""
        trace = self.headers.get("X-Amzn-Trace-Id")
        headers = {"X-Amzn-Trace-Id": trace} if trace else {}
        return json.loads(fetch(UPSTREAM, timeout=10, headers=headers))

    def answer(self, kind, text, status=200):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(text.encode())))
        self.send_header("X-Whoami", self.server.name)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text.encode())

    def log_message(self, *_):
        """Say nothing: thousands of requests are to come."""


class Server(ThreadingHTTPServer):
    request_queue_size = 128
    name = NAME or socket.gethostname()
    instance = "unknown"


def page(facts):
    rows = (f"<tr><th>{key}<td>{html.escape(str(value))}" for key, value in facts.items())
    title = f"This is {html.escape(facts['name'])}"
    table = f"<table>{''.join(rows)}</table>"
    return f"<!doctype html><html lang=en><title>{title}</title><h1>{title}</h1>{table}</html>\n"


def fetch(url, timeout, method="GET", headers=None):
    request = urllib.request.Request(url, headers=headers or {}, method=method)  # noqa: S310
    with urllib.request.urlopen(request, timeout=timeout) as answer:  # noqa: S310
        return answer.read().decode()


def instance_id():
    """This instance's, from its metadata service (IMDSv2); "unknown" where there is none."""
    try:
        ttl = {"X-aws-ec2-metadata-token-ttl-seconds": "60"}
        token = {"X-aws-ec2-metadata-token": fetch(f"{METADATA}/api/token", 1, "PUT", ttl)}
        return fetch(f"{METADATA}/meta-data/instance-id", 1, headers=token)
    except OSError:
        return "unknown"


if __name__ == "__main__":
    Server.instance = instance_id()
    with Server(("", PORT), Whoami) as server:
        print(f"{server.name} listens on port {PORT}", flush=True)
        server.serve_forever()
