"""A block says the same to eyes and ears, and whatever is in it stays text."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs.course.blocks import EDGES, FAILED, NOTE, PASSED, UNTRIED, Block, marked_up


def test_block_says_the_same_as_page_and_as_text():
    block = Block(FAILED, "31.1: not yet.", [("Found", "`1`"), ("", "So long.")], code="x < 1\n")
    assert block.plain() == "✗ 31.1: not yet.\nFound: `1`\nSo long.\n\nx < 1"
    words = re.sub(r"<[^>]+>", " ", block.html()).split()
    assert words == ["✗", "31.1:", "not", "yet.", "Found:", "1", "So", "long.", "x", "&lt;", "1"]
    assert 'role="status"' in block.html()


def test_the_mark_is_not_read_out_as_a_sign():
    assert '<span aria-hidden="true">✓</span>' in Block(PASSED, "Passed.").html()


@given(st.text(), st.text(), st.text())
def test_text_cannot_become_markup(headline, line, code):
    tags = set(re.findall(r"<(/?\w+)", Block(NOTE, headline, [("", line)], code).html()))
    assert tags <= {w for t in ("div", "span", "strong", "code", "pre", "br") for w in (t, "/" + t)}


def test_code_does_not_reach_over_a_line_end():
    assert marked_up("a ` b\nc ` d") == "a ` b<br>c ` d"


@pytest.mark.parametrize("mark", [PASSED, FAILED, UNTRIED, NOTE])
def test_the_edge_can_be_seen_on_both_themes(mark):
    """WCAG 2.2 wants 3 to 1 for what is no text, on JupyterLab's white and on its #111111."""
    for background in ("#ffffff", "#111111"):
        lighter, darker = sorted((luminance(EDGES[mark]), luminance(background)), reverse=True)
        assert (lighter + 0.05) / (darker + 0.05) >= 3


def luminance(colour: str) -> float:
    """Relative luminance of "#rrggbb". Source: WCAG 2.2, "relative luminance"."""
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
