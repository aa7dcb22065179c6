"""What was measured comes back, with where and how."""

import numpy
import pandas
import pytest

from labs.course import events, results

FRAME = pandas.DataFrame({"kind": ["cold", "warm"], "ms": [71.5, 6.25], "tries": [10, 30]})


def test_a_frame_comes_back_with_machine_size_and_settings(monkeypatch):
    monkeypatch.setenv("LABS_SIZE", "small")
    results.save("31", FRAME, clients=4, sizes=numpy.array([1, 2]), seed=numpy.int64(7))
    (result,) = results.load("31")
    pandas.testing.assert_frame_equal(result.frame, FRAME)
    assert result.settings == {"clients": 4, "sizes": [1, 2], "seed": 7}
    assert (result.size, result.machine["cores"] > 0) == ("small", True)


def test_runs_and_lessons_are_kept_apart():
    for lesson in ("31", "32", "31"):
        results.save(lesson, FRAME)
    assert (len(results.load("31")), len(results.load("32")), results.load("33")) == (2, 1, [])


def test_what_cannot_be_read_is_left_out():
    events.record("result", lesson="31", frame="{", settings={}, machine={}, size="small")
    events.record("result", lesson="31")
    assert results.load("31") == []


def test_too_much_is_refused():
    with pytest.raises(ValueError, match="at most 10000"):
        results.save("31", pandas.DataFrame({"a": range(10_001)}))
