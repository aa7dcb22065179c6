"""Tables for people: whole, and readable by ear."""

import re

import pytest

from labs.loadbalancing import tables

LONG = "a rule " * 20
TABLE = tables.table([("10", LONG), ("20", "<b>")], ["priority", "when"])


def test_every_column_has_a_heading():
    headings = re.findall(r"<th[^>]*>(.*?)</th>", TABLE._repr_html_())
    assert headings == ["priority", "when"]


def test_long_texts_are_whole_and_markup_is_text():
    page = TABLE._repr_html_()
    assert LONG.strip() in page
    assert "&lt;b&gt;" in page
    assert LONG.strip() in repr(TABLE)


def test_a_row_of_another_length_is_refused():
    with pytest.raises(ValueError, match="columns"):
        tables.table([("10",)], ["priority", "when"])
