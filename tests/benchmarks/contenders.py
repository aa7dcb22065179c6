"""The proxies to measure, the server behind them, and how each is started.

All of them listen on loopback, write no logs, and are single processes with one thread that does
the work, so that one core is all that each has. HAProxy and nginx are as they come, but for what
makes them like ours: connections to the back end are kept, as many requests on each as come.
"""

import contextlib
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil

from labs.cloud import environment
from tests.benchmarks.rows import ROOT

#: (folder for files of its own, port to listen on, port of the back end) -> what to run.
Command = Callable[[Path, int, int], list[str]]
SECONDS_TO_START = 20

HAPROXY = """
global
    nbthread 1
    maxconn {maxconn}
defaults
    mode {mode}
    timeout connect 10s
    timeout client 60s
    timeout server 60s
listen bench
    bind 127.0.0.1:{port} backlog 1024
    server backend 127.0.0.1:{backend}
"""
#: HAProxy closes idle connections to the back end once a fifth of the sockets that this allows are
#: in use. With 1000, 256 clients made it do so, and a request cost four times as much.
HAPROXY_MAXCONN = 2000
HAPROXY_REUSE = "    http-reuse always\n"  # for a client's first request too, as ours does

NGINX = """
daemon off;
master_process off;
error_log stderr crit;
pid "{folder}/nginx-{port}.pid";
{module}
events {{ worker_connections 2048; }}
"""
NGINX_HTTP = """
http {{
    access_log off;
    keepalive_requests 1000000000;
    client_body_temp_path "{folder}/body";
    proxy_temp_path "{folder}/proxy";
"""
NGINX_PROXY = """
    upstream backend {{
        server 127.0.0.1:{backend};
        keepalive 512;
        keepalive_requests 1000000000;
    }}
    server {{
        listen 127.0.0.1:{port} backlog=1024;
        location / {{
            proxy_pass http://backend;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
        }}
    }}
}}
"""
NGINX_BACKEND = """
    server {{
        listen 127.0.0.1:{port} backlog=1024;
        location / {{ return 200 "Hello from the target.\\n"; }}
    }}
}}
"""
NGINX_STREAM = """
stream {{
    server {{
        listen 127.0.0.1:{port} backlog=1024;
        proxy_pass 127.0.0.1:{backend};
    }}
}}
"""


def ours(what: str) -> Command:
    """One of the servers of tests.benchmarks.ours."""

    def command(folder: Path, port: int, backend: int) -> list[str]:
        return [sys.executable, "-m", "tests.benchmarks.ours", what, str(port), str(backend)]

    return command


def haproxy(mode: str) -> Command:
    """mode: "tcp" or "http"."""

    def command(folder: Path, port: int, backend: int) -> list[str]:
        config = HAPROXY + (HAPROXY_REUSE if mode == "http" else "")
        file = folder / f"haproxy-{mode}.cfg"
        file.write_text(
            config.format(mode=mode, port=port, backend=backend, maxconn=HAPROXY_MAXCONN),
            encoding="utf-8",
        )
        return ["haproxy", "-db", "-q", "-f", str(file)]

    return command


def nginx(config: str, module: str = "") -> Command:
    """config: one of the texts above. module: a directive that loads it, or ""."""

    def command(folder: Path, port: int, backend: int) -> list[str]:
        file = folder / f"nginx-{port}.conf"
        values = {"folder": folder.as_posix(), "port": port, "backend": backend, "module": module}
        file.write_text(config.format(**values), encoding="utf-8")
        return ["nginx", "-p", str(folder), "-c", str(file)]

    return command


def proxies(layer: int) -> tuple[dict[str, Command], list[str]]:
    """The proxies of a layer by name, and a line about each that is not installed."""
    mode = {4: "tcp", 7: "http"}[layer]
    found, missing = {f"layer{layer}": ours(f"layer{layer}")}, []
    if shutil.which("haproxy"):
        found[f"haproxy_{mode}"] = haproxy(mode)
    else:
        missing.append("haproxy is not installed (apt install haproxy)")
    if not has_nginx():
        missing.append("nginx is not installed (apt install nginx-light)")
    elif layer == 7:
        found["nginx_http"] = nginx(NGINX + NGINX_HTTP + NGINX_PROXY)
    elif (module := nginx_stream_module()) is not None:
        found["nginx_stream"] = nginx(NGINX + NGINX_STREAM, module)
    else:
        missing.append("nginx has no stream module (apt install libnginx-mod-stream)")
    return found, [f"layer {layer}, not compared: {what}" for what in missing]


def backend() -> Command:
    """nginx, which is no burden to the core that it shares with the load; else our own."""
    if has_nginx():
        return nginx(NGINX + NGINX_HTTP + NGINX_BACKEND)
    return ours("backend")


def has_nginx() -> bool:
    return shutil.which("nginx") is not None


def nginx_stream_module() -> str | None:
    """The directive that gives nginx layer 4: "" where it is built in, None without it."""
    built = subprocess.run(["nginx", "-V"], capture_output=True, text=True, check=True).stderr
    options = dict(word.partition("=")[::2] for word in built.split() if word.startswith("--"))
    if options.get("--with-stream") == "":
        return ""
    folder = options.get("--modules-path", options.get("--prefix", "") + "/modules")
    file = Path(folder, "ngx_stream_module.so")
    return f'load_module "{file.as_posix()}";' if file.exists() else None


def cores() -> tuple[int, int] | None:
    """A core for the proxy, and another for load and back end; None where that cannot be."""
    usable = psutil.Process().cpu_affinity() if hasattr(psutil.Process, "cpu_affinity") else []
    return (usable[0], usable[1]) if len(usable) >= 2 else None


@contextlib.contextmanager
def pinned(core: int | None) -> Iterator[None]:
    """What is started within stays on one core. None: on any."""
    if core is None:
        yield
        return
    this = psutil.Process()
    before = this.cpu_affinity()
    this.cpu_affinity([core])
    try:
        yield
    finally:
        this.cpu_affinity(before)


@contextlib.contextmanager
def running(
    command: Command, folder: Path, core: int | None, backend: int = 0
) -> Iterator[tuple[psutil.Popen, int]]:
    """(process, port) of a server that takes connections; it ends with the block.

    Raises RuntimeError, with what it wrote, when it ends or does not begin to listen.
    """
    port = free_port()
    written = folder / f"{port}.log"
    words = command(folder, port, backend)
    with written.open("wb") as log, pinned(core):
        process = psutil.Popen(words, stdout=log, stderr=log, cwd=ROOT, env=environment.original())
    try:
        deadline = time.monotonic() + SECONDS_TO_START
        while not listens(port):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(
                    f"{words[0]} was to listen on 127.0.0.1:{port} and does not. It wrote: "
                    f"{written.read_text(encoding='utf-8', errors='replace') or 'nothing'}"
                )
            time.sleep(0.02)
        yield process, port
    finally:
        with contextlib.suppress(psutil.NoSuchProcess):  # it may have ended by itself
            process.terminate()
        try:
            process.wait(5)
        except psutil.TimeoutExpired:
            process.kill()
            process.wait()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
