"""The model against closed forms and what must hold whatever its numbers are."""

import math
from dataclasses import replace

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labs.concurrency.simulation import (
    Parameters,
    by_itself,
    calibrate,
    error,
    in_line,
    predict,
    predict_lambda,
)
from labs.concurrency.simulation.article import rivals, scale

LINE = Parameters(bandwidth=100.0)  # an object of 100 bytes takes a second


def equal(n: int, size: int = 100) -> pd.DataFrame:
    return pd.DataFrame({"key": [f"k{i}" for i in range(n)], "bytes": [size] * n})


@given(n=st.integers(1, 60), workers=st.integers(1, 70))
@settings(deadline=None, max_examples=40)
def test_equal_objects_go_in_waves(n, workers):
    run = predict(LINE, workers=workers, objects=equal(n))
    assert run.seconds == pytest.approx(math.ceil(n / workers))


@given(
    sizes=st.lists(st.integers(1, 1000), min_size=1, max_size=40),
    workers=st.integers(1, 20),
)
@settings(deadline=None, max_examples=40)
def test_work_is_conserved_and_the_end_lies_between_grahams_bounds(sizes, workers):
    objects = pd.DataFrame({"key": [str(i) for i in range(len(sizes))], "bytes": sizes})
    run = predict(LINE, workers=workers, objects=objects)
    work, longest = sum(sizes) / 100, max(sizes) / 100
    assert (run.frame["end"] - run.frame["start"]).sum() == pytest.approx(work)
    assert sorted(run.frame["object"]) == sorted(objects["key"])
    assert max(work / workers, longest) <= run.seconds + 1e-9
    assert run.seconds <= work / workers + longest * (1 - 1 / workers) + 1e-9


def test_more_workers_are_never_slower_without_a_limit():
    times = [predict(LINE, workers=w, objects=equal(60)).seconds for w in range(1, 61)]
    assert times == sorted(times, reverse=True)


def test_a_busy_front_is_the_most_that_any_number_of_workers_gets():
    """A server that takes D seconds, all at once in its queue: n x D, and the last transfer."""
    run = predict(replace(LINE, front=0.5), workers=100, objects=equal(100))
    assert run.seconds == pytest.approx(100 * 0.5 + 1)


@given(rate=st.floats(1, 20), tries=st.integers(1, 4), workers=st.integers(1, 30))
@settings(deadline=None, max_examples=30)
def test_slow_down_loses_no_row_and_admits_no_more_than_its_rate(rate, tries, workers):
    given_ = replace(LINE, rate=rate, tries=tries)
    run = predict(given_, workers=workers, objects=equal(60))
    assert run.frame["object"].nunique() == len(run.frame) == 60
    assert run.frame["attempts"].between(1, tries).all()
    assert (run.frame.loc[run.frame["error"].notna(), "attempts"] == tries).all()
    copied = int(run.frame["error"].isna().sum())
    assert copied <= max(1, round(rate)) + rate * run.seconds + 1e-6


def test_the_same_seed_gives_the_same_run():
    given_ = replace(LINE, rate=3.0)
    first, again = (predict(given_, workers=20, objects=equal(40)).frame for _ in range(2))
    pd.testing.assert_frame_equal(first, again)
    other = predict(replace(given_, seed=1), workers=20, objects=equal(40)).frame
    assert not first.equals(other)


@pytest.mark.parametrize(
    ("waiting", "throttles"),
    [(in_line, 4), (by_itself, 23)],  # once for each full wave; once at least for each event
)
def test_lambda_copies_all_and_never_runs_more_than_its_limit(waiting, throttles):
    run = predict_lambda(replace(LINE, limit=7), objects=equal(30), waiting=waiting)
    assert run.frame["object"].nunique() == len(run.frame) == 30
    for moment in run.frame["start"]:
        at_once = (run.frame["start"] <= moment) & (run.frame["end"] > moment + 1e-9)
        assert at_once.sum() <= 7
    assert run.throttles >= throttles


def test_a_queue_in_line_wastes_nothing_and_events_by_themselves_do():
    given_ = replace(LINE, limit=10, bandwidth=20.0)  # five seconds a copy
    queue, events = (
        predict_lambda(given_, objects=equal(30), waiting=waiting).seconds
        for waiting in (in_line, by_itself)
    )
    assert queue == pytest.approx(15)
    assert events == pytest.approx(20)  # tried at 0, 1, 3, 7, 15: copies end at 5, 12, 20


def test_a_function_that_fails_is_run_again_and_then_lost_with_a_row():
    given_ = replace(LINE, rate=1e-9, tries=1)
    run = predict_lambda(given_, objects=equal(2))
    assert list(run.frame["error"].fillna("")) == ["", "SlowDown"]
    assert list(run.frame["attempts"]) == [1, 3]
    assert run.seconds == pytest.approx(180)


def test_calibration_finds_what_a_run_was_made_with():
    made = replace(LINE, front=0.05)
    run = predict(made, workers=30, objects=equal(60)).frame
    found = calibrate(run, objects=equal(60), bandwidth=100.0)
    assert found.front == pytest.approx(0.05, rel=0.01)
    for workers in (1, 10):
        other = predict(made, workers=workers, objects=equal(60)).frame
        foretold = predict(found, workers=workers, objects=equal(60))
        assert error(foretold, other) == pytest.approx(0, abs=0.01)


def test_calibration_without_bandwidth_takes_it_from_the_loop():
    run = predict(LINE, workers=1, objects=equal(10)).frame
    assert calibrate(run, objects=equal(10)).bandwidth == pytest.approx(100)


def test_calibration_refuses_a_disturbed_run():
    run = predict(LINE, workers=1, objects=equal(2)).frame.assign(attempts=[1, 2])
    with pytest.raises(ValueError, match="1 of 2 copies failed or repeated"):
        calibrate(run)


@pytest.mark.parametrize("wrong", [{"bandwidth": 0}, {"limit": 0}, {"tries": 0}, {"rate": 0}])
def test_impossible_numbers_are_refused(wrong):
    with pytest.raises(ValueError, match="expected"):
        replace(LINE, **wrong)


def test_the_articles_three_times_within_five_percent():
    assert (scale()["error"].abs() < 0.05).all()


def test_limit_and_throttling_alone_do_not_make_160_seconds_and_three_choices_do():
    table = rivals()
    nothing = table["chosen"] == "nothing"
    assert (table.loc[nothing, "model"] < 0.6 * 160).all()
    assert (table.loc[~nothing, "error"].abs() < 0.05).all()
    assert (~nothing).sum() == 3
