"""The path of a message as a figure."""

from dataclasses import replace

import pytest

from labs.cloud.trace import Hop, Path
from labs.course import trace_figure

FINE = Hop(1, 0.0, "sns", "Publish", "topic", "learner", "200", "", 12.0, "id", "", 0)
DENIED = replace(
    FINE, time_ms=3.0, operation="deliver", status="refused", error="AccessDeniedException", depth=1
)


@pytest.fixture
def shown(monkeypatch):
    """What is given to the course's figures."""
    calls = []
    monkeypatch.setattr(trace_figure.figures, "show", lambda figure, **more: calls.append(more))
    return calls


def test_the_words_have_the_numbers_and_the_errors(shown):
    Path([FINE, DENIED]).figure()
    [words] = shown
    assert "At 3 ms SNS deliver topic" in words["alt"]
    assert "12 ms" in words["alt"]
    assert "AccessDeniedException" in words["alt"]


def test_the_title_says_what_went_wrong_deepest_or_how_long_it_took():
    shallow = replace(DENIED, depth=0, error="Other")
    assert trace_figure.finding([shallow, DENIED]).endswith("AccessDeniedException")
    assert "12 ms" in trace_figure.finding([FINE])


def test_an_error_differs_in_more_than_colour():
    axes = trace_figure.draw([FINE, DENIED]).axes[0]
    fine, denied = axes.patches
    assert (fine.get_hatch(), denied.get_hatch()) == (None, "///")
    texts = [text.get_text() for text in axes.texts]
    assert any("✗ AccessDeniedException" in text for text in texts)
    assert axes.get_xlabel().endswith("(ms)")


def test_a_long_path_is_cut_and_says_so(shown):
    Path([FINE] * 100).figure()
    assert "60 more hops" in shown[0]["caption"]


def test_without_a_message_there_is_a_sentence_instead(shown, capsys):
    Path([]).figure()
    assert "No message has travelled yet" in capsys.readouterr().out
    assert shown == []
