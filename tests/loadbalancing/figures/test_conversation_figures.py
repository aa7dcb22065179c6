"""The figure of lesson 11 says what was weighed, and its words stay inside."""

import pytest

from labs.loadbalancing.conversations import Weights
from labs.loadbalancing.figures import conversation_figures
from labs.loadbalancing.figures.conversation_figures import Weighed

WEIGHED = [
    Weighed("http", Weights(602, 212, 2)),
    Weighed("https", Weights(1034, 2319, 2)),
    Weighed("http", Weights(30_000, 222, 750_000)),
    Weighed("https", Weights(31_000, 2723, 750_000)),
]


def test_finding_is_of_the_first_scheme():
    assert conversation_figures.finding(WEIGHED) == (
        "By HTTP, an answer of 2 bytes costs 408 times its size, one of 750,000 bytes 1.04 times"
    )


def test_words_have_all_numbers():
    said = conversation_figures.in_words(WEIGHED[1])
    assert "HTTPS, body of 2 bytes: 3,355 bytes crossed" in said
    assert "1,034 headers" in said and "2,319 TLS and HTTP heads" in said


@pytest.mark.parametrize(
    ("share", "text"), [(0.6, "body 60%"), (0.09, "9%"), (0.05, ""), (0.0, "")]
)
def test_label_is_as_long_as_there_is_room(share, text):
    assert conversation_figures.label("body", share) == text


def test_bars_are_whole_and_labels_inside():
    figure = conversation_figures.draw_shares(WEIGHED)
    figure.canvas.draw()
    axes = figure.axes[0]
    assert sum(bar.get_width() for bar in axes.patches) == pytest.approx(len(WEIGHED))
    for label in [*axes.texts, figure._suptitle]:
        extent = label.get_window_extent()
        assert extent.x0 >= 0 and extent.x1 <= figure.bbox.x1, label.get_text()
