"""Lesson 00: one exercise that nobody can get wrong for long, to see how exercises work."""

from typing import Any

from labs.exercises import Exercise, NotYet


def check_00_1(aws: Any) -> None:
    """The table of the word counter has counted `ready`, however the message got there."""
    table = aws.resource("dynamodb").Table(aws.name("table"))
    words = sorted(item["word"] for item in table.scan()["Items"])
    if "ready" in words:
        return
    near = [word for word in words if "ready" in word.lower()]
    raise NotYet(
        found=f"no `ready` among the words in the table: {', '.join(map(repr, near or words))}",
        expected="a count for the word `ready`, in these five letters",
        look_at="the message that you posted: a word is what stands between spaces, as it was"
        " typed, and only what was posted is counted.",
    )


EXERCISES = (
    Exercise(
        id="00.1",
        title="have one more word counted",
        kind="build",
        check=check_00_1,
        hints=(
            "Which part of the cell above is the message, and which word of it is new?",
            "Put `ready` where `steady` stands, run the cell, then the check.",
        ),
        solution="""# The counter takes every word of the message as it is typed.
slack.post(counter.url, "awsadvent ready").json()""",
        also=(
            'slack.post(counter.url, "awsadvent are you ready").json()',
            """import requests

requests.post(counter.url, data=slack.form("awsadvent ready"), timeout=10).json()""",
        ),
        wrong={
            'slack.post(counter.url, "awsadvent Ready").json()': "'Ready'",
            'slack.post(counter.url, "awsadvent ready!").json()': "'ready!'",
            'slack.post(counter.url, "awsadvent already").json()': "'already'",
            'message = "awsadvent ready"': "only what was posted is counted",
        },
    ),
)

NEEDS: dict[str, tuple[str, ...]] = {}
