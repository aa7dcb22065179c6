"""What lesson 21 says of the article's numbers is what arithmetic and the model say."""

import math

from labs.concurrency import simulation
from labs.concurrency.simulation import article
from labs.exercises import lesson_21


def test_the_numbers_of_workers_that_explain_100_seconds():
    waves = {n: math.ceil(250 / n) * 25.2 for n in range(1, 251)}
    assert [n for n in waves if abs(waves[n] - 100) <= 2] == list(lesson_21.EXPLAINING)


def test_with_drawn_sizes_78_to_82_workers_explain_them():
    """The text below exercise 21.4 names these."""
    near = range(76, 85)
    seconds = {n: simulation.predict(article.LINE, workers=n).seconds for n in near}
    assert [n for n in near if abs(seconds[n] - 100) <= 2] == list(range(78, 83))
