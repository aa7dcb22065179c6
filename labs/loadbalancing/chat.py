#!/usr/bin/env python3
"""A chat by WebSocket (RFC 6455): what a client says goes to all clients of this server.

    GET, Upgrade: websocket    101; then each message that comes goes out as "NAME: message"
    GET /health                200, "ok"
    anything else              400

User data of this course's instances, as `whoami.py` is. Standard library, Python 3.9; one thread,
in which each client has a coroutine.
"""

import asyncio
import base64
import hashlib
import http.client
import io
import socket

NAME = ""  # a lesson writes another here; "" means the host's name
PORT = 80

GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, section 1.3: no secret, a check
CONTINUATION, TEXT, CLOSE, PING, PONG = 0x0, 0x1, 0x8, 0x9, 0xA
PROTOCOL_ERROR, UNSUPPORTED, NOT_UTF8, TOO_BIG = 1002, 1003, 1007, 1009  # section 7.4.1
LARGEST = 16_384  # bytes of a message
BACKLOG = 1_000_000  # bytes that a client may be behind with reading

name = NAME or socket.gethostname()
clients = set()


class Refused(Exception):
    """Why a conversation ends: a status code."""


async def serve(reader, writer):
    """One connection, from the client's first byte to the end."""
    try:
        if await shake_hands(reader, writer):
            clients.add(writer)
            await converse(reader, writer)
    except Refused as reason:
        send(writer, CLOSE, reason.args[0].to_bytes(2, "big"))
    except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        pass  # it left, or never spoke HTTP
    finally:
        clients.discard(writer)
        writer.close()


async def shake_hands(reader, writer):
    """Answer the HTTP request; True if it asks for a WebSocket, and has it (section 4.2)."""
    first, _, rest = (await reader.readuntil(b"\r\n\r\n")).partition(b"\r\n")
    try:
        headers = http.client.parse_headers(io.BytesIO(rest))
    except http.client.HTTPException:
        headers = {}
    key = headers.get("Sec-WebSocket-Key")
    if (
        first.startswith(b"GET ")
        and headers.get("Upgrade", "").lower() == "websocket"
        and "upgrade" in headers.get("Connection", "").lower()
        and headers.get("Sec-WebSocket-Version") == "13"
        and key
    ):
        proof = base64.b64encode(hashlib.sha1((key + GUID).encode()).digest()).decode()  # noqa: S324
        fields = f"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {proof}"
        writer.write(f"HTTP/1.1 101 Switching Protocols\r\n{fields}\r\n\r\n".encode())
        return True
    healthy = first.startswith(b"GET /health ")
    status, text = ("200 OK", "ok\n") if healthy else ("400 Bad Request", "Not a WebSocket\n")
    fields = f"Content-Type: text/plain\r\nContent-Length: {len(text)}\r\nConnection: close"
    writer.write(f"HTTP/1.1 {status}\r\n{fields}\r\n\r\n{text}".encode())
    return False


async def converse(reader, writer):
    """Pass messages on until the client says goodbye. Raises Refused."""
    message, more_comes = b"", False
    while True:
        final, kind, data = await read_frame(reader)
        if kind == CLOSE:
            return send(writer, CLOSE, data[:2])  # the client's own reason, as an answer
        if kind == PING:
            send(writer, PONG, data)
        elif kind in (TEXT, CONTINUATION):
            if more_comes != (kind == CONTINUATION):
                raise Refused(PROTOCOL_ERROR)
            message, more_comes = message + data, not final
            if len(message) > LARGEST:
                raise Refused(TOO_BIG)
            if final:
                tell_everybody(message)
                message = b""
        elif kind != PONG:
            raise Refused(UNSUPPORTED)


def tell_everybody(message):
    try:
        text = f"{name}: {message.decode()}".encode()
    except UnicodeDecodeError:
        raise Refused(NOT_UTF8) from None
    for client in clients:
        send(client, TEXT, text)


async def read_frame(reader):
    """Whether it is a message's last frame, its kind, its bytes (section 5.2). Raises Refused."""
    first, second = await reader.readexactly(2)
    final, kind, length = bool(first & 0x80), first & 0x0F, second & 0x7F
    masked = second & 0x80  # a client has to: else a page could have a proxy read it as HTTP
    if not masked or first & 0x70 or (kind >= CLOSE and (not final or length > 125)):
        raise Refused(PROTOCOL_ERROR)
    if length > 125:
        length = int.from_bytes(await reader.readexactly(2 if length == 126 else 8), "big")
    if length > LARGEST:
        raise Refused(TOO_BIG)
    mask = await reader.readexactly(4)
    data = await reader.readexactly(length)
    return final, kind, bytes(byte ^ mask[index % 4] for index, byte in enumerate(data))


def send(client, kind, data):
    """One frame; a server does not mask. Who does not read would fill the memory, and goes."""
    if client.transport.get_write_buffer_size() > BACKLOG:
        return client.transport.abort()
    length = len(data)
    size = bytes([length]) if length <= 125 else bytes([126]) + length.to_bytes(2, "big")
    client.write(bytes([0x80 | kind]) + size + data)


async def main():
    server = await asyncio.start_server(serve, "", PORT)
    print(f"{name} listens on port {PORT}", flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
