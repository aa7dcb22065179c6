"""What a learner did is not lost: not to two notebooks, a crash, or a disk that refuses."""

import json
import subprocess
import sys
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs.course import events

WRITER = """
import sys
from labs.course import events
for number in range(100):
    events.record("from", who=sys.argv[1], number=number, padding="x" * 3000)
"""


def test_what_is_recorded_can_be_read():
    events.record("hint", exercise="31.1", number=1)
    events.record("other", of="a kind nobody asks for")
    (event,) = events.read("hint")
    assert (event["exercise"], event["number"]) == ("31.1", 1)
    assert event["time"].endswith("+00:00")


def test_there_is_nothing_in_the_beginning():
    assert events.read("hint") == []


def test_two_processes_at_once_lose_nothing():
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, who]) for who in "ab"]
    assert [writer.wait(60) for writer in writers] == [0, 0]
    found = [(event["who"], event["number"]) for event in events.read("from")]
    assert sorted(found) == [(who, number) for who in "ab" for number in range(100)]


def test_threads_at_once_lose_nothing():
    def write(who):
        for number in range(50):
            events.record("from", who=who, number=number)

    threads = [threading.Thread(target=write, args=(who,)) for who in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({(event["who"], event["number"]) for event in events.read("from")}) == 400


def test_a_line_cut_short_costs_only_itself():
    """A crash in the middle of a line, at each byte of it."""
    events.record("kept", number=1)
    whole = events.path().read_bytes()
    for cut in range(len(whole)):
        events.path().write_bytes(whole + whole[:cut])
        events.record("kept", number=2)
        numbers = [event["number"] for event in events.read("kept")]
        assert (numbers[0], numbers[-1]) == (1, 2)


@given(st.binary())
def test_no_content_breaks_reading(content):
    good = b'{"kind": "kept"}'
    assert list(events.parse(content + b"\n" + good))[-1] == {"kind": "kept"}


@pytest.mark.parametrize("line", ["[]", "3", "null", '{"kind": 3}', "{}", "[" * 100_000, "\x00"])
def test_what_is_no_event_is_skipped(line):
    assert list(events.parse(line.encode())) == []


@given(st.text(), st.none() | st.booleans() | st.integers() | st.text())
def test_any_text_survives(text, value):
    line = json.dumps({"kind": "kept", "text": text, "value": value}).encode()
    assert next(events.parse(line)) == {"kind": "kept", "text": text, "value": value}


def test_half_a_character_can_be_kept():
    events.record("predict", guess="\ud83d")  # half of an emoji, as JavaScript makes them
    assert events.read("predict")[0]["guess"] == "\ud83d"


def test_where_nothing_can_be_written_events_live_as_long_as_the_kernel(home):
    home.write_text("a file where the folder should be")
    events.record("kept", number=1)
    assert [event["number"] for event in events.read("kept")] == [1]
