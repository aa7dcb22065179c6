#!/usr/bin/env python3
"""A web server that says who it is and whom it sees: the user data of this course's instances.

    GET /            JSON: name, instance, client, client_port, path, headers, body (bytes that
                     came), connection (its number), request (its number on that connection)
    GET /slow/250    the same, after 250 ms
    GET /health      "ok"

Any other path answers as / does, and so does POST. Standard library, Python 3.9: it runs as it
is on Amazon Linux, as root, by `run_instances(UserData=...)`.
"""

import itertools
import json
import socket
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

NAME = ""  # a lesson writes another here; "" means the host's name
PORT = 80
SLOWNESS = 1  # a slow server: 20 makes the 10 ms of /slow/10 into 200

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

    def answer(self, kind, text):
        self.send_response(200)
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


def ask_metadata(path, method, **headers):
    request = urllib.request.Request(METADATA + path, headers=headers, method=method)  # noqa: S310
    with urllib.request.urlopen(request, timeout=1) as answer:  # noqa: S310
        return answer.read().decode()


def instance_id():
    """This instance's, from its metadata service (IMDSv2); "unknown" where there is none."""
    try:
        token = ask_metadata("/api/token", "PUT", **{"X-aws-ec2-metadata-token-ttl-seconds": "60"})
        return ask_metadata("/meta-data/instance-id", "GET", **{"X-aws-ec2-metadata-token": token})
    except OSError:
        return "unknown"


if __name__ == "__main__":
    Server.instance = instance_id()
    with Server(("", PORT), Whoami) as server:
        print(f"{server.name} listens on port {PORT}", flush=True)
        server.serve_forever()
