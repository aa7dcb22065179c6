"""The rules hold for every lesson, and each rule refuses the lesson that it is there for."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from labs import exercises
from labs.commands.lessons import lessons
from labs.course import quizzes, syllabus
from labs.exercises import Exercise
from tests.notebooks import rules
from tests.notebooks.rules import RULES, Lesson

TITLE = f"""# {syllabus.find("31").title}

{syllabus.badge("31")}

{syllabus.prerequisites("31")}

1. one
2. two
3. three
"""
SET_UP = "import json\n\nfrom labs import cloud\n\naws = cloud.connect(lesson=31)"


def test_lesson_keeps_every_rule(lesson):
    siblings = frozenset(path.name for path in lessons())
    notebook = nbformat.read(lesson, as_version=4)
    number = lesson.name[:2]
    known = Lesson(
        lesson.name,
        notebook,
        siblings,
        exercises.of_lesson(number),
        frozenset(quizzes.of_lesson(number)),
        frozenset(getattr(exercises.lesson(number), "NEEDS", ())),
    )
    found = rules.complaints(known)
    assert not found, "\n".join(found)


@pytest.fixture(params=lessons(), ids=lambda path: path.stem)
def lesson(request):
    return request.param


def good_lesson() -> Lesson:
    """A lesson to which no rule objects."""
    cells = [text(TITLE), code(SET_UP, "state"), text("Guess."), code('predict("31.p", ...)')]
    cells += [text(f"## {section}") for section in rules.SECTIONS]
    cells += [text("## 1. One"), code("made = 1", "state"), code('quiz("31.a")')]
    cells += [text("## 2. Two")]
    cells += [code('catch_up("31.2")'), text("Count."), code("answer = ...", exercise="31.1")]
    cells += [code('check("31.1", answer)'), text("Mend."), code("mend()", exercise="31.2")]
    cells += [code('check("31.2")'), text("See."), code('prediction("31.p")')]
    cells += [text("Words.") for _ in range(10)]
    cells += [text("![a dot](dot.png)"), code("word = 'hello'\nword", "state")]
    cells += [text(f"Words.\n\n{syllabus.links('31')}")]
    for index, cell in enumerate(cells):
        cell.id = f"{cell.cell_type}-{index}"
    kernel = {"name": "python3", "display_name": "Python 3 (ipykernel)"}
    notebook = new_notebook(cells=cells, metadata={"kernelspec": kernel})
    siblings = frozenset({"dot.png", *(path.name for path in lessons())})
    known = (exercise("31.1", "explain"), exercise("31.2", "repair"))
    return Lesson(
        "31_words.ipynb", notebook, siblings, known, frozenset({"31.a"}), frozenset({"31.2"})
    )


def text(source):
    return new_markdown_cell(source)


def code(source, *tags, exercise=""):
    own = {"labs": {"exercise": exercise}} if exercise else {}
    return new_code_cell(source, metadata={"tags": list(tags), **own})


def exercise(exercise_id, kind):
    return Exercise(exercise_id, "count", kind, print, ("a", "b"), "answer = 1")


def with_text(source):
    """Breaks a lesson by what its last text cell but one says."""
    return lambda lesson: lesson.markdown[-2].update(source=source)


def with_code(source, *tags):
    """Breaks a lesson by what its last code cell does."""
    return lambda lesson: lesson.code[-1].update(source=source, metadata={"tags": list(tags)})


def with_title(source):
    return lambda lesson: lesson.markdown[0].update(source=source)


def without_code(beginning):
    """Breaks a lesson by the lack of a cell."""

    def remove(lesson):
        kept = [cell for cell in lesson.notebook.cells if not cell.source.startswith(beginning)]
        lesson.notebook.cells = kept

    return remove


def with_last_cell_untagged(lesson):
    lesson.code[-1].metadata.tags = []
    lesson.notebook.cells.insert(-1, new_code_cell("len(word)", id="later"))


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
    ("ids_are_words", lambda lesson: lesson.code[0].update(id="markdown-0")),
    ("ids_are_words", lambda lesson: lesson.code[1].update(id="1f3a9c70")),
    ("ids_are_words", lambda lesson: lesson.code[1].update(id="The Cell")),
    ("has_title_and_badge", lambda lesson: lesson.markdown[0].update(source="# Title")),
    ("has_title_and_badge", lambda lesson: lesson.notebook.cells.reverse()),
    ("headings_go_down_by_one", with_text("# Another title")),
    ("headings_go_down_by_one", with_text("#### Too deep")),
    ("is_of_readable_size", lambda lesson: lesson.notebook.cells.__delitem__(slice(0, 9))),
    ("code_cells_are_short", with_code("word\n" * 16)),
    (
        "code_cells_are_short",
        lambda lesson: [cell.update(source="w\n" * 6) for cell in lesson.code],
    ),
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
    ("tables_have_headings", with_text("| | here |\n|---|---|\n| a | b |")),
    ("tables_have_headings", with_text("Words.\n\n|here| |\n|:--|--:|\n| a | b |")),
    ("links_lead_somewhere", with_text("[32](32_next.ipynb)")),
    ("has_every_section", lambda lesson: lesson.markdown[2].update(source="## Something else")),
    ("inside_views_are_mock_only", with_code("aws.trace()")),
    ("inside_views_are_mock_only", with_code("with aws.faults('sns', 'deliver'): pass")),
    ("has_objectives", lambda lesson: lesson.markdown[0].update(source="1. one\n2. two")),
    (
        "generated_lines_are_those_of_the_syllabus",
        lambda lesson: lesson.markdown[-1].update(source="the end"),
    ),
    ("generated_lines_are_those_of_the_syllabus", with_title("# Another title")),
    ("generated_lines_are_those_of_the_syllabus", with_title(TITLE.replace("60 min", "6 min"))),
    ("exercises_are_asked_and_checked", without_code('check("31.1"')),
    ("exercises_are_asked_and_checked", without_code("mend()")),
    (
        "exercises_are_of_two_kinds",
        lambda lesson: lesson.exercises[0].__dict__.update(kind="repair"),
    ),
    ("help_is_offered_not_shown", with_code('hint("31.1")')),
    ("help_is_offered_not_shown", with_code('word = 1\nreveal("31.1")')),
    ("predicts_first", without_code("predict(")),
    ("predicts_first", without_code("prediction(")),
    ("questions_exist_and_are_asked", without_code("quiz(")),
    ("questions_exist_and_are_asked", with_code('quiz("31.b")')),
    ("sections_catch_up", without_code("catch_up(")),
    ("sections_catch_up", with_code('catch_up("31.3")')),
    ("then_and_now_is_short", with_text("## Then and now\n" + "| a |\n" * 8)),
    ("tone_is_plain", with_text("This is obviously easy.")),
    ("tone_is_plain", with_text("Done!")),
    ("dollars_are_escaped", with_text("$3 here, $4 there")),
    ("dollars_are_escaped", with_text(r"| \$3 here, \$4 there |")),
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
