"""`python -m labs.cloud.mock --port 5000`: the mock by itself, for any AWS client.

`labs.cloud.connect()` starts it too, with `--parent`: then it ends with that process, whatever
ends it, and says on its first line of output where it listens.
"""

import argparse
import json
import logging
import os
import shutil
import signal
import sys
import tempfile
import threading

import psutil

from labs.cloud import environment
from labs.cloud.mock.world import World
from labs.cloud.settings import size

PARENT_CHECK_SECONDS = 0.5

log = logging.getLogger("labs.mock")


def main() -> int:
    arguments = parse(sys.argv[1:])
    logging.basicConfig(
        level=os.environ.get("LABS_LOG", "WARNING"),
        format="%(asctime)s %(name)s %(levelname)s %(message)s",
    )
    stop = threading.Event()
    for name in ("SIGTERM", "SIGHUP", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), lambda *_: stop.set())
    parent = find_parent(arguments.parent)
    folder = environment.folder()
    tempfile.tempdir = tempfile.mkdtemp(dir=folder)  # what a killed mock leaves goes with it
    try:
        world = World(folder, arguments.port, size())
    except OSError as taken:
        print(
            f"Port {arguments.port} cannot be used: {taken.strerror}. "
            "Choose another, or --port 0 for a free one.",
            file=sys.stderr,
        )
        return 1
    status = 0
    try:
        serve(world, parent, stop)
    except (Exception, KeyboardInterrupt):  # a parent killed before it read the first line, say
        log.exception("the mock ends")
        status = 1
    try:
        world.stop()
        if parent and not alive(parent):
            shutil.rmtree(folder, ignore_errors=True)  # the kernel was killed and could not
    finally:
        os._exit(status)  # a worker may still wait for a client that has gone


def serve(world: World, parent: psutil.Process | None, stop: threading.Event) -> None:
    """Say where the mock listens; return when it should end."""
    world.start()
    if parent is None:
        introduce(world)
        wait_for_ctrl_c(stop)
    else:
        print(json.dumps({"endpoint_url": world.endpoint_url, "token": world.token}), flush=True)
        threading.Thread(target=watch_pipe, args=(parent, stop), daemon=True).start()
        watch(parent, stop)


def parse(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m labs.cloud.mock", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 (the default): any free port")
    parser.add_argument("--parent", help="PID:START_TIME of the process to end with")
    return parser.parse_args(words)


def find_parent(text: str | None) -> psutil.Process | None:
    """The process that started this one. A PID alone could be somebody else's by now."""
    if text is None:
        return None
    pid, _, started = text.partition(":")
    try:
        parent = psutil.Process(int(pid))
    except psutil.NoSuchProcess:
        os._exit(0)
    if abs(parent.create_time() - float(started)) > 1:
        os._exit(0)
    return parent


def watch(parent: psutil.Process, stop: threading.Event) -> None:
    """Return when the parent has gone or `stop` is set."""
    while not stop.wait(PARENT_CHECK_SECONDS):
        if not alive(parent):
            return


def watch_pipe(parent: psutil.Process, stop: threading.Event) -> None:
    """The end of the parent's pipe tells at once what `watch` finds out a little later.

    Not by itself: a child that the parent forked may hold the pipe open, or have closed it.
    """
    while sys.stdin.buffer.read(1):
        continue
    if not alive(parent):
        stop.set()


def alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def introduce(world: World) -> None:
    print(f"Mock AWS listens at {world.endpoint_url}. To use it in a shell:\n", flush=True)
    for line in environment.shell_lines(world.endpoint_url):
        print(f"  {line}")
    print("\nCtrl-C ends it.", flush=True)


def wait_for_ctrl_c(stop: threading.Event) -> None:
    try:
        while not stop.wait(3600):
            continue
    except KeyboardInterrupt:
        print()


if __name__ == "__main__":
    sys.exit(main())
