"""A figure reaches everybody: as a picture, and in words."""

import base64
import struct

import pytest
from matplotlib.figure import Figure

from labs.course import figures


def test_bundle_has_picture_and_words():
    data, metadata = figures.bundle(Figure(figsize=(2, 1)), alt="Two bars: 3 and 5.")
    png = base64.b64decode(data["image/png"])
    width, height = struct.unpack(">II", png[16:24])
    assert (width, height) == (2 * figures.DOTS_PER_INCH, figures.DOTS_PER_INCH)
    assert metadata["image/png"] == {"alt": "Two bars: 3 and 5.", "width": 192}
    assert data["text/plain"] == "Two bars: 3 and 5."
    assert 'alt="Two bars: 3 and 5."' in data["text/html"]


def test_words_cannot_break_the_page():
    data, _ = figures.bundle(Figure(), alt='a "quoted" <b>', caption="3 < 5 & 7")
    assert 'alt="a &quot;quoted&quot; &lt;b&gt;"' in data["text/html"]
    assert "<figcaption>3 &lt; 5 &amp; 7</figcaption>" in data["text/html"]


@pytest.mark.parametrize("alt", ["", "  \n"])
def test_figure_without_words_is_refused(alt):
    with pytest.raises(ValueError, match="alt text"):
        figures.bundle(Figure(), alt=alt)


def test_text_has_contrast_on_its_own_surface():
    """WCAG 2.2 wants 4.5 to 1; the surface is opaque, so no theme changes it."""
    for colour in (figures.INK, figures.GREY, figures.BLUE, figures.ORANGE):
        lighter, darker = luminance(figures.PAPER), luminance(colour)
        assert (lighter + 0.05) / (darker + 0.05) >= 4.5


def luminance(colour: str) -> float:
    """Relative luminance of "#rrggbb". Source: WCAG 2.2, "relative luminance"."""
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_a_live_figure_changes_in_its_place(monkeypatch):
    """One display, then updates of it; each with its words."""
    sent = []

    class Handle:
        def display(self, data, metadata, raw):
            sent.append(("display", data["text/plain"], metadata["image/png"]["alt"]))

        def update(self, data, metadata, raw):
            sent.append(("update", data["text/plain"], metadata["image/png"]["alt"]))

    monkeypatch.setattr(figures, "DisplayHandle", Handle)
    with figures.live() as screen:
        for number in range(3):
            screen.show(Figure(figsize=(1, 1)), alt=f"{number} messages")
    assert sent == [
        ("display", "0 messages", "0 messages"),
        ("update", "1 messages", "1 messages"),
        ("update", "2 messages", "2 messages"),
    ]


def test_a_live_figure_without_words_is_refused():
    with figures.live() as screen, pytest.raises(ValueError, match="alt text"):
        screen.show(Figure(), alt="")
