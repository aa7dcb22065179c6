"""Logs read as runs, runs counted, and the figure made of both; no account needed."""

import json

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs.cloud.trace import queue_frame
from labs.concurrency import lambda_figures
from labs.concurrency.functions.runs import COLUMNS, concurrency, copies, frame

QUEUE = ["time", "waiting", "oldest_s", "throttles"]


def stream(name, *lines):
    """The events of a log stream; a line may be a dict, as the copier prints it."""
    return [
        {
            "logStreamName": name,
            "timestamp": 1_000 * place,
            "message": json.dumps(line) if isinstance(line, dict) else f"{line}\n",
        }
        for place, line in enumerate(lines)
    ]


def log_of(request, key, start, end):
    return [
        f"START RequestId: {request} Version: $LATEST",
        {"object": key, "start": start},
        {"object": key, "end": end},
        f"END RequestId: {request}",
        f"REPORT RequestId: {request}\tDuration: 900.00 ms\tBilled Duration: 900 ms\t",
    ]


TIMED_OUT = [
    "START RequestId: r1 Version: $LATEST",
    {"object": "a", "start": 10.0},
    "END RequestId: r1",
    "REPORT RequestId: r1\tDuration: 2000.00 ms\tBilled Duration: 2000 ms\t",
]
SAYS_SO = "2026-11-24T00:00:00.000Z r1 Task timed out after 2.00 seconds"


@pytest.mark.parametrize("place", [2, 4])
def test_a_run_that_timed_out_has_its_end_and_the_try_after_it_has_the_number_two(place):
    """Wherever the log tells of the time-out: before the REPORT, or after it."""
    timed_out = [*TIMED_OUT[:place], SAYS_SO, *TIMED_OUT[place:]]
    found = frame(stream("one", "loading", *timed_out) + stream("two", *log_of("r1", "a", 70, 71)))
    assert list(found.columns) == COLUMNS
    assert found.values.tolist() == [
        ["r1", "a", 10.0, 12.0, 1, False, "Task timed out after 2.00 seconds"],
        ["r1", "a", 70.0, 71.0, 2, True, ""],
    ]
    assert copies(found).values.tolist() == [["a", 2, 1]]


def test_an_error_is_told_by_its_first_line_and_a_run_under_way_is_left_out():
    lines = [
        "START RequestId: r1 Version: $LATEST",
        "[ERROR] ValueError: message of version 2\nTraceback (most recent call last):",
        "REPORT RequestId: r1\tDuration: 5.00 ms\t",
        "START RequestId: r2 Version: $LATEST",
        {"object": "b", "start": 3.0},
    ]
    [run] = frame(stream("one", *lines)).to_dict("records")
    assert (run["object"], run["error"]) == ("", "ValueError: message of version 2")
    assert run["end"] - run["start"] == pytest.approx(0.005)


def test_a_second_delivery_counts_as_a_second_copy():
    twice = stream("one", *log_of("r1", "a", 1, 2), *log_of("r1", "a", 3, 4))
    assert copies(frame(twice)).values.tolist() == [["a", 2, 2]]


def test_nothing_is_no_error():
    assert frame([]).empty
    assert copies(frame([])).empty
    assert concurrency(frame([])).empty


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(1, 20)), min_size=1))
def test_concurrency_is_what_counting_at_each_moment_gives(pairs):
    found = pd.DataFrame([(start, start + took) for start, took in pairs], columns=["start", "end"])
    first = found["start"].min()
    for row in concurrency(found).itertuples():
        now = first + row.time
        assert row.running == ((found["start"] <= now) & (now < found["end"])).sum()


def test_the_queues_oldest_event_is_followed_while_events_come_leave_and_come_back():
    waits = [
        {"accepted": 0.0, "began": 0.0, "ended": 1.0, "throttled": []},
        {"accepted": 0.5, "began": 0.5, "ended": None, "throttled": [2.0, 3.0]},
        {"accepted": 0.0, "began": 4.0, "ended": 5.0, "throttled": []},  # failed, tried again
    ]
    found = queue_frame(waits)
    assert list(found.columns) == QUEUE
    assert found.values.tolist() == [
        [0.0, 1, 0.0, 0],
        [0.5, 2, 0.5, 0],
        [1.0, 1, 1.0, 0],
        [2.0, 1, 1.5, 1],
        [3.0, 1, 2.5, 2],
        [4.0, 2, 4.0, 2],
        [5.0, 1, 5.0, 2],
    ]
    assert queue_frame([]).empty


def test_the_figure_says_in_words_what_it_shows():
    runs = pd.DataFrame({"start": [101.0, 101.5, 103.0], "end": [103.0, 102.5, 104.0]})
    queue = pd.DataFrame(
        [(100.0, 3, 0.0, 0), (101.6, 1, 1.6, 4), (103.0, 0, 3.0, 4)], columns=QUEUE
    )
    running, queue = lambda_figures.from_first_event(runs, queue)
    words = lambda_figures.in_words(running, queue, limit=2)
    assert "At most 2 runs at once, the limit is 2; the last ended after 4.0 s." in words
    assert "At most 3 events waited, the oldest of them for 3.0 s. 4 throttles." in words
    figure = lambda_figures.draw_climb(running, queue, limit=2)
    assert figure.get_suptitle() == (
        "Concurrency climbs to 2, the limit; the rest waits in the queue"
    )
    assert "not to the limit of 9" in lambda_figures.finding(running, queue, limit=9)
    assert figure.axes[1].get_xlim()[1] >= 4.0


def test_a_figure_of_nothing_says_what_to_do():
    with pytest.raises(ValueError, match="Publish something"):
        lambda_figures.from_first_event(frame([]), queue_frame([]))
