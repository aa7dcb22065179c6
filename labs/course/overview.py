"""`progress()`: every exercise of the course, how often it was tried, and where it stands."""

import html

from labs import exercises
from labs.course import standing
from labs.course.standing import Standing

Row = tuple[str, str, int, int, str]
HEADINGS = ("exercise", "what", "different tries", "hints", "state")


def progress() -> None:
    """Show the table."""
    from IPython.display import display

    table = rows()
    display({"text/plain": plain(table), "text/html": page(table)}, raw=True)


def rows() -> list[Row]:
    """(id, title, different tries, hints seen, state) of every exercise, in order."""
    standings = standing.of_all()
    found = []
    for number in exercises.lessons():
        for exercise in exercises.of_lesson(number):
            now = standings.get(exercise.id, Standing())
            tries = now.tries + now.passed
            found.append((exercise.id, exercise.title, tries, now.hints, now.in_words))
    return found


def summary(table: list[Row]) -> str:
    """One sentence."""
    done = sum(row[-1].startswith("passed") for row in table)
    return f"{done} of {len(table)} exercises passed"


def plain(table: list[Row]) -> str:
    """The table as lines."""
    lines = [
        f"{number:<6} {what:<50} {tries:>5} {hints:>5}  {state}"
        for number, what, tries, hints, state in table
    ]
    head = f"{'':<6} {'exercise':<50} {'tries':>5} {'hints':>5}  state"
    return "\n".join([summary(table), head, *lines])


def page(table: list[Row]) -> str:
    """The table as HTML, with headings that a screen reader repeats."""
    head = "".join(f'<th scope="col" style="text-align: left">{name}</th>' for name in HEADINGS)
    body = "".join(
        f'<tr><th scope="row">{row[0]}</th>'
        + "".join(
            f'<td style="text-align: left">{html.escape(str(value))}</td>' for value in row[1:]
        )
        + "</tr>"
        for row in table
    )
    return (
        f"<table><caption>{summary(table)}</caption>"
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    )
