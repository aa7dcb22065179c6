"""Warm sandboxes: which one is reused, which one ends."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from labs.cloud.mock.functions.pool import Pool


class Thing:
    def __init__(self):
        self.closed = 0

    def close(self):
        self.closed += 1


def use(pool, function, settings=1):
    """One invocation."""
    thing = pool.take(function, settings) or pool.make(Thing)
    pool.give_back(function, settings, thing)
    return thing


def test_the_one_used_last_is_reused():
    pool = Pool(most=5)
    first, second = pool.make(Thing), pool.make(Thing)
    pool.give_back("f", 1, first)
    pool.give_back("f", 1, second)
    assert pool.take("f", 1) is second
    assert pool.take("f", 1) is first
    assert pool.take("f", 1) is None


def test_functions_do_not_share():
    pool = Pool(most=5)
    assert use(pool, "f") is not use(pool, "g")


def test_changed_settings_end_the_old_ones():
    pool = Pool(most=5)
    old, other = use(pool, "f", "old"), use(pool, "g", "old")
    new = use(pool, "f", "new")
    assert new is not old
    assert (old.closed, other.closed, new.closed) == (1, 0, 0)
    assert pool.take("f", "old") is None


def test_the_longest_idle_ends_to_make_room():
    pool = Pool(most=2)
    a, b = use(pool, "a"), use(pool, "b")
    use(pool, "a")
    c = use(pool, "c")
    assert (a.closed, b.closed, c.closed) == (0, 1, 0)


def test_busy_ones_do_not_end():
    pool = Pool(most=1)
    busy = pool.make(Thing)
    other = pool.make(Thing)
    assert busy.closed == other.closed == 0
    pool.give_back("f", 1, busy)
    use(pool, "g")
    assert busy.closed == 1, "the cap holds again as soon as it can"


def test_a_start_that_fails_leaves_no_trace():
    pool = Pool(most=1)
    kept = use(pool, "f")
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            pool.make(lambda: 1 / 0)
    assert kept.closed == 1, "room was made for it"
    assert use(pool, "f").closed == 0


def test_lost_ones_make_room():
    pool = Pool(most=1)
    pool.make(Thing)
    pool.lost()
    kept = use(pool, "f")
    assert kept.closed == 0
    assert use(pool, "f") is kept


def test_close_ends_each_idle_one_once():
    pool = Pool(most=5)
    things = [use(pool, name) for name in "abc"]
    pool.close()
    pool.close()
    assert [thing.closed for thing in things] == [1, 1, 1]
    assert pool.take("a", 1) is None


def test_two_never_hold_the_same_one():
    pool, lock, held = Pool(most=4), threading.Lock(), set()

    def invoke(number):
        function = "fg"[number % 2]
        thing = pool.take(function, 1) or pool.make(Thing)
        with lock:
            assert thing not in held
            held.add(thing)
        assert thing.closed == 0
        with lock:
            held.remove(thing)
        pool.give_back(function, 1, thing)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(invoke, range(2000)))
