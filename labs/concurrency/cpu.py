"""Two kinds of work for the processor: step by step in Python, and inside a library written in C.

Each piece takes some hundredths of a second. Workers of a process pool import this file, so it
imports little.
"""

import zlib
from functools import cache

BASE = 65521  # the largest prime below 2 to the power of 16


@cache
def report() -> bytes:
    """About 700 kB of text, the same in each process."""
    return b"".join(b"%d objects copied in %d s\n" % (n, n * n % 9973) for n in range(25_000))


def checksum(piece: int) -> int:
    """The Adler-32 of a report and its number (RFC 1950), byte by byte.

    All of it is Python's own steps, for which a thread needs the GIL.
    """
    low, high = 1, 0
    for byte in b"%d %b" % (piece, report()):
        low = (low + byte) % BASE
        high = (high + low) % BASE
    return high << 16 | low


def compress(piece: int) -> int:
    """The size of a report and its number, compressed: bytes.

    zlib is a library in C. It lets go of the GIL while it works, since it needs nothing of Python's
    meanwhile. (Source: CPython, Modules/zlibmodule.c)
    """
    return len(zlib.compress(b"%d %b" % (piece, report()), level=9))
