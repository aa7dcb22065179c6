"""The figures say in words and numbers what they draw."""

from labs.pubsub import drawing

COLD, WARM = [90.0, 100.0, 110.0], [20.0, 19.0, 21.0, 20.0]


def test_finding_is_a_ratio_of_medians():
    assert drawing.finding(COLD, WARM) == "A cold call took 5.0 times as long as a warm one"
    assert "1.0 times" in drawing.finding(WARM, WARM)


def test_each_call_is_a_point():
    axes = drawing.draw_calls(COLD, WARM).axes[0]
    drawn = [sorted(points.get_offsets()[:, 0]) for points in axes.collections]
    assert drawn == [sorted(WARM), sorted(COLD)]
    assert axes.get_title(loc="left") == drawing.finding(COLD, WARM)
    assert "(ms)" in axes.get_xlabel()


def test_words_give_the_numbers():
    assert drawing.in_words("Cold", COLD) == "Cold, 3 calls: median 100 ms, from 90 to 110 ms."


def test_labels_stay_inside_for_any_ratio():
    """A label that leaves the picture says nothing."""
    for cold, warm in [(COLD, WARM), (WARM, WARM), ([20.0, 900.0], [2.0]), ([3.0], [5.0, 80.0])]:
        figure = drawing.draw_calls(cold, warm)
        figure.canvas.draw()
        page = figure.bbox
        for label in figure.axes[0].texts:
            box = label.get_window_extent()
            assert page.x0 <= box.x0 and box.x1 <= page.x1, label.get_text()


def test_way_names_everything_that_its_words_name():
    figure = drawing.draw_way()
    drawn = " ".join(text.get_text() for text in figure.axes[0].texts)
    for name in ("Slack", "API Gateway", "word_counter", "DynamoDB", "SNS", "sns_multiplier"):
        assert name in drawn
        assert name in drawing.WAY_ALT


def test_calls_are_kept_by_kind():
    frame = drawing.calls(COLD, WARM)
    assert list(frame.groupby("kind").ms.count().items()) == [("cold", 3), ("warm", 4)]
