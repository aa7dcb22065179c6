"""The order in which things are done, in parallel."""

import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labs.cloud.mock.stacks.graph import circle
from labs.cloud.mock.stacks.walk import Cancelled, walk

graphs = st.dictionaries(
    st.sampled_from("ABCDEFGH"), st.frozensets(st.sampled_from("ABCDEFGH"), max_size=3)
).map(
    # Needs point backwards only: there is an order.
    lambda needs: {name: frozenset(one for one in its if one < name) for name, its in needs.items()}
)


@given(graphs)
@settings(max_examples=50, deadline=None)
def test_everything_is_done_once_after_what_it_needs(needs):
    assert not circle({name: its & needs.keys() for name, its in needs.items()})
    done, lock = [], threading.Lock()

    def do(name):
        with lock:
            assert needs[name] & needs.keys() <= set(done)
            done.append(name)

    walk(needs, needs, do)
    assert sorted(done) == sorted(needs)


def test_after_a_failure_nothing_begins_and_what_has_begun_ends():
    began, may_end = threading.Event(), threading.Event()
    done = []

    def do(name):
        if name == "bad":
            assert began.wait(10)
            may_end.set()
            raise RuntimeError("no")
        began.set()
        assert may_end.wait(10)
        done.append(name)

    with pytest.raises(RuntimeError, match="no"):
        walk(["slow", "bad", "later"], {"later": frozenset({"slow"})}, do)
    assert done == ["slow"]


def test_what_is_stopped_begins_nothing_more():
    stopped = Cancelled()
    done = []

    def do(name):
        done.append(name)
        stopped.set()

    walk(["a", "b"], {"b": frozenset("a")}, do, stopped.is_set)
    assert done == ["a"]
