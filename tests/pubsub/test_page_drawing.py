"""The figure of lesson 01 says in words and numbers what it draws."""

import pytest

from labs.pubsub import page_drawing

RUNS = [(2, 30.0), (2, 34.0), (2, 32.0), (40, 160.0), (40, 150.0), (40, 170.0), (10, 64.0)]


def test_finding_is_a_ratio_of_medians():
    assert page_drawing.finding(RUNS) == "40 calls took 5.0 times as long as 2"
    assert page_drawing.times_as_long(RUNS) == pytest.approx(5.0)


def test_line_tells_the_price_of_a_call_from_the_rest():
    """Exact for points on a line: 3 ms a call, 20 ms for what is in the pages."""
    slope, rest = page_drawing.fitted([(calls, 20 + 3 * calls) for calls in (2, 10, 40)])
    assert (slope, rest) == (pytest.approx(3), pytest.approx(20))


def test_words_give_the_numbers():
    words = "2 calls: median 32 ms; 10 calls: median 64 ms; 40 calls: median 160 ms."
    assert page_drawing.in_words(RUNS) == words


def test_each_run_is_a_point():
    axes = page_drawing.draw_pages(RUNS).axes[0]
    assert len(axes.collections[0].get_offsets()) == len(RUNS)
    assert "(ms)" in axes.get_ylabel()


@pytest.mark.parametrize("runs", [RUNS, [(2, 5.0), (41, 5.0)], [(1, 400.0), (41, 2.0)]])
def test_labels_stay_inside_for_any_ratio(runs):
    """A label that leaves the picture says nothing."""
    figure = page_drawing.draw_pages(runs)
    figure.canvas.draw()
    page = figure.bbox
    for label in figure.axes[0].texts:
        box = label.get_window_extent()
        assert page.x0 <= box.x0 and box.x1 <= page.x1, label.get_text()
        assert page.y0 <= box.y0 and box.y1 <= page.y1, label.get_text()
