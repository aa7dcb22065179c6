"""The lock of the set-up: one holder, and none when the holder is dead."""

import subprocess
import sys

from labs.commands.locking import only_one

HOLD = """
import sys, time
from pathlib import Path
from labs.commands.locking import only_one
with only_one(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def holder(path):
    child = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout.readline() == "held\n"
    return child


def test_waits_for_the_holder_and_says_so_once(tmp_path):
    path = tmp_path / "a lock"
    child = holder(path)
    told = []

    def waiting():
        told.append(child.poll())
        child.stdin.close()  # lets the holder go on, and so end

    with only_one(path, waiting):
        assert child.wait() == 0
    assert told == [None]
    child.stdout.close()


def test_a_killed_holder_holds_nothing(tmp_path):
    path = tmp_path / "lock"
    child = holder(path)
    child.kill()
    child.wait()
    told = []
    with only_one(path, lambda: told.append(1)):
        assert told == []
    child.stdin.close()
    child.stdout.close()


def test_the_lock_is_let_go_after_an_error(tmp_path):
    path = tmp_path / "lock"
    try:
        with only_one(path):
            raise ValueError
    except ValueError:
        pass
    child = holder(path)
    child.communicate()
    assert child.returncode == 0
