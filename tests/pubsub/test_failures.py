"""Waiting for late effects, and the flood of lesson 33, with a consumer made of a thread."""

import json
import threading
import time
from queue import SimpleQueue

import pytest

from labs.pubsub import caretakers, failure_figures, failures
from labs.pubsub.failures import Flood


class Consumer:
    """Takes what is posted, `pause` seconds for each; `waiting` says how much is left."""

    def __init__(self, pause: float) -> None:
        self.pause, self.queue, self.done, self.posted = pause, SimpleQueue(), 0, []
        self.lock = threading.Lock()
        threading.Thread(target=self.work, daemon=True).start()

    def post(self, word: str) -> None:
        with self.lock:
            self.posted.append(word)
        self.queue.put(word)

    def waiting(self) -> int:
        return len(self.posted) - self.done

    def work(self) -> None:
        while self.queue.get():
            time.sleep(self.pause)
            self.done += 1


def test_a_flood_posts_every_word_once_and_watches_until_the_backlog_is_gone():
    consumer = Consumer(pause=0.02)
    words = [f"word{number}" for number in range(12)]
    flood = failures.flood(consumer.post, consumer.waiting, words, clients=3)
    assert sorted(consumer.posted) == sorted(words)
    assert len(flood.posts_ms) == 12 - 3  # without each client's first
    assert flood.backlog[-1][1] == 0
    assert flood.most > 1
    assert flood.drained_s >= 11 * consumer.pause


def test_a_flood_that_never_drains_is_given_up():
    flood = failures.flood(lambda word: None, lambda: 1, ["tea"], clients=1, seconds=0.2)
    assert flood.backlog[-1][1] == 1


def test_a_post_that_fails_is_no_measurement():
    def fail(word):
        raise ConnectionError(word)

    with pytest.raises(ConnectionError):
        failures.flood(fail, lambda: 0, ["tea", "milk"], clients=1)


def test_wait_until_ends_with_the_condition_or_with_the_time():
    looks = iter([0, 0, 3])
    assert failures.wait_until(lambda: next(looks)) is True
    assert failures.wait_until(lambda: False, seconds=0.1) is False


def test_settled_waits_for_the_last_change():
    values = iter([1, 1, 11, 11, 21])
    last = []

    def read():
        last.append(next(values, 21))
        return last[-1]

    assert failures.settled(read, quiet=0.3) == 21


def test_settled_does_not_wait_for_ever():
    numbers = iter(range(10_000))
    start = time.monotonic()
    assert failures.settled(lambda: next(numbers), seconds=0.3) > 1
    assert time.monotonic() - start < 5


FLOODS = {
    "limit 3": Flood([10.0, 12.0, 14.0], [(0.0, 0), (0.5, 4), (1.0, 0)]),
    "limit 1": Flood([11.0, 12.0, 13.0], [(0.0, 0), (0.5, 9), (3.0, 0)]),
}


def test_the_figure_says_ratios_and_its_words_say_the_numbers():
    finding = "Limit 1 against limit 3: the backlog lasted 3.0 times as long, a post 1.0 times"
    assert failure_figures.finding(FLOODS) == finding
    assert "limit 1: at most 9 messages waited, the last until 3.0 s" in failure_figures.in_words(
        "limit 1", FLOODS["limit 1"]
    )
    figure = failure_figures.draw_backlogs(FLOODS)
    assert figure.get_suptitle() == finding
    left, right = figure.axes
    assert [list(line.get_ydata()) for line in left.lines] == [[0, 4, 0], [0, 9, 0]]
    assert [len(points.get_offsets()) for points in right.collections] == [3, 3]


def test_one_booking_of_the_caretakers_is_poison(session, topic):
    """Exercise 33.2 stands on it: the second word of one message is no text."""
    sent = caretakers.publish_bookings(session.client("sns"), topic.arn)
    bookings = [json.loads(message)["words"] for message in topic.messages()]
    assert len(bookings) == sent
    assert [each for each in bookings if not all(isinstance(word, str) for word in each)] == [
        ["attic", 42, "cake"]
    ]
