"""The figure of lesson 15 says in words and numbers what it draws."""

import pytest
from pandas import DataFrame, Series

from labs.loadbalancing.figures import migration_figures
from labs.loadbalancing.figures.migration_figures import BLUE

#: Ten requests a second; from 1 s on half of the weight, from 2 s on all of it is the new one's.
SET_AT = [(0.0, 0), (1.0, 50), (2.0, 100)]
TIMES = Series([number / 10 for number in range(30)])
FRAME = DataFrame({"time": TIMES, "latency": 0.01})
ANSWERED = Series(["old"] * 10 + ["new", "old"] * 3 + ["old"] * 4 + ["new"] * 10)


def test_shares_are_of_the_requests_under_each_weight():
    steps = migration_figures.measure(FRAME, ANSWERED, SET_AT)
    assert [(step.percent, step.share, step.requests) for step in steps] == [
        (0, 0, 10),
        (50, 30, 10),
        (100, 100, 10),
    ]
    assert steps[0].off == steps[2].off == 0
    assert steps[1].off == pytest.approx(31, abs=0.1)  # 1.96 * sqrt(.5 * .5 / 10)


def test_the_finding_is_how_far_off_and_how_many_failed():
    steps = migration_figures.measure(FRAME, ANSWERED, SET_AT)
    assert migration_figures.finding(ANSWERED, steps) == (
        "Shares stay within 20 points of the weights; none of 30 requests failed"
    )
    failing = ANSWERED.where(TIMES != 0.5, "failed")
    assert "; 1 of 30 requests failed" in migration_figures.finding(failing, steps)


def test_a_failed_request_counts_for_neither_balancer():
    failing = ANSWERED.where(TIMES != 1.1, "failed")  # an old one's, under weight 50
    steps = migration_figures.measure(FRAME, failing, SET_AT)
    assert (steps[1].requests, round(steps[1].share, 1)) == (9, 33.3)


def test_a_request_under_way_when_a_weight_is_set_counts_for_neither():
    """A slow machine looks the name up late: what was due under 50 met 100."""
    slow = FRAME.assign(latency=FRAME.latency.where((TIMES < 1.7) | (TIMES >= 2), 0.5))
    late = ANSWERED.where((TIMES < 1.7) | (TIMES >= 2), "new")
    steps = migration_figures.measure(slow, late, SET_AT)
    assert [step.requests for step in steps] == [10, 7, 10]
    assert steps[1].share == pytest.approx(100 * 3 / 7)


def test_a_weight_under_which_nothing_was_answered_is_named():
    with pytest.raises(ValueError, match=r"between 1\.0 and 2\.0 s, .*weight was 50"):
        migration_figures.measure(FRAME, ANSWERED.where((TIMES < 1) | (TIMES >= 2)), SET_AT)


def test_points_and_line_are_what_was_measured_and_set():
    steps = migration_figures.measure(FRAME, ANSWERED, SET_AT)
    above, below = migration_figures.draw(TIMES, ANSWERED, steps).axes
    points = [line.get_ydata()[0] for line in above.lines if line.get_color() == BLUE]
    assert points == [step.share for step in steps]
    assert list(above.patches[0].get_data().values) == [0, 50, 100]
    rows = [len(collection.get_offsets()) for collection in below.collections]
    assert dict(zip(migration_figures.ROWS, rows, strict=True)) == {
        "new": 13,
        "old": 17,
        "failed": 0,
    }


def test_who_does_not_see_it_is_told_the_numbers(monkeypatch):
    shown = {}
    monkeypatch.setattr(
        migration_figures.figures, "show", lambda figure, **words: shown.update(words)
    )
    migration_figures.shift(FRAME, ANSWERED, SET_AT)
    assert "0 % at 0 %; 30 % at 50 %; 100 % at 100 %" in shown["alt"]
    assert "new 13, old 17, failed 0" in shown["alt"]
    assert "Failed requests: 0." in shown["caption"]
