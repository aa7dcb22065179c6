"""The figure of lesson 14 counts rightly, and its bands are those of the binomial distribution."""

from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pandas import DataFrame

from labs.loadbalancing.figures import routing_figures


def frame(answers) -> DataFrame:
    """A row for each server that answered."""
    return DataFrame({"target": list(answers), "status": 200})


TENTH = frame((["new"] + ["old"] * 9) * 40)
FRAMES = {0: frame(["old"] * 40), 10: TENTH, 100: frame(["new"] * 40)}


# Batches


def test_batches_are_cut_in_order_and_a_rest_is_left_out():
    shuffled = frame(["new", "new", "old", "old", "new", "old", "new"])
    assert routing_figures.counts(shuffled, "new", 3) == [2, 1]
    assert routing_figures.most(shuffled, "new", 3) == 2


def test_the_summary_has_a_row_for_each_batch():
    summary = routing_figures.summary(FRAMES, "new", 20)
    assert list(summary.columns) == ["weight", "requests", "new"]
    assert summary.groupby("weight").new.sum().to_dict() == {0: 0, 10: 40, 100: 40}
    assert len(summary) == 2 + 20 + 2


def test_a_request_without_a_good_answer_is_said():
    bad = TENTH.copy()
    bad.loc[3, "status"] = 503
    with pytest.raises(ValueError, match=r"1 of 400 requests.*503"):
        routing_figures.counts(bad, "new", 20)


def test_too_few_requests_are_said():
    with pytest.raises(ValueError, match="400 requests are no batch of 500"):
        routing_figures.counts(TENTH, "new", 500)


# What chance gives


@given(st.integers(1, 60), st.sampled_from([0.0, 0.01, 0.1, 0.5, 0.9, 1.0]))
def test_the_band_holds_what_it_promises(requests, share):
    chances = [
        comb(requests, k) * share**k * (1 - share) ** (requests - k) for k in range(requests + 1)
    ]
    low, high = routing_figures.expected(requests, share)
    assert 0 <= low <= high <= requests
    assert sum(chances[:low]) <= 0.025 + 1e-9
    assert sum(chances[high + 1 :]) <= 0.025 + 1e-9
    assert sum(chances[: low + 1]) > 0.025 - 1e-9  # no wider than it has to be


@pytest.mark.parametrize(
    ("requests", "share", "band"),
    [(100, 0.1, (5, 16)), (100, 0.0, (0, 0)), (100, 1.0, (100, 100)), (4000, 0.5, (1938, 2062))],
)
def test_known_bands(requests, share, band):
    """Of 4,000 requests too: 0.5 to that power is no float."""
    assert routing_figures.expected(requests, share) == band


def test_more_requests_make_the_band_narrower():
    widths = [
        (high - low) / size
        for size in (20, 100, 500)
        for low, high in [routing_figures.expected(size, 0.1)]
    ]
    assert widths == sorted(widths, reverse=True)
    assert widths[0] > 3 * widths[2]


# The picture


def test_every_batch_has_its_point():
    figure = routing_figures.draw(FRAMES, new="new", weight=10, sizes=(10, 20, 40))
    by_weight, by_size = figure.axes
    assert [len(points.get_offsets()) for points in by_weight.collections[1:]] == [2, 20, 2]
    assert [len(points.get_offsets()) for points in by_size.collections] == [40, 20, 10]


def test_words_say_what_the_points_show(monkeypatch):
    shown = {}
    monkeypatch.setattr(
        routing_figures.figures, "show", lambda _figure, **words: shown.update(words)
    )
    routing_figures.canary(FRAMES, new="new", weight=10, sizes=(10, 20, 40))
    assert "Weight 10, 20 batches of 20 requests: the new version got 2 to 2" in shown["alt"]
    assert "Batches of 40 at a weight of 10: 10 to 10 %" in shown["alt"]
    assert "400 requests at a weight of 10" in shown["caption"]


def test_the_finding_compares_small_and_large_batches():
    finding = routing_figures.finding(FRAMES, "new", 10, (5, 20, 100))
    assert finding == (
        "At a weight of 10, the new version got 0 to 20 % of 5 requests, 10 to 10 % of 100"
    )
