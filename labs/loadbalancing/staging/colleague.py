"""The capture that a colleague sends in lesson 11, and how to write captures anew."""

from collections.abc import Callable, Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

from dpkt import pcap

from labs.loadbalancing.packets import Tap

#: Who talks in it. The addresses are kept for documentation by RFC 5737.
CLIENT, SERVER, WEB = "192.0.2.10", "198.51.100.20", 80
PAGES = {50_412: ("/tea",), 50_413: ("/coffee", "/cake")}  # the client's port, what it asks for


def write_capture(path: str | Path) -> None:
    """Two conversations with a web server, whose segments have the ports of the client's.

    Made up, headers and payload. Checksums are right all the same: a sum does not know the order.
    """
    write(path, ((0.0, frame) for frame in lying_frames()))


def lying_frames() -> list[bytes]:
    """The frames of that capture."""
    return [swapped(frame) if is_from_server(frame) else frame for frame in true_frames()]


def true_frames() -> list[bytes]:
    """Those frames as they should have been."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "true.pcap"
        with Tap(path) as tap:
            for port, pages in PAGES.items():
                client, server = tap.conversation((CLIENT, port), (SERVER, WEB))
                for page in pages:
                    client.send(f"GET {page} HTTP/1.1\r\nHost: shop.example\r\n\r\n".encode())
                    body = f"here is your {page[1:]}"
                    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n"
                    server.send((head + body).encode())
                client.end()
                server.end()
        return [frame for _, frame in read(path)]


def is_from_server(frame: bytes) -> bool:
    """Whether the server's address is the source; the frame has no VLAN tag."""
    return frame[26:30] == bytes(map(int, SERVER.split(".")))


def swapped(frame: bytes) -> bytes:
    """A frame with its two ports exchanged; neither tag nor IP options."""
    return frame[:34] + frame[36:38] + frame[34:36] + frame[38:]


# Captures as files


def rewrite(source: str | Path, target: str | Path, mend: Callable[[bytes], bytes]) -> None:
    """Write a capture anew, each frame as `mend` gives it; times stay.

    Raises TypeError when `mend` gives something else than bytes; then `target` is left as it was.
    """
    write(target, [(time, checked(mend(frame))) for time, frame in read(source)])


def checked(frame: object) -> bytes:
    if not isinstance(frame, bytes | bytearray):
        raise TypeError(
            f"A mended frame is of type {type(frame).__name__}; expected bytes."
            " Does the function return the whole frame?"
        )
    return bytes(frame)


def read(path: str | Path) -> list[tuple[float, bytes]]:
    """(time, frame) of each packet in tcpdump's format. Raises ValueError for another file."""
    with Path(path).open("rb") as file:
        return list(pcap.Reader(file))


def write(path: str | Path, frames: Iterable[tuple[float, bytes]]) -> None:
    """Write a capture; the file is there once it is whole."""
    path = Path(path)
    unfinished = path.with_name(f"{path.name}.part")
    with unfinished.open("wb") as file:
        writer = pcap.Writer(file)
        for time, frame in frames:
            writer.writepkt(frame, time)
    unfinished.replace(path)
