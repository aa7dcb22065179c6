"""The queue of events, with a function that is a script, and waits of milliseconds."""

import threading
import time
from collections import Counter

import pytest

from labs.cloud.mock.functions import asynchronous
from labs.cloud.mock.functions.asynchronous import AsynchronousQueue, Event
from labs.cloud.mock.functions.contract import Invocation, NoSuchFunction, Outcome, Throttled

WELL = Outcome(b"1", None, "", "1")
FAILED = Outcome(b'{"errorMessage": "no"}', "Unhandled", "", "1")


def until(condition, seconds=10.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.002)


class Function:
    """Does what it is told, and remembers who called: `answers` are outcomes or exceptions."""

    def __init__(self):
        self.answers = {}
        self.runs = []
        self.given_up = []
        self.open = threading.Event()
        self.open.set()
        self._lock = threading.Lock()

    def run(self, event):
        with self._lock:
            self.runs.append(event)
            answers = self.answers.get(event.arn, [])
            answer = answers.pop(0) if answers else WELL
        assert self.open.wait(10)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def give_up(self, event, condition, outcome):
        self.given_up.append((event, condition, outcome))


@pytest.fixture
def function():
    return Function()


@pytest.fixture
def queue(function, monkeypatch):
    monkeypatch.setattr(asynchronous, "TIME_SCALE", 5000.0)  # a minute is 12 ms
    queue = AsynchronousQueue(function.run, function.give_up, workers=2)
    yield queue
    function.open.set()
    queue.close()
    assert not queue._thread.is_alive()


def event(arn="f", retries=2, max_age=21_600.0):
    return Event(Invocation(b"{}", arn), retries, max_age)


def test_one_run_is_enough_if_it_goes_well(queue, function):
    queue.put(event())
    until(lambda: function.runs)
    until(lambda: queue.backlog("f") == 0)
    time.sleep(0.05)  # longer than both retries would take
    assert len(function.runs) == 1
    assert function.given_up == []


@pytest.mark.parametrize("retries", [0, 1, 2])
def test_failures_are_retried_as_set_and_given_up_once(queue, function, retries):
    function.answers["f"] = [FAILED] * 9
    failing = event(retries=retries)
    queue.put(failing)
    until(lambda: function.given_up)
    assert function.given_up == [(failing, "RetriesExhausted", FAILED)]
    assert function.runs == [failing] * (retries + 1)
    assert queue.backlog("f") == 0


def test_a_retry_that_goes_well_ends_it(queue, function):
    function.answers["f"] = [FAILED, WELL]
    queue.put(event())
    until(lambda: len(function.runs) == 2)
    until(lambda: queue.backlog("f") == 0)
    assert function.given_up == []


def test_the_second_wait_is_longer_than_the_first(queue, function, monkeypatch):
    monkeypatch.setattr(asynchronous, "TIME_SCALE", 600.0)  # 100 and 200 ms
    times = []
    function.answers["f"] = [FAILED] * 3
    original = function.run
    queue._run = lambda event: (times.append(time.monotonic()), original(event))[1]
    queue.put(event())
    until(lambda: function.given_up)
    first, second = times[1] - times[0], times[2] - times[1]
    assert first >= 0.1
    assert second >= 0.2


def test_throttling_is_no_failure(queue, function):
    """It is tried until there is room, and its retries are still to come."""
    function.answers["f"] = [Throttled("full")] * 8 + [FAILED] * 3
    queue.put(event())
    until(lambda: function.given_up)
    assert len(function.runs) == 11


def test_throttling_backs_off(queue, function, monkeypatch):
    monkeypatch.setattr(asynchronous, "TIME_SCALE", 100.0)  # 10, 20, 40, 80 ms
    started = time.monotonic()
    function.answers["f"] = [Throttled("full")] * 4
    queue.put(event())
    until(lambda: len(function.runs) == 5)
    assert time.monotonic() - started >= 0.15


def test_room_found_ends_the_back_off_for_those_behind(queue, function, monkeypatch):
    monkeypatch.setattr(asynchronous, "TIME_SCALE", 10.0)  # 0.1, 0.2, 0.4 s
    function.answers["f"] = [Throttled("full")]
    for _ in range(20):
        queue.put(event())
    until(lambda: queue.backlog("f") == 0 and len(function.runs) == 21, seconds=3)


def test_an_event_that_is_too_old_does_not_run(queue, function):
    function.answers["f"] = [Throttled("full")] * 999
    old = event(max_age=100.0)  # 20 ms
    queue.put(old)
    until(lambda: function.given_up)
    assert function.given_up == [(old, "EventAgeExceeded", None)]
    tried = len(function.runs)
    time.sleep(0.03)
    assert len(function.runs) == tried


def test_an_event_of_a_function_that_is_gone_is_dropped(queue, function):
    function.answers["gone"] = [NoSuchFunction("gone")]
    queue.put(event("gone"))
    queue.put(event("f"))
    until(lambda: len(function.runs) == 2)
    until(lambda: queue.backlog("gone") == 0)
    assert function.given_up == []


def test_a_bug_loses_one_event_and_no_worker(queue, function):
    function.answers["f"] = [ZeroDivisionError()] * 5
    for _ in range(9):
        queue.put(event())
    until(lambda: len(function.runs) == 9)


def test_functions_take_turns(queue, function):
    function.open.clear()
    for _ in range(2):
        queue.put(event("busy"))  # both workers
    until(lambda: len(function.runs) == 2)
    for arn in ("a", "a", "a", "b", "c"):
        queue.put(event(arn))
    function.open.set()
    until(lambda: len(function.runs) == 7)
    order = [e.arn for e in function.runs[2:]]
    assert set(order[:3]) == {"a", "b", "c"}, "those of `a` do not all go first"
    assert Counter(order) == {"a": 3, "b": 1, "c": 1}


def test_no_more_at_once_than_workers(queue, function):
    function.open.clear()
    for _ in range(6):
        queue.put(event())
    until(lambda: len(function.runs) == 2)
    assert queue.backlog("f") == 4
    function.open.set()
    until(lambda: len(function.runs) == 6)


def test_reset_forgets_what_waits_and_what_runs_is_not_tried_again(queue, function):
    function.answers["f"] = [FAILED] * 9
    function.open.clear()
    for _ in range(4):
        queue.put(event())
    until(lambda: len(function.runs) == 2)
    queue.reset()
    assert queue.backlog("f") == 0
    function.open.set()
    queue.put(event("new"))
    until(lambda: any(e.arn == "new" for e in function.runs))
    time.sleep(0.05)  # longer than both retries would take
    assert [e.arn for e in function.runs] == ["f", "f", "new"]
    assert function.given_up == []


def test_reset_ends_back_off(queue, function, monkeypatch):
    monkeypatch.setattr(asynchronous, "TIME_SCALE", 0.01)  # the first wait is 100 s
    function.answers["f"] = [Throttled("full")]
    queue.put(event())
    until(lambda: function.runs and queue.backlog("f") == 1)
    queue.reset()
    queue.put(event())
    until(lambda: len(function.runs) == 2, seconds=5)
