"""moto's own server, without the course's motors, in a process of its own that ends with us."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

SERVER = """
import sys
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
sys.stdin.read()
"""


@contextmanager
def plain_moto(environ: dict[str, str]) -> Iterator[str]:
    """The URL of a running server, which has AWS's managed policies, as every account has."""
    with subprocess.Popen(
        [sys.executable, "-c", SERVER],
        env={**environ, "MOTO_IAM_LOAD_MANAGED_POLICIES": "true"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as server:
        try:
            port = server.stdout.readline().strip()
            assert port, "moto's server did not start"
            yield f"http://127.0.0.1:{port}"
        finally:
            server.kill()
