"""The model at the size of the article: 250 objects of 600 to 800 MB, in 6,300, 100 and 160 s.

Source: Mohit Chawla, "Exploring Concurrency in Python & AWS", AWS Advent, 4 December 2016. The
article gives three times, one from each way, and one reason: invocations "were throttled". It gives
neither the number of threads nor the length of one copy. What it does not give is chosen here so
that the model meets its times, and the tables say which number that was. A number that was chosen
to fit explains nothing: `rivals` has three for the same 160 s.
"""

from dataclasses import replace

import pandas as pd

from labs.concurrency import workload
from labs.concurrency.simulation.functions import by_itself, in_line, predict_lambda
from labs.concurrency.simulation.model import Parameters, Prediction
from labs.concurrency.simulation.pool import predict
from labs.concurrency.workload import BULK, DAILY

SEQUENTIAL, THREADS, LAMBDA = 6_300.0, 100.0, 160.0  # seconds
LIMIT = 100  # Lambda functions at once, an account's default in 2016

#: Chosen: so many threads meet 100 s. If all objects were of 700 MB, 63 to 83 would do it alike.
WORKERS = 78
#: Chosen: a copy in a function takes so many times as long as one in the loop.
SLOWER, LITTLE_SLOWER = 2.05, 1.2
#: Chosen: so many functions at once, had the account got no more.
FEWER = 42

LINE = Parameters(bandwidth=float(workload.objects()["bytes"].sum()) / SEQUENTIAL, limit=LIMIT)


def scale() -> pd.DataFrame:
    """The article's three times (way, article and model in seconds, error, chosen)."""
    return pd.DataFrame(
        [
            _row("loop", SEQUENTIAL, predict(LINE, workers=1, n=DAILY), "bandwidth"),
            _row("threads", THREADS, predict(LINE, workers=WORKERS, n=DAILY), f"{WORKERS} threads"),
            _row("Lambda", LAMBDA, _slower_copies(DAILY), f"copies {SLOWER} x as long"),
        ]
    )


def rivals() -> pd.DataFrame:
    """What may have made 160 s of the 75.6 s that three waves of 25.2 s take (columns of `scale`).

    The first two rows choose nothing: the limit of 100, and the two ways in which throttled events
    may wait. Neither is slow enough. Each of the others meets 160 s with one number chosen to fit,
    so the time alone cannot tell them apart; the start of each copy, from a log, could.
    """
    little_slower = replace(LINE, bandwidth=LINE.bandwidth / LITTLE_SLOWER)
    fewer = replace(LINE, limit=FEWER)
    runs = {
        ("limit 100, back-off of the queue", "nothing"): predict_lambda(LINE, n=DAILY),
        ("limit 100, back-off of each event", "nothing"): predict_lambda(
            LINE, n=DAILY, waiting=by_itself
        ),
        ("slower copies", f"copies {SLOWER} x as long"): _slower_copies(DAILY),
        ("fewer at once", f"limit {FEWER}"): predict_lambda(fewer, n=DAILY),
        ("back-off of each event, slower copies", f"copies {LITTLE_SLOWER} x as long"): (
            predict_lambda(little_slower, n=DAILY, waiting=by_itself)
        ),
    }
    return pd.DataFrame(
        [_row(way, LAMBDA, prediction, chosen) for (way, chosen), prediction in runs.items()]
    )


def bulk() -> pd.DataFrame:
    """The 1,500 objects of the first day (way, model in seconds); the article has no time for it.

    Only as good as the numbers that were chosen for `scale`.
    """
    return pd.DataFrame(
        {
            "way": ["loop", "threads", "Lambda"],
            "model": [
                predict(LINE, workers=1, n=BULK).seconds,
                predict(LINE, workers=WORKERS, n=BULK).seconds,
                _slower_copies(BULK).seconds,
            ],
        }
    )


def _slower_copies(n: int) -> Prediction:
    slower = replace(LINE, bandwidth=LINE.bandwidth / SLOWER)
    return predict_lambda(slower, n=n, waiting=in_line)


def _row(way: str, article: float, prediction: Prediction, chosen: str) -> dict[str, object]:
    error = prediction.seconds / article - 1
    model = prediction.seconds
    return {"way": way, "article": article, "model": model, "error": error, "chosen": chosen}
