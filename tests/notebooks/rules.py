"""What a machine can check of the anatomy of a lesson (design, section 3).

Each rule is a pure function from a lesson to complaints, sentences that name the cell and say what
was found. A rule is here because a learner, a screen reader or a later tool stumbles without it.
"""

import ast
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby, pairwise, takewhile
from statistics import median

import nbformat
from IPython.core.inputtransformer2 import TransformerManager
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell

from labs.course import syllabus
from labs.exercises import KINDS, Exercise
from tests.notebooks.passes import exercise_of, tags

MOST_LINES, MEDIAN_LINES = 15, 4  # of a code cell, blank ones not counted
MOST_WORDS = 120  # of a markdown cell
CELLS = range(30, 61)
MOST_ROWS_THEN_AND_NOW = 5
OBJECTIVES = range(3, 6)
TAGS = {"motor", "state", "mock-only", "local"}
#: Front door, capstone and the two that collect results: no lessons with a skeleton.
WITHOUT_SKELETON = {"00", "51", "90", "91"}
SECTIONS = (
    "Set up",
    "Experiment",
    "Then and now",
    "In practice",
    "Clean up",
    "Take-aways",
    "Further reading",
)
BADGE = re.compile(r"^\*(local|mock|live)( \| (local|mock|live))* · [^*]*\bmin\b[^*]*\*$", re.M)
UNWELCOME = re.compile(
    r"\b(simply|just|obviously|of course|easily|powerful|seamless(ly)?|coming soon)\b|!(?!\[)", re.I
)
NEEDS_MOTOR = re.compile(r"\.invoke\(|\brequests\.\w+\(|\bslack\.post\(|^log\(|^!curl\b", re.M)


@dataclass(frozen=True)
class Lesson:
    """A notebook, its file name, and what it may refer to.

    siblings:  file names that its links may name.
    exercises: those of its module. quizzes: ids of its questions.
    needs:     ids of the sections for which the module says what they need.
    """

    name: str
    notebook: NotebookNode
    siblings: frozenset[str] = frozenset()
    exercises: tuple[Exercise, ...] = ()
    quizzes: frozenset[str] = frozenset()
    needs: frozenset[str] = frozenset()

    @property
    def number(self) -> str:
        return self.name[:2]

    @property
    def has_skeleton(self) -> bool:
        return self.number not in WITHOUT_SKELETON

    @property
    def code(self) -> list[NotebookNode]:
        return [cell for cell in self.notebook.cells if cell.cell_type == "code"]

    @property
    def markdown(self) -> list[NotebookNode]:
        return [cell for cell in self.notebook.cells if cell.cell_type == "markdown"]


Rule = Callable[[Lesson], Iterable[str]]


def is_stored_clean(lesson: Lesson) -> Iterator[str]:
    """Format 4.5 for the kernel of the course, without outputs: diffs show what changed."""
    try:
        nbformat.validate(lesson.notebook)
    except nbformat.ValidationError as error:
        yield f"not valid: {error.message}"
    if (lesson.notebook.nbformat, lesson.notebook.nbformat_minor) != (4, 5):
        yield "not in format 4.5"
    kernel = lesson.notebook.metadata.get("kernelspec", {}).get("name")
    if kernel != "python3":
        yield f"kernel is {kernel}, not python3"
    for cell in lesson.code:
        if cell.outputs or cell.execution_count is not None:
            yield f"{cell.id}: has outputs or a count"


def ids_are_words(lesson: Lesson) -> Iterator[str]:
    """Ids that somebody chose: tests, progress and links refer to them."""
    times = Counter(cell.id for cell in lesson.notebook.cells)
    for cell in lesson.notebook.cells:
        if times[cell.id] > 1:
            yield f"{cell.id}: the id of {times[cell.id]} cells"
        words = re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", cell.id)
        if not words or re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4})*.*", cell.id):
            yield f"{cell.id}: the id is not words joined by dashes"


def has_title_and_badge(lesson: Lesson) -> Iterator[str]:
    """The first cell has the only H1 and says mode and minutes."""
    first = lesson.notebook.cells[0]
    if first.cell_type != "markdown" or not first.source.startswith("# "):
        yield f"{first.id}: the first cell is no title"
    elif not BADGE.search(first.source):
        yield f"{first.id}: no badge such as *mock | live · 30 min core, 60 min all*"


def headings_go_down_by_one(lesson: Lesson) -> Iterator[str]:
    """One H1, and no level left out: screen readers jump from heading to heading."""
    levels = [(cell.id, level) for cell in lesson.markdown for level, _ in headings(cell.source)]
    if sum(level == 1 for _, level in levels) != 1:
        yield "not exactly one H1"
    for (_, before), (cell_id, level) in pairwise(levels):
        if level > before + 1:
            yield f"{cell_id}: H{level} after H{before}"


def is_of_readable_size(lesson: Lesson) -> Iterator[str]:
    """As many cells as fit into the time of a lesson."""
    if lesson.has_skeleton and len(lesson.notebook.cells) not in CELLS:
        found = len(lesson.notebook.cells)
        yield f"{found} cells, not {CELLS.start} to {CELLS.stop - 1}"


def code_cells_are_short(lesson: Lesson) -> Iterator[str]:
    """One thing to look at in a cell."""
    lines = {cell.id: count_lines(cell.source) for cell in lesson.code}
    for cell_id, number in lines.items():
        if number > MOST_LINES:
            yield f"{cell_id}: {number} lines, not {MOST_LINES}"
    if lines and median(lines.values()) > MEDIAN_LINES:
        yield f"median of {median(lines.values())} lines, not {MEDIAN_LINES}"


def markdown_cells_are_short(lesson: Lesson) -> Iterator[str]:
    """What one reads before the next thing happens."""
    for cell in lesson.markdown:
        words = re.findall(r"\w[\w'’.,/-]*", cell.source)
        if len(words) > MOST_WORDS:
            yield f"{cell.id}: {len(words)} words, not {MOST_WORDS}"


def text_leads_code(lesson: Lesson) -> Iterator[str]:
    """At least as many text cells as code cells, and never four code cells in a row."""
    if len(lesson.markdown) < len(lesson.code):
        yield f"{len(lesson.markdown)} text cells for {len(lesson.code)} code cells"
    for kind, run in groupby(lesson.notebook.cells, key=lambda cell: cell.cell_type):
        cells = list(run)
        if kind == "code" and len(cells) > 3:
            yield f"{cells[0].id}: {len(cells)} code cells in a row"


def tags_are_known(lesson: Lesson) -> Iterator[str]:
    """A misspelt tag would run, or not run, a cell where it should not."""
    for cell in lesson.notebook.cells:
        for tag in set(cell.metadata.get("tags", [])) - TAGS:
            yield f"{cell.id}: unknown tag {tag!r}"


def motors_are_tagged(lesson: Lesson) -> Iterator[str]:
    """A cell that needs a function to run, or a URL to answer, says so: plain moto has neither."""
    for cell in lesson.code:
        if NEEDS_MOTOR.search(cell.source) and "motor" not in tags(cell):
            yield f"{cell.id}: needs a motor and has no tag `motor`"


def state_is_tagged(lesson: Lesson) -> Iterator[str]:
    """What later cells use is made in cells tagged `state`, which catching up runs again."""
    trees = [(cell, parsed(cell.source)) for cell in lesson.code]
    for index, (cell, tree) in enumerate(trees):
        if "state" in tags(cell) or exercise_of(cell) or tree is None:
            continue  # an exercise's solution runs when one catches up
        later = [other for _, other in trees[index + 1 :] if other is not None]
        kept = made_by(tree) & set().union(*map(needed_by, later)) if later else set()
        for name in sorted(kept):
            yield f"{cell.id}: later cells use {name}, and the cell has no tag `state`"


def inside_views_are_mock_only(lesson: Lesson) -> Iterator[str]:
    """AWS cannot be told to fail, nor be looked into."""
    for cell in lesson.code:
        if re.search(r"\baws\.(trace|faults)\b", cell.source) and "mock-only" not in tags(cell):
            yield f"{cell.id}: looks inside the mock and has no tag `mock-only`"


def code_parses(lesson: Lesson) -> Iterator[str]:
    """Syntax errors, in the files that cells write, too."""
    for cell in lesson.code:
        if parsed(cell.source) is None:
            yield f"{cell.id}: does not parse"


def sets_up_once(lesson: Lesson) -> Iterator[str]:
    """The first code cell connects for this lesson; nothing foreign is imported before labs.cloud.

    Other libraries read endpoint and certificates when they are imported or first used.
    """
    first = lesson.code[0]
    for module in imported_before_cloud(parsed(first.source) or ast.Module([], [])):
        yield f"{first.id}: imports {module} before labs.cloud"
    connects = [cell.id for cell in lesson.code if "cloud.connect(" in cell.source]
    if connects != [first.id] or f"lesson={int(lesson.number)})" not in first.source:
        yield f"cloud.connect(lesson={int(lesson.number)}) is not in the first code cell alone"


def mode_is_not_asked(lesson: Lesson) -> Iterator[str]:
    """What differs between mock and account lies below the AWS API, never in a cell."""
    for cell in lesson.code:
        if re.search(r"\baws\.mode\b|LABS_MODE|\bif live\b", cell.source):
            yield f"{cell.id}: asks for the mode"


def run_all_destroys_nothing(lesson: Lesson) -> Iterator[str]:
    """Deleting is typed by the learner."""
    for cell in lesson.code:
        if "confirm=True" in cell.source:
            yield f"{cell.id}: confirms a deletion"


def nothing_sleeps(lesson: Lesson) -> Iterator[str]:
    """Late effects are polled for: a sleep outside a loop is too long here and too short there."""
    for cell in lesson.code:
        tree = parsed(cell.source)
        loops = [node for node in ast.walk(tree or ast.Pass()) if isinstance(node, ast.While)]
        inside = sum(ast.unparse(loop).count("sleep(") for loop in loops)
        if tree and ast.unparse(tree).count("sleep(") > inside:
            yield f"{cell.id}: sleeps outside a polling loop"


def stubs_do_not_raise(lesson: Lesson) -> Iterator[str]:
    """The notebook runs to its end without an answer."""
    for cell in lesson.code:
        if "NotImplementedError" in cell.source:
            yield f"{cell.id}: raises NotImplementedError"


def images_have_alt_text(lesson: Lesson) -> Iterator[str]:
    """Words for who does not see the picture."""
    for cell in lesson.markdown:
        no_alt = re.search(r"!\[\s*\]\(|<img(?![^>]*\balt=\"[^\"]+\")", cell.source)
        if no_alt:
            yield f"{cell.id}: an image without alt text"


def tables_have_headings(lesson: Lesson) -> Iterator[str]:
    """A screen reader says a column's heading with each cell: an empty one says nothing."""
    for cell in lesson.markdown:
        for heading in re.findall(r"^(\|.*)\n\|[ :|-]+$", cell.source, re.M):
            if any(not name.strip() for name in heading.strip().strip("|").split("|")):
                yield f"{cell.id}: a column without a heading in {heading}"


def links_lead_somewhere(lesson: Lesson) -> Iterator[str]:
    """Links between lessons are file names, of lessons that exist."""
    for cell in lesson.markdown:
        for target in re.findall(r"\]\(([^)#]+)", cell.source):
            if "://" not in target and target not in lesson.siblings:
                yield f"{cell.id}: there is no {target}"


def has_every_section(lesson: Lesson) -> Iterator[str]:
    """The skeleton that all lessons share."""
    found = [text for cell in lesson.markdown for _, text in headings(cell.source)]
    for section in SECTIONS if lesson.has_skeleton else ():
        if not any(text.startswith(section) for text in found):
            yield f"no section {section!r}"


def then_and_now_is_short(lesson: Lesson) -> Iterator[str]:
    """At most five rows that change what one would do."""
    for cell in lesson.markdown:
        if any(text == "Then and now" for _, text in headings(cell.source)):
            rows = len(re.findall(r"^\|", cell.source, re.M)) - 2
            if rows > MOST_ROWS_THEN_AND_NOW:
                yield f"{cell.id}: {rows} rows, not {MOST_ROWS_THEN_AND_NOW}"


def has_objectives(lesson: Lesson) -> Iterator[str]:
    """Three to five, numbered, before anything runs."""
    before = takewhile(lambda cell: cell.cell_type == "markdown", lesson.notebook.cells)
    found = sum(len(re.findall(r"^\d\. ", cell.source, re.M)) for cell in before)
    if lesson.has_skeleton and found not in OBJECTIVES:
        yield f"{found} numbered objectives before the set-up cell, not 3 to 5"


def generated_lines_are_those_of_the_syllabus(lesson: Lesson) -> Iterator[str]:
    """Title, badge, prerequisites and links have one source."""
    first, last = lesson.notebook.cells[0], lesson.notebook.cells[-1]
    wanted = [
        (first, f"# {syllabus.find(lesson.number).title}\n"),
        (first, syllabus.badge(lesson.number)),
        (first, syllabus.prerequisites(lesson.number)),
        (last, syllabus.links(lesson.number)),
    ]
    for cell, line in wanted:
        if line not in cell.source + "\n":
            yield f"{cell.id}: paste this from labs.course.syllabus: {line}"


def exercises_are_asked_and_checked(lesson: Lesson) -> Iterator[str]:
    """Each exercise of the module has one cell, and the cell right below checks it."""
    cells = lesson.notebook.cells
    asked = [exercise_of(cell) for cell in cells if exercise_of(cell)]
    there = [exercise.id for exercise in lesson.exercises]
    if asked != there:
        yield f"cells for the exercises {asked}, and labs.exercises has {there}"
    for cell, below in pairwise([*cells, new_markdown_cell("", id="end")]):
        exercise_id = exercise_of(cell)
        if exercise_id and not re.match(rf"check\(.{re.escape(exercise_id)}.[,)]", below.source):
            yield f'{cell.id}: the cell below it does not begin with check("{exercise_id}"'


def exercises_are_of_two_kinds(lesson: Lesson) -> Iterator[str]:
    """Explaining, repairing and building are learnt apart."""
    kinds = {exercise.kind for exercise in lesson.exercises}
    if lesson.has_skeleton and len(kinds) < 2:
        yield f"exercises of the kinds {sorted(kinds)}, not two of {', '.join(KINDS)}"


def help_is_offered_not_shown(lesson: Lesson) -> Iterator[str]:
    """Hints and solutions come after a failed check, when asked for; the front door shows how."""
    for cell in lesson.code:
        if lesson.has_skeleton and re.search(r"^(hint|reveal|unlock)\(", cell.source, re.M):
            yield f"{cell.id}: shows help unasked"


def predicts_first(lesson: Lesson) -> Iterator[str]:
    """A guess before anything runs but the set-up cell, and again beside the result."""
    guesses = re.compile(r"^predict\([\"'](\d\d\.\w+)[\"']", re.M)
    made = [
        (index, found[1])
        for index, cell in enumerate(lesson.code)
        if (found := guesses.search(cell.source))
    ]
    if lesson.has_skeleton and (not made or made[0][0] != 1):
        yield "the code cell after the set-up cell is no predict(...)"
    for index, guess in made:
        later = "\n".join(cell.source for cell in lesson.code[index + 1 :])
        if not re.search(rf"^prediction\(.{re.escape(guess)}.", later, re.M):
            yield f'{lesson.code[index].id}: no prediction("{guess}") comes after it'


def questions_exist_and_are_asked(lesson: Lesson) -> Iterator[str]:
    """Each quiz cell has its question in data/quizzes, and each question its cell."""
    found = [re.findall(r"^quiz\([\"']([\w.]+)[\"']\)", cell.source, re.M) for cell in lesson.code]
    asked = {quiz_id for ids in found for quiz_id in ids}
    if asked != lesson.quizzes:
        yield f"asks {sorted(asked)}, and data/quizzes has {sorted(lesson.quizzes)}"
    if lesson.has_skeleton and not asked:
        yield "no quiz"


def sections_catch_up(lesson: Lesson) -> Iterator[str]:
    """A numbered section above which something is made, or asked, begins by catching up."""
    section, is_made = "", False
    for cell in lesson.notebook.cells:
        if cell.cell_type == "markdown":
            numbers = re.findall(r"^## (\d)\. ", cell.source, re.M)
            section = numbers[-1] if numbers else section
            continue
        call = f'catch_up("{lesson.number}.{section}")'
        if section and is_made and cell.source.strip() != call:
            yield f"{cell.id}: the first code of section {section} is not {call} alone"
        section = ""
        sets_up = "cloud.connect(" in cell.source
        is_made = is_made or bool(exercise_of(cell)) or ("state" in tags(cell) and not sets_up)
    for cell in lesson.code:
        for section_id in re.findall(r"^catch_up\([\"'](\d\d\.\w+)[\"']", cell.source, re.M):
            if section_id not in lesson.needs:
                yield f"{cell.id}: NEEDS in labs.exercises says nothing of {section_id}"


def tone_is_plain(lesson: Lesson) -> Iterator[str]:
    """No word that calls easy what is hard, no exclamation."""
    for cell in lesson.markdown:
        prose = re.sub(r"```.*?```|`[^`]*`", "", cell.source, flags=re.S)
        for found in UNWELCOME.finditer(prose):
            yield f"{cell.id}: says {found[0]!r}"


def dollars_are_escaped(lesson: Lesson) -> Iterator[str]:
    """JupyterLab sets what stands between two bare dollars as a formula, in tables any two."""
    for cell in lesson.markdown:
        prose = re.sub(r"```.*?```|`[^`]*`", "", cell.source, flags=re.S)
        if re.search(r"(?<!\\)\$\d", prose):
            yield f"{cell.id}: an amount of money without a backslash before the dollar"
        if re.search(r"^\|.*\$.*\$", prose, flags=re.M):
            yield f"{cell.id}: two dollars in a row of a table; write USD"


def names_no_machine(lesson: Lesson) -> Iterator[str]:
    """No path of the author's machine."""
    for cell in lesson.notebook.cells:
        if found := re.search(r"(?<![\w.])/(work|home|Users|root)/|\b[A-Z]:\\", cell.source):
            yield f"{cell.id}: names the path {found[0]}"


RULES: tuple[Rule, ...] = (
    is_stored_clean,
    ids_are_words,
    has_title_and_badge,
    headings_go_down_by_one,
    is_of_readable_size,
    code_cells_are_short,
    markdown_cells_are_short,
    text_leads_code,
    tags_are_known,
    motors_are_tagged,
    state_is_tagged,
    inside_views_are_mock_only,
    code_parses,
    sets_up_once,
    mode_is_not_asked,
    run_all_destroys_nothing,
    nothing_sleeps,
    stubs_do_not_raise,
    images_have_alt_text,
    tables_have_headings,
    links_lead_somewhere,
    has_every_section,
    then_and_now_is_short,
    has_objectives,
    generated_lines_are_those_of_the_syllabus,
    exercises_are_asked_and_checked,
    exercises_are_of_two_kinds,
    help_is_offered_not_shown,
    predicts_first,
    questions_exist_and_are_asked,
    sections_catch_up,
    tone_is_plain,
    dollars_are_escaped,
    names_no_machine,
)


def complaints(lesson: Lesson) -> list[str]:
    """What all rules say about a lesson."""
    return [f"{rule.__name__}: {found}" for rule in RULES for found in rule(lesson)]


def count_lines(source: str) -> int:
    """Lines that are not blank."""
    return sum(bool(line.strip()) for line in source.splitlines())


def headings(source: str) -> list[tuple[int, str]]:
    """(level, text) of each heading outside code blocks."""
    prose = re.sub(r"```.*?```", "", source, flags=re.S)
    return [(len(marks), text) for marks, text in re.findall(r"^(#+) +(.+?) *$", prose, re.M)]


def parsed(source: str) -> ast.Module | None:
    """The cell as Python, with magics as calls; None if it is broken.

    A cell that writes a Python file is empty for the kernel, and broken if the file is.
    """
    first, _, body = source.partition("\n")
    writes_python = first.startswith("%%writefile") and first.endswith(".py")
    try:
        if writes_python:
            ast.parse(body)
        return ast.parse(TransformerManager().transform_cell(source))
    except SyntaxError:
        return None


def made_by(tree: ast.Module) -> set[str]:
    """Names that a cell leaves behind."""
    made: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            made.add(node.name)
            continue
        for inner in ast.walk(node):
            if isinstance(inner, ast.alias):
                made.add((inner.asname or inner.name).partition(".")[0])
            elif isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store):
                made.add(inner.id)
    return made - comprehension_names(tree)


def needed_by(tree: ast.Module) -> set[str]:
    """Names that a cell reads before it has made them itself, roughly: all that it only reads."""
    read = {
        node.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    }
    return read - made_by(tree) - comprehension_names(tree)


def comprehension_names(tree: ast.AST) -> set[str]:
    """Names bound by comprehensions, which do not outlive them."""
    targets = [node.target for node in ast.walk(tree) if isinstance(node, ast.comprehension)]
    return {
        name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)
    }


def imported_before_cloud(tree: ast.Module) -> list[str]:
    """Modules outside the standard library that come before `from labs import cloud`."""
    before: list[str] = []
    for node in tree.body:
        if isinstance(node, ast.ImportFrom):
            if node.module == "labs" and "cloud" in {alias.name for alias in node.names}:
                break
            before.append(node.module or "")
        elif isinstance(node, ast.Import):
            before += [alias.name for alias in node.names]
    return [name for name in before if name.partition(".")[0] not in sys.stdlib_module_names]
