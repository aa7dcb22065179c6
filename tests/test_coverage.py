"""`data/coverage.csv` says in which cell each item of the articles is; here, that this is true."""

import csv
import json
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from labs.commands.folders import checkout
from labs.commands.lessons import lessons, number

COLUMNS = ["item", "lesson", "cell", "how"]
#: What the course covers so far: the articles on load balancers and on pub/sub.
ITEMS = {f"A1-{index:02}" for index in range(1, 28)} | {f"A3-{index:02}" for index in range(1, 25)}
#: How a cell covers an item: it tells it, runs it, asks for it, or tests understanding of it.
HOW = {"told", "run", "exercise", "quiz"}


def read(path: Path) -> list[dict[str, str]]:
    """The rows of the table, by column."""
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


@cache
def kinds_of_cells(path: Path) -> dict[str, str]:
    """Cell id -> "markdown", or "code"; "exercise" or "quiz" for code that is one."""
    kinds = {}
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        kind = cell["cell_type"]
        if "".join(cell["source"]).startswith("quiz("):
            kind = "quiz"
        if "exercise" in cell["metadata"].get("labs", {}):
            kind = "exercise"
        kinds[cell["id"]] = kind
    return kinds


def complaints(rows: list[dict[str, str]], notebooks: dict[str, dict[str, str]]) -> list[str]:
    """What is wrong with the table.

    notebooks: lesson number -> kinds of its cells, by id.
    """
    found = []
    for row in rows:
        where = f"{row['item']}: lesson {row['lesson']}, cell {row['cell']}"
        kind = notebooks.get(row["lesson"], {}).get(row["cell"])
        if row["lesson"] not in notebooks:
            found.append(f"{where}: there is no such lesson")
        elif kind is None:
            found.append(f"{where}: there is no such cell")
        elif row["how"] not in HOW:
            found.append(f"{where}: {row['how']!r} is none of {', '.join(sorted(HOW))}")
        elif {"told": "markdown", "run": "code"}.get(row["how"], row["how"]) != kind:
            found.append(f"{where}: a {kind} cell, and the table says {row['how']}")
    times = Counter((row["item"], row["lesson"], row["cell"]) for row in rows)
    found += [f"{' '.join(entry)}: {number} times" for entry, number in times.items() if number > 1]
    named = {row["item"] for row in rows}
    found += [f"{item}: in no cell" for item in sorted(ITEMS - named)]
    found += [f"{item}: no item of the checklist" for item in sorted(named - ITEMS)]
    return found


def test_every_item_is_in_a_cell_that_exists():
    rows = read(checkout() / "data" / "coverage.csv")
    assert list(rows[0]) == COLUMNS
    found = complaints(rows, {number(path): kinds_of_cells(path) for path in lessons()})
    assert not found, "\n".join(found)


GOOD = [{"item": item, "lesson": "31", "cell": "text", "how": "told"} for item in sorted(ITEMS)]
NOTEBOOKS = {"31": {"text": "markdown", "call": "code", "answer": "exercise", "ask": "quiz"}}


def test_a_good_table_has_no_complaint():
    more = [
        {"item": "A3-01", "lesson": "31", "cell": cell, "how": how}
        for cell, how in (("call", "run"), ("answer", "exercise"), ("ask", "quiz"))
    ]
    assert complaints(GOOD + more, NOTEBOOKS) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"cell": "gone"}, "there is no such cell"),
        ({"lesson": "99"}, "there is no such lesson"),
        ({"how": "somehow"}, "'somehow' is none of exercise, quiz, run, told"),
        ({"how": "run"}, "a markdown cell, and the table says run"),
        ({"item": "A3-25"}, "no item of the checklist"),
        ({"item": "A3-25"}, "A1-01: in no cell"),
        ({"item": "A1-02"}, "A1-02 31 text: 2 times"),
    ],
)
def test_a_bad_row_is_named(change, said):
    rows = [GOOD[0] | change, *GOOD[1:]]
    assert any(said in complaint for complaint in complaints(rows, NOTEBOOKS))
