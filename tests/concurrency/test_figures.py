"""The figures of lesson 21 draw the numbers that they are given."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pandas import DataFrame

from labs.concurrency import figures

ARTICLE = {"one by one": 6300, "thread pool": 100, "Lambda": 160}
OURS = {"one by one": 19.2, "thread pool": 0.8}


def frame(*spans, errors=()):
    """A row for each (start, end)."""
    return DataFrame(
        {
            "start": [float(start) for start, _ in spans],
            "end": [float(end) for _, end in spans],
            "error": [errors[i] if i < len(errors) else None for i in range(len(spans))],
        }
    )


def test_a_lane_is_taken_again_when_it_is_free():
    assert figures.lanes(frame((0, 2), (0, 1), (1, 2), (1.5, 3))) == [0, 1, 1, 2]
    assert figures.lanes(frame((5, 6), (0, 1))) == [0, 0]


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(1, 20)), min_size=1, max_size=40))
def test_no_two_copies_overlap_in_a_lane_and_there_are_no_more_lanes_than_needed(spans):
    rows = frame(*((start, start + length) for start, length in spans))
    lanes = figures.lanes(rows)
    taken = sorted(zip(lanes, rows["start"], rows["end"], strict=True))
    for (lane, _, end), (next_lane, start, _) in itertools.pairwise(taken):
        assert lane != next_lane or end <= start
    most = max(((rows["start"] <= at) & (at < rows["end"])).sum() for at in rows["start"])
    assert max(lanes) + 1 == most


def test_gantt_shows_each_copy_and_which_failed():
    rows = frame((0, 1), (0, 1), (1, 2), errors=(None, "SlowDown"))
    axes = figures.draw_gantt(rows, "title").axes[0]
    assert [each.get_label() for each in axes.collections] == ["2 copied", "1 failed"]
    assert [len(each.get_paths()) for each in axes.collections] == [2, 1]
    assert axes.get_xlim()[1] >= 2
    with pytest.raises(ValueError, match="no rows"):
        figures.draw_gantt(rows.head(0), "title")


def test_speed_up_is_loop_by_run_beside_the_ideal():
    axes = figures.draw_speed_up(16, {"threads": {4: 4.0, 1: 16.0}}, "title").axes[0]
    ideal, threads = axes.lines
    assert list(ideal.get_ydata()) == [1, 4]
    assert list(threads.get_xdata()) == [1, 4]
    assert list(threads.get_ydata()) == [1, 4]
    with pytest.raises(ValueError, match="Found 0 runs"):
        figures.draw_speed_up(16, {}, "title")


def test_bars_are_the_speed_ups_of_each_source_to_its_own_loop():
    axes = figures.draw_bars({"article": ARTICLE, "ours": OURS}, "title").axes[0]
    assert [text.get_text() for text in axes.texts] == ["1×", "63×", "39.4×", "1×", "24×"]
    assert [tick.get_text() for tick in axes.get_yticklabels()] == list(ARTICLE)
    with pytest.raises(ValueError, match="Found 0 sources"):
        figures.draw_bars({}, "title")


@pytest.mark.parametrize(
    "draw",
    [
        lambda: figures.draw_gantt(frame((0, 1), (0, 2)), "title"),
        lambda: figures.draw_gantt(frame((0, 1), errors=("SlowDown",)), "title"),
        lambda: figures.draw_speed_up(20, {"a": {1: 20, 64: 1}, "b": {1: 21, 64: 1.1}}, "title"),
        lambda: figures.draw_bars({"article": ARTICLE, "ours": OURS, "model": ARTICLE}, "title"),
    ],
)
def test_labels_stay_inside(draw):
    """A label that leaves the picture says nothing."""
    figure = draw()
    figure.canvas.draw()
    axes = figure.axes[0]
    for label in [*axes.texts, *axes.get_yticklabels(), axes._left_title]:
        if label.get_text():
            box = label.get_window_extent()
            assert figure.bbox.x0 <= box.x0, label.get_text()
            assert box.x1 <= figure.bbox.x1, label.get_text()
