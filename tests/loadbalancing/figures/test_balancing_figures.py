"""The figures of lesson 12 say in words and numbers what they draw."""

import pytest
from pandas import DataFrame, concat

from labs.loadbalancing.cost import Costs
from labs.loadbalancing.figures import balancing_figures

COLUMNS = ["target", "client", "latency", "status", "error"]


def frame(rows) -> DataFrame:
    """Rows of (target, client, latency in s)."""
    return DataFrame([(*row, 200, "") for row in rows], columns=COLUMNS)


LAYER4 = frame([("one", 1, 0.01)] * 40 + [("two", 2, 0.01)] * 10 + [("one", 3, 0.01)] * 2)
LAYER7 = frame([(name, 1, 0.01) for name in ["one", "two"] * 20] + [("one", 2, 0.01)] * 12)
SPREADS = {"layer 4": LAYER4, "layer 7": LAYER7}
TURNS = frame([("one", 1, 0.01)] * 75 + [("slow", 1, 0.2)] * 25)
FEWEST = frame([("one", 1, 0.01)] * 95 + [("slow", 1, 0.2)] * 5)
WAITS = {"round_robin": TURNS, "least_outstanding_requests": FEWEST}
COSTS = {"ours": Costs(30, 60, "now"), "HAProxy": Costs(10, 12.5, "2026-11-24, a laptop")}


# Who gets the requests


def test_the_busiest_servers_share_is_the_finding():
    assert balancing_figures.busiest(LAYER4) == 42
    assert "81% (layer 4), 62% (layer 7)" in balancing_figures.spread_finding(SPREADS)


def test_spread_in_words_says_whose_requests():
    assert balancing_figures.spread_in_words(LAYER4) == (
        "one 42, two 10 requests; of these from the busiest browser 40, 0."
    )


def test_bars_are_as_long_as_the_requests_are_many():
    for axes, drawn in zip(
        balancing_figures.draw_spreads(SPREADS).axes, SPREADS.values(), strict=True
    ):
        pieces = sum(bar.get_width() for bar in axes.patches)
        assert pieces == len(drawn)
        totals = [int(text.get_text()) for text in axes.texts]
        assert totals == sorted(totals, reverse=True)


def test_requests_that_failed_are_not_counted_as_a_servers():
    failed = DataFrame([("", 1, 9.0, 0, "reset")], columns=COLUMNS)
    assert balancing_figures.busiest(concat([LAYER4, failed])) == 42
    with pytest.raises(ValueError, match=r"none of 1 requests.*0.*reset"):
        balancing_figures.busiest(failed)


# What a slow server does


def test_the_ratio_of_p90_is_the_finding():
    assert balancing_figures.latency_finding(WAITS) == (
        "The p90 of round robin is 20 times that of least outstanding requests"
    )


def test_latency_in_words_gives_the_share_of_the_slow_server():
    assert balancing_figures.latency_in_words("round_robin", TURNS, "slow") == (
        "round_robin, 100 requests, 25% of them to slow: half within 10 ms, nine of ten within"
        " 200 ms."
    )


def test_each_request_is_a_point():
    axes = balancing_figures.draw_latencies(WAITS).axes[0]
    assert [len(points.get_offsets()) for points in axes.collections] == [100, 100]


# What a request costs


def test_the_ratios_are_the_finding():
    said = balancing_figures.cost_finding(COSTS)
    assert said == "What layer 7 costs, in times of layer 4, from the top: 2.0, 1.2"


def test_cost_in_words_gives_the_numbers():
    assert balancing_figures.cost_in_words("ours", COSTS["ours"]) == (
        "ours: layer 4 30, layer 7 60, that is 2.0 times as much."
    )


# All of them


@pytest.mark.parametrize(
    "draw",
    [
        lambda: balancing_figures.draw_spreads(SPREADS),
        lambda: balancing_figures.draw_spreads({"layer 7": LAYER7, "layer 4": LAYER4}),
        lambda: balancing_figures.draw_latencies(WAITS),
        lambda: balancing_figures.draw_latencies({"a": FEWEST, "b": FEWEST}),
        lambda: balancing_figures.draw_latencies({"a": frame([("one", 1, 3.0)]), "b": TURNS}),
        lambda: balancing_figures.draw_costs(COSTS),
        lambda: balancing_figures.draw_costs({"ours, here": Costs(900, 9, "now")}),
    ],
)
def test_labels_stay_inside(draw):
    """A label that leaves the picture says nothing."""
    figure = draw()
    figure.canvas.draw()
    page = figure.bbox
    labels = [text for axes in figure.axes for text in (*axes.texts, *axes.get_yticklabels())]
    for label in [*labels, figure._suptitle]:
        box = label.get_window_extent()
        assert page.x0 <= box.x0, label.get_text()
        assert box.x1 <= page.x1, label.get_text()


def test_what_is_shown_says_what_was_set_and_measured(monkeypatch):
    shown = []
    monkeypatch.setattr(
        balancing_figures.figures, "show", lambda figure, **words: shown.append(words)
    )
    balancing_figures.spreads(SPREADS)
    balancing_figures.latencies(WAITS, slow="slow", rate=100)
    balancing_figures.costs(COSTS)
    for words in shown:
        assert "Set:" in words["caption"]
        assert "Measured:" in words["caption"]
        assert len(words["alt"]) > 60
    assert "3 browsers" in shown[0]["caption"]
    assert "40, 10, 2 requests" in shown[0]["caption"]
    assert "25% to slow" in shown[1]["caption"]
    assert "2026-11-24, a laptop" in shown[2]["caption"]
