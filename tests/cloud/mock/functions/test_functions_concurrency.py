"""Admission: what is reserved is a ceiling and a guarantee, the rest is shared."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from labs.cloud.mock.functions.concurrency import ACCOUNT_REASON, RESERVED_REASON, Concurrency
from labs.cloud.mock.functions.contract import Throttled


def test_the_account_limit_is_shared():
    concurrency = Concurrency(2)
    with concurrency.slot("a", {}), concurrency.slot("b", {}):
        with pytest.raises(Throttled) as refused, concurrency.slot("c", {}):
            pass
        assert refused.value.reason == ACCOUNT_REASON
    with concurrency.slot("c", {}):
        pass


def test_a_reservation_is_a_ceiling_and_a_guarantee():
    concurrency, reserved = Concurrency(3), {"mine": 1}
    with concurrency.slot("a", reserved), concurrency.slot("b", reserved):
        with pytest.raises(Throttled), concurrency.slot("a", reserved):
            pass
        with concurrency.slot("mine", reserved):
            with pytest.raises(Throttled) as refused, concurrency.slot("mine", reserved):
                pass
            assert refused.value.reason == RESERVED_REASON


def test_nothing_reserved_means_nothing_runs():
    with pytest.raises(Throttled), Concurrency(9).slot("f", {"f": 0}):
        pass


def test_an_invocation_that_fails_gives_its_room_back():
    concurrency = Concurrency(1)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError), concurrency.slot("f", {}):
            1 / 0  # noqa: B018


def test_a_reservation_that_comes_and_goes_keeps_the_count_right():
    concurrency = Concurrency(2)
    with ExitStack() as stack:
        stack.enter_context(concurrency.slot("f", {}))
        stack.enter_context(concurrency.slot("f", {"f": 2}))
        with pytest.raises(Throttled), concurrency.slot("f", {"f": 2}):
            pass
    with concurrency.slot("f", {"f": 1}):
        pass


def test_many_threads_never_exceed_the_limit():
    concurrency, lock = Concurrency(4), threading.Lock()
    now, most, refused = 0, 0, 0
    all_in = threading.Barrier(16)

    def run(_):
        nonlocal now, most, refused
        all_in.wait()
        for _ in range(200):
            try:
                with concurrency.slot("f", {}):
                    with lock:
                        now += 1
                        most = max(most, now)
                    with lock:
                        now -= 1
            except Throttled:
                refused += 1

    with ThreadPoolExecutor(16) as threads:
        list(threads.map(run, range(16)))
    assert now == 0
    assert 1 <= most <= 4
