"""What becomes of a connect to a port, at every address that a name has."""

import socket
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from .reporting import Failed

OPEN, REFUSED, SILENT = "open", "refused", "silent"
#: Seconds of silence that count as silence. A security group drops what it does not let in.
TIMEOUT = 3


def knock(host: str, port: int) -> list[tuple[str, str]]:
    """(address, OPEN, REFUSED or SILENT) for each address.

    Raises Failed when the name leads nowhere or the network fails: then nothing has been tested.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise Failed(f"{host} does not resolve ({error}).") from None
    addresses = list(dict.fromkeys((family, sockaddr) for family, *_, sockaddr in found))
    with ThreadPoolExecutor(len(addresses)) as threads:
        return list(threads.map(lambda where: (where[1][0], try_one(*where)), addresses))


def try_one(family: int, sockaddr: tuple) -> str:
    with socket.socket(family, socket.SOCK_STREAM) as sock:
        sock.settimeout(TIMEOUT)
        try:
            sock.connect(sockaddr)
        except ConnectionRefusedError:
            return REFUSED
        except TimeoutError:
            return SILENT
        except OSError as error:
            raise Failed(f"{sockaddr[0]} port {sockaddr[1]}: {error}") from None
    return OPEN


def those(results: Iterable[tuple[str, str]], outcome: str) -> list[str]:
    """The addresses with this outcome."""
    return [address for address, found in results if found == outcome]
