"""The dial, the stories and the bars of lesson 22 draw the numbers that they are given."""

import pandas as pd
import pytest

from labs.concurrency import comparison, lambda_figures
from labs.course import figures

QUEUE = ["time", "waiting", "oldest_s", "throttles"]
MEASURED, MODEL = {6: 4.5, 12: 2.4, 24: 1.5}, {6: 4.0, 7: 3.6, 12: 2.0, 24: 1.0}


@pytest.fixture
def shown(monkeypatch):
    """What a learner is shown: [(figure, alt, caption)]."""
    kept = []
    monkeypatch.setattr(
        figures, "show", lambda figure, *, alt, caption="": kept.append((figure, alt, caption))
    )
    return kept


def test_throttles_of_an_earlier_publication_do_not_count():
    queue = pd.DataFrame([(1.0, 2, 0.0, 5), (2.0, 0, 1.0, 9), (7.0, 3, 0.5, 12)], columns=QUEUE)
    assert lambda_figures.since(queue, 3.0).values.tolist() == [[7.0, 3, 0.5, 3]]
    assert lambda_figures.since(queue, 0.0).equals(queue)
    assert lambda_figures.since(queue, 9.0).empty


def test_the_climb_says_what_was_set_and_what_was_measured(shown):
    runs = pd.DataFrame({"start": [101.0, 101.5, 103.0], "end": [103.0, 102.5, 104.0]})
    queue = pd.DataFrame([(100.0, 3, 0.0, 0), (103.0, 0, 3.0, 4)], columns=QUEUE)
    lambda_figures.show_climb(runs, queue, limit=2, copy_s=1.0)
    [(_, alt, caption)] = shown
    assert "At most 2 runs at once" in alt
    assert "Set: 3 messages, 1 s for a copy, at most 2 at once. Measured:" in caption


def test_the_dial_has_a_point_for_each_measurement_and_the_model_as_a_line(shown):
    lambda_figures.show_dial(MEASURED, MODEL, set_to="48 objects")
    [(figure, alt, caption)] = shown
    model, points = figure.axes[0].lines
    assert list(zip(*model.get_data(), strict=True)) == list(MODEL.items())
    assert list(zip(*points.get_data(), strict=True)) == list(MEASURED.items())
    assert figure.axes[0].get_title(loc="left") == "4.0 times the concurrency: 3.0 times as fast"
    assert "reserved 12: 2.4 s, by the model 2.0 s" in alt
    assert caption.startswith("Set: 48 objects, reserved concurrency. Measured:")


def test_each_story_is_drawn_to_the_same_scale_and_told_in_words(shown):
    early = pd.DataFrame({"start": [0.0, 0.0], "end": [50.0, 50.0]})
    late = pd.DataFrame({"start": [0.0, 50.0], "end": [50.0, 100.0]})
    lambda_figures.show_stories({"two at once": early, "one by one": late}, measured_s=100.0)
    [(figure, alt, _)] = shown
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["two at once", "one by one"]
    assert figure.axes[0].get_ylim() == figure.axes[1].get_ylim()
    assert "two at once: at most 2 at once, 1 different moments of start" in alt
    assert "one by one: at most 1 at once, 2 different moments of start" in alt


def test_the_comparison_is_told_by_ratios_and_returned_as_a_table(shown):
    objects = pd.DataFrame({"key": ["a", "b", "c", "d"], "bytes": [700_000_000] * 4})
    table = comparison.show(1.0, 1.5, objects, workers=2, copy_s=0.5)
    [(figure, alt, caption)] = shown
    assert figure.axes[0].get_title(loc="left") == (
        "Lambda took 1.5 times as long as threads here, 1.6 times in the article"
    )
    assert list(table["way"]) == ["one by one", "threads", "Lambda"]
    one_by_one, threads, by_lambda = table["model"]
    assert one_by_one == pytest.approx(2 * threads)
    assert threads == pytest.approx(by_lambda)
    assert list(table["measured"][1:]) == [1.0, 1.5]
    assert "article: one by one 6.3e+03 s, threads 100 s, Lambda 160 s" in alt
    assert "2 threads or runs at once; the article had 250 objects" in caption
    assert "One by one is not run here" in caption


def test_the_model_is_never_slower_with_more_at_once():
    objects = pd.DataFrame({"key": list("abcdef"), "bytes": [100] * 6})
    foretold = comparison.foretold_by_limit(objects, range(1, 7), bandwidth=100.0)
    assert [round(seconds) for seconds in foretold.values()] == [6, 3, 2, 2, 2, 1]


@pytest.mark.parametrize(
    "draw",
    [
        lambda: lambda_figures.draw_dial(MEASURED, MODEL),
        lambda: lambda_figures.draw_dial({2: 100.0, 8: 30.0}, {2: 95.0, 8: 20.0}),
    ],
)
def test_labels_stay_inside(draw):
    figure = draw()
    figure.canvas.draw()
    for label in [*figure.axes[0].texts, figure.axes[0]._left_title]:
        box = label.get_window_extent()
        assert figure.bbox.x0 <= box.x0, label.get_text()
        assert box.x1 <= figure.bbox.x1, label.get_text()
