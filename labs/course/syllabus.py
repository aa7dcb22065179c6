"""The lessons of the course in one table, and the lines of a notebook that are made from it."""

from dataclasses import dataclass

from labs.commands.folders import checkout


@dataclass(frozen=True)
class Lesson:
    """One lesson.

    file:      its notebook, without `.ipynb`.
    title:     what its first heading says.
    modes:     where it runs: local, mock, live.
    core, all: estimated minutes alone: for the core path, and for all of it.
    necessary, helpful: what to know before: numbers of lessons, or words.
    """

    number: str
    file: str
    title: str
    modes: tuple[str, ...]
    core: int
    all: int
    necessary: tuple[str, ...] = ()
    helpful: tuple[str, ...] = ()


LESSONS = (
    Lesson(
        "00",
        "00_start_here",
        "Send a message through a cloud on your own machine",
        ("mock",),
        5,
        5,
    ),
    Lesson(
        "01",
        "01_first_aws_calls",
        "Make your first calls to AWS",
        ("mock",),
        30,
        45,
        necessary=("Python functions and dictionaries",),
        helpful=("00",),
    ),
    Lesson(
        "11",
        "11_osi_layers",
        "Open a conversation layer by layer",
        ("local",),
        30,
        60,
        necessary=("Python functions and dictionaries",),
        helpful=("00", "bytes and hexadecimal"),
    ),
    Lesson(
        "12",
        "12_layer4_vs_layer7",
        "Balance the same traffic at layer 4 and at layer 7",
        ("mock",),
        30,
        60,
        necessary=("11",),
        helpful=("01",),
    ),
    Lesson(
        "13",
        "13_alb_building_blocks",
        "Build an Application Load Balancer block by block",
        ("mock",),
        30,
        60,
        necessary=("12",),
        helpful=("01",),
    ),
    Lesson(
        "14",
        "14_alb_routing",
        "Route requests by what they ask for",
        ("mock",),
        30,
        60,
        necessary=("13",),
        helpful=("11",),
    ),
    Lesson(
        "15",
        "15_migrate_classic_to_alb",
        "Migrate a Classic Load Balancer without losing a request",
        ("mock",),
        30,
        60,
        necessary=("13",),
        helpful=("12", "14"),
    ),
    Lesson(
        "31",
        "31_pubsub_word_count",
        "Count the words of a Slack message without a server",
        ("mock",),
        30,
        60,
        necessary=("Python functions and dictionaries",),
        helpful=("00", "01", "HTTP POST"),
    ),
    Lesson(
        "32",
        "32_pubsub_fan_out",
        "Let two functions hear what one function says",
        ("mock",),
        30,
        60,
        necessary=("31",),
        helpful=("01",),
    ),
    Lesson(
        "33",
        "33_when_messages_fail",
        "Keep the count right when messages fail",
        ("mock",),
        30,
        60,
        necessary=("32",),
        helpful=("01",),
    ),
    Lesson(
        "34",
        "34_workflows_and_signed_requests",
        "Build workflows from messages, and prove who sent them",
        ("mock",),
        30,
        60,
        necessary=("32",),
        helpful=("33",),
    ),
)


def find(number: str) -> Lesson:
    """The lesson of this number. Raises LookupError, whose message names those there are."""
    for lesson in LESSONS:
        if lesson.number == number:
            return lesson
    known = ", ".join(lesson.number for lesson in LESSONS)
    raise LookupError(f"There is no lesson {number!r} in the syllabus; there are {known}.")


def badge(number: str) -> str:
    """The line under a lesson's title: where it runs, how long it takes, what it costs.

    >>> badge("31")
    '*mock · 30 min core, 60 min all (estimated) · nothing to pay*'
    """
    lesson = find(number)
    minutes = f"{lesson.core} min core, {lesson.all} min all"
    if lesson.core == lesson.all:
        minutes = f"{lesson.all} min"
    return f"*{' | '.join(lesson.modes)} · {minutes} (estimated) · nothing to pay*"


def prerequisites(number: str) -> str:
    """The line that says what to know before; "" for a lesson that needs nothing."""
    lesson = find(number)
    parts = [
        f"**{kind}**: {', '.join(map(named, what))}."
        for kind, what in (("Necessary", lesson.necessary), ("Helpful", lesson.helpful))
        if what
    ]
    return " ".join(parts)


def links(number: str) -> str:
    """The line that leads to the lessons before and after, of those that are there."""
    there = [lesson for lesson in LESSONS if exists(lesson) or lesson.number == number]
    index = [lesson.number for lesson in there].index(number)
    before = [f"Before: {link(there[index - 1])}"] if index else []
    after = [f"Next: {link(lesson)}" for lesson in there[index + 1 : index + 2]]
    return " · ".join(before + after)


def named(what: str) -> str:
    """A prerequisite: a link if it is a lesson that is there, else its words."""
    lesson = next((lesson for lesson in LESSONS if lesson.number == what), None)
    if lesson is None:
        return what
    return link(lesson) if exists(lesson) else f"{lesson.number}: {lesson.title}"


def link(lesson: Lesson) -> str:
    """A link to a lesson's notebook, which stands in the same folder."""
    return f"[{lesson.number}: {lesson.title}]({lesson.file}.ipynb)"


def exists(lesson: Lesson) -> bool:
    """Has this checkout the lesson?"""
    return (checkout() / "notebooks" / f"{lesson.file}.ipynb").is_file()
