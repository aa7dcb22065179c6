"""A learner's copies: new ones come, untouched ones follow the course, work is never lost."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from labs.commands import Problem, lessons, reset
from labs.commands.lessons import Change

NAME = "31_pubsub.ipynb"


def write(path, *sources, outputs=()):
    cells = [new_code_cell(source, id=f"cell{n}") for n, source in enumerate(sources)]
    cells[0].outputs = [new_output("stream", text=text) for text in outputs]
    nbformat.write(new_notebook(cells=cells), path)
    return path


@pytest.fixture
def source(tmp_path):
    (tmp_path / "notebooks").mkdir()
    return write(tmp_path / "notebooks" / NAME, "1 + 1")


@pytest.fixture
def mine(tmp_path):
    return tmp_path / "my course"


def update(source, mine):
    return lessons.bring_up_to_date([source], mine)[NAME]


def set_aside(mine):
    return list(mine.glob("31_pubsub.*.ipynb"))


def test_a_new_lesson_is_copied_once(source, mine):
    assert update(source, mine) is Change.COPIED
    assert (mine / NAME).read_bytes() == source.read_bytes()
    assert update(source, mine) is Change.NOTHING


def test_an_untouched_copy_follows_the_course(source, mine):
    update(source, mine)
    write(source, "1 + 2")
    assert update(source, mine) is Change.REFRESHED
    assert (mine / NAME).read_bytes() == source.read_bytes()


def test_a_copy_that_was_only_run_follows_too_and_its_outputs_are_kept_aside(source, mine):
    update(source, mine)
    write(mine / NAME, "1 + 1", outputs=["2"])
    write(source, "1 + 2")
    assert update(source, mine) is Change.REFRESHED
    [old] = set_aside(mine)
    assert "2" in nbformat.read(old, 4).cells[0].outputs[0].text


def test_an_edited_copy_stays_and_it_is_said_each_time(source, mine):
    update(source, mine)
    edited = write(mine / NAME, "my answer").read_bytes()
    assert update(source, mine) is Change.NOTHING, "the course has nothing newer"
    write(source, "1 + 2")
    for _ in range(2):
        assert update(source, mine) is Change.KEPT
        assert (mine / NAME).read_bytes() == edited


def test_a_copy_of_unknown_origin_counts_as_edited(source, mine):
    update(source, mine)
    (mine / lessons.ORIGINS).unlink()
    write(source, "1 + 2")
    assert update(source, mine) is Change.KEPT


@pytest.mark.parametrize("damage", ["", "{", "[]", "null", '{"cells": [{}]}'])
def test_a_damaged_copy_is_left_alone(damage, source, mine):
    update(source, mine)
    (mine / NAME).write_text(damage)
    write(source, "1 + 2")
    assert update(source, mine) is Change.KEPT
    assert (mine / NAME).read_text() == damage


def test_a_damaged_list_of_origins_loses_no_work(source, mine):
    update(source, mine)
    (mine / lessons.ORIGINS).write_text("[1, 2")
    write(mine / NAME, "my answer")
    assert update(source, mine) is Change.KEPT


def test_reset_keeps_the_old_copy_beside_the_fresh_one(source, mine):
    update(source, mine)
    edited = write(mine / NAME, "my answer").read_bytes()
    first = lessons.reset(source, mine)
    second = lessons.reset(source, mine)
    assert first != second
    assert first.read_bytes() == edited
    assert (mine / NAME).read_bytes() == source.read_bytes()


def test_a_reset_lesson_follows_the_course_again(source, mine):
    update(source, mine)
    write(mine / NAME, "my answer")
    write(source, "1 + 2")
    lessons.reset(source, mine)
    write(source, "1 + 3")
    assert update(source, mine) is Change.REFRESHED


def test_a_read_only_original_makes_a_copy_that_can_be_written(source, mine):
    source.chmod(0o444)
    update(source, mine)
    assert (mine / NAME).stat().st_mode & 0o200


@pytest.mark.parametrize(
    "name", ["31", "31_pubsub", "31_pubsub.ipynb", "notebooks/31_pubsub.ipynb"]
)
def test_a_lesson_is_found_by_number_name_or_path(name, source):
    assert lessons.find([name], [source]) == [source]


def test_all_lessons_when_none_is_asked_for(source):
    assert lessons.find([], [source]) == [source]


def test_an_unknown_lesson_is_answered_with_the_list(source):
    with pytest.raises(Problem, match=r"'99'(.|\n)*31  31_pubsub"):
        lessons.find(["31", "99"], [source])


def test_the_course_is_in_the_order_of_its_numbers(tmp_path, source):
    for name in ("42_b.ipynb", "00_a.ipynb", "notes.ipynb"):
        source.with_name(name).touch()
    assert [path.name for path in lessons.lessons(tmp_path)] == ["00_a.ipynb", NAME, "42_b.ipynb"]


def test_reset_says_where_the_old_one_is(source, mine, monkeypatch, capsys):
    monkeypatch.setattr(reset, "personal_folder", lambda: mine)
    monkeypatch.setattr(reset.lessons, "lessons", lambda: [source])
    for _ in range(2):
        assert reset.run(reset.parse(["31"])) == 0
    [old] = set_aside(mine)
    assert old.name in capsys.readouterr().out
