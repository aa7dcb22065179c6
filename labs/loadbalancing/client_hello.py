"""The server name that a TLS client asks for, read without taking part in TLS.

The first message of a TLS connection, the ClientHello, is not encrypted. A layer-4 balancer may
peek at it: the name is there (Server Name Indication, SNI), nothing else of use is.

Sources: RFC 8446, sections 4.1.2 (ClientHello) and 5.1 (records); RFC 6066, section 3 (SNI).
"""

HANDSHAKE, CLIENT_HELLO, SERVER_NAME, HOST_NAME = 22, 1, 0, 0
LONGEST = 16_384  # bytes of a ClientHello that we wait for; a usual one has 500 to 2,000


def server_name(data: bytes) -> str | None:
    """The name in a ClientHello, in lower case.

    data: the first bytes of a connection, as many as have come.

    None when there is no name: the client sent none, sends no TLS, or `needs_more(data)`. Whatever
    the bytes are, nothing is raised.
    """
    hello = client_hello(data)
    try:
        return name_in(hello) if hello else None
    except ValueError:
        return None


def needs_more(data: bytes) -> bool:
    """Whether this may be the beginning of a ClientHello that has not wholly arrived."""
    return client_hello(data) is None


def client_hello(data: bytes) -> bytes | None:
    """The body of the ClientHello, put together from its records.

    None: more bytes are needed. b"": this is no ClientHello, whatever follows.
    """
    message = bytearray()
    start = 0
    while start < len(data):
        kind, version, size = data[start], data[start + 1 : start + 2], data[start + 3 : start + 5]
        if kind != HANDSHAKE or version not in (b"", b"\3"):
            return b""
        if len(size) < 2:
            return None
        end = start + 5 + int.from_bytes(size)
        if not start + 5 < end <= start + 5 + 2**14:  # an empty record, or longer than TLS allows
            return b""
        message += data[start + 5 : end]
        if message[:1] not in (b"", bytes([CLIENT_HELLO])):
            return b""
        length = int.from_bytes(message[1:4])
        if length > LONGEST:
            return b""
        if len(message) >= 4 + length and len(message) >= 4:
            return bytes(message[4 : 4 + length])
        start = end
    return None


def name_in(hello: bytes) -> str | None:
    """The host name in the body of a ClientHello. Raises ValueError where lengths lie."""
    _, rest = vector(hello[2 + 32 :], 1)  # after version and random: the session's id
    _, rest = vector(rest, 2)  # cipher suites
    _, rest = vector(rest, 1)  # compression methods
    extensions, _ = vector(rest, 2) if rest else (b"", b"")
    while extensions:
        kind = int.from_bytes(extensions[:2])
        extension, extensions = vector(extensions[2:], 2)
        if kind == SERVER_NAME:
            names, _ = vector(extension, 2)
            name, _ = vector(names[1:], 2)
            if names[0] == HOST_NAME and name.isascii() and name.decode("ascii").isprintable():
                return name.decode("ascii").lower() or None
    return None


def vector(data: bytes, size: int) -> tuple[bytes, bytes]:
    """What a length of `size` bytes announces, and what comes after it: TLS is made of these."""
    end = size + int.from_bytes(data[:size])
    if len(data) < max(size, end):
        raise ValueError(f"{end} bytes are announced, {len(data)} are there")
    return data[size:end], data[end:]
