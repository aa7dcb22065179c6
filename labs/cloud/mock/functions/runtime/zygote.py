"""One preloaded, single-threaded process that forks a sandbox in a few milliseconds.

Importing boto3 takes a third of a second; a fork of a process that has done so takes none of it.
The mock itself has threads and must never fork; this process has one thread and may.

`python zygote.py DESCRIPTOR`, a Unix socket to the mock. A message from the mock is one byte and
four bytes of number: "F" (with a descriptor: the new sandbox's socket) or "K" and a pid. To the
mock go pairs of pid and exit code: one pair for each child that ended; (0, 0) says ready.
"""

import contextlib
import gc
import os
import select
import signal
import socket
import struct
import sys
import threading

import bootstrap

_COMMAND, _END = struct.Struct("!cI"), struct.Struct("!ii")
#: The clients whose models nearly every function of the course loads.
SERVICES = ("dynamodb", "sns", "s3", "sqs")


def preload() -> None:
    """Pay once for what each sandbox would pay: imports, service models, endpoint rules.

    No connection is left open and no thread started: both would not survive a fork.
    """
    import sysconfig

    import boto3
    import botocore.session
    from botocore.config import Config
    from botocore.exceptions import EndpointConnectionError

    make_loader = botocore.session.create_loader
    shared = make_loader(None)
    botocore.session.create_loader = lambda path=None: make_loader(path) if path else shared
    session = boto3.session.Session("preload", "preload", region_name="us-east-1")
    for service in SERVICES:
        session.client(service, endpoint_url="http://127.0.0.1:9")
    for service in ("dynamodb", "s3"):
        session.resource(service, endpoint_url="http://127.0.0.1:9")
    for kind in ("purelib", "platlib"):
        sysconfig.get_path(kind)  # reads a table that each sandbox would hold for itself
    with socket.socket() as deaf:  # a first call imports and builds more than making a client
        deaf.bind(("127.0.0.1", 0))
        url = "http://{}:{}".format(*deaf.getsockname())
        once = Config(retries={"total_max_attempts": 1}, connect_timeout=1)
        with contextlib.suppress(EndpointConnectionError):
            session.client("dynamodb", endpoint_url=url, config=once).list_tables()
    del session
    gc.collect()
    gc.freeze()  # a sandbox's collector leaves these pages shared


def kill(pid: int) -> None:
    """End a sandbox and every process that its handler started."""
    for end in (os.killpg, os.kill):  # the second for a child that has not reached setsid yet
        try:
            end(pid, signal.SIGKILL)
            return
        except (ProcessLookupError, PermissionError):  # macOS: the latter for those that ended
            continue


def become_sandbox(descriptor: int, mine: list) -> None:
    """The forked child: leave the zygote's signals and descriptors behind, then serve."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.setsid()
    for other in mine:
        os.close(other)
    bootstrap.serve(socket.socket(fileno=descriptor))


def main(control: socket.socket) -> None:
    children: set[int] = set()
    wake_read, wake_write = os.pipe()
    for end in (wake_read, wake_write):
        os.set_blocking(end, False)
    signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if threading.active_count() != 1:
        raise RuntimeError("the zygote must have one thread: a fork keeps only the caller's")
    control.sendall(_END.pack(0, 0))
    while True:
        ready, _, _ = select.select([control, wake_read], [], [])
        if wake_read in ready:
            os.read(wake_read, 4096)
            report_ended(control, children)
        if control in ready:
            message, descriptors, _, _ = socket.recv_fds(control, _COMMAND.size, 1)
            if not message:
                break  # the mock has gone, whatever ended it
            while len(message) < _COMMAND.size:
                message += control.recv(_COMMAND.size - len(message))
            verb, number = _COMMAND.unpack(message)
            if verb == b"K":
                if number in children:
                    kill(number)
                continue
            pid = os.fork()
            if pid == 0:
                try:
                    become_sandbox(descriptors[0], [control.fileno(), wake_read, wake_write])
                finally:
                    os._exit(1)
            children.add(pid)
            os.close(descriptors[0])
    for pid in children:
        kill(pid)


def report_ended(control: socket.socket, children: set) -> None:
    while children:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if not pid:
            return
        children.discard(pid)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)  # what its handler started ends with it
        try:
            control.sendall(_END.pack(pid, os.waitstatus_to_exitcode(status)))
        except OSError:
            return  # the mock has gone: main() sees the end of its socket next


if __name__ == "__main__":
    preload()
    main(socket.socket(fileno=int(sys.argv[1])))
