"""The software of Elastic Beanstalk on an instance: runs the application, and does as it is told.

On AWS that is the platform's engine with nginx, systemd and sshd. Here the instance's user data
runs `main`. It connects to the mock's motor (`labs.cloud.mock.beanstalk.hosts`) and answers lines
of JSON, one question after another:

    -> {"do": "deploy", "bundle": path of a zip, "web": {...}, "environment": {...}, "label": "v1"}
    -> {"do": "restart"}
    <- {"ok": true} or {"ok": false, "why": text}
    -> {"do": "health"}     <- {"runs": true, "label": "v1", "requests": [[status, seconds], ...]}
    -> {"do": "logs"}       <- {"text": what the application and this program wrote last}

Port 80 is the application's (`server.py`), which is a process of its own; while it does not run,
this program answers there with 502, as nginx does. At port 22 it says what sshd says first, and
no more: nobody can log in. Standard library only.

Sources: Beanstalk guide, "Extending Elastic Beanstalk Linux platforms" (instance deployment
workflow); RFC 4253, section 4.2; systemd.service(5), Restart=always.
"""

import contextlib
import http.server
import json
import os
import pathlib
import shutil
import socket
import socketserver
import subprocess
import sys
import threading
import time
import zipfile
from collections import deque

SERVER = pathlib.Path(__file__).with_name("server.py")
#: Seconds in which an application must listen, or is taken to be slow, and well.
START_SECONDS = 10.0
#: Seconds in which a stopped application may finish its requests.
STOP_SECONDS = 5.0
#: Seconds before an application that ended by itself is started again.
RESTART_SECONDS = 1.0
#: Seconds of which requests are told. Source: Beanstalk guide, "Enhanced health reporting".
WINDOW = 10.0
LOG_BYTES = 20_000
IDENTIFICATION = b"SSH-2.0-OpenSSH_8.7\r\n"


class Failed(Exception):
    """A deployment that did not succeed; the text says why."""


class Application:
    """The process of the application, started again when it ends by itself."""

    def __init__(self, log):
        self.log, self.label = log, None
        self._requests = deque(maxlen=10_000)
        self._process, self._settings, self._started = None, None, None
        self._changing = threading.RLock()
        self._nginx = None

    def start(self, folder, web, environment, label):
        """Run what is in a folder. Raises Failed when the process ends before it listens."""
        with self._changing:
            self._settings = (folder, web, environment)
            self.label = label
            self._requests.clear()
            if not self._run():
                raise Failed("the application ended as soon as it was started")

    def restart(self):
        with self._changing:
            if self._settings:
                self.stop()
                if not self._run():
                    raise Failed("the application ended as soon as it was started")

    def stop(self):
        """Let it finish its requests, then end it."""
        with self._changing:
            process, self._process = self._process, None
            if process is None:
                return
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def runs(self):
        return self._process is not None and self._process.poll() is None

    def requests(self):
        """[status, seconds] of the requests that ended in the last seconds."""
        since = time.monotonic() - WINDOW
        return [[status, seconds] for at, status, seconds in list(self._requests) if at > since]

    def _run(self):
        """Whether it listens, or at least still runs."""
        folder, web, environment = self._settings
        self._stop_nginx()
        listens = threading.Event()
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, str(SERVER), json.dumps({**web, "log": str(self.log)})],
                cwd=folder,
                env={**os.environ, **environment},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
            )
        self._process = process
        threading.Thread(target=self._watch, args=(process, listens), daemon=True).start()
        deadline = time.monotonic() + START_SECONDS
        while not listens.wait(0.02) and process.poll() is None and time.monotonic() < deadline:
            continue
        if process.poll() is None:
            return True
        self._start_nginx()
        return False

    def _watch(self, process, listens):
        with process.stdout as lines:
            for line in lines:
                told = json.loads(line)
                if "listens" in told:
                    listens.set()
                else:
                    self._requests.append((time.monotonic(), told["status"], told["seconds"]))
        process.wait()
        if not listens.is_set():
            return  # who started it has seen that
        with self._changing:
            if self._process is not process:
                return  # it was stopped
            self._start_nginx()
        time.sleep(RESTART_SECONDS)
        with self._changing:
            if self._process is process:
                self._run()

    def _start_nginx(self):
        if self._nginx is None:
            self._nginx = open_port(80, BadGateway)

    def _stop_nginx(self):
        if self._nginx:
            self._nginx.shutdown()
            self._nginx.server_close()
            self._nginx = None


class BadGateway(http.server.BaseHTTPRequestHandler):
    """What nginx answers for an application that does not run."""

    def do_GET(self):
        page = b"<html><head><title>502 Bad Gateway</title></head></html>\n"
        self.send_response(502)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(page)

    do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = do_GET

    def version_string(self):
        return "nginx"

    def log_message(self, *words):
        pass


class Sshd(socketserver.BaseRequestHandler):
    """The first line of SSH, and the end of it."""

    def handle(self):
        self.request.settimeout(5)
        with contextlib.suppress(OSError):
            self.request.sendall(IDENTIFICATION)
            self.request.recv(255)


class Listener(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 64


def open_port(port, handler):
    """Serve a port in a thread. One that an ended process had is free in a moment."""
    for patience in range(100, -1, -1):
        try:
            server = Listener(("", port), handler)
            break
        except OSError:
            if not patience:
                raise
            time.sleep(0.02)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    return server


class Host:
    """Answers the motor's questions. home: a folder for versions and the log."""

    def __init__(self, home):
        self._home = home
        self._application = Application(home / "web.stdout.log")
        self._application.log.touch()
        self._folder = None

    def answer(self, question):
        try:
            return {"ok": True, **(getattr(self, f"_{question['do']}")(question) or {})}
        except (Failed, OSError, ValueError, zipfile.BadZipFile) as error:
            return {"ok": False, "why": f"{error}"}

    def _deploy(self, order):
        """Unpack beside what runs; only then stop that, and start the new one."""
        folder = self._home / f"app-{time.monotonic_ns()}"
        with zipfile.ZipFile(order["bundle"]) as bundle:
            bundle.extractall(folder)
        self._application.stop()
        old, self._folder = self._folder, folder
        if old:
            shutil.rmtree(old, ignore_errors=True)
        self._application.start(folder, order["web"], order["environment"], order["label"])

    def _restart(self, order):
        self._application.restart()

    def _health(self, question):
        it = self._application
        return {"runs": it.runs(), "label": it.label, "requests": it.requests()}

    def _logs(self, question):
        with self._application.log.open("rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - LOG_BYTES))
            return {"text": log.read().decode("utf-8", "replace")}


def main(port, token):
    """Serve the motor that listens on this loopback port, until it goes."""
    open_port(22, Sshd)
    home = pathlib.Path(os.environ["HOME"])
    host = Host(home)
    with socket.create_connection(("127.0.0.1", port)) as motor:
        motor.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        hello = {"token": token, "instance": os.environ["LABS_CALLER"]}
        motor.sendall(json.dumps(hello).encode() + b"\n")
        with motor.makefile("r", encoding="utf-8") as questions:
            for line in questions:
                motor.sendall(json.dumps(host.answer(json.loads(line))).encode() + b"\n")
