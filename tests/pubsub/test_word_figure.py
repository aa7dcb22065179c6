"""The live figure of lesson 32 counts what it says it counts."""

from labs.pubsub import word_figure

LATE = [(0.1, 0, 0), (0.2, 1, 1), (0.3, 1, 11), (0.4, 3, 33), (0.5, 4, 34), (0.6, 4, 44)]


def test_only_looks_right_after_the_word_count():
    """Of six looks three came after the word was said, and two found a ten missing."""
    assert word_figure.looks(LATE) == (2, 3)
    assert word_figure.looks([(0.1, 1, 11)]) == (0, 1)
    assert word_figure.looks([(0.1, 0, 0)]) == (0, 0)


def test_finding_says_whether_the_table_arrived():
    assert word_figure.finding(LATE).endswith("2 of 3 times; in the end: none")
    assert word_figure.finding(LATE[:-1]).endswith("in the table so far: 34")


def test_lines_are_the_samples_and_the_labels_say_where_they_end():
    axes = word_figure.draw("tea", LATE).axes[0]
    heights = [list(line.get_ydata()) for line in axes.lines]
    assert heights == [[0, 11, 11, 33, 44, 44], [0, 1, 11, 33, 34, 44], [0, 1, 1, 3, 4, 4]]
    assert [text.get_text() for text in axes.texts] == [
        "11 for each: 44",
        "in the table: 44",
        "times said: 4",
    ]
    assert "said 4 times" in word_figure.in_words("tea", LATE)


def test_labels_stay_inside():
    many = [(number / 10, number, number) for number in range(1, 250)]
    figure = word_figure.draw("coffee", [*many, (30.0, 250, 2750)])
    figure.canvas.draw()
    axes = figure.axes[0]
    for label in [*axes.texts, axes._left_title]:
        assert label.get_window_extent().x1 <= figure.bbox.x1, label.get_text()


def test_frame_has_a_row_a_sample():
    frame = word_figure.frame(LATE)
    assert list(frame.columns) == ["seconds", "said", "count"]
    assert len(frame) == len(LATE)
