"""The two kinds of work: right results, and the GIL let go of by the one that says so."""

import sys
import threading
import zlib

import pytest

from labs.concurrency import cpu


def test_checksum_is_adler_32():
    assert cpu.checksum(3) == zlib.adler32(b"3 " + cpu.report())
    assert cpu.checksum(3) != cpu.checksum(4)


def test_compress_tells_a_size_smaller_than_the_report():
    assert 0 < cpu.compress(3) < len(cpu.report()) / 2


@pytest.mark.skipif(
    not getattr(sys, "_is_gil_enabled", lambda: True)(), reason="this Python has no GIL"
)
@pytest.mark.parametrize(
    ("work", "pieces", "runs"), [(cpu.compress, 50, True), (cpu.checksum, 1, False)]
)
def test_another_thread_runs_meanwhile_only_where_the_gil_is_let_go_of(work, pieces, runs):
    """Nobody asks for the GIL within a minute, so it changes hands only where it is let go of."""
    cpu.report()
    usual, ran, gate = sys.getswitchinterval(), threading.Event(), threading.Lock()
    other = threading.Thread(target=lambda: (gate.acquire(), ran.set()))
    gate.acquire()
    other.start()
    sys.setswitchinterval(60)
    try:
        gate.release()
        for piece in range(pieces):  # several, for a machine that is busy
            work(piece)
            if ran.is_set():
                break
        meanwhile = ran.is_set()
    finally:
        sys.setswitchinterval(usual)
    other.join()
    assert meanwhile == runs
