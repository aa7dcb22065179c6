"""The process of an application: its WSGI server. `python server.py SETTINGS`, JSON.

    {"module": "application", "name": "application", "packages": ["flask"], "log": path}

It stands where gunicorn does on AWS, and where nginx does before it: it listens on port 80 itself.
Current folder: the application's. On its standard output it tells the host, a line of JSON each:
{"listens": true} once, then {"status": 200, "seconds": 0.01} for each request. What the
application prints goes to the log.
"""

import contextlib
import importlib
import importlib.machinery
import json
import os
import pathlib
import signal
import sys
import sysconfig
import threading
import time
import traceback

from cheroot import wsgi

PORT = 80
#: As gunicorn has them: enough that one slow request does not hold up the others.
THREADS = 16


class Required:
    """Finds the packages that requirements.txt named; all others of this machine stay hidden."""

    def __init__(self, names, folders):
        self._names, self._folders = frozenset(names), folders

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in self._names:
            return importlib.machinery.PathFinder.find_spec(name, path or self._folders)
        return None


def is_standard_library(entry):
    """Whether an entry of sys.path has Python's own modules, and no more."""
    standard = {os.path.realpath(sysconfig.get_path(kind)) for kind in ("stdlib", "platstdlib")}
    name = pathlib.Path(entry).name
    return (
        os.path.realpath(entry) in standard
        or name in ("lib-dynload", "DLLs")
        or (name.startswith("python") and name.endswith(".zip"))
    )


def hide_this_machine(packages):
    """Let the application import its own modules, Python's, and these packages, as on AWS."""
    mine = pathlib.Path(__file__).resolve().parent
    kept = [entry for entry in sys.path if is_standard_library(entry)]
    hidden = [e for e in sys.path if e and e not in kept and pathlib.Path(e).resolve() != mine]
    for name in list(sys.modules):  # what the server has imported for itself
        if name.partition(".")[0] in ("jaraco", "more_itertools"):
            del sys.modules[name]
    sys.path[:] = [str(pathlib.Path.cwd()), *kept]
    standard = (
        importlib.machinery.BuiltinImporter,
        importlib.machinery.FrozenImporter,
        importlib.machinery.PathFinder,
    )
    sys.meta_path[:] = [finder for finder in sys.meta_path if finder in standard]
    sys.meta_path.append(Required(packages, hidden))


class Watched:
    """An application whose requests are told to the host, as nginx's log tells them on AWS.

    One that raises answers 500, and the traceback goes to the log, as gunicorn has it.
    """

    def __init__(self, application, tell):
        self._application, self._tell = application, tell

    def __call__(self, environ, start_response):
        began, status = time.perf_counter(), []

        def start(line, headers, *error):
            status[:] = [int(line[:3])]
            return start_response(line, headers, *error)

        body = ()
        try:
            body = self._application(environ, start)
            yield from body
        except Exception:
            traceback.print_exc()
            if status:
                raise  # the answer has begun: to break it off is all that is left
            start("500 Internal Server Error", [("Content-Type", "text/html")])
            yield b"<html><head><title>Internal Server Error</title></head></html>\n"
        finally:
            if hasattr(body, "close"):
                body.close()
            spent = round(time.perf_counter() - began, 4)
            self._tell({"status": status[0] if status else 500, "seconds": spent})


def redirect_output(log):
    """All prints go to the log. Returns what was the standard output."""
    pipe = os.fdopen(os.dup(1), "w", buffering=1, encoding="utf-8")
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for stream in (1, 2):
        os.dup2(descriptor, stream)
    sys.stdout = sys.stderr = open(  # noqa: SIM115
        1, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False
    )
    return pipe


def main(settings):
    pipe, lock = redirect_output(settings["log"]), threading.Lock()

    def tell(message):
        with lock, contextlib.suppress(OSError):
            pipe.write(json.dumps(message) + "\n")

    hide_this_machine(settings["packages"])
    module = importlib.import_module(settings["module"])
    application = getattr(module, settings["name"])
    server = listening(Watched(application, tell))
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.stop).start())
    tell({"listens": True})
    server.serve()


def listening(application):
    """A server that has its port. One that an ended process had is free in a moment."""
    for patience in range(100, -1, -1):
        address = ("0.0.0.0", PORT)  # noqa: S104
        server = wsgi.Server(address, application, numthreads=THREADS, request_queue_size=128)
        server.shutdown_timeout = 5
        try:
            server.prepare()
            return server
        except OSError:
            if not patience:
                raise
            time.sleep(0.02)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
