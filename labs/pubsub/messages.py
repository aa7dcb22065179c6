"""A channel of Slack messages that nobody wrote: `data/messages.jsonl`, and how it came about.

One JSON object a line: `user_name`, and `text`, which begins with the trigger word. To write the
file anew: `python -m labs.pubsub.messages`.
"""

import json
import random
from collections.abc import Iterator
from pathlib import Path

from labs.commands.folders import checkout

SEED, NUMBER = 31, 250  # 250: what the largest size of an experiment takes
TRIGGER_WORD = "awsadvent"
USERS = ("ada", "edgar", "grace", "linus", "radia")
#: Word -> how often it is said, relative to the others.
WORDS = {
    "coffee": 6,
    "tea": 5,
    "please": 4,
    "more": 4,
    "milk": 3,
    "cake": 3,
    "without": 2,
    "sugar": 2,
    "now": 2,
    "for": 2,
    "everybody": 1,
    "☕": 1,
    "café": 1,
}


def messages(seed: int = SEED, number: int = NUMBER) -> Iterator[dict[str, str]]:
    """`number` messages, the same for the same seed. Words repeat, within a message too."""
    draw = random.Random(seed)
    for _ in range(number):
        words = draw.choices(list(WORDS), weights=list(WORDS.values()), k=draw.randint(1, 4))
        yield {"user_name": draw.choice(USERS), "text": " ".join([TRIGGER_WORD, *words])}


def load(most: int | None = None) -> list[dict[str, str]]:
    """The first `most` messages of the file, or all."""
    lines = file().read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines[:most]]


def as_lines(content: Iterator[dict[str, str]]) -> str:
    """The text of the file for these messages."""
    return "".join(json.dumps(message, ensure_ascii=False) + "\n" for message in content)


def file() -> Path:
    """Where the messages are kept."""
    return checkout() / "data" / "messages.jsonl"


if __name__ == "__main__":
    file().write_text(as_lines(messages()), encoding="utf-8", newline="\n")
