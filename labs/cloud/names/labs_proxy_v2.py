"""Read the PROXY protocol's header, version 2, from the start of a connection.

A proxy sends it before anything else, to say who is behind the connection that it opens:

    12 bytes  signature, which no other protocol begins with
     1 byte   version 2 (high half), command (low half): 0 LOCAL, the proxy itself; 1 PROXY
     1 byte   family (high half): 1 IPv4, 2 IPv6; transport (low half): 1 stream
     2 bytes  length of what follows, in network order
     ...      source address, destination address, source port, destination port, then TLVs

Source: "The PROXY protocol", HAProxy's specification, section 2.2. Standard library only, for any
Python from 3.8.
"""

import contextlib
import socket
import struct
import time

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
FIXED = 16
_LENGTH = struct.Struct("!H")
_ADDRESSES = {1: struct.Struct("!4s4sHH"), 2: struct.Struct("!16s16sHH")}
_FAMILIES = {1: socket.AF_INET, 2: socket.AF_INET6}


def size(data):
    """Bytes of the header that `data` begins with; 0 if it begins with something else.

    FIXED as long as that many bytes have not come and what came fits.
    """
    if len(data) >= FIXED and data.startswith(SIGNATURE):
        return FIXED + _LENGTH.unpack_from(data, FIXED - 2)[0]
    return FIXED if SIGNATURE.startswith(data[: len(SIGNATURE)]) else 0


def client(header):
    """The (address, port) that a whole header names as source; None for LOCAL and unknown kinds.

    Raises ValueError for what the specification forbids.
    """
    if not header.startswith(SIGNATURE) or len(header) < FIXED or len(header) != size(header):
        raise ValueError("this is no whole PROXY v2 header")
    version, command = divmod(header[12], 16)
    if version != 2 or command > 1:
        raise ValueError(f"PROXY v2 knows no version {version} with command {command}")
    family, transport = divmod(header[13], 16)
    if command == 0 or family not in _ADDRESSES or transport != 1:
        return None
    try:
        source, _, port, _ = _ADDRESSES[family].unpack_from(header, FIXED)
    except struct.error:
        raise ValueError("a PROXY v2 header ends within its addresses") from None
    return socket.inet_ntop(_FAMILIES[family], source), port


def receive(connection, seconds):
    """Take the header off a connection, and nothing else; its client, as `client` gives it.

    None, and nothing is taken, when something else comes first, or nothing within `seconds`.
    Raises ValueError for a bad header, OSError when the connection breaks.
    """
    deadline = time.monotonic() + seconds
    patience = connection.gettimeout()
    try:
        first = _peek(connection, deadline)
        wanted = size(first)
        if len(first) < FIXED or not wanted:
            return None
        return client(_take(connection, wanted, deadline))
    finally:
        with contextlib.suppress(OSError):
            connection.settimeout(patience)


def _peek(connection, deadline):
    """The first FIXED bytes, or fewer: as many as show that no header begins here."""
    connection.settimeout(max(0.001, deadline - time.monotonic()))
    data = b""
    while len(data) < FIXED and size(data) and time.monotonic() < deadline:
        before = len(data)
        try:
            data = connection.recv(FIXED, socket.MSG_PEEK)
        except socket.timeout:  # noqa: UP041 - Python 3.9 has two
            break
        if not data:
            break  # the peer has gone
        if len(data) == before:  # the rest is on its way, and a peek does not wait for it
            time.sleep(0.001)
    return data


def _take(connection, wanted, deadline):
    header = b""
    while len(header) < wanted:
        connection.settimeout(max(0.001, deadline - time.monotonic()))
        try:
            data = connection.recv(wanted - len(header))
        except socket.timeout:  # noqa: UP041
            data = b""
        if not data:
            raise ValueError("a PROXY v2 header that ends in its middle")
        header += data
    return header
