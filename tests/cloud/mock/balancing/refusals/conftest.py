"""A moto that has the refusals in, and nothing else of the mock."""

import urllib.request
from collections.abc import Iterator

import pytest

from tests.cloud.mock.balancing.refusals.account import Account
from tests.cloud.processes import python

SERVER = """
    import sys
    from moto.server import ThreadedMotoServer
    from labs.cloud.mock.balancing import refusals

    refusals.install()
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    print(server.get_host_and_port()[1], flush=True)
    sys.stdin.read()
"""


@pytest.fixture(scope="package")
def refusing_moto() -> Iterator[int]:
    """Its port. Hooks cannot be taken out, so this moto has a process of its own."""
    with python(SERVER) as process:
        yield int(process.stdout.readline())


@pytest.fixture
def account(refusing_moto: int) -> Account:
    """Empty, but for the default VPC."""
    reset = f"http://127.0.0.1:{refusing_moto}/moto-api/reset"
    urllib.request.urlopen(urllib.request.Request(reset, method="POST")).close()
    return Account(refusing_moto)
