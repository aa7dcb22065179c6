"""The script of another team, which publishes to the word counter's topic. Lesson 33 has the rest.

Reading it here spoils exercise 33.2: in life, too, one sees what such a script sends, and not the
script.
"""

import json
from typing import Any

BOOKINGS = (["garden", "tea"], ["attic", 42, "cake"], ["cellar", "tea", "tea"])


def publish_bookings(sns: Any, topic_arn: str) -> int:
    """Publish which rooms are booked, and what is to be served there; returns how many messages."""
    for words in BOOKINGS:
        sns.publish(TopicArn=topic_arn, Message=json.dumps({"version": 1, "words": words}))
    return len(BOOKINGS)
