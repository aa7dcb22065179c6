"""The rules hold for every lesson, and each rule refuses the lesson that it is there for."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from labs.commands.lessons import lessons
from tests.notebooks import rules
from tests.notebooks.rules import RULES, Lesson

TITLE = "# Count words\n\n*mock | live · 30 min core, 60 min all*"
SECTIONS = [f"## {section}" for section in rules.SECTIONS]
SET_UP = "import json\n\nfrom labs import cloud\n\naws = cloud.connect(lesson=31)"


def test_lesson_keeps_every_rule(lesson):
    siblings = frozenset(path.name for path in lessons())
    notebook = nbformat.read(lesson, as_version=4)
    assert rules.complaints(Lesson(lesson.name, notebook, siblings)) == []


@pytest.fixture(params=lessons(), ids=lambda path: path.stem)
def lesson(request):
    return request.param


def good_lesson() -> Lesson:
    """A lesson of 30 cells to which no rule objects."""
    texts = [TITLE, *SECTIONS, "See [00](00_start.ipynb). ![a dot](dot.png)", *["Words."] * 19]
    cells = [new_markdown_cell(text, id=f"text-{index}") for index, text in enumerate(texts)]
    code = [SET_UP, "word = 'hello'\nword"]
    for index, source in enumerate(code):
        cell = new_code_cell(source, id=f"code-{index}", metadata={"tags": ["state"]})
        cells.insert(2 + 2 * index, cell)
    kernel = {"name": "python3", "display_name": "Python 3 (ipykernel)"}
    notebook = new_notebook(cells=cells, metadata={"kernelspec": kernel})
    return Lesson("31_words.ipynb", notebook, frozenset({"00_start.ipynb", "dot.png"}))


def with_text(source):
    """Breaks a lesson by what its last text cell says."""
    return lambda lesson: lesson.markdown[-1].update(source=source)


def with_code(source, *tags):
    """Breaks a lesson by what its last code cell does."""
    return lambda lesson: lesson.code[-1].update(source=source, metadata={"tags": list(tags)})


def with_last_cell_untagged(lesson):
    lesson.code[-1].metadata.tags = []
    lesson.notebook.cells.append(new_code_cell("len(word)", id="later"))


def with_code_cells(number):
    def add(lesson):
        new = [new_code_cell("word", id=f"new-{index}") for index in range(number)]
        lesson.notebook.cells[10:10] = new

    return add


BROKEN = [
    ("is_stored_clean", lambda lesson: lesson.code[0].outputs.append(new_output("stream"))),
    ("is_stored_clean", lambda lesson: lesson.code[0].update(execution_count=3)),
    ("is_stored_clean", lambda lesson: lesson.notebook.update(nbformat_minor=4)),
    ("is_stored_clean", lambda lesson: lesson.notebook.metadata.kernelspec.update(name="mine")),
    ("ids_are_words", lambda lesson: lesson.code[0].update(id="text-0")),
    ("ids_are_words", lambda lesson: lesson.code[1].update(id="1f3a9c70")),
    ("ids_are_words", lambda lesson: lesson.code[1].update(id="The Cell")),
    ("has_title_and_badge", lambda lesson: lesson.markdown[0].update(source="# Title")),
    ("has_title_and_badge", lambda lesson: lesson.notebook.cells.reverse()),
    ("headings_go_down_by_one", with_text("# Another title")),
    ("headings_go_down_by_one", with_text("#### Too deep")),
    ("is_of_readable_size", lambda lesson: lesson.notebook.cells.pop()),
    ("code_cells_are_short", with_code("word\n" * 16)),
    ("code_cells_are_short", with_code("word\n" * 6)),
    ("markdown_cells_are_short", with_text("word " * 121)),
    ("text_leads_code", with_code_cells(4)),
    ("text_leads_code", lambda lesson: [with_code_cells(1)(lesson) for _ in range(28)]),
    ("tags_are_known", with_code("1", "moter")),
    ("motors_are_tagged", with_code("requests.post(url)")),
    ("motors_are_tagged", with_code("log('name')")),
    ("motors_are_tagged", with_code("!curl -s {url}")),
    ("state_is_tagged", with_last_cell_untagged),
    ("code_parses", with_code("def f(:")),
    ("code_parses", with_code("%%writefile f.py\ndef f(:")),
    ("sets_up_once", with_code("aws = cloud.connect(lesson=31)")),
    ("sets_up_once", lambda lesson: lesson.code[0].update(source=SET_UP.replace("31", "32"))),
    ("sets_up_once", lambda lesson: lesson.code[0].update(source=f"import requests\n{SET_UP}")),
    ("mode_is_not_asked", with_code("aws.mode == 'live'")),
    ("run_all_destroys_nothing", with_code("aws.cleanup(confirm=True)")),
    ("nothing_sleeps", with_code("import time\ntime.sleep(3)")),
    ("nothing_sleeps", with_code("while True:\n    sleep(1)\n    break\nsleep(2)")),
    ("stubs_do_not_raise", with_code("raise NotImplementedError")),
    ("images_have_alt_text", with_text("![](dot.png)")),
    ("images_have_alt_text", with_text('<img src="dot.png">')),
    ("links_lead_somewhere", with_text("[32](32_next.ipynb)")),
    ("has_every_section", lambda lesson: lesson.markdown[1].update(source="## Something else")),
    ("then_and_now_is_short", with_text("## Then and now\n" + "| a |\n" * 8)),
    ("tone_is_plain", with_text("This is obviously easy.")),
    ("tone_is_plain", with_text("Done!")),
    ("dollars_are_escaped", with_text("$3 here, $4 there")),
    ("names_no_machine", with_text("Look into /home/ada.")),
]


def test_good_lesson_has_no_complaint():
    assert rules.complaints(good_lesson()) == []


@pytest.mark.parametrize(("rule", "break_it"), BROKEN)
def test_rule_refuses(rule, break_it):
    lesson = good_lesson()
    break_it(lesson)
    assert list(getattr(rules, rule)(lesson))


def test_each_rule_has_a_lesson_that_it_refuses():
    assert {rule for rule, _ in BROKEN} == {rule.__name__ for rule in RULES}


def test_polling_and_words_in_code_are_welcome():
    lesson = good_lesson()
    with_code("import time\nwhile not word:\n    time.sleep(0.1)")(lesson)
    with_text("The option is called `just`! in code only: `x != y`".replace("!", "", 1))(lesson)
    assert rules.complaints(lesson) == []


def test_escaped_dollars_are_welcome():
    lesson = good_lesson()
    with_text(r"It costs \$3.50.")(lesson)
    assert rules.complaints(lesson) == []


def test_front_door_needs_no_skeleton():
    notebook = new_notebook(cells=[new_markdown_cell("# Start", id="title")])
    lesson = Lesson("00_start.ipynb", notebook)
    assert not list(rules.has_every_section(lesson))
    assert not list(rules.is_of_readable_size(lesson))
