"""Lambda function: an SSH server answers, and says who it is.

Parameters: Host, a name or an address; Port, 22 if it is not given. It reads the server's
identification and hangs up: nobody logs in.
Source: RFC 4253, section 4.2, "Protocol Version Exchange".
"""

import re
import socket
from typing import NamedTuple

from .reporting import Failed, Parameters, acceptance_test, port, wanted

TIMEOUT = 5  # seconds
LONGEST_LINE = 255  # bytes, CR and LF included
MOST = 8_192  # bytes that a server may say before it says who it is

#: SSH-PROTOCOL-SOFTWARE[ COMMENTS]; the software is printable and has no space and no hyphen.
_LINE = re.compile(rb"SSH-([!-,.-~]+)-([!-,.-~]+)(?: ([^\0\r\n]*))?")


class Identification(NamedTuple):
    """protocol: "2.0", or "1.99" of a server that speaks older ones, too."""

    protocol: str
    software: str
    comments: str


@acceptance_test
def handler(given: Parameters) -> str:
    """Connect, and read until the server has said who it is."""
    host, number = wanted(given, "Host"), port({"Port": 22, **given})
    try:
        found = ask(host, number)
    except ValueError as wrong:
        raise Failed(f"Port {number} of {host} is open, but it is no SSH server: {wrong}") from None
    except OSError as wrong:
        raise Failed(f"No SSH server answers at port {number} of {host} ({wrong}).") from None
    return f"Port {number} of {host} is {found.software}, SSH {found.protocol}."


def ask(host: str, number: int) -> Identification:
    """What a server says of itself. Raises OSError and ValueError."""
    said = b""
    with socket.create_connection((host, number), TIMEOUT) as server:
        while (found := read(said)) is None:
            data = server.recv(1_024)
            if not data:
                raise ValueError(f"it hung up after {len(said)} bytes")
            said += data
    return found


def read(said: bytes) -> Identification | None:
    """The identification in what a server has said so far; None while it may still come.

    Lines before it are allowed, since they do not begin with "SSH-". Raises ValueError for what
    can no longer become one.
    """
    *lines, rest = said.split(b"\n")
    for line in lines:
        if line.startswith(b"SSH-"):
            return parse(line + b"\n")
    if rest.startswith(b"SSH-") and len(rest) >= LONGEST_LINE:
        raise ValueError(f"its identification is longer than {LONGEST_LINE} bytes")
    if len(said) > MOST:
        raise ValueError(f"no identification in {MOST} bytes")
    return None


def parse(line: bytes) -> Identification:
    """One line, CR and LF included. Raises ValueError for what RFC 4253 does not allow."""
    if len(line) > LONGEST_LINE:
        raise ValueError(f"its identification is longer than {LONGEST_LINE} bytes")
    if not line.endswith(b"\r\n"):
        raise ValueError("its identification does not end with CR LF")
    found = _LINE.fullmatch(line[:-2])
    if found is None:
        raise ValueError(f"{line[:-2]!r} is no identification")
    protocol, software = found[1].decode(), found[2].decode()
    if protocol not in ("2.0", "1.99"):
        raise ValueError(f"it speaks SSH {protocol}, not 2.0")
    return Identification(protocol, software, (found[3] or b"").decode("utf-8", "replace"))
