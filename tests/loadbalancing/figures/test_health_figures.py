"""The figures of lesson 13 say in words and numbers what they draw."""

import pytest
from pandas import DataFrame

from labs.loadbalancing.figures import health_figures


def frame(rows) -> DataFrame:
    """Rows of (time in s, server that answered; "" where the request failed)."""
    whole = [(time, target, 200 if target else 502) for time, target in rows]
    return DataFrame(whole, columns=["time", "target", "status"])


WELL = [(time / 10, "one") for time in range(40)]
COMING = frame(WELL + [(time / 10 + 0.05, "two") for time in range(10, 20)])
#: By the interval: failures from 0.5 s on, every 0.1 s.
DIED = {
    30: frame(WELL + [(0.5 + time / 10, "") for time in range(19)]),
    5: frame(WELL + [(0.5 + time / 10, "") for time in range(4)]),
}
SINCE = {interval: health_figures.since_death(rows, 25) for interval, rows in DIED.items()}


# A server that comes and goes


def test_servers_are_rows_in_the_order_in_which_they_came():
    assert list(health_figures.answered(COMING)) == ["one", "two"]
    drawn = health_figures.draw_come_and_go(COMING, {"register": 0.9}).axes[0]
    assert [len(points.get_offsets()) for points in drawn.collections] == [40, 10]
    assert [text.get_text().strip() for text in drawn.texts] == ["register"]


def test_what_failed_is_said_and_has_a_row_of_its_own():
    rows = frame([*WELL, (1.0, ""), (1.1, "")])
    assert list(health_figures.answered(rows))[-1] == health_figures.UNANSWERED
    assert health_figures.coming_finding(rows) == "1 servers took 42 requests; 2 failed"
    assert health_figures.coming_finding(COMING).endswith("none failed")


def test_a_row_in_words():
    said = health_figures.stay_in_words("two", health_figures.answered(COMING)["two"])
    assert said == "two: 10 requests, from 1.1 s to 1.9 s."


# A server that dies


def test_time_begins_with_the_first_failure_and_runs_as_the_mocks_checks_do():
    assert health_figures.outage(SINCE[30]) == pytest.approx(45)
    assert SINCE[30].time.min() == pytest.approx(-12.5)


def test_a_frame_without_a_failure_is_refused():
    with pytest.raises(ValueError, match="40 requests were answered"):
        health_figures.since_death(frame(WELL), 25)


def test_the_finding_is_a_ratio():
    assert health_figures.outage_finding(SINCE) == (
        "Checked every 30 s instead of every 5 s, a dead server costs 4.8 times as many requests"
    )


def test_an_outage_in_words_has_the_theory():
    assert health_figures.outage_in_words(5, SINCE[5], 2) == (
        "Every 5 s: 4 of 44 requests failed, the last 8 mock seconds after the first; theory says"
        " 5 to 10."
    )


def test_every_request_is_a_point_and_theory_a_bar():
    axes = health_figures.draw_outages(SINCE, 2).axes[0]
    assert sum(len(points.get_offsets()) for points in axes.collections) == 59 + 44
    assert [(bar.get_x(), bar.get_width()) for bar in axes.patches] == [(30, 30), (5, 5)]


def test_both_are_shown_with_words(capsys):
    health_figures.come_and_go(COMING, {"register": 0.9})
    health_figures.outages(DIED, failures_needed=2, rate=10, time_scale=25)
    said = capsys.readouterr().out
    assert "register at 0.9 s. Failed requests: 0 of 50." in said
    assert "Every 30 s: 19 of 59 requests failed" in said
